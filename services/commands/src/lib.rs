//! The write side: accept a command, load what it is about, decide, publish what happened.
//!
//! Invariants: it reads the log, never a view; every event is published with the sequence it was decided on, so of
//! two writers one decides again; a secret is sealed before it enters the log.

mod access;
mod aggregate;
mod bootstrap;
mod commands;
mod integrations;
mod reachable;
mod receiver;
mod refusal;
mod searches;
mod service;
mod snapshots;

pub use bootstrap::{Bootstrap, BootstrapError};
pub use commands::{Commands, Error, start};
