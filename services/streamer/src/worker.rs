//! The loop that delivers one integration's events: gather a batch, record the plan, deliver it, record that it is done.
//!
//! Invariants: a batch is recorded before its first attempt and done before the next one of any stream begins; the
//! place in a stream moves on only when everything before it was delivered or is a dead letter.

mod begin;
mod gather;

use std::time::Duration;

use bus::{ConsumeError, LoadError};
use model::delivery::{Data, Redrive, Standing, State, Step};
use model::log::AccountId;
use model::time::Timestamp;
use prometheus_client::metrics::histogram::Histogram;
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};
use vault::Owner;

use crate::batch::Batch;
use crate::dead_letters::DeadLetters;
use crate::desired::Desired;
use crate::journal::{Journal, JournalError};
use crate::lane::Lane;
use crate::receiver::{ConnectError, Receivers};
use crate::sink::{Limits, Sink};
use crate::verdict::{self, Next};
use crate::{Settings, backoff};

/// How long an attempt that is under way may still take when delivery is to stop.
const GRACE: Duration = Duration::from_millis(500);
/// After how many failed attempts in a row it is written down that the receiver fails.
const FAILURES_TO_TELL: u32 = 3;
/// How often an idle delivery looks how far the log is.
const LOOKS_EVERY: Duration = Duration::from_secs(60 * 60);

/// What others see of a delivery while it runs.
#[derive(Clone, Debug, Default)]
pub(crate) struct Live {
    /// None: nothing was done yet.
    pub(crate) state: Option<State>,
    /// When the next attempt is made: microseconds since 1970.
    pub(crate) next_retry: Option<i64>,
}

/// Why a delivery can not go on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WorkerError {
    /// The log can not be read.
    #[error("the log can not be read")]
    Log(#[from] LoadError),
    /// The log is gone or another one.
    #[error("the log can not be read on")]
    Consume(#[from] ConsumeError),
    /// A step can not be written.
    #[error("a step can not be written")]
    Journal(#[from] JournalError),
    /// The secrets can not be opened right now.
    #[error("the receiver can not be reached")]
    Connect(#[source] ConnectError),
}

/// How a delivery ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// It was told to stop.
    Stopped,
    /// Nothing is tried until a person changes something.
    Suspended,
}

/// Delivers one integration's events.
pub(crate) struct Worker<'a> {
    receivers: &'a Receivers,
    settings: &'a Settings,
    account: &'a AccountId,
    id: u64,
    desired: &'a Desired,
    letters: DeadLetters,
    journal: Journal,
    state: State,
    live: &'a watch::Sender<Live>,
    attempts: &'a Histogram,
    lanes: Vec<Lane>,
    limits: Limits,
    /// None while nothing is to be sent.
    sink: Option<Sink>,
    /// Which lane comes first next time.
    turn: usize,
    looked_for_gaps_at: Instant,
    /// When it is looked next how far the log is.
    looks_at: Instant,
    stop: CancellationToken,
}

/// Whose delivery a worker is for.
pub(crate) struct Task<'a> {
    pub(crate) receivers: &'a Receivers,
    pub(crate) settings: &'a Settings,
    pub(crate) account: &'a AccountId,
    pub(crate) id: u64,
    pub(crate) desired: &'a Desired,
    pub(crate) live: &'a watch::Sender<Live>,
    pub(crate) attempts: &'a Histogram,
}

impl<'a> Worker<'a> {
    /// Delivers until `stop`, or until a person must act.
    ///
    /// # Errors
    /// When the log can not be used; what was done is recorded, so the next worker goes on from there.
    pub(crate) async fn run(task: &Task<'a>, stop: CancellationToken) -> Result<End, WorkerError> {
        let &Task { receivers, settings, account, id, desired, live, attempts } = task;
        let (journal, state) = Journal::open(&receivers.bus, &receivers.clock, account, id).await?;
        let is_new = state.is_none();
        let mut worker = Self {
            receivers,
            settings,
            account,
            id,
            desired,
            letters: DeadLetters::new(&receivers.bus, account, id),
            journal,
            state: state.unwrap_or_default(),
            live,
            attempts,
            lanes: Vec::new(),
            limits: Limits { items: 1, bytes: 1, wait: Duration::ZERO },
            sink: None,
            turn: 0,
            looked_for_gaps_at: Instant::now(),
            looks_at: Instant::now() + LOOKS_EVERY,
            stop,
        };
        worker.begin(is_new).await?;
        if let Standing::Suspended { .. } = worker.state.standing {
            return Ok(End::Suspended);
        }
        if !worker.connect().await? {
            return Ok(End::Suspended);
        }
        worker.open_lanes().await?;
        worker.show();
        worker.deliver_all().await
    }

    /// Makes the sink. False: the configuration or the master key is wrong, and the delivery is suspended.
    async fn connect(&mut self) -> Result<bool, WorkerError> {
        if self.sink.is_some() {
            return Ok(true);
        }
        let owner = Owner { account: self.account, id: self.id };
        let current = &self.desired.current;
        match self.receivers.connect(owner, current.platform, &current.config).await {
            Ok(sink) => {
                self.limits = sink.limits();
                self.sink = Some(sink);
                Ok(true)
            }
            Err(error @ (ConnectError::Config(_) | ConnectError::Unopenable(_))) => {
                let failure = self.receivers.told(None, error.to_string());
                self.suspend(failure).await?;
                Ok(false)
            }
            Err(error @ (ConnectError::NoKey | ConnectError::Keys(_))) => Err(WorkerError::Connect(error)),
        }
    }

    async fn deliver_all(&mut self) -> Result<End, WorkerError> {
        if let Some(batch) = self.unfinished().await?
            && let Some(end) = self.finish(batch).await?
        {
            return Ok(end);
        }
        loop {
            if self.stop.is_cancelled() {
                // What is unfinished stays recorded as it is.
                return Ok(End::Stopped);
            }
            let batch = match self.next_letter().await? {
                Some(batch) => Some(batch),
                None => self.gather().await?,
            };
            if let Standing::Suspended { .. } = self.state.standing {
                return Ok(End::Suspended);
            }
            let Some(batch) = batch else { return Ok(End::Stopped) };
            if !self.connect().await? {
                return Ok(End::Suspended);
            }
            self.look_for_gaps(&batch).await?;
            self.state.plan = Some(batch.plan);
            self.record(Step::Planned, Data::default()).await?;
            if let Some(end) = self.finish(batch).await? {
                return Ok(end);
            }
        }
    }

    /// Delivers a batch that is recorded, whatever it takes. None: it is done, and the next may follow.
    async fn finish(&mut self, mut batch: Batch) -> Result<Option<End>, WorkerError> {
        let mut failures = 0;
        loop {
            if self.stop.is_cancelled() {
                return Ok(Some(End::Stopped));
            }
            let Some(sink) = &self.sink else { return Ok(Some(End::Stopped)) };
            let (plan, began) = (batch.sink_plan(), Instant::now());
            let outcome = tokio::select! {
                outcome = sink.deliver(&plan, &batch.items) => outcome,
                () = grace(&self.stop) => return Ok(Some(End::Stopped)),
            };
            self.attempts.observe(began.elapsed().as_secs_f64());
            let verdict = verdict::of(outcome, batch.items.len());
            let now = self.now();
            if !verdict.letters.is_empty() {
                self.letters.write(&batch, &verdict.letters, now).await?;
            }
            self.state.dead_lettered += verdict.letters.len() as u64;
            self.state.delivered += verdict.delivered as u64;
            if verdict.delivered > 0 {
                self.state.last_success = Some(now);
            }
            if verdict.delivered > 0 || !verdict.letters.is_empty() {
                // Whatever it said, the receiver is there.
                failures = 0;
                self.state.standing = Standing::Active;
            }
            if let Some(failure) = &verdict.failure {
                self.state.failed += 1;
                self.state.last_error = Some(self.receivers.tell(failure));
            }
            match verdict.next {
                Next::Done => {
                    self.done(&batch).await?;
                    return Ok(None);
                }
                Next::Split => {
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
    /// that whoever goes on with it sends nothing again that is known to have arrived.
    fn narrow(&mut self, batch: &mut Batch, again: &[usize]) {
        let is_end = again.first().is_some_and(|first| first + again.len() == batch.items.len());
        batch.keep(again);
        if let (true, None, Some(first)) = (is_end, batch.plan.letter, batch.items.first()) {
            batch.plan.first = first.into();
            self.state.next.insert(batch.plan.stream, batch.plan.first);
            self.state.plan = Some(batch.plan);
        }
    }

    /// Waits before the next attempt. Not for ever: after a time without success the delivery suspends itself.
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
        self.live.send_replace(Live { state: Some(self.state.clone()), next_retry: Some(until) });
        tokio::select! {
            () = self.stop.cancelled() => return Ok(Some(End::Stopped)),
            () = self.receivers.clock.sleep(wait) => {}
        }
        self.show();
        Ok(None)
    }

    /// Records that a batch is done.
    async fn done(&mut self, batch: &Batch) -> Result<(), WorkerError> {
        match (batch.plan.letter, self.state.redrive) {
            (Some(letter), Some(redrive)) => self.state.redrive = Some(Redrive { after: letter, ..redrive }),
            (Some(_), None) => {}
            (None, _) => {
                self.state.next.insert(batch.plan.stream, batch.after);
            }
        }
        self.state.plan = None;
        self.record(Step::Delivered, Data::default()).await
    }

    async fn suspend(&mut self, failure: model::delivery::Failure) -> Result<(), WorkerError> {
        warn!(account = %self.account, id = self.id, status = failure.status, reason = failure.reason,
            "delivery is suspended until someone resumes it or changes the configuration");
        self.state.standing = Standing::Suspended { since: self.now() };
        self.state.last_error = Some(failure.clone());
        self.record(Step::Suspended, Data { failure: Some(failure), ..Data::default() }).await
    }

    async fn record(&mut self, step: Step, mut data: Data) -> Result<(), WorkerError> {
        data.state = self.state.clone();
        self.journal.record(step, &data).await?;
        match step {
            Step::Planned | Step::Delivered | Step::Kept => {}
            Step::Started
            | Step::Failing
            | Step::Suspended
            | Step::Resumed
            | Step::Replayed
            | Step::Redriven
            | Step::Overtaken => {
                info!(account = %self.account, id = self.id, step = step.event_type(), "delivery");
            }
        }
        self.show();
        Ok(())
    }

    fn show(&self) {
        self.live.send_replace(Live { state: Some(self.state.clone()), next_retry: None });
    }

    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.receivers.clock.now_micros()).unwrap_or(Timestamp::EPOCH)
    }
}

/// Ends a little after delivery is to stop, so that what is nearly done is done once.
async fn grace(stop: &CancellationToken) {
    stop.cancelled().await;
    tokio::time::sleep(GRACE).await;
}
