//! What a worker has in hand while it delivers one integration's events, and the few things that each of its parts
//! does: make the sink, suspend, record a step, show how it stands.

use std::time::Duration;

use bus::{ConsumeError, LoadError};
use model::delivery::{Data, Standing, State, Step};
use model::integration::Wanted;
use model::time::Timestamp;
use prometheus_client::metrics::histogram::Histogram;
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::dead_letters::DeadLetters;
use crate::desired::Desired;
use crate::journal::{Journal, JournalError};
use crate::lane::Lane;
use crate::live::{IntegrationId, LiveState};
use crate::receiver::{ConnectError, Receivers, UNOPENABLE};
use crate::settings::Settings;
use crate::sink::Limits;
use crate::sinks::Sink;

/// How often an idle delivery looks how far the log is.
pub(super) const LOOKS_EVERY: Duration = Duration::from_secs(60 * 60);

/// Why a delivery cannot go on.
#[derive(Debug, thiserror::Error)]
pub(super) enum WorkerError {
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
pub(super) enum End {
    /// It was told to stop.
    Stopped,
    /// Nothing is tried until a person changes something.
    Suspended,
}

/// Delivers one integration's events.
pub(super) struct Worker<'a> {
    pub(super) receivers: &'a Receivers,
    pub(super) settings: &'a Settings,
    pub(super) integration: &'a IntegrationId,
    pub(super) desired: &'a Desired,
    pub(super) letters: DeadLetters,
    pub(super) journal: Journal,
    pub(super) state: State,
    pub(super) live: &'a watch::Sender<LiveState>,
    pub(super) attempts: &'a Histogram,
    pub(super) lanes: Vec<Lane>,
    pub(super) limits: Limits,
    /// None while nothing is to be sent, so that opened secrets do not stay in memory.
    pub(super) sink: Option<Sink>,
    /// The lane that is looked at first next time, so that a busy stream does not hold up the others.
    pub(super) turn: usize,
    pub(super) looked_for_gaps_at: Instant,
    /// When it is looked next how far the log is.
    pub(super) looks_at: Instant,
    /// Since when events were passed over that no step tells of.
    pub(super) passed_at: Option<Instant>,
    pub(super) stop: CancellationToken,
}

/// What a worker is for, as its keeper gives it.
pub(super) struct Task<'a> {
    pub(super) receivers: &'a Receivers,
    pub(super) settings: &'a Settings,
    pub(super) integration: &'a IntegrationId,
    pub(super) desired: &'a Desired,
    pub(super) live: &'a watch::Sender<LiveState>,
    pub(super) attempts: &'a Histogram,
}

impl<'a> Worker<'a> {
    /// A worker that has done nothing yet, with whether its delivery is new.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub(super) async fn open(task: &Task<'a>, stop: CancellationToken) -> Result<(Self, bool), WorkerError> {
        let &Task { receivers, settings, integration, desired, live, attempts } = task;
        let IntegrationId { account, id } = integration;
        let (journal, state) = Journal::open(&receivers.bus, &receivers.clock, account, *id).await?;
        let is_new = state.is_none();
        let worker = Self {
            receivers,
            settings,
            integration,
            desired,
            letters: DeadLetters::new(&receivers.bus, account, *id),
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
            passed_at: None,
            stop,
        };
        Ok((worker, is_new))
    }

    /// What is wanted of the events. None: the filter cannot be read, and the delivery is suspended rather than to bring what
    /// nobody asked for. It is checked when it is set, so that it was set by another version.
    pub(super) async fn wanted(&mut self) -> Result<Option<Wanted>, WorkerError> {
        match Wanted::of(&self.desired.current.config) {
            Ok(wanted) => Ok(Some(wanted)),
            Err(rejected) => {
                let failure = self.receivers.failure(None, rejected.to_string());
                self.suspend(failure).await?;
                Ok(None)
            }
        }
    }

    /// Tries to go on where it was the master key that was wrong: nobody has to resume every integration once the right one is
    /// back. False: what is wrong is still so, or something else was.
    pub(super) async fn reopen(&mut self) -> Result<bool, WorkerError> {
        let is_for_key = self.state.last_error.as_ref().is_some_and(|failure| failure.reason == UNOPENABLE);
        if !is_for_key {
            return Ok(false);
        }
        match self.sink_now().await {
            Ok(_) => {
                self.state.standing = Standing::Active;
                self.record(Step::Resumed, Data::default()).await?;
                Ok(true)
            }
            Err(ConnectError::Unopenable(_) | ConnectError::Config(_)) => Ok(false),
            Err(error @ (ConnectError::NoKey | ConnectError::Keys(_))) => Err(WorkerError::Connect(error)),
        }
    }

    /// Makes the sink. False: the configuration or the master key is wrong, and the delivery is suspended.
    pub(super) async fn connect(&mut self) -> Result<bool, WorkerError> {
        if self.sink.is_some() {
            return Ok(true);
        }
        match self.sink_now().await {
            Ok(sink) => {
                self.limits = sink.limits();
                self.sink = Some(sink);
                Ok(true)
            }
            Err(error @ (ConnectError::Config(_) | ConnectError::Unopenable(_))) => {
                let failure = self.receivers.failure(None, error.to_string());
                self.suspend(failure).await?;
                Ok(false)
            }
            Err(error @ (ConnectError::NoKey | ConnectError::Keys(_))) => Err(WorkerError::Connect(error)),
        }
    }

    /// A sink for what is wanted now.
    async fn sink_now(&self) -> Result<Sink, ConnectError> {
        let current = &self.desired.current;
        self.receivers.connect(self.integration.owner(), current.platform, &current.config).await
    }

    pub(super) async fn suspend(&mut self, failure: model::delivery::Failure) -> Result<(), WorkerError> {
        warn!(account = %self.integration.account, id = self.integration.id, status = failure.status, reason = failure.reason,
            "delivery is suspended until someone resumes it or changes the configuration");
        self.state.standing = Standing::Suspended { since: self.now() };
        self.state.last_error = Some(failure.clone());
        self.record(Step::Suspended, Data { failure: Some(failure), ..Data::default() }).await
    }

    pub(super) async fn record(&mut self, step: Step, mut data: Data) -> Result<(), WorkerError> {
        data.state = self.state.clone();
        self.journal.record(step, &data).await?;
        self.passed_at = None;
        match step {
            Step::Planned | Step::Delivered | Step::Kept => {}
            Step::Started
            | Step::Failing
            | Step::Suspended
            | Step::Resumed
            | Step::Replayed
            | Step::Redriven
            | Step::Overtaken => {
                info!(account = %self.integration.account, id = self.integration.id, step = step.event_type(), "delivery");
            }
        }
        self.show();
        Ok(())
    }

    pub(super) fn show(&self) {
        self.live.send_replace(LiveState { state: Some(self.state.clone()), next_retry: None });
    }

    pub(super) fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.receivers.clock.now_micros()).unwrap_or(Timestamp::EPOCH)
    }
}
