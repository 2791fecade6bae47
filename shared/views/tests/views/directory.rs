//! A directory that is too large for memory: answers are what they are with a small one.

use model::directory::{Entry, Kind};
use model::event::Event;
use model::filter::{Audit, Query, Traffic};
use model::log::Stream;
use model::paging::Page;
use model::{audit, traffic};
use views::Views;

use super::{account, answer, at, audit_event, open, project, report};

/// So many bytes of names that they do not stand in memory for an answer.
const TOO_MUCH: usize = 17 << 20;
const NAME: usize = 64 << 10;

fn entry(kind: Kind, id: &str, name: String) -> (model::log::AccountId, Event) {
    let entry = Entry { name: Some(name), address: Some("10.0.0.9:53".into()), ..Entry::default() };
    (account("main"), Event::Directory { kind, id: id.into(), entry })
}

/// How many audit events, records by a name, and records by a port of the directory's there are.
fn found(views: &Views) -> [u64; 3] {
    let (filter, q) = (audit::Filter::default(), Query::<Audit>::new("actor:Alice".into(), at(9)).unwrap());
    let events =
        answer(views, views::audit::List { account: account("main"), filter, q: Some(q), page: Page::newest(9) });
    let records = ["source:Laptop", "sport:53"].map(|text| {
        let (filter, q) = (traffic::Filter::default(), Query::<Traffic>::new(text.into(), at(9)).unwrap());
        let list = views::traffic::List { account: account("main"), filter, q: Some(q), page: Page::newest(9) };
        answer(views, list).total
    });
    [events.total, records[0], records[1]]
}

#[test]
fn a_directory_that_is_too_large_for_memory_names_what_it_names() {
    let directory = tempfile::tempdir().unwrap();
    let views = open(directory.path());
    let mut event = audit_event("e1", 1, "a.b");
    if let Event::Audit(event) = &mut event {
        event.given.actor_id = Some("u1".into());
    }
    project(&views, views::audit::VIEW, Stream::Audit, 1, &[(account("main"), event)]);
    let record = report("f", 1, |data| data.source.id = Some("p1".into()));
    project(&views, views::traffic::VIEW, Stream::Traffic, 1, &[(account("main"), record)]);
    assert_eq!(found(&views), [0, 0, 0]);
    let named = [entry(Kind::User, "u1", "Alice".into()), entry(Kind::Peer, "p1", "Laptop".into())];
    project(&views, views::directory::VIEW, Stream::Directory, 1, &named);
    assert_eq!(found(&views), [1, 1, 1]);
    let others = (0..TOO_MUCH / NAME).map(|number| entry(Kind::User, &format!("other{number}"), "x".repeat(NAME)));
    project(&views, views::directory::VIEW, Stream::Directory, 2, &others.collect::<Vec<_>>());
    assert_eq!(found(&views), [1, 1, 1]);
}
