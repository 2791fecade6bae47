//! Work that would hold up the threads that serve connections.

use tracing::error;

use crate::render::refusal::Refusal;

/// Does `work` on a thread where it may block: one that serves connections would keep every other request waiting.
///
/// # Errors
/// [`Refusal::Internal`] when it panics.
pub(crate) async fn off_thread<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Refusal> {
    tokio::task::spawn_blocking(work).await.map_err(|failure| {
        error!(%failure, "work on a request failed");
        Refusal::Internal
    })
}
