//! Events as NetBird itself streams them, for receivers that were written for it.

use std::borrow::Cow;

use model::audit::known_text;
use model::template::Field;
use model::time::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value};

use super::document::{self, Envelope, json_bytes};
use crate::sink::{Item, Kind};

/// The body of NetBird's generic HTTP integration.
#[derive(Serialize)]
pub(super) struct Body<'a> {
    #[serde(rename = "ID")]
    id: &'a str,
    #[serde(rename = "Timestamp")]
    timestamp: String,
    #[serde(rename = "Message")]
    message: Cow<'a, str>,
    #[serde(rename = "InitiatorID")]
    initiator_id: &'a str,
    target_id: &'a str,
    meta: Map<String, Value>,
    reference: &'a str,
    #[serde(skip)]
    time: Timestamp,
}

impl<'a> Body<'a> {
    pub(super) fn new(item: &'a Item) -> Self {
        let Envelope { timestamp, message: _, id, initiator_id, target_id, meta, reference } = Envelope::new(item);
        let [initiator_id, target_id, reference] = match &item.kind {
            Kind::Audit(_) => [initiator_id, target_id, reference],
            // What NetBird says of a flow is all in `meta`.
            Kind::Traffic(_) => [""; 3],
        };
        Self { id, timestamp, message: message(item), initiator_id, target_id, meta, reference, time: item.time }
    }

    pub(super) fn to_json(&self) -> Vec<u8> {
        json_bytes(self)
    }

    /// What a template asks for.
    pub(super) fn field(&self, field: &Field) -> Value {
        match field {
            Field::Id => Value::from(self.id),
            Field::Timestamp => Value::from(self.timestamp.as_str()),
            Field::TimestampAs(layout) => Value::from(layout.format(self.time)),
            Field::TimestampIn(unit) => Value::from(unit.count(self.time)),
            Field::Message => Value::from(self.message.as_ref()),
            Field::InitiatorId => Value::from(self.initiator_id),
            Field::TargetId => Value::from(self.target_id),
            Field::Meta => Value::Object(self.meta.clone()),
            Field::MetaMember(name) => self.meta.get(name).cloned().unwrap_or_default(),
            Field::Reference => Value::from(self.reference),
        }
    }
}

/// What happened, in words. NetBird's own texts are in lower case where it streams them, unlike in its API; a publisher's
/// stand as they are.
pub(super) fn message(item: &Item) -> Cow<'_, str> {
    match &item.kind {
        Kind::Audit(event) if known_text(&event.event_type) == Some(event.activity()) => {
            Cow::Owned(event.activity().to_lowercase())
        }
        Kind::Audit(_) | Kind::Traffic(_) => Cow::Borrowed(document::message(item)),
    }
}
