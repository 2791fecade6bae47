//! Publishing dead letters: what a view could not take in, and why.

use std::time::Duration;

use bus::{Bus, Outgoing, PublishError};
use model::dead_letter::{DeadLetter, RECORDED};
use model::envelope::{STRUCTURED, Sealed};
use model::log::{AccountId, Subject};
use model::time::Timestamp;
use tokio_util::sync::CancellationToken;
use tracing::warn;

/// How many letters may be under way at once.
const IN_FLIGHT: usize = 256;
/// How long to wait before the log is tried again.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// A dead letter that is to be published.
#[derive(Clone, Debug)]
pub(crate) struct Letter {
    pub(crate) account: AccountId,
    pub(crate) time: Timestamp,
    pub(crate) data: DeadLetter,
}

/// Publishes all letters, however long the log cannot be reached. False: `stop` came first.
///
/// A letter's id is made of what it is about, so a repetition after a crash is the same letter.
pub(crate) async fn publish(bus: &Bus, letters: &[Letter], stop: &CancellationToken) -> bool {
    for letter in letters {
        let DeadLetter { view, subject, reason, .. } = &letter.data;
        warn!(view, subject, position = %position(letter), reason, "an event cannot be read and becomes a dead letter");
    }
    loop {
        let Err(error) = try_publish(bus, letters).await else { return true };
        warn!(%error, "dead letters cannot be published, trying again");
        tokio::select! {
            () = stop.cancelled() => return false,
            () = tokio::time::sleep(RETRY_AFTER) => {}
        }
    }
}

async fn try_publish(bus: &Bus, letters: &[Letter]) -> Result<(), PublishError> {
    let mut publisher = bus.publisher(IN_FLIGHT);
    for letter in letters {
        publisher.publish(message(letter)).await?;
    }
    publisher.finish().await?;
    Ok(())
}

fn position(letter: &Letter) -> String {
    let DeadLetter { stream, sequence, index, .. } = &letter.data;
    format!("{stream}:{sequence}:{index}")
}

fn message(letter: &Letter) -> Outgoing {
    let id = format!("{}:{}", letter.data.view, position(letter));
    let sealed = Sealed::new(&id, "flowtrail/projector", RECORDED, letter.time, &letter.data);
    Outgoing {
        subject: Subject::dead_letter(&letter.data.view, &letter.account),
        // Serializing a plain struct of texts and numbers cannot fail.
        payload: serde_json::to_vec(&sealed).unwrap_or_default().into(),
        message_id: Some(id),
        headers: vec![("Content-Type".to_owned(), STRUCTURED.to_owned())],
        expected_last: None,
    }
}
