//! The write side: accept a command, load what it is about, decide, publish what happened.
//!
//! Invariants: it reads the log, never a view; every event is published with the sequence it was decided on, so of
//! two writers one decides again; a secret is sealed before it enters the log.

mod access;
mod aggregate;
mod bootstrap;
mod integrations;
mod service;

use bus::Bus;
use tokio_util::sync::CancellationToken;
use vault::MasterKey;

pub use bootstrap::{Bootstrap, BootstrapError};

/// Why the write side can not work.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The first account can not be made.
    #[error("make the first account")]
    Bootstrap(#[from] BootstrapError),
    /// Commands can not be received.
    #[error("the command service can not start")]
    Service(#[from] bus::AnswerError),
}

/// Makes the first account where there is none, then carries out commands until `stop`.
///
/// # Errors
/// When the first account can not be made or commands can not be received.
pub async fn run(bus: Bus, master: MasterKey, first: Bootstrap, stop: CancellationToken) -> Result<(), Error> {
    bootstrap::ensure(&bus, &first).await?;
    let integrations = integrations::Integrations::new(bus.clone(), master);
    let answering = service::start(&bus, &integrations).await?;
    integrations.destroy_leftover_keys().await;
    answering.run(stop).await;
    Ok(())
}
