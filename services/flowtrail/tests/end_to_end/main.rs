//! Flowtrail as its users meet it: the real binary, a real nats-server, real HTTP, real clients.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod accounts;
mod archives;
mod asking;
mod aws;
mod backup;
mod clients;
mod closed_pipe;
mod damage;
mod dead_letters;
mod delivery;
mod doctor;
mod documented;
mod drill;
mod fair;
mod flowtrail;
mod following;
mod foreign;
mod full;
mod hostile;
mod importing;
mod kill;
mod metrics;
mod reach;
mod receiver;
mod retention;
mod sdks;
mod secrets;
mod slow;
mod starting;
mod tls;
mod topologies;
mod truth;
mod watching;
mod webhook;
