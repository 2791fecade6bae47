//! A question that was answered, as far as it is recorded.

use serde_json::Value;
use views::{Log, Question, Seen};

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
    pub(crate) fn of<Q: Question>(filter: Value, seen: Seen) -> Self {
        Self { log: Q::WATCH.map(|watch| watch.log), question: Q::PATH, filter, seen }
    }
}
