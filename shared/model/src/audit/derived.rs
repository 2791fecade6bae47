//! Audit events that nobody publishes: integration and access events are audit events too, by projection.

use serde_json::json;

use super::Event;
use super::fields::Fields;
use super::reserved::OWN_SOURCE;
use crate::access::{self, Actor};
use crate::integration;
use crate::json::Json;

impl From<&integration::Recorded> for Event {
    fn from(recorded: &integration::Recorded) -> Self {
        use integration::Event as Happened;
        let (verb, platform, by) = match &recorded.event {
            Happened::Created(data) => ("create", data.platform, &data.by),
            Happened::Updated(data) => ("update", data.platform, &data.by),
            Happened::Deleted(data) => ("delete", data.platform, &data.by),
            Happened::Paused(data) => ("pause", data.platform, &data.by),
            Happened::Resumed(data) => ("resume", data.platform, &data.by),
            Happened::ReplayRequested(data) => ("replay", data.platform, &data.by),
            Happened::RedriveRequested(data) => ("redrive", data.platform, &data.by),
        };
        let given = Fields {
            resource_type: Some("event_streaming".to_owned()),
            resource_id: Some(format!("event_streaming:{}", recorded.id)),
            meta: Some(Json::from(&json!({ "platform": platform.name() }))),
            ..done_by(by)
        };
        Self {
            id: recorded.event_id.clone(),
            time: recorded.time,
            time_given: true,
            event_type: format!("integration.{verb}"),
            source: OWN_SOURCE.to_owned(),
            given: Box::new(given),
        }
    }
}

impl From<&access::Recorded> for Event {
    fn from(recorded: &access::Recorded) -> Self {
        use access::Event as Happened;
        let (event_type, meta, by) = match &recorded.event {
            Happened::AccountCreated(data) => ("account.create", json!({ "name": data.name }), &data.by),
            Happened::UserCreated(data) => {
                let mut meta = json!({ "email": data.email, "name": data.name });
                if let Some(scopes) = &data.scopes {
                    meta["scopes"] = json!(scopes);
                }
                ("user.create", meta, &data.by)
            }
            Happened::UserChanged(data) => {
                ("user.role.update", json!({ "email": data.email, "scopes": data.scopes }), &data.by)
            }
            Happened::UserDeleted(data) => ("user.delete", json!({ "email": data.email }), &data.by),
            Happened::TokenCreated(data) => {
                ("personal.access.token.create", json!({ "name": data.name, "scopes": data.scopes }), &data.by)
            }
            Happened::TokenDeleted(data) => ("personal.access.token.delete", json!({ "name": data.name }), &data.by),
            Happened::PersonErased(data) => ("person.erased", json!({}), &data.by),
        };
        let given = Fields {
            resource_type: Some(recorded.event.kind().to_owned()),
            resource_id: Some(recorded.id.clone()),
            meta: Some(Json::from(&meta)).filter(|meta| !meta.is_empty_object()),
            ..done_by(by)
        };
        Self {
            id: recorded.event_id.clone(),
            time: recorded.time,
            time_given: true,
            event_type: event_type.to_owned(),
            source: OWN_SOURCE.to_owned(),
            given: Box::new(given),
        }
    }
}

fn done_by(actor: &Actor) -> Fields {
    Fields {
        actor_id: Some(actor.id.clone()),
        actor_name: actor.name.clone(),
        actor_email: actor.email.clone(),
        ..Fields::default()
    }
}
