//! `GET /v1/audit/catalog`: the types of the account's events.

use std::collections::{BTreeMap, BTreeSet};

use axum::extract::State;
use axum::http::header::LINK;
use axum::http::{HeaderValue, StatusCode, Uri};
use axum::response::Response;
use model::paging::RowPosition;
use model::time::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use views::audit::Catalog;

use super::audit::{answer, opened, with_freshness};
use super::query::Parameters;
use super::validation::Validation;
use super::{CATALOG, HttpValidationError, JSON};
use crate::access::caller::Caller;
use crate::describe::{Header, Operation, schema};
use crate::lists::ask::Lists;
use crate::lists::cursor::Binding;
use crate::render::json;
use crate::render::refusal::Refusal;

/// As many as an account has that makes up types as it likes: what InstaVM's clients, who know no pages, get of all others is
/// everything.
const MAX_LIMIT: usize = 10_000;
/// InstaVM's own catalog has no parameters and passes over any, so pages are asked for by names that nobody sends who knows
/// lists alone.
const SIZE: &str = "page_size";
const CURSOR: &str = "page_cursor";

/// The types of the account's events, by group.
pub(crate) async fn catalog(State(lists): State<Lists>, caller: Caller, uri: Uri) -> Result<Response, Refusal> {
    let parameters = Parameters::parse(uri.query());
    let mut given = Validation::of(&parameters);
    let cursor = given.text(CURSOR).filter(|cursor| !cursor.is_empty());
    let limit = given.bounded(SIZE, 1..=MAX_LIMIT).unwrap_or(MAX_LIMIT);
    if let Err(detail) = given.finish() {
        return Ok(json::answer(StatusCode::UNPROCESSABLE_ENTITY, JSON, &HttpValidationError { detail }));
    }
    let account = caller.principal.account.clone();
    let binding = Binding::new("instavm.catalog", &account, &())?;
    let position = cursor.map(|cursor| opened(&lists.cursors, &binding, &cursor)).transpose()?;
    let after = position.map(|RowPosition { id, .. }| serde_json::from_str(&id)).transpose();
    let after = after.map_err(|_| Refusal::Internal)?;
    let reply = lists.ask(&caller, Catalog { account, after, limit }).await?;
    let page = reply.answer;
    let mut response = answer(&Groups { catalog: page.types });
    if let Some(last) = page.next {
        let id = serde_json::to_string(&last).map_err(|_| Refusal::Internal)?;
        let cursor = lists.cursors.seal(&binding, &RowPosition { time: Timestamp::EPOCH, id });
        // Numbers and the letters of URLs are fit for a header.
        let link = HeaderValue::try_from(format!("<{CATALOG}?{SIZE}={limit}&{CURSOR}={cursor}>; rel=\"next\""));
        response.headers_mut().extend(link.ok().map(|link| (LINK, link)));
    }
    Ok(with_freshness(response, &reply.freshness))
}

pub(crate) fn describe_catalog() -> Operation {
    Operation::new(
        "List the types of events",
        "Those that the account has events of, by group. Of the types that its publishers make up, the first 10,000 are \
         named; `other` in the group `other` stands for all that came later, and for those that are longer than 512 bytes \
         with their group.",
    )
    .query(CURSOR, "That of the `Link` of the page before.", schema::text())
    .query(SIZE, "How many types at most.", schema::whole(1..=MAX_LIMIT, MAX_LIMIT))
    .answers::<Groups>(StatusCode::OK, "The types.")
    .tells_freshness()
    .with(&[Header::Link])
    .answers::<HttpValidationError>(StatusCode::UNPROCESSABLE_ENTITY, "What is wrong with the parameters.")
}

/// The types of the account's events.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "AuditCatalogResponse")]
struct Groups {
    /// Types by group.
    catalog: BTreeMap<String, BTreeSet<String>>,
}
