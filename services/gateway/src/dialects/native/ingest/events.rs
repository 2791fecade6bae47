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

use self::form::{Form, Origin};
use self::problem::Problem;
use super::family::Family;
use crate::http::budget::Share;
use crate::render::refusal::Refusal;

/// A body that brings events, unpacked.
#[derive(Clone, Copy)]
pub(super) struct Body<'a> {
    pub(super) family: Family,
    /// Where its events go.
    pub(super) subject: &'a Subject,
    /// Those of its request.
    pub(super) headers: &'a HeaderMap,
    pub(super) bytes: &'a [u8],
}

/// What a body says.
#[derive(Debug)]
pub(super) struct Read {
    /// How many events it brings.
    pub(super) events: usize,
    /// Members of its traffic reports that no field holds, by their paths, of which the sender is told.
    pub(super) ignored: BTreeSet<String>,
}

/// How many such members are told. They are texts of strangers.
const MAX_IGNORED: usize = 100;

/// Reads every event of a body and gives each, in structured form, to `take`. What it takes to read an event is taken from
/// `share`, and stays taken for the next.
///
/// # Errors
/// When one of them is none, naming it by its place from 0 on and its field; when there is none at all; what `take` and
/// `share` refuse with.
pub(super) fn read(
    body: Body<'_>,
    share: &mut Share,
    take: impl FnMut(String) -> Result<(), Refusal>,
) -> Result<Read, Refusal> {
    let Body { headers, bytes, .. } = body;
    json::check_depth(bytes).map_err(|problem| Refusal::field("body", problem))?;
    let received_at = Timestamp::from_micros(clock::now_micros()).map_err(|_| Refusal::Internal)?;
    let form = Form::of(headers, bytes)?;
    let read = Read { events: 0, ignored: BTreeSet::new() };
    let mut reading = Reading { body, form, received_at, share, aside: 0, take, read };
    let mut read = Ok(());
    // The array goes on to be read behind an event that is none: that it is no array counts more.
    form.for_each(headers, bytes, |text| {
        if read.is_ok() {
            read = reading.event(text);
        }
    })?;
    read?;
    if reading.read.events == 0 {
        return Err(Refusal::Invalid("no events".to_owned()));
    }
    Ok(reading.read)
}

/// A body that is being read.
struct Reading<'a, F> {
    body: Body<'a>,
    form: Form,
    received_at: Timestamp,
    share: &'a mut Share,
    /// Bytes that were taken of the share for the event that takes the most so far.
    aside: usize,
    take: F,
    read: Read,
}

impl<F: FnMut(String) -> Result<(), Refusal>> Reading<'_, F> {
    fn event(&mut self, text: &[u8]) -> Result<(), Refusal> {
        self.set_aside(weight(text))?;
        let Body { family, subject, .. } = self.body;
        let read = self.form.structured(family, text).and_then(|(event, origin)| {
            let more = check(subject, &event, origin, self.received_at)?;
            Ok((event, more))
        });
        let (event, more) = read.map_err(|problem| problem.at(self.read.events))?;
        self.read.events += 1;
        if self.read.ignored.len() < MAX_IGNORED {
            self.read.ignored.extend(more);
        }
        (self.take)(event)
    }

    fn set_aside(&mut self, bytes: usize) -> Result<(), Refusal> {
        let more = bytes.saturating_sub(self.aside);
        self.share.take(more)?;
        self.aside += more;
        Ok(())
    }
}

/// About how many bytes it takes to read an event. Its text is copied a few times; a member that no field holds stands in
/// several maps on its way into `meta`.
fn weight(text: &[u8]) -> usize {
    const COPIES: usize = 8;
    const MEMBER_BYTES: usize = 256;
    /// Not worth counting: a turn has room for a few of these.
    const SMALL: usize = 4 << 10;
    if text.len() <= SMALL {
        return 0;
    }
    text.len() * COPIES + memchr::memchr_iter(b',', text).count() * MEMBER_BYTES
}

/// Reads an event as a view will read it: one of a batch, from this subject. Gives what is ignored of it.
///
/// # Errors
/// When no view could read it, and when it would be taken for one of Flowtrail's own.
fn check(subject: &Subject, text: &str, origin: Origin, received_at: Timestamp) -> Result<BTreeSet<String>, Problem> {
    let Decoded { event, ignored, .. } = event::decode_part(subject, Part::in_batch(text.as_bytes()), received_at);
    match event.map_err(|unreadable| origin.to_problem(unreadable))? {
        Event::Traffic(report) if report.data.reporter_id.is_none() => {
            // The views would take the subject's last part for it, which here is nobody.
            Err(origin.to_problem(Unreadable::Rule("reporter_id: is required".to_owned())))
        }
        Event::Audit(event) => event.reserved().map_or(Ok(ignored), |reserved| Err(reserved.into())),
        Event::Traffic(_)
        | Event::Integration(_)
        | Event::Access(_)
        | Event::Directory { .. }
        | Event::Search(_)
        | Event::Delivery(_) => Ok(ignored),
    }
}

#[cfg(test)]
mod tests;
