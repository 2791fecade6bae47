//! Whether the log is still the one that a view was computed from, and whole.

use std::collections::BTreeMap;

use bus::{Bus, LoadError};
use model::log::{LogPosition, Stream};
use tracing::{error, warn};
use views::View;
use views::store::Checkpoint;

use crate::log_watch::{LogWatch, describe};

/// How a stream differs from what a view read of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Difference {
    /// It is another stream: made again, or restored from a backup.
    Other,
    /// It is the same one, and ends before what was read.
    Ends { last: u64 },
    /// It is the same one, and holds another message than was read.
    Changed,
}

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
        let sequence = checkpoint.sequence;
        match difference(bus, stream, checkpoint).await? {
            None => {}
            Some(Difference::Other) => {
                error!(%view, %stream, "the log was made again since this view was computed: the view is rebuilt");
                return Ok(false);
            }
            Some(Difference::Ends { last }) => {
                error!(%view, %stream, sequence, last, "the log ends before what this view holds: the view is rebuilt");
                return Ok(false);
            }
            Some(Difference::Changed) => {
                error!(%view, %stream, sequence, "the log holds another message than this view read: the view is rebuilt");
                return Ok(false);
            }
        }
        let first = bus.state(stream).await?.first_sequence;
        if first > sequence + 1 {
            let (first, last) = (sequence + 1, first - 1);
            warn!(%view, %stream, first, last, "the log's retention took messages before this view read them");
        }
    }
    Ok(true)
}

/// Why a view that is computed from the log now may lack what one with these checkpoints has; none where it cannot, or
/// the log is another one, of which the old view knows nothing.
///
/// # Errors
/// When the log cannot be asked.
pub(crate) async fn lacks(
    watch: &LogWatch,
    bus: &Bus,
    checkpoints: &BTreeMap<Stream, Checkpoint>,
) -> Result<Option<String>, LoadError> {
    for (&stream, checkpoint) in checkpoints {
        let sequence = checkpoint.sequence;
        match difference(bus, stream, checkpoint).await? {
            Some(Difference::Other) => {}
            Some(Difference::Ends { last }) => {
                return Ok(Some(format!("{stream} ends at {last}, and the view has read {sequence}")));
            }
            Some(Difference::Changed) => {
                return Ok(Some(format!("{stream} holds another message at {sequence} than the view has read")));
            }
            None => {
                let damage = watch.damage(stream).await?;
                if !damage.is_none() {
                    return Ok(Some(format!("{stream}: {}", describe(&damage))));
                }
            }
        }
    }
    Ok(None)
}

async fn difference(bus: &Bus, stream: Stream, checkpoint: &Checkpoint) -> Result<Option<Difference>, LoadError> {
    let state = bus.state(stream).await?;
    let sequence = checkpoint.sequence;
    if state.created != checkpoint.stream_created {
        return Ok(Some(Difference::Other));
    }
    if state.last_sequence < sequence {
        return Ok(Some(Difference::Ends { last: state.last_sequence }));
    }
    // A message that retention took cannot be compared.
    let found = bus.fingerprint_at(LogPosition { stream, sequence }).await?;
    Ok(found.filter(|found| *found != checkpoint.fingerprint).map(|_| Difference::Changed))
}
