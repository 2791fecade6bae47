//! A message of the log, as it is read back: the same whether it was consumed or loaded.

use async_nats::HeaderMap;
use async_nats::jetstream::Context;
use async_nats::jetstream::message::StreamMessage;
use bytes::Bytes;
use model::log::{LogPosition, Stream};

/// What a direct get adds to the headers that were published.
const ADDED_BY_DIRECT_GET: [&str; 6] =
    ["Nats-Stream", "Nats-Subject", "Nats-Sequence", "Nats-Time-Stamp", "Nats-Num-Pending", "Nats-Last-Sequence"];

/// One stored message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Where it stands in the log.
    pub position: LogPosition,
    /// The subject it was published on.
    pub subject: String,
    /// The headers it was published with, `Nats-*` ones included.
    pub headers: Vec<(String, String)>,
    /// The bytes it was published with.
    pub payload: Bytes,
    /// When the server stored it: microseconds since 1970.
    pub received_at: i64,
    /// How many messages the stream still held after it when it was delivered; 0 for a loaded one.
    pub pending: u64,
}

impl Message {
    /// The first header of this name, whatever the case of its letters.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    /// What tells this message from another one at the same position: its id, or without one when it was stored and
    /// how long it is. A view remembers it with its checkpoint, to notice that the log was lost or rolled back
    /// ([`Bus::fingerprint_at`](crate::Bus::fingerprint_at)).
    #[must_use]
    pub fn fingerprint(&self) -> String {
        match self.header("Nats-Msg-Id") {
            Some(id) => id.to_owned(),
            None => format!("{}-{}", self.received_at, self.payload.len()),
        }
    }

    /// A delivered message; `None` when it did not come from a consumer.
    pub(crate) fn delivered(stream: Stream, message: async_nats::Message, context: &Context) -> Option<(Self, u64)> {
        let message = async_nats::jetstream::Message { message, context: context.clone() };
        let info = message.info().ok()?;
        let consumer_sequence = info.consumer_sequence;
        let read = Self {
            position: LogPosition { stream, sequence: info.stream_sequence },
            received_at: micros(info.published.unix_timestamp_nanos()),
            pending: info.pending,
            subject: message.message.subject.to_string(),
            headers: message.message.headers.as_ref().map(pairs).unwrap_or_default(),
            payload: message.message.payload.clone(),
        };
        Some((read, consumer_sequence))
    }

    /// A message that was got by its sequence or subject.
    pub(crate) fn loaded(stream: Stream, message: StreamMessage) -> Self {
        let mut headers = pairs(&message.headers);
        headers.retain(|(name, _)| !ADDED_BY_DIRECT_GET.contains(&name.as_str()));
        Self {
            position: LogPosition { stream, sequence: message.sequence },
            received_at: micros(message.time.unix_timestamp_nanos()),
            pending: 0,
            subject: message.subject.to_string(),
            headers,
            payload: message.payload,
        }
    }
}

fn pairs(headers: &HeaderMap) -> Vec<(String, String)> {
    let of_name = |(name, values): (&async_nats::HeaderName, &Vec<async_nats::HeaderValue>)| {
        let name = name.to_string();
        values.iter().map(move |value| (name.clone(), value.to_string())).collect::<Vec<_>>()
    };
    let mut pairs: Vec<_> = headers.iter().flat_map(of_name).collect();
    // The map has no order of its own; two readings of one message must be equal.
    pairs.sort();
    pairs
}

/// Microseconds of the nanoseconds that a server says.
pub(crate) fn micros(nanos: i128) -> i64 {
    // The server keeps nanoseconds in 64 bits, so a thousandth of them fits.
    i64::try_from(nanos.div_euclid(1000)).unwrap_or(i64::MAX)
}
