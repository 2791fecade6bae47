//! `order=received` of both lists: in the order of the log, for who asks again and again and is to miss nothing that comes
//! late.
//!
//! It is read out of the log, as tails are: a row of a view knows when it happened and not where in the log it stands, and a
//! traffic record is of many reports, each with a place of its own.
//!
//! Invariants: each page says where the next begins, also at the end, and that stays good; what is in memory is one page,
//! which has a bound in bytes; a page ends where the log did when it was asked for, or not far behind.

use std::time::Duration;

use axum::extract::State;
use axum::http::Uri;
use axum::response::Response;
use model::paging::{self, Period, RowPosition};
use model::time::Timestamp;
use runtime::telemetry::chain;
use tokio::time::{Instant, sleep};
use tracing::{error, warn};
use views::Seen;

use super::events::{self, Asked, Listed, More};
use super::wanted::Wanted;
use crate::access::caller::Caller;
use crate::describe::{Operation, schema};
use crate::http::freshness;
use crate::lists::ask::Lists;
use crate::lists::cursor::Binding;
use crate::lists::query::Parameters;
use crate::render::pieces;
use crate::render::refusal::Refusal;
use crate::upstream::commands::LOG_UNREACHABLE;
use crate::upstream::follow::{Follow, Log, OfStream, Places};

/// In which order a list comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    ByTime(paging::Order),
    Received,
}

/// The orders by name.
pub(super) const ORDERS: [(&str, Order); 3] = [
    ("-time", Order::ByTime(paging::Order::NewestFirst)),
    ("time", Order::ByTime(paging::Order::OldestFirst)),
    ("received", Order::Received),
];
const ABOUT_ORDER: &str = "`-time`, the default: newest first. `time`: oldest first. `received`: as the log got them, from its beginning on, or after the \
                           cursor, which is always there, so that who comes back with it misses nothing that came late.";

/// So many events are looked at for a page.
const MAX_SCANNED: u64 = 20_000;
/// About so many bytes of events are in a page; the one that reaches them is its last.
const MAX_BYTES: usize = 8 << 20;
/// So long is read for a page.
const READS_FOR: Duration = Duration::from_secs(2);
/// How often is looked whether that was all.
const LOOKS_EVERY: Duration = Duration::from_millis(20);

/// What was read for a page.
struct Page<F: Listed> {
    rows: Vec<F::Shown>,
    /// What stands before this was looked at.
    places: Places,
    scanned: u64,
    bytes: usize,
    limit: usize,
}

/// A page by time or in the order of the log.
pub(crate) async fn list<F: Listed>(
    State(log): State<Log>,
    State(lists): State<Lists>,
    caller: Caller,
    uri: Uri,
) -> Result<Response, Refusal> {
    let parameters = Parameters::parse(uri.query())?;
    match parameters.choice("order", &ORDERS)?.unwrap_or(Order::ByTime(paging::Order::default())) {
        Order::ByTime(order) => {
            let name = match order {
                paging::Order::NewestFirst => F::NAME,
                paging::Order::OldestFirst => F::OLDEST_FIRST,
            };
            events::by_time(&lists, &caller, Asked::<F>::read(&caller, &parameters, name)?.in_order(order)).await
        }
        Order::Received => received(&log, &lists, &caller, Asked::<F>::read(&caller, &parameters, F::RECEIVED)?).await,
    }
}

pub(crate) fn describe_list<F: Listed>(title: &'static str) -> Operation {
    events::describe_list::<F>(title).query("order", ABOUT_ORDER, schema::choice(&ORDERS))
}

async fn received<F: Listed>(
    log: &Log,
    lists: &Lists,
    caller: &Caller,
    Asked { list, cursor, binding }: Asked<F>,
) -> Result<Response, Refusal> {
    let streams = F::VIEW.streams();
    let end = log.end_of(streams).await?;
    let places = match cursor {
        Some(cursor) => opened(lists, &binding, &cursor, &end)?,
        None => Places::beginning_of(streams),
    };
    let (wanted, period) = (Wanted::of(&list), F::period(&list.filter));
    let is_wanted = |shown: &F::Shown| is_within::<F>(period, shown) && wanted.has(shown);
    let mut page = Page::<F> { rows: Vec::new(), places, scanned: 0, bytes: 0, limit: list.page.limit };
    // Who comes back where nothing came meanwhile is answered without a look into the log.
    let complete = page.places.covers(&end) || {
        let mut follow = log.follow(streams, &list.account, &page.places);
        page.read(&mut follow, &end, &is_wanted).await?
    };
    let Page { rows, places, scanned, .. } = page;
    let count = rows.len() as u64;
    lists.record(caller, F::RECEIVED, &list, Seen { rows: count, total: count });
    let next = RowPosition { time: Timestamp::EPOCH, id: places.to_string() };
    let next = Some(lists.cursors.seal(&binding, &next));
    let more = More { total: None, next, scanned: Some(scanned), complete: Some(complete) };
    let write = |row: &F::Shown, text: &mut Vec<u8>| Ok(serde_json::to_writer(text, &F::item(row)?)?);
    let mut response = pieces::object("items", rows, &more, write)?;
    freshness::add_positions(response.headers_mut(), &places.positions(streams));
    Ok(response)
}

/// The place that a cursor stands for, in a log that ends at `end`.
fn opened(lists: &Lists, binding: &Binding, cursor: &str, end: &Places) -> Result<Places, Refusal> {
    let places = lists.cursors.open(binding, cursor)?.id.parse().map_err(|_| Refusal::Internal)?;
    if end.covers(&places) { Ok(places) } else { Err(Refusal::field("cursor", "is of another log: begin anew")) }
}

impl<F: Listed> Page<F> {
    /// Reads up to the end, and says whether it got there.
    async fn read(
        &mut self,
        follow: &mut Follow,
        end: &Places,
        is_wanted: &impl Fn(&F::Shown) -> bool,
    ) -> Result<bool, Refusal> {
        let until = Instant::now() + READS_FOR;
        while !self.places.covers(end) {
            let events = tokio::select! {
                biased;
                events = follow.next() => Some(events.map_err(|failure| {
                    warn!(error = %chain(&failure), "the log cannot be read in its order");
                    LOG_UNREACHABLE
                })?),
                () = sleep(LOOKS_EVERY) => None,
            };
            let is_over = match events {
                Some(events) => !self.take(events, is_wanted),
                None if follow.is_at_end() => {
                    // Where the streams ended before, nothing of the account's is left.
                    self.places.pass_all(end);
                    continue;
                }
                None => false,
            };
            if is_over || Instant::now() >= until {
                return Ok(self.places.covers(end));
            }
        }
        Ok(true)
    }

    /// Takes events of one message in, as many as there is room for; says whether that was all of them.
    fn take(&mut self, (stream, events): OfStream, is_wanted: &impl Fn(&F::Shown) -> bool) -> bool {
        for placed in events {
            if self.rows.len() >= self.limit || self.scanned >= MAX_SCANNED || self.bytes >= MAX_BYTES {
                return false;
            }
            self.places.pass(stream, placed.after);
            self.scanned += 1;
            let Some(shown) = F::arrived(placed.event) else { continue };
            if is_wanted(&shown) {
                self.bytes += placed.bytes;
                self.rows.push(shown);
            }
        }
        true
    }
}

/// Whether one was in a period; both ends are in it.
fn is_within<F: Listed>(Period { from, to }: Period, shown: &F::Shown) -> bool {
    let time = match F::time(shown) {
        Ok(time) => time,
        Err(error) => {
            error!(%error, "an event of the log cannot be read");
            return false;
        }
    };
    from.is_none_or(|from| from <= time) && to.is_none_or(|to| time <= to)
}
