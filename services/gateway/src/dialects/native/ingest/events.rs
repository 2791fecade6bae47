//! The events of a body, whatever its form: each becomes a structured CloudEvent that the views can read.

mod form;
mod problem;

use std::collections::BTreeSet;

use axum::http::HeaderMap;
use model::envelope::Part;
use model::event::{self, Decoded, Event, Unreadable};
use model::json;
use model::log::Subject;
use model::time::Timestamp;
use runtime::clock;

use self::form::Form;
use super::family::Family;
use crate::render::refusal::Refusal;

/// What a body says.
#[derive(Debug)]
pub(super) struct Read {
    /// Its events, each in structured form.
    pub(super) events: Vec<String>,
    /// Members of its traffic reports that no field holds, by their paths, of which the sender is told.
    pub(super) ignored: BTreeSet<String>,
}

/// How many such members are told. They are texts of strangers.
const MAX_IGNORED: usize = 100;

/// Reads every event of a body.
///
/// # Errors
/// When one of them is none, naming it by its place from 0 on and its field; when there is none at all.
pub(super) fn read(family: Family, subject: &Subject, headers: &HeaderMap, body: &[u8]) -> Result<Read, Refusal> {
    json::check_depth(body).map_err(|problem| Refusal::field("body", problem))?;
    let received_at = Timestamp::from_micros(clock::now_micros()).map_err(|_| Refusal::Internal)?;
    let form = Form::of(headers, body)?;
    let texts = form.split(headers, body)?;
    if texts.is_empty() {
        return Err(Refusal::Invalid("no events".to_owned()));
    }
    let mut events = Vec::with_capacity(texts.len());
    let mut ignored = BTreeSet::new();
    for (index, text) in texts.into_iter().enumerate() {
        let read = form.structured(family, &text).and_then(|(event, origin)| {
            let more = check(subject, &event, received_at).map_err(|problem| origin.to_problem(problem))?;
            Ok((event, more))
        });
        let (event, more) = read.map_err(|problem| problem.at(index))?;
        events.push(event);
        if ignored.len() < MAX_IGNORED {
            ignored.extend(more);
        }
    }
    Ok(Read { events, ignored })
}

/// Reads an event as a view will read it: one of a batch, from this subject. Gives what is ignored of it.
fn check(subject: &Subject, text: &str, received_at: Timestamp) -> Result<BTreeSet<String>, Unreadable> {
    let Decoded { event, ignored, .. } = event::decode_part(subject, Part::in_batch(text.as_bytes()), received_at);
    match event? {
        Event::Traffic(report) if report.data.reporter_id.is_none() => {
            // The views would take the subject's last part for it, which here is nobody.
            Err(Unreadable::Rule("reporter_id: is required".to_owned()))
        }
        Event::Audit(_)
        | Event::Traffic(_)
        | Event::Integration(_)
        | Event::Access(_)
        | Event::Directory { .. }
        | Event::Search(_)
        | Event::Delivery(_) => Ok(ignored),
    }
}

#[cfg(test)]
mod tests;
