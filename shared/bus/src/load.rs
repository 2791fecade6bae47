//! Reading the log at a place: what a stream holds, one message, all messages of a subject, page by page.

use async_nats::StatusCode;
use async_nats::jetstream::ErrorCode;
use async_nats::jetstream::context::GetStreamErrorKind;
use async_nats::jetstream::message::StreamMessage;
use async_nats::jetstream::stream::DirectGetErrorKind;
use futures_util::{StreamExt, TryStreamExt};
use model::log::{LogPosition, Stream, Subject};

use crate::connect::{ANSWERS_WITHIN, RECONNECTS_WITHIN};
use crate::message::micros;
use crate::{Bus, Message, Retention, restored};

/// How many messages one request for a subject asks for, and how many bytes of them: the server sends a page without
/// waiting, and cuts off a client for which too much of it piles up.
const PAGE_MESSAGES: usize = 1000;
const PAGE_BYTES: usize = 8 << 20;
/// How the server ends a page.
const END_OF_PAGE: u16 = 204;

/// What a stream holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StreamState {
    /// When the stream was made, or restored from a backup: microseconds since 1970. Another time means that it is
    /// another log.
    pub created: i64,
    /// The first sequence there still is; one more than the last when it is empty.
    pub first_sequence: u64,
    /// The last sequence that was given out; 0 before the first message.
    pub last_sequence: u64,
    /// How many messages it holds.
    pub messages: u64,
    /// How many bytes they take on the server's disk.
    pub bytes: u64,
    /// When the first message that it holds was stored: microseconds since 1970. Of an empty one, this says nothing.
    pub first_at: i64,
    /// When the last message was stored that it ever got: microseconds since 1970.
    pub last_at: i64,
    /// How much it keeps.
    pub retention: Retention,
}

/// Why nothing could be read.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// There is no such stream: [`Bus::ensure_streams`] was not called, or the log is lost.
    #[error("there is no stream {stream}")]
    Missing {
        /// The stream that was asked about.
        stream: Stream,
    },
    /// The log cannot be reached right now.
    #[error("the log cannot be reached")]
    Unreachable(#[source] crate::Cause),
}

impl Bus {
    /// What the stream holds.
    ///
    /// # Errors
    /// [`LoadError`].
    pub async fn state(&self, stream: Stream) -> Result<StreamState, LoadError> {
        self.connected().await?;
        let found = self.jetstream.get_stream(stream.name()).await.map_err(|error| match error.kind() {
            GetStreamErrorKind::JetStream(refusal) if refusal.error_code() == ErrorCode::STREAM_NOT_FOUND => {
                LoadError::Missing { stream }
            }
            _ => LoadError::Unreachable(error.into()),
        })?;
        let info = found.cached_info();
        Ok(StreamState {
            created: restored::at(&info.config.metadata).unwrap_or_else(|| micros(info.created.unix_timestamp_nanos())),
            first_sequence: info.state.first_sequence,
            last_sequence: info.state.last_sequence,
            messages: info.state.messages,
            bytes: info.state.bytes,
            first_at: micros(info.state.first_timestamp.unix_timestamp_nanos()),
            last_at: micros(info.state.last_timestamp.unix_timestamp_nanos()),
            retention: Retention::new(info.config.max_age, info.config.max_bytes),
        })
    }

    /// The [`Message::fingerprint`] of the message there; `None` when there is none (any more).
    ///
    /// # Errors
    /// [`LoadError`].
    pub async fn fingerprint_at(&self, position: LogPosition) -> Result<Option<String>, LoadError> {
        let stream = self.direct(position.stream).await?;
        let found = stream.direct_get(position.sequence).await;
        let message = present(position.stream, found)?;
        Ok(message.map(|message| message.fingerprint()))
    }

    /// Every message on a subject, oldest first, all at once. Where there may be many, [`Bus::read_each`] reads them.
    ///
    /// # Errors
    /// [`LoadError`].
    pub async fn load(&self, subject: &Subject) -> Result<Vec<Message>, LoadError> {
        let mut messages = Vec::new();
        self.read_each(subject, 0, |message| messages.push(message)).await?;
        Ok(messages)
    }

    /// Hands every message on a subject that stands after a sequence to `take`, oldest first: an aggregate. Not more
    /// than a page of them is in memory. On an error, some may have been handed over.
    ///
    /// With replicas it may miss the newest ones for a moment; what is decided on it is therefore published with
    /// `expected_last`.
    ///
    /// # Errors
    /// [`LoadError`].
    pub async fn read_each(&self, subject: &Subject, after: u64, take: impl FnMut(Message)) -> Result<(), LoadError> {
        self.read_each_below(subject.stream(), &subject.to_string(), after, take).await
    }

    /// The same for every message whose subject matches `filter` (with `*` and `>`).
    ///
    /// # Errors
    /// [`LoadError`].
    pub async fn read_each_below(
        &self,
        stream: Stream,
        filter: &str,
        after: u64,
        mut take: impl FnMut(Message),
    ) -> Result<(), LoadError> {
        let mut next = Some(after + 1);
        while let Some(from) = next {
            next = self.read_page((stream, filter), from, &mut take).await?;
        }
        Ok(())
    }

    /// The subjects that match `filter` (with `*` and `>`) and have a message in the stream, in order.
    ///
    /// # Errors
    /// [`LoadError`].
    pub async fn subjects_below(&self, stream: Stream, filter: &str) -> Result<Vec<String>, LoadError> {
        let unreachable = |error: async_nats::jetstream::stream::InfoError| LoadError::Unreachable(error.into());
        let found = self.direct(stream).await?.info_with_subjects(filter).await.map_err(unreachable)?;
        let mut subjects: Vec<String> =
            found.map_ok(|(subject, _)| subject).try_collect().await.map_err(unreachable)?;
        subjects.sort_unstable();
        Ok(subjects)
    }

    /// The first message on the subject after a sequence.
    pub(crate) async fn first_after(&self, subject: &Subject, sequence: u64) -> Result<Option<Message>, LoadError> {
        let stream = self.direct(subject.stream()).await?;
        let found = stream.direct_get_next_for_subject(subject.to_string(), Some(sequence + 1)).await;
        present(subject.stream(), found)
    }

    /// A handle for reading; it asks the server nothing.
    async fn direct(&self, stream: Stream) -> Result<async_nats::jetstream::stream::Stream<()>, LoadError> {
        self.connected().await?;
        let handle = self.jetstream.get_stream_no_info(stream.name()).await;
        handle.map_err(|error| LoadError::Unreachable(error.into()))
    }

    pub(crate) async fn connected(&self) -> Result<(), LoadError> {
        if self.link.up_within(RECONNECTS_WITHIN).await {
            return Ok(());
        }
        Err(LoadError::Unreachable("not connected".into()))
    }

    /// Hands over up to a page of the messages whose subjects match, and gives the sequence that the next page begins at, where
    /// there is one.
    async fn read_page(
        &self,
        (stream, filter): (Stream, &str),
        from: u64,
        take: &mut impl FnMut(Message),
    ) -> Result<Option<u64>, LoadError> {
        self.connected().await?;
        let inbox = self.client.new_inbox();
        let unreachable = |cause: crate::Cause| LoadError::Unreachable(cause);
        let mut replies = self.client.subscribe(inbox.clone()).await.map_err(|error| unreachable(error.into()))?;
        let request = serde_json::json!({
            "seq": from, "next_by_subj": filter, "batch": PAGE_MESSAGES, "max_bytes": PAGE_BYTES,
        });
        let asked = format!("{}.DIRECT.GET.{}", self.api, stream.name());
        let sent = self.client.publish_with_reply(asked, inbox, request.to_string().into()).await;
        sent.map_err(|error| unreachable(error.into()))?;
        let mut last = None;
        loop {
            let reply = tokio::time::timeout(ANSWERS_WITHIN, replies.next()).await;
            let reply = reply.map_err(|elapsed| unreachable(elapsed.into()))?;
            let Some(reply) = reply else { return Err(unreachable("connection closed".into())) };
            match reply.status.map(|status| status.as_u16()) {
                None => {}
                Some(END_OF_PAGE) => return Ok(last.filter(|_| has_more(&reply)).map(|last| last + 1)),
                Some(status) if status == StatusCode::NOT_FOUND.as_u16() => return Ok(None),
                Some(status) if status == StatusCode::NO_RESPONDERS.as_u16() => {
                    return Err(LoadError::Missing { stream });
                }
                Some(status) => {
                    let said = reply.description.unwrap_or_default();
                    return Err(unreachable(format!("direct get answered {status} {said}").into()));
                }
            }
            let message = StreamMessage::try_from(reply).map_err(|error| unreachable(error.into()))?;
            let message = Message::loaded(stream, message);
            last = Some(message.position.sequence);
            take(message);
        }
    }
}

/// Whether a page ended before the messages did. How many it holds says nothing: the server ends it by bytes, too.
fn has_more(end: &async_nats::Message) -> bool {
    let pending = end.headers.as_ref().and_then(|headers| headers.get("Nats-Num-Pending"));
    pending.is_none_or(|pending| pending.as_str() != "0")
}

fn present(
    stream: Stream,
    found: Result<StreamMessage, async_nats::jetstream::stream::DirectGetError>,
) -> Result<Option<Message>, LoadError> {
    match found {
        Ok(message) => Ok(Some(Message::loaded(stream, message))),
        Err(error) if error.kind() == DirectGetErrorKind::NotFound => Ok(None),
        Err(error) => Err(LoadError::Unreachable(error.into())),
    }
}
