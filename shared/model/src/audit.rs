//! Audit events: who did what. One canonical event stands behind every dialect.

mod activity;
mod decode;
mod derived;
pub mod fields;
mod filter;
mod kept;
mod reads;
mod reserved;
mod shown_as;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub use activity::{known_code, known_text};
pub use fields::Fields;
pub use filter::Filter;
pub use reads::{AUDIT_READ, READS, TRAFFIC_READ, is_read};
pub use reserved::{OWN_SOURCE, Reserved};
pub use shown_as::ShownAs;

use crate::directory::{Kind, Names};
use crate::json::{self, Json};
use crate::time::Timestamp;

/// The CloudEvents type of [`Fields`].
pub const RECORDED: &str = "flowtrail.audit.recorded.v1";

/// Why `data` is no audit event.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("event_type: is missing (or activity_code, its other name)")]
pub struct NoEventType;

/// What surrounds the `data` of an audit event.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// The CloudEvent's id.
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
    /// What happened, in the publisher's words: dotted lower case, such as `route.add`.
    pub event_type: String,
    /// Who published it: `data.source`, else the CloudEvent's.
    pub source: String,
    /// The rest, as given; its `event_type`, `activity_code`, `source` and `account_id` are empty.
    #[serde(with = "kept")]
    pub given: Box<Fields>,
}

impl Event {
    /// An event that says nothing.
    #[must_use]
    pub fn nothing() -> Self {
        let (id, event_type, source) = (String::new(), String::new(), String::new());
        Self { id, time: Timestamp::EPOCH, time_given: false, event_type, source, given: Box::default() }
    }

    /// Makes the canonical event of what was published.
    ///
    /// # Errors
    /// When neither `event_type` nor `activity_code` is there.
    pub fn new(context: Context<'_>, given: impl Into<Box<Fields>>) -> Result<Self, NoEventType> {
        let mut given = given.into();
        let (event_type, code) = (given.event_type.take(), given.activity_code.take());
        let event_type = event_type.or(code).ok_or(NoEventType)?;
        let source = given.source.take().unwrap_or_else(|| context.source.to_owned());
        given.account_id = None;
        given.meta.take_if(|meta| meta.is_empty_object());
        Ok(Self {
            id: context.id.to_owned(),
            time: context.time.unwrap_or(context.received_at),
            time_given: context.time.is_some(),
            event_type,
            source,
            given,
        })
    }

    /// Whether `other`, which has the same id, is the same event again. The time that the log gave to an
    /// event without one does not count; where an event is brought in again, it says that time itself.
    #[must_use]
    pub fn says_the_same_as(&self, other: &Self) -> bool {
        let same_time = self.time == other.time || (!self.time_given && !other.time_given);
        same_time && self.event_type == other.event_type && self.source == other.source && self.given == other.given
    }

    /// What of the event only Flowtrail's own say; None where it cannot be taken for one.
    #[must_use]
    pub fn reserved(&self) -> Option<Reserved> {
        reserved::reserved(&self.source, &self.event_type, self.given.actor_id.as_deref())
    }

    /// Fills in what the directory knows of the actor and the event does not say.
    pub fn fill_in(&mut self, names: &impl Names) {
        let given = &mut self.given;
        if given.actor_name.is_some() && given.actor_email.is_some() {
            return;
        }
        let Some(known) = given.actor_id.as_deref().and_then(|id| names.entry(Kind::User, id)) else { return };
        given.actor_name = given.actor_name.take().or(known.name);
        given.actor_email = given.actor_email.take().or(known.email);
    }

    /// What happened, in words: as given, else the known text of the code, else the code.
    #[must_use]
    pub fn activity(&self) -> &str {
        self.given.activity.as_deref().unwrap_or_else(|| self.default_activity())
    }

    /// What stands for words where none were given: the known text of the code, else the code.
    #[must_use]
    pub fn default_activity(&self) -> &str {
        known_text(&self.event_type).unwrap_or(&self.event_type)
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
