//! The log as events: what its messages say, how an event becomes a message, and following one account's events.
//!
//! Invariant: nobody else turns messages of the log into events or events into messages, so that all agree on what an
//! event is, on its place and on the id that the broker knows it by.

pub mod again;
pub mod erasures;
pub mod read;
pub mod tail;
pub mod write;
