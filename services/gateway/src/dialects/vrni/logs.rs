//! `POST /api/ni/logs/audit`: audit events, newest first, by filters in the body.

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use model::audit::{Event, Filter};
use model::paging::{Page, Period, RowPosition, Rows, Start};
use model::time::Timestamp;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Serialize;
use serde_json::json;
use views::audit::List;

use super::fields::Fields;
use crate::access::caller::Caller;
use crate::describe::{Header, Operation};
use crate::http::body::{REQUEST, read};
use crate::http::freshness;
use crate::http::ignored::IgnoredMembers;
use crate::lists::ask::Lists;
use crate::lists::cursor::Binding;
use crate::lists::language::{self, ABOUT_Q, Q};
use crate::lists::query::READS;
use crate::render::json;
use crate::render::refusal::Refusal;

const DEFAULT_LIMIT: usize = 50;
const MAX_LIMIT: usize = 1000;
const SECOND: i64 = 1_000_000;

/// A page of audit events. What there is nothing to say about is absent, as the clients expect it.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "AuditListResponse")]
struct AuditPage<'a> {
    results: Vec<Row<'a>>,
    /// Where the next page starts.
    #[serde(skip_serializing_if = "Option::is_none")]
    cursor: Option<String>,
    /// When the oldest of the results happened, in seconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    start_time: Option<i64>,
    /// When the newest of them did.
    #[serde(skip_serializing_if = "Option::is_none")]
    end_time: Option<i64>,
    /// How many there are on all pages, as of the first one; at least so many where `Flowtrail-Complete` is `false`.
    total_count: u64,
}

/// Lists audit events, newest first; 50 of them when the body does not say how many.
pub(crate) async fn list(State(lists): State<Lists>, caller: Caller, request: Request) -> Result<Response, Refusal> {
    let ListQuery { filter, q, limit, cursor, ignored } = parse(&read(request, REQUEST).await?)?;
    let (account, q) = (caller.principal.account.clone(), language::query(q)?);
    let mut list = List { account, filter, q, page: Page::newest(limit) };
    let binding = Binding::new("vrni.audit", &list.account, &list.selection())?;
    let mut first_total = None;
    if let Some(cursor) = cursor {
        (list.page.start, first_total) = next_page(lists.cursors.open(&binding, &cursor)?)?;
    }
    // The cursor is made where the rows are, off the threads that serve connections, so the key goes there.
    let cursors = lists.cursors.clone();
    let render = move |Rows { rows, total, next, judged }: Rows<Event>| {
        let total = first_total.unwrap_or(total);
        let cursor = next.map(|position| cursors.seal(&binding, &with_total(position, total)));
        let (newest, oldest) = (rows.first(), rows.last());
        let mut response = json::ok(&AuditPage {
            results: rows.iter().map(Row::from).collect(),
            cursor,
            start_time: oldest.map(|event| seconds(event.time)),
            end_time: newest.map(|event| seconds(event.time)),
            total_count: total,
        });
        language::tell(response.headers_mut(), judged);
        response
    };
    let reply = lists.ask_then(&caller, list, render).await?;
    let mut response = reply.answer;
    freshness::add(response.headers_mut(), &reply.freshness);
    response.extensions_mut().insert(IgnoredMembers(ignored));
    Ok(response)
}

pub(crate) fn describe_list() -> Operation {
    Operation::new("List audit logs", "Newest first, by filters in the body.")
        .optional_body(query_schema)
        .answers::<AuditPage<'_>>(StatusCode::OK, "A page of audit logs.")
        .tells_freshness()
        .with(&[Header::Scanned, Header::Complete])
}

/// What [`parse`] reads. Empty texts are as if they were not there.
fn query_schema(_: &mut SchemaGenerator) -> Schema {
    let text = |text: &str| json!({ "type": "string", "description": text });
    let seconds = |text: &str| json!({ "type": "integer", "format": "int64", "description": text });
    json_schema!({
        "type": "object",
        "properties": {
            "user_name": text("Who did it."),
            "username": text("The same as `user_name`."),
            "ip_address": text("Where it came from."),
            "entity_type": text("The type of what was changed."),
            "entity_id": text("The id of what was changed."),
            "operation": text("What was done to it."),
            "response": text("`SUCCESS` or `FAILURE`."),
            "reads": {
                "type": "string", "enum": [READS[0].0],
                "description": "`include`: also records of reads, which are else not listed.",
            },
            "q": text(ABOUT_Q),
            "cursor": text("The `cursor` of the page before."),
            "size": {
                "type": "integer", "minimum": 0, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT,
                "description": "How many at most; 0 is as many as usual.",
            },
            "time_range": {
                "type": "object",
                "properties": {
                    "start_time": seconds("Logs of this second or later, since 1970."),
                    "end_time": seconds("Logs of this second or earlier."),
                },
            },
        },
    })
}

/// A cursor also holds the total that the first page told. Clients add up the rows of the pages until they have so
/// many, so rows that came since must not count.
fn with_total(mut position: RowPosition, total: u64) -> RowPosition {
    position.id = format!("{total}:{}", position.id);
    position
}

/// Where a page starts, and the total of the first one.
fn next_page(mut position: RowPosition) -> Result<(Start, Option<u64>), Refusal> {
    // Only what `with_total` made can be opened.
    let (total, id) = position.id.split_once(':').ok_or(Refusal::Internal)?;
    let total = total.parse().map_err(|_| Refusal::Internal)?;
    position.id = id.to_owned();
    Ok((Start::After(position), Some(total)))
}

/// What a body asks for.
#[derive(Debug, PartialEq, Eq)]
struct ListQuery {
    filter: Filter,
    /// In the language, unread.
    q: Option<String>,
    limit: usize,
    cursor: Option<String>,
    /// What it says beyond that.
    ignored: Vec<String>,
}

fn parse(body: &[u8]) -> Result<ListQuery, Refusal> {
    let mut fields = Fields::read(body)?;
    let limit = limit(&mut fields)?;
    let cursor = filled(&mut fields, "cursor")?;
    let q = filled(&mut fields, Q)?;
    let filter = Filter {
        user_name: user_name(&mut fields)?,
        ip_address: filled(&mut fields, "ip_address")?,
        resource_type: filled(&mut fields, "entity_type")?,
        resource_id: filled(&mut fields, "entity_id")?,
        operation: filled(&mut fields, "operation")?,
        response: filled(&mut fields, "response")?,
        period: period(&mut fields)?,
        include_reads: includes_reads(&mut fields)?,
        ..Filter::default()
    };
    Ok(ListQuery { filter, q, limit, cursor, ignored: fields.left() })
}

/// The filter of a body.
pub(crate) fn filter(body: &[u8]) -> Result<Filter, Refusal> {
    parse(body).map(|query| query.filter)
}

/// A text; an empty one is none, as some clients send all that they know of.
fn filled(fields: &mut Fields, name: &str) -> Result<Option<String>, Refusal> {
    Ok(fields.text(name)?.filter(|text| !text.is_empty()))
}

/// `user_name`, which some clients and the vendor's example call `username`.
fn user_name(fields: &mut Fields) -> Result<Option<String>, Refusal> {
    let (one, other) = (filled(fields, "user_name")?, filled(fields, "username")?);
    if one.is_some() && other.is_some() && one != other {
        return Err(fields.wrong("username", "is another name of user_name, which is given differently"));
    }
    Ok(one.or(other))
}

/// Whether records of reads are wanted too. An operation does not ask for them: every type has one.
fn includes_reads(fields: &mut Fields) -> Result<bool, Refusal> {
    let [(include, ())] = READS;
    match filled(fields, "reads")? {
        Some(text) if text == include => Ok(true),
        Some(_) => Err(fields.wrong("reads", &format!("must be {include}"))),
        None => Ok(false),
    }
}

/// 0 is what the vendor's example sends: as many as usual.
fn limit(fields: &mut Fields) -> Result<usize, Refusal> {
    let size = usize::try_from(fields.integer("size")?.unwrap_or_default());
    match size {
        Ok(0) => Ok(DEFAULT_LIMIT),
        Ok(size) if size <= MAX_LIMIT => Ok(size),
        Ok(_) | Err(_) => Err(fields.wrong("size", &format!("must be from 0 to {MAX_LIMIT}"))),
    }
}

/// Whole seconds, both included: of the last one every microsecond.
fn period(fields: &mut Fields) -> Result<Period, Refusal> {
    let Some(mut range) = fields.object("time_range")? else { return Ok(Period::default()) };
    let from = range.integer("start_time")?.map(|seconds| instant(seconds.saturating_mul(SECOND)));
    let last = |seconds: i64| instant(seconds.saturating_mul(SECOND).saturating_add(SECOND - 1));
    let to = range.integer("end_time")?.map(last);
    fields.put_back(range);
    Ok(Period { from, to })
}

/// A time before or after all times that there can be stands for the first or the last of them.
fn instant(micros: i64) -> Timestamp {
    let end = if micros < 0 { Timestamp::FIRST } else { Timestamp::LAST };
    Timestamp::from_micros(micros).unwrap_or(end)
}

fn seconds(time: Timestamp) -> i64 {
    time.micros().div_euclid(SECOND)
}

/// An audit event as vRNI shows it: all eight members, always.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "AuditResponse")]
struct Row<'a> {
    ip_address: &'a str,
    user_name: &'a str,
    entity_type: &'a str,
    entity_id: &'a str,
    operation: String,
    response: &'a str,
    value: &'a str,
    /// In seconds since 1970.
    timestamp: i64,
}

impl<'a> From<&'a Event> for Row<'a> {
    fn from(event: &'a Event) -> Self {
        let given = &event.given;
        Self {
            ip_address: given.ip_address.as_deref().unwrap_or_default(),
            user_name: event.user_name(),
            entity_type: given.resource_type.as_deref().unwrap_or_default(),
            entity_id: given.resource_id.as_deref().unwrap_or_default(),
            operation: event.operation(),
            response: event.response(),
            value: event.value(),
            timestamp: seconds(event.time),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str) -> ListQuery {
        parse(body.as_bytes()).unwrap()
    }

    fn why(body: &str) -> String {
        parse(body.as_bytes()).unwrap_err().to_string()
    }

    #[test]
    fn nothing_given_is_the_first_page_of_everything() {
        let everything = ListQuery { filter: Filter::default(), q: None, limit: 50, cursor: None, ignored: Vec::new() };
        for body in ["", "{}", r#"{"size":0,"time_range":{},"user_name":"","cursor":""}"#] {
            assert_eq!(read(body), everything, "{body}");
        }
        let unknown = read(r#"{"operaton":"LOGIN","time_range":{"start":1}}"#);
        assert_eq!(unknown.ignored, ["operaton", "time_range.start"]);
        assert_eq!(ListQuery { ignored: Vec::new(), ..unknown }, everything);
    }

    #[test]
    fn every_field_is_part_of_the_filter() {
        let ListQuery { filter, q, limit, cursor, ignored } = read(
            r#"{"username":"u","ip_address":"i","entity_type":"t","entity_id":"e","operation":"o","response":"r",
                "q":"x","size":1000,"cursor":"c","reads":"include","time_range":{"start_time":1,"end_time":2}}"#,
        );
        let text = |text: &str| Some(text.to_owned());
        assert_eq!((filter.user_name, filter.ip_address, filter.resource_type), (text("u"), text("i"), text("t")));
        assert_eq!((filter.resource_id, filter.operation, filter.response), (text("e"), text("o"), text("r")));
        assert_eq!((q, limit, cursor, ignored.len()), (text("x"), 1000, text("c"), 0));
        assert!(filter.include_reads);
        assert_eq!(filter.period.from.unwrap().to_string(), "1970-01-01T00:00:01Z");
        assert_eq!(filter.period.to.unwrap().to_string(), "1970-01-01T00:00:02.999999Z");
    }

    #[test]
    fn the_user_has_two_names_that_must_agree() {
        assert_eq!(read(r#"{"user_name":"u","username":"u"}"#), read(r#"{"user_name":"u"}"#));
        assert!(why(r#"{"user_name":"u","username":"v"}"#).starts_with("username: "));
    }

    #[test]
    fn any_second_of_64_bits_is_a_time() {
        let all = read(&format!(r#"{{"time_range":{{"start_time":{},"end_time":{}}}}}"#, i64::MIN, i64::MAX));
        assert_eq!(all.filter.period.from, Some(Timestamp::FIRST));
        assert_eq!(all.filter.period.to, Some(Timestamp::LAST));
        assert_eq!(seconds(Timestamp::from_micros(-1).unwrap()), -1);
    }

    #[test]
    fn a_wrong_value_is_named() {
        assert_eq!(why(r#"{"size":1001}"#), "size: must be from 0 to 1000");
        assert_eq!(why(r#"{"size":-1}"#), "size: must be from 0 to 1000");
        assert_eq!(why(r#"{"size":"10"}"#), "size: must be an integer of 64 bits");
        assert_eq!(why(r#"{"entity_id":7}"#), "entity_id: must be a string");
        assert_eq!(why(r#"{"reads":"all"}"#), "reads: must be include");
        assert_eq!(why(r#"{"time_range":[]}"#), "time_range: must be an object");
        assert_eq!(why(r#"{"time_range":{"end_time":1.5}}"#), "time_range.end_time: must be an integer of 64 bits");
    }
}
