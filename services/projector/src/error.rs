//! Why the projector, or one of its tasks, cannot go on.

use views::View;

use crate::thread::Panicked;

/// Why the projector cannot work.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A view failed.
    #[error("the {view} view failed")]
    View {
        /// The view that failed.
        view: View,
        /// What its storage said.
        #[source]
        cause: views::Error,
    },
    /// A rebuilt view would hold less than the one that it replaces, because the log does.
    #[error(
        "the {view} view would have {after} rows where it has {before}, and stays as it is: {reason}. What the log has lost \
         can be restored from a backup; to go on with what is left, run `flowtrail rebuild {view} --accept-loss`"
    )]
    WouldLose {
        /// The view that stays.
        view: View,
        /// What is wrong with the log.
        reason: String,
        /// How many rows the view has.
        before: u64,
        /// How many it would have.
        after: u64,
    },
    /// The log cannot be read.
    #[error("the log cannot be read")]
    Log(#[from] bus::LoadError),
    /// The log cannot be consumed any more.
    #[error("the log cannot be consumed")]
    Consume(#[from] bus::ConsumeError),
    /// Questions cannot be answered.
    #[error("the query service cannot start")]
    Service(#[from] bus::AnswerError),
    /// A task of it ended by a panic.
    #[error("a task of the projector failed")]
    Task(#[from] tokio::task::JoinError),
    /// Decoding or projecting panicked.
    #[error("the log cannot be projected")]
    Thread(#[from] Panicked),
}
