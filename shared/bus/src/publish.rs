//! Publishing one message: its form, the receipt, and what can go wrong.

use std::error::Error as _;
use std::str::FromStr;

use async_nats::header::{self, HeaderMap, HeaderName, HeaderValue};
use async_nats::jetstream::ErrorCode;
use async_nats::jetstream::context::{PublishAckFuture, PublishErrorKind};
use async_nats::jetstream::message::PublishMessage;
use async_nats::jetstream::publish::PublishAck;
use bytes::Bytes;
use model::log::{LogPosition, Stream, Subject};

use crate::Bus;
use crate::connect::{ANSWERS_WITHIN, RECONNECTS_WITHIN};

/// JetStream's errors have codes like HTTP's: from here on it is the server that cannot, not the message that may not.
const FIRST_SERVER_ERROR: usize = 500;
/// The one below it that passes, too.
const TOO_MANY_REQUESTS: usize = 429;
/// `NATS/1.0` before and an empty line after the headers, and room for the ones that a batch adds.
const HEADER_FRAME: usize = 256;

/// A message to publish.
#[derive(Clone, Debug)]
pub struct Outgoing {
    /// Where to. It says the stream.
    pub subject: Subject,
    /// What the broker de-duplicates by, and what makes a retry safe. The broker compares it across the **whole
    /// stream**, so an id that another account could also choose needs the account in it.
    pub message_id: Option<String>,
    /// Further headers; names and values without line breaks.
    pub headers: Vec<(String, String)>,
    /// The bytes, which the broker stores as they are.
    pub payload: Bytes,
    /// Only if the last message on this subject has this sequence (0: only if there is none yet).
    /// Of several messages to one subject in a batch, the first alone may say so.
    pub expected_last: Option<u64>,
}

/// What the broker says about a message it has stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// Where it stands; of a duplicate, where the first one stands.
    pub position: LogPosition,
    /// It had been stored before, by an earlier attempt with the same id.
    pub duplicate: bool,
}

/// Why a message is not stored, as far as anyone can tell.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// The subject's last message is not the expected one: load again, decide again.
    #[error("another message came first on {subject}")]
    Conflict {
        /// The subject that the message was for.
        subject: String,
    },
    /// The message, headers included, is larger than the broker takes.
    #[error("a message of {length} bytes is over the limit of {limit}")]
    TooLarge {
        /// Bytes of payload and headers.
        length: usize,
        /// What the broker takes.
        limit: usize,
    },
    /// The log cannot be reached or cannot store right now. The message **may** be stored: try again later, with
    /// the same id.
    #[error("the log cannot be reached")]
    Unreachable(#[source] crate::Cause),
    /// The stream has as much as it may have, and gives up nothing for what is new: its operator has to make room.
    #[error("the log is full")]
    Full(#[source] crate::Cause),
    /// The broker, or this crate, will never take this message.
    #[error("the log refuses the message: {0}")]
    Rejected(String),
}

/// A message that is sent and not yet acknowledged.
pub(crate) struct Sent {
    ack: PublishAckFuture,
    losses: u64,
}

/// Why there is no acknowledgement, before it is put in the caller's terms.
#[derive(Debug)]
pub(crate) enum Unacknowledged {
    WrongLastSequence,
    DuplicateInBatch,
    Other(PublishError),
}

impl Bus {
    /// Publishes a message and waits until the broker has stored it.
    ///
    /// A retry of a message that had gone through is a success, also with `expected_last`.
    ///
    /// # Errors
    /// [`PublishError`]. Without a connection it says so within 2 seconds, without an acknowledgement within 5.
    pub async fn publish(&self, message: Outgoing) -> Result<Receipt, PublishError> {
        let sent = self.send(&message).await?;
        self.settle(&message, sent).await
    }

    /// Hands the message to the connection; messages sent one after the other arrive in this order.
    pub(crate) async fn send(&self, message: &Outgoing) -> Result<Sent, PublishError> {
        let headers = message.checked_headers(self.max_payload())?;
        self.send_raw(message.subject.to_string(), headers, message.payload.clone()).await
    }

    pub(crate) async fn send_raw(
        &self,
        subject: String,
        headers: HeaderMap,
        payload: Bytes,
    ) -> Result<Sent, PublishError> {
        self.reachable().await?;
        let losses = self.link.losses();
        let message = PublishMessage::build().headers(headers).payload(payload);
        let sent = tokio::time::timeout(ANSWERS_WITHIN, self.jetstream.send_publish(subject, message)).await;
        let ack = sent.map_err(|elapsed| PublishError::Unreachable(elapsed.into()))?;
        let ack = ack.map_err(|error| PublishError::Unreachable(error.into()))?;
        Ok(Sent { ack, losses })
    }

    /// A message that is sent while there is no connection would be kept and go out later, long after its publisher
    /// was told that it failed.
    pub(crate) async fn reachable(&self) -> Result<(), PublishError> {
        if self.link.up_within(RECONNECTS_WITHIN).await {
            return Ok(());
        }
        Err(PublishError::Unreachable("not connected".into()))
    }

    /// Waits for the acknowledgement of a message that was sent.
    pub(crate) async fn settle(&self, message: &Outgoing, sent: Sent) -> Result<Receipt, PublishError> {
        match self.acknowledged(sent).await {
            Ok(ack) => Ok(Receipt { position: message.at(ack.sequence), duplicate: ack.duplicate }),
            Err(Unacknowledged::WrongLastSequence) => match self.already_stored(message).await? {
                Some(position) => Ok(Receipt { position, duplicate: true }),
                None => Err(PublishError::Conflict { subject: message.subject.to_string() }),
            },
            Err(Unacknowledged::DuplicateInBatch) => Err(PublishError::Rejected("duplicate in a batch".to_owned())),
            Err(Unacknowledged::Other(error)) => Err(error),
        }
    }

    pub(crate) async fn acknowledged(&self, sent: Sent) -> Result<PublishAck, Unacknowledged> {
        // An acknowledgement that is already here counts, also when the connection was lost after it: the message is
        // stored, and to say that nobody knows would only make its publisher send it again.
        let ack = tokio::select! {
            biased;
            ack = sent.ack.into_future() => ack,
            () = self.link.lost_since(sent.losses) => {
                return Err(Unacknowledged::Other(PublishError::Unreachable("connection lost".into())));
            }
        };
        ack.map_err(unacknowledged)
    }

    /// Where the message stands, when an earlier attempt to publish it had gone through: an unreplicated stream checks
    /// the expected sequence before it looks for duplicates, so a retry is told of a conflict. Whatever comes right
    /// after the expected message is the one whose expectation was met.
    pub(crate) async fn already_stored(&self, message: &Outgoing) -> Result<Option<LogPosition>, PublishError> {
        let (Some(id), Some(expected)) = (&message.message_id, message.expected_last) else { return Ok(None) };
        let next = self.first_after(&message.subject, expected).await;
        let next = next.map_err(|error| PublishError::Unreachable(error.into()))?;
        Ok(next.filter(|next| next.header("Nats-Msg-Id") == Some(id)).map(|next| next.position))
    }
}

impl Outgoing {
    pub(crate) fn at(&self, sequence: u64) -> LogPosition {
        LogPosition { stream: self.stream(), sequence }
    }

    pub(crate) fn stream(&self) -> Stream {
        self.subject.stream()
    }

    /// The headers as they go out, when they and the message's size are fit to.
    pub(crate) fn checked_headers(&self, limit: usize) -> Result<HeaderMap, PublishError> {
        let mut headers = HeaderMap::new();
        for (name, value) in &self.headers {
            append(&mut headers, name, value)?;
        }
        if let Some(id) = &self.message_id {
            append(&mut headers, header::NATS_MESSAGE_ID.as_ref(), id)?;
        }
        if let Some(sequence) = self.expected_last {
            headers.insert(header::NATS_EXPECTED_LAST_SUBJECT_SEQUENCE, HeaderValue::from(sequence));
        }
        let length = self.payload.len() + headers.iter().map(length_of).sum::<usize>() + HEADER_FRAME;
        if length > limit {
            return Err(PublishError::TooLarge { length, limit });
        }
        Ok(headers)
    }
}

fn length_of((name, values): (&HeaderName, &Vec<HeaderValue>)) -> usize {
    let separators = ": \r\n".len();
    values.iter().map(|value| AsRef::<str>::as_ref(name).len() + value.as_str().len() + separators).sum()
}

/// Checked, because the library panics on what a header cannot hold.
fn append(headers: &mut HeaderMap, name: &str, value: &str) -> Result<(), PublishError> {
    let unfit = || PublishError::Rejected(format!("header {name:?} has a character that headers cannot have"));
    let value = HeaderValue::from_str(value).map_err(|_| unfit())?;
    headers.append(HeaderName::from_str(name).map_err(|_| unfit())?, value);
    Ok(())
}

/// Whether a message could not be stored for a limit of its stream, which has no error of its own.
fn is_limit(description: &str) -> bool {
    ["maximum bytes exceeded", "maximum messages exceeded"].iter().any(|limit| description.contains(limit))
}

fn unacknowledged(error: async_nats::jetstream::context::PublishError) -> Unacknowledged {
    match error.kind() {
        PublishErrorKind::WrongLastSequence => return Unacknowledged::WrongLastSequence,
        PublishErrorKind::Other => {}
        PublishErrorKind::StreamNotFound
        | PublishErrorKind::WrongLastMessageId
        | PublishErrorKind::TimedOut
        | PublishErrorKind::BrokenPipe
        | PublishErrorKind::MaxAckPending
        | PublishErrorKind::MaxPayloadExceeded => {
            return Unacknowledged::Other(PublishError::Unreachable(error.into()));
        }
    }
    let refusal = error.source().and_then(|source| source.downcast_ref::<async_nats::jetstream::Error>());
    let Some(refusal) = refusal else { return Unacknowledged::Other(PublishError::Unreachable(error.into())) };
    match refusal.error_code() {
        ErrorCode::ATOMIC_PUBLISH_CONTAINS_DUPLICATE_MESSAGE => Unacknowledged::DuplicateInBatch,
        // What the broker could do at another time: it has many batches open, or missed one of this batch's messages.
        ErrorCode::ATOMIC_PUBLISH_TOO_MANY_INFLIGHT | ErrorCode::ATOMIC_PUBLISH_INCOMPLETE_BATCH => {
            Unacknowledged::Other(PublishError::Unreachable(error.into()))
        }
        ErrorCode::STREAM_STORE_FAILED if is_limit(&refusal.to_string()) => {
            Unacknowledged::Other(PublishError::Full(error.into()))
        }
        // No space, no leader, store failed; or more at once than the server takes.
        _ if refusal.code() >= FIRST_SERVER_ERROR || refusal.code() == TOO_MANY_REQUESTS => {
            Unacknowledged::Other(PublishError::Unreachable(error.into()))
        }
        _ => Unacknowledged::Other(PublishError::Rejected(refusal.to_string())),
    }
}
