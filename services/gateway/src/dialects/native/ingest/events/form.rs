//! The forms that a body of events can have, by its content type and, for plain JSON, by how it begins.
//!
//! A plain event is the `data` of a CloudEvent with `id` and `time` among its fields, both optional. Without an id
//! each attempt to publish it is a new event.

use std::borrow::Cow;
use std::collections::BTreeMap;

use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;
use model::envelope::{self, BATCH, Message, STRUCTURED};
use model::event::Unreadable;
use model::json;
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

impl Form {
    /// The form of a body. A content type that says nothing means plain JSON.
    pub(super) fn of(headers: &HeaderMap, body: &[u8]) -> Self {
        let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let content_type = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        match content_type.as_str() {
            STRUCTURED => Self::CloudEvent,
            BATCH => Self::CloudEvents,
            lines if LINES.contains(&lines) => Self::Lines,
            _ if headers.contains_key("ce-specversion") => Self::Binary,
            _ if body.trim_ascii_start().starts_with(b"[") => Self::PlainArray,
            _ => Self::Plain,
        }
    }

    /// The events, each still as its text.
    ///
    /// # Errors
    /// When the body does not have this form.
    pub(super) fn split<'a>(self, headers: &HeaderMap, body: &'a [u8]) -> Result<Vec<Cow<'a, [u8]>>, Refusal> {
        match self {
            Self::Plain | Self::CloudEvent => Ok(vec![body.into()]),
            Self::PlainArray | Self::CloudEvents => {
                let parts: Vec<&RawValue> = json::read_part(body).map_err(|problem| Refusal::field("body", problem))?;
                Ok(parts.into_iter().map(|part| part.get().as_bytes().into()).collect())
            }
            Self::Lines => {
                let lines = body.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
                Ok(lines.filter(|line| !line.is_empty()).map(Cow::from).collect())
            }
            Self::Binary => Ok(vec![from_headers(headers, body)?.into_bytes().into()]),
        }
    }

    /// An event as a structured CloudEvent.
    pub(super) fn structured(self, family: Family, text: &[u8]) -> Result<String, Problem> {
        match self {
            Self::Plain | Self::PlainArray | Self::Lines => from_plain(family, text),
            Self::CloudEvent | Self::CloudEvents | Self::Binary => {
                let text: &RawValue = json::read_part(text)?;
                Ok(text.get().to_owned())
            }
        }
    }

    /// What is wrong with an event, in terms of what the client sent: a plain event has no `data`, and no subject.
    pub(super) fn to_problem(self, unreadable: Unreadable) -> Problem {
        let is_plain = matches!(self, Self::Plain | Self::PlainArray | Self::Lines);
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
    datacontenttype: &'static str,
    data: D,
}

fn from_plain(family: Family, text: &[u8]) -> Result<String, Problem> {
    let mut fields: BTreeMap<String, &RawValue> = json::read_part(text)?;
    let id = fields.remove("id").map(|id| text_of("id", id)).transpose()?.flatten();
    let time = fields.remove("time").map(time_of).transpose()?.flatten();
    let id = match id {
        Some(id) => id,
        None => clock::new_ulid().map_err(|_| Problem::NoRandomness)?.to_string(),
    };
    let (source, kind, datacontenttype) = (SOURCE, family.kind(), "application/json");
    let event =
        Structured { specversion: "1.0", id: &id, source, kind, time, accountid: None, datacontenttype, data: fields };
    written(&event)
}

fn text_of(name: &str, value: &RawValue) -> Result<Option<String>, Problem> {
    json::read_part(value.get().as_bytes()).map_err(|_| Problem::Field(format!("{name}: must be a string")))
}

fn time_of(value: &RawValue) -> Result<Option<Timestamp>, Problem> {
    let time = text_of("time", value)?.map(|text| Timestamp::parse(&text)).transpose();
    time.map_err(|problem| Problem::Field(format!("time: {problem}")))
}

fn from_headers(headers: &HeaderMap, body: &[u8]) -> Result<String, Refusal> {
    let texts = headers.iter().filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)));
    let texts: Vec<(&str, &str)> = texts.collect();
    let opened = envelope::open(Message { headers: &texts, payload: body });
    // A binary message is one event.
    let event = opened.and_then(|mut events| events.remove(0)).map_err(|bad| Problem::from(bad).at(0))?;
    let data: &RawValue = json::read_part(event.data).map_err(|bad| Problem::from(bad).at(0))?;
    let (id, source, kind, time) = (&event.id, &event.source, &event.kind, event.time);
    let (accountid, datacontenttype) = (event.account.as_deref(), "application/json");
    let event = Structured { specversion: "1.0", id, source, kind, time, accountid, datacontenttype, data };
    written(&event).map_err(|problem| problem.at(0))
}

fn written<D: Serialize>(event: &Structured<'_, D>) -> Result<String, Problem> {
    serde_json::to_string(event).map_err(|_| Problem::Event("cannot be written as a cloudevent".to_owned()))
}
