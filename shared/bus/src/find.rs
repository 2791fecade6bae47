//! Finding one message of the log: the last on a subject, the first from a sequence or a time on; and counting.

use std::time::Duration;

use async_nats::StatusCode;
use async_nats::jetstream::consumer::{AckPolicy, DeliverPolicy, pull};
use async_nats::jetstream::message::StreamMessage;
use model::log::{Stream, Subject};
use model::time::Timestamp;
use serde_json::{Value, json};

use crate::connect::ANSWERS_WITHIN;
use crate::{Bus, LoadError, Message};

/// When the server forgets a consumer that was made to count, should it not be deleted.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(5);

impl Bus {
    /// The newest message on a subject; `None` when there is none (any more).
    ///
    /// # Errors
    /// [`LoadError`].
    pub async fn last_on(&self, subject: &Subject) -> Result<Option<Message>, LoadError> {
        self.find(subject.stream(), &json!({ "last_by_subj": subject.to_string() })).await
    }

    /// The first message from a sequence on whose subject matches `filter` (with `*` and `>`).
    ///
    /// # Errors
    /// [`LoadError`].
    pub async fn first_from(&self, stream: Stream, filter: &str, sequence: u64) -> Result<Option<Message>, LoadError> {
        self.find(stream, &json!({ "seq": sequence.max(1), "next_by_subj": filter })).await
    }

    /// The first message that was stored at `time` or later and whose subject matches `filter`.
    ///
    /// # Errors
    /// [`LoadError`].
    pub async fn first_since(
        &self,
        stream: Stream,
        filter: &str,
        time: Timestamp,
    ) -> Result<Option<Message>, LoadError> {
        // The server counts nanoseconds in 64 bits: of later times it thinks they are long past.
        if time.micros() > i64::MAX / 1000 {
            return Ok(None);
        }
        let time = time.max(Timestamp::EPOCH);
        self.find(stream, &json!({ "start_time": time.to_six_digits(), "next_by_subj": filter })).await
    }

    /// How many messages from a sequence on have a subject that matches `filter`.
    ///
    /// # Errors
    /// [`LoadError`].
    pub async fn count_from(&self, stream: Stream, filter: &str, sequence: u64) -> Result<u64, LoadError> {
        self.connected().await?;
        let name = format!("{}-count-{}", self.name, self.unique_id());
        let wanted = pull::Config {
            name: Some(name.clone()),
            filter_subject: filter.to_owned(),
            deliver_policy: DeliverPolicy::ByStartSequence { start_sequence: sequence.max(1) },
            ack_policy: AckPolicy::None,
            inactive_threshold: FORGOTTEN_AFTER,
            memory_storage: true,
            num_replicas: 1,
            ..pull::Config::default()
        };
        // The server counts when the consumer is made; nothing is read with it.
        let made = self.jetstream.create_consumer_on_stream(wanted, stream.name()).await;
        let made = made.map_err(|error| LoadError::Unreachable(error.into()))?;
        Ok(made.cached_info().num_pending)
    }

    /// Asks for one message in the server's own words.
    async fn find(&self, stream: Stream, request: &Value) -> Result<Option<Message>, LoadError> {
        self.connected().await?;
        let unreachable = |cause: crate::Cause| LoadError::Unreachable(cause);
        let asked = format!("{}.DIRECT.GET.{}", self.api, stream.name());
        let reply = tokio::time::timeout(ANSWERS_WITHIN, self.client.request(asked, request.to_string().into()));
        let reply = match reply.await.map_err(|elapsed| unreachable(elapsed.into()))? {
            Ok(reply) => reply,
            Err(error) if error.kind() == async_nats::RequestErrorKind::NoResponders => {
                return Err(LoadError::Missing { stream });
            }
            Err(error) => return Err(unreachable(error.into())),
        };
        match reply.status {
            None | Some(StatusCode::OK) => {}
            Some(StatusCode::NOT_FOUND) => return Ok(None),
            Some(status) => {
                let said = reply.description.unwrap_or_default();
                return Err(unreachable(format!("direct get answered {status} {said}").into()));
            }
        }
        let message = StreamMessage::try_from(reply).map_err(|error| unreachable(error.into()))?;
        Ok(Some(Message::loaded(stream, message)))
    }
}
