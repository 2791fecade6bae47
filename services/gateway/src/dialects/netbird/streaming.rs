//! Event streaming: integrations are read from their view, and changed by commands.

pub(crate) mod delivery;

mod body;

use std::collections::BTreeMap;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::Response;
use model::access::Principal;
use model::command::{
    Accepted, CreateIntegration, CreatedIntegration, DeleteIntegration, NumberedIntegration, UpdateIntegration,
};
use model::integration::Platform;
use model::log::AccountId;
use model::time::Timestamp;
use schemars::{JsonSchema, json_schema};
use serde::Serialize;
use serde_json::Map;
use views::integrations::{ById, List};

use crate::access::caller::Caller;
use crate::describe::{Header, Operation, schema};
use crate::http::body::{REQUEST, read};
use crate::http::freshness;
use crate::lists::ask::Lists;
use crate::render::json;
use crate::render::refusal::Refusal;
use crate::upstream::commands::Commands;

/// Says what a new integration's receiver was found to guarantee; NetBird's body has no member for it.
const GUARANTEE: HeaderName = HeaderName::from_static("flowtrail-guarantee");

/// An id as it stands in a path. One that is no UTF-8 is refused like any other that is wrong, in the dialect's form.
type Id = Result<Path<String>, PathRejection>;

/// Whether a body can be read as one that makes an integration or as one that changes it.
pub(crate) fn check(body: &[u8]) -> Result<(), Refusal> {
    let created = body::create(body).map(drop);
    created.or_else(|_| body::update(body).map(drop))
}

/// All integrations of the account, by id. Secrets are shown as `****`.
pub(crate) async fn list(State(lists): State<Lists>, caller: Caller) -> Result<Response, Refusal> {
    let account = &caller.principal.account;
    let reply = lists.ask(&caller, List { account: account.clone() }).await?;
    let shown: Vec<Shown<'_>> = reply.answer.iter().map(|integration| Shown::new(account, integration)).collect();
    let mut response = json::ok(&shown);
    freshness::add(response.headers_mut(), &reply.freshness);
    Ok(response)
}

pub(crate) fn describe_list() -> Operation {
    Operation::new("List integrations", "").answers::<Vec<Shown<'_>>>(StatusCode::OK, "All of them.").tells_freshness()
}

/// One integration. Secrets are shown as `****`.
pub(crate) async fn get(State(lists): State<Lists>, caller: Caller, id: Id) -> Result<Response, Refusal> {
    let question = ById { account: caller.principal.account.clone(), id: number(id)? };
    let reply = lists.ask(&caller, question).await?;
    let found = reply.answer.ok_or_else(missing)?;
    let mut response = json::ok(&Shown::new(&caller.principal.account, &found));
    freshness::add(response.headers_mut(), &reply.freshness);
    Ok(response)
}

pub(crate) fn describe_get() -> Operation {
    with_id(Operation::new("Get an integration", ""))
        .answers::<Shown<'_>>(StatusCode::OK, "The integration.")
        .tells_freshness()
}

/// Makes an integration. With `enabled` the answer comes after a test event was delivered.
pub(crate) async fn create(
    State(commands): State<Commands>,
    caller: Caller,
    request: Request,
) -> Result<Response, Refusal> {
    let body::Create { platform, config, enabled } = body::create(&read(request, REQUEST).await?)?;
    let Principal { account, actor: by, .. } = caller.principal;
    let config = commands.seal(&account, &config).await?;
    let command = CreateIntegration { account: account.clone(), by, platform, config, enabled };
    let Accepted { position, done: CreatedIntegration { integration, guarantee } } = commands.send(&command).await?;
    let mut response = json::ok(&Shown::new(&account, &integration));
    if let Some(guarantee) = guarantee {
        response.headers_mut().insert(GUARANTEE, HeaderValue::from_static(guarantee.name()));
    }
    Ok(commands.written(position, ById { account, id: integration.id }, response).await)
}

pub(crate) fn describe_create() -> Operation {
    let text = "Says where events go. With `enabled`, a test event is delivered first.";
    Operation::new("Create an integration", text)
        .body(body::create_schema)
        .answers::<Shown<'_>>(StatusCode::OK, "The integration, its secrets as `****`.")
        .with(&[Header::AsOf, Header::Guarantee])
        .refuses(StatusCode::CONFLICT, "Too many integrations are being made at the same time.")
        .refuses(StatusCode::PRECONDITION_FAILED, "The receiver did not take the test event; nothing is stored.")
}

/// Changes what the body names of an integration, and leaves the rest as it is.
pub(crate) async fn update(
    State(commands): State<Commands>,
    caller: Caller,
    id: Id,
    request: Request,
) -> Result<Response, Refusal> {
    // The path comes first: what names no integration is refused before its body is read.
    let id = number(id)?;
    let body::Update { config, enabled } = body::update(&read(request, REQUEST).await?)?;
    let Principal { account, actor: by, .. } = caller.principal;
    let config = commands.seal(&account, &config).await?;
    let command = UpdateIntegration { account: account.clone(), by, id, config, enabled };
    let Accepted { position, done } = commands.send(&command).await?;
    let response = json::ok(&Shown::new(&account, &done));
    Ok(commands.written(position, ById { account, id }, response).await)
}

pub(crate) fn describe_update() -> Operation {
    with_id(Operation::new("Change an integration", "What is not named stays as it is."))
        .body(body::update_schema)
        .answers::<Shown<'_>>(StatusCode::OK, "The integration, its secrets as `****`.")
        .with(&[Header::AsOf])
        .refuses(StatusCode::CONFLICT, "It is being changed too often at the same time.")
}

/// Removes an integration. A body, which some clients send, says nothing.
pub(crate) async fn delete(State(commands): State<Commands>, caller: Caller, id: Id) -> Result<Response, Refusal> {
    let id = number(id)?;
    let Principal { account, actor: by, .. } = caller.principal;
    let Accepted { position, done: () } =
        commands.send(&DeleteIntegration { account: account.clone(), by, id }).await?;
    Ok(commands.written(position, ById { account, id }, json::ok(&Map::new())).await)
}

pub(crate) fn describe_delete() -> Operation {
    with_id(Operation::new("Delete an integration", "Its secrets cannot be opened by anybody from then on."))
        .answers_in(
            "application/json",
            StatusCode::OK,
            "An empty object.",
            |_| json_schema!({ "type": "object", "maxProperties": 0 }),
        )
        .with(&[Header::AsOf])
        .refuses(StatusCode::CONFLICT, "It is being changed too often at the same time.")
}

/// An operation on one integration.
fn with_id(operation: Operation) -> Operation {
    operation
        .id("The integration's id.", schema::positive())
        .refuses(StatusCode::NOT_FOUND, "The account has no such integration.")
}

fn missing() -> Refusal {
    Refusal::NotFound("event streaming integration not found".to_owned())
}

fn number(id: Id) -> Result<u64, Refusal> {
    let text = id.map(|Path(text)| text).unwrap_or_default();
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
    let number = text.parse().ok().filter(|number| is_number && *number > 0 && i64::try_from(*number).is_ok());
    number.ok_or_else(|| Refusal::field("id", "must be a positive integer"))
}

/// An integration as NetBird shows it, secrets masked.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Integration")]
struct Shown<'a> {
    /// Unique in the account, and never used again.
    id: u64,
    account_id: &'a AccountId,
    enabled: bool,
    platform: Platform,
    created_at: Timestamp,
    updated_at: Timestamp,
    /// By the platform's keys.
    config: BTreeMap<String, String>,
}

impl<'a> Shown<'a> {
    fn new(account: &'a AccountId, integration: &NumberedIntegration) -> Self {
        let current = &integration.current;
        Self {
            id: integration.id,
            account_id: account,
            enabled: current.enabled,
            platform: current.platform,
            created_at: current.created_at,
            updated_at: current.updated_at,
            config: current.platform.shown(&current.config),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_a_positive_integer_of_64_bits() {
        let read = |text: &str| number(Ok(Path(text.to_owned())));
        assert_eq!(read("1"), Ok(1));
        assert_eq!(read("9223372036854775807"), Ok(i64::MAX.unsigned_abs()));
        for text in ["", "0", "-1", "+1", "1.0", "x", "null", "1\0", "\u{661}", "9223372036854775808", "1e3"] {
            assert_eq!(read(text), Err(Refusal::Invalid("id: must be a positive integer".to_owned())), "{text:?}");
        }
    }
}
