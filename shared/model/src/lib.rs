//! What Flowtrail is about, as plain values: events, commands and the rules between them.
//!
//! Invariant: this crate is pure. It has no IO, no clock, no randomness and no future;
//! time and ids are arguments.

pub mod log;
