//! The NATS service: tests of receivers, and what is known of deliveries.

use bus::{AnswerError, Answering, Endpoint, LoadError, Refusal, ServiceInfo};
use bytes::Bytes;
use model::delivery::{self, DeadLetters, History, Letters, Question, StatusOf, Test, TestOf, Tested};
use model::json;
use model::log::AccountId;
use model::time::Timestamp;
use runtime::telemetry::chain;
use tracing::{error, warn};
use vault::Owner;

use crate::desired::Desired;
use crate::receiver::{ConnectError, Receivers};
use crate::supervisor::Lives;
use crate::{dead_letters, history, journal, status};

/// Who answers. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Desk {
    pub(crate) receivers: Receivers,
    pub(crate) lives: Lives,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unanswered {
    #[error(transparent)]
    Log(#[from] LoadError),
    #[error(transparent)]
    Connect(#[from] ConnectError),
}

/// Starts answering.
pub(crate) async fn start(desk: &Desk) -> Result<Answering, AnswerError> {
    let service = ServiceInfo {
        name: "flowtrail-streamer".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        description: "Tests the receivers of Flowtrail's integrations, and says how delivery stands".to_owned(),
    };
    let endpoints = vec![
        endpoint(desk, Desk::test),
        endpoint(desk, Desk::test_of),
        endpoint(desk, Desk::status),
        endpoint(desk, Desk::dead_letters),
        endpoint(desk, Desk::history),
    ];
    desk.receivers.bus.answer(&service, endpoints).await
}

fn endpoint<Q, F>(desk: &Desk, answer: impl Fn(Desk, Q) -> F + Copy + Send + Sync + 'static) -> Endpoint
where
    Q: Question,
    F: Future<Output = Result<Q::Answer, Unanswered>> + Send + 'static,
{
    let desk = desk.clone();
    Endpoint::new(format!("flowtrail.streamer.{}", Q::PATH), move |request: Bytes| {
        let desk = desk.clone();
        async move {
            let question = json::read(&request).map_err(|error| Refusal { code: 400, message: error.to_string() })?;
            let answered = answer(desk, question).await.map_err(|failure| {
                warn!(question = Q::PATH, error = %chain(&failure), "a question has no answer");
                Refusal { code: 503, message: "the log cannot be reached".to_owned() }
            })?;
            serde_json::to_vec(&answered).map(Bytes::from).map_err(|failure| {
                error!(question = Q::PATH, %failure, "an answer cannot be written");
                Refusal { code: 500, message: "internal error".to_owned() }
            })
        }
    })
}

impl Desk {
    async fn test(self, question: Test) -> Result<Tested, Unanswered> {
        let Test { account, id, platform, config } = question;
        Ok(self.receivers.test(Owner { account: &account, id }, platform, &config).await?)
    }

    async fn test_of(self, question: TestOf) -> Result<Option<Tested>, Unanswered> {
        let TestOf { account, id } = question;
        let Some(desired) = self.desired(&account, id).await? else { return Ok(None) };
        let current = desired.current;
        let tested = self.receivers.test(Owner { account: &account, id }, current.platform, &current.config).await;
        match tested {
            Ok(tested) => Ok(Some(tested)),
            // It is being deleted at this moment.
            Err(ConnectError::NoKey) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    async fn status(self, question: StatusOf) -> Result<Option<delivery::Status>, Unanswered> {
        let StatusOf { account, id } = question;
        let Some(desired) = self.desired(&account, id).await? else { return Ok(None) };
        Ok(Some(status::of(&self, &account, id, &desired).await?))
    }

    async fn dead_letters(self, question: DeadLetters) -> Result<Option<Letters>, Unanswered> {
        let DeadLetters { account, id, limit } = question;
        if self.desired(&account, id).await?.is_none() {
            return Ok(None);
        }
        let bus = &self.receivers.bus;
        let state = journal::last_state(bus, &account, id).await?.unwrap_or_default();
        let done = state.redrive.map_or(state.redriven, |redrive| redrive.after);
        let (total, newest) = dead_letters::DeadLetters::new(bus, &account, id).newest(limit).await?;
        let shown = |(message, letter): (bus::Message, model::dead_letter::DeadLetter)| delivery::Letter {
            sequence: message.position.sequence,
            time: Timestamp::from_micros(message.received_at).unwrap_or(Timestamp::EPOCH),
            event_id: letter.event_id,
            stream: letter.stream,
            position: delivery::Place {
                sequence: letter.sequence,
                index: u32::try_from(letter.index).unwrap_or(u32::MAX),
            },
            reason: letter.reason,
            redriven: message.position.sequence <= done,
        };
        Ok(Some(Letters { total, letters: newest.into_iter().map(shown).collect() }))
    }

    async fn history(self, question: History) -> Result<Option<Vec<delivery::Change>>, Unanswered> {
        let History { account, id } = question;
        Ok(history::of(&self.receivers.bus, &account, id).await?)
    }

    /// What the log says of an integration right now, which the supervisor may hear a moment later.
    async fn desired(&self, account: &AccountId, id: u64) -> Result<Option<Desired>, LoadError> {
        Ok(history::followed(&self.receivers.bus, account, id).await?.desired())
    }
}
