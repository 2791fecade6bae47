//! Delivery, seen and steered: the streamer is asked how it stands, and a command changes how it goes on.

use axum::extract::{Request, State};
use axum::http::{StatusCode, Uri};
use axum::response::Response;
use model::access::Principal;
use model::command::{Accepted, SteerIntegration};
use model::delivery::{Change, DeadLetters, Failure, Guarantee, History, Letter, Status, StatusOf, TestOf, Tested};
use model::integration::{Order, Origin};
use model::log::LogPosition;
use model::time::Timestamp;
use schemars::json_schema;
use serde_json::{Map, Value, json as object};
use views::integrations::ById;

use super::{Id, Shown, missing, number, with_id};
use crate::access::caller::Caller;
use crate::describe::{Header, Operation, schema};
use crate::http::body::{REQUEST, read};
use crate::lists::query::Parameters;
use crate::render::json;
use crate::render::refusal::Refusal;
use crate::upstream::commands::Commands;
use crate::upstream::streamer::Streamer;

/// How many dead letters are shown when the client does not say how many.
const DEFAULT_LIMIT: usize = 100;
const MAX_LIMIT: usize = 1000;

/// How far an integration's delivery is, and what holds it up.
pub(crate) async fn status(State(streamer): State<Streamer>, caller: Caller, id: Id) -> Result<Response, Refusal> {
    let question = StatusOf { account: caller.principal.account, id: number(id)? };
    let status = streamer.ask(&question).await?.ok_or_else(missing)?;
    Ok(json::ok(&status))
}

pub(crate) fn describe_status() -> Operation {
    let text = "A batch message that waits counts as one event until it is read.";
    with_id(Operation::new("Get the state of a delivery", text)).answers::<Status>(StatusCode::OK, "The state.")
}

/// Delivers a test event, also where the integration is disabled; waits for the receiver's answer.
pub(crate) async fn test(State(streamer): State<Streamer>, caller: Caller, id: Id) -> Result<Response, Refusal> {
    let question = TestOf { account: caller.principal.account, id: number(id)? };
    match streamer.ask(&question).await?.ok_or_else(missing)? {
        Tested::Delivered(guarantee) => Ok(json::ok(&object!({ "delivered": true, "guarantee": guarantee }))),
        Tested::BadConfig(text) => Err(Refusal::ReceiverRefuses(text)),
        Tested::Refused(Failure { reason, .. }) => {
            Err(Refusal::ReceiverRefuses(format!("the test event was not delivered: {reason}")))
        }
    }
}

pub(crate) fn describe_test() -> Operation {
    with_id(Operation::new("Deliver a test event", "It is sent for real, whether or not the integration is enabled."))
        .answers_in("application/json", StatusCode::OK, "The receiver took it.", |generator| {
            json_schema!({
                "type": "object",
                "properties": { "delivered": { "const": true }, "guarantee": generator.subschema_for::<Guarantee>() },
                "required": ["delivered", "guarantee"],
            })
        })
        .refuses(StatusCode::PRECONDITION_FAILED, "The receiver did not take it.")
}

/// Stops delivery until further notice.
pub(crate) async fn pause(State(commands): State<Commands>, caller: Caller, id: Id) -> Result<Response, Refusal> {
    steer(&commands, caller, number(id)?, Order::Pause).await
}

pub(crate) fn describe_pause() -> Operation {
    steers("Pause a delivery", "What happens in the meantime is delivered when it is resumed.")
}

/// Lets delivery go on, at once, also where it was suspended.
pub(crate) async fn resume(State(commands): State<Commands>, caller: Caller, id: Id) -> Result<Response, Refusal> {
    steer(&commands, caller, number(id)?, Order::Resume).await
}

pub(crate) fn describe_resume() -> Operation {
    steers("Resume a delivery", "At once, also one that was suspended or waits for its next attempt.")
}

/// Delivers again from a time or a sequence on.
pub(crate) async fn replay(
    State(commands): State<Commands>,
    caller: Caller,
    id: Id,
    request: Request,
) -> Result<Response, Refusal> {
    let id = number(id)?;
    let from = origin(&read(request, REQUEST).await?)?;
    steer(&commands, caller, id, Order::Replay(from)).await
}

pub(crate) fn describe_replay() -> Operation {
    let text = "From a time, from a sequence in the streams of audit events and traffic reports, or from a position \
                such as `FLOWTRAIL_AUDIT:42` in one stream. Delivery goes on from there.";
    steers("Deliver again", text).body(|_| {
        json_schema!({
            "type": "object",
            "properties": { "from": { "oneOf": [{ "type": "string" }, { "type": "integer", "minimum": 0 }] } },
            "required": ["from"],
        })
    })
}

/// What could not be delivered, newest first.
pub(crate) async fn dead_letters(
    State(streamer): State<Streamer>,
    caller: Caller,
    id: Id,
    uri: Uri,
) -> Result<Response, Refusal> {
    let limit = Parameters::parse(uri.query())?.number("limit", 1..=MAX_LIMIT)?.unwrap_or(DEFAULT_LIMIT);
    let question = DeadLetters { account: caller.principal.account, id: number(id)?, limit };
    let found = streamer.ask(&question).await?.ok_or_else(missing)?;
    let mut response = json::ok(&found.letters);
    response.headers_mut().insert("x-total-count", found.total.into());
    Ok(response)
}

pub(crate) fn describe_dead_letters() -> Operation {
    with_id(Operation::new("List dead letters", "Events that the receiver refused for good, newest first."))
        .query("limit", "How many at most.", schema::whole(1..=MAX_LIMIT, DEFAULT_LIMIT))
        .answers::<Vec<Letter>>(StatusCode::OK, "The newest letters.")
        .with(&[Header::TotalCount])
}

/// Tries the dead letters again.
pub(crate) async fn redrive(State(commands): State<Commands>, caller: Caller, id: Id) -> Result<Response, Refusal> {
    steer(&commands, caller, number(id)?, Order::Redrive).await
}

pub(crate) fn describe_redrive() -> Operation {
    steers("Deliver dead letters again", "Those there are so far, once each.")
}

/// What was done to the integration, newest first.
pub(crate) async fn history(State(streamer): State<Streamer>, caller: Caller, id: Id) -> Result<Response, Refusal> {
    let question = History { account: caller.principal.account, id: number(id)? };
    let changes = streamer.ask(&question).await?.ok_or_else(missing)?;
    Ok(json::ok(&changes))
}

pub(crate) fn describe_history() -> Operation {
    with_id(Operation::new("List the changes of an integration", "Newest first, secrets as `****`."))
        .answers::<Vec<Change>>(StatusCode::OK, "What was done, when, and by whom.")
}

fn steers(title: &'static str, text: &'static str) -> Operation {
    with_id(Operation::new(title, text))
        .answers::<Shown<'_>>(StatusCode::OK, "The integration.")
        .with(&[Header::AsOf])
        .refuses(StatusCode::CONFLICT, "It is being changed too often at the same time.")
}

/// Answers with the integration, as a PUT does.
async fn steer(commands: &Commands, caller: Caller, id: u64, order: Order) -> Result<Response, Refusal> {
    let Principal { account, actor: by, .. } = caller.principal;
    let command = SteerIntegration { account: account.clone(), by, id, order };
    let Accepted { position, done } = commands.send(&command).await?;
    let response = json::ok(&Shown::new(&account, &done));
    Ok(commands.written(position, ById { account, id }, response).await)
}

/// Reads `{"from": ...}`: an RFC 3339 time, a sequence, or a position such as `FLOWTRAIL_AUDIT:42`.
fn origin(body: &[u8]) -> Result<Origin, Refusal> {
    let wrong =
        || Refusal::field("from", "must be an RFC 3339 time, a sequence, or a position like FLOWTRAIL_AUDIT:42");
    let fields: Map<String, Value> =
        model::json::read(body).map_err(|_| Refusal::field("body", "must be a JSON object"))?;
    match fields.get("from") {
        None => Err(Refusal::field("from", "is required")),
        Some(Value::Number(number)) => number.as_u64().map(Origin::Sequence).ok_or_else(wrong),
        Some(Value::String(text)) => {
            if let Ok(time) = Timestamp::parse(text) {
                return Ok(Origin::Time(time));
            }
            if let Ok(sequence) = text.parse() {
                return Ok(Origin::Sequence(sequence));
            }
            let LogPosition { stream, sequence } = text.parse().map_err(|_| wrong())?;
            Ok(Origin::Position { stream, sequence })
        }
        Some(Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_)) => Err(wrong()),
    }
}

#[cfg(test)]
mod tests {
    use model::log::Stream;

    use super::*;

    #[test]
    fn a_replay_begins_at_a_time_a_sequence_or_a_position() {
        let time = Timestamp::parse("2026-01-31T12:00:00Z").unwrap();
        assert_eq!(origin(br#"{"from":"2026-01-31T12:00:00Z"}"#), Ok(Origin::Time(time)));
        assert_eq!(origin(br#"{"from":42}"#), Ok(Origin::Sequence(42)));
        assert_eq!(origin(br#"{"from":"42"}"#), Ok(Origin::Sequence(42)));
        let position = Origin::Position { stream: Stream::Traffic, sequence: 7 };
        assert_eq!(origin(br#"{"from":"FLOWTRAIL_TRAFFIC:7"}"#), Ok(position));
    }

    #[test]
    fn a_replay_from_nowhere_is_refused() {
        for body in ["", "[]", "{}", r#"{"from":null}"#, r#"{"from":-1}"#, r#"{"from":1.5}"#, r#"{"from":"yesterday"}"#]
        {
            let refused = origin(body.as_bytes());
            assert!(matches!(&refused, Err(Refusal::Invalid(text)) if !text.is_empty()), "{body}: {refused:?}");
        }
    }
}
