//! Publishing dead letters: what a view could not take in, and why.

pub(crate) mod list;

use std::time::Duration;

use bus::{Bus, Outgoing, PublishError};
use feed::read::Entry;
use feed::write::{NewEvent, write};
use model::dead_letter::{DeadLetter, RECORDED};
use model::log::{AccountId, Subject};
use model::time::Timestamp;
use tokio_util::sync::CancellationToken;
use tracing::warn;
use views::View;

/// How many letters may be under way at once.
const LETTERS_IN_FLIGHT: usize = 256;
/// The most bytes of a reason, which may quote what it is about. A letter that no message can hold would be tried for
/// ever, and the view would stand still before the message that caused it.
const MAX_REASON_BYTES: usize = 4000;
/// How long to wait before the log is tried again.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// A dead letter that is to be published.
#[derive(Clone, Debug)]
pub(crate) struct Letter {
    account: AccountId,
    time: Timestamp,
    data: DeadLetter,
}

/// What is wrong with one event of an entry.
pub(crate) struct Fault {
    /// Its place in the message, from 0.
    pub(crate) index: usize,
    /// Its id, where that much could be read.
    pub(crate) event_id: Option<String>,
    /// Why the view does not take it in.
    pub(crate) reason: String,
}

impl Letter {
    /// A letter of a view about an event of an entry. It names the place of the message and does not repeat it.
    pub(crate) fn new(view: View, entry: &Entry, fault: Fault) -> Self {
        let Fault { index, event_id, reason } = fault;
        let data = DeadLetter {
            view: view.name().to_owned(),
            stream: entry.position.stream.name().to_owned(),
            sequence: entry.position.sequence,
            index,
            subject: entry.subject.clone(),
            event_id,
            reason: cut_reason(reason),
        };
        // The message's time, not today's: the letter of a repetition is the same letter.
        Self { account: entry.account.clone(), time: entry.received_at, data }
    }
}

/// A reason, cut off where it is too long for a letter.
fn cut_reason(mut reason: String) -> String {
    if reason.len() > MAX_REASON_BYTES {
        let end = (0..=MAX_REASON_BYTES).rev().find(|&end| reason.is_char_boundary(end)).unwrap_or_default();
        reason.truncate(end);
        reason.push_str(" ...");
    }
    reason
}

/// Publishes all letters, however long the log cannot be reached. False: `stop` came first.
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
    let mut publisher = bus.publisher(LETTERS_IN_FLIGHT);
    for letter in letters {
        publisher.publish(message(letter)?).await?;
    }
    publisher.finish().await?;
    Ok(())
}

fn position(letter: &Letter) -> String {
    let DeadLetter { stream, sequence, index, .. } = &letter.data;
    format!("{stream}:{sequence}:{index}")
}

/// The message of a letter. Its id is made of what it is about, so a repetition after a crash is the same letter.
fn message(letter: &Letter) -> Result<Outgoing, PublishError> {
    let Letter { account, time, data } = letter;
    let id = format!("{}:{}", data.view, position(letter));
    let (subject, source) = (Subject::dead_letter(&data.view, account), "flowtrail/projector");
    let written = write(NewEvent { subject, id: &id, source, event_type: RECORDED, time: *time, data });
    written.map_err(|error| PublishError::Rejected(error.to_string()))
}
