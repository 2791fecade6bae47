//! A consumer on the server and what it sends: requests for messages, and what the replies mean.

use std::time::Duration;

use async_nats::jetstream::consumer::{AckPolicy, DeliverPolicy, ReplayPolicy, pull};
use async_nats::{HeaderMap, StatusCode, Subscriber};
use futures_util::StreamExt;
use model::log::Stream;
use tokio::time::Instant;

use crate::{Bus, Message};

/// How many messages one request asks for. Small requests cost a round trip each; the library's 200 is half as fast.
const PULL_MESSAGES: usize = 10_000;
/// How many bytes one request asks for, where messages are large; twice the largest message at least. What a request
/// brings waits in memory until it is taken, so more of it costs memory and is no faster.
const PULL_BYTES: usize = 8 << 20;
/// How many messages a thrifty reader asks for at once.
const THRIFTY_MESSAGES: usize = 500;
/// What the server counts for a message in addition to its payload: subject, reply subject and headers.
const THRIFTY_MARGIN_BYTES: usize = 64 << 10;
/// When a request ends without messages, and is made again.
const PULL_EXPIRES: Duration = Duration::from_secs(30);
/// How often an idle server says that it is there.
const HEARTBEAT: Duration = Duration::from_secs(2);
/// When silence means that the consumer is gone.
const SILENCE: Duration = Duration::from_secs(7);
/// When the server forgets a consumer that nobody asks.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(60);

/// In an idle heartbeat: how many messages the consumer has delivered.
const LAST_DELIVERED: &str = "Nats-Last-Consumer";
/// In an idle heartbeat: the last stream sequence that the consumer has looked at.
const LAST_LOOKED_AT: &str = "Nats-Last-Stream";

/// Which messages of a stream are read, and how far ahead.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    /// Those whose subject matches (with `*` and `>`); none: all.
    pub filter: Option<String>,
    /// Whether little is read ahead, about the largest message's size: for many readers that wait more than they read.
    pub thrifty: bool,
}

/// What a consumer is to deliver: the messages after a sequence that are selected.
pub(super) struct Wanted<'a> {
    pub(super) stream: Stream,
    pub(super) selection: &'a Selection,
    pub(super) after: u64,
}

pub(super) struct Source {
    stream: Stream,
    thrifty: bool,
    replies: Subscriber,
    inbox: String,
    pull_subject: String,
    /// Which connection it was made on.
    pub(super) losses: u64,
    /// The consumer's own count of its messages; a jump means that some were lost on the way.
    delivered: u64,
    /// How many messages of the last request are still to come.
    outstanding: usize,
    /// How many messages the stream holds after the last one that was delivered, as the server last said.
    pub(super) pending: u64,
    heard: Instant,
}

/// What the server's next word means.
pub(super) enum Word {
    Message(Message),
    /// The consumer has looked at everything up to this stream sequence, and delivered all that it is to deliver.
    CompleteTo(u64),
    Nothing,
    Broken(&'static str),
}

impl Source {
    /// Makes a consumer. `losses` names the connection it is made on.
    pub(super) async fn open(bus: &Bus, wanted: Wanted<'_>, losses: u64) -> Result<Self, crate::Cause> {
        let Wanted { stream, selection, after } = wanted;
        let name = format!("{}-{}", bus.name, bus.unique_id());
        // Nothing is acknowledged and the server stores nothing of this consumer: where to read on is known here, from
        // the last message. So a consumer that is lost, with its server or by silence, costs nothing but another one.
        let config = pull::Config {
            name: Some(name.clone()),
            filter_subject: selection.filter.clone().unwrap_or_default(),
            deliver_policy: DeliverPolicy::ByStartSequence { start_sequence: after + 1 },
            ack_policy: AckPolicy::None,
            replay_policy: ReplayPolicy::Instant,
            inactive_threshold: FORGOTTEN_AFTER,
            memory_storage: true,
            num_replicas: 1,
            ..pull::Config::default()
        };
        let made = bus.jetstream.create_consumer_on_stream(config, stream.name()).await?;
        let pending = made.cached_info().num_pending;
        let inbox = bus.client.new_inbox();
        let replies = bus.client.subscribe(inbox.clone()).await?;
        let pull_subject = format!("{}.CONSUMER.MSG.NEXT.{}.{name}", bus.api, stream.name());
        let heard = Instant::now();
        let thrifty = selection.thrifty;
        Ok(Self { stream, thrifty, replies, inbox, pull_subject, losses, delivered: 0, outstanding: 0, pending, heard })
    }

    /// Makes the next request when the last one is over. `None` when it cannot be sent.
    pub(super) async fn ask_for_more(&mut self, bus: &Bus) -> Option<()> {
        if self.outstanding > 0 {
            return Some(());
        }
        let (messages, bytes) = match self.thrifty {
            true => (THRIFTY_MESSAGES, bus.max_payload() + THRIFTY_MARGIN_BYTES),
            false => (PULL_MESSAGES, PULL_BYTES.max(2 * bus.max_payload())),
        };
        let request = serde_json::json!({
            "batch": messages,
            "max_bytes": bytes,
            "expires": nanoseconds(PULL_EXPIRES),
            "idle_heartbeat": nanoseconds(HEARTBEAT),
        });
        let (subject, inbox) = (self.pull_subject.clone(), self.inbox.clone());
        bus.client.publish_with_reply(subject, inbox, request.to_string().into()).await.ok()?;
        self.outstanding = messages;
        self.heard = Instant::now();
        Some(())
    }

    /// When it has been silent for too long.
    pub(super) fn silent_at(&self) -> Instant {
        self.heard + SILENCE
    }

    /// The server's next word. Nothing is lost when this is dropped before it is ready.
    pub(super) async fn next(&mut self, bus: &Bus) -> Word {
        let Some(reply) = self.replies.next().await else { return Word::Broken("the subscription ended") };
        self.heard = Instant::now();
        match reply.status {
            None | Some(StatusCode::OK) => {}
            Some(StatusCode::IDLE_HEARTBEAT) => return self.heard_idle(reply.headers.as_ref()),
            // The request expired, or its count or bytes are reached: it is over, and nothing is wrong.
            Some(StatusCode::TIMEOUT | StatusCode::NOT_FOUND) => return self.request_is_over(),
            Some(StatusCode::REQUEST_TERMINATED) if is_complete(reply.description.as_deref()) => {
                return self.request_is_over();
            }
            Some(StatusCode::NO_RESPONDERS) => return Word::Broken("the consumer is gone"),
            Some(_) => return Word::Broken("the server ended the request"),
        }
        let Some((message, count)) = Message::delivered(self.stream, reply, &bus.jetstream) else {
            return Word::Broken("a message without its sequence");
        };
        if count != self.delivered + 1 {
            return Word::Broken("a message was lost on the way");
        }
        self.delivered = count;
        self.pending = message.pending;
        self.outstanding = self.outstanding.saturating_sub(1);
        Word::Message(message)
    }

    /// The server has nothing to deliver. It says which messages it delivered last: the consumer's own count, and the
    /// stream sequence that it has looked at, which runs ahead of the messages over those that are not selected or gone.
    fn heard_idle(&self, headers: Option<&HeaderMap>) -> Word {
        let number = |name: &str| headers?.get(name)?.as_str().parse::<u64>().ok();
        let (Some(delivered), Some(complete_to)) = (number(LAST_DELIVERED), number(LAST_LOOKED_AT)) else {
            return Word::Nothing;
        };
        if delivered != self.delivered {
            return Word::Broken("a message was lost on the way");
        }
        // It would deliver what is there, so what it announced with the last message is gone since. It says how many are
        // left only with a message or when it is made, so another consumer is made.
        if self.pending > 0 {
            return Word::Broken("the messages that were announced are gone");
        }
        Word::CompleteTo(complete_to)
    }

    fn request_is_over(&mut self) -> Word {
        self.outstanding = 0;
        Word::Nothing
    }
}

fn is_complete(description: Option<&str>) -> bool {
    matches!(description, Some("Batch Completed" | "Message Size Exceeds MaxBytes"))
}

fn nanoseconds(duration: Duration) -> u64 {
    duration.as_secs() * 1_000_000_000 + u64::from(duration.subsec_nanos())
}
