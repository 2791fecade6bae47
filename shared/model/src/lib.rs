//! What Flowtrail is about, as plain values: events, commands and the rules between them.
//!
//! Invariant: this crate is pure. It has no IO, no clock, no randomness and no future;
//! time and ids are arguments.

pub mod access;
pub mod address;
pub mod audit;
pub mod command;
pub mod dead_letter;
pub mod delivery;
pub mod directory;
mod endpoint;
pub mod envelope;
pub mod erasure;
pub mod event;
pub mod filter;
pub mod integration;
pub mod json;
pub mod log;
mod nearest;
pub mod networks;
pub mod paging;
pub mod reach;
pub mod schema;
pub mod search;
pub mod secret;
pub mod template;
pub mod time;
pub mod traffic;

pub use nearest::nearest;
