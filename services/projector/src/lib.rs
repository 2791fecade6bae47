//! The projector: consumes the log, projects it into the views, and answers questions about them over NATS.
//!
//! Invariants: it owns the views' directories; each view resumes from its own checkpoint + 1, never from a
//! consumer's position; rows and checkpoint are committed together, so killing it at any moment loses and doubles
//! nothing.

mod continuity;
mod dead_letters;
mod decoders;
mod entries;
mod error;
mod generation;
mod ignored;
mod log_watch;
mod project;
mod projector;
mod reader;
pub mod rebuild;
mod service;
mod stream_metrics;
mod supervisor;
mod thread;
pub mod troubles;
mod view_metrics;
mod work;
mod worker;
mod writer;

pub use error::Error;
pub use projector::run;
