//! The envelope around every event: CloudEvents 1.0 in its structured, binary and JSON batch forms.
//!
//! Structured if and only if the content type starts with `application/cloudevents` (NATS binding 1.0.3);
//! else the attributes stand in `ce-*` headers and the payload is the data.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::json::{self, BadJson};
use crate::time::Timestamp;

/// The content type of one structured event.
pub const STRUCTURED: &str = "application/cloudevents+json";
/// The content type of a JSON array of structured events.
pub const BATCH: &str = "application/cloudevents-batch+json";

const VERSION: &str = "1.0";
const CONTENT_TYPE: &str = "content-type";

/// A message as it came: its headers, looked up in any case, and its payload.
#[derive(Clone, Copy, Debug)]
pub struct Message<'a> {
    /// Names and values.
    pub headers: &'a [(&'a str, &'a str)],
    /// The bytes.
    pub payload: &'a [u8],
}

/// One event with its context attributes; `data` is JSON text still, or what was read of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CloudEvent<'a, D = &'a [u8]> {
    /// The event id: the same id is the same event, however late it comes again.
    pub id: Cow<'a, str>,
    /// Who published it.
    pub source: Cow<'a, str>,
    /// Which event it is, such as `flowtrail.audit.recorded.v1`.
    pub kind: Cow<'a, str>,
    /// When it happened.
    pub time: Option<Timestamp>,
    /// The account that the publisher believes it writes to; the subject decides.
    pub account: Option<Cow<'a, str>>,
    /// The `data`.
    pub data: D,
}

/// Why no event could be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// Neither form of envelope is there.
    #[error(
        "no cloudevent: content-type must start with application/cloudevents, or ce-id, ce-source, ce-type and ce-specversion headers must be there"
    )]
    NoEnvelope,
    /// The JSON around or inside the envelope is wrong.
    #[error(transparent)]
    Json(#[from] BadJson),
    /// An attribute is missing or wrong.
    #[error("{attribute}: {problem}")]
    Attribute {
        /// Its CloudEvents name.
        attribute: &'static str,
        /// What is wrong with it.
        problem: &'static str,
    },
}

/// Takes the event, or each event of a batch, out of its envelope. In a batch a bad event spoils only itself.
///
/// # Errors
/// When nothing in the message can be read.
pub fn open<'a>(message: Message<'a>) -> Result<Vec<Result<CloudEvent<'a>, Malformed>>, Malformed> {
    json::check_depth(message.payload)?;
    let content_type = message.form();
    if content_type == BATCH {
        let parts: Vec<&RawValue> = json::read_part(message.payload)?;
        return Ok(parts.into_iter().map(|part| open_structured(part.get().as_bytes())).collect());
    }
    if content_type.starts_with("application/cloudevents") {
        return Ok(vec![Ok(open_structured(message.payload)?)]);
    }
    Ok(vec![Ok(open_binary(message)?)])
}

#[derive(Deserialize)]
#[serde(bound(deserialize = "D: Deserialize<'de>"))]
struct Structured<'a, D> {
    #[serde(borrow)]
    specversion: Cow<'a, str>,
    #[serde(borrow)]
    id: Cow<'a, str>,
    #[serde(borrow)]
    source: Cow<'a, str>,
    #[serde(borrow, rename = "type")]
    kind: Cow<'a, str>,
    time: Option<Timestamp>,
    #[serde(borrow)]
    datacontenttype: Option<Cow<'a, str>>,
    #[serde(borrow)]
    accountid: Option<Cow<'a, str>>,
    data: Option<D>,
}

/// Reads one structured event.
///
/// # Errors
/// When it is no JSON object with the attributes that CloudEvents requires.
pub fn open_structured(payload: &[u8]) -> Result<CloudEvent<'_>, Malformed> {
    let event: Structured<'_, &RawValue> = json::read_part(payload)?;
    let CloudEvent { id, source, kind, time, account, data } = event.checked()?;
    Ok(CloudEvent { id, source, kind, time, account, data: data.get().as_bytes() })
}

/// Takes all events of a batch out of their envelopes and reads their data, in one pass; each is given to `take` at
/// once, with its place. None where `take` or anything in the batch fails: [`open`] then tells what is wrong with which.
pub fn open_batch<'a, D: Deserialize<'a>, T>(
    message: Message<'a>,
    mut take: impl FnMut(usize, CloudEvent<'a, D>) -> Option<T>,
) -> Option<Vec<T>> {
    /// What an event takes in a batch, for a guess at how many there are.
    const USUAL_BYTES: usize = 512;
    if message.form() != BATCH {
        return None;
    }
    // Checked as a whole, which is faster than text by text.
    let text = str::from_utf8(message.payload).ok()?;
    let mut taken = Vec::with_capacity(text.len() / USUAL_BYTES);
    let mut rest = after_blanks(text).strip_prefix('[')?;
    loop {
        let mut events = serde_json::Deserializer::from_str(rest).into_iter::<Structured<'a, D>>();
        let event = events.next()?.ok()?.checked().ok()?;
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

/// What follows the blanks that may stand between the parts of a JSON text.
fn after_blanks(text: &str) -> &str {
    text.trim_start_matches([' ', '\t', '\n', '\r'])
}

impl<'a, D> Structured<'a, D> {
    fn checked(self) -> Result<CloudEvent<'a, D>, Malformed> {
        let data = self.data.ok_or(Malformed::Attribute { attribute: "data", problem: "is missing" })?;
        let (id, source, kind, time, account) = (self.id, self.source, self.kind, self.time, self.accountid);
        let event = CloudEvent { id, source, kind, time, account, data };
        event.checked(&self.specversion, self.datacontenttype.as_deref())
    }
}

fn open_binary<'a>(message: Message<'a>) -> Result<CloudEvent<'a>, Malformed> {
    let attribute = |name| message.header(name).map(percent_decoded);
    let (Some(id), Some(source), Some(kind), Some(version)) =
        (attribute("ce-id"), attribute("ce-source"), attribute("ce-type"), attribute("ce-specversion"))
    else {
        return Err(Malformed::NoEnvelope);
    };
    let time = attribute("ce-time").map(|time| Timestamp::parse(&time)).transpose();
    let time = time.map_err(|_| Malformed::Attribute { attribute: "time", problem: "must be an RFC 3339 time" })?;
    let content_type = attribute("ce-datacontenttype").or_else(|| message.header(CONTENT_TYPE).map(Cow::Borrowed));
    let account = attribute("ce-accountid");
    CloudEvent { id, source, kind, time, account, data: message.payload }.checked(&version, content_type.as_deref())
}

impl<'a> Message<'a> {
    /// The first header of this name, whatever its case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&'a str> {
        self.headers.iter().find(|(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, value)| *value)
    }

    /// The content type, without its parameters and in lower case.
    fn form(&self) -> String {
        let content_type = self.header(CONTENT_TYPE).unwrap_or_default();
        content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
    }
}

impl<D> CloudEvent<'_, D> {
    /// The event, if its attributes are such as an envelope of Flowtrail's own may say.
    ///
    /// # Errors
    /// When one of them is not.
    pub fn valid(self) -> Result<Self, Malformed> {
        self.checked(VERSION, None)
    }

    fn checked(self, version: &str, content_type: Option<&str>) -> Result<Self, Malformed> {
        let problem = |attribute, problem| Err(Malformed::Attribute { attribute, problem });
        if version != VERSION {
            return problem("specversion", "must be 1.0");
        }
        if self.id.is_empty() {
            return problem("id", "must not be empty");
        }
        if self.id.len() > MAX_ID_LENGTH {
            return problem("id", "must have at most 256 bytes");
        }
        if self.id.chars().any(char::is_control) {
            return problem("id", "must not hold control characters");
        }
        if self.source.is_empty() {
            return problem("source", "must not be empty");
        }
        let is_json = |text: &str| text.starts_with("application/json") || text.contains("+json");
        if content_type.is_some_and(|text| !is_json(text)) {
            return problem("datacontenttype", "must be application/json");
        }
        Ok(self)
    }
}

/// The most bytes an event id may have: it is part of keys.
pub const MAX_ID_LENGTH: usize = 256;

/// Header values of the binary form are percent-encoded.
fn percent_decoded(text: &str) -> Cow<'_, str> {
    if !text.contains('%') {
        return Cow::Borrowed(text);
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let escape = tail.get(..2).filter(|_| *first == b'%');
        let decoded = escape.and_then(|digits| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok());
        rest = if decoded.is_some() { &tail[2..] } else { tail };
        bytes.push(decoded.unwrap_or(*first));
    }
    Cow::Owned(String::from_utf8_lossy(&bytes).into_owned())
}

/// An event on its way into the log, in structured form.
#[derive(Clone, Debug, Serialize)]
pub struct Envelope<'a, D: Serialize> {
    specversion: &'static str,
    /// The event id.
    pub id: &'a str,
    /// Who publishes it.
    pub source: &'a str,
    /// Which event it is.
    #[serde(rename = "type")]
    pub kind: &'a str,
    /// When it happened.
    pub time: Timestamp,
    datacontenttype: &'static str,
    /// What happened.
    pub data: &'a D,
}

impl<'a, D: Serialize> Envelope<'a, D> {
    /// Puts `data` into an envelope.
    #[must_use]
    pub fn new(id: &'a str, source: &'a str, kind: &'a str, time: Timestamp, data: &'a D) -> Self {
        Self { specversion: VERSION, id, source, kind, time, datacontenttype: "application/json", data }
    }
}

#[cfg(test)]
mod tests;
