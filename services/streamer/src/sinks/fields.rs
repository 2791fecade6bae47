//! The fields of an event that have no place in NetBird's envelope, or that it cannot hold as they are, as they were
//! published.
//!
//! Invariant: what a publisher is free to write (`event_payload`) passes whole and to the digit. It is copied as text
//! and never read, so that no null, no empty object and no number in it changes. Only fields that are ours are left out
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
    /// As text.
    Audit(Box<RawValue>),
    /// All of known types.
    Traffic(Map<String, Value>),
}

/// Whether the envelope says all that a field of an audit event says.
fn is_in_envelope(event: &audit::Event, name: &str) -> bool {
    match name {
        "actor_id" | "resource_id" => true,
        // The envelope has the words that stand for a missing activity as well.
        "activity" => event.given.activity.as_deref() != Some(event.default_activity()),
        // There, all values are texts.
        "meta" => {
            event.given.meta.as_ref().is_none_or(|meta| meta.members().values().all(|value| value.starts_with('"')))
        }
        _ => false,
    }
}

impl Fields {
    /// Of an audit event.
    pub(super) fn of_audit(event: &audit::Event) -> Self {
        let given = serde_json::to_string(&event.given).unwrap_or_default();
        // Only looked through, not copied: most fields of an event are not given.
        let mut fields: BTreeMap<&str, &RawValue> = serde_json::from_str(&given).unwrap_or_default();
        // A field that was not given is null; one that was published as null counts as not given.
        fields.retain(|name, value| !is_in_envelope(event, name) && value.get() != "null");
        let source = to_raw_value(&event.source);
        if let Ok(source) = &source {
            fields.insert("source", source);
        }
        Self::Audit(to_raw_value(&fields).unwrap_or_default())
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
                if let Value::Object(shown) = shown {
                    shown.insert("timestamp".to_owned(), six_digits(event.timestamp));
                }
            }
        }
        Self::Traffic(fields)
    }

    /// As JSON.
    pub(super) fn to_json(&self) -> String {
        match self {
            Self::Audit(fields) => fields.get().to_owned(),
            Self::Traffic(fields) => serde_json::to_string(fields).unwrap_or_default(),
        }
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
