//! A lane: one stream's events of one account, read in order and held until they are sent.
//!
//! A stream has its own lane because its sequences are its own: a place means something within one stream only, so each
//! lane moves its place on without regard to the others, and order is kept within a stream, not between streams.
//!
//! What the integration does not want of them is passed over: it is counted and never held, and it is behind the place as
//! soon as what was held before it is.
//!
//! Invariant: what it holds is bounded by the batches that its sink takes and one message.

use std::collections::VecDeque;
use std::sync::Arc;

use bus::{Bus, ConsumeError, Message};
use feed::erasures::Erased;
use feed::tail::{self, Placed, Tail};
use model::delivery::EventPlace;
use model::event::Event;
use model::integration::Wanted;
use model::log::{AccountId, Stream};
use model::time::Timestamp;
use tokio::time::Instant;

use crate::sink::{Item, Kind, Limits, Rendered};

/// An event with what its sink need not know.
#[derive(Clone, Debug)]
pub(crate) struct Held {
    pub(crate) item: Item,
    pub(crate) subject: Arc<str>,
    /// The place after it: in its message or, after its last event, the next message's first.
    pub(crate) after: EventPlace,
    /// About how many bytes it has.
    pub(crate) bytes: usize,
    /// How many events before it, back to the one that is held before it, were passed over.
    pub(crate) passed: u64,
}

impl Held {
    /// Takes out who is erased, also since it was read.
    pub(crate) fn erase(&mut self, erased: &Erased) {
        let Some(erasures) = erased.in_account(&self.item.account) else { return };
        let has_changed = match &mut self.item.kind {
            Kind::Audit(event) => erasures.erase_audit(event),
            Kind::Traffic(report) => erasures.erase_traffic(&mut report.data),
        };
        if has_changed {
            self.item.rendered = Rendered::default();
        }
    }
}

/// One stream's events of one account.
pub(crate) struct Lane {
    pub(crate) stream: Stream,
    account: AccountId,
    tail: Tail,
    held: VecDeque<Held>,
    bytes: usize,
    /// Since when the oldest event is held.
    since: Option<Instant>,
    wanted: Arc<Wanted>,
    /// Behind what is held: how many events were passed over.
    passed: u64,
    /// The place after the last of these.
    passed_to: Option<EventPlace>,
}

impl Lane {
    /// Reads from a place on, and holds what is wanted.
    pub(crate) fn open(
        log: (&Bus, &Erased),
        account: &AccountId,
        (stream, from): (Stream, EventPlace),
        wanted: Arc<Wanted>,
    ) -> Self {
        let tail = Tail::open(log, stream, account, from);
        let (held, account) = (VecDeque::new(), account.clone());
        Self { stream, account, tail, held, bytes: 0, since: None, wanted, passed: 0, passed_to: None }
    }

    /// The sequence of the last message that was read.
    pub(crate) fn read_to(&self) -> u64 {
        self.tail.read_to()
    }

    /// Whether nothing is held.
    pub(crate) fn is_empty(&self) -> bool {
        self.held.is_empty()
    }

    /// Whether everything that the stream holds has been read.
    pub(crate) fn is_at_end(&self) -> bool {
        self.tail.is_at_end()
    }

    /// Whether it holds a whole batch.
    pub(crate) fn is_full(&self, limits: &Limits) -> bool {
        self.held.len() >= limits.items || self.bytes >= limits.bytes
    }

    /// When what it holds has waited long enough for more.
    pub(crate) fn ripe_at(&self, limits: &Limits) -> Option<Instant> {
        if self.is_full(limits) {
            return self.since;
        }
        self.since.map(|since| since + limits.wait)
    }

    /// Waits until there is at least one event more, held or passed over. Can be dropped half-way without losing one.
    ///
    /// # Errors
    /// When the log is gone or another one.
    pub(crate) async fn fill(&mut self) -> Result<(), ConsumeError> {
        let before = (self.held.len(), self.passed_to);
        while (self.held.len(), self.passed_to) == before {
            let events = self.tail.next().await?;
            // Nothing is waited for between the two, so what was taken out of the tail is held.
            self.take_in(events);
        }
        Ok(())
    }

    /// Takes in what has been read already, as long as there is room.
    pub(crate) fn top_up(&mut self, limits: &Limits) {
        while !self.is_full(limits) {
            let Some(events) = self.tail.ready() else { return };
            self.take_in(events);
        }
    }

    /// Takes in what has been read already, up to a place.
    pub(crate) fn top_up_to(&mut self, last: EventPlace) {
        while let Some(events) = self.tail.ready_up_to(last.sequence) {
            self.take_in(events);
        }
    }

    fn take_in(&mut self, events: Vec<Placed>) {
        for mut one in events.into_iter().filter_map(|placed| held(self.stream, &self.account, placed)) {
            if !is_wanted(&self.wanted, &one.item.kind) {
                self.passed += 1;
                self.passed_to = Some(one.after);
                continue;
            }
            one.passed = std::mem::take(&mut self.passed);
            self.passed_to = None;
            self.bytes += one.bytes;
            self.since.get_or_insert_with(Instant::now);
            self.held.push_back(one);
        }
    }

    /// Where nothing is held, the place after what was passed over since this was asked last, and how much that was.
    pub(crate) fn take_passed(&mut self) -> Option<(EventPlace, u64)> {
        let place = self.passed_to.take_if(|_| self.held.is_empty())?;
        Some((place, std::mem::take(&mut self.passed)))
    }

    /// The first event, if it is one of the next batch.
    pub(crate) fn take_if(&mut self, wanted: impl FnOnce(&Item) -> bool) -> Option<Held> {
        if !self.held.front().is_some_and(|held| wanted(&held.item)) {
            return None;
        }
        let held = self.held.pop_front()?;
        self.bytes = self.bytes.saturating_sub(held.bytes);
        if self.held.is_empty() {
            self.since = None;
        }
        Some(held)
    }

    /// Puts back what is not sent with this batch; it comes first with the next.
    pub(crate) fn put_back(&mut self, held: Vec<Held>) {
        for one in held.into_iter().rev() {
            self.bytes += one.bytes;
            self.since.get_or_insert_with(Instant::now);
            self.held.push_front(one);
        }
    }
}

/// The event that stands at a place of a message, if it is one that is delivered.
pub(crate) fn held_at(account: &AccountId, message: &Message, place: EventPlace) -> Option<Held> {
    let found = tail::events_in(message).into_iter().find(|placed| placed.place == place)?;
    held(message.position.stream, account, found)
}

fn held(stream: Stream, account: &AccountId, placed: Placed) -> Option<Held> {
    let Placed { event, subject, place, after, bytes } = placed;
    let (id, time, kind) = kind_of(event)?;
    let EventPlace { sequence, index } = place;
    let rendered = Rendered::default();
    let item = Item { id, stream, sequence, index, account: account.clone(), time, kind, rendered };
    Some(Held { item, subject, after, bytes, passed: 0 })
}

fn is_wanted(wanted: &Wanted, kind: &Kind) -> bool {
    match kind {
        Kind::Audit(event) => wanted.has_audit(event),
        Kind::Traffic(report) => wanted.has_traffic(report),
    }
}

/// An event as it is delivered: its id, when it happened, and what.
fn kind_of(event: Event) -> Option<(String, Timestamp, Kind)> {
    if let Event::Traffic(report) = event {
        return Some((report.id.clone(), report.time, Kind::Traffic(Box::new(report))));
    }
    let event = event.into_audit()?;
    Some((event.id.clone(), event.time, Kind::Audit(Box::new(event))))
}
