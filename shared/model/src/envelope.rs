//! The envelope around every event: CloudEvents 1.0 in its structured, binary and JSON batch forms.
//!
//! Structured if the content type starts with `application/cloudevents` (NATS binding 1.0.3), binary if the attributes
//! stand in `ce-*` headers; else structured, one or many, where the payload has a `specversion`: the released NATS
//! binding (1.0.2) knows no headers.

mod binary;
mod data;
mod media;
mod packed;
mod parts;
mod structured;

use std::borrow::Cow;

use memchr::memmem;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use self::structured::Structured;
use crate::json::{self, BadJson};
use crate::time::Timestamp;

pub use data::as_string;
pub use packed::{BadPacking, Encoding, MAX_UNPACKED};
pub use parts::{CloudEvent, MAX_EVENTS, MAX_ID_LENGTH, Malformed, Message};
pub use structured::open_structured;

/// The content type of one structured event.
pub const STRUCTURED: &str = "application/cloudevents+json";
/// The content type of a JSON array of structured events.
pub const BATCH: &str = "application/cloudevents-batch+json";

/// The form of CloudEvents that a media type stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// A JSON object that holds the attributes and the data.
    Structured,
    /// A JSON array of structured events.
    Batch,
}

impl Form {
    /// The form that a content type names; None: it is none of CloudEvents.
    ///
    /// # Errors
    /// When it is CloudEvents in another format than JSON.
    pub fn of(content_type: &str) -> Result<Option<Self>, Malformed> {
        let essence = media::essence(content_type);
        let Some(rest) = essence.strip_prefix("application/cloudevents") else { return Ok(None) };
        match rest {
            // A format that is not named is JSON, which every implementation must know.
            "" | "+json" => Ok(Some(Self::Structured)),
            "-batch" | "-batch+json" => Ok(Some(Self::Batch)),
            _ => Err(Malformed::OtherFormat),
        }
    }
}

/// One event of a message, not opened yet.
#[derive(Clone, Copy, Debug)]
pub enum Part<'a> {
    /// A structured event, one of a batch or alone.
    Structured {
        /// Its JSON.
        text: &'a [u8],
        /// How deep it may nest.
        levels: usize,
    },
    /// A message whose headers hold the attributes, and whose payload is the data.
    Binary(Message<'a>),
}

/// Takes a message apart into its events.
///
/// # Errors
/// When it is no message with events.
pub fn split<'a>(message: Message<'a>) -> Result<Vec<Part<'a>>, Malformed> {
    match form(message)? {
        Some(Form::Structured) => Ok(vec![Part::Structured { text: message.payload, levels: json::MAX_DEPTH }]),
        Some(Form::Batch) => {
            let (mut parts, mut is_full) = (Vec::new(), false);
            json::for_each(message.payload, |part| {
                is_full |= parts.len() == MAX_EVENTS;
                if !is_full {
                    parts.push(Part::in_batch(part.get().as_bytes()));
                }
            })?;
            if is_full { Err(Malformed::TooMany) } else { Ok(parts) }
        }
        None => Ok(vec![Part::Binary(message)]),
    }
}

/// How a message is to be read; None: as a binary event.
fn form(message: Message<'_>) -> Result<Option<Form>, Malformed> {
    if let Some(form) = Form::of(message.header(parts::CONTENT_TYPE).unwrap_or_default())? {
        return Ok(Some(form));
    }
    if binary::is_binary(message) {
        return Ok(None);
    }
    let has_version = memmem::find(message.payload, b"\"specversion\"").is_some();
    match message.payload.trim_ascii_start().first().filter(|_| has_version) {
        Some(b'{') => Ok(Some(Form::Structured)),
        Some(b'[') => Ok(Some(Form::Batch)),
        Some(_) | None => Err(Malformed::NoEnvelope),
    }
}

impl<'a> Part<'a> {
    /// One event of a batch, whose array is a level too.
    #[must_use]
    pub fn in_batch(text: &'a [u8]) -> Self {
        Self::Structured { text, levels: json::MAX_DEPTH - 1 }
    }

    /// Takes the event out of its envelope.
    ///
    /// # Errors
    /// When it is none.
    pub fn open(self) -> Result<CloudEvent<'a>, Malformed> {
        match self {
            Self::Structured { text, levels } if json::is_deeper(text, levels) => Err(BadJson::TooDeep.into()),
            Self::Structured { text, .. } => open_structured(text),
            Self::Binary(message) if json::is_deeper(message.payload, json::MAX_DEPTH) => Err(BadJson::TooDeep.into()),
            Self::Binary(message) => binary::open(message),
        }
    }

    /// The same structured event with what no strict reader takes put right, see [`json::mended`]; None where there is
    /// nothing of that kind.
    ///
    /// # Errors
    /// When it is the id, which must stay what it is.
    pub fn mended(self) -> Result<Option<String>, Malformed> {
        let Self::Structured { text: payload, .. } = self else { return Ok(None) };
        let Ok(Cow::Owned(mended)) = str::from_utf8(payload).map(json::mended) else { return Ok(None) };
        if structured::has_whole_id(payload) {
            Ok(Some(mended))
        } else {
            Err(Malformed::attribute("id", "must be a string without half of a surrogate pair"))
        }
    }

    /// The id of an event that cannot be opened, where that much of it can be read.
    #[must_use]
    pub fn id(self) -> Option<String> {
        match self {
            Self::Structured { text, .. } => structured::id_in(text),
            Self::Binary(message) => id_in(message),
        }
    }
}

/// The id in a message of which nothing else can be read.
#[must_use]
pub fn id_in(message: Message<'_>) -> Option<String> {
    binary::id_in(message).or_else(|| structured::id_in(message.payload))
}

/// Takes the event, or each event of a batch, out of its envelope. In a batch a bad event spoils only itself.
///
/// # Errors
/// When nothing in the message can be read.
pub fn open<'a>(message: Message<'a>) -> Result<Vec<Result<CloudEvent<'a>, Malformed>>, Malformed> {
    let parts = split(message)?;
    if form(message)? == Some(Form::Batch) {
        return Ok(parts.into_iter().map(Part::open).collect());
    }
    parts.into_iter().map(|part| part.open().map(Ok)).collect()
}

/// The payload of a message, unpacked where its `Content-Encoding` says that it is packed.
///
/// # Errors
/// When it is packed in another way, damaged, or has more than [`MAX_UNPACKED`] bytes.
pub fn unpacked<'a>(message: Message<'a>) -> Result<Cow<'a, [u8]>, BadPacking> {
    let encoding = Encoding::parse(message.header("content-encoding").unwrap_or_default())?;
    if encoding == Encoding::Identity {
        return Ok(Cow::Borrowed(message.payload));
    }
    encoding.unpack(message.payload, MAX_UNPACKED).map(Cow::Owned)
}

/// Takes all events of a batch out of their envelopes and reads their data, in one pass; each is given to `take` at
/// once, with its place. None where `take` or anything in the batch fails: [`open`] then tells what is wrong with which.
pub fn open_batch<'a, D: Deserialize<'a>, T>(
    message: Message<'a>,
    mut take: impl FnMut(usize, CloudEvent<'a, D>) -> Option<T>,
) -> Option<Vec<T>> {
    /// What an event takes in a batch, for a guess at how many there are.
    const USUAL_BYTES: usize = 512;
    if form(message) != Ok(Some(Form::Batch)) {
        return None;
    }
    // Checked as a whole, which is faster than text by text.
    let text = str::from_utf8(message.payload).ok()?;
    let mut taken = Vec::with_capacity(text.len() / USUAL_BYTES);
    let mut rest = after_blanks(text).strip_prefix('[')?;
    loop {
        let mut events = serde_json::Deserializer::from_str(rest).into_iter::<Structured<'a, D>>();
        let event = structured::usual(events.next()?.ok()?).filter(|_| taken.len() < MAX_EVENTS)?;
        let (text, after) = rest.split_at_checked(events.byte_offset())?;
        // The array around it is a level too.
        if json::is_deeper(text.as_bytes(), json::MAX_DEPTH - 1) {
            return None;
        }
        taken.push(take(taken.len(), event)?);
        let after = after_blanks(after);
        match after.strip_prefix(',') {
            Some(next) => rest = next,
            None => return (after_blanks(after.strip_prefix(']')?).is_empty()).then_some(taken),
        }
    }
}

/// Tells something of the first event of a batch; nothing where there is none.
pub fn first_of_batch<T: Default>(message: Message<'_>, tell: impl FnOnce(CloudEvent<'_>) -> T) -> T {
    // As bytes: only the first of them is looked at.
    let events = message.payload.trim_ascii_start().strip_prefix(b"[").unwrap_or_default();
    let mut events = serde_json::Deserializer::from_slice(events).into_iter::<&RawValue>();
    let first = events.next().and_then(|event| open_structured(event.ok()?.get().as_bytes()).ok());
    first.map(tell).unwrap_or_default()
}

/// What follows the blanks that may stand between the parts of a JSON text.
fn after_blanks(text: &str) -> &str {
    text.trim_start_matches([' ', '\t', '\n', '\r'])
}

/// An event on its way into the log, in structured form.
#[derive(Clone, Debug, Serialize)]
pub struct Envelope<'a, D: Serialize> {
    specversion: &'static str,
    /// The same for every attempt to publish it.
    pub id: &'a str,
    /// The program that publishes it; CloudEvents wants a URI reference.
    pub source: &'a str,
    /// Which event it is.
    #[serde(rename = "type")]
    pub kind: &'a str,
    /// When it happened, by the clock of who publishes it.
    pub time: Timestamp,
    datacontenttype: &'static str,
    /// The event itself, of the type that `kind` names.
    pub data: &'a D,
}

impl<'a, D: Serialize> Envelope<'a, D> {
    /// Puts `data` into an envelope.
    #[must_use]
    pub fn new(id: &'a str, source: &'a str, kind: &'a str, time: Timestamp, data: &'a D) -> Self {
        Self { specversion: parts::VERSION, id, source, kind, time, datacontenttype: "application/json", data }
    }
}

#[cfg(test)]
mod tests;
