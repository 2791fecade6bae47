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
use crate::log_watch::LogWatch;
use crate::rebuild::Loss;
use crate::troubles::Kind;
use crate::view_metrics::ViewMetrics;
use crate::worker::Worker;
use crate::{continuity, rebuild};

/// The pause before a failed worker or rebuild is tried again.
const PAUSE: Duration = Duration::from_secs(1);

/// Keeps one view.
pub(crate) struct Supervisor {
    pub(crate) slot: Slot,
    pub(crate) bus: Bus,
    pub(crate) progress: rebuild::Watch,
    pub(crate) view_metrics: ViewMetrics,
    pub(crate) log_watch: LogWatch,
}

/// How a rebuild ended that nobody ordered.
enum Unattended {
    Done,
    /// It is to be tried again.
    Failed,
    /// The view would hold less than it does: a person has to say what is to be done.
    Refused,
}

impl Supervisor {
    /// Keeps the view until `stop`.
    ///
    /// # Errors
    /// When its storage or the log cannot be used.
    pub(crate) async fn run(self, mut orders: mpsc::Receiver<Loss>, stop: CancellationToken) -> Result<(), Error> {
        let view = self.slot.view();
        self.log_watch.troubles().note(view.name(), Kind::WouldLose, None);
        let checkpoints = self.slot.store().checkpoints().map_err(|cause| Error::View { view, cause })?;
        let mut must_rebuild = !continuity::holds(&self.bus, view, &checkpoints).await?;
        let mut loss = Loss::Refused;
        while !stop.is_cancelled() {
            if must_rebuild {
                match self.rebuild_unattended(loss, &stop).await {
                    Unattended::Done => (must_rebuild, loss) = (false, Loss::Refused),
                    Unattended::Failed => {}
                    // What it was computed from is gone, so it is not kept up either: it answers, and says that it is stale.
                    Unattended::Refused => tokio::select! {
                        () = stop.cancelled() => {}
                        Some(ordered) = orders.recv() => loss = ordered,
                    },
                }
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
                Some(loss) = orders.recv() => self.rebuild_while_live(loss, (&worker_stop, &mut worker), &stop).await,
            }
            worker_stop.cancel();
            while worker.join_next().await.is_some() {}
        }
        Ok(())
    }

    fn worker(&self, store: Arc<Store>, purpose: Purpose) -> Worker {
        let (view, bus, view_metrics) = (self.slot.view(), self.bus.clone(), self.view_metrics.clone());
        let log_watch = self.log_watch.clone();
        Worker(Generation { view, store, bus, purpose, view_metrics, log_watch, named: Named::default() })
    }

    /// Whether the end of a worker means that the view, or the log it was computed from, is lost.
    async fn must_rebuild_after(&self, ended: Result<Sequences, Error>, stop: &CancellationToken) -> bool {
        let Err(failure) = ended else { return false };
        error!(view = %self.slot.view(), error = %chain(&failure), "the view's projection stopped and is started again");
        pause(stop).await;
        match failure {
            Error::Consume(ConsumeError::RolledBack { .. }) => true,
            Error::View { cause, .. } => cause.is_damage() || cause.is_lasting(),
            Error::Consume(_)
            | Error::WouldLose { .. }
            | Error::Log(_)
            | Error::Service(_)
            | Error::Task(_)
            | Error::Thread(_) => false,
        }
    }

    /// Rebuilds while the old generation has nobody to keep it up.
    async fn rebuild_unattended(&self, loss: Loss, stop: &CancellationToken) -> Unattended {
        let outcome = async {
            let (store, _) = self.replay(stop).await?;
            self.switch_to(store, loss, stop).await
        };
        let outcome = outcome.await;
        self.note_end(&outcome);
        match outcome {
            Ok(()) => Unattended::Done,
            Err(Error::WouldLose { .. }) => Unattended::Refused,
            Err(_) => {
                pause(stop).await;
                Unattended::Failed
            }
        }
    }

    /// Rebuilds while the old generation is kept up; at the end it stands still until the new one has all it had.
    async fn rebuild_while_live(
        &self,
        loss: Loss,
        (worker_stop, worker): (&CancellationToken, &mut JoinSet<Result<Sequences, Error>>),
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
            self.switch_to(store, loss, stop).await
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

    async fn switch_to(&self, store: Arc<Store>, loss: Loss, stop: &CancellationToken) -> Result<(), Error> {
        if stop.is_cancelled() {
            // Not whole: it is cleared away at the next start.
            return Ok(());
        }
        if loss == Loss::Refused
            && let Err(refused) = self.check_loss(&store).await
        {
            store.retire();
            return Err(refused);
        }
        self.slot.switch_to(store).map_err(|cause| Error::View { view: self.slot.view(), cause })
    }

    /// Fails where the log lacks what the view has, and a new generation is the smaller for it. Fewer rows alone say nothing:
    /// a view forgets later than the log does, and what an operator deleted is to go.
    async fn check_loss(&self, new: &Arc<Store>) -> Result<(), Error> {
        let (view, old) = (self.slot.view(), self.slot.store());
        // Of what cannot be read, nothing is lost by replacing it.
        let Ok(checkpoints) = old.checkpoints() else { return Ok(()) };
        let Some(reason) = continuity::lacks(&self.log_watch, &self.bus, &checkpoints).await? else { return Ok(()) };
        let new = new.clone();
        let counted =
            tokio::task::spawn_blocking(move || (views::dump::rows(view, &old), views::dump::rows(view, &new)));
        match counted.await? {
            (Ok(before), Ok(after)) if after < before => Err(Error::WouldLose { view, reason, before, after }),
            (_, Err(cause)) => Err(Error::View { view, cause }),
            (Ok(_) | Err(_), Ok(_)) => Ok(()),
        }
    }

    fn note_end(&self, outcome: &Result<(), Error>) {
        if let Err(failure) = outcome {
            error!(view = %self.slot.view(), error = %chain(failure), "the rebuild failed; the old generation stays");
        }
        let is_refused = matches!(outcome, Err(Error::WouldLose { .. }));
        let said = outcome.as_ref().err().map(ToString::to_string);
        self.log_watch.troubles().note(self.slot.view().name(), Kind::WouldLose, said.clone().filter(|_| is_refused));
        self.progress.ends(said);
    }
}

async fn pause(stop: &CancellationToken) {
    tokio::select! {
        () = stop.cancelled() => {}
        () = tokio::time::sleep(PAUSE) => {}
    }
}
