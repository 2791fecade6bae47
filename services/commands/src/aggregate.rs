//! Loading what a command is about, and publishing what happened to it.

use bus::{Bus, LoadError, Message, Outgoing, PublishError};
use model::command::Refusal;
use model::envelope::{self, STRUCTURED, Sealed};
use model::event::{self, Event};
use model::log::{Position, Subject};
use model::time::Timestamp;
use runtime::telemetry::chain;
use serde_json::Value;
use tracing::error;

/// How often a command is decided anew because another writer was faster.
pub(crate) const ATTEMPTS: usize = 8;
const SOURCE: &str = "flowtrail/commands";

/// A command that is not carried out, in words for its sender.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refused {
    pub(crate) why: Refusal,
    pub(crate) message: String,
}

impl Refused {
    pub(crate) fn new(why: Refusal, message: impl Into<String>) -> Self {
        Self { why, message: message.into() }
    }

    /// A failure of ours: what it is goes to the log, not to the sender.
    pub(crate) fn internal(failure: &dyn std::error::Error) -> Self {
        error!(error = %chain(failure), "a command cannot be carried out");
        Self::new(Refusal::Internal, "internal error")
    }

    pub(crate) fn unavailable() -> Self {
        Self::new(Refusal::Unavailable, "the log cannot be reached, try again later")
    }

    pub(crate) fn conflict() -> Self {
        Self::new(Refusal::Conflict, "it was changed by someone else at the same time")
    }
}

impl From<LoadError> for Refused {
    fn from(error: LoadError) -> Self {
        match error {
            LoadError::Unreachable(_) => Self::unavailable(),
            LoadError::Missing { .. } => Self::internal(&error),
        }
    }
}

/// The history of one thing.
pub(crate) struct History {
    /// What happened to it, oldest first.
    pub(crate) events: Vec<Event>,
    /// The sequence of the last of these; 0: there is none.
    pub(crate) last: u64,
}

/// Loads everything that happened on a subject.
pub(crate) async fn load(bus: &Bus, subject: &Subject) -> Result<History, Refused> {
    let messages = bus.load(subject).await?;
    let last = messages.last().map_or(0, |message| message.position.sequence);
    let events = messages.iter().flat_map(|message| decode(subject, message)).collect();
    Ok(History { events, last })
}

/// What nobody can read is a dead letter for the projector and nothing here.
fn decode(subject: &Subject, message: &Message) -> Vec<Event> {
    let headers: Vec<(&str, &str)> =
        message.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let received_at = Timestamp::from_micros(message.received_at).unwrap_or(Timestamp::EPOCH);
    let opened = envelope::Message { headers: &headers, payload: &message.payload };
    event::decode(subject, opened, received_at).into_iter().filter_map(|decoded| decoded.event.ok()).collect()
}

/// An event that was decided on and is to be published.
pub(crate) struct Decided<'a> {
    pub(crate) subject: Subject,
    pub(crate) event_type: &'static str,
    pub(crate) data: &'a Value,
    /// The sequence it was decided on.
    pub(crate) expected_last: u64,
    pub(crate) time: Timestamp,
}

/// Why an event is not in the log.
pub(crate) enum Unpublished {
    /// Someone else was faster: load again, decide again.
    Conflict,
    /// It is refused.
    Refused(Refused),
}

impl From<Refused> for Unpublished {
    fn from(refused: Refused) -> Self {
        Self::Refused(refused)
    }
}

/// Publishes an event if nothing happened on its subject since it was decided on.
pub(crate) async fn publish(bus: &Bus, decided: Decided<'_>) -> Result<Position, Unpublished> {
    let id = runtime::clock::new_ulid().map_err(|failure| Refused::internal(&failure))?.to_string();
    let sealed = Sealed::new(&id, SOURCE, decided.event_type, decided.time, decided.data);
    let payload = serde_json::to_vec(&sealed).map_err(|failure| Refused::internal(&failure))?;
    let message = Outgoing {
        message_id: Some(format!("{}:{id}", decided.subject.account())),
        subject: decided.subject,
        headers: vec![("Content-Type".to_owned(), STRUCTURED.to_owned())],
        payload: payload.into(),
        expected_last: Some(decided.expected_last),
    };
    match bus.publish(message).await {
        Ok(receipt) => Ok(receipt.position),
        Err(PublishError::Conflict { .. }) => Err(Unpublished::Conflict),
        Err(PublishError::Unreachable(_)) => Err(Refused::unavailable().into()),
        Err(PublishError::TooLarge { .. }) => {
            Err(Refused::new(Refusal::Invalid, "config: is larger than an event may be").into())
        }
        Err(failure @ PublishError::Rejected(_)) => Err(Refused::internal(&failure).into()),
    }
}

/// Now, to be put into events.
pub(crate) fn now() -> Timestamp {
    Timestamp::from_micros(runtime::clock::now_micros()).unwrap_or(Timestamp::EPOCH)
}
