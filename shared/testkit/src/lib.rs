//! What tests need around the code: a real nats-server of their own, chance that repeats itself, and patience.
//!
//! Invariant: a development dependency only. It starts real things and imitates none.

mod chance;
mod eventually;
mod nats_server;

pub use chance::Chance;
pub use eventually::eventually;
pub use nats_server::NatsServer;
