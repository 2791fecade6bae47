//! The language: what lists find by columns, and by judging what these leave open, is what judging every row finds.

use std::path::Path;

use model::directory::{Entry, Kind};
use model::event::Event;
use model::filter::{Audit, Family, Kind as Takes, Query, Traffic};
use model::log::Stream;
use model::paging::{Judged, Order, Page, RowPosition, Rows, Start};
use model::time::Timestamp;
use model::{audit, traffic};
use proptest::prelude::*;
use proptest::sample::select;
use views::Views;
use views::traffic::Stored;

use super::audit::{audit_event, both as both_audit};
use super::counts::{Plain, compare};
use super::traffic::{both as both_traffic, report};
use super::{IDS, account, answer, at, cases, project_into, text};

/// Words that events and the directory have, and some that neither has.
const WORDS: &[&str] = &[
    "alice",
    "Alice",
    "ALICE@x.org",
    "a",
    "gw",
    "*",
    "*l*",
    "?lice",
    "lap*",
    "straße",
    "*:4*",
    "vm.boot",
    "vm*",
    "success",
    "SUCCESS",
    "443",
    "10.0.0.1",
    "10.0.0.1\\:44",
    "\"10.0.0.1:443\"",
    "*0.1\\:?43",
    "value",
    "key",
    "Key*al",
    "1,",
    "zz",
    "linux",
    "de",
    "\"route created\"",
    "peer-address",
    "\"[1\"",
    "*9*:*",
];
const NUMBERS: &[&str] = &[
    "0",
    ">0",
    ">=1",
    "[1 TO 5]",
    "{1 TO 3]",
    "443",
    "<53",
    "*",
    ">1k",
    "[* TO 0]",
    "6",
    "<=2",
    "-1",
    "2",
    "[0 TO 2]",
    ">9Ti",
    "[1.5 TO 2.5]",
    "<0",
    ">=18446744073709551615",
    "{0 TO 1}",
];
const TIMES: &[&str] = &[
    "\"1970-01-01T00:00:03Z\"",
    ">now-4s",
    "<=now",
    "[1970-01-01 TO \"1970-01-01T00:00:05\"}",
    "*",
    "1969-12-31",
    ">=\"1970-01-01T00:00:02Z\"",
    "<now",
];
const ADDRESSES: &[&str] = &[
    "10.0.0.1",
    "10.0.0.0/8",
    "\"10.0.0.1:443\"",
    "10.0.0.9",
    "host*",
    "*:44*",
    "*0.0.?:4*",
    "fd00::/16",
    "*",
    "host",
    "*3",
    "\"[fd00::1]:53\"",
    "0.0.0.0/0",
    "a",
    "server",
    "?0.0.0.1",
    "*",
    "*:*",
    "host:?80",
];

/// A term that a family can be asked.
fn term<F: Family>() -> impl Strategy<Value = String> {
    let names: Vec<(&str, Takes)> = F::fields()
        .into_iter()
        .map(F::describe)
        .flat_map(|field| {
            [field.name].into_iter().chain(field.other_names.iter().copied()).map(move |name| (name, field.kind))
        })
        .collect();
    let field = select(names).prop_flat_map(|(name, kind)| {
        let values: Vec<String> = match kind {
            Takes::Text => WORDS,
            Takes::Number => NUMBERS,
            Takes::Time => TIMES,
            Takes::Address => ADDRESSES,
            Takes::Protocol => &["tcp", "17", ">=6", "*", "0"],
            Takes::Choice(choices) => choices,
            Takes::Json => &["*", "value", "stra*", "alice", ">0", "\"1\"", "\"{}\""],
        }
        .iter()
        .map(|value| (*value).to_owned())
        .collect();
        let paths: &[&str] = if kind == Takes::Json { &["", ".Name", ".Key", ".key", ".no"] } else { &[""] };
        (select(paths), select(values)).prop_map(move |(path, value)| format!("{name}{path}:{value}"))
    });
    prop_oneof![6 => field, 1 => select(WORDS).prop_map(str::to_owned)]
}

/// An expression as someone might write it.
pub(super) fn expression<F: Family>() -> impl Strategy<Value = String> {
    term::<F>().prop_recursive(3, 12, 3, |inner| {
        let several = || prop::collection::vec(inner.clone(), 1..4);
        prop_oneof![
            several().prop_map(|parts| parts.join(" ")),
            several().prop_map(|parts| format!("({})", parts.join(" OR "))),
            inner.clone().prop_map(|part| format!("-({part})")),
        ]
    })
}

/// What the directory knows of the ids that events have.
fn directory() -> impl Strategy<Value = Vec<Event>> {
    let kinds = vec![Kind::Peer, Kind::User, Kind::Policy, Kind::Resource];
    let texts =
        (text(&["Laptop", "Alice"]), text(&["alice@x.org"]), text(&["10.0.0.9", "10.0.0.9:53", "peer-address"]));
    let more = (text(&["linux"]), text(&["server", "host"]), text(&["de"]));
    let entry = (select(kinds), select(IDS), texts, more).prop_map(|(kind, id, (name, email, address), more)| {
        let mut entry = Entry { name, email, address, os: more.0, dns_label: more.1, ..Entry::default() };
        entry.geo_location.country_code = more.2;
        Event::Directory { kind, id: id.to_owned(), entry }
    });
    prop_oneof![1 => Just(Vec::new()), 2 => prop::collection::vec(entry, 1..8)]
}

pub(super) fn now() -> Timestamp {
    at(5)
}

pub(super) fn query<F: Family>(text: &str) -> Option<Query<F>> {
    Some(Query::new(text.to_owned(), now()).unwrap_or_else(|mistake| panic!("{text}: {mistake}")))
}

fn with_reads() -> audit::Filter {
    audit::Filter { include_reads: true, ..audit::Filter::default() }
}

fn audit_list(views: &Views, text: &str, page: Page) -> Rows<audit::Event> {
    answer(views, views::audit::List { account: account(), filter: with_reads(), q: query(text), page })
}

fn traffic_list(views: &Views, text: &str, page: Page) -> Rows<Stored> {
    let filter = traffic::Filter::default();
    answer(views, views::traffic::List { account: account(), filter, q: query(text), page })
}

/// All rows, a few on each page; each page tells the total, where there are some that were not judged, not more than it.
fn all_pages<T>(total: usize, order: Order, list: impl Fn(Page) -> Rows<T>) -> Vec<T> {
    let (mut rows, mut start) = (Vec::new(), Start::Offset(0));
    loop {
        let page = list(Page { start, limit: 7, order });
        assert_eq!(page.total, total as u64);
        assert!(page.judged.is_none_or(|judged| judged.complete && judged.scanned > 0));
        rows.extend(page.rows);
        let Some(next) = page.next else { return rows };
        start = Start::After(next);
    }
}

fn learn(views: &Views, directory: &[Event]) {
    project_into(views, views::directory::VIEW, Stream::Directory, directory);
}

pub(super) fn whole(stored: &Stored) -> traffic::Record {
    stored.record().unwrap().with_texts(ToString::to_string)
}

proptest! {
    #![proptest_config(cases(60))]

    #[test]
    fn events_are_found_as_each_is_judged(
        recorded in prop::collection::vec(audit_event(), 1..50),
        known in directory(),
        texts in prop::collection::vec(expression::<Audit>(), 25),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let (views, _) = both_audit(folder.path(), recorded);
        learn(&views, &known);
        let shown = audit_list(&views, "", Page::newest(100)).rows;
        for text in texts {
            let query = query::<Audit>(&text).unwrap();
            let expected: Vec<&audit::Event> = shown.iter().filter(|event| query.filter().matches(event)).collect();
            let rows: Vec<Plain> =
                expected.iter().map(|event| Plain::of::<Audit>(event.time, event)).collect();
            compare::<views::audit::Audit>(&views, &with_reads(), Some(&query), &rows);
            let found = all_pages(expected.len(), Order::NewestFirst, |page| audit_list(&views, &text, page));
            prop_assert_eq!(found.iter().collect::<Vec<_>>(), &*expected, "{}", text);
            let oldest = all_pages(expected.len(), Order::OldestFirst, |page| audit_list(&views, &text, page));
            prop_assert!(oldest.iter().rev().eq(expected.iter().copied()), "{}", text);
        }
    }

    #[test]
    fn records_are_found_as_each_is_judged(
        reports in prop::collection::vec((report(), text(&["linux", "Alice"]), text(&["de"]), text(IDS)), 1..50),
        known in directory(),
        texts in prop::collection::vec(expression::<Traffic>(), 25),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let with_more = |(mut report, os, country, policy): (traffic::Report, _, _, _)| {
            report.data.source.os = os;
            report.data.destination.geo_location.country_code = country;
            report.data.policy.id = policy;
            report
        };
        let (views, _) = both_traffic(folder.path(), reports.into_iter().map(with_more).collect());
        learn(&views, &known);
        let shown: Vec<traffic::Record> = traffic_list(&views, "", Page::newest(100)).rows.iter().map(whole).collect();
        for text in texts {
            let query = query::<Traffic>(&text).unwrap();
            let expected: Vec<&traffic::Record> =
                shown.iter().filter(|record| query.filter().matches(record)).collect();
            let plain = |record: &&traffic::Record| {
                Plain::of::<Traffic>(record.time(), &record.with_texts(String::as_str))
            };
            let rows: Vec<Plain> = expected.iter().map(plain).collect();
            compare::<views::traffic::Traffic>(&views, &traffic::Filter::default(), Some(&query), &rows);
            let found = |order| -> Vec<traffic::Record> {
                all_pages(expected.len(), order, |page| traffic_list(&views, &text, page)).iter().map(whole).collect()
            };
            let (newest, oldest) = (found(Order::NewestFirst), found(Order::OldestFirst));
            prop_assert_eq!(newest.iter().collect::<Vec<_>>(), &*expected, "{}", text);
            prop_assert!(oldest.iter().rev().eq(expected.iter().copied()), "{}", text);
        }
    }
}

fn event(number: u64, data: audit::Fields) -> Event {
    let time = Some(at(i64::try_from(number).unwrap()));
    let id = format!("e{number}");
    let context = audit::Context { id: &id, source: "/test", time, received_at: at(0) };
    Event::Audit(audit::Event::new(context, data).unwrap())
}

/// So many events, each with its number as the status of a request, which no column has.
fn numbered(folder: &Path, count: u64) -> Views {
    let views = Views::open(folder, 64 << 20).unwrap();
    let events: Vec<Event> = (0..count)
        .map(|number| {
            let http_status = Some(i64::try_from(number).unwrap());
            let even = if number % 2 == 0 { "even" } else { "odd" };
            event(number, audit::Fields { event_type: Some(even.to_owned()), http_status, ..audit::Fields::default() })
        })
        .collect();
    project_into(&views, views::audit::VIEW, Stream::Audit, &events);
    views
}

fn ids(rows: &Rows<audit::Event>) -> Vec<&str> {
    rows.rows.iter().map(|event| event.id.as_str()).collect()
}

#[test]
fn columns_alone_answer_what_they_have() {
    let folder = tempfile::tempdir().unwrap();
    let views = numbered(folder.path(), 30);
    for (text, total) in [
        ("activity:even", 15),
        ("-type:e*", 15),
        ("time:<\"1970-01-01T00:00:10Z\" status:success", 10),
        ("type:odd OR time:\"1970-01-01T00:00:10Z\"", 16),
        ("odd", 15),
        ("actor:* OR -actor:*", 30),
    ] {
        let rows = audit_list(&views, text, Page::newest(3));
        assert_eq!((rows.total, rows.judged), (total, None), "{text}");
    }
    // An id leads to its row, of which the rest is judged.
    let rows = audit_list(&views, "id:e7", Page::newest(3));
    assert_eq!((ids(&rows), rows.judged), (vec!["e7"], Some(Judged { scanned: 1, complete: true })));
    assert_eq!(audit_list(&views, "id:none", Page::newest(3)).judged, None);
}

#[test]
fn what_columns_leave_open_is_judged_up_to_a_bound_and_goes_on_from_there() {
    let folder = tempfile::tempdir().unwrap();
    let views = numbered(folder.path(), 45_000);
    let text = "type:even http_status:(2 OR 44998 OR 4998)";
    let mut start = Start::Offset(0);
    let mut pages = Vec::new();
    loop {
        let rows = audit_list(&views, text, Page { start, ..Page::newest(3) });
        pages.push((ids(&rows).join(" "), rows.total, rows.judged.unwrap()));
        let Some(next) = rows.next else { break };
        start = Start::After(next);
    }
    let stopped = Judged { scanned: 20_000, complete: false };
    let rest = Judged { scanned: 2500, complete: false };
    assert_eq!(pages, [("e44998".to_owned(), 1, stopped), ("e4998 e2".to_owned(), 2, rest)]);
    // What is surely wanted is not judged, whatever else is open.
    let rows = audit_list(&views, "type:odd OR http_status:44998", Page::newest(2));
    assert_eq!((ids(&rows), rows.total), (vec!["e44999", "e44998"], 22_501));
    assert!(rows.judged.is_some_and(|judged| !judged.complete && judged.scanned < 2000));
    // In a period with few rows, all are judged.
    let rows = audit_list(&views, "http_status:2 time:<\"1970-01-01T00:01:00Z\"", Page::newest(2));
    assert_eq!((rows.total, rows.judged), (1, Some(Judged { scanned: 60, complete: true })));
}

#[test]
fn a_list_that_was_stopped_goes_on_after_a_row_that_it_does_not_show() {
    let folder = tempfile::tempdir().unwrap();
    let views = numbered(folder.path(), 20_001);
    let rows = audit_list(&views, "http_status:0", Page::newest(5));
    assert_eq!((ids(&rows), rows.total), (vec![], 0));
    assert_eq!(rows.next.as_ref().map(|next: &RowPosition| next.time), Some(at(1)));
    let rest = audit_list(&views, "http_status:0", Page { start: Start::After(rows.next.unwrap()), ..Page::newest(5) });
    assert_eq!((ids(&rest), rest.next.is_none()), (vec!["e0"], true));
}

#[test]
fn sealed_rows_are_found_like_new_ones() {
    let folder = tempfile::tempdir().unwrap();
    let views = numbered(folder.path(), 85_000);
    let rows = audit_list(&views, "type:even time:<\"1970-01-01T00:00:10Z\"", Page::newest(10));
    assert_eq!((ids(&rows), rows.judged), (vec!["e8", "e6", "e4", "e2", "e0"], None));
    let rows = audit_list(&views, "http_status:[65530 TO 65535] time:>=\"1970-01-01T18:00:00Z\"", Page::newest(10));
    assert_eq!((rows.total, ids(&rows).first().copied()), (6, Some("e65535")));
    let rows = audit_list(&views, "id:e3 OR id:e84000", Page::newest(10));
    assert_eq!((ids(&rows), rows.judged), (vec!["e84000", "e3"], Some(Judged { scanned: 2, complete: true })));
}
