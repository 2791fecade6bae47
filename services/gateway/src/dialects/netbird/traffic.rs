//! `GET /api/events/network-traffic`: traffic records, newest first, by page number or by cursor.
//!
//! A page number shifts while records are being added; the `Link` to the next page holds a cursor, which does not.

mod parameters;
mod row;

use std::io;

use axum::extract::State;
use axum::http::{StatusCode, Uri};
use axum::response::Response;
use model::paging::{Page, Rows, Start};
use model::traffic::Filter;
use schemars::JsonSchema;
use serde::Serialize;
use views::traffic::{List, Stored};

use self::row::Row;
use super::next_page;
use crate::access::caller::Caller;
use crate::describe::{Header, Operation};
use crate::http::freshness;
use crate::lists::ask::Lists;
use crate::lists::cursor::Binding;
use crate::lists::language::{self, Q};
use crate::lists::query::Parameters;
use crate::render::pieces;
use crate::render::refusal::Refusal;

/// A page of traffic records.
#[derive(JsonSchema)]
#[schemars(rename = "NetBirdTrafficPage")]
#[expect(dead_code, reason = "it describes what is written piece by piece")]
struct TrafficPage<'a> {
    data: Vec<Row<'a>>,
    #[schemars(flatten)]
    totals: Totals,
}

#[derive(Serialize, JsonSchema)]
struct Totals {
    /// 1 where a cursor was given.
    page: u64,
    page_size: u64,
    /// How many there are on all pages; at least so many where `Flowtrail-Complete` is `false`.
    total_records: u64,
    total_pages: u64,
}

/// What the parameters ask for.
pub(crate) fn parse(parameters: &Parameters) -> Result<Filter, Refusal> {
    parameters::page_number(parameters)?;
    parameters::filter(parameters)
}

/// Lists traffic records, newest first, with the exact number of all that fit the filter.
pub(crate) async fn list(State(lists): State<Lists>, caller: Caller, uri: Uri) -> Result<Response, Refusal> {
    let parameters = Parameters::parse(uri.query())?;
    let filter = parameters::filter(&parameters)?;
    let parameters::PageNumber { page, limit } = parameters::page_number(&parameters)?;
    let (account, q) = (caller.principal.account.clone(), language::query(parameters.text(Q)?)?);
    let page_size = limit as u64;
    // A page so far on that its offset is no number has no rows, like any other after the last.
    let first = Page { start: Start::Offset((page - 1).saturating_mul(page_size)), ..Page::newest(limit) };
    let mut list = List { account, filter, q, page: first };
    let binding = Binding::new("traffic", &list.account, &list.selection())?;
    list.page = next_page::page(&lists.cursors, &binding, &parameters, list.page)?;
    let render = move |Rows { rows, total, next, judged }| {
        let totals = Totals { page, page_size, total_records: total, total_pages: total.div_ceil(page_size) };
        pieces::object("data", rows, &totals, write).map(|response| (response, next, judged))
    };
    let reply = lists.ask_then(&caller, list, render).await?;

    let (mut response, next, judged) = reply.answer?;
    let headers = response.headers_mut();
    freshness::add(headers, &reply.freshness);
    language::tell(headers, judged);
    if let Some(cursor) = next_page::cursor(&lists.cursors, &binding, next.as_ref()) {
        next_page::link(headers, &uri, &parameters, &cursor);
    }
    Ok(response)
}

fn write(stored: &Stored, text: &mut Vec<u8>) -> io::Result<()> {
    let record = stored.record().map_err(io::Error::other)?;
    Row::from(&record).write(text)
}

pub(crate) fn describe_list() -> Operation {
    let text = "Newest first, by page number or by cursor. A page number shifts while records are being added; a cursor \
        neither repeats nor skips.";
    parameters::described(Operation::new("List traffic records", text))
        .answers::<TrafficPage<'_>>(StatusCode::OK, "A page of records, with the exact number of all.")
        .tells_freshness()
        .with(&[Header::Link, Header::Scanned, Header::Complete])
}
