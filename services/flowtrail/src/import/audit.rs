//! Flowtrail's own audit events, and the items of the audit lists that NetBird (`GET /api/events/audit`) and InstaVM
//! (`GET /v1/audit/events`) answer with: one object a line, arrays, or the whole answer.
//!
//! | member | Flowtrail |
//! |---|---|
//! | `id`, a text or a number | event id; without one: a hash of the item |
//! | `time`, else `timestamp` (NetBird), else `created_at` (InstaVM) | the event's time; without one: when the log receives it |
//! | `initiator_id`, `initiator_name`, `initiator_email` (NetBird) | `actor_id`, `actor_name`, `actor_email`, where these say nothing |
//! | `target_id` (NetBird) | `resource_id`, where that says nothing |
//! | everything else | as it stands |

use std::borrow::Cow;

use model::time::Timestamp;
use serde_json::value::RawValue;

use super::draft::{Draft, Rejected, id_of_text};
use super::item::{Item, id_of};

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
pub(super) fn map(text: &str) -> Result<Draft<'static>, Rejected> {
    let mut item = Item::parse(text)?;
    let id = id_of(item.take("id"))?.unwrap_or_else(|| id_of_text("audit", text));
    let mut time = None;
    for name in TIMES {
        let other = item.take(name).map(|value| read_time(name, value)).transpose()?;
        time = time.or(other);
    }
    for (from, to) in RENAMED {
        item.rename(from, to);
    }
    Ok(Draft { id, time, data: Cow::Owned(item.to_text()?) })
}

fn read_time(name: &str, value: &RawValue) -> Result<Timestamp, Rejected> {
    serde_json::from_str(value.get())
        .map_err(|_| Rejected::field(name, "must be an RFC 3339 time such as 2024-01-31T23:59:59Z"))
}

#[cfg(test)]
mod tests;
