//! Writing a stream back from a snapshot, apart from publishers and roles until the whole log is there.
//!
//! Invariant: what is written back hears none of its subjects and is refused by [`Bus::ensure_streams`] until
//! [`Bus::open_restored`]. So a log of which a part is missing is never taken for one, and one that broke off can be
//! thrown away: nobody's message is in it.

use std::time::Duration;

use async_nats::jetstream::ErrorCode;
use async_nats::{Request, RequestErrorKind};
use bytes::Bytes;
use serde_json::{Value, json};

use crate::snapshot::{TransferError, broken_off};
use crate::{Bus, restored};

/// How long the server may take to store a chunk: it waits for the disk at each message.
const STORED_WITHIN: Duration = Duration::from_secs(60);
/// How long it may take to open what it has stored.
const OPENED_WITHIN: Duration = Duration::from_secs(30 * 60);

/// A stream as it is written back. Made by [`Bus::begin_restore`].
pub struct Restoring {
    stream: String,
    bus: Bus,
    /// Where the server wants the chunks.
    subject: String,
    losses: u64,
}

impl Bus {
    /// How many messages are in the way of a stream that is to be restored; none: there is no such stream, it never had
    /// a message, or it is what a restore that broke off has left.
    ///
    /// # Errors
    /// When JetStream does not answer.
    pub async fn in_the_way(&self, stream: &str) -> Result<Option<u64>, TransferError> {
        Ok(self.existing(stream).await?.as_ref().and_then(kept))
    }

    /// Begins to write a stream back. Its configuration and state are what [`Bus::snapshot`] gave; it was restored
    /// `at`, in microseconds since 1970.
    ///
    /// # Errors
    /// [`TransferError`], also when messages are in the way.
    pub async fn begin_restore(
        &self,
        stream: &str,
        configuration: &Value,
        state: &Value,
        at: i64,
    ) -> Result<Restoring, TransferError> {
        if let Some(found) = self.existing(stream).await? {
            if kept(&found).is_some() {
                return Err(broken_off(stream, "it is there, and was used".to_owned()));
            }
            self.granted(stream, "DELETE", &json!({})).await?;
        }
        let losses = self.link.losses();
        let request = json!({ "config": restored::unfinished(stream, configuration, at), "state": state });
        let answer = self.granted(stream, "RESTORE", &request).await?;
        let Some(subject) = answer["deliver_subject"].as_str().map(str::to_owned) else {
            return Err(broken_off(stream, "the server does not say where it is to be sent".to_owned()));
        };
        Ok(Restoring { stream: stream.to_owned(), bus: self.clone(), subject, losses })
    }

    /// Lets publishers and roles have a stream that is whole. `at` is what it was begun with.
    ///
    /// # Errors
    /// [`TransferError`].
    pub async fn open_restored(&self, stream: &str, configuration: &Value, at: i64) -> Result<(), TransferError> {
        let wanted = restored::finished(configuration, at);
        let found = self.granted(stream, "UPDATE", &wanted).await?;
        if restored::is_unfinished(&found["config"]) || found["config"]["subjects"] != wanted["subjects"] {
            return Err(broken_off(stream, "the server does not open it".to_owned()));
        }
        Ok(())
    }

    async fn existing(&self, stream: &str) -> Result<Option<Value>, TransferError> {
        match self.stream_info(stream).await? {
            Ok(found) => Ok(Some(found)),
            Err(refusal) if refusal.error_code() == ErrorCode::STREAM_NOT_FOUND => Ok(None),
            Err(refusal) => Err(broken_off(stream, refusal.to_string())),
        }
    }

    async fn granted(&self, stream: &str, verb: &str, request: &Value) -> Result<Value, TransferError> {
        let answer = self.jetstream_api(stream, &format!("STREAM.{verb}.{stream}"), request).await?;
        answer.map_err(|refusal| broken_off(stream, refusal.to_string()))
    }
}

/// How many messages a stream has that must not be thrown away; none: it may be.
fn kept(found: &Value) -> Option<u64> {
    let was_used = found["state"]["last_seq"].as_u64() != Some(0);
    let is_kept = was_used && !restored::is_unfinished(&found["config"]);
    is_kept.then(|| found["state"]["messages"].as_u64().unwrap_or_default())
}

impl Restoring {
    /// Sends the next bytes of the snapshot, and waits until the server has them. There are some.
    ///
    /// # Errors
    /// [`TransferError`]; what was written back so far is of no use.
    pub async fn send(&mut self, chunk: Bytes) -> Result<(), TransferError> {
        let answer = self.ask(chunk, STORED_WITHIN).await?;
        // It answers with words only where it gives up.
        if answer.is_empty() { Ok(()) } else { self.read(&answer).map(drop) }
    }

    /// Says that all was sent; gives what the server says of the stream: an object with `config` and `state`.
    ///
    /// # Errors
    /// [`TransferError`], also when the server finds that something is missing.
    pub async fn finish(self) -> Result<Value, TransferError> {
        let answer = self.ask(Bytes::new(), OPENED_WITHIN).await?;
        self.read(&answer)
    }

    async fn ask(&self, chunk: Bytes, within: Duration) -> Result<Bytes, TransferError> {
        let request = Request::new().payload(chunk).timeout(Some(within));
        let answer = tokio::select! {
            biased;
            answer = self.bus.client.send_request(self.subject.clone(), request) => answer,
            () = self.bus.link.lost_since(self.losses) => {
                return Err(broken_off(&self.stream, "the connection was lost".to_owned()));
            }
        };
        match answer {
            Ok(answer) => Ok(answer.payload),
            // It hears no more of a restore that it has given up.
            Err(error) if error.kind() == RequestErrorKind::NoResponders => {
                Err(broken_off(&self.stream, "the server has ended it; its log says why".to_owned()))
            }
            Err(error) => Err(broken_off(&self.stream, error.to_string())),
        }
    }

    fn read(&self, answer: &[u8]) -> Result<Value, TransferError> {
        let answer: Value =
            serde_json::from_slice(answer).map_err(|error| broken_off(&self.stream, error.to_string()))?;
        match answer["error"]["description"].as_str() {
            Some(refusal) => Err(broken_off(&self.stream, refusal.to_owned())),
            None => Ok(answer),
        }
    }
}
