//! How a worker begins: the state is brought to what was ordered, each stream gets its place, the last plan is read
//! again.

use std::sync::Arc;
use std::time::Duration;

use feed::tail;
use model::delivery::{Data, EventPlace, Guaranteed, Missing, Redrive, Standing, Step};
use model::integration::{Order, Origin, Wanted};
use model::log::Stream;
use model::time::Timestamp;
use tracing::warn;

use super::worker::{Worker, WorkerError};
use crate::batch::Batch;
use crate::lane::Lane;

/// How long the end of the log is waited for while a plan is read again.
const READS_WITHIN: Duration = Duration::from_secs(1);

/// No log forgets sooner.
const KEPT_AT_LEAST: Duration = Duration::from_secs(60 * 60);

impl Worker<'_> {
    /// Finds out what the receiver guarantees, once for each configuration. Where it does not take the test event, the
    /// next event tells what is wrong, and it is tried again after that.
    pub(super) async fn find_guarantee(&mut self) -> Result<(), WorkerError> {
        let version = self.desired.version;
        let is_known = self.state.guarantee.is_some_and(|found| found.version == version);
        let Some(sink) = self.sink.as_ref().filter(|sink| !is_known && sink.has_guarantee_to_find()) else {
            return Ok(());
        };
        let tried = tokio::select! {
            tried = sink.try_out(&self.integration.account) => tried,
            () = self.stop.cancelled() => return Ok(()),
        };
        if let Ok(guarantee) = tried {
            self.state.guarantee = Some(Guaranteed { version, guarantee });
            self.record(Step::Kept, Data::default()).await?;
        }
        Ok(())
    }

    /// Brings the state to what is ordered since it was left.
    pub(super) async fn begin(&mut self, is_new: bool) -> Result<(), WorkerError> {
        if is_new {
            self.state.orders = self.desired.begun.map_or(0, |begun| begun.sequence);
        }
        // A plan is sent again as it was only under the configuration it was made for: under another one, its batch
        // would have another form, and a name that the receiver may know. A dead letter is simply tried from the start.
        if self.state.plan.is_some_and(|plan| plan.version != self.desired.version || plan.letter.is_some()) {
            self.state.plan = None;
        }
        if let Some(missing) = self.place_new_streams(is_new).await? {
            self.record(Step::Started, Data::default()).await?;
            for missing in missing {
                self.note_missing(missing).await?;
            }
        }
        if self.desired.touched > self.state.orders {
            // Someone who resumed it, or changed its configuration, wants it tried for the whole time again.
            let before = std::mem::take(&mut self.state.standing);
            if matches!(before, Standing::Suspended { .. }) {
                self.record(Step::Resumed, Data::default()).await?;
            }
        }
        let done = self.state.orders;
        for &(sequence, order) in self.desired.orders.iter().filter(|(sequence, _)| *sequence > done) {
            self.carry_out(order).await?;
            // What it changes and that it is done are in one step: after a crash before it, it is carried out again, and
            // after it never.
            self.state.orders = sequence;
            let step = if matches!(order, Order::Redrive) { Step::Redriven } else { Step::Replayed };
            self.record(step, Data::default()).await?;
        }
        self.state.orders = self.state.orders.max(self.desired.touched);
        Ok(())
    }

    /// Gives every stream that has no place yet one: after the event that enabled the integration, or chose the stream.
    /// None: there is no such stream. Else, what the log's retention took before this first start.
    async fn place_new_streams(&mut self, is_new: bool) -> Result<Option<Vec<Missing>>, WorkerError> {
        let mut missing = None;
        for stream in self.desired.streams() {
            if self.state.next.contains_key(&stream) {
                continue;
            }
            let begun = self.desired.begun.filter(|_| is_new);
            let since = begun.map_or(self.desired.configured_at, |begun| begun.received_at);
            let place = match begun {
                Some(begun) if stream == Stream::Integration => EventPlace::start_of(begun.sequence + 1),
                Some(_) | None => self.place_since(stream, since).await?,
            };
            self.state.next.insert(stream, place);
            missing.get_or_insert_with(Vec::new).extend(self.missing_since(stream, since).await?);
        }
        Ok(missing)
    }

    /// What the log's retention may have taken of a stream between a time (microseconds since 1970) and now. Nobody
    /// noted where in the stream that time was, so the range begins with the first message that there ever was.
    async fn missing_since(&self, stream: Stream, since: i64) -> Result<Option<Missing>, WorkerError> {
        let waited = self.receivers.clock.now_micros().saturating_sub(since);
        // What is delivered at once is not overtaken, however old the messages before it were.
        if u64::try_from(waited).is_ok_and(|waited| Duration::from_micros(waited) < KEPT_AT_LEAST) {
            return Ok(None);
        }
        let log = self.receivers.bus.state(stream).await?;
        // When the oldest that is left came before, so did all that are gone.
        let oldest_at = if log.messages == 0 { log.last_at } else { log.first_at };
        let is_overtaken = log.first_sequence > 1 && oldest_at > since;
        Ok(is_overtaken.then(|| Missing { stream, first: 1, last: log.first_sequence - 1 }))
    }

    /// The place of what a stream received at a time (microseconds since 1970) or later.
    pub(super) async fn place_since(&self, stream: Stream, time: i64) -> Result<EventPlace, WorkerError> {
        let bus = &self.receivers.bus;
        let time = Timestamp::from_micros(time).unwrap_or(Timestamp::LAST);
        // Read first: whatever comes in the meantime comes after it.
        let end = bus.state(stream).await?.last_sequence + 1;
        let found = bus.first_since(stream, &tail::filter(stream, &self.integration.account), time).await?;
        Ok(EventPlace::start_of(found.map_or(end, |message| message.position.sequence)))
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
                    Some(self.place_at(stream, sequence).await?)
                }
                Origin::Position { stream: named, sequence } if named == stream => {
                    Some(self.place_at(stream, sequence).await?)
                }
                Origin::Sequence(_) | Origin::Position { .. } => None,
            };
            if let Some(place) = place {
                self.state.next.insert(stream, place);
            }
        }
        Ok(())
    }

    /// The place of a sequence, or the nearest one that the log still has or will have next.
    async fn place_at(&self, stream: Stream, sequence: u64) -> Result<EventPlace, WorkerError> {
        let log = self.receivers.bus.state(stream).await?;
        let end = log.last_sequence + 1;
        Ok(EventPlace::start_of(sequence.clamp(log.first_sequence.clamp(1, end), end)))
    }

    pub(super) async fn open_lanes(&mut self, wanted: &Arc<Wanted>) -> Result<(), WorkerError> {
        for stream in self.desired.streams() {
            let log = self.receivers.bus.state(stream).await?;
            let mut from = self.state.next.get(&stream).copied().unwrap_or(EventPlace::start_of(1));
            if from.sequence > log.last_sequence + 1 {
                // The log was lost or rolled back: what it has received since may be at any place.
                let since = self.state.last_success.unwrap_or(Timestamp::EPOCH);
                warn!(account = %self.integration.account, id = self.integration.id, %stream, sequence = from.sequence,
                    last = log.last_sequence, "the log ends before what was delivered: delivery goes back");
                from = self.place_since(stream, since.micros()).await?;
                self.state.next.insert(stream, from);
            }
            if from.sequence < log.first_sequence {
                let missing = Missing { stream, first: from.sequence, last: log.first_sequence - 1 };
                self.note_missing(missing).await?;
                from = EventPlace::start_of(log.first_sequence);
            }
            let (log, account) = ((&self.receivers.bus, &self.receivers.erased), &self.integration.account);
            self.lanes.push(Lane::open(log, account, (stream, from), wanted.clone()));
        }
        Ok(())
    }

    /// The batch that was on its way when the last worker ended, read again. None: there was none, or the log no longer
    /// has all of it.
    pub(super) async fn unfinished(&mut self) -> Result<Option<Batch>, WorkerError> {
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
        while let Some(one) = lane.take_if(|item| item.place() <= plan.last) {
            held.push(one);
        }
        match Batch::new(held, plan.version, None) {
            Some(batch) if batch.plan == plan => Ok(Some(batch)),
            // Retention took a part of it. Its name would promise events that it no longer has: they are planned as
            // new.
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
}
