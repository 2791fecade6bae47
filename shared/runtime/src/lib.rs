//! What every role needs of the process it runs in: settings, tracing, shutdown and the clock.
//!
//! It imports no other crate of ours.

pub mod clock;
pub mod settings;
pub mod shutdown;
pub mod telemetry;
