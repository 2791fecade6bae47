//! What the operator chooses about delivery.

use std::time::Duration;

use runtime::metrics::Metrics;

/// How delivery behaves.
#[derive(Clone, Debug)]
pub struct Settings {
    /// How long a receiver may fail before its delivery is suspended.
    pub suspend_after: Duration,
    /// Where the numbers of all deliveries are shown.
    pub metrics: Metrics,
}
