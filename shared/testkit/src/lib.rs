//! What tests need around the code: a real nats-server of their own, stand-ins for the platforms that events go to,
//! JSON as publishers write it, chance that repeats itself, and patience.
//!
//! Invariant: a development dependency only. What it starts is real, or the work of others where it can be.

mod chance;
mod eventually;
mod http_server;
pub mod json;
mod moto;
mod nats_server;
mod s3_reader;
mod s3rver;
mod s3s_fs;
mod stand_in;
mod user;

pub use chance::Chance;
pub use eventually::{eventually, within};
pub use http_server::HttpServer;
pub use moto::Moto;
pub use nats_server::NatsServer;
pub use s3rver::S3rver;
pub use s3s_fs::S3sFs;
pub use stand_in::{StandIn, free_port, run_reader, run_stand_in};
pub use user::User;
