//! Orders to the delivery of an integration: what a person wants done apart from its configuration.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Platform;
use crate::access::Actor;
use crate::log::Stream;
use crate::time::Timestamp;

/// The `data` of `flowtrail.integration.paused.v1`, `.resumed.v1` and `.redrive_requested.v1`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Steered {
    /// That of the integration, which never changes.
    pub platform: Platform,
    /// The actor of the audit event that follows from it.
    pub by: Actor,
}

/// The `data` of `flowtrail.integration.replay_requested.v1`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReplayRequested {
    /// That of the integration, which never changes.
    pub platform: Platform,
    /// From where they go there again.
    pub from: Origin,
    /// The actor of the audit event that follows from it.
    pub by: Actor,
}

/// A place in the log from which events are delivered (again).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// What the log received at this time or later, in every stream.
    Time(Timestamp),
    /// This sequence, in the stream of audit events and in that of traffic reports, as far as they are delivered.
    Sequence(u64),
    /// This sequence of this stream; the others go on where they are.
    Position {
        /// The stream to go back in.
        #[schemars(with = "String")]
        stream: Stream,
        /// The sequence of the first message to deliver again.
        sequence: u64,
    },
}

/// What a person wants done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// Deliver no more until further notice.
    Pause,
    /// Deliver again, also what was suspended, and at once.
    Resume,
    /// Deliver again from there.
    Replay(Origin),
    /// Try the dead letters again.
    Redrive,
}
