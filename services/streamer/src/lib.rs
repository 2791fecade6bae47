//! Event streaming: what an account's events become on the platforms it named.
//!
//! A supervisor follows the integrations; each has a keeper, which runs a worker while events are to be delivered; the
//! worker reads one lane per stream, cuts batches, and hands them to the sink of the platform.
//!
//! Invariants: nobody waits for another's receiver; memory is bounded whatever the backlog; what is delivered, failed
//! and given up is recorded before it is forgotten; an opened secret is in the sink and nowhere else.

pub mod guard;
pub mod opened;
pub mod sink;
pub mod sinks;

mod backoff;
mod batch;
mod dead_letters;
mod desired;
mod history;
mod journal;
mod keeper;
mod lane;
mod numbers;
mod receiver;
mod service;
mod status;
mod supervisor;
mod verdict;
mod worker;

use std::time::Duration;

use bus::{Answering, Bus};
use runtime::clock::Clock;
use runtime::metrics::Metrics;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use vault::MasterKey;

use crate::guard::Guard;
use crate::numbers::Numbers;
use crate::receiver::Receivers;
use crate::service::Desk;
use crate::supervisor::{Lives, Supervisor};

/// How delivery behaves.
#[derive(Clone, Debug)]
pub struct Settings {
    /// How long a receiver may fail before its delivery is suspended.
    pub suspend_after: Duration,
    /// What its process counts.
    pub metrics: Metrics,
}

/// Why events cannot be streamed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Questions cannot be received.
    #[error("the streamer's service cannot start")]
    Service(#[from] bus::AnswerError),
}

/// Event streaming, ready to be run.
pub struct Streamer {
    answering: Answering,
    supervisor: Supervisor,
}

/// Begins to receive questions; [`Streamer::run`] answers them and delivers.
///
/// # Errors
/// When questions cannot be received.
pub async fn start(
    bus: &Bus,
    master: MasterKey,
    guard: Guard,
    clock: Clock,
    settings: Settings,
) -> Result<Streamer, Error> {
    let receivers = Receivers { bus: bus.clone(), master, guard, clock };
    let lives = Lives::default();
    let desk = Desk { receivers: receivers.clone(), lives: lives.clone() };
    let answering = service::start(&desk).await?;
    settings.metrics.add(Numbers::new(desk));
    Ok(Streamer { answering, supervisor: Supervisor::new(receivers, settings, lives) })
}

impl Streamer {
    /// Delivers and answers until `stop`; then ends within a second, when the log can be reached.
    pub async fn run(self, stop: CancellationToken) {
        let mut tasks = JoinSet::new();
        tasks.spawn(self.answering.run(stop.clone()));
        tasks.spawn(self.supervisor.run(stop));
        while tasks.join_next().await.is_some() {}
    }
}
