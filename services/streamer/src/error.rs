//! Why events cannot be streamed.

/// The streamer cannot start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Questions cannot be received.
    #[error("the streamer's service cannot start")]
    Service(#[from] bus::AnswerError),
    /// It cannot be learnt who is erased.
    #[error("the log cannot be read")]
    Log(#[from] bus::LoadError),
}
