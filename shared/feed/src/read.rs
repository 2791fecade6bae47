//! From a message of the log to its events, or to the reasons why not.

use bus::Message;
use model::envelope;
use model::event::{self, Contents, Decoded, Event, Unreadable};
use model::log::{AccountId, LogPosition, Subject};
use model::time::Timestamp;

/// What one message says.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// Where the message stands.
    pub position: LogPosition,
    /// The subject it came on, which may be none of Flowtrail's.
    pub subject: String,
    /// The account that the subject names; never one that the payload names.
    pub account: AccountId,
    /// When the server stored the message.
    pub received_at: Timestamp,
    /// Each event of it, or why it is none, in order.
    pub decoded: Vec<Decoded>,
    /// Bytes of its payload, unpacked.
    pub bytes: usize,
}

/// Reads a message. Never fails: what cannot be read is part of what it says.
#[must_use]
pub fn read(message: &Message) -> Entry {
    let (account, contents) = match Subject::parse(&message.subject) {
        Ok(subject) => (subject.account().clone(), decode(&subject, message)),
        Err(bad) => {
            let decoded = Decoded::new(0, None, Err(Unreadable::Rule(bad.to_string())));
            let contents = Contents { events: vec![decoded], bytes: message.payload.len() };
            (account_for_dead_letter(&message.subject), contents)
        }
    };
    let (position, subject, received_at) = (message.position, message.subject.clone(), received_at(message));
    Entry { position, subject, account, received_at, decoded: contents.events, bytes: contents.bytes }
}

/// The events of a message that came on `subject`, without what cannot be read: that becomes a dead letter once, by the
/// view that owns the stream's, and is nothing to anybody else.
#[must_use]
pub fn events_in(subject: &Subject, message: &Message) -> Vec<Event> {
    decode(subject, message).events.into_iter().filter_map(|decoded| decoded.event.ok()).collect()
}

/// When the server stored a message.
#[must_use]
pub fn received_at(message: &Message) -> Timestamp {
    // The server counts nanoseconds since 1970 in 64 bits, which end in 2262: a timestamp holds every one of them.
    Timestamp::from_micros(message.received_at).unwrap_or(Timestamp::EPOCH)
}

pub(crate) fn decode(subject: &Subject, message: &Message) -> Contents {
    let headers = headers_of(message);
    event::decode(subject, opened(&headers, message), received_at(message))
}

pub(crate) fn headers_of(message: &Message) -> Vec<(&str, &str)> {
    message.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
}

/// The message as its envelope is read.
pub(crate) fn opened<'a>(headers: &'a [(&'a str, &'a str)], message: &'a Message) -> envelope::Message<'a> {
    envelope::Message { headers, payload: &message.payload }
}

/// A subject whose account is none still leads to a dead letter, under the account's escaped form. The streams take no
/// subject with fewer parts, so there is something to escape.
fn account_for_dead_letter(subject: &str) -> AccountId {
    AccountId::escaped(subject.split('.').nth(3).unwrap_or_default())
}

#[cfg(test)]
mod tests;
