//! Following one account's events of one stream, from a place on.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use bus::{Bus, ConsumeError, Consumer, Message, Selection};
use model::delivery::EventPlace;
use model::event::{Contents, Event};
use model::log::{AccountId, Stream, Subject};

use crate::erasures::Erased;
use crate::read;

/// How many messages are taken at once from what has arrived.
const MESSAGES_AT_ONCE: usize = 64;
/// How many bytes of payload are taken at once; the message that reaches them is the last.
const BYTES_AT_ONCE: usize = 1 << 20;
/// How long one wait for messages is; then the next begins.
const ONE_WAIT: Duration = Duration::from_secs(60);

/// An event and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Placed {
    /// The event, decoded; what cannot be decoded has no entry.
    pub event: Event,
    /// The subject it came on, shared by the events of its message.
    pub subject: Arc<str>,
    /// Its place.
    pub place: EventPlace,
    /// The place after it: in its message or, after its last event, the next message's first. Who has done everything
    /// before this place goes on here.
    pub after: EventPlace,
    /// About how many bytes it has: its share of its message's unpacked payload.
    pub bytes: usize,
}

/// A reader of one account's events. Made by [`Tail::open`].
pub struct Tail {
    consumer: Consumer,
    account: AccountId,
    erased: Erased,
    /// What is before this place is done.
    from: EventPlace,
    /// Messages that were read and not looked into.
    messages: VecDeque<Message>,
}

impl Tail {
    /// Follows from a place on, and leaves out who is erased. Little is read ahead, since there may be many who follow and few events for each.
    #[must_use]
    pub fn open((bus, erased): (&Bus, &Erased), stream: Stream, account: &AccountId, from: EventPlace) -> Self {
        let selection = Selection { filter: Some(filter(stream, account)), thrifty: true };
        // From the message of the place itself: a part of its events may be before the place.
        let consumer = bus.consume_selected(stream, selection, from.sequence.saturating_sub(1));
        Self { consumer, account: account.clone(), erased: erased.clone(), from, messages: VecDeque::new() }
    }

    /// The sequence of the last message that was read, whether its events were taken or not.
    #[must_use]
    pub fn read_to(&self) -> u64 {
        self.consumer.position()
    }

    /// Whether everything that the stream holds was read and taken.
    #[must_use]
    pub fn is_at_end(&self) -> bool {
        self.messages.is_empty() && self.consumer.pending() == Some(0)
    }

    /// The events of the next message, once there is one that has some. Can be dropped half-way without losing one.
    ///
    /// # Errors
    /// When the log is gone or another one.
    pub async fn next(&mut self) -> Result<Vec<Placed>, ConsumeError> {
        loop {
            while let Some(events) = self.ready() {
                if !events.is_empty() {
                    return Ok(events);
                }
            }
            let messages = self.consumer.next_batch(MESSAGES_AT_ONCE, BYTES_AT_ONCE, ONE_WAIT).await?;
            self.messages.extend(messages);
        }
    }

    /// The events of the next message that was read already; there may be none in it.
    pub fn ready(&mut self) -> Option<Vec<Placed>> {
        self.ready_up_to(u64::MAX)
    }

    /// The same, of a message up to a sequence.
    pub fn ready_up_to(&mut self, sequence: u64) -> Option<Vec<Placed>> {
        if self.messages.front()?.position.sequence > sequence {
            return None;
        }
        let mut events = events_in(&self.messages.pop_front()?);
        events.retain(|event| event.place >= self.from);
        let Some(erasures) = self.erased.in_account(&self.account) else { return Some(events) };
        let without = |placed: Placed| Placed { event: erasures.erased(placed.event), ..placed };
        Some(events.into_iter().map(without).collect())
    }
}

/// The subjects of one account in a stream.
#[must_use]
pub fn filter(stream: Stream, account: &AccountId) -> String {
    let family = stream.family();
    match stream {
        Stream::Access | Stream::Directory => format!("flowtrail.v1.{family}.{account}.*.*"),
        Stream::Audit | Stream::Traffic | Stream::Integration | Stream::Search | Stream::Delivery => {
            format!("flowtrail.v1.{family}.{account}.*")
        }
        Stream::DeadLetter => format!("flowtrail.v1.{family}.*.{account}"),
    }
}

/// The events of one message with their places. What cannot be read is left out, and its place stays its own.
#[must_use]
pub fn events_in(message: &Message) -> Vec<Placed> {
    let Ok(subject) = Subject::parse(&message.subject) else { return Vec::new() };
    let Contents { events: decoded, bytes } = read::decode(&subject, message);
    let bytes = bytes / decoded.len().max(1);
    let sequence = message.position.sequence;
    let subject: Arc<str> = message.subject.as_str().into();
    // `decoded` has one entry for each place of the message, in order.
    let numbered = (0_u32..).zip(decoded);
    let mut events: Vec<Placed> = numbered
        .filter_map(|(index, decoded)| {
            let place = EventPlace { sequence, index };
            let after = EventPlace { sequence, index: index + 1 };
            Some(Placed { event: decoded.event.ok()?, subject: subject.clone(), place, after, bytes })
        })
        .collect();
    // What cannot be read behind the last one is passed over with it: nothing would ever be waiting there.
    if let Some(last) = events.last_mut() {
        last.after = EventPlace::start_of(sequence + 1);
    }
    events
}

#[cfg(test)]
mod tests;
