//! Event streaming: what an account's events become on the platforms it named.

pub mod guard;
pub mod opened;
pub mod sink;
pub mod sinks;
