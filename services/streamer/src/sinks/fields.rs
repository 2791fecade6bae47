//! The fields of an event that have no place in NetBird's envelope, or that it cannot hold as they are, as they were
//! published.
//!
//! Invariant: what a publisher is free to write (`event_payload`) passes whole and to the digit. It is copied as text
//! and never read, so that no null, no empty object and no number in it changes. Only fields that are ours are left out
//! where they say nothing.

use std::sync::LazyLock;

use model::audit;
use model::audit::fields::{FIELDS, Field};
use model::time::Timestamp;
use model::traffic::Report;
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use serde_json::{Map, Value};

/// The fields of one event, by name.
#[derive(Clone, Debug)]
pub(super) enum Fields<'a> {
    /// Written from the event itself, so that all passes as it stands there.
    Audit(&'a audit::Event),
    /// All of known types.
    Traffic(Map<String, Value>),
}

/// The fields of an audit event in the order of their names. None: its source, which is no field of the table.
static AUDIT_BY_NAME: LazyLock<Vec<(&str, Option<&Field>)>> = LazyLock::new(|| {
    let mut fields: Vec<_> = FIELDS.iter().map(|field| (field.name, Some(field))).chain([("source", None)]).collect();
    fields.sort_unstable_by_key(|(name, _)| *name);
    fields
});

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

impl Fields<'_> {
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
        serde_json::to_string(self).unwrap_or_default()
    }
}

impl Serialize for Fields<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let event = match self {
            Self::Audit(event) => event,
            Self::Traffic(fields) => return fields.serialize(serializer),
        };
        let mut map = serializer.serialize_map(None)?;
        for (name, field) in AUDIT_BY_NAME.iter() {
            let Some(field) = field else {
                map.serialize_entry(name, &event.source)?;
                continue;
            };
            // What was published as null counts as not given.
            let value = field.get(&event.given).filter(|value| !value.is_null());
            if let Some(value) = value.filter(|_| !is_in_envelope(event, name)) {
                map.serialize_entry(name, &value)?;
            }
        }
        map.end()
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
