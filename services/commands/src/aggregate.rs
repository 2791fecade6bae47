//! Loading what a command is about, and publishing what happened to it.

use bus::{Bus, Message, Outgoing, PublishError};
use feed::read::events_in;
use feed::tail::filter;
use feed::write::{NewEvent, write};
use model::command::Reason;
use model::event::Event;
use model::log::{AccountId, LogPosition, Stream, Subject};
use model::time::Timestamp;
use runtime::telemetry::chain;
use serde::Serialize;
use tracing::error;

use crate::refusal::Refusal;

/// How often a command is decided again because another writer was faster.
pub(crate) const ATTEMPTS: usize = 8;
const SOURCE: &str = "flowtrail/commands";

/// Hands everything that happened on a subject after a sequence to `take`, oldest first, and gives the sequence of the
/// last of it; `after` where there is nothing.
///
/// With replicas, the newest events may be missing for a moment. That does no harm: what is decided on too short a
/// history names too low a sequence, and [`publish`] is told of a conflict.
pub(crate) async fn read(
    bus: &Bus,
    subject: &Subject,
    after: u64,
    mut take: impl FnMut(Event),
) -> Result<u64, Refusal> {
    let mut last = after;
    let take_all = |message: Message| {
        last = message.position.sequence;
        events_in(subject, &message).into_iter().for_each(&mut take);
    };
    bus.read_each(subject, after, take_all).await?;
    Ok(last)
}

/// The same with everything that happened in an account on the subjects of a stream.
pub(crate) async fn read_below(
    bus: &Bus,
    (stream, account): (Stream, &AccountId),
    after: u64,
    mut take: impl FnMut(Event),
) -> Result<u64, Refusal> {
    let mut last = after;
    let take_all = |message: Message| {
        last = message.position.sequence;
        // What is on a subject that cannot be read is no event of anything.
        if let Ok(subject) = Subject::parse(&message.subject) {
            events_in(&subject, &message).into_iter().for_each(&mut take);
        }
    };
    bus.read_each_below(stream, &filter(stream, account), after, take_all).await?;
    Ok(last)
}

/// An event that was decided on and is to be published.
pub(crate) struct Decided<'a, D> {
    pub(crate) subject: Subject,
    pub(crate) event_type: &'static str,
    pub(crate) data: &'a D,
    /// The sequence of the last event that it was decided on; 0: there was none.
    pub(crate) expected_last: u64,
    pub(crate) time: Timestamp,
}

/// Why an event is not in the log.
pub(crate) enum Unpublished {
    /// Someone else was faster: load again, decide again.
    Conflict,
    /// The command is refused; to decide again does not help.
    Refused(Refusal),
}

impl From<Refusal> for Unpublished {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

/// Publishes an event if nothing happened on its subject since it was decided on.
pub(crate) async fn publish<D: Serialize>(bus: &Bus, decided: Decided<'_, D>) -> Result<LogPosition, Unpublished> {
    let Decided { subject, event_type, data, expected_last, time } = decided;
    // One id for all attempts of the bus to publish this very event. Where the event is decided again after a conflict
    // it is another event, with another id.
    let id = runtime::clock::new_ulid().map_err(|failure| Refusal::internal(&failure))?.to_string();
    let written = write(NewEvent { subject, id: &id, source: SOURCE, event_type, time, data });
    let written = written.map_err(|failure| Refusal::internal(&failure))?;
    // The log itself is the lock: the broker takes the event only if the subject's last message is still the one that
    // was loaded, so no rule in `decide` can be broken by two writers that are each right on their own.
    let message = Outgoing { expected_last: Some(expected_last), ..written };
    match bus.publish(message).await {
        Ok(receipt) => Ok(receipt.position),
        Err(PublishError::Conflict { .. }) => Err(Unpublished::Conflict),
        Err(PublishError::Unreachable(_)) => Err(Refusal::unavailable().into()),
        Err(failure @ PublishError::Full(_)) => {
            error!(error = %chain(&failure), "a command cannot be carried out: make room in the log");
            Err(Refusal::log_full().into())
        }
        Err(PublishError::TooLarge { .. }) => {
            Err(Refusal::new(Reason::Invalid, "config: is larger than an event may be").into())
        }
        Err(failure @ PublishError::Rejected(_)) => Err(Refusal::internal(&failure).into()),
    }
}

/// Now, to be put into events.
pub(crate) fn now() -> Timestamp {
    // Timestamps end in the year 9999.
    Timestamp::from_micros(runtime::clock::now_micros()).unwrap_or(Timestamp::LAST)
}
