//! `GET /api/events/audit` and its alias `GET /api/events`: audit events, newest first.
//!
//! Beyond NetBird's own: filters, `limit`, `cursor`, `X-Total-Count` and a `Link` to the next page.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::http::{HeaderName, HeaderValue, StatusCode, Uri};
use axum::response::Response;
use model::audit::{Event, Filter};
use model::paging::{Page, Rows};
use model::time::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};
use views::audit::List;

use super::next_page;
use crate::access::caller::Caller;
use crate::describe::{Header, Operation, schema};
use crate::http::freshness;
use crate::lists::ask::Lists;
use crate::lists::cursor::Binding;
use crate::lists::language::{self, ABOUT_Q, Q};
use crate::lists::query::{ABOUT_READS, Parameters, READS};
use crate::render::pieces;
use crate::render::refusal::Refusal;

/// How many rows a page has, also when no limit is given: NetBird lists everything.
const MAX_LIMIT: usize = 10_000;
const TOTAL_COUNT: HeaderName = HeaderName::from_static("x-total-count");

/// Lists audit events, newest first: an array, as NetBird does, so what is said of the list is in headers.
pub(crate) async fn list(State(lists): State<Lists>, caller: Caller, uri: Uri) -> Result<Response, Refusal> {
    let parameters = Parameters::parse(uri.query())?;
    let filter = filter(&parameters)?;
    let limit = parameters.number("limit", 1..=MAX_LIMIT)?.unwrap_or(MAX_LIMIT);
    let (account, q) = (caller.principal.account.clone(), language::query(parameters.text(Q)?)?);
    let mut list = List { account, filter, q, page: Page::newest(limit) };
    let binding = Binding::new("audit", &list.account, &list.selection())?;
    list.page = next_page::page(&lists.cursors, &binding, &parameters, list.page)?;
    // Both run off the threads that serve connections; see `Lists::ask_then`.
    let write = |event: &Event, text: &mut Vec<u8>| Ok(serde_json::to_writer(text, &Row::from(event))?);
    let render = move |Rows { rows, total, next, judged }| {
        pieces::array(rows, write).map(|response| (response, total, next, judged))
    };
    let reply = lists.ask_then(&caller, list, render).await?;

    let (mut response, total, next, judged) = reply.answer?;
    let headers = response.headers_mut();
    freshness::add(headers, &reply.freshness);
    language::tell(headers, judged);
    if judged.is_none_or(|judged| judged.complete) {
        headers.insert(TOTAL_COUNT, HeaderValue::from(total));
    }
    if let Some(cursor) = next_page::cursor(&lists.cursors, &binding, next.as_ref()) {
        next_page::link(headers, &uri, &parameters, &cursor);
    }
    Ok(response)
}

pub(crate) fn describe_list() -> Operation {
    let text = "Newest first, at most 10,000 of them. Filters and pages are Flowtrail's own; NetBird lists everything.";
    Operation::new("List audit events", text)
        .query("activity_code", "Events with one of these codes.", schema::texts())
        .query("initiator_id", "Events that this user or peer caused.", schema::text())
        .query("user_id", "The same as `initiator_id`.", schema::text())
        .query("target_id", "Events about this resource.", schema::text())
        .query("start_date", "Events at this time or later.", schema::time())
        .query("end_date", "Events at this time or earlier.", schema::time())
        .query("search", "A part of any text of the event, in any case.", schema::text())
        .query("reads", ABOUT_READS, schema::choice(&READS))
        .query(Q, ABOUT_Q, schema::text())
        .query("limit", "How many at most.", schema::whole(1..=MAX_LIMIT, MAX_LIMIT))
        .query("cursor", "Out of the `Link` of the page before.", schema::text())
        .answers::<Vec<Row<'_>>>(StatusCode::OK, "The events.")
        .tells_freshness()
        .with(&[Header::Link, Header::TotalCount, Header::Scanned, Header::Complete])
}

/// What the parameters ask for.
pub(crate) fn filter(parameters: &Parameters) -> Result<Filter, Refusal> {
    let mut event_types = parameters.texts("activity_code");
    // The same codes in another order are the same filter, so its cursors are the same too.
    event_types.sort();
    event_types.dedup();
    Ok(Filter {
        event_types,
        actor_id: initiator(parameters)?,
        resource_id: parameters.text("target_id")?,
        period: parameters.period()?,
        search: parameters.text("search")?,
        include_reads: parameters.includes_reads()?,
        ..Filter::default()
    })
}

/// `initiator_id`, which is also called `user_id`.
fn initiator(parameters: &Parameters) -> Result<Option<String>, Refusal> {
    let (initiator, user) = (parameters.text("initiator_id")?, parameters.text("user_id")?);
    if initiator.is_some() && user.is_some() && initiator != user {
        return Err(Refusal::field("user_id", "is another name of initiator_id, which is given differently"));
    }
    Ok(initiator.or(user))
}

/// An audit event as NetBird shows it: all nine members, always.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "NetBirdEvent")]
struct Row<'a> {
    id: &'a str,
    timestamp: Timestamp,
    activity: &'a str,
    activity_code: &'a str,
    initiator_id: &'a str,
    initiator_name: &'a str,
    initiator_email: &'a str,
    target_id: &'a str,
    /// All values are texts.
    #[schemars(with = "BTreeMap<String, String>")]
    meta: Map<String, Value>,
}

impl<'a> From<&'a Event> for Row<'a> {
    fn from(event: &'a Event) -> Self {
        let given = &event.given;
        Self {
            id: &event.id,
            timestamp: event.time,
            activity: event.activity(),
            activity_code: &event.event_type,
            initiator_id: given.actor_id.as_deref().unwrap_or_default(),
            initiator_name: given.actor_name.as_deref().unwrap_or_default(),
            initiator_email: given.actor_email.as_deref().unwrap_or_default(),
            target_id: given.resource_id.as_deref().unwrap_or_default(),
            meta: event.meta_as_texts(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(query: &str) -> Result<Filter, Refusal> {
        filter(&Parameters::parse(Some(query)).unwrap())
    }

    #[test]
    fn every_parameter_is_part_of_the_filter() {
        let filter = read(
            "activity_code=b&activity_code=a&activity_code=b&initiator_id=u&target_id=t&search=s\
             &start_date=2024-01-01T00:00:00Z&end_date=2024-01-02T00:00:00Z&reads=include&unknown=1",
        )
        .unwrap();
        assert_eq!(filter.event_types, ["a", "b"]);
        assert_eq!((filter.actor_id.as_deref(), filter.resource_id.as_deref()), (Some("u"), Some("t")));
        assert_eq!((filter.search.as_deref(), filter.include_reads), (Some("s"), true));
        assert!(filter.period.from < filter.period.to);
    }

    #[test]
    fn nothing_given_lets_everything_through() {
        assert_eq!(read("activity_code=&user_id=&target_id=&search="), Ok(Filter::default()));
    }

    #[test]
    fn the_initiator_has_two_names_that_must_agree() {
        assert_eq!(read("user_id=u").unwrap().actor_id.as_deref(), Some("u"));
        assert_eq!(read("user_id=u&initiator_id=u").unwrap().actor_id.as_deref(), Some("u"));
        assert!(
            matches!(read("user_id=u&initiator_id=v"), Err(Refusal::Invalid(text)) if text.starts_with("user_id: "))
        );
    }
}
