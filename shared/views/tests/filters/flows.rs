//! Flows: of what different reporters tell of one, lists and counts have one row.

use std::collections::BTreeSet;
use std::net::IpAddr;

use model::event::Event;
use model::filter::Traffic as Language;
use model::log::Stream;
use model::paging::{Order, Page, Rows, Start};
use model::traffic::{self, Direction, EventType, Record, Report};
use proptest::prelude::*;
use proptest::sample::select;
use views::Views;
use views::flows::{Flow, Flows};
use views::traffic::Traffic;

use super::counts::{Plain, compare_once};
use super::language::{expression, query, whole};
use super::traffic::{both, report};
use super::{account, answer, at, cases, project};

/// A report that others may tell of too.
fn seen() -> impl Strategy<Value = Report> {
    let window = prop::option::of(0_i64..4);
    let address = select(vec!["10.0.0.1:443", "10.0.0.1:44", "10.0.0.1", "[::ffff:10.0.0.1]:443"]);
    (report(), any::<u8>(), 0_i64..8, window, prop::option::of(address)).prop_map(
        |(mut report, id, step, window, address)| {
            report.id = format!("e{id}");
            report.time = at(step * 25);
            report.data.window_start = window.map(|window| at(window * 30));
            if let Some(address) = address {
                report.data.source.address = Some("10.0.0.2:5000".to_owned());
                report.data.destination.address = Some(address.to_owned());
                report.data.protocol = Some(6);
            }
            report
        },
    )
}

/// What tells connections apart.
fn ends(record: &Record) -> Option<[(IpAddr, Option<u16>); 2]> {
    let end = |end: &traffic::Endpoint| {
        let text = end.address.as_deref()?;
        let (host, port) = match text.parse::<std::net::SocketAddr>() {
            Ok(address) => (address.ip(), Some(address.port())),
            Err(_) => (text.parse().ok()?, None),
        };
        Some((host.to_canonical(), port))
    };
    let (source, destination) = (end(&record.given.source)?, end(&record.given.destination)?);
    destination.1.is_some().then_some([source, destination])
}

/// Which records are of one flow: the definition. They come the earliest first.
fn flows_of(records: &[Record]) -> Vec<Vec<Record>> {
    let alone = records.iter().map(|record| vec![record.clone()]).collect();
    let by_id = joined(alone, |one, other| one.key.flow_id == other.key.flow_id);
    joined(by_id, |one, other| {
        let is_same = ends(one).is_some() && ends(one) == ends(other);
        is_same && one.given.protocol.is_some() && one.given.protocol == other.given.protocol
    })
}

fn joined(flows: Vec<Vec<Record>>, are_one: impl Fn(&Record, &Record) -> bool) -> Vec<Vec<Record>> {
    let mut joined: Vec<Vec<Record>> = Vec::new();
    for flow in flows {
        let reporters = |flow: &[Record]| -> BTreeSet<String> {
            flow.iter().map(|record| record.key.reporter_id.clone()).collect()
        };
        let belongs = |known: &&mut Vec<Record>| {
            let apart = flow[0].time().micros() - known[0].time().micros();
            are_one(&known[0], &flow[0]) && apart <= 60_000_000 && reporters(known).is_disjoint(&reporters(&flow))
        };
        if let Some(known) = joined.iter_mut().find(belongs) {
            known.extend(flow);
            known.sort_by_key(|record| (record.time(), record.key.id()));
        } else {
            joined.push(flow);
        }
    }
    joined
}

/// The row of a flow.
fn row_of(flow: &[Record]) -> (Record, Vec<String>) {
    let mut row = flow[0].clone();
    let greatest = |count: &dyn Fn(&Record) -> u64| flow.iter().map(count).max().unwrap();
    if flow.len() > 1 {
        row.given.num_of_starts = greatest(&|record| record.count(EventType::Start));
        row.given.num_of_ends = greatest(&|record| record.count(EventType::End));
        row.given.num_of_drops = greatest(&|record| record.count(EventType::Drop));
    }
    let is_turned = |record: &Record| {
        let both = [flow[0].given.direction, record.given.direction];
        both.contains(&Direction::Ingress) && both.contains(&Direction::Egress)
    };
    let numbers = |given: &traffic::Reported| [(given.rx_bytes, given.tx_bytes), (given.rx_packets, given.tx_packets)];
    let number = |place: usize, is_received: bool| {
        greatest(&|record| {
            let (received, sent) = numbers(&record.given)[place];
            if is_received == is_turned(record) { sent } else { received }
        })
    };
    (row.given.rx_bytes, row.given.tx_bytes) = (number(0, true), number(0, false));
    (row.given.rx_packets, row.given.tx_packets) = (number(1, true), number(1, false));
    (row, flow.iter().map(|record| record.key.reporter_id.clone()).collect())
}

fn flows(views: &Views, text: &str, page: Page) -> Option<Rows<Flow>> {
    let filter = traffic::Filter::default();
    answer(views, Flows { account: account(), filter, q: query::<Language>(text), page })
}

/// All flows, a few on each page.
fn all_pages(views: &Views, text: &str, order: Order, total: usize) -> Vec<(Record, Vec<String>)> {
    let (mut rows, mut start) = (Vec::new(), Start::Offset(0));
    loop {
        let page = flows(views, text, Page { start, limit: 3, order }).unwrap();
        assert_eq!(page.total, total as u64);
        assert!(page.judged.is_none_or(|judged| judged.complete));
        rows.extend(page.rows.into_iter().map(|flow| (whole(&flow.record), flow.reporters)));
        let Some(next) = page.next else { return rows };
        start = Start::After(next);
    }
}

proptest! {
    #![proptest_config(cases(24))]

    #[test]
    fn flows_are_what_is_put_together_of_the_records_that_match(
        reports in prop::collection::vec(seen(), 1..60),
        texts in prop::collection::vec(expression::<Language>(), 6),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let (views, mut records) = both(folder.path(), reports);
        records.reverse();
        for text in texts.iter().map(String::as_str).chain(["", "-reporter:gw", "dst:10.0.0.1"]) {
            let query = query::<Language>(text).unwrap();
            let matching: Vec<Record> =
                records.iter().filter(|record| query.filter().matches(record)).cloned().collect();
            let expected = flows_of(&matching);
            let plain = |record: &Record| Plain::of::<Language>(record.time(), &record.with_texts(String::as_str));
            let firsts: Vec<Plain> = expected
                .iter()
                .map(|flow| plain(&flow[0]).measuring::<Traffic>(plain(&row_of(flow).0)))
                .collect();
            compare_once::<Traffic>(&views, &traffic::Filter::default(), Some(&query), &firsts);
            let mut expected: Vec<_> = expected.iter().map(|flow| row_of(flow)).collect();
            prop_assert_eq!(&all_pages(&views, text, Order::OldestFirst, expected.len()), &expected, "{}", text);
            expected.reverse();
            prop_assert_eq!(all_pages(&views, text, Order::NewestFirst, expected.len()), expected, "{}", text);
        }
    }
}

#[test]
fn of_more_records_than_are_read_no_flows_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let report = |number: i64| {
        let mut data = traffic::Reported { flow_id: Some((number / 2).to_string()), ..traffic::Reported::default() };
        data.reporter_id = Some(if number % 2 == 0 { "a" } else { "b" }.to_owned());
        let (id, time) = (format!("e{number}"), at(number));
        let data = data.into();
        Event::Traffic(Report { id, time, received_at: at(0), subject_reporter: "gw".to_owned(), data })
    };
    let reports: Vec<Event> = (0..20_001).map(report).collect();
    let views = project(folder.path(), views::traffic::VIEW, Stream::Traffic, &reports);
    assert!(flows(&views, "", Page::newest(1)).is_none());
    let rows = flows(&views, "time:>=\"1970-01-01T00:00:02Z\"", Page::newest(2)).unwrap();
    assert_eq!((rows.total, rows.rows.len()), (10_000, 2));
    assert_eq!(rows.rows[1].reporters, ["a", "b"]);
}
