//! A lane: one stream's events of one account, read in order and held until they are sent.
//!
//! A stream has its own lane because its sequences are its own: a place means something within one stream only, so each
//! lane moves its place on without regard to the others, and order is kept within a stream, not between streams.
//!
//! Invariant: what it holds is bounded by the batches that its sink takes and one message.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use bus::{Bus, ConsumeError, Consumer, Message, Selection};
use model::audit;
use model::delivery::Place;
use model::envelope;
use model::event::{self, Event};
use model::log::{AccountId, Stream, Subject};
use model::time::Timestamp;
use tokio::time::Instant;

use crate::sink::{Item, Kind, Limits};

/// How many messages are taken at once from what has arrived.
const MESSAGES: usize = 64;
/// How many of their bytes.
const MESSAGE_BYTES: usize = 1 << 20;
/// How long one wait for messages is; then the next begins.
const ONE_WAIT: Duration = Duration::from_secs(60);

/// An event with what its sink need not know.
#[derive(Clone, Debug)]
pub(crate) struct Held {
    pub(crate) item: Item,
    pub(crate) subject: Arc<str>,
    /// The place after it: in its message or, after its last event, the next message's first.
    pub(crate) after: Place,
    /// About how many bytes it has.
    pub(crate) bytes: usize,
}

/// One stream's events of one account.
pub(crate) struct Lane {
    pub(crate) stream: Stream,
    account: AccountId,
    consumer: Consumer,
    /// What is before this place is done.
    from: Place,
    /// Messages that were read and not looked into.
    messages: VecDeque<Message>,
    held: VecDeque<Held>,
    bytes: usize,
    /// Since when the oldest event is held.
    since: Option<Instant>,
}

/// The subjects of one account in a stream.
pub(crate) fn filter(stream: Stream, account: &AccountId) -> String {
    let family = stream.family();
    match stream {
        Stream::Access | Stream::Directory => format!("flowtrail.v1.{family}.{account}.*.*"),
        Stream::Audit | Stream::Traffic | Stream::Integration | Stream::Delivery => {
            format!("flowtrail.v1.{family}.{account}.*")
        }
        Stream::DeadLetter => format!("flowtrail.v1.{family}.*.{account}"),
    }
}

impl Lane {
    /// Reads from a place on.
    pub(crate) fn open(bus: &Bus, stream: Stream, account: &AccountId, from: Place) -> Self {
        let selection = Selection { filter: Some(filter(stream, account)), thrifty: true };
        let consumer = bus.consume_selected(stream, selection, from.sequence.saturating_sub(1));
        let (account, messages, held) = (account.clone(), VecDeque::new(), VecDeque::new());
        Self { stream, account, consumer, from, messages, held, bytes: 0, since: None }
    }

    /// The sequence of the last message that was read.
    pub(crate) fn read_to(&self) -> u64 {
        self.consumer.position()
    }

    /// Whether nothing is held.
    pub(crate) fn is_empty(&self) -> bool {
        self.held.is_empty()
    }

    /// Whether everything that the stream holds has been read.
    pub(crate) fn is_at_end(&self) -> bool {
        self.messages.is_empty() && self.consumer.pending() == Some(0)
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

    /// Waits until there is at least one event more. Can be dropped half-way without losing one.
    ///
    /// # Errors
    /// When the log is gone or another one.
    pub(crate) async fn fill(&mut self) -> Result<(), ConsumeError> {
        let before = self.held.len();
        loop {
            while let Some(message) = self.messages.pop_front() {
                self.take_in(&message);
                if self.held.len() > before {
                    return Ok(());
                }
            }
            let messages = self.consumer.next_batch(MESSAGES, MESSAGE_BYTES, ONE_WAIT).await?;
            self.messages.extend(messages);
        }
    }

    /// Takes in what has been read already, as long as there is room.
    pub(crate) fn top_up(&mut self, limits: &Limits) {
        while !self.is_full(limits) {
            let Some(message) = self.messages.pop_front() else { return };
            self.take_in(&message);
        }
    }

    /// Takes in what has been read already, up to a place.
    pub(crate) fn top_up_to(&mut self, last: Place) {
        while self.messages.front().is_some_and(|message| message.position.sequence <= last.sequence) {
            let Some(message) = self.messages.pop_front() else { return };
            self.take_in(&message);
        }
    }

    fn take_in(&mut self, message: &Message) {
        let held = held_in(&self.account, message);
        for one in held.into_iter().filter(|one| one.item.place() >= self.from) {
            self.bytes += one.bytes;
            self.since.get_or_insert_with(Instant::now);
            self.held.push_back(one);
        }
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

/// The events of one message. What cannot be read is a dead letter of the views and nothing here.
pub(crate) fn held_in(account: &AccountId, message: &Message) -> Vec<Held> {
    let Ok(subject) = Subject::parse(&message.subject) else { return Vec::new() };
    let headers: Vec<(&str, &str)> =
        message.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let received_at = Timestamp::from_micros(message.received_at).unwrap_or(Timestamp::EPOCH);
    let opened = envelope::Message { headers: &headers, payload: &message.payload };
    let decoded = event::decode(&subject, opened, received_at);
    let bytes = message.payload.len() / decoded.len().max(1);
    let sequence = message.position.sequence;
    let text: Arc<str> = message.subject.as_str().into();
    let mut held: Vec<Held> = Vec::new();
    for decoded in decoded {
        let Ok(event) = decoded.event else { continue };
        let Some((id, time, kind)) = kind_of(event) else { continue };
        let index = u32::try_from(decoded.index).unwrap_or(u32::MAX);
        let stream = message.position.stream;
        let item = Item { id, stream, sequence, index, account: account.clone(), time, kind };
        let after = Place { sequence, index: index.saturating_add(1) };
        held.push(Held { item, subject: text.clone(), after, bytes });
    }
    if let Some(last) = held.last_mut() {
        last.after = Place::start_of(sequence + 1);
    }
    held
}

/// An event as it is delivered: its id, when it happened, and what.
fn kind_of(event: Event) -> Option<(String, Timestamp, Kind)> {
    let audit = |event: audit::Event| (event.id.clone(), event.time, Kind::Audit(Box::new(event)));
    match event {
        Event::Audit(event) => Some(audit(event)),
        Event::Integration(recorded) => Some(audit(audit::Event::from(&recorded))),
        Event::Access(recorded) => Some(audit(audit::Event::from(&recorded))),
        Event::Traffic(report) => Some((report.id.clone(), report.time, Kind::Traffic(Box::new(report)))),
        Event::Directory { .. } | Event::Delivery(_) => None,
    }
}
