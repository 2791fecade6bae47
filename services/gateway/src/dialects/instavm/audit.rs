//! `GET /v1/audit/events`, and one of them.

use axum::extract::{Request, State};
use axum::http::{StatusCode, Uri};
use axum::response::Response;
use model::audit::{Event, Filter};
use model::json::{Json, Number};
use model::paging::{Page, RowPosition, Rows, Start};
use model::time::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use views::Freshness;
use views::audit::{ById, List};

use super::query::{Parameters, unquoted};
use super::validation::{Problem, Validation};
use super::{HttpValidationError, JSON, no_route};
use crate::access::caller::Caller;
use crate::describe::{Header, Operation, schema};
use crate::http::freshness;
use crate::lists::ask::Lists;
use crate::lists::cursor::{Binding, Key};
use crate::lists::language::{self, ABOUT_Q, Q};
use crate::lists::query::{ABOUT_READS, READS};
use crate::render::json;
use crate::render::refusal::Refusal;

const DEFAULT_LIMIT: usize = 50;
const MAX_LIMIT: usize = 200;

/// Lists audit events, newest first.
pub(crate) async fn list(State(lists): State<Lists>, caller: Caller, uri: Uri) -> Result<Response, Refusal> {
    let query = match ListQuery::read(&Parameters::parse(uri.query())) {
        Ok(query) => query,
        Err(problems) => {
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            return Ok(json::answer(status, JSON, &HttpValidationError { detail: problems }));
        }
    };
    let ListQuery { filter, q, cursor, limit } = query;
    let (account, q) = (caller.principal.account.clone(), language::query(q)?);
    let mut list = List { account, filter, q, page: Page::newest(limit) };
    let binding = Binding::new("instavm.audit", &list.account, &list.selection())?;
    if let Some(cursor) = cursor {
        list.page.start = start(&lists.cursors, &binding, &cursor)?;
    }
    let cursors = lists.cursors.clone();
    let render = move |Rows { rows, next, judged, .. }: Rows<Event>| {
        let next_cursor = next.map(|position| cursors.seal(&binding, &position));
        let mut response = answer(&EventList { items: rows.iter().map(Row::from).collect(), next_cursor });
        language::tell(response.headers_mut(), judged);
        response
    };
    let reply = lists.ask_then(&caller, list, render).await?;
    Ok(with_freshness(reply.answer, &reply.freshness))
}

pub(crate) fn describe_list() -> Operation {
    Operation::new("List audit events", "Newest first. Of a parameter that is given twice the last counts.")
        .query("event_group", "Events of this group.", schema::text())
        .query("event_type", "Events of this type.", schema::text())
        .query("status", "Events with this status.", schema::text())
        .query("user_id", "Events of this user.", schema::integer())
        .query("vm_id", "Events of this virtual machine.", schema::text())
        .query("session_id", "Events of this session.", schema::text())
        .query("reads", ABOUT_READS, schema::choice(&READS))
        .query(Q, ABOUT_Q, schema::text())
        .query("cursor", "The `next_cursor` of the page before.", schema::text())
        .query("limit", "How many at most.", schema::whole(1..=MAX_LIMIT, DEFAULT_LIMIT))
        .answers::<EventList<'_>>(StatusCode::OK, "A page of events.")
        .tells_freshness()
        .with(&[Header::Scanned, Header::Complete])
        .answers::<HttpValidationError>(StatusCode::UNPROCESSABLE_ENTITY, "What is wrong with the parameters.")
}

/// One audit event, by its id.
pub(crate) async fn get(State(lists): State<Lists>, caller: Caller, request: Request) -> Result<Response, Refusal> {
    let (parts, _) = request.into_parts();
    let id = unquoted(parts.uri.path().rsplit('/').next().unwrap_or_default());
    // Paths are decoded before they are told apart, so an escaped slash is a slash.
    if id.contains('/') {
        return Ok(no_route(&parts));
    }
    let account = caller.principal.account.clone();
    let reply = lists.ask(&caller, ById { account, id }).await?;
    let event = reply.answer.ok_or_else(|| Refusal::NotFound("Audit event not found".to_owned()))?;
    Ok(with_freshness(answer(&Row::from(&event)), &reply.freshness))
}

pub(crate) fn describe_get() -> Operation {
    Operation::new("Get an audit event", "")
        .id("The event's id.", schema::text())
        .answers::<Row<'_>>(StatusCode::OK, "The event.")
        .tells_freshness()
        .answers_nothing(StatusCode::TEMPORARY_REDIRECT, "The path had a slash too many.")
        .with(&[Header::Location])
        .refuses(StatusCode::NOT_FOUND, "The account has no such event.")
}

pub(super) fn answer<T: Serialize>(value: &T) -> Response {
    json::answer(StatusCode::OK, JSON, value)
}

pub(super) fn with_freshness(mut response: Response, freshness: &Freshness) -> Response {
    freshness::add(response.headers_mut(), freshness);
    response
}

/// What a query asks for, and at most how many rows of it.
///
/// # Errors
/// With `detail`, in JSON.
pub(crate) fn parse(query: &str) -> Result<(Filter, usize), String> {
    let query = ListQuery::read(&Parameters::parse(Some(query)));
    query.map(|query| (query.filter, query.limit)).map_err(|detail| serde_json::to_string(&detail).unwrap_or_default())
}

/// What a query asks of the list.
#[derive(Debug, PartialEq)]
struct ListQuery {
    filter: Filter,
    /// In the language, unread.
    q: Option<String>,
    cursor: Option<String>,
    limit: usize,
}

impl ListQuery {
    /// Reads the parameters in the order in which the API declares them, which is the order of its errors.
    fn read(parameters: &Parameters) -> Result<Self, Vec<Problem>> {
        let mut given = Validation::of(parameters);
        let event_group = given.text("event_group");
        let event_types = given.text("event_type").into_iter().collect();
        let status = given.text("status");
        let user_id = given.integer("user_id");
        let vm_id = given.text("vm_id");
        let session_id = given.text("session_id");
        let q = given.text(Q).filter(|text| !text.is_empty());
        let include_reads = given.choice("reads", READS[0].0);
        let cursor = given.text("cursor").filter(|cursor| !cursor.is_empty());
        let limit = given.bounded("limit", 1..=MAX_LIMIT).unwrap_or(DEFAULT_LIMIT);
        let filter =
            Filter { event_group, event_types, status, user_id, vm_id, session_id, include_reads, ..Filter::default() };
        given.finish().map(|()| Self { filter, q, cursor, limit })
    }
}

fn start(key: &Key, binding: &Binding, cursor: &str) -> Result<Start, Refusal> {
    opened(key, binding, cursor).map(Start::After)
}

/// The place that a cursor stands for.
pub(super) fn opened(key: &Key, binding: &Binding, cursor: &str) -> Result<RowPosition, Refusal> {
    key.open(binding, cursor).map_err(|_| Refusal::Invalid("Invalid cursor".to_owned()))
}

/// A page of audit events.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "AuditEventListResponse")]
struct EventList<'a> {
    items: Vec<Row<'a>>,
    /// Where the next page starts; null on the last one.
    next_cursor: Option<String>,
}

/// An audit event as InstaVM shows it: all 26 members, always, in this order.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "AuditEventResponse")]
struct Row<'a> {
    id: &'a str,
    /// With six digits of a second.
    #[schemars(with = "Timestamp")]
    created_at: String,
    user_id: Option<i64>,
    actor_type: &'a str,
    actor_id: Option<&'a str>,
    source: &'a str,
    event_group: &'a str,
    event_type: &'a str,
    status: &'a str,
    resource_type: Option<&'a str>,
    resource_id: Option<&'a str>,
    session_id: Option<&'a str>,
    vm_id: Option<&'a str>,
    task_id: Option<i64>,
    request_id: Option<&'a str>,
    correlation_id: Option<&'a str>,
    http_method: Option<&'a str>,
    path: Option<&'a str>,
    http_status: Option<i64>,
    #[schemars(with = "Option<f64>")]
    latency_ms: Option<&'a Number>,
    ip_address: Option<&'a str>,
    user_agent: Option<&'a str>,
    node_ip: Option<&'a str>,
    worker_id: Option<&'a str>,
    event_payload: Option<&'a Json>,
    error_message: Option<&'a str>,
}

impl<'a> From<&'a Event> for Row<'a> {
    fn from(event: &'a Event) -> Self {
        let given = &event.given;
        Self {
            id: &event.id,
            created_at: event.time.to_six_digits(),
            user_id: given.user_id,
            actor_type: event.actor_type(),
            actor_id: given.actor_id.as_deref(),
            source: &event.source,
            event_group: event.event_group(),
            event_type: &event.event_type,
            status: event.status(),
            resource_type: given.resource_type.as_deref(),
            resource_id: given.resource_id.as_deref(),
            session_id: given.session_id.as_deref(),
            vm_id: given.vm_id.as_deref(),
            task_id: given.task_id,
            request_id: given.request_id.as_deref(),
            correlation_id: given.correlation_id.as_deref(),
            http_method: given.http_method.as_deref(),
            path: given.path.as_deref(),
            http_status: given.http_status,
            latency_ms: given.latency_ms.as_ref(),
            ip_address: given.ip_address.as_deref(),
            user_agent: given.user_agent.as_deref(),
            node_ip: given.node_ip.as_deref(),
            worker_id: given.worker_id.as_deref(),
            event_payload: event.event_payload(),
            error_message: given.error_message.as_deref(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(query: &str) -> Result<ListQuery, Vec<Problem>> {
        ListQuery::read(&Parameters::parse(Some(query)))
    }

    #[test]
    fn every_parameter_is_part_of_the_question() {
        let query =
            "event_group=g&event_type=t&status=s&user_id=-7&vm_id=v&session_id=e&reads=include&q=x&cursor=c&limit=9";
        let text = |text: &str| Some(text.to_owned());
        let filter = Filter {
            event_group: text("g"),
            event_types: vec!["t".to_owned()],
            status: text("s"),
            user_id: Some(-7),
            vm_id: text("v"),
            session_id: text("e"),
            include_reads: true,
            ..Filter::default()
        };
        assert_eq!(read(query), Ok(ListQuery { filter, q: text("x"), cursor: text("c"), limit: 9 }));
    }

    #[test]
    fn an_empty_text_filters_but_an_empty_cursor_is_none() {
        let query = read("event_group=&vm_id=&event_type=&cursor=").unwrap();
        let text = |text: &str| Some(text.to_owned());
        assert_eq!((query.filter.event_group, query.filter.vm_id, query.cursor), (text(""), text(""), None));
        assert_eq!((query.filter.event_types, query.limit), (vec![String::new()], 50));
        assert_eq!(read("").unwrap().filter, Filter::default());
    }

    #[test]
    fn errors_come_in_the_order_of_declaration() {
        let problems = read("limit=0&user_id=abc").unwrap_err();
        let text = serde_json::to_string(&problems).unwrap();
        assert!(text.find("user_id") < text.find("limit"), "{text}");
    }
}
