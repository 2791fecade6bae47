//! Traffic records.

use std::path::Path;

use model::event::Event;
use model::filter;
use model::log::Stream;
use model::paging::{Page, Period};
use model::traffic::{self, Connection, Direction, EventType, Record};
use proptest::prelude::*;
use proptest::sample::select;
use views::Views;
use views::traffic::{List, Stored, Traffic};

use super::counts::{Plain, compare};
use super::{IDS, account, answer, at, project, second, text};

const NAMES: &[&str] = &["Laptop", "SERVER", "Straße", "x:4"];
const ADDRESSES: &[&str] =
    &["10.0.0.1:443", "10.0.0.1:44", "[fd00::1]:53", "fd00::1", "10.0.0.2", "host:080", "HOST:80", ":", "443"];
const SEARCHES: &[&str] = &[
    "lap", "SER", "STRASSE", "straß", "1:4", ":44", "443", "44", ".2", ":", "::1]:5", "d00::1", "t:0", "t:80", "8",
    "zz",
];

fn endpoint() -> impl Strategy<Value = traffic::Endpoint> {
    (text(IDS), text(NAMES), text(ADDRESSES)).prop_map(|(id, name, address)| traffic::Endpoint {
        id,
        name,
        address,
        ..traffic::Endpoint::default()
    })
}

pub(super) fn report() -> impl Strategy<Value = traffic::Report> {
    let kinds = vec![EventType::Unknown, EventType::Start, EventType::End, EventType::Drop];
    let directions = vec![Direction::Unknown, Direction::Ingress, Direction::Egress];
    let flows = &["f", "0194f1a2-aaaa-4bbb-8ccc-0123456789ab", "0194F1A2-aaaa-4bbb-8ccc-0123456789ab"];
    let protocols = prop::option::of(select(vec![0, 6, 17, 65_535]));
    let ends = (endpoint(), endpoint(), text(IDS), text(&["alice@x.org", "BOB@x.org"]));
    let count = || prop_oneof![3 => 0_u64..7, 1 => any::<u64>()];
    let what = (select(kinds), select(directions), protocols, text(flows), text(IDS), -4_i64..9, count());
    // Some reporters send counters alone.
    let drops = prop_oneof![4 => Just(0_u64), 1 => 1_u64..4];
    let counters = (drops, count(), count(), count());
    (ends, what, counters).prop_map(
        |((source, destination, user, email), (kind, direction, protocol, flow, reporter, second, bytes), counters)| {
            let mut data =
                traffic::Reported { source, destination, direction, protocol, ..traffic::Reported::default() };
            data.event_type = Some(kind);
            data.flow_id = flow;
            data.reporter_id = reporter;
            data.rx_bytes = bytes;
            (data.num_of_drops, data.tx_bytes, data.rx_packets, data.tx_packets) = counters;
            data.user.id = user;
            data.user.email = email;
            let (time, received_at) = (at(second), at(second + 100));
            traffic::Report { id: "e".into(), time, received_at, subject_reporter: "gw".into(), data: data.into() }
        },
    )
}

fn traffic_filter() -> impl Strategy<Value = traffic::Filter> {
    let kinds = vec![EventType::Start, EventType::Drop];
    let ids = (text(IDS), text(IDS), text(IDS), text(IDS), text(SEARCHES));
    let what = (
        prop::option::of(select(vec![0, 6, -1, 70_000])),
        prop::option::of(select(kinds)),
        prop::option::of(select(vec![Connection::PeerToPeer, Connection::Routed])),
        prop::option::of(select(vec![Direction::Ingress, Direction::Unknown])),
    );
    // Mostly one or two parts, so that something is left.
    (ids, what, (second(), second()), any::<u16>()).prop_map(|(ids, what, (from, to), mask)| {
        let on = |bit: u16| mask.rotate_left(bit.into()) & 3 == 0;
        traffic::Filter {
            user_id: ids.0.filter(|_| on(0)),
            reporter_id: ids.1.filter(|_| on(1)),
            source_id: ids.2.filter(|_| on(2)),
            destination_id: ids.3.filter(|_| on(3)),
            search: ids.4.filter(|_| on(4)),
            protocol: what.0.filter(|_| on(5)),
            event_type: what.1.filter(|_| on(6)),
            connection: what.2.filter(|_| on(7)),
            direction: what.3.filter(|_| on(8)),
            period: Period { from: from.filter(|_| on(9)), to: to.filter(|_| on(10)) },
        }
    })
}

fn connection(record: &Record) -> Connection {
    let reporter = Some(record.key.reporter_id.as_str());
    let is_end = [&record.given.source, &record.given.destination].into_iter().any(|end| end.id.as_deref() == reporter);
    if is_end { Connection::PeerToPeer } else { Connection::Routed }
}

/// Whether the filter lets a record through: the definition.
fn wants_record(filter: &traffic::Filter, record: &Record) -> bool {
    let is = |wanted: &Option<String>, own: Option<&str>| wanted.is_none() || wanted.as_deref() == own;
    let reporter = Some(record.key.reporter_id.as_str());
    let texts = [
        &record.given.user.email,
        &record.given.source.name,
        &record.given.source.address,
        &record.given.destination.name,
        &record.given.destination.address,
    ];
    let found =
        |needle: &String| texts.into_iter().flatten().any(|text| text.to_lowercase().contains(&needle.to_lowercase()));
    is(&filter.user_id, record.given.user.id.as_deref())
        && is(&filter.reporter_id, reporter)
        && is(&filter.source_id, record.given.source.id.as_deref())
        && is(&filter.destination_id, record.given.destination.id.as_deref())
        && filter.protocol.is_none_or(|wanted| wanted == i64::from(record.given.protocol.unwrap_or_default()))
        && filter.event_type.is_none_or(|wanted| record.count(wanted) > 0)
        && filter.direction.is_none_or(|wanted| wanted == record.given.direction)
        && filter.connection.is_none_or(|wanted| wanted == connection(record))
        && filter.period.from.is_none_or(|from| record.time() >= from)
        && filter.period.to.is_none_or(|to| record.time() <= to)
        && filter.search.as_ref().is_none_or(found)
}

/// The view of reports, and their records in a plain list, newest first.
pub(super) fn both(directory: &Path, reports: Vec<traffic::Report>) -> (Views, Vec<Record>) {
    let mut records: Vec<Record> = Vec::new();
    for report in &reports {
        let record = Record::from(&report.clone()).owned();
        match records.iter_mut().find(|known| known.key == record.key) {
            Some(known) => known.merge(&record),
            None => records.push(record),
        }
    }
    records.sort_by_key(|record| std::cmp::Reverse((record.time(), record.key.id())));
    let events: Vec<Event> = reports.into_iter().map(Event::Traffic).collect();
    (project(directory, views::traffic::VIEW, Stream::Traffic, &events), records)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn records_are_found_by_columns_as_row_by_row(
        reports in prop::collection::vec(report(), 1..60),
        filters in prop::collection::vec(traffic_filter(), 20),
    ) {
        let directory = tempfile::tempdir().unwrap();
        let (views, records) = both(directory.path(), reports);
        for filter in filters {
            let expected: Vec<Record> =
                records.iter().filter(|record| wants_record(&filter, record)).cloned().collect();
            let list = List { account: account(), filter: filter.clone(), q: None, page: Page::newest(100) };
            let found = answer(&views, list);
            let whole = |stored: &Stored| stored.record().unwrap().with_texts(ToString::to_string);
            prop_assert_eq!(found.rows.iter().map(whole).collect::<Vec<_>>(), expected, "{:?}", filter);
        }
    }

    #[test]
    fn records_are_counted_by_columns_as_row_by_row(
        reports in prop::collection::vec(report(), 1..60),
        filters in prop::collection::vec(traffic_filter(), 5),
    ) {
        let directory = tempfile::tempdir().unwrap();
        let (views, records) = both(directory.path(), reports);
        for filter in filters {
            let wanted = records.iter().filter(|record| wants_record(&filter, record));
            let plain = |record: &Record| Plain::of::<filter::Traffic>(record.time(), &record.with_texts(String::as_str));
            let rows: Vec<Plain> = wanted.map(plain).collect();
            compare::<Traffic>(&views, &filter, None, &rows);
        }
    }
}
