//! What is recorded of each question that a caller can ask: every new question has to say it here.

use std::collections::{BTreeMap, BTreeSet};

use model::paging::Rows;
use serde::Serialize;
use serde_json::{Value, json};
use views::{Question, audit, integrations, traffic};

use crate::http::origin::cut;

/// A longer filter is recorded as the beginning of its text.
const MAX_FILTER_BYTES: usize = 4096;

/// A log whose readers are recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Log {
    Audit,
    Traffic,
}

impl Log {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Audit => "audit",
            Self::Traffic => "traffic",
        }
    }

    pub(super) const fn activity(self) -> &'static str {
        match self {
            Self::Audit => "Audit log read",
            Self::Traffic => "Traffic log read",
        }
    }
}

/// How much was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    /// Rows in the answer.
    pub(crate) rows: u64,
    /// Rows that there are.
    pub(crate) total: u64,
}

/// A question that was answered.
#[derive(Debug)]
pub(crate) struct Read {
    pub(super) log: Option<Log>,
    /// The question's name on the bus.
    pub(super) question: &'static str,
    pub(super) filter: Value,
    pub(super) seen: Seen,
}

impl Read {
    pub(crate) fn of<Q: Watched>(filter: Value, seen: Seen) -> Self {
        Self { log: Q::LOG, question: Q::PATH, filter, seen }
    }
}

/// A question whose asking may have to be recorded.
pub(crate) trait Watched: Question {
    /// The log it reads; none: what it tells is no log.
    const LOG: Option<Log>;

    /// What it asks for.
    fn filter(&self) -> Value;

    /// How much its answer tells.
    fn seen(answer: &Self::Answer) -> Seen;
}

impl Watched for audit::List {
    const LOG: Option<Log> = Some(Log::Audit);

    fn filter(&self) -> Value {
        given(&self.filter)
    }

    fn seen(answer: &Self::Answer) -> Seen {
        of_rows(answer)
    }
}

impl Watched for audit::ById {
    const LOG: Option<Log> = Some(Log::Audit);

    fn filter(&self) -> Value {
        given(&json!({ "id": self.id }))
    }

    fn seen(answer: &Self::Answer) -> Seen {
        let rows = answer.iter().count() as u64;
        Seen { rows, total: rows }
    }
}

impl Watched for audit::Catalog {
    const LOG: Option<Log> = Some(Log::Audit);

    fn filter(&self) -> Value {
        json!({})
    }

    fn seen(answer: &BTreeMap<String, BTreeSet<String>>) -> Seen {
        let rows = answer.values().map(|types| types.len() as u64).sum();
        Seen { rows, total: rows }
    }
}

impl Watched for traffic::List {
    const LOG: Option<Log> = Some(Log::Traffic);

    fn filter(&self) -> Value {
        given(&self.filter)
    }

    fn seen(answer: &Self::Answer) -> Seen {
        of_rows(answer)
    }
}

impl Watched for integrations::List {
    const LOG: Option<Log> = None;

    fn filter(&self) -> Value {
        Value::Null
    }

    fn seen(answer: &Self::Answer) -> Seen {
        Seen { rows: answer.len() as u64, total: answer.len() as u64 }
    }
}

impl Watched for integrations::ById {
    const LOG: Option<Log> = None;

    fn filter(&self) -> Value {
        Value::Null
    }

    fn seen(answer: &Self::Answer) -> Seen {
        let rows = answer.iter().count() as u64;
        Seen { rows, total: rows }
    }
}

fn of_rows<T>(answer: &Rows<T>) -> Seen {
    Seen { rows: answer.rows.len() as u64, total: answer.total }
}

/// The parts of a filter that are given. Numbers that no event can have may be too large for anything but text.
fn given<F: Serialize>(filter: &F) -> Value {
    let text = serde_json::to_string(filter).unwrap_or_default();
    let mut value: Value = serde_json::from_str(&text).unwrap_or_default();
    drop_empty(&mut value);
    let text = value.to_string();
    if text.len() > MAX_FILTER_BYTES { Value::String(cut(&text, MAX_FILTER_BYTES).to_owned()) } else { value }
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
