//! Messages that a stream should hold and does not.
//!
//! Invariant: nothing counts as damage that can have been meant. What an operator deleted the server lists as deleted,
//! and what retention took stands before its first sequence. So damage is what the server itself says it lost, what it
//! lists as deleted from a stream that nobody can delete from, and what was passed over in reading and is neither.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;

use async_nats::jetstream::ErrorCode;
use async_nats::jetstream::response::Response;
use model::log::Stream;
use serde::Deserialize;
use serde_json::json;

use crate::{Bus, LoadError};

/// What is missing from a stream.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Damage {
    /// The sequences of messages that are missing, in order.
    pub missing: Vec<RangeInclusive<u64>>,
    /// Bytes that the server says it lost since it was started. It does not always know of which messages.
    pub lost_bytes: u64,
}

/// What the server says of a stream, as far as it matters here.
#[derive(Debug, Deserialize)]
struct Info {
    config: Config,
    state: State,
}

#[derive(Debug, Deserialize)]
struct Config {
    #[serde(default)]
    deny_delete: bool,
}

#[derive(Debug, Deserialize)]
struct State {
    first_seq: u64,
    #[serde(default)]
    num_deleted: u64,
    /// Listed where that was asked for.
    #[serde(default)]
    deleted: Vec<u64>,
    #[serde(default)]
    lost: Option<Lost>,
}

#[derive(Debug, Deserialize)]
struct Lost {
    /// None where the server does not know.
    #[serde(default)]
    msgs: Option<Vec<u64>>,
    #[serde(default)]
    bytes: u64,
}

impl Damage {
    /// Whether nothing is missing.
    #[must_use]
    pub fn is_none(&self) -> bool {
        self.missing.is_empty() && self.lost_bytes == 0
    }

    /// How many messages are missing, as far as that is known.
    #[must_use]
    pub fn messages(&self) -> u64 {
        self.missing.iter().map(|range| range.end() - range.start() + 1).sum()
    }

    fn of(info: &Info, passed_over: &[RangeInclusive<u64>]) -> Self {
        let State { first_seq, deleted, lost, .. } = &info.state;
        let lost_messages = lost.iter().flat_map(|lost| lost.msgs.iter().flatten()).copied();
        let mut missing: BTreeSet<u64> = lost_messages.collect();
        let deleted: BTreeSet<u64> = deleted.iter().copied().collect();
        missing.extend(passed_over.iter().cloned().flatten().filter(|sequence| !deleted.contains(sequence)));
        if info.config.deny_delete {
            missing.extend(deleted);
        }
        // What retention has taken since is missed by nobody.
        let missing = ranges(missing.split_off(first_seq));
        Self { missing, lost_bytes: lost.as_ref().map_or(0, |lost| lost.bytes) }
    }
}

/// Sequences that follow one another, taken together.
fn ranges(sequences: BTreeSet<u64>) -> Vec<RangeInclusive<u64>> {
    let mut ranges: Vec<RangeInclusive<u64>> = Vec::new();
    for sequence in sequences {
        match ranges.last_mut() {
            Some(last) if last.end() + 1 == sequence => *last = *last.start()..=sequence,
            Some(_) | None => ranges.push(sequence..=sequence),
        }
    }
    ranges
}

impl Bus {
    /// What is missing from a stream, also of what was [passed over](crate::Consumer::passed_over) in reading it.
    ///
    /// # Errors
    /// [`LoadError`].
    pub async fn damage(&self, stream: Stream, passed_over: &[RangeInclusive<u64>]) -> Result<Damage, LoadError> {
        let info = self.info(stream, false).await?;
        let lists_deleted = info.state.num_deleted > 0 && (info.config.deny_delete || !passed_over.is_empty());
        // Where many were replaced by newer ones the list is long, so it is not asked for without need.
        let info = if lists_deleted { self.info(stream, true).await? } else { info };
        // A range that lies before the first sequence is long where retention took much, and of no interest.
        let first = info.state.first_seq;
        let left = passed_over.iter().filter(|range| *range.end() >= first);
        let left: Vec<_> = left.map(|range| *range.start().max(&first)..=*range.end()).collect();
        Ok(Damage::of(&info, &left))
    }

    /// Asks in the server's own words, which the client library does not know all of.
    async fn info(&self, stream: Stream, lists_deleted: bool) -> Result<Info, LoadError> {
        self.connected().await?;
        let request = json!({ "deleted_details": lists_deleted });
        let asked = self.jetstream.request(format!("STREAM.INFO.{}", stream.name()), &request).await;
        match asked.map_err(|error| LoadError::Unreachable(error.into()))? {
            Response::Ok(info) => Ok(info),
            Response::Err { error } if error.error_code() == ErrorCode::STREAM_NOT_FOUND => {
                Err(LoadError::Missing { stream })
            }
            Response::Err { error } => Err(LoadError::Unreachable(error.into())),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    /// Of a stream from which one can delete, or not.
    fn missing(deny_delete: bool, state: &Value, passed_over: &[RangeInclusive<u64>]) -> Damage {
        let info = json!({ "config": { "deny_delete": deny_delete }, "state": state });
        Damage::of(&serde_json::from_value(info).unwrap(), passed_over)
    }

    #[test]
    fn what_was_deleted_or_forgotten_is_not_missing() {
        let state = json!({ "first_seq": 10, "num_deleted": 3, "deleted": [12, 13, 20] });
        assert!(missing(false, &state, &[1..=9, 12..=13, 20..=20]).is_none());
        assert_eq!(missing(false, &state, &[12..=15]).missing, [14..=15]);
        assert_eq!(missing(true, &state, &[]).missing, [12..=13, 20..=20], "nobody can have deleted them");
    }

    #[test]
    fn what_the_server_lost_is_missing_whether_it_knows_the_messages_or_not() {
        let lost = |lost: Value| json!({ "first_seq": 2, "lost": lost });
        let known = missing(false, &lost(json!({ "msgs": [1, 5, 6], "bytes": 70 })), &[6..=7]);
        assert_eq!(known, Damage { missing: vec![5..=7], lost_bytes: 70 });
        assert_eq!(known.messages(), 3);
        let unknown = missing(false, &lost(json!({ "msgs": null, "bytes": 70 })), &[]);
        assert_eq!((unknown.messages(), unknown.is_none()), (0, false));
    }
}
