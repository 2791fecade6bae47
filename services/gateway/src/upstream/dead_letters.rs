//! How the projector is asked for dead letters of the views: over the bus, since they stand in the log and in no view.

use std::sync::Arc;
use std::time::Duration;

use bus::Bus;
use model::dead_letter::{LIST, List, Listed};
use tracing::error;

use crate::render::refusal::Refusal;
use crate::upstream::reader::remote;

/// How long the answer may take: all letters that the log holds are read for it.
const ANSWERED_WITHIN: Duration = Duration::from_secs(30);

/// The way to them. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct DeadLetters {
    bus: Arc<Bus>,
}

impl DeadLetters {
    pub(crate) fn new(bus: Arc<Bus>) -> Self {
        Self { bus }
    }

    /// Those that are asked for.
    ///
    /// # Errors
    /// When the projector cannot be reached or fails.
    pub(crate) async fn list(&self, wanted: &List) -> Result<Listed, Refusal> {
        let unreadable = |failure: serde_json::Error| {
            error!(category = ?failure.classify(), "a question about dead letters or its answer has not the form it must have");
            Refusal::Internal
        };
        let request = serde_json::to_vec(wanted).map_err(unreadable)?;
        let answer = self.bus.ask(LIST, request.into(), ANSWERED_WITHIN).await.map_err(remote)?;
        serde_json::from_slice(&answer).map_err(unreadable)
    }
}
