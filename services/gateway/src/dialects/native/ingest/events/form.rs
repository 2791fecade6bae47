//! The forms that a body of events can have, by its content type and, for plain JSON, by how it begins.
//!
//! A plain event is the `data` of a CloudEvent with `id` and `time` among its fields, both optional. Without an id
//! each attempt to publish it is a new event.

use std::borrow::Cow;
use std::collections::BTreeMap;

use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;
use model::envelope::{self, CloudEvent, Message, Part};
use model::event::Unreadable;
use model::json::{self, BadJson, Json};
use model::time::Timestamp;
use runtime::clock;
use serde::Serialize;
use serde_json::value::RawValue;

use super::super::family::{Family, SOURCE};
use super::problem::Problem;
use crate::render::refusal::Refusal;

/// The content types of newline-delimited JSON that are in use.
const LINES: [&str; 4] = ["application/x-ndjson", "application/ndjson", "application/jsonl", "application/x-jsonlines"];

/// A form of body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// One plain event.
    Plain,
    /// A JSON array of plain events.
    PlainArray,
    /// A plain event on each line.
    Lines,
    /// One CloudEvent.
    CloudEvent,
    /// A JSON array of CloudEvents.
    CloudEvents,
    /// The data of a CloudEvent whose attributes are in `ce-*` headers.
    Binary,
}

/// How an event was written, which is how what is wrong with it is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    Plain,
    CloudEvent,
}

impl Form {
    /// The form of a body. A content type that says nothing means plain JSON.
    ///
    /// # Errors
    /// When it is CloudEvents in another format than JSON.
    pub(super) fn of(headers: &HeaderMap, body: &[u8]) -> Result<Self, Refusal> {
        let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let form = envelope::Form::of(content_type).map_err(|malformed| Refusal::Invalid(malformed.to_string()))?;
        let content_type = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        Ok(match form {
            Some(envelope::Form::Structured) => Self::CloudEvent,
            Some(envelope::Form::Batch) => Self::CloudEvents,
            None if LINES.contains(&content_type.as_str()) => Self::Lines,
            None if headers.contains_key("ce-specversion") => Self::Binary,
            None if body.trim_ascii_start().starts_with(b"[") => Self::PlainArray,
            None => Self::Plain,
        })
    }

    /// Gives the events to `take`, each still as its text.
    ///
    /// # Errors
    /// When the body does not have this form, once `take` got what comes before.
    pub(super) fn for_each(self, headers: &HeaderMap, body: &[u8], mut take: impl FnMut(&[u8])) -> Result<(), Refusal> {
        match self {
            Self::Plain | Self::CloudEvent => take(body),
            Self::PlainArray | Self::CloudEvents => {
                let each = json::for_each(body, |event| take(event.get().as_bytes()));
                each.map_err(|problem| Refusal::field("body", problem))?;
            }
            Self::Lines => {
                let lines = body.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
                lines.filter(|line| !line.is_empty()).for_each(take);
            }
            Self::Binary => take(from_headers(headers, body)?.as_bytes()),
        }
        Ok(())
    }

    /// An event as a structured CloudEvent.
    pub(super) fn structured(self, family: Family, text: &[u8]) -> Result<(String, Origin), Problem> {
        match self {
            Self::Plain | Self::PlainArray | Self::Lines => from_plain(family, text),
            Self::CloudEvent | Self::CloudEvents | Self::Binary => as_it_stands(text),
        }
    }
}

impl Origin {
    /// What is wrong with an event, in terms of what the client sent: a plain event has no `data`, and no subject.
    pub(super) fn to_problem(self, unreadable: Unreadable) -> Problem {
        let is_plain = self == Self::Plain;
        match unreadable {
            Unreadable::Envelope(malformed) => malformed.into(),
            Unreadable::Data(bad) if is_plain => bad.into(),
            Unreadable::Rule(text) if is_plain => Problem::Field(text),
            Unreadable::Account(named) => {
                Problem::Field(format!("account_id: {named:?} is not the account that the token belongs to"))
            }
            Unreadable::Data(_) | Unreadable::Rule(_) | Unreadable::Type { .. } => {
                Problem::Field(unreadable.to_string())
            }
        }
    }
}

fn as_it_stands(text: &[u8]) -> Result<(String, Origin), Problem> {
    let text: &RawValue = json::read_part(text)?;
    Ok((text.get().to_owned(), Origin::CloudEvent))
}

/// A CloudEvent on its way into the log. Without a time it gets the one at which the log receives it: one that was
/// put in here would make a retry another event.
#[derive(Serialize)]
struct Structured<'a, D: Serialize> {
    specversion: &'static str,
    id: &'a str,
    source: &'a str,
    #[serde(rename = "type")]
    kind: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    time: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    accountid: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<&'a str>,
    /// All others, `datacontenttype` among them where it is not JSON's.
    #[serde(flatten)]
    attributes: BTreeMap<&'a str, &'a Json>,
    #[serde(skip_serializing_if = "Option::is_none")]
    datacontenttype: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<D>,
}

/// The names of the time of a plain event, the one that counts first: Flowtrail's, NetBird's and vRNI's, InstaVM's.
const TIMES: [&str; 3] = ["time", "timestamp", "created_at"];

fn from_plain(family: Family, text: &[u8]) -> Result<(String, Origin), Problem> {
    let strict = json::read_part(text);
    // Where it is not read, a name may have half of a surrogate pair.
    let mended = if strict.is_err() { Part::in_batch(text).mended()? } else { None };
    let mut fields: BTreeMap<String, &RawValue> = match &mended {
        Some(mended) => json::read_part(mended.as_bytes())?,
        None => strict?,
    };
    // A CloudEvent may also come as plain JSON: no event of ours has such a field.
    if fields.contains_key("specversion") && fields.contains_key("type") {
        return as_it_stands(text);
    }
    let id = fields.remove("id").map(|id| text_of("id", id)).transpose()?.flatten();
    let time = time_of(family, &mut fields)?;
    let id = match id {
        Some(id) => id,
        None => clock::new_ulid().map_err(|_| Problem::NoRandomness)?.to_string(),
    };
    let event = Structured {
        specversion: "1.0",
        id: &id,
        source: SOURCE,
        kind: family.kind(),
        time,
        accountid: None,
        subject: None,
        attributes: BTreeMap::new(),
        datacontenttype: Some("application/json"),
        data: Some(fields),
    };
    Ok((written(&event)?, Origin::Plain))
}

fn text_of(name: &str, value: &RawValue) -> Result<Option<String>, Problem> {
    json::read_part(value.get().as_bytes()).map_err(|_| Problem::Field(format!("{name}: must be a string")))
}

/// The time under the first of its names that says one. The others stay where they are: the event's `meta` keeps them.
fn time_of(family: Family, fields: &mut BTreeMap<String, &RawValue>) -> Result<Option<Timestamp>, Problem> {
    let names = match family {
        Family::Audit => TIMES.as_slice(),
        Family::Traffic => &TIMES[..1],
    };
    for name in names {
        let Some(value) = fields.get(*name) else { continue };
        let time = match value.get().parse() {
            // vRNI shows seconds since 1970.
            Ok(seconds) if *name == "timestamp" => Some(Timestamp::from_seconds(seconds)),
            _ => text_of(name, value)?.map(|text| Timestamp::parse(&text)),
        };
        fields.remove(*name);
        if let Some(time) = time {
            return time.map(Some).map_err(|problem| Problem::Field(format!("{name}: {problem}")));
        }
    }
    Ok(None)
}

fn from_headers(headers: &HeaderMap, body: &[u8]) -> Result<String, Refusal> {
    let mut texts = Vec::with_capacity(headers.len());
    for (name, value) in headers {
        match str::from_utf8(value.as_bytes()) {
            Ok(value) => texts.push((name.as_str(), value)),
            Err(_) if name.as_str().starts_with("ce-") => return Err(Refusal::field(name.as_str(), "must be UTF-8")),
            // It says nothing of the event.
            Err(_) => {}
        }
    }
    let opened = envelope::open(Message { headers: &texts, payload: body });
    // A binary message is one event.
    let event = opened.and_then(|mut events| events.remove(0)).map_err(|bad| Problem::from(bad).at(0))?;
    let data = json_of(&event).map_err(|bad| Problem::from(bad).at(0))?;
    let attributes: BTreeMap<&str, &Json> = event.attributes.iter().map(|(name, value)| (&**name, value)).collect();
    let structured = Structured {
        specversion: "1.0",
        id: &event.id,
        source: &event.source,
        kind: &event.kind,
        time: event.time,
        accountid: event.account.as_deref(),
        subject: event.subject.as_deref(),
        datacontenttype: (!attributes.contains_key("datacontenttype")).then_some("application/json"),
        attributes,
        data,
    };
    written(&structured).map_err(|problem| problem.at(0))
}

/// The data as JSON; of a foreign event what is none becomes text, as it would in the views.
fn json_of<'a>(event: &'a CloudEvent<'_>) -> Result<Option<Cow<'a, RawValue>>, BadJson> {
    if event.data.is_empty() {
        return Ok(None);
    }
    match json::read_part::<&RawValue>(&event.data) {
        Ok(data) => Ok(Some(Cow::Borrowed(data))),
        Err(_) if event.is_foreign() => {
            let text = envelope::as_string(&event.data).to_string();
            Ok(RawValue::from_string(text).ok().map(Cow::Owned))
        }
        Err(bad) => Err(bad),
    }
}

fn written<D: Serialize>(event: &Structured<'_, D>) -> Result<String, Problem> {
    serde_json::to_string(event).map_err(|_| Problem::Event("cannot be written as a cloudevent".to_owned()))
}
