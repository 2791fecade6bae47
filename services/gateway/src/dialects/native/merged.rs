//! `merge=reporters` of traffic: what different reporters have of one flow as one row.

use std::io;

use axum::extract::State;
use axum::http::Uri;
use axum::response::Response;
use model::paging::{self, Judged, Start};
use views::flows::{Flow, Flows};
use views::lists::List;
use views::traffic::Traffic;

use super::events::{self, Asked, Listed};
use super::received::{self, ORDERS, Order};
use crate::access::caller::Caller;
use crate::describe::{Operation, schema};
use crate::http::freshness;
use crate::lists::ask::Lists;
use crate::lists::query::Parameters;
use crate::render::refusal::Refusal;
use crate::upstream::follow::Log;

/// What may be merged.
const MERGES: [(&str, ()); 1] = [("reporters", ())];
const ABOUT_MERGE: &str = "`reporters`: of a flow that several reporters saw, one row, which names them and has no number twice. At most \
                           20,000 records may match.";

/// A page of traffic records, or of flows.
pub(crate) async fn list(
    log: State<Log>,
    State(lists): State<Lists>,
    caller: Caller,
    uri: Uri,
) -> Result<Response, Refusal> {
    let parameters = Parameters::parse(uri.query())?;
    if !is_wanted::<Traffic>(&parameters)? {
        return received::list::<Traffic>(log, State(lists), caller, uri).await;
    }
    let order = match parameters.choice("order", &ORDERS)? {
        Some(Order::ByTime(order)) => order,
        Some(Order::Received) => return Err(refused("cannot be had with order=received, which has each report")),
        None => paging::Order::default(),
    };
    // A place among flows is none among records.
    let name = match order {
        paging::Order::NewestFirst => "flowtrail.flows",
        paging::Order::OldestFirst => "flowtrail.flows.time",
    };
    flows(&lists, &caller, Asked::read(&caller, &parameters, name)?.in_order(order)).await
}

pub(crate) fn describe_list(title: &'static str) -> Operation {
    merging::<Traffic>(received::describe_list::<Traffic>(title))
}

async fn flows(
    lists: &Lists,
    caller: &Caller,
    Asked { list, cursor, binding }: Asked<Traffic>,
) -> Result<Response, Refusal> {
    let List { account, filter, q, mut page } = list;
    if let Some(cursor) = cursor {
        page.start = Start::After(lists.cursors.open(&binding, &cursor)?);
    }
    let cursors = lists.cursors.clone();
    let write = |flow: &Flow, text: &mut Vec<u8>| -> io::Result<()> {
        let mut item = Traffic::item(&flow.record)?;
        item.reporters = Some(flow.reporters.clone());
        Ok(serde_json::to_writer(text, &item)?)
    };
    let render = move |found: Option<_>| found.map(|rows| events::page(rows, &cursors, &binding, write));
    let reply = lists.ask_then(caller, Flows { account, filter, q, page }, render).await?;
    let mut response = reply.answer.ok_or_else(too_many)??;
    freshness::add(response.headers_mut(), &reply.freshness);
    Ok(response)
}

/// Adds the parameter, where a family has it.
pub(super) fn merging<F: Listed>(operation: Operation) -> Operation {
    match F::MERGE {
        Some(name) => operation.query(name, ABOUT_MERGE, schema::choice(&MERGES)),
        None => operation,
    }
}

/// Whether reporters are to be merged.
pub(super) fn is_wanted<F: Listed>(parameters: &Parameters) -> Result<bool, Refusal> {
    let Some(name) = F::MERGE else { return Ok(false) };
    Ok(parameters.choice(name, &MERGES)?.is_some())
}

/// Refuses what was made of flows where not all records that match were put together.
pub(super) fn is_whole(is_merged: bool, judged: Option<Judged>) -> Result<(), Refusal> {
    if is_merged && judged.is_some_and(|judged| !judged.complete) { Err(too_many()) } else { Ok(()) }
}

/// Refuses the parameter.
pub(super) fn refused(why: &str) -> Refusal {
    Refusal::field("merge", why)
}

fn too_many() -> Refusal {
    refused("is for at most 20000 records, and more match: narrow q, from or to")
}
