//! What every form of envelope has in common: a message, the event in it, and why there is none.

use std::borrow::Cow;

use super::media;
use super::packed::BadPacking;
use crate::json::{BadJson, Json};
use crate::time::Timestamp;

/// The version of CloudEvents.
pub(super) const VERSION: &str = "1.0";
/// The header with the media type of a payload.
pub(super) const CONTENT_TYPE: &str = "content-type";
/// The types that Flowtrail knows, or will know, start so; every other one is foreign.
const OWN_TYPES: &str = "flowtrail.";

/// The most bytes an event id may have: it is part of keys.
pub const MAX_ID_LENGTH: usize = 256;

/// The most events that one message may have. What is decoded of it stands in memory together.
pub const MAX_EVENTS: usize = 1 << 16;

/// A message as it came: its headers, looked up in any case, and its payload.
#[derive(Clone, Copy, Debug)]
pub struct Message<'a> {
    /// Names in any case, and values, percent-encoded or not.
    pub headers: &'a [(&'a str, &'a str)],
    /// The body as it came, packed or not.
    pub payload: &'a [u8],
}

/// One event with its context attributes; `data` is JSON text still, or what was read of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CloudEvent<'a, D = Cow<'a, [u8]>> {
    /// The event id: the same id is the same event, however late it comes again.
    pub id: Cow<'a, str>,
    /// The program that published it; CloudEvents wants a URI reference.
    pub source: Cow<'a, str>,
    /// Which event it is, such as `flowtrail.audit.recorded.v1`.
    pub kind: Cow<'a, str>,
    /// When it happened; none: the publisher does not say.
    pub time: Option<Timestamp>,
    /// The account that the publisher believes it writes to; the subject decides.
    pub account: Option<Cow<'a, str>>,
    /// What it is about.
    pub subject: Option<Cow<'a, str>>,
    /// Every other attribute, such as `correlationid` and `traceparent`.
    pub attributes: Vec<(Cow<'a, str>, Json)>,
    /// The `data`. As text it is empty where an event of a foreign type has none.
    pub data: D,
}

/// Why no event could be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// Neither form of envelope is there.
    #[error(
        "no cloudevent: content-type must start with application/cloudevents, or ce-id, ce-source, ce-type and ce-specversion headers must be there, or the payload must have a specversion"
    )]
    NoEnvelope,
    /// CloudEvents in another format than JSON.
    #[error("content-type: cloudevents are read as JSON only, application/cloudevents+json")]
    OtherFormat,
    /// The payload cannot be unpacked.
    #[error(transparent)]
    Packed(#[from] BadPacking),
    /// The message has more events than are read of one.
    #[error("payload: must have at most {MAX_EVENTS} events")]
    TooMany,
    /// The JSON around or inside the envelope is wrong.
    #[error(transparent)]
    Json(#[from] BadJson),
    /// An attribute is missing or wrong.
    #[error("{attribute}: {problem}")]
    Attribute {
        /// Its CloudEvents name.
        attribute: Cow<'static, str>,
        /// What is wrong with it.
        problem: &'static str,
    },
}

impl Malformed {
    pub(super) fn attribute(attribute: &'static str, problem: &'static str) -> Self {
        Self::Attribute { attribute: Cow::Borrowed(attribute), problem }
    }
}

impl<'a> Message<'a> {
    /// The first header of this name, whatever its case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&'a str> {
        self.headers.iter().find(|(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, value)| *value)
    }
}

impl<'a, D> CloudEvent<'a, D> {
    /// An event with the attributes that each must have.
    pub fn new(id: &'a str, source: &'a str, kind: &'a str, data: D) -> Self {
        Self {
            id: Cow::Borrowed(id),
            source: Cow::Borrowed(source),
            kind: Cow::Borrowed(kind),
            time: None,
            account: None,
            subject: None,
            attributes: Vec::new(),
            data,
        }
    }

    /// The same event with other data.
    #[must_use]
    pub fn with_data<E>(self, data: E) -> CloudEvent<'a, E> {
        let Self { id, source, kind, time, account, subject, attributes, data: _ } = self;
        CloudEvent { id, source, kind, time, account, subject, attributes, data }
    }

    /// Whether its type is none of Flowtrail's.
    #[must_use]
    pub fn is_foreign(&self) -> bool {
        is_foreign(&self.kind)
    }

    /// The event, if its attributes are such as an envelope of Flowtrail's own may say.
    ///
    /// # Errors
    /// When one of them is not.
    pub fn valid(self) -> Result<Self, Malformed> {
        self.checked(VERSION, None)
    }

    pub(super) fn checked(self, version: &str, content_type: Option<&str>) -> Result<Self, Malformed> {
        let problem = |attribute, problem| Err(Malformed::attribute(attribute, problem));
        if version != VERSION {
            return problem("specversion", "must be 1.0");
        }
        if self.id.is_empty() {
            return problem("id", "must not be empty");
        }
        if self.id.len() > MAX_ID_LENGTH {
            return problem("id", "must have at most 256 bytes");
        }
        if has_control(&self.id) {
            return problem("id", "must not hold control characters");
        }
        if self.source.is_empty() {
            return problem("source", "must not be empty");
        }
        if self.kind.is_empty() {
            return problem("type", "must not be empty");
        }
        if !self.is_foreign() && content_type.is_some_and(|content_type| !media::is_json(content_type)) {
            return problem("datacontenttype", "must be a media type of JSON, such as application/json");
        }
        Ok(self)
    }
}

/// Refuses an attribute that stands there more than once (CloudEvents, 2): which of them is meant nobody knows.
///
/// # Errors
/// When there is one; it is named.
pub(super) fn check_once(mut names: Vec<&str>) -> Result<(), Malformed> {
    names.sort_unstable();
    match names.iter().zip(names.iter().skip(1)).find(|(one, next)| one == next) {
        Some((name, _)) => {
            Err(Malformed::Attribute { attribute: Cow::Owned((*name).to_owned()), problem: "must stand there once" })
        }
        None => Ok(()),
    }
}

/// Whether there are control characters in a text.
pub(super) fn has_control(text: &str) -> bool {
    // Most ids are ASCII, whose bytes are looked at many at once.
    if text.is_ascii() {
        text.bytes().fold(false, |found, byte| found | byte.is_ascii_control())
    } else {
        text.chars().any(char::is_control)
    }
}

pub(super) fn is_foreign(kind: &str) -> bool {
    !kind.starts_with(OWN_TYPES)
}
