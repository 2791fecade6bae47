//! How a gateway ends: first it leaves, which it says to who asks, and answers on; then it takes nobody in any more.
//!
//! Invariant: a client that was told on a connection that another one is wanted finds somebody who listens, for as long as
//! the gateway leaves; and no connection is closed that a request may be on its way over.

use std::time::Duration;

use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

/// How long a connection without a request stays open at the end: a request may be on its way over it.
const ASKS_WITHIN: Duration = Duration::from_millis(200);

/// How far the end is. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Ending {
    leaving: CancellationToken,
    closing: CancellationToken,
}

impl Ending {
    /// From `leaving` on every answer is the last of its connection, from `closing` on nobody is taken in.
    pub(crate) fn new(leaving: CancellationToken, closing: CancellationToken) -> Self {
        Self { leaving, closing }
    }

    /// Whether connections are to end with their next answer.
    pub(super) fn is_leaving(&self) -> bool {
        self.leaving.is_cancelled()
    }

    /// Waits until nobody is to be taken in any more.
    pub(super) async fn closes(&self) {
        self.closing.cancelled().await;
    }

    /// Waits until connections without a request are to be closed.
    pub(super) async fn closes_idle(&self) {
        self.closes().await;
        sleep(ASKS_WITHIN).await;
    }
}
