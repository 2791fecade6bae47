//! Audit events.

use std::collections::BTreeSet;
use std::path::Path;

use model::event::Event;
use model::log::Stream;
use model::paging::{Page, Period};
use model::{audit, filter, json};
use proptest::prelude::*;
use proptest::sample::select;
use views::Views;
use views::audit::{Audit, List};

use super::counts::{Plain, compare};
use super::{IDS, account, answer, at, project, second, text};

const ADDRESSES: &[&str] = &[
    "10.0.0.4",
    "10.0.0.4:53",
    "110.0.0.4",
    "10.0.0.40",
    "::ffff:10.0.0.4",
    "2001:db8::5",
    "[2001:db8::5]:53",
    "Gate",
    "gate:80",
];
const LOOKED_FOR: &[&str] = &[
    "10.0.0.4",
    "10.0.0.4:53",
    "10.0.0.0/24",
    "2001:DB8:0::5",
    "2001:db8::/32",
    "gate",
    "GATE:80",
    "10.0.0",
    "at",
    "",
];

pub(super) fn audit_event() -> impl Strategy<Value = (String, i64, audit::Fields)> {
    const TYPES: &[&str] = &["vm.boot", "route.add", "plain", "vm.boot.late", "audit.read", "traffic.read"];
    const WORDS: &[&str] = &["vm", "success", "failure", "ADD", "Alice", "SUCCESS"];
    let payload = prop::option::of(select(vec!["{\"Name\":\"Straße\"}", "[1,\"alice\"]", "null"]));
    let texts = (text(TYPES), text(WORDS), text(WORDS), text(WORDS), text(WORDS), text(WORDS));
    let actor = (text(IDS), text(WORDS), text(&["alice@x.org"]), prop::option::of(-2_i64..3));
    let more = (text(IDS), text(IDS), text(ADDRESSES), text(IDS), payload, any::<bool>());
    (0_u8..60, -4_i64..9, texts, actor, more).prop_map(|(id, second, texts, actor, more)| {
        let meta = more.5.then(|| serde_json::Map::from_iter([("Key".to_owned(), "Value".into())]));
        let data = audit::Fields {
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
            meta: meta.map(json::Json::from),
            ..audit::Fields::default()
        };
        (format!("e{id}"), second, data)
    })
}

fn audit_filter() -> impl Strategy<Value = audit::Filter> {
    const WORDS: &[&str] =
        &["vm", "success", "failure", "ADD", "BOOT", "SUCCESS", "FAILURE", "alice@x.org", "Alice", ""];
    const SEARCHES: &[&str] =
        &["ALICE", "boot", "straß", "value\"", "[1,", "route cre", "b", "key\":", "}{", "0.0.4:5", "GAT", "READ"];
    let texts = (text(WORDS), text(WORDS), text(WORDS), text(WORDS), text(WORDS), text(SEARCHES));
    let ids = (text(IDS), text(IDS), text(IDS), text(IDS), text(LOOKED_FOR));
    let types = ["vm.boot", "plain", "audit.read"].map(str::to_owned).to_vec();
    let types = prop::collection::vec(select(types), 0..3);
    let period = (second(), second());
    (texts, ids, types, prop::option::of(-2_i128..3), period, any::<u16>(), any::<bool>()).prop_map(
        |(texts, ids, event_types, user_id, (from, to), mask, include_reads)| {
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
                period: Period { from: from.filter(|_| on(14)), to: to.filter(|_| on(15)) },
                include_reads,
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
        given.ip_address.as_deref(),
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
        && filter
            .ip_address
            .as_deref()
            .is_none_or(|wanted| given.ip_address.as_deref().is_some_and(|own| is_from(wanted, own)))
        && filter.user_id.is_none_or(|wanted| given.user_id.map(i128::from) == Some(wanted))
        && filter.period.from.is_none_or(|from| event.time >= from)
        && filter.period.to.is_none_or(|to| event.time <= to)
        && filter.search.as_ref().is_none_or(found)
        && (filter.include_reads
            || !filter.event_types.is_empty()
            || filter.event_group.is_some()
            || !["audit.read", "traffic.read"].contains(&&*event.event_type))
}

/// Whether an address is one that is looked for: the definition, for those of this test.
fn is_from(wanted: &str, own: &str) -> bool {
    let is_v4 = ["10.0.0.4", "10.0.0.4:53", "::ffff:10.0.0.4"].contains(&own);
    match wanted {
        "10.0.0.4" => is_v4,
        "10.0.0.4:53" => own == wanted,
        "10.0.0.0/24" => is_v4 || own == "10.0.0.40",
        "2001:DB8:0::5" | "2001:db8::/32" => own.contains("2001:db8::5"),
        "gate" => ["Gate", "gate:80"].contains(&own),
        "GATE:80" => own == "gate:80",
        _ => false,
    }
}

/// The view of events, and those of different ids in a plain list, newest first.
pub(super) fn both(directory: &Path, recorded: Vec<(String, i64, audit::Fields)>) -> (Views, Vec<audit::Event>) {
    let mut known = BTreeSet::new();
    let mut events = Vec::new();
    for (id, second, data) in recorded {
        if known.insert(id.clone()) {
            let context = audit::Context { id: &id, source: "/test", time: Some(at(second)), received_at: at(0) };
            events.push(audit::Event::new(context, data).unwrap());
        }
    }
    let logged: Vec<Event> = events.iter().cloned().map(Event::Audit).collect();
    let views = project(directory, views::audit::VIEW, Stream::Audit, &logged);
    events.sort_by(|one, other| (other.time, &other.id).cmp(&(one.time, &one.id)));
    (views, events)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn events_are_found_by_columns_as_row_by_row(
        recorded in prop::collection::vec(audit_event(), 1..60),
        filters in prop::collection::vec(audit_filter(), 20),
    ) {
        let directory = tempfile::tempdir().unwrap();
        let (views, events) = both(directory.path(), recorded);
        for filter in filters {
            let expected: Vec<&audit::Event> = events.iter().filter(|event| wants_event(&filter, event)).collect();
            let list = List { account: account(), filter: filter.clone(), q: None, page: Page::newest(100) };
            let found = answer(&views, list);
            prop_assert_eq!(found.rows.iter().collect::<Vec<_>>(), &*expected, "{:?}", filter);
        }
    }

    #[test]
    fn events_are_counted_by_columns_as_row_by_row(
        recorded in prop::collection::vec(audit_event(), 1..60),
        filters in prop::collection::vec(audit_filter(), 5),
    ) {
        let directory = tempfile::tempdir().unwrap();
        let (views, events) = both(directory.path(), recorded);
        for filter in filters {
            let wanted = events.iter().filter(|event| wants_event(&filter, event));
            let rows: Vec<Plain> = wanted.map(|event| Plain::of::<filter::Audit>(event.time, event)).collect();
            compare::<Audit>(&views, &filter, None, &rows);
        }
    }
}
