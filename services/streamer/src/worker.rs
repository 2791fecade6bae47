//! The loop that delivers one integration's events: gather a batch, record the plan, deliver it, record that it is done.
//!
//! Invariants: a batch is recorded before its first attempt and done before the next one of any stream begins; the
//! place in a stream moves on only when everything before it was delivered or is a dead letter.

mod begin;
mod finish;
mod gather;

use std::time::Duration;

use bus::{ConsumeError, LoadError};
use model::delivery::{Data, Standing, State, Step};
use model::log::AccountId;
use model::time::Timestamp;
use prometheus_client::metrics::histogram::Histogram;
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};
use vault::Owner;

use crate::Settings;
use crate::dead_letters::DeadLetters;
use crate::desired::Desired;
use crate::journal::{Journal, JournalError};
use crate::lane::Lane;
use crate::receiver::{ConnectError, Receivers};
use crate::sink::{Limits, Sink};

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

/// Why a delivery cannot go on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WorkerError {
    /// The log cannot be read.
    #[error("the log cannot be read")]
    Log(#[from] LoadError),
    /// The log is gone or another one.
    #[error("the log cannot be read on")]
    Consume(#[from] ConsumeError),
    /// A step cannot be written.
    #[error("a step cannot be written")]
    Journal(#[from] JournalError),
    /// The secrets cannot be opened right now.
    #[error("the receiver cannot be reached")]
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
    /// When the log cannot be used; what was done is recorded, so the next worker goes on from there.
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
