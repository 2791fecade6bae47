//! How events that came over HTTP get into the log.

use std::sync::Arc;

use bus::{Bus, Outgoing, PublishError, Receipt};
use model::log::LogPosition;
use runtime::telemetry::chain;
use tracing::{error, warn};
use views::Question;

use crate::http::metrics::HttpMetrics;
use crate::render::refusal::Refusal;
use crate::upstream::commands::{LOG_FULL, LOG_UNREACHABLE};
use crate::upstream::reader::Reader;

/// The way into the log. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Publisher {
    bus: Arc<Bus>,
    reader: Arc<Reader>,
    metrics: HttpMetrics,
}

/// Where the events of a request stand in their stream.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Published {
    pub(crate) first: LogPosition,
    pub(crate) last: LogPosition,
}

impl Publisher {
    pub(crate) fn new(bus: Arc<Bus>, reader: Arc<Reader>, metrics: HttpMetrics) -> Self {
        Self { bus, reader, metrics }
    }

    /// How many bytes a message may have.
    pub(crate) fn max_payload(&self) -> usize {
        self.bus.max_payload()
    }

    /// Publishes messages.
    ///
    /// # Errors
    /// When the log does not take one of them. Those before it are stored; the same request again stores the rest.
    pub(crate) async fn publish(&self, messages: Vec<Outgoing>) -> Result<Published, Refusal> {
        let receipts = self.bus.publish_all(messages).await.map_err(|failure| {
            if matches!(failure, PublishError::Full(_)) {
                self.metrics.log_is_full();
            }
            to_refusal(&failure)
        })?;
        let positions = receipts.iter().map(|Receipt { position, .. }| *position);
        // A retry of which a part had gone through is not stored in order.
        let ends = positions.clone().min().zip(positions.max());
        let (first, last) = ends.ok_or(Refusal::Internal)?;
        Ok(Published { first, last })
    }

    /// Counts events of a family that were published.
    pub(crate) fn count(&self, family: &'static str, events: usize) {
        self.metrics.ingested(family, events);
    }

    /// Waits until the view behind `question` has what was published, so that the publisher's next read sees it. See
    /// [`Reader::wait_for`].
    pub(crate) async fn wait_for<Q: Question>(&self, question: Q, position: LogPosition) {
        self.reader.wait_for(question, position).await;
    }
}

fn to_refusal(failure: &PublishError) -> Refusal {
    match failure {
        PublishError::Unreachable(_) => {
            warn!(error = %chain(failure), "events cannot be published");
            LOG_UNREACHABLE
        }
        PublishError::Full(_) => {
            error!(error = %chain(failure), "events cannot be published: make room for them, see `flowtrail retention`");
            LOG_FULL
        }
        PublishError::TooLarge { limit, .. } => Refusal::TooLarge { limit: *limit },
        PublishError::Conflict { .. } | PublishError::Rejected(_) => {
            error!(error = %chain(failure), "events cannot be published");
            Refusal::Internal
        }
    }
}
