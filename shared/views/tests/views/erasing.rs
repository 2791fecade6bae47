//! Whoever is erased is in no row, whatever was projected first.

use model::access::{self, Actor, PersonErased};
use model::directory::{Entry, Kind};
use model::erasure::Erasure;
use model::event::Event;
use model::log::Stream;
use model::paging::Page;
use model::{audit, traffic};
use proptest::prelude::*;
use serde_json::{Value, json};
use views::dump::Dump;
use views::person::{Known, Person};
use views::{View, Views};

use super::{account, answer, at, audit_page, open, project, report};

const ERASING: [View; 3] = [views::audit::VIEW, views::traffic::VIEW, views::directory::VIEW];

fn said(id: usize, data: Value) -> Event {
    let id = format!("e{id}");
    let context = audit::Context { id: &id, source: "/test", time: Some(at(1)), received_at: at(1) };
    Event::Audit(audit::Event::new(context, serde_json::from_value::<audit::Fields>(data).unwrap()).unwrap())
}

/// What is said of alice and others, each as message of its own.
fn everything() -> Vec<(Stream, Event)> {
    let audit = [
        json!({ "event_type": "a.b", "actor_id": "alice-7", "actor_name": "Alice", "ip_address": "192.0.2.1" }),
        json!({ "event_type": "a.b", "actor_id": "alice-7", "actor_email": "alice@x.org", "meta": { "n": "Alice" } }),
        json!({ "event_type": "a.c", "actor_id": "bob", "resource_id": "alice-7", "meta": { "n": "alice@x.org" } }),
        json!({ "event_type": "a.d", "actor_id": "bob", "ip_address": "192.0.2.1" }),
    ];
    let audit = audit.into_iter().enumerate().map(|(id, data)| (Stream::Audit, said(id, data)));
    let user = |id: &str, email: Option<&str>| traffic::User {
        id: Some(id.into()),
        email: email.map(str::to_owned),
        name: email.map(|_| "Alice".into()),
    };
    let traffic = [
        report("f1", 1, |data| data.user = user("alice-7", None)),
        report("f1", 2, |data| data.user = user("alice-7", Some("alice@x.org"))),
        report("f1", 3, |data| data.source.name = Some("Alice laptop".into())),
        report("f2", 4, |data| data.user = user("bob", None)),
    ];
    let traffic = traffic.into_iter().map(|event| (Stream::Traffic, event));
    let named = |id: &str, name: &str| Event::Directory {
        kind: Kind::User,
        id: id.into(),
        entry: Entry { name: Some(name.into()), ..Entry::default() },
    };
    let names = [named("alice-7", "Alice"), named("bob", "Bob")].map(|event| (Stream::Directory, event));
    audit.chain(traffic).chain(names).collect()
}

fn erasure() -> Event {
    let person = Erasure::new([7; 32], ["alice-7", "alice@x.org"], ["Alice", "192.0.2.1"]);
    let event = access::Event::PersonErased(PersonErased { person, by: Actor::system() });
    Event::Access(access::Recorded { event_id: "x1".into(), time: at(9), id: "01X".into(), event })
}

/// Projects into every view that erases; gives what is in them then.
fn dump_of(log: &[(Stream, Event)]) -> (Views, tempfile::TempDir, Vec<String>) {
    let directory = tempfile::tempdir().unwrap();
    let views = open(directory.path());
    for (sequence, (stream, event)) in (1..).zip(log) {
        for view in ERASING.into_iter().filter(|view| view.reads().any(|read| read == *stream)) {
            let letters = project(&views, view, *stream, sequence, &[(account("main"), event.clone())]);
            assert_eq!(letters, Vec::<String>::new());
        }
    }
    let lines = ERASING.map(|view| answer(&views, Dump { view, after: None, limit: 99 }).lines).concat();
    (views, directory, lines)
}

#[test]
fn nothing_is_left_of_who_is_erased_and_all_of_the_others() {
    let (_, _directory, before) = dump_of(&everything());
    assert!(before.concat().contains("alice"));
    let log: Vec<(Stream, Event)> = everything().into_iter().chain([(Stream::Access, erasure())]).collect();
    let (views, _directory, lines) = dump_of(&log);
    let text = lines.concat();
    assert!(!text.to_lowercase().contains("alice"), "{text}");
    assert_eq!(text.matches("192.0.2.1").count(), 1, "it is another's too: {text}");
    assert_eq!(text.matches("erased:01X").count(), 7, "{text}");
    // The entry of the directory is gone, and the erasure is an audit event with a type of its own.
    assert_eq!(lines.len(), before.len() - 1 + 2);
    let known = |id: &str| answer(&views, Known { account: account("main"), ids: vec![id.to_owned()] });
    assert_eq!(known("alice-7"), Person::default());
    assert_eq!((known("bob").done, known("bob").records, known("bob").entries), (2, 1, 1));
}

#[test]
fn what_is_known_of_a_person_is_found_by_their_id() {
    let (views, _directory, _) = dump_of(&everything());
    let known = answer(&views, Known { account: account("main"), ids: vec!["alice-7".to_owned()] });
    assert_eq!((known.done, known.suffered, known.records, known.entries, known.kept_for_ever), (2, 1, 1, 1, 0));
    assert_eq!(known.emails.into_iter().collect::<Vec<_>>(), ["alice@x.org"]);
    assert_eq!(known.details.into_iter().collect::<Vec<_>>(), ["192.0.2.1", "Alice"]);
    let elsewhere = answer(&views, Known { account: account("other"), ids: vec!["alice-7".to_owned()] });
    assert_eq!(elsewhere, Person::default());
}

#[test]
fn another_account_keeps_who_has_the_same_id() {
    let directory = tempfile::tempdir().unwrap();
    let views = open(directory.path());
    let (_, event) = everything().remove(0);
    let both = ["main", "mainly"].map(|id| (account(id), event.clone()));
    project(&views, views::audit::VIEW, Stream::Audit, 1, &both);
    project(&views, views::audit::VIEW, Stream::Access, 1, &[(account("main"), erasure())]);
    let lines = answer(&views, Dump { view: views::audit::VIEW, after: None, limit: 9 }).lines;
    let named: Vec<bool> =
        lines.iter().filter(|line| line.contains("a.b\",\"given")).map(|line| line.contains("alice-7")).collect();
    assert_eq!(named, [false, true]);
}

/// More rows than stay unsealed, every third of them alice's.
#[test]
fn rows_in_segments_are_erased_and_counted_as_before() {
    const ROWS: usize = 82_000;
    let directory = tempfile::tempdir().unwrap();
    let views = open(directory.path());
    let by = |id: usize| if id.is_multiple_of(3) { "alice-7" } else { "bob" };
    let events: Vec<_> = (0..ROWS)
        .map(|id| (account("main"), said(id, json!({ "event_type": "a.b", "actor_id": by(id), "path": "/alice-7" }))))
        .collect();
    project(&views, views::audit::VIEW, Stream::Audit, 1, &events);
    project(&views, views::audit::VIEW, Stream::Access, 1, &[(account("main"), erasure())]);
    let done = |id: &str| answer(&views, Known { account: account("main"), ids: vec![id.to_owned()] }).done;
    assert_eq!((done("alice-7"), done("erased:01X")), (0, ROWS.div_ceil(3) as u64));
    assert_eq!(done("bob"), (ROWS - ROWS.div_ceil(3)) as u64);
    let found = audit::Filter { search: Some("alice".into()), ..audit::Filter::default() };
    let (ids, total, _) = audit_page(&views, &account("main"), found, Page::newest(10));
    assert_eq!((ids.len(), total), (0, 0));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn the_rows_are_the_same_wherever_in_the_log_the_erasure_is_read(log in Just({
        let mut log = everything();
        log.push((Stream::Access, erasure()));
        log
    }).prop_shuffle()) {
        // Events of a stream keep their order.
        let mut log = log;
        let order = |event: &Event| match event {
            Event::Audit(event) => event.id.clone(),
            _ => String::new(),
        };
        let mut audit: Vec<_> = log.iter().filter(|(stream, _)| *stream == Stream::Audit).cloned().collect();
        audit.sort_by_key(|(_, event)| order(event));
        let mut next = audit.into_iter();
        for entry in log.iter_mut().filter(|(stream, _)| *stream == Stream::Audit) {
            *entry = next.next().unwrap();
        }
        let first: Vec<_> = [(Stream::Access, erasure())].into_iter().chain(everything()).collect();
        prop_assert_eq!(dump_of(&log).2, dump_of(&first).2);
    }
}
