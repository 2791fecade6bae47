//! The events of a body, whatever its form: each becomes a structured CloudEvent that the views can read.

mod form;

use axum::http::HeaderMap;
use model::envelope::{Malformed, Part};
use model::event::{self, Event, Unreadable};
use model::json::{self, BadJson};
use model::log::Subject;
use model::time::Timestamp;
use runtime::clock;

use self::form::Form;
use super::Family;
use crate::refused::Refused;

/// Reads every event of a body.
///
/// # Errors
/// When one of them is none, naming it by its place from 0 on and its field; when there is none at all.
pub(super) fn read(
    family: Family,
    subject: &Subject,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<Vec<String>, Refused> {
    json::check_depth(body).map_err(|problem| Refused::field("body", problem))?;
    let received_at = Timestamp::from_micros(clock::now_micros()).map_err(|_| Refused::Internal)?;
    let form = Form::of(headers, body)?;
    let texts = form.split(headers, body)?;
    if texts.is_empty() {
        return Err(Refused::Invalid("no events".to_owned()));
    }
    let mut events = Vec::with_capacity(texts.len());
    for (index, text) in texts.into_iter().enumerate() {
        let read = form.structured(family, &text).and_then(|(event, origin)| {
            check(subject, &event, received_at).map_err(|problem| origin.told(problem))?;
            Ok(event)
        });
        events.push(read.map_err(|problem| problem.at(index))?);
    }
    Ok(events)
}

/// What is wrong with one event.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Problem {
    /// With a field: `latency_ms: must be a number`.
    Field(String),
    /// With all of it.
    Event(String),
    /// Nothing; there is no randomness to make its id of.
    NoRandomness,
}

impl Problem {
    fn at(self, index: usize) -> Refused {
        match self {
            Self::Field(text) => Refused::Invalid(format!("events[{index}].{text}")),
            Self::Event(text) => Refused::Invalid(format!("events[{index}]: {text}")),
            Self::NoRandomness => Refused::Internal,
        }
    }
}

impl From<BadJson> for Problem {
    fn from(bad: BadJson) -> Self {
        match bad {
            BadJson::Field { field, problem } if field == "document" => Self::Event(problem),
            BadJson::Field { .. } => Self::Field(bad.to_string()),
            BadJson::TooDeep | BadJson::NotJson(_) => Self::Event(bad.to_string()),
        }
    }
}

impl From<Malformed> for Problem {
    fn from(malformed: Malformed) -> Self {
        match malformed {
            Malformed::Json(bad) => bad.into(),
            Malformed::Attribute { .. } => Self::Field(malformed.to_string()),
            Malformed::NoEnvelope | Malformed::OtherFormat | Malformed::Packed(_) => Self::Event(malformed.to_string()),
        }
    }
}

/// Reads an event as a view will read it: one of a batch, from this subject.
fn check(subject: &Subject, text: &str, received_at: Timestamp) -> Result<(), Unreadable> {
    match event::decode_part(subject, Part::in_batch(text.as_bytes()), received_at).event? {
        Event::Traffic(report) if report.data.reporter_id.is_none() => {
            // The views would take the subject's last part for it, which here is nobody.
            Err(Unreadable::Rule("reporter_id: is required".to_owned()))
        }
        Event::Audit(_)
        | Event::Traffic(_)
        | Event::Integration(_)
        | Event::Access(_)
        | Event::Directory { .. }
        | Event::Delivery(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests;
