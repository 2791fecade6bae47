//! One view's life: checked against the log at the start, kept up with it, rebuilt when ordered or when the log
//! is no longer the one it was computed from.

use std::sync::Arc;
use std::time::Duration;

use bus::{Bus, ConsumeError};
use runtime::telemetry::chain;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::{error, info};
use views::Slot;
use views::store::Store;

use crate::error::Error;
use crate::generation::{Generation, Purpose, Sequences};
use crate::ignored::Named;
use crate::view_metrics::ViewMetrics;
use crate::worker::Worker;
use crate::{continuity, rebuild};

/// The pause before a failed worker or rebuild is tried again.
const PAUSE: Duration = Duration::from_secs(1);

/// Keeps one view.
pub(crate) struct Supervisor {
    slot: Slot,
    bus: Bus,
    progress: rebuild::Watch,
    view_metrics: ViewMetrics,
}

impl Supervisor {
    pub(crate) fn new(slot: Slot, bus: Bus, progress: rebuild::Watch, view_metrics: ViewMetrics) -> Self {
        Self { slot, bus, progress, view_metrics }
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
                Some(()) = orders.recv() => self.rebuild_while_live(&worker_stop, &mut worker, &stop).await,
            }
            worker_stop.cancel();
            while worker.join_next().await.is_some() {}
        }
        Ok(())
    }

    fn worker(&self, store: Arc<Store>, purpose: Purpose) -> Worker {
        let (view, bus, view_metrics) = (self.slot.view(), self.bus.clone(), self.view_metrics.clone());
        Worker(Generation { view, store, bus, purpose, view_metrics, named: Named::default() })
    }

    /// Whether the end of a worker means that the view, or the log it was computed from, is lost.
    async fn must_rebuild_after(&self, ended: Result<Sequences, Error>, stop: &CancellationToken) -> bool {
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
            let (store, _) = self.replay(stop).await?;
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
    async fn rebuild_while_live(
        &self,
        worker_stop: &CancellationToken,
        worker: &mut JoinSet<Result<Sequences, Error>>,
        stop: &CancellationToken,
    ) {
        let outcome = async {
            let (store, reached) = self.replay(stop).await?;
            // Only one of the two generations may be written from here on: were the old one kept up until the switch,
            // a reader could see an event, and after the switch not see it for a moment.
            worker_stop.cancel();
            while worker.join_next().await.is_some() {}
            let mut targets: Sequences =
                self.slot.observed().into_iter().map(|(stream, seen)| (stream, seen.sequence)).collect();
            targets.retain(|stream, target| reached.get(stream).is_none_or(|sequence| sequence < target));
            self.replay_to(store.clone(), targets, stop).await?;
            self.switch_to(store, stop)
        };
        let outcome = outcome.await;
        self.note_end(&outcome);
    }

    /// A new generation with everything that the log holds when it starts, and the sequences that it has reached.
    async fn replay(&self, stop: &CancellationToken) -> Result<(Arc<Store>, Sequences), Error> {
        let view = self.slot.view();
        info!(%view, "rebuilding the view from the log");
        self.progress.starts();
        // Asked first: while the log is away, no generation is begun.
        let (mut targets, mut messages) = (Sequences::new(), 0);
        for stream in view.reads() {
            let state = self.bus.state(stream).await?;
            // An empty stream has nothing to reach, though its last sequence stands.
            targets.insert(stream, if state.messages == 0 { 0 } else { state.last_sequence });
            messages += if view.streams().contains(&stream) { state.messages } else { 0 };
        }
        self.progress.expects(messages);
        let store = self.slot.fresh().map_err(|cause| Error::View { view, cause })?;
        let reached = self.replay_to(store.clone(), targets, stop).await?;
        Ok((store, reached))
    }

    /// Replays the log into a new generation, which goes where that fails.
    async fn replay_to(
        &self,
        store: Arc<Store>,
        targets: Sequences,
        stop: &CancellationToken,
    ) -> Result<Sequences, Error> {
        let purpose = Purpose::Rebuild(targets, self.progress.clone());
        let replayed = self.worker(store.clone(), purpose).run(stop.child_token()).await;
        if replayed.is_err() {
            // Half a generation is of no use: each rebuild begins with an empty one, so that what is read in the end does
            // not depend on what failed before. `CURRENT` still names the old one, so a crash here changes nothing.
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
