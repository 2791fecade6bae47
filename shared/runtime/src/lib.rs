//! What every role needs of the process it runs in: settings, tracing, metrics, shutdown, the clock and private files.
//!
//! It imports no other crate of ours.

pub mod clock;
pub mod exposition;
pub mod metrics;
pub mod private_file;
pub mod process;
pub mod settings;
pub mod shutdown;
pub mod telemetry;
