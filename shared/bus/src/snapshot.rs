//! Reading a stream out whole, as of one moment, while it goes on: JetStream's snapshots.
//!
//! Invariant: a snapshot that comes to its end came whole. One of which something is lost on the way is an error.

use std::time::Duration;

use async_nats::Subscriber;
use bytes::Bytes;
use futures_util::StreamExt;
use serde_json::{Value, json};

use crate::{Bus, StreamError, restored};

/// Every stream of the log, in the order in which they are to be read out one after the other: what points at something
/// comes before what it points at.
///
/// A restored place of a delivery then never lies behind the end of its stream, where it would pass over events that
/// come later; a dead letter names a message that is there; an integration has its key, and it and a saved search have their account. What came in
/// between the two is delivered again, or is a key that opens nothing. The other way round it would be lost without a
/// word.
pub const SNAPSHOT_ORDER: [&str; 9] = [
    "FLOWTRAIL_DELIVERY",
    "FLOWTRAIL_DEAD_LETTER",
    "FLOWTRAIL_AUDIT",
    "FLOWTRAIL_TRAFFIC",
    "FLOWTRAIL_DIRECTORY",
    "FLOWTRAIL_INTEGRATION",
    "FLOWTRAIL_SEARCH",
    "FLOWTRAIL_ACCESS",
    "KV_FLOWTRAIL_KEYS",
];

/// How many bytes one chunk has.
const CHUNK_BYTES: usize = 128 << 10;
/// How long the server may be silent: it reads what it sends from disk.
const SILENCE: Duration = Duration::from_secs(30);
/// How the server ends a snapshot.
const END: u16 = 204;

/// Why a stream is not read out, or not written back.
#[derive(Debug, thiserror::Error)]
pub enum TransferError {
    /// JetStream does not answer.
    #[error(transparent)]
    Stream(#[from] StreamError),
    /// The server refuses it, or it broke off. What has come of it is of no use.
    #[error("stream {stream}: {reason}")]
    BrokenOff {
        /// The stream's name.
        stream: String,
        /// What happened, or the server's words.
        reason: String,
    },
}

/// One stream as it is read out. Made by [`Bus::snapshot`].
pub struct Snapshot {
    /// The stream's configuration, an object in the server's own terms.
    pub configuration: Value,
    /// What it holds as of the snapshot, in the same terms: `messages`, `bytes`, `first_seq`, `last_seq` and more.
    pub state: Value,
    stream: String,
    bus: Bus,
    chunks: Subscriber,
    /// The connection that it comes over.
    losses: u64,
    /// How many chunks came.
    taken: u64,
}

impl Bus {
    /// Begins to read out the stream of this name.
    ///
    /// # Errors
    /// [`TransferError`], also when there is no such stream, and when it is not whole itself.
    pub async fn snapshot(&self, stream: &str) -> Result<Snapshot, TransferError> {
        let losses = self.link.losses();
        let inbox = self.client.new_inbox();
        let chunks = self.client.subscribe(inbox.clone()).await;
        let chunks = chunks.map_err(|error| broken_off(stream, error.to_string()))?;
        let request = json!({ "deliver_subject": inbox, "no_consumers": true, "chunk_size": CHUNK_BYTES });
        let answer = self.jetstream_api(stream, &format!("STREAM.SNAPSHOT.{stream}"), &request).await?;
        let mut answer = answer.map_err(|refusal| broken_off(stream, refusal.to_string()))?;
        let (configuration, state) = (answer["config"].take(), answer["state"].take());
        if restored::is_unfinished(&configuration) {
            return Err(StreamError::Unfinished { stream: stream.to_owned() }.into());
        }
        let (stream, bus) = (stream.to_owned(), self.clone());
        Ok(Snapshot { configuration, state, stream, bus, chunks, losses, taken: 0 })
    }
}

impl Snapshot {
    /// The next bytes of it, whose form is the server's own; none: it is whole, and over.
    ///
    /// # Errors
    /// [`TransferError`]; there is no use in asking again.
    pub async fn next(&mut self) -> Result<Option<Bytes>, TransferError> {
        let chunk = tokio::select! {
            biased;
            chunk = tokio::time::timeout(SILENCE, self.chunks.next()) => chunk,
            () = self.bus.link.lost_since(self.losses) => return Err(self.broken_off("the connection was lost")),
        };
        let Ok(chunk) = chunk else { return Err(self.broken_off("the server is silent")) };
        let Some(chunk) = chunk else { return Err(self.broken_off("the connection was closed")) };
        if self.bus.link.losses() != self.losses {
            return Err(self.broken_off("the connection was lost"));
        }
        if chunk.payload.is_empty() {
            let status = chunk.status.map_or(END, |status| status.as_u16());
            let said = chunk.description.unwrap_or_default();
            return if status == END {
                Ok(None)
            } else {
                Err(self.broken_off(&format!("the server ended it: {said}")))
            };
        }
        // The last chunk wants no answer where it is shorter than the others.
        if let Some(reply) = chunk.reply {
            self.taken += 1;
            if number(&reply).is_some_and(|number| number != self.taken) {
                return Err(self.broken_off("a part was lost on the way"));
            }
            // The server sends so many more as it was told that came.
            let told = self.bus.client.publish(reply, Bytes::new()).await;
            told.map_err(|error| self.broken_off(&error.to_string()))?;
        }
        Ok(Some(chunk.payload))
    }

    /// Whether the stream has taken in messages since, and may have given up others for them before they were read: it
    /// keeps so many of each subject. Then neither is in the snapshot.
    ///
    /// # Errors
    /// [`TransferError`].
    pub async fn is_overtaken(&self) -> Result<bool, TransferError> {
        if self.configuration["max_msgs_per_subject"].as_i64().unwrap_or_default() <= 0 {
            return Ok(false);
        }
        let found = self.bus.stream_info(&self.stream).await?;
        let found = found.map_err(|refusal| self.broken_off(&refusal.to_string()))?;
        Ok(found["state"]["last_seq"] != self.state["last_seq"])
    }

    fn broken_off(&self, reason: &str) -> TransferError {
        broken_off(&self.stream, reason.to_owned())
    }
}

pub(crate) fn broken_off(stream: &str, reason: String) -> TransferError {
    TransferError::BrokenOff { stream: stream.to_owned(), reason }
}

/// The number that the server gives a chunk, from 1 on: the end of the subject on which it wants to be told that it
/// came.
fn number(reply: &str) -> Option<u64> {
    reply.rsplit('.').next()?.parse().ok()
}
