//! `GET /flowtrail/v1/audit` and `GET /flowtrail/v1/traffic`, and one event or record of each by its id: the lists in
//! Flowtrail's own form, which is that of what is published.

use std::borrow::Cow;
use std::io;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use model::audit::{self, Fields};
use model::event::Event;
use model::filter::{Kind, Query, ends_of_time};
use model::log::AccountId;
use model::paging::{Order, Page, Period, Rows, Start};
use model::time::Timestamp;
use model::traffic::{self, EventType, Record, Reported};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};
use views::Question;
use views::audit::Audit;
use views::lists::{Family, List};
use views::traffic::{Stored, Traffic};

use crate::access::caller::Caller;
use crate::describe::{Operation, schema};
use crate::dialects::native::table::{self, Cell, named};
use crate::http::freshness;
use crate::lists::ask::Lists;
use crate::lists::cursor::{Binding, Key};
use crate::lists::language::{self, ABOUT_Q, Q};
use crate::lists::query::{ABOUT_READS, Parameters, READS};
use crate::render::refusal::Refusal;
use crate::render::{json, pieces};

const DEFAULT_LIMIT: usize = 50;
const MAX_LIMIT: usize = 1000;

/// A family of lists in Flowtrail's own form.
pub(crate) trait Listed: Family {
    /// What cursors are bound to.
    const NAME: &'static str;
    /// What those of a list are bound to that is oldest first.
    const OLDEST_FIRST: &'static str;
    /// What there is one of, in words.
    const ONE: &'static str;
    /// What a tail is called where reads are recorded.
    const TAIL: &'static str;
    /// What a page in the order of the log is called there; cursors of such pages are bound to it, too.
    const RECEIVED: &'static str;
    /// The parameter, if the family has it, that puts together what several tell of.
    const MERGE: Option<&'static str>;
    /// A row of the list.
    type Item<'a>: Serialize + JsonSchema + table::Row;
    /// The question for one of them.
    type ById: Question<Answer = Option<Self::Shown>>;

    /// All of a period, with records of reads or without.
    fn filter(period: Period, include_reads: bool) -> Self::Filter;

    /// The one with an id.
    fn by_id(account: AccountId, id: String) -> Self::ById;

    /// What is shown of a row.
    ///
    /// # Errors
    /// When the row cannot be read.
    fn item(shown: &Self::Shown) -> io::Result<Self::Item<'_>>;

    /// When it happened.
    ///
    /// # Errors
    /// When it cannot be read.
    fn time(shown: &Self::Shown) -> io::Result<Timestamp>;

    /// One that says nothing.
    fn nothing() -> Self::Item<'static>;

    /// What is shown of an event of the log, as it was published: names out of the directory are not filled in. None: it is
    /// not of this family.
    fn arrived(event: Event) -> Option<Self::Shown>;

    /// Whether it is a record of a read.
    fn is_read(shown: &Self::Shown) -> bool;

    /// Whether a filter wants records of reads too.
    fn wants_reads(filter: &Self::Filter) -> bool;
}

/// An audit event, as `POST /api/events/audit` takes it, with the names that the directory knows.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "AuditEvent")]
pub(crate) struct AuditItem {
    id: String,
    time: Timestamp,
    #[serde(flatten)]
    #[schemars(with = "Map<String, Value>")]
    data: Fields,
}

/// One reporter's view of one flow: all reports of it as one, as `POST /api/events/network-traffic` takes it, with the names
/// that the directory knows.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "TrafficRecord")]
pub(crate) struct TrafficItem<'a> {
    id: String,
    /// When its first event was.
    time: Timestamp,
    /// When the log received the first report of it.
    received_at: Timestamp,
    /// Who reported the flow, where reporters are merged; else absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reporters: Option<Vec<String>>,
    #[serde(flatten)]
    #[schemars(with = "Map<String, Value>")]
    data: Reported<Cow<'a, str>>,
}

impl table::Row for AuditItem {
    fn columns(&self, put: table::Put<'_>) {
        put(named("id"), Cell::Text(Some(&self.id)));
        put(named("time"), Cell::Time(Some(self.time)));
        table::of_audit(&self.data, put);
    }
}

impl table::Row for TrafficItem<'_> {
    fn columns(&self, put: table::Put<'_>) {
        put(named("id"), Cell::Text(Some(&self.id)));
        put(named("time"), Cell::Time(Some(self.time)));
        put(named("received_at"), Cell::Time(Some(self.received_at)));
        table::of_traffic(&self.data, put);
        // What can be written as JSON when the item is can be here.
        put(named("events"), Cell::Json(serde_json::to_string(&self.data.events).ok().as_deref()));
    }
}

impl Listed for Audit {
    const NAME: &'static str = "flowtrail.audit";
    const OLDEST_FIRST: &'static str = "flowtrail.audit.time";
    const ONE: &'static str = "event";
    const TAIL: &'static str = "audit.tail";
    const RECEIVED: &'static str = "audit.received";
    const MERGE: Option<&'static str> = None;
    type Item<'a> = AuditItem;
    type ById = views::audit::ById;

    fn filter(period: Period, include_reads: bool) -> audit::Filter {
        audit::Filter { period, include_reads, ..audit::Filter::default() }
    }

    fn by_id(account: AccountId, id: String) -> Self::ById {
        views::audit::ById { account, id }
    }

    fn item(event: &audit::Event) -> io::Result<AuditItem> {
        let text = |text: &str| Some(text.to_owned());
        let data = Fields {
            event_type: text(&event.event_type),
            activity: text(event.activity()),
            event_group: text(event.event_group()),
            status: text(event.status()),
            source: text(&event.source),
            actor_type: text(event.actor_type()),
            ..*event.given.clone()
        };
        Ok(AuditItem { id: event.id.clone(), time: event.time, data })
    }

    fn time(event: &audit::Event) -> io::Result<Timestamp> {
        Ok(event.time)
    }

    fn nothing() -> AuditItem {
        AuditItem { id: String::new(), time: Timestamp::EPOCH, data: Fields::default() }
    }

    fn arrived(event: Event) -> Option<audit::Event> {
        event.into_audit()
    }

    fn is_read(event: &audit::Event) -> bool {
        audit::is_read(&event.event_type)
    }

    fn wants_reads(filter: &audit::Filter) -> bool {
        filter.include_reads
    }
}

impl Listed for Traffic {
    const NAME: &'static str = "flowtrail.traffic";
    const OLDEST_FIRST: &'static str = "flowtrail.traffic.time";
    const ONE: &'static str = "record";
    const TAIL: &'static str = "traffic.tail";
    const RECEIVED: &'static str = "traffic.received";
    const MERGE: Option<&'static str> = Some("merge");
    type Item<'a> = TrafficItem<'a>;
    type ById = views::traffic::ById;

    /// Reads are recorded as audit events, so that there are none to leave out.
    fn filter(period: Period, _: bool) -> traffic::Filter {
        traffic::Filter { period, ..traffic::Filter::default() }
    }

    fn by_id(account: AccountId, id: String) -> Self::ById {
        views::traffic::ById { account, id }
    }

    fn item(stored: &Stored) -> io::Result<TrafficItem<'_>> {
        let record = stored.record().map_err(io::Error::other)?;
        let (id, time, received_at) = (record.key.id().to_string(), record.time(), record.received_at);
        let data = Reported {
            window_start: Some(record.window_start()),
            window_end: Some(record.window_end()),
            num_of_starts: record.count(EventType::Start),
            num_of_ends: record.count(EventType::End),
            num_of_drops: record.count(EventType::Drop),
            flow_id: Some(record.key.flow_id),
            reporter_id: Some(record.key.reporter_id),
            events: record.events.into_iter().collect(),
            ..record.given
        };
        Ok(TrafficItem { id, time, received_at, reporters: None, data })
    }

    fn time(stored: &Stored) -> io::Result<Timestamp> {
        stored.record().map(|record| record.time()).map_err(io::Error::other)
    }

    fn nothing() -> TrafficItem<'static> {
        let (id, time, received_at, data) = (String::new(), Timestamp::EPOCH, Timestamp::EPOCH, Reported::default());
        TrafficItem { id, time, received_at, reporters: None, data }
    }

    /// A report as the record that it alone would make.
    fn arrived(event: Event) -> Option<Stored> {
        if let Event::Traffic(report) = event { Some(Stored::from(Record::from(&report).owned())) } else { None }
    }

    fn is_read(_: &Stored) -> bool {
        false
    }

    fn wants_reads(_: &traffic::Filter) -> bool {
        true
    }
}

/// A page of a list.
#[derive(JsonSchema)]
#[schemars(rename = "{T}Page")]
#[expect(dead_code, reason = "it describes what is written piece by piece")]
struct ItemPage<T> {
    items: Vec<T>,
    #[schemars(flatten)]
    more: More,
}

#[derive(Serialize, JsonSchema)]
pub(super) struct More {
    /// How many there are on all pages; null where not all rows were judged that had to be, and in the order of the log.
    pub(super) total: Option<u64>,
    /// The cursor of the next page; null on the last one, which in the order of the log there is not. A page with one may
    /// have fewer items than asked for, or none.
    pub(super) next: Option<String>,
    /// How many rows were read and judged one by one for `q`; absent where none was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) scanned: Option<u64>,
    /// Whether those were all that had to be; where not, the next page goes on from there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) complete: Option<bool>,
}

/// What is asked of a list.
pub(super) struct Asked<F: Listed> {
    /// From its beginning on.
    pub(super) list: List<F>,
    pub(super) cursor: Option<String>,
    pub(super) binding: Binding,
}

impl<F: Listed> Asked<F> {
    /// Reads the parameters. `name` is what its cursors are bound to.
    pub(super) fn read(caller: &Caller, parameters: &Parameters, name: &str) -> Result<Self, Refusal> {
        let known = [Q, "from", "to", "reads", "order", "limit", "cursor"];
        parameters.are_among(&known.into_iter().chain(F::MERGE).collect::<Vec<_>>())?;
        let limit = parameters.number("limit", 1..=MAX_LIMIT)?.unwrap_or(DEFAULT_LIMIT);
        let account = caller.principal.account.clone();
        let (text, from, to) = (parameters.text(Q)?, parameters.text("from")?, parameters.text("to")?);
        let include_reads = parameters.includes_reads()?;
        let filter = F::filter(period(from.as_deref(), to.as_deref())?, include_reads);
        // Times as they were written: a relative one is another on each page.
        let binding = Binding::new(name, &account, &(&text, &from, &to, include_reads))?;
        let list = List::<F> { account, filter, q: language::query(text)?, page: Page::newest(limit) };
        Ok(Self { list, cursor: parameters.text("cursor")?, binding })
    }

    /// The same in an order.
    pub(super) fn in_order(mut self, order: Order) -> Self {
        self.list.page.order = order;
        self
    }
}

/// A page by time.
pub(super) async fn by_time<F: Listed>(
    lists: &Lists,
    caller: &Caller,
    Asked { mut list, cursor, binding }: Asked<F>,
) -> Result<Response, Refusal> {
    if let Some(cursor) = cursor {
        list.page.start = Start::After(lists.cursors.open(&binding, &cursor)?);
    }
    let cursors = lists.cursors.clone();
    let render =
        move |rows| page(rows, &cursors, &binding, |row, text| Ok(serde_json::to_writer(text, &F::item(row)?)?));
    let reply = lists.ask_then(caller, list, render).await?;
    let mut response = reply.answer?;
    freshness::add(response.headers_mut(), &reply.freshness);
    Ok(response)
}

/// The answer that is a page, of which `write` writes each row.
pub(super) fn page<T: Send + 'static>(
    Rows { rows, total, next, judged }: Rows<T>,
    cursors: &Key,
    binding: &Binding,
    write: impl pieces::WriteRow<T>,
) -> Result<Response, Refusal> {
    let more = More {
        total: Some(total).filter(|_| judged.is_none_or(|judged| judged.complete)),
        next: next.map(|position| cursors.seal(binding, &position)),
        scanned: judged.map(|judged| judged.scanned),
        complete: judged.map(|judged| judged.complete),
    };
    pieces::object("items", rows, &more, write)
}

pub(crate) fn describe_list<F: Listed>(title: &'static str) -> Operation {
    let text = "By time, or in the order of the log. `q` is in the language that `docs/query.md` describes. A parameter that \
                is none of these is refused.";
    selecting(Operation::new(title, text))
        .query("limit", "How many at most.", schema::whole(1..=MAX_LIMIT, DEFAULT_LIMIT))
        .query("cursor", "`next` of the page before.", schema::text())
        .answers::<ItemPage<F::Item<'_>>>(StatusCode::OK, "A page.")
        .tells_freshness()
}

/// The parameters that say which rows are meant.
pub(crate) fn selecting(operation: Operation) -> Operation {
    operation
        .query(Q, ABOUT_Q, schema::text())
        .query("from", "At this time, such as `2026-01-31` or `now-1h`, or later.", schema::text())
        .query("to", "At this time or earlier; of a day all of it.", schema::text())
        .query("reads", ABOUT_READS, schema::choice(&READS))
}

/// Which rows are meant.
pub(crate) type Selected<F> = (<F as Family>::Filter, Option<Query<<F as Family>::Language>>);

/// Which rows parameters say.
pub(crate) fn selection<F: Listed>(parameters: &Parameters) -> Result<Selected<F>, Refusal> {
    let (from, to) = (parameters.text("from")?, parameters.text("to")?);
    let filter = F::filter(period(from.as_deref(), to.as_deref())?, parameters.includes_reads()?);
    Ok((filter, language::query(parameters.text(Q)?)?))
}

/// One of them, by its id.
pub(crate) async fn get<F: Listed>(
    State(lists): State<Lists>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Response, Refusal> {
    let account = caller.principal.account.clone();
    let render = |shown: Option<F::Shown>| shown.map(|shown| F::item(&shown).map(|item| json::ok(&item))).transpose();
    let reply = lists.ask_then(&caller, F::by_id(account, id), render).await?;
    let response = reply.answer.map_err(|_| Refusal::Internal)?;
    let mut response = response.ok_or_else(|| Refusal::NotFound(format!("there is no such {}", F::ONE)))?;
    freshness::add(response.headers_mut(), &reply.freshness);
    Ok(response)
}

pub(crate) fn describe_get<F: Listed>(title: &'static str) -> Operation {
    Operation::new(title, "")
        .id("Its id.", schema::text())
        .answers::<F::Item<'_>>(StatusCode::OK, "It.")
        .tells_freshness()
        .refuses(StatusCode::NOT_FOUND, "The account has no such one.")
}

/// All from the beginning of what one text names to the end of what the other does.
fn period(from: Option<&str>, to: Option<&str>) -> Result<Period, Refusal> {
    let now = language::now()?;
    let ends = |name: &str, text: Option<&str>| {
        let Some(text) = text else { return Ok(None) };
        // In a query a plus sign means a space, and many clients write the plus of an offset as it is.
        let ends = ends_of_time(text, now).or_else(|| ends_of_time(&text.replace(' ', "+"), now));
        ends.map(Some).ok_or_else(|| Refusal::field(name, format_args!("must be {}", Kind::Time.takes())))
    };
    Ok(Period { from: ends("from", from)?.map(|(first, _)| first), to: ends("to", to)?.map(|(_, last)| last) })
}
