//! One integration's delivery over its life: run while the integration is on, stopped while it is off, started again
//! when it fails.
//!
//! Invariant: the worker of a changed integration begins after the one before it has ended, so there is one at a time
//! in this process. A worker of another process is found out by the journal, which takes only one of their steps.

use std::time::Duration;

use model::delivery::{Data, Standing, Step};
use prometheus_client::metrics::histogram::Histogram;
use runtime::telemetry::chain;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tracing::error;

use super::worker::{End, Task, Worker, WorkerError};
use crate::desired::Desired;
use crate::journal::{self, Journal, JournalError};
use crate::live::{IntegrationId, LiveState};
use crate::receiver::Receivers;
use crate::settings::Settings;

/// The pause before a delivery that failed is tried again.
const PAUSE: Duration = Duration::from_secs(1);
/// The pause when another streamer delivers the same integration.
const TAKEN_PAUSE: Duration = Duration::from_secs(10);
/// How often the age of the last step of a delivery that rests is looked at.
const LOOKS_EVERY: Duration = Duration::from_secs(24 * 60 * 60);
/// The log keeps steps for 90 days: of a delivery that rests, the last one is written again before.
const WRITES_AGAIN_AFTER: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// Keeps one integration's delivery.
pub(crate) struct Keeper {
    pub(crate) receivers: Receivers,
    pub(crate) settings: Settings,
    pub(crate) integration: IntegrationId,
    /// None: it was deleted.
    pub(crate) desired: watch::Receiver<Option<Desired>>,
    pub(crate) live: watch::Sender<LiveState>,
    /// How long its attempts take.
    pub(crate) attempts: Histogram,
}

impl Keeper {
    /// Keeps it until it is deleted or `stop`.
    pub(crate) async fn run(mut self, stop: CancellationToken) {
        loop {
            let desired = self.desired.borrow_and_update().clone();
            let Some(desired) = desired else { return };
            let end = if desired.is_on() { self.work(&desired, &stop).await } else { Some(End::Suspended) };
            if stop.is_cancelled() {
                return;
            }
            if end == Some(End::Suspended) && !self.rest(&stop).await {
                return;
            }
        }
    }

    /// Delivers until something else is wanted. None: something else is wanted, or it failed.
    async fn work(&mut self, desired: &Desired, stop: &CancellationToken) -> Option<End> {
        let worker_stop = stop.child_token();
        let ended = {
            let Self { receivers, settings, integration, desired: changes, live, attempts } = self;
            let task = Task { receivers, settings, integration, desired, live, attempts };
            let worker = Worker::run(&task, worker_stop.clone());
            tokio::pin!(worker);
            tokio::select! {
                ended = &mut worker => ended,
                _ = changes.changed() => {
                    // The loop in `run` is to see the change, too.
                    changes.mark_changed();
                    worker_stop.cancel();
                    // It ends within the time that it gives an attempt that is under way.
                    worker.await
                }
            }
        };
        match ended {
            Ok(End::Stopped) => None,
            Ok(End::Suspended) => Some(End::Suspended),
            Err(failure) => {
                self.pause_after(&failure, stop).await;
                None
            }
        }
    }

    async fn pause_after(&mut self, failure: &WorkerError, stop: &CancellationToken) {
        error!(account = %self.integration.account, id = self.integration.id, error = %chain(failure), "delivery stopped and is started again");
        if let WorkerError::Connect(cause) = failure {
            self.show_failing(&cause.to_string()).await;
        }
        let pause = match failure {
            // Long enough for the other to get on: both would only take turns refusing each other's steps.
            WorkerError::Journal(JournalError::Taken) => TAKEN_PAUSE,
            WorkerError::Journal(_) | WorkerError::Log(_) | WorkerError::Consume(_) | WorkerError::Connect(_) => PAUSE,
        };
        tokio::select! {
            () = stop.cancelled() => {}
            _ = self.desired.changed() => self.desired.mark_changed(),
            () = tokio::time::sleep(pause) => {}
        }
    }

    /// Shows that nothing is delivered, though the receiver is not to blame. It is no step: it is over with the next one that is.
    async fn show_failing(&self, reason: &str) {
        let shown = self.live.borrow().state.clone();
        let state = match shown {
            Some(state) => Some(state),
            None => journal::last_state(&self.receivers.bus, &self.integration.account, self.integration.id)
                .await
                .ok()
                .flatten(),
        };
        let mut state = state.unwrap_or_default();
        let failure = self.receivers.failure(None, reason.to_owned());
        if state.standing == Standing::Active {
            state.standing = Standing::Failing { since: failure.time };
        }
        state.last_error = Some(failure);
        self.live.send_replace(LiveState { state: Some(state), next_retry: None });
    }

    /// Waits until something else is wanted. False: `stop` came first.
    async fn rest(&mut self, stop: &CancellationToken) -> bool {
        loop {
            tokio::select! {
                () = stop.cancelled() => return false,
                changed = self.desired.changed() => {
                    self.desired.mark_changed();
                    return changed.is_ok();
                }
                () = tokio::time::sleep(LOOKS_EVERY) => {}
            }
            if let Err(failure) = self.keep_state().await {
                error!(account = %self.integration.account, id = self.integration.id, error = %chain(&failure), "the state of a delivery cannot be kept");
            }
        }
    }

    /// Writes the state of a delivery that rests again, before the log forgets it.
    async fn keep_state(&self) -> Result<(), WorkerError> {
        let Receivers { bus, clock, .. } = &self.receivers;
        let (mut journal, state) = Journal::open(bus, clock, &self.integration.account, self.integration.id).await?;
        let age = clock.now_micros().saturating_sub(journal.written_at());
        let is_old = u64::try_from(age).is_ok_and(|age| Duration::from_micros(age) >= WRITES_AGAIN_AFTER);
        // The worker of this process has ended. One of another that writes a step meanwhile makes this one the second, which
        // is refused: an old state never follows a newer one.
        if let Some(state) = state.filter(|_| is_old) {
            journal.record(Step::Kept, &Data { state, ..Data::default() }).await?;
        }
        Ok(())
    }
}
