//! `GET /flowtrail/v1/dead-letters`: what the views could not take in of an account's events, and why.

use axum::extract::State;
use axum::http::{StatusCode, Uri};
use axum::response::Response;
use model::dead_letter::{Letter, List};
use model::log::{AccountId, LogPosition, Stream};
use model::paging::RowPosition;
use model::time::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use crate::access::caller::Caller;
use crate::describe::{Header, Operation, schema};
use crate::http::freshness;
use crate::lists::ask::Lists;
use crate::lists::cursor::Binding;
use crate::lists::query::Parameters;
use crate::render::json;
use crate::render::refusal::Refusal;
use crate::upstream::dead_letters::DeadLetters;

/// How many letters are shown when the client does not say how many.
const DEFAULT_LIMIT: usize = 100;
const MAX_LIMIT: usize = 1000;
/// By name, whether only letters are shown that nothing became of yet.
const STATES: [(&str, bool); 2] = [("open", true), ("all", false)];

/// A page of letters.
#[derive(Serialize, JsonSchema)]
struct DeadLetterPage {
    /// The letters, newest first.
    items: Vec<Letter>,
    /// How many there are on all pages.
    total: usize,
    /// The cursor of the next page; null on the last one.
    next: Option<String>,
}

/// The letters of the caller's account, newest first.
pub(crate) async fn list(
    State(letters): State<DeadLetters>,
    State(lists): State<Lists>,
    caller: Caller,
    uri: Uri,
) -> Result<Response, Refusal> {
    let parameters = Parameters::parse(uri.query())?;
    parameters.are_among(&["state", "limit", "cursor"])?;
    let open = parameters.choice("state", &STATES)?.unwrap_or(true);
    let limit = parameters.number("limit", 1..=MAX_LIMIT)?.unwrap_or(DEFAULT_LIMIT);
    let account = caller.principal.account;
    let binding = binding(&account, open)?;
    let cursor = parameters.text("cursor")?.map(|cursor| lists.cursors.open(&binding, &cursor)).transpose()?;
    let before = cursor.map(|place| place.id.parse().map_err(|_| Refusal::Internal)).transpose()?;
    let listed = letters.list(&List { account: Some(account), open, before, limit }).await?;
    let next = listed.letters.last().filter(|_| listed.more).map(|last| {
        let place = RowPosition { time: Timestamp::EPOCH, id: last.sequence.to_string() };
        lists.cursors.seal(&binding, &place)
    });
    let mut response = json::ok(&DeadLetterPage { items: listed.letters, total: listed.total, next });
    let as_of = LogPosition { stream: Stream::DeadLetter, sequence: listed.as_of };
    freshness::add_position(response.headers_mut(), as_of);
    Ok(response)
}

pub(crate) fn describe_list() -> Operation {
    let text = "Events of the account that no view could take in, and why. The operator brings them in again with \
                `flowtrail redrive` once the cause is mended; messages on subjects that name no account are listed by \
                `flowtrail dead-letters` alone.";
    Operation::new("List dead letters of the views", text)
        .query("state", "`open`, the default: those that nothing became of yet.", schema::choice(&STATES))
        .query("limit", "How many at most.", schema::whole(1..=MAX_LIMIT, DEFAULT_LIMIT))
        .query("cursor", "`next` of the page before.", schema::text())
        .answers::<DeadLetterPage>(StatusCode::OK, "A page of letters, newest first.")
        .with(&[Header::AsOf])
}

/// What a cursor of this list is good for.
fn binding(account: &AccountId, open: bool) -> Result<Binding, Refusal> {
    Binding::new("dead_letters", account, &open)
}
