//! The write side as a whole: started, then run.

use bus::{Answering, Bus};
use model::reach::Reach;
use tokio_util::sync::CancellationToken;
use vault::MasterKey;

use crate::bootstrap::{self, Bootstrap, BootstrapError};
use crate::integrations::Integrations;
use crate::service;

/// Why the write side cannot work.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The first account cannot be made.
    #[error("make the first account")]
    Bootstrap(#[from] BootstrapError),
    /// Commands cannot be received.
    #[error("the command service cannot start")]
    Service(#[from] bus::AnswerError),
}

/// The write side, ready to be run.
pub struct Commands {
    answering: Answering,
    integrations: Integrations,
}

/// Makes the first account where there is none, and begins to receive commands; [`Commands::run`] carries them out.
/// Integrations are held to what `reach` allows.
///
/// # Errors
/// When the first account cannot be made or commands cannot be received.
pub async fn start(bus: &Bus, master: MasterKey, reach: Reach, first: &Bootstrap) -> Result<Commands, Error> {
    bootstrap::ensure(bus, first).await?;
    let integrations = Integrations::new(bus.clone(), master, reach);
    let answering = service::start(bus, &integrations).await?;
    Ok(Commands { answering, integrations })
}

impl Commands {
    /// Carries out commands until `stop`.
    pub async fn run(self, stop: CancellationToken) {
        self.integrations.destroy_leftover_keys().await;
        self.answering.run(stop).await;
    }
}
