//! Shutdown: one token for the whole process, cancelled by Ctrl-C or SIGTERM.

use tokio_util::sync::CancellationToken;
use tracing::info;

/// Waits for Ctrl-C or SIGTERM, then cancels `token`. Ends without either when it is cancelled, as by a role that
/// cannot go on: who waits for everything to end would wait for this, too.
///
/// # Errors
/// When the signals cannot be listened to.
pub async fn on_signal(token: CancellationToken) -> anyhow::Result<()> {
    let signal = tokio::select! {
        signal = first_signal() => signal?,
        () = token.cancelled() => return Ok(()),
    };
    info!(signal, "shutting down");
    token.cancel();
    Ok(())
}

#[cfg(unix)]
async fn first_signal() -> anyhow::Result<&'static str> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(tokio::select! {
        _ = interrupt.recv() => "SIGINT",
        _ = terminate.recv() => "SIGTERM",
    })
}

#[cfg(not(unix))]
async fn first_signal() -> anyhow::Result<&'static str> {
    tokio::signal::ctrl_c().await?;
    Ok("Ctrl-C")
}
