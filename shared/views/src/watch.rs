//! What is recorded of a question that reads a log: people are told who has looked at what.

use model::audit::{AUDIT_READ, TRAFFIC_READ};
use model::paging::Rows;
use serde::Serialize;
use serde_json::Value;

/// A longer filter is recorded as the beginning of its text.
const MAX_FILTER_BYTES: usize = 4096;

/// A log whose readers are recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Log {
    /// Who did what.
    Audit,
    /// What talked to what.
    Traffic,
}

impl Log {
    /// Its name in records.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Audit => "audit",
            Self::Traffic => "traffic",
        }
    }

    /// The type of the events that record its being read.
    #[must_use]
    pub const fn read(self) -> &'static str {
        match self {
            Self::Audit => AUDIT_READ,
            Self::Traffic => TRAFFIC_READ,
        }
    }

    /// What it is to read in it, in words.
    #[must_use]
    pub const fn activity(self) -> &'static str {
        match self {
            Self::Audit => "Audit log read",
            Self::Traffic => "Traffic log read",
        }
    }
}

/// What is recorded of a question `Q` and its answer `A`.
#[derive(Debug)]
pub struct Watch<Q, A> {
    /// The log it reads.
    pub log: Log,
    /// What it asks for, as JSON. Only what is given of it.
    pub filter: fn(&Q) -> Value,
    /// How much the answer tells.
    pub seen: fn(&A) -> Seen,
}

/// How much was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Rows in the answer.
    pub rows: u64,
    /// Rows that there are.
    pub total: u64,
}

impl Seen {
    /// An answer that is all there is.
    pub(crate) fn all(rows: usize) -> Self {
        Self { rows: rows as u64, total: rows as u64 }
    }

    /// One page.
    pub(crate) fn page<T>(rows: &Rows<T>) -> Self {
        Self { rows: rows.rows.len() as u64, total: rows.total }
    }
}

/// The parts of a filter that are given. Numbers that no event can have may be too large for anything but text.
pub(crate) fn given<F: Serialize>(filter: &F) -> Value {
    let text = serde_json::to_string(filter).unwrap_or_default();
    let mut value: Value = serde_json::from_str(&text).unwrap_or_default();
    drop_empty(&mut value);
    let mut text = value.to_string();
    if text.len() <= MAX_FILTER_BYTES {
        return value;
    }
    let end = (0..=MAX_FILTER_BYTES).rev().find(|end| text.is_char_boundary(*end));
    text.truncate(end.unwrap_or_default());
    Value::String(text)
}

fn drop_empty(value: &mut Value) {
    let Value::Object(members) = value else { return };
    members.values_mut().for_each(drop_empty);
    members.retain(|_, value| match value {
        Value::Null => false,
        Value::Array(items) => !items.is_empty(),
        Value::Object(members) => !members.is_empty(),
        Value::Bool(_) | Value::Number(_) | Value::String(_) => true,
    });
}

#[cfg(test)]
mod tests {
    use model::audit::Filter;
    use model::paging::Period;
    use model::time::Timestamp;
    use serde_json::json;

    use super::*;

    #[test]
    fn only_what_is_given_of_a_filter_is_recorded() {
        assert_eq!(given(&Filter::default()), json!({}));
        let period = Period { from: Some(Timestamp::EPOCH), to: None };
        let filter =
            Filter { event_types: vec!["a.b".to_owned()], period, status: Some(String::new()), ..Filter::default() };
        let expected = json!({"event_types": ["a.b"], "period": {"from": "1970-01-01T00:00:00Z"}, "status": ""});
        assert_eq!(given(&filter), expected);
    }

    #[test]
    fn a_filter_of_any_size_is_recorded_in_a_few_kilobytes() {
        for (search, user_id) in [("\u{e4}".repeat(1 << 20), None), (String::new(), Some(i128::MAX))] {
            let filter = Filter { search: Some(search), user_id, ..Filter::default() };
            let text = given(&filter).to_string();
            assert!((2..2 * MAX_FILTER_BYTES).contains(&text.len()), "{}", text.len());
        }
    }
}
