//! Questions to the streamer, and what it answers: how delivery is seen and tested.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::state::{EventPlace, Failure, Guarantee, Missing};
use crate::access::Actor;
use crate::integration::{Config, Platform};
use crate::log::AccountId;
use crate::time::Timestamp;

/// A question that is asked over NATS.
pub trait Question: Serialize + DeserializeOwned + Send + 'static {
    /// What the answer is.
    type Answer: Serialize + DeserializeOwned + Send + 'static;

    /// Behind `flowtrail.streamer.`, the subject it is asked on.
    const PATH: &'static str;
}

/// Delivers a test event with a configuration, whether or not there is such an integration yet.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Test {
    /// From the token; never from a body or a parameter.
    pub account: AccountId,
    /// The number that its secrets are sealed for.
    pub id: u64,
    /// Where events are to go.
    pub platform: Platform,
    /// How; secrets are sealed.
    pub config: Config,
}

/// How a test ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tested {
    /// The receiver took the test event, and was found to guarantee this.
    Delivered(Guarantee),
    /// A part of the configuration is wrong; the text names its key.
    BadConfig(String),
    /// The receiver did not take it, or nobody is there.
    Refused(Failure),
}

impl Question for Test {
    type Answer = Tested;
    const PATH: &'static str = "test";
}

/// Delivers a test event with the configuration that an integration has.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct TestOf {
    /// From the token; never from a body or a parameter.
    pub account: AccountId,
    /// The integration; unique in its account.
    pub id: u64,
}

impl Question for TestOf {
    /// None: there is no such integration.
    type Answer = Option<Tested>;
    const PATH: &'static str = "test_of";
}

/// How delivery of an integration stands.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct StatusOf {
    /// From the token; never from a body or a parameter.
    pub account: AccountId,
    /// The integration; unique in its account.
    pub id: u64,
}

/// The four things that a delivery can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Shown {
    /// The last attempt succeeded, or there was none yet.
    Active,
    /// Someone has stopped it, or it is not enabled.
    Paused,
    /// It is tried again and again.
    Failing,
    /// It is not tried any more until someone resumes it or changes its configuration.
    Suspended,
}

impl Shown {
    /// The name that a status shows.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Paused => "paused",
            Self::Failing => "failing",
            Self::Suspended => "suspended",
        }
    }
}

/// A place in a stream, and how far it is behind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Position")]
pub struct Progress {
    /// The sequence of the first message that is not delivered whole.
    pub sequence: u64,
    /// The first event of it that is not delivered.
    pub index: u32,
    /// How many messages wait from there on.
    pub lag_events: u64,
    /// How long the oldest of them has waited.
    pub lag_seconds: u64,
}

/// How a delivery stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Status {
    /// What a person has to know first; where several hold, paused goes before all.
    pub state: Shown,
    /// Whether it is enabled.
    pub enabled: bool,
    /// How many messages wait, in all streams.
    pub lag_events: u64,
    /// How long the oldest of them has waited.
    pub lag_seconds: u64,
    /// When the receiver last took something.
    pub last_success: Option<Timestamp>,
    /// The last thing that went wrong.
    pub last_error: Option<Failure>,
    /// Since when it is failing or suspended.
    pub since: Option<Timestamp>,
    /// When it is tried again.
    pub next_retry: Option<Timestamp>,
    /// How many events the receiver took.
    pub delivered: u64,
    /// How many events were not wanted: by the filter, or because they record reads.
    #[serde(default)]
    pub passed_over: u64,
    /// How many attempts failed.
    pub failed: u64,
    /// How many events became dead letters.
    pub dead_lettered: u64,
    /// Where it is, by stream.
    pub position: BTreeMap<String, Progress>,
    /// What the log's retention took before it was delivered.
    pub missing: Vec<Missing>,
    /// How often an event can be with the receiver; null while that is not known of this configuration.
    pub guarantee: Option<Guarantee>,
}

impl Question for StatusOf {
    /// None: there is no such integration.
    type Answer = Option<Status>;
    const PATH: &'static str = "status";
}

/// What could not be delivered, newest first.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct DeadLetters {
    /// From the token; never from a body or a parameter.
    pub account: AccountId,
    /// The integration; unique in its account.
    pub id: u64,
    /// How many at most.
    pub limit: usize,
}

/// An event that could not be delivered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Letter {
    /// The letter's own sequence.
    pub sequence: u64,
    /// When it was given up.
    pub time: Timestamp,
    /// None where that much could not be read.
    pub event_id: Option<String>,
    /// The stream that holds the event.
    pub stream: String,
    /// The place of the event there.
    pub position: EventPlace,
    /// Why the receiver does not take it.
    pub reason: String,
    /// Whether it was tried again since.
    pub redriven: bool,
}

/// The dead letters of an integration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Letters {
    /// How many there are.
    pub total: usize,
    /// The newest of them, newest first.
    pub letters: Vec<Letter>,
}

impl Question for DeadLetters {
    /// None: there is no such integration.
    type Answer = Option<Letters>;
    const PATH: &'static str = "dead_letters";
}

/// What was done to an integration, newest first.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct History {
    /// From the token; never from a body or a parameter.
    pub account: AccountId,
    /// The integration; unique in its account.
    pub id: u64,
}

/// One thing that was done to an integration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Change {
    /// The id of the event in the integration stream, and of the audit event that follows from it.
    pub id: String,
    /// Where it stands in the integration stream.
    pub sequence: u64,
    /// When it was ordered.
    pub time: Timestamp,
    /// What: `created`, `updated`, `paused` ...
    pub event: String,
    /// As the integration's event names them.
    pub by: Actor,
    /// Which configuration keys changed, and `enabled`.
    pub changed: Vec<String>,
    /// Their values before, secrets masked; a key that was not there is missing.
    pub before: BTreeMap<String, Value>,
    /// Their values after, secrets masked.
    pub after: BTreeMap<String, Value>,
}

impl Question for History {
    /// None: there is no such integration.
    type Answer = Option<Vec<Change>>;
    const PATH: &'static str = "history";
}
