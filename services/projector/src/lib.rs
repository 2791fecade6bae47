//! The projector: consumes the log, projects it into the views, and answers questions about them over NATS.
//!
//! Invariants: it owns the views' directories; each view resumes from its own checkpoint + 1, never from a
//! consumer's position; rows and checkpoint are committed together, so killing it at any moment loses and doubles
//! nothing.

mod continuity;
mod dead_letters;
mod decode;
mod numbers;
pub mod rebuild;
mod service;
mod supervisor;
mod thread;
mod worker;

use std::collections::HashMap;
use std::sync::Arc;

use bus::Bus;
use runtime::metrics::Metrics;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use views::{View, Views};

use crate::numbers::Numbers;
use crate::supervisor::Supervisor;

/// Why the projector cannot work.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A view failed.
    #[error("the {view} view failed")]
    View {
        /// Which.
        view: View,
        /// How.
        #[source]
        cause: views::Error,
    },
    /// The log cannot be read.
    #[error("the log cannot be read")]
    Log(#[from] bus::LoadError),
    /// The log cannot be consumed any more.
    #[error("the log cannot be consumed")]
    Consume(#[from] bus::ConsumeError),
    /// Questions cannot be answered.
    #[error("the query service cannot start")]
    Service(#[from] bus::AnswerError),
    /// A task of it ended by a panic.
    #[error("a task of the projector failed")]
    Task(#[from] tokio::task::JoinError),
    /// Decoding or projecting panicked.
    #[error("the log cannot be projected")]
    Thread(#[from] thread::Panicked),
}

/// Projects the log into `views` and answers questions about them, until `stop`. What it does is counted in `metrics`.
///
/// # Errors
/// When the log or the views' storage cannot be used at the start.
pub async fn run(views: Views, bus: Bus, metrics: Metrics, stop: CancellationToken) -> Result<(), Error> {
    let mut tasks = JoinSet::new();
    let mut rebuilds = HashMap::new();
    let numbers = Numbers::new(views.clone());
    metrics.add(Arc::new(numbers.clone()));
    for view in View::ALL {
        let (orders, inbox) = mpsc::channel(1);
        let progress = rebuild::Watch::default();
        rebuilds.insert(view, rebuild::Handle::new(orders, progress.subscribe()));
        let supervisor = Supervisor::new(views.slot(view).clone(), bus.clone(), progress, numbers.clone());
        tasks.spawn(supervisor.run(inbox, stop.child_token()));
    }
    let answering = service::start(&bus, &views, rebuilds).await?;
    let service_stop = stop.child_token();
    tasks.spawn(async move {
        answering.run(service_stop).await;
        Ok(())
    });
    while let Some(ended) = tasks.join_next().await {
        if let Err(error) = ended.map_err(Error::from).flatten() {
            stop.cancel();
            return Err(error);
        }
    }
    for view in View::ALL {
        views.slot(view).store().flush().map_err(|cause| Error::View { view, cause })?;
    }
    Ok(())
}
