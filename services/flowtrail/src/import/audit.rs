//! Flowtrail's own audit events; the items of the audit lists that NetBird (`GET /api/events/audit`), InstaVM (`GET
//! /v1/audit/events`) and vRNI (`POST /api/ni/logs/audit`) answer with; and what Flowtrail's and NetBird's integrations
//! have written into a bucket or to a web hook: one object a line, arrays, or the whole answer.
//!
//! | member | Flowtrail |
//! |---|---|
//! | `id`, a text or a number | event id; without one: a hash of the item |
//! | `time`, else `timestamp` (NetBird), else `created_at` (InstaVM) | the event's time; without one: when the log receives it |
//! | `initiator_id`, `initiator_name`, `initiator_email` (NetBird) | `actor_id`, `actor_name`, `actor_email`, where these say nothing |
//! | `target_id` (NetBird) | `resource_id`, where that says nothing |
//! | `ip_address`, `node_ip` | an IPv6 address in the one spelling that all have |
//! | everything else | as it stands |
//!
//! An event with an id that the account has already is not published: a list does not show all of an event, so that
//! what it shows would be another event of the same id.

use model::time::Timestamp;
use serde_json::value::RawValue;

use super::draft::{Draft, Mapped, Rejected, id_of_text};
use super::item::{Item, id_of, respelled};
use super::{archive, netbird, vrni};

/// The names of the time, the one that counts first.
const TIMES: [&str; 3] = ["time", "timestamp", "created_at"];
/// NetBird's names and the canonical ones.
const RENAMED: [(&str, &str); 4] = [
    ("initiator_id", "actor_id"),
    ("initiator_name", "actor_name"),
    ("initiator_email", "actor_email"),
    ("target_id", "resource_id"),
];

/// Maps one item.
pub(super) fn map(text: &str) -> Result<Mapped<'static>, Rejected> {
    let mut item = Item::parse(text)?;
    if archive::is_archived(&item) {
        return archive::audit(&mut item);
    }
    if netbird::is_streamed(&item) {
        return netbird::audit(text, &item);
    }
    if vrni::is_row(&item) {
        return vrni::map(text, &item);
    }
    listed(text, item)
}

/// An event of Flowtrail's own, or of a list.
fn listed(text: &str, item: Item<'_>) -> Result<Mapped<'static>, Rejected> {
    let of = |name: &str| item.get(name).map_or(Ok(None), respelled);
    let (ip_address, node_ip) = (of("ip_address")?, of("node_ip")?);
    let mut item = item;
    let id = id_of(item.take("id"))?.unwrap_or_else(|| id_of_text("audit", text));
    let mut time = None;
    for name in TIMES {
        let other = item.take(name).map(|value| read_time(name, value)).transpose()?;
        time = time.or(other);
    }
    for (from, to) in RENAMED {
        item.rename(from, to);
    }
    for (name, address) in [("ip_address", &ip_address), ("node_ip", &node_ip)] {
        if let Some(address) = address {
            item.put(name, address);
        }
    }
    Ok(Mapped::Event(Draft { id, time, data: item.to_text()?.into() }))
}

fn read_time(name: &str, value: &RawValue) -> Result<Timestamp, Rejected> {
    serde_json::from_str(value.get())
        .map_err(|_| Rejected::field(name, "must be an RFC 3339 time such as 2024-01-31T23:59:59Z"))
}

#[cfg(test)]
mod tests;
