//! Flowtrail's own traffic reports; the items that `GET /api/events/network-traffic` answers with; and what Flowtrail's
//! and NetBird's integrations have written into a bucket or to a web hook: one object a line, arrays, or the whole
//! answer.
//!
//! | member | Flowtrail |
//! |---|---|
//! | `id`, a text or a number | event id; without one: a hash of the item |
//! | `time`, else the earliest of `events`, else `window_start` | the event's time; without any the item is rejected: the time of its import would be another each time |
//! | `reporter_id` | as it stands; without one: `import` |
//! | what Flowtrail itself has computed for an answer | nothing, see below |
//! | `address` of `source` and `destination` | an IPv6 address in the one spelling that all have |
//! | everything else | as it stands: the text is passed on, not written again |
//!
//! An item whose `id` is that of a record of Flowtrail's (a hash of its key) came out of Flowtrail. Where such a record
//! has no window, the answer shows its first and last event's time as window; where it has no protocol, 0; and so on.
//! These are left out, so that an answer that is imported where it came from changes nothing, and elsewhere makes the
//! same record.

use std::borrow::Cow;

use model::json::{self, integer};
use model::time::Timestamp;
use model::traffic::{EventType, IcmpData, RecordKey, SubEvent};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use super::draft::{Draft, Mapped, Rejected, id_of_text};
use super::item::{Item, id_of, raw, respelled};
use super::{addresses, archive, netbird};

/// The reporter where neither the item nor the command line names one.
const REPORTER: &str = "import";

/// What must be known of an item; all of it is checked when it gets its envelope.
#[derive(Deserialize)]
struct Report<'a> {
    #[serde(borrow)]
    id: Option<&'a RawValue>,
    time: Option<Timestamp>,
    #[serde(borrow)]
    flow_id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    reporter_id: Option<Cow<'a, str>>,
    #[serde(default, deserialize_with = "integer")]
    protocol: Option<u16>,
    icmp: Option<IcmpData>,
    #[serde(default, deserialize_with = "integer")]
    num_of_starts: Option<u64>,
    #[serde(default, deserialize_with = "integer")]
    num_of_ends: Option<u64>,
    #[serde(default, deserialize_with = "integer")]
    num_of_drops: Option<u64>,
    window_start: Option<Timestamp>,
    window_end: Option<Timestamp>,
    events: Option<Vec<SubEvent>>,
    #[serde(borrow)]
    source: Option<End<'a>>,
    #[serde(borrow)]
    destination: Option<End<'a>>,
    /// What an archive of Flowtrail's has, and no report.
    event: Option<IgnoredAny>,
    position: Option<IgnoredAny>,
    /// What NetBird streams has, and no report.
    message: Option<IgnoredAny>,
    #[serde(rename = "Message")]
    posted_message: Option<IgnoredAny>,
}

/// One end of a flow.
#[derive(Deserialize)]
struct End<'a> {
    #[serde(borrow)]
    address: Option<Cow<'a, str>>,
}

/// Maps one item; `reporter` stands above what it says.
pub(super) fn map<'a>(text: &'a str, reporter: Option<&str>) -> Result<Mapped<'a>, Rejected> {
    let report: Report<'_> = json::read_part(text.as_bytes())?;
    if report.event.is_some() && report.position.is_some() {
        return archive::traffic(&mut Item::parse(text)?, reporter);
    }
    if report.message.is_some() || report.posted_message.is_some() {
        return netbird::traffic(text, reporter, REPORTER);
    }
    let given_id = id_of(report.id)?;
    let earliest = report.events().iter().map(|event| event.timestamp).min();
    let time = report.time.or(earliest).or(report.window_start).ok_or_else(|| Rejected::missing("time"))?;
    let computed = given_id.as_deref().map(|id| report.computed_in_answer(id)).unwrap_or_default();
    let unnamed = report.reporter_id.as_deref().unwrap_or_default().is_empty().then_some(REPORTER);
    let data = match (computed.as_slice(), reporter.or(unnamed)) {
        ([], None) if !report.has_other_spelling() => Cow::Borrowed(text),
        (_, reporter) => Cow::Owned(rewritten(text, &computed, reporter)?),
    };
    let id = given_id.unwrap_or_else(|| id_of_text("traffic", text));
    Ok(Mapped::Event(Draft { id, time: Some(time), data }))
}

fn rewritten(text: &str, left_out: &[&str], reporter: Option<&str>) -> Result<String, Rejected> {
    let reporter = reporter.map(|name| raw(&name)).transpose()?;
    let mut item = Item::parse(text)?;
    for name in left_out {
        item.take(name);
    }
    let (source, destination) = (with_one_spelling(&item, "source")?, with_one_spelling(&item, "destination")?);
    for (name, value) in [("reporter_id", &reporter), ("source", &source), ("destination", &destination)] {
        if let Some(value) = value {
            item.put(name, value);
        }
    }
    item.to_text()
}

/// The end of a flow with its address spelled as all are; `None` when it is already.
fn with_one_spelling(item: &Item<'_>, name: &str) -> Result<Option<Box<RawValue>>, Rejected> {
    let Some(mut end) = item.object(name) else { return Ok(None) };
    let Some(address) = end.get("address").map_or(Ok(None), respelled)? else { return Ok(None) };
    end.put("address", &address);
    let text = end.to_text()?;
    RawValue::from_string(text).map(Some).map_err(|error| Rejected::field(name, error.to_string()))
}

impl Report<'_> {
    /// Whether an address is spelled in another way than every other.
    fn has_other_spelling(&self) -> bool {
        let ends = [&self.source, &self.destination];
        let mut given = ends.into_iter().flatten().filter_map(|end| end.address.as_deref());
        given.any(|address| addresses::respelled(address).is_some())
    }

    fn events(&self) -> &[SubEvent] {
        self.events.as_deref().unwrap_or_default()
    }

    /// The members that Flowtrail has computed, if it was Flowtrail that answered with this item.
    fn computed_in_answer(&self, id: &str) -> Vec<&'static str> {
        let window_start = self.window_start;
        let without_window = self.is_record(id, None);
        let with_window = window_start.is_some() && self.is_record(id, window_start);
        if !(without_window || with_window) {
            return Vec::new();
        }
        let latest = self.events().iter().map(|event| event.timestamp).max();
        let as_many = |given: Option<u64>, event_type| given == Some(self.count(event_type));
        let members = [
            ("window_start", without_window),
            ("window_end", self.window_end == latest),
            ("num_of_starts", as_many(self.num_of_starts, EventType::Start)),
            ("num_of_ends", as_many(self.num_of_ends, EventType::End)),
            ("num_of_drops", as_many(self.num_of_drops, EventType::Drop)),
            ("protocol", self.protocol == Some(0)),
            ("icmp", self.icmp == Some(IcmpData::default())),
        ];
        members.into_iter().filter_map(|(name, is_computed)| is_computed.then_some(name)).collect()
    }

    fn is_record(&self, id: &str, window_start: Option<Timestamp>) -> bool {
        let text = |text: &Option<Cow<'_, str>>| text.as_deref().unwrap_or_default().to_owned();
        let key = RecordKey { reporter_id: text(&self.reporter_id), flow_id: text(&self.flow_id), window_start };
        key.id().to_string() == id
    }

    fn count(&self, event_type: EventType) -> u64 {
        self.events().iter().filter(|event| event.event_type == event_type).count() as u64
    }
}

#[cfg(test)]
mod tests;
