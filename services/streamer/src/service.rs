//! The NATS service: tests of receivers, and what is known of deliveries.

use bus::{AnswerError, Answering, Endpoint, LoadError, Refusal, ServiceInfo};
use bytes::Bytes;
use model::delivery::{self, DeadLetters, History, Letters, Question, StatusOf, Test, TestOf, Tested};
use model::json;
use model::time::Timestamp;
use runtime::telemetry::chain;
use tracing::{error, warn};
use vault::Owner;

use crate::desired::Desired;
use crate::live::{IntegrationId, LiveDeliveries};
use crate::receiver::{ConnectError, Receivers};
use crate::{dead_letters, history, journal, status};

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unanswered {
    #[error(transparent)]
    Log(#[from] LoadError),
    #[error(transparent)]
    Connect(#[from] ConnectError),
}

/// Starts answering.
pub(crate) async fn start(receivers: &Receivers, live: &LiveDeliveries) -> Result<Answering, AnswerError> {
    let service = ServiceInfo {
        name: "flowtrail-streamer".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        description: "Tests the receivers of Flowtrail's integrations, and says how delivery stands".to_owned(),
    };
    let live = live.clone();
    let endpoints = vec![
        endpoint(receivers, test),
        endpoint(receivers, test_of),
        endpoint(receivers, move |receivers, question| status(receivers, live.clone(), question)),
        endpoint(receivers, dead_letters),
        endpoint(receivers, history),
    ];
    receivers.bus.answer(&service, endpoints).await
}

fn endpoint<Q, F>(receivers: &Receivers, answer: impl Fn(Receivers, Q) -> F + Send + Sync + 'static) -> Endpoint
where
    Q: Question,
    F: Future<Output = Result<Q::Answer, Unanswered>> + Send + 'static,
{
    let receivers = receivers.clone();
    Endpoint::new(format!("flowtrail.streamer.{}", Q::PATH), move |request: Bytes| {
        // The answer is begun only when the question was read, so that nothing is done for a malformed one.
        let answered = json::read(&request).map(|question| answer(receivers.clone(), question));
        async move {
            let answered = answered.map_err(|error| Refusal { code: 400, message: error.to_string() })?;
            let answer = answered.await.map_err(|failure| {
                warn!(question = Q::PATH, error = %chain(&failure), "a question has no answer");
                Refusal { code: 503, message: "the log cannot be reached".to_owned() }
            })?;
            serde_json::to_vec(&answer).map(Bytes::from).map_err(|failure| {
                error!(question = Q::PATH, %failure, "an answer cannot be written");
                Refusal { code: 500, message: "internal error".to_owned() }
            })
        }
    })
}

async fn test(receivers: Receivers, question: Test) -> Result<Tested, Unanswered> {
    let Test { account, id, platform, config } = question;
    Ok(receivers.test(Owner { account: &account, id }, platform, &config).await?)
}

async fn test_of(receivers: Receivers, question: TestOf) -> Result<Option<Tested>, Unanswered> {
    let TestOf { account, id } = question;
    let integration = IntegrationId { account, id };
    let Some(desired) = desired(&receivers, &integration).await? else { return Ok(None) };
    let current = desired.current;
    match receivers.test(integration.owner(), current.platform, &current.config).await {
        Ok(tested) => Ok(Some(tested)),
        // It is being deleted at this moment.
        Err(ConnectError::NoKey) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

async fn status(
    receivers: Receivers,
    live: LiveDeliveries,
    question: StatusOf,
) -> Result<Option<delivery::Status>, Unanswered> {
    let StatusOf { account, id } = question;
    let integration = IntegrationId { account, id };
    let Some(desired) = desired(&receivers, &integration).await? else { return Ok(None) };
    Ok(Some(status::of(&receivers, &integration, &desired, live.of(&integration)).await?))
}

async fn dead_letters(receivers: Receivers, question: DeadLetters) -> Result<Option<Letters>, Unanswered> {
    let DeadLetters { account, id, limit } = question;
    let integration = IntegrationId { account, id };
    if desired(&receivers, &integration).await?.is_none() {
        return Ok(None);
    }
    let (bus, account) = (&receivers.bus, &integration.account);
    let state = journal::last_state(bus, account, id).await?.unwrap_or_default();
    let done = state.redrive.map_or(state.redriven, |redrive| redrive.after);
    let (total, newest) = dead_letters::DeadLetters::new(bus, account, id).newest(limit).await?;
    let shown = |(message, letter): (bus::Message, model::dead_letter::DeadLetter)| {
        // A place that no event can have is of no letter of ours.
        let index = u32::try_from(letter.index).ok()?;
        Some(delivery::Letter {
            sequence: message.position.sequence,
            time: Timestamp::from_micros(message.received_at).unwrap_or(Timestamp::EPOCH),
            event_id: letter.event_id,
            stream: letter.stream,
            position: delivery::EventPlace { sequence: letter.sequence, index },
            reason: letter.reason,
            redriven: message.position.sequence <= done,
        })
    };
    Ok(Some(Letters { total, letters: newest.into_iter().filter_map(shown).collect() }))
}

async fn history(receivers: Receivers, question: History) -> Result<Option<Vec<delivery::Change>>, Unanswered> {
    let History { account, id } = question;
    Ok(history::of(&receivers.bus, &account, id).await?)
}

/// What the log says of an integration right now; the supervisor may hear of it a moment later.
async fn desired(receivers: &Receivers, integration: &IntegrationId) -> Result<Option<Desired>, LoadError> {
    Ok(history::followed(&receivers.bus, &integration.account, integration.id).await?.desired())
}
