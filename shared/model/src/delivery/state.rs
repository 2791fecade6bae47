//! What the streamer did for one integration, and how far it is.
//!
//! Each event tells the whole state after it, so the newest one is all that a restart needs, however many came
//! before. What the next event is follows from rules in the streamer; [`State`] has none.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::log::Stream;
use crate::time::Timestamp;

/// The place of an event in its stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Place")]
pub struct EventPlace {
    /// The sequence of its message.
    pub sequence: u64,
    /// Its place in the message, from 0.
    pub index: u32,
}

/// A batch as it is decided before it is sent: a repetition carries the same events under the same name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Plan {
    /// The stream that all its events stand in.
    #[schemars(with = "String")]
    pub stream: Stream,
    /// Its first event, which is in it.
    pub first: EventPlace,
    /// Its last event, which is in it too.
    pub last: EventPlace,
    /// The configuration it was decided under, by the sequence of the event that made it. Under another one, another
    /// batch is decided.
    pub version: u64,
    /// The dead letter that it tries again, by its sequence; none: the events are new.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub letter: Option<u64>,
}

/// Why a receiver did not take something, without anything of what it answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Failure {
    /// When the receiver refused it or could not be reached.
    pub time: Timestamp,
    /// The HTTP status, where there was an answer.
    #[serde(default)]
    pub status: Option<u16>,
    /// The reason, in words for the integration's owner.
    pub reason: String,
}

/// Messages that the log's retention took before they were delivered. Some of them may have been other accounts'.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Missing {
    /// The stream that lost them.
    #[schemars(with = "String")]
    pub stream: Stream,
    /// The sequence of the first message that is gone.
    pub first: u64,
    /// The sequence of the last one, which is gone too.
    pub last: u64,
}

/// Whether events arrive. That a person paused delivery is not here but in the integration's own events.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// The last attempt succeeded, or there was none yet.
    #[default]
    Active,
    /// It is tried again and again.
    Failing {
        /// Since when nothing has arrived.
        since: Timestamp,
    },
    /// It is not tried any more until someone resumes it or changes its configuration.
    Suspended {
        /// When delivery was suspended.
        since: Timestamp,
    },
}

/// Dead letters that are being tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Redrive {
    /// Up to this sequence it is done.
    pub after: u64,
    /// Up to this sequence it goes.
    pub until: u64,
}

/// How often an event that was sent more than once can be with the receiver.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Guarantee {
    /// The receiver keeps what it has and refuses it the second time.
    #[serde(rename = "exactly once")]
    ExactlyOnce,
    /// The receiver cannot tell, or not by itself.
    #[serde(rename = "at least once")]
    AtLeastOnce,
}

impl Guarantee {
    /// As it is shown.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ExactlyOnce => "exactly once",
            Self::AtLeastOnce => "at least once",
        }
    }
}

/// What the receiver of a configuration was found to guarantee.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Guaranteed {
    /// The configuration, by the sequence of the event that made it.
    pub version: u64,
    /// As the receiver was found to behave under it.
    pub guarantee: Guarantee,
}

/// How far delivery is, and how it stands.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct State {
    /// What was ordered up to this sequence of the integration stream is carried out.
    pub orders: u64,
    /// For each stream, the first event that is not delivered.
    #[schemars(with = "BTreeMap<String, EventPlace>")]
    pub next: BTreeMap<Stream, EventPlace>,
    /// The batch that may be on its way.
    pub plan: Option<Plan>,
    /// As the last attempt left it.
    pub standing: Standing,
    /// When the receiver last took something.
    pub last_success: Option<Timestamp>,
    /// The last thing that went wrong.
    pub last_error: Option<Failure>,
    /// How many events the receiver took.
    pub delivered: u64,
    /// How many events were not wanted: by the filter, or because they record reads.
    pub passed_over: u64,
    /// How many attempts failed.
    pub failed: u64,
    /// How many events became dead letters.
    pub dead_lettered: u64,
    /// The dead letters that are being tried again.
    pub redrive: Option<Redrive>,
    /// Dead letters up to this sequence were tried again.
    pub redriven: u64,
    /// What the log's retention took, the latest range of each stream.
    pub missing: Vec<Missing>,
    /// What the receiver guarantees, where that had to be found out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub guarantee: Option<Guaranteed>,
}

/// What the streamer did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// It began, at these places.
    Started,
    /// A batch was decided.
    Planned,
    /// A batch is done: its events were delivered or are dead letters.
    Delivered,
    /// Several attempts in a row failed; one alone is counted and not said.
    Failing,
    /// It is not tried any more.
    Suspended,
    /// It is tried again.
    Resumed,
    /// It goes back, or on, to other places.
    Replayed,
    /// The dead letters so far are tried again.
    Redriven,
    /// The log's retention took messages before they were delivered.
    Overtaken,
    /// Nothing happened for long; the state is said again before the log forgets it.
    Kept,
}

/// The `data` of every delivery event.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Data {
    /// What went wrong, where something did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
    /// What is missing, where something is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub missing: Option<Missing>,
    /// The state after it.
    pub state: State,
}

/// A delivery event with what its envelope and subject say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// The CloudEvent's id.
    pub event_id: String,
    /// The CloudEvent's time, else when the log received it.
    pub time: Timestamp,
    /// The integration's number in its account.
    pub id: u64,
    /// What the streamer did.
    pub step: Step,
    /// With the whole state after it.
    pub data: Data,
}

impl Step {
    /// What a delivery event can say.
    pub const ALL: [Self; 10] = [
        Self::Started,
        Self::Planned,
        Self::Delivered,
        Self::Failing,
        Self::Suspended,
        Self::Resumed,
        Self::Replayed,
        Self::Redriven,
        Self::Overtaken,
        Self::Kept,
    ];

    /// The CloudEvents type.
    #[must_use]
    pub const fn event_type(self) -> &'static str {
        match self {
            Self::Started => "flowtrail.delivery.started.v1",
            Self::Planned => "flowtrail.delivery.planned.v1",
            Self::Delivered => "flowtrail.delivery.delivered.v1",
            Self::Failing => "flowtrail.delivery.failing.v1",
            Self::Suspended => "flowtrail.delivery.suspended.v1",
            Self::Resumed => "flowtrail.delivery.resumed.v1",
            Self::Replayed => "flowtrail.delivery.replayed.v1",
            Self::Redriven => "flowtrail.delivery.redriven.v1",
            Self::Overtaken => "flowtrail.delivery.overtaken.v1",
            Self::Kept => "flowtrail.delivery.kept.v1",
        }
    }
}

impl EventPlace {
    /// The first event of a message.
    #[must_use]
    pub const fn start_of(sequence: u64) -> Self {
        Self { sequence, index: 0 }
    }
}

impl State {
    /// The state after an event.
    pub fn apply(&mut self, event: Recorded) {
        *self = event.data.state;
    }
}

/// The view name in the dead letters of an integration's delivery.
#[must_use]
pub fn dead_letter_view(id: u64) -> String {
    format!("delivery-{id}")
}
