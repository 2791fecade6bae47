//! An event that the log holds already, as the message that brings it into the log again: where it could not be read
//! when it came, and can be now.

use bus::{Message, Outgoing};
use bytes::Bytes;
use model::envelope::{self, BadPacking, Malformed, Part, STRUCTURED, open_structured};
use model::event::{Decoded, Event, Unreadable};
use model::log::{AccountId, Subject};
use model::time::Timestamp;

use crate::read::{decode, headers_of, opened, received_at};
use crate::write::message_id;

/// The header with the time of a binary event.
const TIME: &str = "ce-time";
/// How the names of the headers begin that are the broker's.
const BROKER: &str = "nats-";

/// An event of the log, and how it comes in again.
#[derive(Clone, Debug)]
pub struct Again {
    /// Its account.
    pub account: AccountId,
    /// What it says.
    pub event: Event,
    /// Brings it in again, on the subject on which it came. It says when the log received it first, where its publisher
    /// did not say when it happened: the event stays what it was.
    pub outgoing: Outgoing,
}

/// The event at a place of a message, read as it is read today.
///
/// # Errors
/// When it still cannot be read.
pub fn again(message: &Message, index: usize) -> Result<Again, Unreadable> {
    let subject = Subject::parse(&message.subject).map_err(|bad| Unreadable::Rule(bad.to_string()))?;
    let nowhere = || Unreadable::Rule("the message has no event at this place".to_owned());
    let Decoded { event, .. } = decode(&subject, message).events.into_iter().nth(index).ok_or_else(nowhere)?;
    let (event, account) = (event?, subject.account().clone());
    let (headers, payload) = whole(message, index)?.ok_or_else(nowhere)?;
    // Driven again and again, it is the same message to the broker.
    let id = format!("redriven:{}:{index}", message.position);
    let message_id = Some(message_id(&account, &id));
    Ok(Again { account, event, outgoing: Outgoing { subject, message_id, headers, payload, expected_last: None } })
}

type Parts = (Vec<(String, String)>, Bytes);

/// Headers and payload of a message with this event alone.
fn whole(message: &Message, index: usize) -> Result<Option<Parts>, Malformed> {
    let headers = headers_of(message);
    let packed = opened(&headers, message);
    let payload = envelope::unpacked(packed).map_err(|bad: BadPacking| Malformed::from(bad))?;
    let unpacked = envelope::Message { payload: &payload, ..packed };
    let Some(part) = envelope::split(unpacked)?.into_iter().nth(index) else { return Ok(None) };
    let received_at = received_at(message);
    let Part::Structured { text, .. } = part else {
        let has_time = part.open()?.time.is_some();
        return Ok(Some((binary_headers(message, (!has_time).then_some(received_at)), message.payload.clone())));
    };
    let mended = if part.open().is_ok() { None } else { part.mended()? };
    let text = mended.as_deref().map_or(text, str::as_bytes);
    let has_time = open_structured(text)?.time.is_some();
    let payload = if has_time { Bytes::copy_from_slice(text) } else { with_time(text, received_at) };
    Ok(Some((vec![("Content-Type".to_owned(), STRUCTURED.to_owned())], payload)))
}

/// The headers as they were published, but for the broker's; with the time if it is to be added.
fn binary_headers(message: &Message, time: Option<Timestamp>) -> Vec<(String, String)> {
    let is_publishers = |name: &str| !name.to_ascii_lowercase().starts_with(BROKER);
    let own = message.headers.iter().filter(|(name, _)| is_publishers(name)).cloned();
    own.chain(time.map(|time| (TIME.to_owned(), time.to_string()))).collect()
}

/// A structured event with its time behind all other members, where a `null` that stands for it is passed over.
fn with_time(event: &[u8], time: Timestamp) -> Bytes {
    let open = event.trim_ascii_end().strip_suffix(b"}").unwrap_or(event);
    Bytes::from([open, format!(",\"time\":\"{time}\"}}").as_bytes()].concat())
}

#[cfg(test)]
mod tests;
