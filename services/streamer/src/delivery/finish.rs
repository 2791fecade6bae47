//! How a batch that is recorded is finished: attempts, what each has brought, and the time between them.

use std::time::Duration;

use model::delivery::{Data, Redrive, Standing, Step};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::backoff;
use super::verdict::{self, Next, Verdict};
use super::worker::{End, Worker, WorkerError};
use crate::batch::Batch;
use crate::dead_letters::NewLetter;
use crate::live::LiveState;

/// How long an attempt that is under way may still take when delivery is to stop.
const GRACE: Duration = Duration::from_millis(500);
/// After how many failed attempts in a row it is recorded that the receiver fails; a single one is no news.
const FAILURES_TO_TELL: u32 = 3;

impl Worker<'_> {
    /// Delivers a batch that is recorded, whatever it takes. None: it is done, and the next may follow.
    pub(super) async fn finish(&mut self, mut batch: Batch) -> Result<Option<End>, WorkerError> {
        let mut failures = 0;
        loop {
            if self.stop.is_cancelled() {
                return Ok(Some(End::Stopped));
            }
            let Some(sink) = &self.sink else { return Ok(Some(End::Stopped)) };
            let began = Instant::now();
            let outcome = tokio::select! {
                outcome = sink.deliver(&batch.items) => outcome,
                () = grace(&self.stop) => return Ok(Some(End::Stopped)),
            };
            self.attempts.observe(began.elapsed().as_secs_f64());
            let verdict = verdict::of(outcome, batch.items.len());
            let now = self.now();
            // Dead letters come before the step that moves the place past their events. After a crash in between they
            // are written again under the same ids, and the log keeps them once.
            self.letters.write(&batch, &new_letters(&verdict), now).await?;
            let unnamed = verdict.unnamed.as_ref().map_or(0, |(count, _)| *count);
            self.state.dead_lettered += (verdict.letters.len() + unnamed) as u64;
            self.state.delivered += verdict.delivered as u64;
            if verdict.delivered > 0 {
                self.state.last_success = Some(now);
            }
            if verdict.delivered > 0 || verdict.next == Next::Again || !verdict.letters.is_empty() {
                // The receiver works: it took something, or looked at it and refused it.
                failures = 0;
                self.state.standing = Standing::Active;
            }
            if let Some(failure) = &verdict.failure {
                self.state.failed += 1;
                self.state.last_error = Some(self.receivers.describe(failure));
            }
            match verdict.next {
                Next::Done => {
                    self.done(&batch).await?;
                    return Ok(None);
                }
                // Each such attempt takes at least one item out of the batch, so there are no more of them than items.
                Next::Again => self.narrow(&mut batch, &verdict.again),
                Next::Split => {
                    // The other half goes back to the lane as new events, so that a crash finds one plan, not two. The
                    // smaller plan is recorded before it is sent, as any is.
                    let rest = batch.halve();
                    if let Some(lane) = self.lanes.iter_mut().find(|lane| lane.stream == batch.plan.stream) {
                        lane.put_back(rest);
                    }
                    self.state.plan = Some(batch.plan);
                    self.record(Step::Planned, Data::default()).await?;
                }
                Next::Stop => {
                    self.narrow(&mut batch, &verdict.again);
                    let failure = self.state.last_error.clone();
                    if let Some(failure) = failure {
                        self.suspend(failure).await?;
                    }
                    return Ok(Some(End::Suspended));
                }
                Next::Wait { asked } => {
                    self.narrow(&mut batch, &verdict.again);
                    failures += 1;
                    if let Some(end) = self.wait(failures, asked).await? {
                        return Ok(Some(end));
                    }
                }
            }
        }
    }

    /// Keeps what is still to be delivered. Where that is the end of the batch, the plan begins there from now on, so
    /// that a worker that takes over sends nothing again that is known to have arrived. Where it is not, the plan stays
    /// as it is, as it can only say from where to where: after a crash, what arrived in between is sent again, under
    /// the ids by which a receiver knows it.
    fn narrow(&mut self, batch: &mut Batch, again: &[usize]) {
        let is_end = again.first().is_some_and(|first| first + again.len() == batch.items.len());
        batch.keep(again);
        if is_end && batch.plan.letter.is_none() {
            self.state.passed_over += batch.begin_with_first();
            self.state.next.insert(batch.plan.stream, batch.plan.first);
            self.state.plan = Some(batch.plan);
        }
    }

    /// Waits before the next attempt. After too long without success the delivery suspends itself.
    async fn wait(&mut self, failures: u32, asked: Option<Duration>) -> Result<Option<End>, WorkerError> {
        let now = self.now();
        let since = match self.state.standing {
            Standing::Failing { since } => since,
            Standing::Active | Standing::Suspended { .. } => now,
        };
        self.state.standing = Standing::Failing { since };
        let failing_for = u64::try_from(now.micros() - since.micros()).unwrap_or_default();
        let failure = self.state.last_error.clone();
        if Duration::from_micros(failing_for) >= self.settings.suspend_after {
            if let Some(failure) = failure {
                self.suspend(failure).await?;
            }
            return Ok(Some(End::Suspended));
        }
        if failures == FAILURES_TO_TELL {
            self.record(Step::Failing, Data { failure, ..Data::default() }).await?;
        }
        let wait = backoff::wait(failures, asked);
        let until = now.micros().saturating_add(i64::try_from(wait.as_micros()).unwrap_or(i64::MAX));
        self.live.send_replace(LiveState { state: Some(self.state.clone()), next_retry: Some(until) });
        tokio::select! {
            () = self.stop.cancelled() => return Ok(Some(End::Stopped)),
            () = self.receivers.clock.sleep(wait) => {}
        }
        self.show();
        Ok(None)
    }

    /// Records that a batch is done. Only now does the place move on: were it written before the receiver has answered,
    /// a crash would lose the batch; written after, a crash sends it again, which the receiver can tell by its ids.
    async fn done(&mut self, batch: &Batch) -> Result<(), WorkerError> {
        match (batch.plan.letter, self.state.redrive) {
            (Some(letter), Some(redrive)) => self.state.redrive = Some(Redrive { after: letter, ..redrive }),
            (Some(_), None) => {}
            (None, _) => {
                self.state.next.insert(batch.plan.stream, batch.after);
                self.state.passed_over += batch.passed;
            }
        }
        self.state.plan = None;
        self.record(Step::Delivered, Data::default()).await
    }
}

/// One for each item that is known, and one for all that are not.
fn new_letters(verdict: &Verdict) -> Vec<NewLetter> {
    let named = verdict.letters.iter().map(|(index, reason)| NewLetter {
        index: *index,
        is_named: true,
        reason: reason.clone(),
    });
    let unnamed =
        verdict.unnamed.iter().map(|(_, reason)| NewLetter { index: 0, is_named: false, reason: reason.clone() });
    named.chain(unnamed).collect()
}

/// Ends a little after delivery is to stop, so that what is nearly done is done once.
async fn grace(stop: &CancellationToken) {
    stop.cancelled().await;
    tokio::time::sleep(GRACE).await;
}
