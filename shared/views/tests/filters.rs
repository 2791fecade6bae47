//! What filters mean, row by row, beside what the views find by columns.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::collections::BTreeSet;
use std::path::Path;

use model::event::Event;
use model::log::{AccountId, Position, Stream};
use model::paging::{Page, Period};
use model::time::Timestamp;
use model::traffic::{Connection, Direction, EventType, Record};
use model::{audit, json, traffic};
use proptest::prelude::*;
use proptest::sample::select;
use views::store::{Batch, Checkpoint};
use views::traffic::Stored;
use views::{Ask, Logged, Question, Refused, View, Views};

fn account() -> AccountId {
    AccountId::parse("main").unwrap()
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_micros(second * 1_000_000).unwrap()
}

fn project(directory: &Path, view: View, stream: Stream, events: &[Event]) -> Views {
    let views = Views::open(directory, 64 << 20).unwrap();
    for (sequence, events) in (1..).zip(events.chunks(9)) {
        let mut batch = Batch::new(views.slot(view).store());
        for event in events {
            let logged = Logged { account: &account(), position: Position { stream, sequence }, event: event.clone() };
            match view.project(&mut batch, logged) {
                Ok(()) | Err(Refused::DeadLetter(_)) => {}
                Err(Refused::Failed(error)) => panic!("{error}"),
            }
        }
        let checkpoint = Checkpoint { sequence, fingerprint: "f".into(), stream_created: 1 };
        batch.commit(stream, &checkpoint).unwrap();
    }
    views
}

fn answer<Q: Question>(views: &Views, question: Q) -> Q::Answer {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(views.ask(Ask { at_least: Vec::new(), question })).unwrap().answer
}

/// A text out of a few, or none.
fn text(texts: &'static [&'static str]) -> impl Strategy<Value = Option<String>> {
    prop::option::of(select(texts).prop_map(str::to_owned))
}

const IDS: &[&str] = &["a", "b", "gw"];
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

fn report() -> impl Strategy<Value = traffic::Report> {
    let kinds = vec![EventType::Unknown, EventType::Start, EventType::End, EventType::Drop];
    let directions = vec![Direction::Unknown, Direction::Ingress, Direction::Egress];
    let flows = &["f", "0194f1a2-aaaa-4bbb-8ccc-0123456789ab", "0194F1A2-aaaa-4bbb-8ccc-0123456789ab"];
    let protocols = prop::option::of(select(vec![0, 6, 17, 65_535]));
    let ends = (endpoint(), endpoint(), text(IDS), text(&["alice@x.org", "BOB@x.org"]));
    let what = (select(kinds), select(directions), protocols, text(flows), text(IDS), 0_i64..9, any::<u64>());
    (ends, what).prop_map(
        |((source, destination, user, email), (kind, direction, protocol, flow, reporter, second, bytes))| {
            let mut data =
                traffic::Reported { source, destination, direction, protocol, ..traffic::Reported::default() };
            data.event_type = Some(kind);
            data.flow_id = flow;
            data.reporter_id = reporter;
            data.rx_bytes = bytes;
            data.user.id = user;
            data.user.email = email;
            let (time, received_at) = (at(second), at(second + 100));
            traffic::Report { id: "e".into(), time, received_at, subject_reporter: "gw".into(), data }
        },
    )
}

fn traffic_filter() -> impl Strategy<Value = traffic::Filter> {
    let second = || prop::option::of((0_i64..9).prop_map(at));
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

/// Whether the filter lets a record through: the definition.
fn wants_record(filter: &traffic::Filter, record: &Record) -> bool {
    let is = |wanted: &Option<String>, own: Option<&str>| wanted.is_none() || wanted.as_deref() == own;
    let reporter = Some(record.key.reporter_id.as_str());
    let is_end = [&record.source, &record.destination].into_iter().any(|end| end.id.as_deref() == reporter);
    let connection = if is_end { Connection::PeerToPeer } else { Connection::Routed };
    let texts = [
        &record.user.email,
        &record.source.name,
        &record.source.address,
        &record.destination.name,
        &record.destination.address,
    ];
    let found =
        |needle: &String| texts.into_iter().flatten().any(|text| text.to_lowercase().contains(&needle.to_lowercase()));
    is(&filter.user_id, record.user.id.as_deref())
        && is(&filter.reporter_id, reporter)
        && is(&filter.source_id, record.source.id.as_deref())
        && is(&filter.destination_id, record.destination.id.as_deref())
        && filter.protocol.is_none_or(|wanted| wanted == i64::from(record.protocol.unwrap_or_default()))
        && filter.event_type.is_none_or(|wanted| record.events.iter().any(|event| event.event_type == wanted))
        && filter.direction.is_none_or(|wanted| wanted == record.direction)
        && filter.connection.is_none_or(|wanted| wanted == connection)
        && filter.period.from.is_none_or(|from| record.time() >= from)
        && filter.period.to.is_none_or(|to| record.time() <= to)
        && filter.search.as_ref().is_none_or(found)
}

fn audit_event() -> impl Strategy<Value = (String, i64, audit::Recorded)> {
    const TYPES: &[&str] = &["vm.boot", "route.add", "plain", "vm.boot.late"];
    const WORDS: &[&str] = &["vm", "success", "failure", "ADD", "Alice", "SUCCESS"];
    let payload = prop::option::of(select(vec!["{\"Name\":\"Straße\"}", "[1,\"alice\"]", "null"]));
    let texts = (text(TYPES), text(WORDS), text(WORDS), text(WORDS), text(WORDS), text(WORDS));
    let actor = (text(IDS), text(WORDS), text(&["alice@x.org"]), prop::option::of(-2_i64..3));
    let more = (text(IDS), text(IDS), text(&["10.0.0.1"]), text(IDS), payload, any::<bool>());
    (0_u8..60, 0_i64..9, texts, actor, more).prop_map(|(id, second, texts, actor, more)| {
        let meta = more.5.then(|| serde_json::Map::from_iter([("Key".to_owned(), "Value".into())]));
        let data = audit::Recorded {
            event_type: texts.0.or_else(|| Some("door.open".into())),
            event_group: texts.1,
            status: texts.2,
            operation: texts.3,
            response: texts.4,
            activity: texts.5,
            actor_id: actor.0,
            actor_name: actor.1,
            actor_email: actor.2,
            user_id: actor.3,
            resource_type: more.0.clone(),
            resource_id: more.0,
            vm_id: more.1,
            ip_address: more.2,
            session_id: more.3,
            event_payload: more.4.map(|text| json::read(text.as_bytes()).unwrap()),
            meta,
            ..audit::Recorded::default()
        };
        (format!("e{id}"), second, data)
    })
}

fn audit_filter() -> impl Strategy<Value = audit::Filter> {
    const WORDS: &[&str] =
        &["vm", "success", "failure", "ADD", "BOOT", "SUCCESS", "FAILURE", "alice@x.org", "Alice", ""];
    const SEARCHES: &[&str] = &["ALICE", "boot", "straß", "value\"", "[1,", "route cre", "b", "key\":", "}{"];
    let texts = (text(WORDS), text(WORDS), text(WORDS), text(WORDS), text(WORDS), text(SEARCHES));
    let ids = (text(IDS), text(IDS), text(IDS), text(IDS), text(&["10.0.0.1"]));
    let types = prop::collection::vec(select(vec!["vm.boot".to_owned(), "plain".to_owned()]), 0..3);
    (texts, ids, types, prop::option::of(-2_i128..3), any::<u16>()).prop_map(
        |(texts, ids, event_types, user_id, mask)| {
            let on = |bit: u16| mask.rotate_left(bit.into()) & 3 == 0;
            audit::Filter {
                event_types: if on(0) { event_types } else { Vec::new() },
                event_group: texts.0.filter(|_| on(1)),
                status: texts.1.filter(|_| on(2)),
                operation: texts.2.filter(|_| on(3)),
                response: texts.3.filter(|_| on(4)),
                // Nobody asks for an empty user name: it filters nothing where it can be given.
                user_name: texts.4.filter(|name| on(5) && !name.is_empty()),
                search: texts.5.filter(|_| on(6)),
                actor_id: ids.0.filter(|_| on(7)),
                resource_id: ids.1.clone().filter(|_| on(8)),
                resource_type: ids.1.filter(|_| on(9)),
                vm_id: ids.2.filter(|_| on(10)),
                session_id: ids.3.filter(|_| on(11)),
                ip_address: ids.4.filter(|_| on(12)),
                user_id: user_id.filter(|_| on(13)),
                period: Period::default(),
            }
        },
    )
}

/// Whether the filter lets an event through: the definition.
fn wants_event(filter: &audit::Filter, event: &audit::Event) -> bool {
    let given = &event.given;
    let is = |wanted: &Option<String>, own: Option<&str>| wanted.is_none() || wanted.as_deref() == own;
    let payload = event.event_payload().map(json::Json::as_str);
    let texts = [
        Some(event.activity()),
        Some(&event.event_type),
        given.actor_id.as_deref(),
        given.actor_name.as_deref(),
        given.actor_email.as_deref(),
        given.resource_id.as_deref(),
        payload,
        given.meta.as_ref().map(json::Json::as_str),
    ];
    let found =
        |needle: &String| texts.into_iter().flatten().any(|text| text.to_lowercase().contains(&needle.to_lowercase()));
    (filter.event_types.is_empty() || filter.event_types.contains(&event.event_type))
        && is(&filter.event_group, Some(event.event_group()))
        && is(&filter.status, Some(event.status()))
        && is(&filter.operation, Some(&event.operation()))
        && is(&filter.response, Some(event.response()))
        && is(&filter.user_name, Some(event.user_name()))
        && is(&filter.actor_id, given.actor_id.as_deref())
        && is(&filter.resource_id, given.resource_id.as_deref())
        && is(&filter.resource_type, given.resource_type.as_deref())
        && is(&filter.vm_id, given.vm_id.as_deref())
        && is(&filter.session_id, given.session_id.as_deref())
        && is(&filter.ip_address, given.ip_address.as_deref())
        && filter.user_id.is_none_or(|wanted| given.user_id.map(i128::from) == Some(wanted))
        && filter.search.as_ref().is_none_or(found)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn traffic_records_are_found_by_columns_as_row_by_row(
        reports in prop::collection::vec(report(), 1..60),
        filters in prop::collection::vec(traffic_filter(), 20),
    ) {
        let directory = tempfile::tempdir().unwrap();
        let mut records: Vec<Record> = Vec::new();
        for report in &reports {
            let record = Record::from(report.clone());
            match records.iter_mut().find(|known| known.key == record.key) {
                Some(known) => known.merge(record),
                None => records.push(record),
            }
        }
        records.sort_by_key(|record| std::cmp::Reverse((record.time(), record.key.id())));
        let events: Vec<Event> = reports.into_iter().map(Event::Traffic).collect();
        let views = project(directory.path(), View::Traffic, Stream::Traffic, &events);
        for filter in filters {
            let expected: Vec<Record> =
                records.iter().filter(|record| wants_record(&filter, record)).cloned().collect();
            let list = views::traffic::List { account: account(), filter: filter.clone(), page: Page::newest(100) };
            let found = answer(&views, list);
            let whole = |stored: &Stored| stored.record().unwrap().with_texts(ToString::to_string);
            prop_assert_eq!(found.rows.iter().map(whole).collect::<Vec<_>>(), expected, "{:?}", filter);
        }
    }

    #[test]
    fn audit_events_are_found_by_columns_as_row_by_row(
        recorded in prop::collection::vec(audit_event(), 1..60),
        filters in prop::collection::vec(audit_filter(), 20),
    ) {
        let directory = tempfile::tempdir().unwrap();
        let mut known = BTreeSet::new();
        let mut events = Vec::new();
        for (id, second, data) in recorded {
            if known.insert(id.clone()) {
                let context = audit::Context { id: &id, source: "/test", time: Some(at(second)), received_at: at(0) };
                events.push(audit::Event::new(context, data).unwrap());
            }
        }
        let logged: Vec<Event> = events.iter().cloned().map(Event::Audit).collect();
        let views = project(directory.path(), View::Audit, Stream::Audit, &logged);
        events.sort_by(|one, other| (other.time, &other.id).cmp(&(one.time, &one.id)));
        for filter in filters {
            let expected: Vec<&audit::Event> = events.iter().filter(|event| wants_event(&filter, event)).collect();
            let list = views::audit::List { account: account(), filter: filter.clone(), page: Page::newest(100) };
            let found = answer(&views, list);
            prop_assert_eq!(found.rows.iter().collect::<Vec<_>>(), expected, "{:?}", filter);
        }
    }
}
