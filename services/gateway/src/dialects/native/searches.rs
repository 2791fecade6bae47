//! `/flowtrail/v1/searches`: saved searches, which are read from their view and changed by commands.

mod body;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Request, State};
use axum::http::header::LOCATION;
use axum::http::{HeaderValue, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use model::access::{Actor, Principal};
use model::command::Accepted;
use model::log::AccountId;
use model::search::{Asker, CreateSearch, Definition, DeleteSearch, IdentifiedSearch, UpdateSearch};
use model::time::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use views::searches::{ById, List};

use self::body::FAMILIES;
use crate::access::caller::Caller;
use crate::describe::{Header, Operation, schema};
use crate::http::body::{REQUEST, read};
use crate::http::freshness;
use crate::lists::ask::Lists;
use crate::lists::query::Parameters;
use crate::render::json;
use crate::render::refusal::Refusal;
use crate::upstream::commands::Commands;

/// An id as it stands in a path. One that is no UTF-8 is nobody's.
type Id = Result<Path<String>, PathRejection>;

/// The path.
const PATH: &str = "/flowtrail/v1/searches";

/// The searches that the caller sees.
#[derive(Serialize, JsonSchema)]
struct SavedSearches<'a> {
    /// The one that was made first comes first.
    items: Vec<Shown<'a>>,
}

/// A saved search.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "SavedSearch")]
struct Shown<'a> {
    id: &'a str,
    #[serde(flatten)]
    search: &'a Definition,
    /// Who made it.
    owner: &'a Actor,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl<'a> From<&'a IdentifiedSearch> for Shown<'a> {
    fn from(IdentifiedSearch { id, current }: &'a IdentifiedSearch) -> Self {
        let (created_at, updated_at) = (current.created_at, current.updated_at);
        Self { id, search: &current.definition, owner: &current.owner, created_at, updated_at }
    }
}

/// The caller's own searches, and those that are shared in the account.
pub(crate) async fn list(State(lists): State<Lists>, caller: Caller, uri: Uri) -> Result<Response, Refusal> {
    let parameters = Parameters::parse(uri.query())?;
    parameters.are_among(&["family"])?;
    let family = parameters.choice("family", &FAMILIES)?;
    let (account, asker) = who(caller.principal.clone());
    let reply = lists.ask(&caller, List { account, asker }).await?;
    let wanted =
        reply.answer.iter().filter(|search| family.is_none_or(|family| search.current.definition.family == family));
    let mut response = json::ok(&SavedSearches { items: wanted.map(Shown::from).collect() });
    freshness::add(response.headers_mut(), &reply.freshness);
    Ok(response)
}

pub(crate) fn describe_list() -> Operation {
    let text = "Those of the token's user, or of the token where it has none, and those that others share; of the families that \
                the token may read.";
    Operation::new("List saved searches", text)
        .query("family", "Only those about these events.", schema::choice(&FAMILIES))
        .answers::<SavedSearches<'_>>(StatusCode::OK, "All of them.")
        .tells_freshness()
}

/// One of them, by its id.
pub(crate) async fn get(State(lists): State<Lists>, caller: Caller, id: Id) -> Result<Response, Refusal> {
    let (account, asker) = who(caller.principal.clone());
    let reply = lists.ask(&caller, ById { account, asker, id: text(id)? }).await?;
    let found = reply.answer.ok_or_else(missing)?;
    let mut response = json::ok(&Shown::from(&found));
    freshness::add(response.headers_mut(), &reply.freshness);
    Ok(response)
}

pub(crate) fn describe_get() -> Operation {
    with_id(Operation::new("Get a saved search", ""))
        .answers::<Shown<'_>>(StatusCode::OK, "The search.")
        .tells_freshness()
}

/// Saves a search, which is the caller's from then on.
pub(crate) async fn create(
    State(commands): State<Commands>,
    caller: Caller,
    request: Request,
) -> Result<Response, Refusal> {
    let search = body::create(&read(request, REQUEST).await?)?;
    let (account, asker) = who(caller.principal);
    let command = CreateSearch { account: account.clone(), asker: asker.clone(), search };
    let Accepted { position, done } = commands.send(&command).await?;
    let mut response = json::answer(StatusCode::CREATED, json::JSON, &Shown::from(&done));
    // An id is a ULID, so it stands in a path as it is.
    if let Ok(location) = HeaderValue::try_from(format!("{PATH}/{}", done.id)) {
        response.headers_mut().insert(LOCATION, location);
    }
    Ok(commands.written(position, ById { account, asker, id: done.id }, response).await)
}

pub(crate) fn describe_create() -> Operation {
    let text = "It is the token's user's, or the token's where it has none. `q`, `from`, `to` and `columns` are checked. Whoever may \
                read a family may save searches of it.";
    Operation::new("Save a search", text)
        .body(body::create_schema)
        .answers::<Shown<'_>>(StatusCode::CREATED, "The search.")
        .with(&[Header::AsOf, Header::Location])
        .refuses(StatusCode::FORBIDDEN, "The token may not read the family.")
        .refuses(StatusCode::CONFLICT, "There are as many searches as there may be.")
}

/// Changes what the body names of a search, and leaves the rest as it is.
pub(crate) async fn update(
    State(commands): State<Commands>,
    caller: Caller,
    id: Id,
    request: Request,
) -> Result<Response, Refusal> {
    // The path comes first: what names no search is refused before its body is read.
    let id = text(id)?;
    let change = body::update(&read(request, REQUEST).await?)?;
    let (account, asker) = who(caller.principal);
    let command = UpdateSearch { account: account.clone(), asker: asker.clone(), id, change };
    let Accepted { position, done } = commands.send(&command).await?;
    let response = json::ok(&Shown::from(&done));
    Ok(commands.written(position, ById { account, asker, id: done.id }, response).await)
}

pub(crate) fn describe_update() -> Operation {
    let text = "What is not named stays as it is; null takes away what may be missing. A change that changes nothing writes nothing. \
                A shared search is changed by its owner, and by an admin of the account.";
    with_id(Operation::new("Change a saved search", text))
        .body(body::update_schema)
        .answers::<Shown<'_>>(StatusCode::OK, "The search.")
        .with(&[Header::AsOf])
        .refuses(StatusCode::FORBIDDEN, "It is shared by somebody else.")
        .refuses(StatusCode::CONFLICT, "It is being changed too often at the same time.")
}

/// Removes a search.
pub(crate) async fn delete(State(commands): State<Commands>, caller: Caller, id: Id) -> Result<Response, Refusal> {
    let id = text(id)?;
    let (account, asker) = who(caller.principal);
    let command = DeleteSearch { account: account.clone(), asker: asker.clone(), id: id.clone() };
    let Accepted { position, done: () } = commands.send(&command).await?;
    let response = StatusCode::NO_CONTENT.into_response();
    Ok(commands.written(position, ById { account, asker, id }, response).await)
}

pub(crate) fn describe_delete() -> Operation {
    with_id(Operation::new(
        "Delete a saved search",
        "Its owner does that, and of a shared one an admin of the account.",
    ))
    .answers_nothing(StatusCode::NO_CONTENT, "It is gone.")
    .with(&[Header::AsOf])
    .refuses(StatusCode::FORBIDDEN, "It is shared by somebody else.")
    .refuses(StatusCode::CONFLICT, "It is being changed too often at the same time.")
}

/// An operation on one search.
fn with_id(operation: Operation) -> Operation {
    operation.id("The search's id.", schema::text()).refuses(StatusCode::NOT_FOUND, "The caller sees no such search.")
}

fn missing() -> Refusal {
    Refusal::NotFound("there is no such search".to_owned())
}

fn text(id: Id) -> Result<String, Refusal> {
    id.map(|Path(text)| text).map_err(|_| missing())
}

/// In which account someone asks, and who it is.
fn who(Principal { account, actor, scopes, .. }: Principal) -> (AccountId, Asker) {
    (account, Asker { actor, scopes })
}
