//! The loop that delivers one integration's events: gather a batch, record the plan, deliver it, record that it is done.
//!
//! Invariants: a batch is recorded before its first attempt and done before the next one of any stream begins; the
//! place in a stream moves on only when everything before it was delivered or is a dead letter.

use std::time::Duration;

use bus::{ConsumeError, LoadError};
use futures_util::future::select_all;
use model::delivery::{Data, Missing, Place, Redrive, Standing, State, Step};
use model::integration::{Order, Origin};
use model::log::{AccountId, Stream};
use model::time::Timestamp;
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};
use vault::Owner;

use crate::batch::Batch;
use crate::dead_letters::DeadLetters;
use crate::desired::Desired;
use crate::journal::{Journal, JournalError};
use crate::lane::{self, Lane};
use crate::receiver::{ConnectError, Receivers};
use crate::sink::{Limits, Sink};
use crate::verdict::{self, Next};
use crate::{Settings, backoff};

/// How long an attempt that is under way may still take when delivery is to stop.
const GRACE: Duration = Duration::from_millis(500);
/// After how many failed attempts in a row it is written down that the receiver fails.
const FAILURES_TO_TELL: u32 = 3;
/// After how long without events the opened secrets are dropped.
const IDLE: Duration = Duration::from_secs(10);
/// How often an idle delivery looks how far the log is.
const LOOKS_EVERY: Duration = Duration::from_secs(60 * 60);
/// How often a running delivery looks whether the log's retention took something before it was delivered.
const GAPS_EVERY: Duration = Duration::from_secs(10);
/// How long the end of the log is waited for while a plan is read again.
const READS_WITHIN: Duration = Duration::from_secs(1);

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
    lanes: Vec<Lane>,
    limits: Limits,
    /// None while nothing is to be sent.
    sink: Option<Sink>,
    /// Which lane comes first next time.
    turn: usize,
    looked_for_gaps_at: Instant,
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
}

impl<'a> Worker<'a> {
    /// Delivers until `stop`, or until a person must act.
    ///
    /// # Errors
    /// When the log can not be used; what was done is recorded, so the next worker goes on from there.
    pub(crate) async fn run(task: &Task<'a>, stop: CancellationToken) -> Result<End, WorkerError> {
        let &Task { receivers, settings, account, id, desired, live } = task;
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
            lanes: Vec::new(),
            limits: Limits { items: 1, bytes: 1, wait: Duration::ZERO },
            sink: None,
            turn: 0,
            looked_for_gaps_at: Instant::now(),
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

    /// Brings the state to what is ordered since it was left.
    async fn begin(&mut self, is_new: bool) -> Result<(), WorkerError> {
        if is_new {
            self.state.orders = self.desired.begun.map_or(0, |begun| begun.sequence);
        }
        if self.state.plan.is_some_and(|plan| plan.version != self.desired.version || plan.letter.is_some()) {
            self.state.plan = None;
        }
        let is_started = self.place_new_streams(is_new).await?;
        if is_started {
            self.record(Step::Started, Data::default()).await?;
        }
        if matches!(self.state.standing, Standing::Suspended { .. }) && self.desired.touched > self.state.orders {
            self.state.standing = Standing::Active;
            self.record(Step::Resumed, Data::default()).await?;
        }
        let done = self.state.orders;
        for &(sequence, order) in self.desired.orders.iter().filter(|(sequence, _)| *sequence > done) {
            self.carry_out(order).await?;
            self.state.orders = sequence;
            let step = if matches!(order, Order::Redrive) { Step::Redriven } else { Step::Replayed };
            self.record(step, Data::default()).await?;
        }
        self.state.orders = self.state.orders.max(self.desired.touched);
        Ok(())
    }

    /// Gives every stream that has no place yet one: after the event that enabled the integration, or chose the stream.
    async fn place_new_streams(&mut self, is_new: bool) -> Result<bool, WorkerError> {
        let mut is_started = false;
        for stream in self.desired.streams() {
            if self.state.next.contains_key(&stream) {
                continue;
            }
            let begun = self.desired.begun.filter(|_| is_new);
            let place = match begun {
                Some(begun) if stream == Stream::Integration => Place::start_of(begun.sequence + 1),
                Some(begun) => self.place_since(stream, begun.received_at).await?,
                None => self.place_since(stream, self.desired.configured_at).await?,
            };
            self.state.next.insert(stream, place);
            is_started = true;
        }
        Ok(is_started)
    }

    /// The place of what a stream received at a time (microseconds since 1970) or later.
    async fn place_since(&self, stream: Stream, time: i64) -> Result<Place, WorkerError> {
        let bus = &self.receivers.bus;
        let time = Timestamp::from_micros(time).unwrap_or(Timestamp::LAST);
        // Read first: whatever comes in the meantime comes after it.
        let end = bus.state(stream).await?.last_sequence + 1;
        let found = bus.first_since(stream, &lane::filter(stream, self.account), time).await?;
        Ok(Place::start_of(found.map_or(end, |message| message.position.sequence)))
    }

    async fn carry_out(&mut self, order: Order) -> Result<(), WorkerError> {
        let from = match order {
            Order::Pause | Order::Resume => return Ok(()),
            Order::Redrive => {
                let until = self.letters.last().await?;
                self.state.redrive = Some(Redrive { after: self.state.redriven, until });
                return Ok(());
            }
            Order::Replay(from) => from,
        };
        self.state.plan = None;
        for stream in self.desired.streams() {
            let place = match from {
                Origin::Time(time) => Some(self.place_since(stream, time.micros()).await?),
                Origin::Sequence(sequence) if matches!(stream, Stream::Audit | Stream::Traffic) => {
                    Some(Place::start_of(sequence.max(1)))
                }
                Origin::Position { stream: named, sequence } if named == stream => {
                    Some(Place::start_of(sequence.max(1)))
                }
                Origin::Sequence(_) | Origin::Position { .. } => None,
            };
            if let Some(place) = place {
                self.state.next.insert(stream, place);
            }
        }
        Ok(())
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

    async fn open_lanes(&mut self) -> Result<(), WorkerError> {
        for stream in self.desired.streams() {
            let log = self.receivers.bus.state(stream).await?;
            let mut from = self.state.next.get(&stream).copied().unwrap_or(Place::start_of(1));
            if from.sequence > log.last_sequence + 1 {
                // The log was lost or rolled back: what it has received since may be at any place.
                let since = self.state.last_success.unwrap_or(Timestamp::EPOCH);
                warn!(account = %self.account, id = self.id, %stream, sequence = from.sequence,
                    last = log.last_sequence, "the log ends before what was delivered: delivery goes back");
                from = self.place_since(stream, since.micros()).await?;
                self.state.next.insert(stream, from);
            }
            if from.sequence < log.first_sequence {
                let missing = Missing { stream, first: from.sequence, last: log.first_sequence - 1 };
                self.note_missing(missing).await?;
                from = Place::start_of(log.first_sequence);
            }
            self.lanes.push(Lane::open(&self.receivers.bus, stream, self.account, from));
        }
        Ok(())
    }

    /// Names what the log's retention took, and goes on after it.
    async fn note_missing(&mut self, missing: Missing) -> Result<(), WorkerError> {
        let Missing { stream, first, last } = missing;
        warn!(account = %self.account, id = self.id, %stream, first, last,
            "the log's retention took messages before they were delivered");
        self.state.missing.retain(|other| other.stream != stream);
        self.state.missing.push(missing);
        self.state.next.insert(stream, Place::start_of(last + 1));
        if self.state.plan.is_some_and(|plan| plan.stream == stream && plan.first.sequence <= last) {
            self.state.plan = None;
        }
        self.record(Step::Overtaken, Data { missing: Some(missing), ..Data::default() }).await
    }

    async fn deliver_all(&mut self) -> Result<End, WorkerError> {
        if let Some(batch) = self.unfinished().await?
            && let Some(end) = self.finish(batch).await?
        {
            return Ok(end);
        }
        loop {
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

    /// The batch that was on its way when the last worker ended, read again. None: there was none, or the log no longer
    /// has all of it.
    async fn unfinished(&mut self) -> Result<Option<Batch>, WorkerError> {
        let Some(plan) = self.state.plan else { return Ok(None) };
        let Some(lane) = self.lanes.iter_mut().find(|lane| lane.stream == plan.stream) else { return Ok(None) };
        while lane.read_to() < plan.last.sequence {
            tokio::select! {
                () = self.stop.cancelled() => return Ok(None),
                read = tokio::time::timeout(READS_WITHIN, lane.fill()) => match read {
                    Ok(read) => read?,
                    Err(_) if lane.is_at_end() => break,
                    Err(_) => {}
                }
            }
        }
        lane.top_up_to(plan.last);
        let mut held = Vec::new();
        while let Some(one) = lane.take_if(|item| Place::from(item) <= plan.last) {
            held.push(one);
        }
        match Batch::new(held, plan.version, None) {
            Some(batch) if batch.plan == plan => Ok(Some(batch)),
            Some(batch) => {
                lane.put_back(batch.into_held());
                self.state.plan = None;
                Ok(None)
            }
            None => {
                self.state.plan = None;
                Ok(None)
            }
        }
    }

    /// The next dead letter that is to be tried again.
    async fn next_letter(&mut self) -> Result<Option<Batch>, WorkerError> {
        while let Some(redrive) = self.state.redrive {
            let next = self.letters.next(redrive.after + 1).await?;
            let Some((sequence, held)) = next.filter(|(sequence, _)| *sequence <= redrive.until) else {
                self.state.redrive = None;
                self.state.redriven = redrive.until;
                self.record(Step::Redriven, Data::default()).await?;
                return Ok(None);
            };
            if let Some(batch) = Batch::new(held.into_iter().collect(), self.desired.version, Some(sequence)) {
                return Ok(Some(batch));
            }
            warn!(account = %self.account, id = self.id, letter = sequence, "the log no longer has the event of a dead letter");
            self.state.redrive = Some(Redrive { after: sequence, ..redrive });
        }
        Ok(None)
    }

    /// Waits until one lane has a batch. None: delivery is to stop.
    async fn gather(&mut self) -> Result<Option<Batch>, WorkerError> {
        let idle_since = Instant::now();
        let mut looks_at = idle_since + LOOKS_EVERY;
        loop {
            if self.stop.is_cancelled() {
                return Ok(None);
            }
            let limits = self.limits;
            for lane in &mut self.lanes {
                lane.top_up(&limits);
            }
            let now = Instant::now();
            let count = self.lanes.len();
            let ripe = (0..count).map(|step| (self.turn + step) % count).find(|&index| {
                self.lanes.get(index).and_then(|lane| lane.ripe_at(&limits)).is_some_and(|ripe_at| ripe_at <= now)
            });
            if let Some(index) = ripe {
                self.turn = index + 1;
                if let Some(batch) = self.cut(index).await? {
                    return Ok(Some(batch));
                }
            }
            let is_idle = self.lanes.iter().all(Lane::is_empty);
            if is_idle && now >= idle_since + IDLE {
                self.sink = None;
            }
            if now >= looks_at {
                self.look().await?;
                looks_at = now + LOOKS_EVERY;
            }
            let ripens_at = self.lanes.iter().filter_map(|lane| lane.ripe_at(&limits)).min();
            let drops_at = (is_idle && self.sink.is_some()).then_some(idle_since + IDLE);
            let wakes_at = [ripens_at, drops_at, Some(looks_at)].into_iter().flatten().min().unwrap_or(looks_at);
            let fills = self.lanes.iter_mut().filter(|lane| !lane.is_full(&limits)).map(|lane| Box::pin(lane.fill()));
            let fills: Vec<_> = fills.collect();
            tokio::select! {
                biased;
                () = self.stop.cancelled() => return Ok(None),
                filled = first_of(fills) => filled?,
                () = tokio::time::sleep_until(wakes_at) => {}
            }
        }
    }

    /// Cuts a batch from a lane, as large as its sink takes it.
    async fn cut(&mut self, index: usize) -> Result<Option<Batch>, WorkerError> {
        if !self.connect().await? {
            return Ok(None);
        }
        let (Some(lane), Some(sink)) = (self.lanes.get_mut(index), &self.sink) else { return Ok(None) };
        let (mut held, mut bytes) = (Vec::new(), 0);
        while held.len() < self.limits.items {
            let is_first = held.is_empty();
            let Some(one) = lane.take_if(|item| {
                bytes += sink.size(item);
                is_first || bytes <= self.limits.bytes
            }) else {
                break;
            };
            held.push(one);
        }
        Ok(Batch::new(held, self.desired.version, None))
    }

    /// Delivers a batch that is recorded, whatever it takes. None: it is done, and the next may follow.
    async fn finish(&mut self, mut batch: Batch) -> Result<Option<End>, WorkerError> {
        let mut failures = 0;
        loop {
            if self.stop.is_cancelled() {
                return Ok(Some(End::Stopped));
            }
            let Some(sink) = &self.sink else { return Ok(Some(End::Stopped)) };
            let plan = batch.sink_plan();
            let outcome = tokio::select! {
                outcome = sink.deliver(&plan, &batch.items) => outcome,
                () = grace(&self.stop) => return Ok(Some(End::Stopped)),
            };
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
                    let failure = self.state.last_error.clone();
                    if let Some(failure) = failure {
                        self.suspend(failure).await?;
                    }
                    return Ok(Some(End::Suspended));
                }
                Next::Wait { asked } => {
                    batch.keep(&verdict.again);
                    failures += 1;
                    if let Some(end) = self.wait(failures, asked).await? {
                        return Ok(Some(end));
                    }
                }
            }
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

    /// Whether the log's retention took something between what was delivered last and this batch.
    async fn look_for_gaps(&mut self, batch: &Batch) -> Result<(), WorkerError> {
        let (stream, first) = (batch.plan.stream, batch.plan.first.sequence);
        let Some(next) = self.state.next.get(&stream).map(|next| next.sequence) else { return Ok(()) };
        if batch.plan.letter.is_some() || first <= next || self.looked_for_gaps_at.elapsed() < GAPS_EVERY {
            return Ok(());
        }
        self.looked_for_gaps_at = Instant::now();
        let kept_from = self.receivers.bus.state(stream).await?.first_sequence;
        if kept_from > next {
            self.note_missing(Missing { stream, first: next, last: kept_from.min(first) - 1 }).await?;
        }
        Ok(())
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

    /// Moves places on over messages of other accounts, so that the log's retention does not seem to take anything of
    /// ours when it takes those.
    async fn look(&mut self) -> Result<(), WorkerError> {
        let bus = &self.receivers.bus;
        let before = self.state.next.clone();
        for lane in self.lanes.iter().filter(|lane| lane.is_empty()) {
            let Some(place) = self.state.next.get_mut(&lane.stream) else { continue };
            // Read first: what comes in the meantime is counted.
            let end = bus.state(lane.stream).await?.last_sequence + 1;
            let filter = lane::filter(lane.stream, self.account);
            if bus.count_from(lane.stream, &filter, place.sequence).await? == 0 && end > place.sequence {
                *place = Place::start_of(end);
            }
        }
        if self.state.next != before {
            self.record(Step::Kept, Data::default()).await?;
        }
        Ok(())
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

/// The first of some futures to end; of none, none ever does.
async fn first_of<F: Future + Unpin>(futures: Vec<F>) -> F::Output {
    if futures.is_empty() {
        return std::future::pending().await;
    }
    select_all(futures).await.0
}

/// Ends a little after delivery is to stop, so that what is nearly done is done once.
async fn grace(stop: &CancellationToken) {
    stop.cancelled().await;
    tokio::time::sleep(GRACE).await;
}
