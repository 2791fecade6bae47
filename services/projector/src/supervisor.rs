//! One view's life: checked against the log at the start, kept up with it, rebuilt when ordered or when the log
//! is no longer the one it was computed from.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bus::{Bus, ConsumeError};
use model::log::Stream;
use runtime::telemetry::chain;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::{error, info};
use views::Slot;
use views::store::Store;

use crate::numbers::Numbers;
use crate::worker::{Purpose, Worker};
use crate::{Error, continuity, rebuild};

/// The pause before a failed worker or rebuild is tried again.
const PAUSE: Duration = Duration::from_secs(1);

/// Keeps one view.
pub(crate) struct Supervisor {
    slot: Slot,
    bus: Bus,
    progress: rebuild::Watch,
    numbers: Numbers,
}

impl Supervisor {
    pub(crate) fn new(slot: Slot, bus: Bus, progress: rebuild::Watch, numbers: Numbers) -> Self {
        Self { slot, bus, progress, numbers }
    }

    /// Keeps the view until `stop`.
    ///
    /// # Errors
    /// When its storage or the log cannot be used.
    pub(crate) async fn run(self, mut orders: mpsc::Receiver<()>, stop: CancellationToken) -> Result<(), Error> {
        let view = self.slot.view();
        let checkpoints = self.slot.store().checkpoints().map_err(|cause| Error::View { view, cause })?;
        let mut must_rebuild = !continuity::holds(&self.bus, view, &checkpoints).await?;
        while !stop.is_cancelled() {
            if must_rebuild {
                must_rebuild = !self.rebuild_unattended(&stop).await;
                continue;
            }
            let worker_stop = stop.child_token();
            let mut worker = JoinSet::new();
            worker.spawn(self.worker(self.slot.store(), Purpose::Live(self.slot.clone())).run(worker_stop.clone()));
            tokio::select! {
                Some(ended) = worker.join_next() => must_rebuild = self.must_rebuild_after(ended.map_err(Error::from).flatten(), &stop).await,
                () = self.slot.damaged() => {
                    error!(%view, "the view is damaged and is rebuilt from the log");
                    must_rebuild = true;
                }
                Some(()) = orders.recv() => self.rebuild_beside(&worker_stop, &mut worker, &stop).await,
            }
            worker_stop.cancel();
            while worker.join_next().await.is_some() {}
        }
        Ok(())
    }

    fn worker(&self, store: Arc<Store>, purpose: Purpose) -> Worker {
        Worker { view: self.slot.view(), store, bus: self.bus.clone(), purpose, numbers: self.numbers.clone() }
    }

    /// Whether the end of a worker means that the view, or the log it was computed from, is lost.
    async fn must_rebuild_after(&self, ended: Result<(), Error>, stop: &CancellationToken) -> bool {
        let Err(failure) = ended else { return false };
        error!(view = %self.slot.view(), error = %chain(&failure), "the view's projection stopped and is started again");
        pause(stop).await;
        match failure {
            Error::Consume(ConsumeError::RolledBack { .. }) => true,
            Error::View { cause, .. } => cause.is_damage() || cause.is_lasting(),
            Error::Consume(_) | Error::Log(_) | Error::Service(_) | Error::Task(_) | Error::Thread(_) => false,
        }
    }

    /// Rebuilds while the old generation has nobody to keep it up. False: it failed and must be tried again.
    async fn rebuild_unattended(&self, stop: &CancellationToken) -> bool {
        let outcome = async {
            let store = self.replay(stop).await?;
            self.switch_to(store, stop)
        };
        let outcome = outcome.await;
        self.note_end(&outcome);
        if outcome.is_err() {
            pause(stop).await;
        }
        outcome.is_ok()
    }

    /// Rebuilds while the old generation is kept up; at the end it stands still until the new one has all it had.
    async fn rebuild_beside(
        &self,
        worker_stop: &CancellationToken,
        worker: &mut JoinSet<Result<(), Error>>,
        stop: &CancellationToken,
    ) {
        let outcome = async {
            let store = self.replay(stop).await?;
            worker_stop.cancel();
            while worker.join_next().await.is_some() {}
            let targets = self.slot.observed().into_iter().map(|(stream, seen)| (stream, seen.sequence)).collect();
            self.replay_to(store.clone(), targets, stop).await?;
            self.switch_to(store, stop)
        };
        let outcome = outcome.await;
        self.note_end(&outcome);
    }

    /// A new generation with everything that the log holds when it starts.
    async fn replay(&self, stop: &CancellationToken) -> Result<Arc<Store>, Error> {
        let view = self.slot.view();
        info!(%view, "rebuilding the view from the log");
        self.progress.starts();
        // Asked first: while the log is away, no generation is begun.
        let mut targets = BTreeMap::new();
        for &stream in view.streams() {
            let state = self.bus.state(stream).await?;
            // An empty stream has nothing to reach, though its last sequence may stand.
            targets.insert(stream, if state.messages == 0 { 0 } else { state.last_sequence });
        }
        self.progress.expects(targets.values().sum());
        let store = self.slot.fresh().map_err(|cause| Error::View { view, cause })?;
        self.replay_to(store.clone(), targets, stop).await?;
        Ok(store)
    }

    /// Replays the log into a new generation, which goes where that fails.
    async fn replay_to(
        &self,
        store: Arc<Store>,
        targets: BTreeMap<Stream, u64>,
        stop: &CancellationToken,
    ) -> Result<(), Error> {
        let purpose = Purpose::Rebuild(targets, self.progress.clone());
        let replayed = self.worker(store.clone(), purpose).run(stop.child_token()).await;
        if replayed.is_err() {
            store.retire();
        }
        replayed
    }

    fn switch_to(&self, store: Arc<Store>, stop: &CancellationToken) -> Result<(), Error> {
        if stop.is_cancelled() {
            // Not whole: it is cleared away at the next start.
            return Ok(());
        }
        self.slot.switch_to(store).map_err(|cause| Error::View { view: self.slot.view(), cause })
    }

    fn note_end(&self, outcome: &Result<(), Error>) {
        if let Err(failure) = outcome {
            error!(view = %self.slot.view(), error = %chain(failure), "the rebuild failed; the old generation stays");
        }
        self.progress.ends(outcome.as_ref().err().map(ToString::to_string));
    }
}

async fn pause(stop: &CancellationToken) {
    tokio::select! {
        () = stop.cancelled() => {}
        () = tokio::time::sleep(PAUSE) => {}
    }
}
