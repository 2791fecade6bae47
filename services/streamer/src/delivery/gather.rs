//! How the next batch comes about: a dead letter that is tried again, or what a lane has gathered.

use std::collections::BTreeSet;
use std::time::Duration;

use feed::tail;
use futures_util::future::select_all;
use model::delivery::{Data, EventPlace, Missing, Redrive, Standing, Step};
use tokio::time::Instant;
use tracing::warn;

use super::worker::{LOOKS_EVERY, Worker, WorkerError};
use crate::batch::Batch;
use crate::lane::{Held, Lane};

/// After how long without events the opened secrets are dropped.
const IDLE: Duration = Duration::from_secs(10);
/// The most partitions of a batch: each is a request, and an attempt is to end in time.
const PARTITIONS: usize = 24;
/// How long it may take until it is recorded that events were passed over. Whatever is recorded meanwhile says so too.
const TELLS_AFTER: Duration = Duration::from_secs(60);
/// How often a running delivery looks whether the log's retention took something before it was delivered.
const GAPS_EVERY: Duration = Duration::from_secs(10);

impl Worker<'_> {
    /// Names what the log's retention took, and goes on after it.
    pub(super) async fn note_missing(&mut self, missing: Missing) -> Result<(), WorkerError> {
        let Missing { stream, first, last } = missing;
        warn!(account = %self.integration.account, id = self.integration.id, %stream, first, last,
            "the log's retention took messages before they were delivered");
        self.state.missing.retain(|other| other.stream != stream);
        self.state.missing.push(missing);
        self.state.next.insert(stream, EventPlace::start_of(last + 1));
        if self.state.plan.is_some_and(|plan| plan.stream == stream && plan.first.sequence <= last) {
            self.state.plan = None;
        }
        self.record(Step::Overtaken, Data { missing: Some(missing), ..Data::default() }).await
    }

    /// The next dead letter that is to be tried again.
    pub(super) async fn next_letter(&mut self) -> Result<Option<Batch>, WorkerError> {
        while let Some(redrive) = self.state.redrive {
            let next = self.letters.next(redrive.after + 1).await?;
            let Some((sequence, held)) = next.filter(|(sequence, _)| *sequence <= redrive.until) else {
                self.state.redrive = None;
                self.state.redriven = self.state.redriven.max(redrive.until);
                self.record(Step::Redriven, Data::default()).await?;
                return Ok(None);
            };
            let held = held.into_iter().map(|held| self.without_erased(held)).collect();
            if let Some(batch) = Batch::new(held, self.desired.version, Some(sequence)) {
                return Ok(Some(batch));
            }
            warn!(account = %self.integration.account, id = self.integration.id, letter = sequence, "a dead letter names no event that the log still has");
            self.state.redrive = Some(Redrive { after: sequence, ..redrive });
        }
        Ok(None)
    }

    /// Waits until one lane has a batch. None: delivery is to stop, or has suspended itself.
    pub(super) async fn gather(&mut self) -> Result<Option<Batch>, WorkerError> {
        let idle_since = Instant::now();
        loop {
            if self.stop.is_cancelled() {
                return Ok(None);
            }
            let limits = self.limits;
            for lane in &mut self.lanes {
                lane.top_up(&limits);
            }
            let now = Instant::now();
            self.pass_over(now);
            if self.passed_at.is_some_and(|passed_at| now >= passed_at + TELLS_AFTER) {
                self.record(Step::Kept, Data::default()).await?;
            }
            let count = self.lanes.len();
            let ripe = (0..count).map(|step| (self.turn + step) % count).find(|&index| {
                self.lanes.get(index).and_then(|lane| lane.ripe_at(&limits)).is_some_and(|ripe_at| ripe_at <= now)
            });
            if let Some(index) = ripe {
                self.turn = index + 1;
                let batch = self.cut(index).await?;
                if batch.is_some() || matches!(self.state.standing, Standing::Suspended { .. }) {
                    return Ok(batch);
                }
            }
            let is_idle = self.lanes.iter().all(Lane::is_empty);
            if is_idle && now >= idle_since + IDLE {
                self.sink = None;
            }
            if now >= self.looks_at {
                self.look().await?;
                self.looks_at = now + LOOKS_EVERY;
            }
            let ripens_at = self.lanes.iter().filter_map(|lane| lane.ripe_at(&limits)).min();
            let drops_at = (is_idle && self.sink.is_some()).then_some(idle_since + IDLE);
            let tells_at = self.passed_at.map(|passed_at| passed_at + TELLS_AFTER);
            let wakes_at = [ripens_at, drops_at, tells_at].into_iter().flatten().fold(self.looks_at, Instant::min);
            let fills = self.lanes.iter_mut().filter(|lane| !lane.is_full(&limits)).map(|lane| Box::pin(lane.fill()));
            let fills: Vec<_> = fills.collect();
            // Dropping the fills that are not the first loses nothing: a lane takes a message out of its reader and
            // holds its events in one step. They are begun again at the next turn.
            tokio::select! {
                biased;
                () = self.stop.cancelled() => return Ok(None),
                filled = first_of(fills) => filled?,
                () = tokio::time::sleep_until(wakes_at) => {}
            }
        }
    }

    /// Moves places on over what was passed over in lanes that hold nothing. It is shown at once and recorded with the next
    /// step: after a crash before that, it is passed over and counted again, from the place that is recorded.
    fn pass_over(&mut self, now: Instant) {
        let mut has_passed = false;
        for lane in &mut self.lanes {
            let Some((place, count)) = lane.take_passed() else { continue };
            self.state.next.insert(lane.stream, place);
            self.state.passed_over += count;
            has_passed = true;
        }
        if has_passed {
            self.passed_at.get_or_insert(now);
            self.show();
        }
    }

    /// Cuts a batch from a lane, as large as its sink takes it.
    async fn cut(&mut self, index: usize) -> Result<Option<Batch>, WorkerError> {
        if !self.connect().await? {
            return Ok(None);
        }
        let (Some(lane), Some(sink)) = (self.lanes.get_mut(index), &self.sink) else { return Ok(None) };
        let (mut held, mut bytes, mut partitions) = (Vec::new(), 0, BTreeSet::new());
        while held.len() < self.limits.items {
            let is_first = held.is_empty();
            let Some(one) = lane.take_if(|item| {
                bytes += sink.size(item);
                let has_room = partitions.len() < PARTITIONS || partitions.contains(&sink.partition(item));
                is_first || (has_room && bytes <= self.limits.bytes)
            }) else {
                break;
            };
            partitions.insert(sink.partition(&one.item));
            held.push(one);
        }
        let held = held.into_iter().map(|held| self.without_erased(held)).collect();
        Ok(Batch::new(held, self.desired.version, None))
    }

    /// As it is sent: it may have waited here for long.
    fn without_erased(&self, mut held: Held) -> Held {
        held.erase(&self.receivers.erased);
        held
    }

    /// Whether the log's retention took something between what was delivered last and this batch.
    pub(super) async fn look_for_gaps(&mut self, batch: &Batch) -> Result<(), WorkerError> {
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

    /// Moves places on over messages of other accounts, so that the log's retention does not seem to take anything of
    /// ours when it takes those.
    async fn look(&mut self) -> Result<(), WorkerError> {
        let bus = &self.receivers.bus;
        let before = self.state.next.clone();
        for lane in self.lanes.iter().filter(|lane| lane.is_empty()) {
            let Some(place) = self.state.next.get_mut(&lane.stream) else { continue };
            // Read first: what comes in the meantime is counted.
            let end = bus.state(lane.stream).await?.last_sequence + 1;
            let filter = tail::filter(lane.stream, &self.integration.account);
            if bus.count_from(lane.stream, &filter, place.sequence).await? == 0 && end > place.sequence {
                *place = EventPlace::start_of(end);
            }
        }
        if self.state.next != before {
            self.record(Step::Kept, Data::default()).await?;
        }
        Ok(())
    }
}

/// The first of some futures to end; of none, none ever does.
async fn first_of<F: Future + Unpin>(futures: Vec<F>) -> F::Output {
    if futures.is_empty() {
        return std::future::pending().await;
    }
    select_all(futures).await.0
}
