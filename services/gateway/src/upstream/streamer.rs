//! How the streamer is asked about deliveries: over the bus.

use std::sync::Arc;
use std::time::Duration;

use bus::{AskError, Bus};
use model::delivery::Question;
use runtime::telemetry::chain;
use tracing::{error, warn};

use crate::render::refusal::Refusal;
use crate::upstream::commands::NOBODY_DELIVERS;

/// How long the streamer may take to answer; it gives up on a receiver after ten seconds.
const ANSWERED_WITHIN: Duration = Duration::from_secs(15);

/// The way to the streamer. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Streamer {
    bus: Arc<Bus>,
}

impl Streamer {
    pub(crate) fn new(bus: Arc<Bus>) -> Self {
        Self { bus }
    }

    /// Asks a question.
    ///
    /// # Errors
    /// When the streamer cannot be reached or fails.
    pub(crate) async fn ask<Q: Question>(&self, question: &Q) -> Result<Q::Answer, Refusal> {
        let subject = format!("flowtrail.streamer.{}", Q::PATH);
        let unreadable = |error: serde_json::Error| {
            error!(subject, category = ?error.classify(), "a question or its answer has not the form it must have");
            Refusal::Internal
        };
        let request = serde_json::to_vec(question).map_err(unreadable)?;
        let answer =
            self.bus.ask(&subject, request.into(), ANSWERED_WITHIN).await.map_err(|failure| to_refusal(&failure))?;
        serde_json::from_slice(&answer).map_err(unreadable)
    }
}

fn to_refusal(failure: &AskError) -> Refusal {
    match failure {
        AskError::NobodyAnswers { .. }
        | AskError::TimedOut { .. }
        | AskError::Disconnected
        | AskError::Refused { code: 503, .. } => {
            warn!(error = %chain(failure), "the streamer does not answer");
            NOBODY_DELIVERS
        }
        AskError::Refused { .. } | AskError::TooLarge { .. } | AskError::Broken { .. } => {
            error!(error = %chain(failure), "the streamer does not answer");
            Refusal::Internal
        }
    }
}
