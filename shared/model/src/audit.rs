//! Audit events: who did what. One canonical event stands behind every dialect.

mod activity;
mod decode;
mod derived;
mod filter;
mod shown_as;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub use activity::known_text;
pub use filter::Filter;
pub use shown_as::ShownAs;

use crate::json::{self, Json, Number};
use crate::time::Timestamp;

/// The CloudEvents type of [`Recorded`].
pub const RECORDED: &str = "flowtrail.audit.recorded.v1";

/// The `data` of an audit event, as publishers write it. All optional but `event_type` or `activity_code`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, JsonSchema)]
#[schemars(default)]
pub struct Recorded {
    /// What happened: `<group>.<verb>`, such as `route.add`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event_type: Option<String>,
    /// The same as `event_type`, under NetBird's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub activity_code: Option<String>,
    /// What happened, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub activity: Option<String>,
    /// The group of `event_type`; default: up to its first dot.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event_group: Option<String>,
    /// How it ended: success failure error denied pending started.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// The program that saw it; default: the CloudEvent's source.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// `user` or `system` or another; default: `user` when there is an actor, else `system`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actor_type: Option<String>,
    /// Who did it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actor_id: Option<String>,
    /// Their name; default: the directory's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actor_name: Option<String>,
    /// Their e-mail address; default: the directory's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actor_email: Option<String>,
    /// A number for the user, where the publisher has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_id: Option<i64>,
    /// What kind of thing it was done to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource_type: Option<String>,
    /// What it was done to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource_id: Option<String>,
    /// More about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Map<String, Value>>")]
    pub meta: Option<Json>,
    /// The session it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_id: Option<String>,
    /// The virtual machine it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vm_id: Option<String>,
    /// The task it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub task_id: Option<i64>,
    /// The request that caused it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// What ties it to other events.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub correlation_id: Option<String>,
    /// The HTTP method of the request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub http_method: Option<String>,
    /// The path of the request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// The HTTP status of the answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub http_status: Option<i64>,
    /// How long it took, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<f64>")]
    pub latency_ms: Option<Number>,
    /// Where it came from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ip_address: Option<String>,
    /// The program it came from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_agent: Option<String>,
    /// The address of the node that handled it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub node_ip: Option<String>,
    /// The worker that handled it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub worker_id: Option<String>,
    /// Any JSON; default: `meta`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event_payload: Option<Json>,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_message: Option<String>,
    /// The actor as vRNI shows it; default: the actor's e-mail address, name or id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_name: Option<String>,
    /// What was done, as vRNI shows it; default: the last part of `event_type` in upper case.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operation: Option<String>,
    /// How it ended, as vRNI shows it; default: SUCCESS or FAILURE, by `status`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response: Option<String>,
    /// A value, as vRNI shows it; default: `event_payload` as compact JSON.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// When given, must be the account of the subject.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account_id: Option<String>,
}

/// Why `data` is no audit event.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("event_type: is missing (or activity_code, its other name)")]
pub struct NoEventType;

/// What surrounds the `data` of an audit event.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// The event id.
    pub id: &'a str,
    /// The CloudEvent's source.
    pub source: &'a str,
    /// When it happened, where the publisher said so.
    pub time: Option<Timestamp>,
    /// When the log received it.
    pub received_at: Timestamp,
}

/// One audit event, canonical: what the views hold and every dialect translates.
///
/// What is not given stays empty here; the defaults of the contract are answered by the methods,
/// so that a default can be mended without touching stored rows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// The event id, unique in its account.
    pub id: String,
    /// When it happened; else when the log received it.
    pub time: Timestamp,
    /// Whether the publisher said when it happened.
    pub time_given: bool,
    /// What happened.
    pub event_type: String,
    /// Who published it: `data.source`, else the CloudEvent's.
    pub source: String,
    /// The rest, as given; its `event_type`, `activity_code`, `source` and `account_id` are empty.
    pub given: Given,
}

/// The given fields of an audit event that need no resolving.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the fields of `Recorded`, where they are described")]
pub struct Given {
    pub activity: Option<String>,
    pub event_group: Option<String>,
    pub status: Option<String>,
    pub actor_type: Option<String>,
    pub actor_id: Option<String>,
    pub actor_name: Option<String>,
    pub actor_email: Option<String>,
    pub user_id: Option<i64>,
    pub resource_type: Option<String>,
    pub resource_id: Option<String>,
    pub meta: Option<Json>,
    pub session_id: Option<String>,
    pub vm_id: Option<String>,
    pub task_id: Option<i64>,
    pub request_id: Option<String>,
    pub correlation_id: Option<String>,
    pub http_method: Option<String>,
    pub path: Option<String>,
    pub http_status: Option<i64>,
    pub latency_ms: Option<Number>,
    pub ip_address: Option<String>,
    pub user_agent: Option<String>,
    pub node_ip: Option<String>,
    pub worker_id: Option<String>,
    pub event_payload: Option<Json>,
    pub error_message: Option<String>,
    pub user_name: Option<String>,
    pub operation: Option<String>,
    pub response: Option<String>,
    pub value: Option<String>,
}

impl Event {
    /// Makes the canonical event of what was published.
    ///
    /// # Errors
    /// When neither `event_type` nor `activity_code` is there.
    pub fn new(context: Context<'_>, data: Recorded) -> Result<Self, NoEventType> {
        let event_type = data.event_type.or(data.activity_code).ok_or(NoEventType)?;
        Ok(Self {
            id: context.id.to_owned(),
            time: context.time.unwrap_or(context.received_at),
            time_given: context.time.is_some(),
            event_type,
            source: data.source.unwrap_or_else(|| context.source.to_owned()),
            given: Given {
                activity: data.activity,
                event_group: data.event_group,
                status: data.status,
                actor_type: data.actor_type,
                actor_id: data.actor_id,
                actor_name: data.actor_name,
                actor_email: data.actor_email,
                user_id: data.user_id,
                resource_type: data.resource_type,
                resource_id: data.resource_id,
                meta: data.meta.filter(|meta| meta.as_str() != "{}"),
                session_id: data.session_id,
                vm_id: data.vm_id,
                task_id: data.task_id,
                request_id: data.request_id,
                correlation_id: data.correlation_id,
                http_method: data.http_method,
                path: data.path,
                http_status: data.http_status,
                latency_ms: data.latency_ms,
                ip_address: data.ip_address,
                user_agent: data.user_agent,
                node_ip: data.node_ip,
                worker_id: data.worker_id,
                event_payload: data.event_payload,
                error_message: data.error_message,
                user_name: data.user_name,
                operation: data.operation,
                response: data.response,
                value: data.value,
            },
        })
    }

    /// Whether `other`, which has the same id, is the same event again. The time that the log gave to an
    /// event without one does not count.
    #[must_use]
    pub fn says_the_same_as(&self, other: &Self) -> bool {
        let both_timed = self.time_given && other.time_given;
        let same_time = if both_timed { self.time == other.time } else { self.time_given == other.time_given };
        same_time && self.event_type == other.event_type && self.source == other.source && self.given == other.given
    }

    /// What happened, in words: as given, else the known text of the code, else the code.
    #[must_use]
    pub fn activity(&self) -> &str {
        let given = self.given.activity.as_deref();
        given.or_else(|| known_text(&self.event_type)).unwrap_or(&self.event_type)
    }

    /// The group; default: `event_type` up to its first dot.
    #[must_use]
    pub fn event_group(&self) -> &str {
        let before_dot = || self.event_type.split('.').next().unwrap_or_default();
        self.given.event_group.as_deref().unwrap_or_else(before_dot)
    }

    /// How it ended; default: `success`.
    #[must_use]
    pub fn status(&self) -> &str {
        self.given.status.as_deref().unwrap_or("success")
    }

    /// What kind of actor; default: `user` with an actor, else `system`.
    #[must_use]
    pub fn actor_type(&self) -> &str {
        let default = if self.given.actor_id.is_some() { "user" } else { "system" };
        self.given.actor_type.as_deref().unwrap_or(default)
    }

    /// The payload; default: `meta`.
    #[must_use]
    pub fn event_payload(&self) -> Option<&Json> {
        self.given.event_payload.as_ref().or(self.given.meta.as_ref())
    }

    /// `meta` with every value as text, as NetBird shows it.
    #[must_use]
    pub fn meta_as_texts(&self) -> Map<String, Value> {
        let members = self.given.meta.as_ref().map(Json::members).unwrap_or_default();
        members.into_iter().map(|(name, value)| (name, Value::String(json::as_text(value).into_owned()))).collect()
    }

    /// The actor as vRNI shows it: as given, else e-mail address, name or id, the first there is.
    #[must_use]
    pub fn user_name(&self) -> &str {
        let given = &self.given;
        let candidates = [&given.user_name, &given.actor_email, &given.actor_name, &given.actor_id];
        candidates.into_iter().find_map(|name| name.as_deref()).unwrap_or_default()
    }

    /// What was done; default: the last part of `event_type`, in upper case.
    #[must_use]
    pub fn operation(&self) -> String {
        let last_part = || self.event_type.rsplit('.').next().unwrap_or_default().to_uppercase();
        self.given.operation.clone().unwrap_or_else(last_part)
    }

    /// How it ended; default: `SUCCESS` when the status is success, else `FAILURE`.
    #[must_use]
    pub fn response(&self) -> &str {
        let default = if self.status() == "success" { "SUCCESS" } else { "FAILURE" };
        self.given.response.as_deref().unwrap_or(default)
    }

    /// The value; default: the payload as compact JSON, or nothing.
    #[must_use]
    pub fn value(&self) -> &str {
        let payload = || self.event_payload().map(Json::as_str).unwrap_or_default();
        self.given.value.as_deref().unwrap_or_else(payload)
    }
}

#[cfg(test)]
mod tests;
