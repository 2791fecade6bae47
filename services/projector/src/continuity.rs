//! Whether the log is still the one that a view was computed from.

use std::collections::BTreeMap;

use bus::{Bus, LoadError};
use model::log::{LogPosition, Stream};
use tracing::{error, warn};
use views::View;
use views::store::Checkpoint;

/// Compares a view's checkpoints with the log. False: the log was lost or rolled back, and the view must be rebuilt.
///
/// # Errors
/// When the log cannot be asked.
pub(crate) async fn holds(
    bus: &Bus,
    view: View,
    checkpoints: &BTreeMap<Stream, Checkpoint>,
) -> Result<bool, LoadError> {
    for (&stream, checkpoint) in checkpoints {
        let state = bus.state(stream).await?;
        let sequence = checkpoint.sequence;
        if state.created != checkpoint.stream_created {
            error!(%view, %stream, "the log was made again since this view was computed: the view is rebuilt");
            return Ok(false);
        }
        if state.last_sequence < sequence {
            let last = state.last_sequence;
            error!(%view, %stream, sequence, last, "the log ends before what this view holds: the view is rebuilt");
            return Ok(false);
        }
        if state.first_sequence > sequence + 1 {
            let (first, last) = (sequence + 1, state.first_sequence - 1);
            warn!(%view, %stream, first, last, "the log's retention took messages before this view read them");
        }
        // A message that retention took cannot be compared.
        let found = bus.fingerprint_at(LogPosition { stream, sequence }).await?;
        if found.is_some_and(|found| found != checkpoint.fingerprint) {
            error!(%view, %stream, sequence, "the log holds another message than this view read: the view is rebuilt");
            return Ok(false);
        }
    }
    Ok(true)
}
