//! Work that is dropped when the process is told to end, so that what it holds is put away.

use anyhow::bail;
use runtime::shutdown;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// Does the work, until Ctrl-C or SIGTERM.
///
/// # Errors
/// Those of the work, and when it was not over.
pub(crate) async fn unless_told_to_end<T>(work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    let told = CancellationToken::new();
    let mut waiting = JoinSet::new();
    waiting.spawn(shutdown::on_signal(told.clone()));
    tokio::select! {
        outcome = work => outcome,
        () = told.cancelled() => bail!("it was told to end before it was done"),
    }
}
