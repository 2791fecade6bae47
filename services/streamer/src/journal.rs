//! The delivery stream of one integration: the state it was left in is read from it, every step is written to it.
//!
//! Invariant: a step is published only if the last one is still the last (JetStream's expected sequence). That is the
//! only lease there is on a delivery: of two streamers that deliver the same integration, the one whose step comes
//! second is refused, and leaves the delivery to the other. Until then each may have sent the batch that both had
//! planned, which the receiver can tell by the ids.

use std::time::Duration;

use bus::{Bus, LoadError, Message, Outgoing, PublishError};
use feed::read::events_in;
use feed::write::{NewEvent, write};
use model::delivery::{Data, Recorded, State, Step};
use model::event::Event;
use model::log::{AccountId, Subject};
use model::time::Timestamp;
use runtime::clock::{Clock, NoRandomness, new_ulid};
use tracing::{error, warn};

const SOURCE: &str = "flowtrail/streamer";
/// How long to wait before the log is tried again.
const PAUSE: Duration = Duration::from_secs(1);

/// Where the steps of one integration's delivery are written.
pub(crate) struct Journal {
    bus: Bus,
    clock: Clock,
    subject: Subject,
    /// The sequence of the last step; 0: there is none.
    last: u64,
    /// When it was written: microseconds since 1970.
    written_at: i64,
}

/// Why a step is not written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum JournalError {
    /// Another streamer delivers the same integration.
    #[error("another streamer wrote a step of the same delivery")]
    Taken,
    /// What tells that cannot be read.
    #[error("the log cannot be read")]
    Log(#[from] LoadError),
    /// The broker does not take it.
    #[error("the step cannot be written")]
    Unpublishable(#[source] PublishError),
    /// There is no id for it.
    #[error(transparent)]
    Randomness(#[from] NoRandomness),
    /// It cannot be written as JSON.
    #[error("the step cannot be written")]
    Form(#[from] serde_json::Error),
}

/// The state that a delivery was left in.
///
/// # Errors
/// When the log cannot be read.
pub(crate) async fn last_state(bus: &Bus, account: &AccountId, id: u64) -> Result<Option<State>, LoadError> {
    let message = bus.last_on(&Subject::delivery(account, id)).await?;
    Ok(message.as_ref().and_then(state_in))
}

fn state_in(message: &Message) -> Option<State> {
    let subject = Subject::parse(&message.subject).ok()?;
    let mut state = State::default();
    for event in events_in(&subject, message) {
        if let Event::Delivery(recorded) = event {
            state.apply(Recorded::clone(&recorded));
        }
    }
    Some(state)
}

impl Journal {
    /// Opens the journal, with the state that the delivery was left in.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub(crate) async fn open(
        bus: &Bus,
        clock: &Clock,
        account: &AccountId,
        id: u64,
    ) -> Result<(Self, Option<State>), LoadError> {
        let subject = Subject::delivery(account, id);
        let message = bus.last_on(&subject).await?;
        let last = message.as_ref().map_or(0, |message| message.position.sequence);
        let written_at = message.as_ref().map_or(0, |message| message.received_at);
        let state = message.as_ref().and_then(state_in);
        Ok((Self { bus: bus.clone(), clock: clock.clone(), subject, last, written_at }, state))
    }

    /// When the last step was written: microseconds since 1970.
    pub(crate) fn written_at(&self) -> i64 {
        self.written_at
    }

    /// Writes a step, however long the log cannot be reached.
    ///
    /// # Errors
    /// [`JournalError`].
    pub(crate) async fn record(&mut self, step: Step, data: &Data) -> Result<(), JournalError> {
        let id = new_ulid()?.to_string();
        let time = Timestamp::from_micros(self.clock.now_micros()).unwrap_or(Timestamp::EPOCH);
        let (subject, event_type) = (self.subject.clone(), step.event_type());
        let written = write(NewEvent { subject, id: &id, source: SOURCE, event_type, time, data })?;
        // This is the lock: of two streamers that deliver the same integration, as while one takes over from another,
        // only the one that has seen every step gets the next one into the log, and the other one ends.
        let message = Outgoing { expected_last: Some(self.last), ..written };
        let receipt = match publish(&self.bus, &message).await {
            Err(JournalError::Taken) if self.is_purged().await? => {
                error!(subject = %message.subject, "the state of a delivery was purged from the log, and is written again");
                // Should another streamer write a first step meanwhile, this one is the second.
                publish(&self.bus, &Outgoing { expected_last: Some(0), ..message }).await?
            }
            published => published?,
        };
        self.last = receipt.position.sequence;
        self.written_at = self.clock.now_micros();
        Ok(())
    }

    /// Whether nothing is left on the subject though something was written: somebody took it out of the log, and no other
    /// streamer has written a step.
    async fn is_purged(&self) -> Result<bool, LoadError> {
        Ok(self.last > 0 && self.bus.last_on(&self.subject).await?.is_none())
    }
}

/// Publishes a message, however long the log cannot be reached.
///
/// # Errors
/// [`JournalError::Taken`] and [`JournalError::Unpublishable`].
pub(crate) async fn publish(bus: &Bus, message: &Outgoing) -> Result<bus::Receipt, JournalError> {
    loop {
        match bus.publish(message.clone()).await {
            Ok(receipt) => return Ok(receipt),
            Err(PublishError::Conflict { .. }) => return Err(JournalError::Taken),
            Err(error @ (PublishError::Unreachable(_) | PublishError::Full(_))) => {
                warn!(%error, subject = %message.subject, "a step of delivery cannot be written, trying again");
                tokio::time::sleep(PAUSE).await;
            }
            Err(error @ (PublishError::TooLarge { .. } | PublishError::Rejected(_))) => {
                return Err(JournalError::Unpublishable(error));
            }
        }
    }
}
