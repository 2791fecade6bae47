//! Saved searches: who sees which.

use model::access::{Actor, Scope};
use model::event::Event;
use model::log::Stream;
use model::search::{self, Asker, Created, Definition, Deleted, Family, Recorded, Updated};
use views::Views;
use views::dump::Dump;
use views::searches::{ById, List, VIEW};

use super::{account, answer, at, open, project};

fn actor(id: &str) -> Actor {
    Actor { id: id.to_owned(), name: None, email: None }
}

fn asker(id: &str, scopes: &[Scope]) -> Asker {
    Asker { actor: actor(id), scopes: scopes.iter().copied().collect() }
}

fn definition(name: &str, family: Family, shared: bool) -> Definition {
    let name = name.to_owned();
    Definition { name, family, q: "x".to_owned(), from: None, to: None, columns: Some(vec!["time".to_owned()]), shared }
}

fn apply(views: &Views, sequence: u64, account_id: &str, id: &str, event: search::Event) {
    let recorded = Recorded { time: at(i64::try_from(sequence).unwrap()), id: id.to_owned(), event };
    project(views, VIEW, Stream::Search, sequence, &[(account(account_id), Event::Search(recorded))]);
}

fn created(owner: &str, search: Definition) -> search::Event {
    search::Event::Created(Created { search, by: actor(owner) })
}

/// Those of two people in an account, and one in an account that is called almost the same.
fn filled(views: &Views) {
    apply(views, 1, "main", "s1", created("alice", definition("own", Family::Audit, false)));
    apply(views, 2, "main", "s2", created("alice", definition("shared", Family::Audit, true)));
    apply(views, 3, "main", "s3", created("bob", definition("flows", Family::Traffic, true)));
    apply(views, 4, "mainly", "s1", created("alice", definition("elsewhere", Family::Audit, true)));
}

fn names(views: &Views, account_id: &str, asker: &Asker) -> Vec<String> {
    let list = List { account: account(account_id), asker: asker.clone() };
    answer(views, list).into_iter().map(|search| search.current.definition.name).collect()
}

#[test]
fn everybody_sees_their_own_and_what_is_shared_of_what_they_may_read() {
    let directory = tempfile::tempdir().unwrap();
    let views = open(directory.path());
    filled(&views);
    let both = [Scope::AuditRead, Scope::TrafficRead];
    for (asker, expected) in [
        (asker("alice", &both), vec!["own", "shared", "flows"]),
        (asker("bob", &both), vec!["shared", "flows"]),
        (asker("root", &[Scope::Admin]), vec!["shared", "flows"]),
        (asker("alice", &[Scope::TrafficRead]), vec!["flows"]),
        (asker("alice", &[Scope::EventsWrite]), vec![]),
    ] {
        assert_eq!(names(&views, "main", &asker), expected, "{asker:?}");
        let by_id =
            |id: &str| answer(&views, ById { account: account("main"), asker: asker.clone(), id: id.to_owned() });
        let found = ["s1", "s2", "s3", "s4", "s"].map(|id| by_id(id).map(|found| found.current.definition.name));
        assert_eq!(found.into_iter().flatten().collect::<Vec<_>>(), expected, "{asker:?}");
    }
    assert_eq!(names(&views, "mainly", &asker("alice", &both)), ["elsewhere"]);
    assert_eq!(names(&views, "other", &asker("alice", &both)), Vec::<String>::new());
}

#[test]
fn a_search_is_as_its_last_event_left_it() {
    let directory = tempfile::tempdir().unwrap();
    let views = open(directory.path());
    filled(&views);
    let search = definition("renamed", Family::Audit, false);
    apply(&views, 5, "main", "s2", search::Event::Updated(Updated { search, changed: Vec::new(), by: actor("root") }));
    apply(&views, 6, "main", "s3", search::Event::Deleted(Deleted { by: actor("bob") }));
    let alice = asker("alice", &[Scope::Admin]);
    assert_eq!(names(&views, "main", &alice), ["own", "renamed"]);
    assert_eq!(names(&views, "main", &asker("bob", &[Scope::Admin])), Vec::<String>::new());
    let found = answer(&views, ById { account: account("main"), asker: alice, id: "s2".to_owned() }).unwrap().current;
    assert_eq!((found.owner.id.as_str(), found.created_at, found.updated_at), ("alice", at(2), at(5)));
    let lines = answer(&views, Dump { view: VIEW, after: None, limit: 9 }).lines;
    let row = r#"{"account":"main","row":{"created_at":"1970-01-01T00:00:01Z","definition":{"columns":["time"],"family":"audit","from":null,"name":"own","q":"x","shared":false,"to":null},"owner":{"email":null,"id":"alice","name":null},"updated_at":"1970-01-01T00:00:01Z"}}"#;
    assert_eq!((lines.len(), lines[0].as_str()), (3, row));
}
