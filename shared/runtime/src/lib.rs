//! What every role needs of the process it runs in: settings, tracing, metrics, shutdown and the clock.
//!
//! It imports no other crate of ours.

pub mod clock;
pub mod metrics;
pub mod settings;
pub mod shutdown;
pub mod telemetry;
