//! Dead letters: what could not be projected or delivered, and why.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The CloudEvents type of [`DeadLetter`].
pub const RECORDED: &str = "flowtrail.dead_letter.recorded.v1";

/// The `data` of a dead letter. The message itself stays in its stream, at the place named here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DeadLetter {
    /// The view that could not take it in.
    pub view: String,
    /// The stream that holds it.
    pub stream: String,
    /// Its stream sequence.
    pub sequence: u64,
    /// Its place in a batch, from 0.
    pub index: usize,
    /// The subject it came on.
    pub subject: String,
    /// Its event id, where that much could be read.
    pub event_id: Option<String>,
    /// Why, in words for the publisher.
    pub reason: String,
}
