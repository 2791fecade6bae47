//! The catalog of types: complete where an account has a usual number of them, and bounded where it has not.

use std::collections::BTreeMap;

use model::event::Event;
use model::log::{AccountId, Stream};
use views::Views;
use views::audit::{Catalog, CatalogPage, VIEW, accounts_beyond};
use views::dump::Dump;

use super::{account, answer, audit_event, open, project};

/// As many types as an account may make up.
const MOST: usize = 10_000;

fn page(views: &Views, id: &str, after: Option<(&str, &str)>, limit: usize) -> CatalogPage {
    let after = after.map(|(group, event_type)| (group.to_owned(), event_type.to_owned()));
    answer(views, Catalog { account: account(id), after, limit })
}

fn catalog(views: &Views, id: &str) -> Vec<(String, Vec<String>)> {
    let types = page(views, id, None, usize::MAX).types;
    types.into_iter().map(|(group, types)| (group, types.into_iter().collect())).collect()
}

fn count(views: &Views, id: &str) -> usize {
    page(views, id, None, usize::MAX).types.values().map(std::collections::BTreeSet::len).sum()
}

fn owned(types: &[(&str, &[&str])]) -> Vec<(String, Vec<String>)> {
    let owned = |(group, types): &(&str, &[&str])| {
        ((*group).to_owned(), types.iter().map(|event_type| (*event_type).to_owned()).collect())
    };
    types.iter().map(owned).collect()
}

/// Events of these types, with ids of their own.
fn events(id: &str, types: impl IntoIterator<Item = String>) -> Vec<(AccountId, Event)> {
    let event = |event_type: String| (account(id), audit_event(&format!("of {event_type}"), 1, &event_type));
    types.into_iter().map(event).collect()
}

fn dump(views: &Views) -> Vec<String> {
    answer(views, Dump { view: VIEW, after: None, limit: usize::MAX }).lines
}

#[test]
fn the_catalog_names_every_type_once_by_group() {
    let directory = tempfile::tempdir().unwrap();
    let views = open(directory.path());
    let types = ["vm.start", "b", "vm.start", "vm.end"];
    let events: Vec<_> =
        types.iter().enumerate().map(|(n, kind)| (account("main"), audit_event(&format!("e{n}"), 1, kind))).collect();
    project(&views, VIEW, Stream::Audit, 1, &events[..2]);
    project(&views, VIEW, Stream::Audit, 2, &events);
    assert_eq!(catalog(&views, "main"), owned(&[("b", &["b"]), ("vm", &["vm.end", "vm.start"])]));
    assert!(catalog(&views, "mai").is_empty());
    assert_eq!(accounts_beyond(&views.slot(VIEW).store()).unwrap(), 0);
}

#[test]
fn pages_neither_repeat_nor_skip() {
    let directory = tempfile::tempdir().unwrap();
    let views = open(directory.path());
    let types = ["a.1", "a.2", "b.1", "c.1", "c.2"].map(str::to_owned);
    project(&views, VIEW, Stream::Audit, 1, &events("main", types));
    let first = page(&views, "main", None, 3);
    assert_eq!(first.next, Some(("b".to_owned(), "b.1".to_owned())));
    let rest = page(&views, "main", Some(("b", "b.1")), 2);
    assert_eq!((rest.types.keys().map(String::as_str).collect::<Vec<_>>(), rest.next), (vec!["c"], None));
    assert_eq!(page(&views, "main", None, 5).next, None);
}

#[test]
fn a_flood_of_types_fills_the_catalog_of_its_account_only() {
    let directory = tempfile::tempdir().unwrap();
    let views = open(directory.path());
    let flood: Vec<_> = events("flood", (0..MOST + 500).map(|number| format!("t{number}")));
    for (sequence, some) in (1..).zip(flood.chunks(1000)) {
        project(&views, VIEW, Stream::Audit, sequence, some);
    }
    project(&views, VIEW, Stream::Audit, 100, &events("quiet", ["late.one".to_owned()]));
    // What Flowtrail itself says of the account has a place whatever its publishers make up.
    project(&views, VIEW, Stream::Access, 1, &events("flood", ["user.login".to_owned()]));
    assert_eq!(count(&views, "flood"), MOST + 2, "the first of them, the own one, and other");
    let types: BTreeMap<String, Vec<String>> = catalog(&views, "flood").into_iter().collect();
    assert!(types.contains_key("t0") && !types.contains_key(&format!("t{MOST}")));
    assert_eq!((&types["other"], &types["user"]), (&vec!["other".to_owned()], &vec!["user.login".to_owned()]));
    assert_eq!(catalog(&views, "quiet"), owned(&[("late", &["late.one"])]));
    assert_eq!(accounts_beyond(&views.slot(VIEW).store()).unwrap(), 1);
    // The events themselves are what they are.
    let id = format!("of t{}", MOST + 1);
    let event = answer(&views, views::audit::ById { account: account("flood"), id });
    assert_eq!(event.unwrap().event_type, format!("t{}", MOST + 1));
}

#[test]
fn a_type_that_is_too_long_is_another() {
    let directory = tempfile::tempdir().unwrap();
    let views = open(directory.path());
    project(&views, VIEW, Stream::Audit, 1, &events("main", ["x".repeat(257), "y".repeat(256)]));
    let (y, other) = ("y".repeat(256), ("other", ["other"].as_slice()));
    assert_eq!(catalog(&views, "main"), owned(&[other, (&y, &[&y])]));
}

#[test]
fn the_catalog_is_the_same_whichever_stream_is_read_first() {
    let made_up: Vec<_> = events("main", (0..MOST + 10).map(|number| format!("t{number}")));
    let own = events("main", ["user.login", "t1"].map(str::to_owned));
    let dumps = [true, false].map(|own_first| {
        let directory = tempfile::tempdir().unwrap();
        let views = open(directory.path());
        if own_first {
            project(&views, VIEW, Stream::Access, 1, &own);
        }
        project(&views, VIEW, Stream::Audit, 1, &made_up);
        if !own_first {
            project(&views, VIEW, Stream::Access, 1, &own);
        }
        dump(&views)
    });
    assert!(dumps[0] == dumps[1], "they differ");
}
