//! What an object is called: the partition that it is in, and a name that sorts as the log does.
//!
//! Invariant: every event of an object is of the kind and hour that the object's name says, so that an engine that looks
//! into one partition alone misses none. No partition is named as a field of the rows is: engines would take the one for
//! the other, and find no row where the values differ, or the column twice.

use std::fmt::Write;

use chrono::{DateTime, Utc};
use model::time::Timestamp;
use sha2::{Digest, Sha256};

use crate::sink::{Item, Kind, Partition};

const HOUR: i64 = 3600 * 1_000_000;

/// The hour of an event, as a number, and its kind. A test is of no kind: it is to be in nobody's counts.
pub(super) fn partition(item: &Item) -> Partition {
    let kind = match item.kind {
        _ if item.is_test() => "test",
        Kind::Audit(_) => "audit",
        Kind::Traffic(_) => "flow",
    };
    Partition { part: item.time.micros().div_euclid(HOUR), kind }
}

/// The name of an object of one partition, without what its format adds. The digest tells apart what has the same
/// numbers and is not the same: another stream, part of a message, a log that was begun again.
pub(super) fn key(items: &[&Item]) -> String {
    let mut digest = Sha256::new();
    for item in items {
        digest.update(format!("{} {} {} {}\n", item.stream, item.sequence, item.index, item.id));
    }
    let mut hash = String::new();
    for byte in digest.finalize().iter().take(8) {
        // Writing to a text never fails.
        let _ = write!(hash, "{byte:02x}");
    }
    let first = items.first().copied();
    let account = first.map_or("", |item| item.account.as_str());
    let kind = first.map_or("", |item| partition(item).kind);
    let hour = hour(first.map_or(Timestamp::EPOCH, |item| item.time));
    let sequence = |item: Option<&&Item>| item.map_or(0, |item| item.sequence);
    let (first, last) = (sequence(items.first()), sequence(items.last()));
    format!("account={account}/event_kind={kind}/{hour}/{first:020}-{last:020}-{hash}")
}

fn hour(time: Timestamp) -> String {
    let time = DateTime::<Utc>::from_timestamp_micros(time.micros()).unwrap_or_default();
    time.format("dt=%Y-%m-%d/hr=%H").to_string()
}
