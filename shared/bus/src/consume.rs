//! Reading a stream from a position on, for ever: every message once, in order, whatever happens to the connection.
//!
//! Invariant: the position of the last message handed out is the only state. After a lost connection, a gap, silence
//! or a restarted server, a new consumer is made from there; nothing is acknowledged and the server remembers nothing.

use std::time::Duration;

use async_nats::jetstream::consumer::{AckPolicy, DeliverPolicy, ReplayPolicy, pull};
use async_nats::{StatusCode, Subscriber};
use futures_util::{FutureExt, StreamExt};
use model::log::Stream;
use tokio::time::Instant;
use tracing::{debug, warn};

use crate::load::LoadError;
use crate::{Bus, Message, StreamState};

/// How many messages one request asks for. Small requests cost a round trip each; the library's 200 is half as fast.
const PULL_MESSAGES: usize = 10_000;
/// How many bytes one request asks for, where messages are large; twice the largest message at least.
const PULL_BYTES: usize = 32 << 20;
/// When a request ends without messages, and is made again.
const PULL_EXPIRES: Duration = Duration::from_secs(30);
/// How often an idle server says that it is there.
const HEARTBEAT: Duration = Duration::from_secs(2);
/// When silence means that the consumer is gone.
const SILENCE: Duration = Duration::from_secs(7);
/// When the server forgets a consumer that nobody asks.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(60);
/// The pause before another consumer is tried.
const PAUSE: Duration = Duration::from_millis(200);

/// A reader of one stream. Made by [`Bus::consume`].
///
/// All its waits can be dropped half-way (`select!`, time-outs) without losing a message.
pub struct Consumer {
    bus: Bus,
    stream: Stream,
    last: u64,
    /// When the stream was made, as first seen: another time later means another log.
    created: Option<i64>,
    source: Option<Source>,
}

/// Why a consumer can not go on; it must not be asked again.
#[derive(Debug, thiserror::Error)]
pub enum ConsumeError {
    /// There is no such stream (any more).
    #[error("there is no stream {stream}")]
    Missing {
        /// The stream.
        stream: Stream,
    },
    /// The log is not the one that was read so far: it was made anew, or ends before what was already read.
    /// What was computed from it must be rebuilt.
    #[error("the log was lost or rolled back: {stream} ends at {last}, {read} was already read")]
    RolledBack {
        /// The stream.
        stream: Stream,
        /// The last sequence that was read.
        read: u64,
        /// The last sequence there is.
        last: u64,
    },
}

/// A consumer on the server and what it sends.
struct Source {
    replies: Subscriber,
    inbox: String,
    pull_subject: String,
    /// Which connection it was made on.
    losses: u64,
    /// The consumer's own count of its messages; a jump means that some were lost on the way.
    delivered: u64,
    /// How many messages of the last request are still to come.
    outstanding: usize,
    heard: Instant,
}

/// What the server's next word means.
enum Word {
    Message(Message),
    Nothing,
    Broken(&'static str),
}

impl Bus {
    /// Reads the stream from the message after sequence `after` on; 0 reads it from its beginning.
    #[must_use]
    pub fn consume(&self, stream: Stream, after: u64) -> Consumer {
        Consumer { bus: self.clone(), stream, last: after, created: None, source: None }
    }
}

impl Consumer {
    /// The next message, as long as it may take.
    ///
    /// # Errors
    /// [`ConsumeError`]; never because of the connection.
    pub async fn next(&mut self) -> Result<Message, ConsumeError> {
        loop {
            if let Some(message) = self.next_until(Instant::now() + PULL_EXPIRES).await? {
                return Ok(message);
            }
        }
    }

    /// What is there: waits up to `patience` for a first message, then takes what has already arrived, up to
    /// `max_messages` messages or until `max_bytes` of payload are reached.
    ///
    /// Empty when `patience` ends; [`Bus::is_connected`] says whether that means that there is nothing to read.
    ///
    /// # Errors
    /// [`ConsumeError`]; never because of the connection.
    pub async fn next_batch(
        &mut self,
        max_messages: usize,
        max_bytes: usize,
        patience: Duration,
    ) -> Result<Vec<Message>, ConsumeError> {
        let Some(first) = self.next_until(Instant::now() + patience).await? else { return Ok(Vec::new()) };
        let mut bytes = first.payload.len();
        let mut messages = vec![first];
        // From here on nothing waits, so dropping this future can not lose what was collected.
        while messages.len() < max_messages && bytes < max_bytes {
            let Some(message) = self.ready() else { break };
            bytes += message.payload.len();
            messages.push(message);
        }
        if let Some(source) = &mut self.source {
            // Ask for more before these are worked on. When that would have to wait, the next call does it.
            source.ask_for_more(&self.bus).now_or_never();
        }
        Ok(messages)
    }

    /// The sequence of the last message that was handed out.
    #[must_use]
    pub fn position(&self) -> u64 {
        self.last
    }

    async fn next_until(&mut self, deadline: Instant) -> Result<Option<Message>, ConsumeError> {
        loop {
            if self.source.is_none() && !self.open(deadline).await? {
                return Ok(None);
            }
            let Some(source) = &mut self.source else { continue };
            if source.ask_for_more(&self.bus).await.is_none() {
                self.reopen("the request for messages failed");
                continue;
            }
            let silence = source.heard + SILENCE;
            tokio::select! {
                biased;
                reply = source.replies.next() => match self.understand(reply) {
                    Word::Message(message) => return Ok(Some(message)),
                    Word::Nothing => {}
                    Word::Broken(why) => self.reopen(why),
                },
                () = self.bus.link.lost_since(source.losses) => self.reopen("connection lost"),
                () = tokio::time::sleep_until(silence.min(deadline)) => {
                    if silence < deadline {
                        self.reopen("the server is silent");
                    } else {
                        return Ok(None);
                    }
                }
            }
        }
    }

    /// The next message if it is already here.
    fn ready(&mut self) -> Option<Message> {
        loop {
            let reply = self.source.as_mut()?.replies.next().now_or_never()?;
            match self.understand(reply) {
                Word::Message(message) => return Some(message),
                Word::Nothing => {}
                Word::Broken(why) => self.reopen(why),
            }
        }
    }

    fn understand(&mut self, reply: Option<async_nats::Message>) -> Word {
        let Some(source) = &mut self.source else { return Word::Nothing };
        let Some(reply) = reply else { return Word::Broken("the subscription ended") };
        source.heard = Instant::now();
        match reply.status {
            None | Some(StatusCode::OK) => {}
            Some(StatusCode::IDLE_HEARTBEAT) => return Word::Nothing,
            // The request expired, or its count or bytes are reached: it is over, and nothing is wrong.
            Some(StatusCode::TIMEOUT | StatusCode::NOT_FOUND) => return source.request_is_over(),
            Some(StatusCode::REQUEST_TERMINATED)
                if matches!(
                    reply.description.as_deref(),
                    Some("Batch Completed" | "Message Size Exceeds MaxBytes")
                ) =>
            {
                return source.request_is_over();
            }
            Some(StatusCode::NO_RESPONDERS) => return Word::Broken("the consumer is gone"),
            Some(_) => return Word::Broken("the server ended the request"),
        }
        let Some((message, count)) = Message::delivered(self.stream, reply, &self.bus.jetstream) else {
            return Word::Broken("a message without its sequence");
        };
        if count != source.delivered + 1 {
            return Word::Broken("a message was lost on the way");
        }
        source.delivered = count;
        source.outstanding = source.outstanding.saturating_sub(1);
        self.last = message.position.sequence;
        Word::Message(message)
    }

    fn reopen(&mut self, why: &'static str) {
        debug!(stream = %self.stream, after = self.last, why, "reading on with a new consumer");
        self.source = None;
    }

    /// Makes a consumer after the last message; `false` when it did not come to that before the deadline.
    async fn open(&mut self, deadline: Instant) -> Result<bool, ConsumeError> {
        let patience = deadline.saturating_duration_since(Instant::now());
        if !self.bus.link.up_within(patience).await {
            return Ok(false);
        }
        let losses = self.bus.link.losses();
        match self.bus.state(self.stream).await {
            Ok(state) => self.check(state)?,
            Err(LoadError::Missing { stream }) => return Err(ConsumeError::Missing { stream }),
            Err(LoadError::Unreachable(cause)) => return Ok(self.pause(deadline, &cause).await),
        }
        match self.create(losses).await {
            Ok(source) => self.source = Some(source),
            Err(cause) => return Ok(self.pause(deadline, &cause).await),
        }
        Ok(true)
    }

    /// Waits a little before the next attempt; `false` when the deadline is over.
    async fn pause(&self, deadline: Instant, cause: &crate::Cause) -> bool {
        warn!(stream = %self.stream, after = self.last, %cause, "can not read the log, will try again");
        tokio::time::sleep_until((Instant::now() + PAUSE).min(deadline)).await;
        Instant::now() < deadline
    }

    fn check(&mut self, state: StreamState) -> Result<(), ConsumeError> {
        let same_log = self.created.is_none_or(|created| created == state.created);
        if !same_log || state.last_sequence < self.last {
            return Err(ConsumeError::RolledBack { stream: self.stream, read: self.last, last: state.last_sequence });
        }
        self.created = Some(state.created);
        Ok(())
    }

    async fn create(&self, losses: u64) -> Result<Source, crate::Cause> {
        let name = format!("{}-{}", self.bus.name, self.bus.unique_id());
        let wanted = pull::Config {
            name: Some(name.clone()),
            deliver_policy: DeliverPolicy::ByStartSequence { start_sequence: self.last + 1 },
            ack_policy: AckPolicy::None,
            replay_policy: ReplayPolicy::Instant,
            inactive_threshold: FORGOTTEN_AFTER,
            memory_storage: true,
            num_replicas: 1,
            ..pull::Config::default()
        };
        self.bus.jetstream.create_consumer_on_stream(wanted, self.stream.name()).await?;
        let inbox = self.bus.client.new_inbox();
        let replies = self.bus.client.subscribe(inbox.clone()).await?;
        let pull_subject = format!("$JS.API.CONSUMER.MSG.NEXT.{}.{name}", self.stream.name());
        Ok(Source { replies, inbox, pull_subject, losses, delivered: 0, outstanding: 0, heard: Instant::now() })
    }
}

impl Source {
    fn request_is_over(&mut self) -> Word {
        self.outstanding = 0;
        Word::Nothing
    }

    /// Makes the next request when the last one is over. `None` when it can not be sent.
    async fn ask_for_more(&mut self, bus: &Bus) -> Option<()> {
        if self.outstanding > 0 {
            return Some(());
        }
        let request = serde_json::json!({
            "batch": PULL_MESSAGES,
            "max_bytes": PULL_BYTES.max(2 * bus.max_payload()),
            "expires": nanoseconds(PULL_EXPIRES),
            "idle_heartbeat": nanoseconds(HEARTBEAT),
        });
        let (subject, inbox) = (self.pull_subject.clone(), self.inbox.clone());
        bus.client.publish_with_reply(subject, inbox, request.to_string().into()).await.ok()?;
        self.outstanding = PULL_MESSAGES;
        self.heard = Instant::now();
        Some(())
    }
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
