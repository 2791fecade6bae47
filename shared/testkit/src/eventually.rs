//! Waiting for something to become true, in place of sleeping.

use std::time::{Duration, Instant};

/// Far longer than anything takes that comes about at all, on a machine that is busy with other tests too.
const PATIENCE: Duration = Duration::from_secs(60);
const POLL_EVERY: Duration = Duration::from_millis(15);

/// Asks `probe` again and again until it gives a value, and gives that value back.
///
/// # Panics
/// After a minute without one; `what` says in the message what never came about.
pub async fn eventually<T>(what: &str, probe: impl AsyncFnMut() -> Option<T>) -> T {
    within(PATIENCE, what, probe).await
}

/// The same, for what takes longer.
///
/// # Panics
/// After `patience` without a value.
#[expect(clippy::panic, reason = "a test fails by panicking")]
pub async fn within<T>(patience: Duration, what: &str, mut probe: impl AsyncFnMut() -> Option<T>) -> T {
    let started = Instant::now();
    loop {
        if let Some(found) = probe().await {
            return found;
        }
        if started.elapsed() > patience {
            panic!("not within {patience:?}: {what}");
        }
        tokio::time::sleep(POLL_EVERY).await;
    }
}
