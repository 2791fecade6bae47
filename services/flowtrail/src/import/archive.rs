//! Events as Flowtrail's own integrations write them into objects of S3, to Firehose and to web hooks: NetBird's envelope
//! and, in `event`, everything that it has no place for. Read back, each is the event that was written.

use model::audit::known_text;
use model::time::Timestamp;

use super::draft::{Draft, Mapped, Rejected};
use super::item::{Item, id_of, raw};
use super::skipped::Skipped;

/// Members of the envelope and what they are called in the data of an audit event.
const IN_AUDIT: [(&str, &str); 5] = [
    ("event_type", "event_type"),
    ("initiator_id", "actor_id"),
    ("target_id", "resource_id"),
    ("reference", "correlation_id"),
    ("meta", "meta"),
];
/// The member that says which stream an event is from.
const KIND: &str = "kind";
/// The sequence of what is sent to try a receiver, at the end of a position.
const TEST: &str = ":0";

/// Whether an item is such an event.
pub(super) fn is_archived(item: &Item<'_>) -> bool {
    item.has("event") && item.has("position") && item.has(KIND)
}

/// An archived audit event.
pub(super) fn audit(document: &mut Item<'_>) -> Result<Mapped<'static>, Rejected> {
    if let Some(why) = why_skipped(document, "audit") {
        return Ok(Mapped::Skipped(why));
    }
    let mut data = document.object("event").ok_or_else(|| Rejected::field("event", "must be an object"))?;
    for (from, to) in IN_AUDIT {
        // What the envelope holds is there for every receiver; where `event` says it too, that is closer to the event.
        if let Some(value) = document.get(from).filter(|_| !data.has(to)) {
            data.put(to, value);
        }
    }
    let message = document.text("message").unwrap_or_default();
    let event_type = data.text("event_type").unwrap_or_default();
    let activity = raw(&message)?;
    // The message is the activity, or what stands for it where none was given.
    if message != known_text(&event_type).unwrap_or(&event_type) && !data.has("activity") {
        data.put("activity", &activity);
    }
    draft(document, data.to_text()?)
}

/// An archived traffic report.
pub(super) fn traffic(document: &mut Item<'_>, reporter: Option<&str>) -> Result<Mapped<'static>, Rejected> {
    if let Some(why) = why_skipped(document, "traffic") {
        return Ok(Mapped::Skipped(why));
    }
    let mut data = document.object("event").ok_or_else(|| Rejected::field("event", "must be an object"))?;
    let asked_for = reporter.map(|name| raw(&name)).transpose()?;
    // A report that names no reporter is of the one that its subject named.
    let of_subject =
        document.object("meta").and_then(|meta| meta.get("reporter_id")).filter(|_| !data.has("reporter_id"));
    if let Some(reporter) = asked_for.as_deref().or(of_subject) {
        data.put("reporter_id", reporter);
    }
    draft(document, data.to_text()?)
}

fn why_skipped(document: &Item<'_>, wanted: &str) -> Option<Skipped> {
    if document.text("position").is_some_and(|position| position.ends_with(TEST)) {
        return Some(Skipped::Test);
    }
    match document.text(KIND).as_deref() {
        Some("traffic") if wanted != "traffic" => Some(Skipped::ForFormat("traffic")),
        Some("audit") if wanted != "audit" => Some(Skipped::ForFormat("audit")),
        Some(_) | None => None,
    }
}

fn draft(document: &mut Item<'_>, data: String) -> Result<Mapped<'static>, Rejected> {
    let id = id_of(document.take("id"))?.ok_or_else(|| Rejected::missing("id"))?;
    let time = document.text("timestamp").ok_or_else(|| Rejected::missing("timestamp"))?;
    let time = Timestamp::parse(&time).map_err(|error| Rejected::field("timestamp", error.to_string()))?;
    Ok(Mapped::Event(Draft { id, time: Some(time), data: data.into() }))
}
