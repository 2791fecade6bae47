//! Asking: one request, one answer of any size, or a clear reason why not.

use std::time::Duration;

use async_nats::service::{NATS_SERVICE_ERROR, NATS_SERVICE_ERROR_CODE};
use async_nats::{HeaderMap, Message, StatusCode};
use bytes::Bytes;
use futures_util::StreamExt;

use crate::Bus;
use crate::connect::RECONNECTS_WITHIN;
use crate::parts::{Assembly, Broken};

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// Nobody serves this subject; the server says so at once.
    #[error("nobody answers {subject}")]
    NobodyAnswers {
        /// The subject that was asked on.
        subject: String,
    },
    /// No whole answer in time.
    #[error("no answer from {subject} in time")]
    TimedOut {
        /// The subject that was asked on.
        subject: String,
    },
    /// There is no connection, or it was lost while waiting.
    #[error("not connected to nats")]
    Disconnected,
    /// The other side said no.
    #[error("refused with {code}: {message}")]
    Refused {
        /// The refusal's code.
        code: u16,
        /// The refusal's text.
        message: String,
    },
    /// The request is larger than a message may be.
    #[error("a request of {length} bytes is over the limit of {limit}")]
    TooLarge {
        /// Bytes of the request.
        length: usize,
        /// What a message may hold.
        limit: usize,
    },
    /// The answer did not arrive whole.
    #[error("the answer from {subject} is broken")]
    Broken {
        /// The subject that was asked on.
        subject: String,
        /// What is wrong with it.
        #[source]
        cause: crate::Cause,
    },
}

impl Bus {
    /// Asks what serves `subject`, and waits for the whole answer at most `timeout`.
    ///
    /// # Errors
    /// [`AskError`].
    pub async fn ask(&self, subject: &str, request: Bytes, timeout: Duration) -> Result<Bytes, AskError> {
        if request.len() > self.max_payload() {
            return Err(AskError::TooLarge { length: request.len(), limit: self.max_payload() });
        }
        if !self.link.up_within(RECONNECTS_WITHIN.min(timeout)).await {
            return Err(AskError::Disconnected);
        }
        let losses = self.link.losses();
        tokio::select! {
            biased;
            answer = tokio::time::timeout(timeout, self.ask_once(subject, request)) => {
                answer.unwrap_or_else(|_| Err(AskError::TimedOut { subject: subject.to_owned() }))
            }
            () = self.link.lost_since(losses) => Err(AskError::Disconnected),
        }
    }

    async fn ask_once(&self, subject: &str, request: Bytes) -> Result<Bytes, AskError> {
        // Its own subscription, because the library's shared one forgets a request after the first reply.
        let inbox = self.client.new_inbox();
        let mut replies = self.client.subscribe(inbox.clone()).await.map_err(|_| AskError::Disconnected)?;
        let sent = self.client.publish_with_reply(subject.to_owned(), inbox, request).await;
        sent.map_err(|error| broken(subject, error))?;
        let mut assembly = Assembly::default();
        while let Some(reply) = replies.next().await {
            if reply.status == Some(StatusCode::NO_RESPONDERS) {
                return Err(AskError::NobodyAnswers { subject: subject.to_owned() });
            }
            if let Some(refusal) = refusal(&reply) {
                return Err(refusal);
            }
            let taken = assembly.take(reply.headers.as_ref(), reply.payload);
            if let Some(answer) = taken.map_err(|error: Broken| broken(subject, error))? {
                return Ok(answer);
            }
        }
        Err(AskError::Disconnected)
    }
}

fn refusal(reply: &Message) -> Option<AskError> {
    let text = |headers: &HeaderMap, name: &str| headers.get(name).map(ToString::to_string);
    let headers = reply.headers.as_ref()?;
    let code = text(headers, NATS_SERVICE_ERROR_CODE)?.parse().unwrap_or_default();
    Some(AskError::Refused { code, message: text(headers, NATS_SERVICE_ERROR).unwrap_or_default() })
}

fn broken(subject: &str, cause: impl Into<crate::Cause>) -> AskError {
    AskError::Broken { subject: subject.to_owned(), cause: cause.into() }
}
