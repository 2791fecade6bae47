//! The fields of an event that have no place in NetBird's envelope, as they were published.
//!
//! Invariant: what a publisher is free to write (`event_payload`) passes whole and to the digit. It is copied as text and
//! never read, so that no null, no empty object and no number in it changes. Only fields that are ours are left out
//! where they say nothing.

use std::collections::BTreeMap;

use model::audit;
use model::time::Timestamp;
use model::traffic::Report;
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Map, Value};

/// The fields of one event, by name.
#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
pub(super) enum Fields {
    /// Each as its text.
    Audit(BTreeMap<String, Box<RawValue>>),
    /// All of known types.
    Traffic(Map<String, Value>),
}

/// Fields of an audit event that have a place in the envelope.
const IN_ENVELOPE: [&str; 4] = ["activity", "actor_id", "resource_id", "meta"];

impl Fields {
    /// Of an audit event.
    pub(super) fn of_audit(event: &audit::Event) -> Self {
        let given = serde_json::to_string(&event.given).unwrap_or_default();
        let mut fields: BTreeMap<String, Box<RawValue>> = serde_json::from_str(&given).unwrap_or_default();
        // A field that was not given is null; one that was published as null counts as not given.
        fields.retain(|name, value| !IN_ENVELOPE.contains(&name.as_str()) && value.get() != "null");
        if let Ok(source) = to_raw_value(&event.source) {
            fields.insert("source".to_owned(), source);
        }
        Self::Audit(fields)
    }

    /// Of a traffic report.
    pub(super) fn of_traffic(report: &Report) -> Self {
        let data = &report.data;
        let Ok(Value::Object(mut fields)) = serde_json::to_value(data) else { return Self::Traffic(Map::new()) };
        fields.retain(|_, value| has_content(value));
        for (name, time) in [("window_start", data.window_start), ("window_end", data.window_end)] {
            if let Some(time) = time {
                fields.insert(name.to_owned(), six_digits(time));
            }
        }
        if let Some(Value::Array(events)) = fields.get_mut("events") {
            for (shown, event) in events.iter_mut().zip(&data.events) {
                shown["timestamp"] = six_digits(event.timestamp);
            }
        }
        Self::Traffic(fields)
    }

    /// As JSON.
    pub(super) fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// Query engines tell a column's type by how its values are written, so all times are written alike.
fn six_digits(time: Timestamp) -> Value {
    Value::String(time.to_six_digits())
}

/// Takes out what says nothing, and tells whether something is left. Of typed fields alone: there, null is "not given".
fn has_content(value: &mut Value) -> bool {
    match value {
        Value::Null => false,
        Value::Object(fields) => {
            fields.retain(|_, value| has_content(value));
            !fields.is_empty()
        }
        Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => true,
    }
}
