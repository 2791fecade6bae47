use super::*;
use crate::access::Scope;

fn now() -> Timestamp {
    Timestamp::parse("2026-01-31T12:00:00Z").unwrap()
}

fn asker(id: &str, scopes: &[Scope]) -> Asker {
    let actor = Actor { id: id.to_owned(), name: None, email: None };
    Asker { actor, scopes: scopes.iter().copied().collect() }
}

fn alice() -> Asker {
    asker("alice", &[Scope::AuditRead, Scope::TrafficRead])
}

fn bob() -> Asker {
    asker("bob", &[Scope::AuditRead, Scope::TrafficRead])
}

fn admin() -> Asker {
    asker("root", &[Scope::Admin])
}

fn definition() -> Definition {
    Definition {
        name: "Denied".to_owned(),
        family: Family::Audit,
        q: "status:denied".to_owned(),
        from: Some("now-7d".to_owned()),
        to: None,
        columns: Some(vec!["time".to_owned(), "meta.owner".to_owned()]),
        shared: false,
    }
}

/// A search of Alice's.
fn saved(definition: Definition) -> Search {
    let mut search = Search::Absent;
    let event = search.decide(Command::Create(definition), &alice(), now()).unwrap().unwrap();
    search.apply(event, now());
    search
}

fn refused(definition: Definition) -> String {
    Search::Absent.decide(Command::Create(definition), &alice(), now()).unwrap_err().to_string()
}

fn change(search: &Search, change: Change, asker: &Asker) -> Result<Option<Event>, Rejected> {
    search.decide(Command::Update(change), asker, now())
}

fn renamed() -> Change {
    Change { name: Some("Refused".to_owned()), ..Change::default() }
}

#[test]
fn a_search_is_its_makers_and_private_unless_it_is_shared() {
    let Search::Present(private) = saved(definition()) else { panic!("it is there") };
    assert_eq!((private.owner.id.as_str(), private.created_at), ("alice", now()));
    assert!(private.is_seen_by(&alice()) && !private.is_seen_by(&bob()) && !private.is_seen_by(&admin()));
    let Search::Present(shared) = saved(Definition { shared: true, ..definition() }) else { panic!("it is there") };
    assert!(shared.is_seen_by(&bob()) && shared.is_seen_by(&admin()));
}

#[test]
fn who_may_not_read_a_family_neither_saves_nor_sees_searches_of_it() {
    let blind = asker("alice", &[Scope::TrafficRead, Scope::EventsWrite]);
    let refused = Search::Absent.decide(Command::Create(definition()), &blind, now()).unwrap_err();
    assert_eq!(refused.to_string(), "token lacks the scope audit:read");
    let shared = saved(Definition { shared: true, ..definition() });
    assert_eq!(change(&shared, renamed(), &blind), Err(Rejected::NotFound));
    let Search::Present(current) = shared else { panic!("it is there") };
    assert!(!current.is_seen_by(&blind));
}

#[test]
fn what_someone_does_not_see_is_not_there_and_what_is_not_theirs_an_admin_alone_changes() {
    let private = saved(definition());
    let shared = saved(Definition { shared: true, ..definition() });
    for asker in [bob(), admin()] {
        assert_eq!(change(&private, renamed(), &asker), Err(Rejected::NotFound));
        assert_eq!(private.decide(Command::Delete, &asker, now()), Err(Rejected::NotFound));
    }
    assert_eq!(change(&shared, renamed(), &bob()), Err(Rejected::NotTheOwner));
    assert_eq!(shared.decide(Command::Delete, &bob(), now()), Err(Rejected::NotTheOwner));
    for asker in [alice(), admin()] {
        assert!(change(&shared, renamed(), &asker).unwrap().is_some());
        assert!(shared.decide(Command::Delete, &asker, now()).unwrap().is_some());
    }
}

#[test]
fn a_change_says_what_changed_and_one_that_changes_nothing_is_no_event() {
    let mut search = saved(definition());
    let same = Change { name: Some("Denied".to_owned()), family: Some(Family::Audit), ..Change::default() };
    assert_eq!(change(&search, same, &alice()), Ok(None));
    let taken_away = Change {
        from: Some(String::new()),
        to: Some("now".to_owned()),
        columns: Some(Vec::new()),
        shared: Some(true),
        ..Change::default()
    };
    let Some(Event::Updated(updated)) = change(&search, taken_away, &alice()).unwrap() else { panic!("it changes") };
    assert_eq!(updated.changed, ["from", "to", "columns", "shared"]);
    let expected = Definition { from: None, to: Some("now".to_owned()), columns: None, shared: true, ..definition() };
    assert_eq!(updated.search, expected);
    let later = Timestamp::parse("2026-02-01T00:00:00Z").unwrap();
    search.apply(Event::Updated(updated), later);
    let Search::Present(current) = search else { panic!("it is there") };
    assert_eq!((current.definition, current.created_at, current.updated_at), (expected, now(), later));
}

#[test]
fn what_is_wrong_with_a_search_is_named_with_its_column_and_what_was_meant() {
    let with_q = |q: &str| refused(Definition { q: q.to_owned(), ..definition() });
    assert_eq!(with_q("status:x actr:alice"), r#"q: column 10: "actr" is no field: is actor meant?"#);
    assert!(with_q("(").starts_with("q: column "));
    let traffic = Definition { family: Family::Traffic, q: "status:denied".to_owned(), columns: None, ..definition() };
    assert!(refused(traffic).starts_with(r#"q: column 1: "status" is no field"#));
    let with_from = |from: &str| refused(Definition { from: Some(from.to_owned()), ..definition() });
    assert!(with_from("yesterday").starts_with("from: must be a date"));
    assert!(with_from(&format!("now{}", "-1h".repeat(50))).starts_with("from: must be a date"));
    let with_columns = |columns: &[&str]| {
        refused(Definition { columns: Some(columns.iter().map(|c| (*c).to_owned()).collect()), ..definition() })
    };
    assert_eq!(with_columns(&["time", "actr"]), r#"columns: "actr" is no field: is actor meant?"#);
    assert!(with_columns(&["status.x"]).starts_with(r#"columns: "status.x" is no field"#));
    assert_eq!(with_columns(&["time"; 51]), "columns: must be at most 50");
    assert_eq!(with_columns(&[&format!("meta.{}", "x".repeat(200))]), "columns: must have at most 200 bytes each");
    for name in ["", "   ", "a\nb", &"x".repeat(101)] {
        let expected = "name: must have 1 to 100 characters, and no control characters";
        assert_eq!(refused(Definition { name: name.to_owned(), ..definition() }), expected);
    }
}

#[test]
fn a_search_may_ask_for_everything_and_be_called_anything() {
    let name = "\u{e4}".repeat(100);
    let everything = Definition { name, q: String::new(), from: None, columns: None, ..definition() };
    assert!(matches!(saved(everything), Search::Present(_)));
}

#[test]
fn a_changed_search_is_checked_and_its_family_never_changes() {
    let search = saved(definition());
    let wrong = Change { q: Some("actr:x".to_owned()), ..Change::default() };
    assert!(matches!(change(&search, wrong, &alice()), Err(Rejected::Field { field: "q", .. })));
    let other = Change { family: Some(Family::Traffic), ..Change::default() };
    let refused = change(&search, other, &alice()).unwrap_err();
    assert_eq!(refused.to_string(), "family: never changes: save another search");
}

#[test]
fn a_deleted_search_can_not_be_changed_or_made_again() {
    let mut search = saved(definition());
    let deleted = search.decide(Command::Delete, &alice(), now()).unwrap().unwrap();
    search.apply(deleted, now());
    assert_eq!(search, Search::Deleted);
    assert_eq!(change(&search, renamed(), &alice()), Err(Rejected::NotFound));
    assert_eq!(search.decide(Command::Delete, &alice(), now()), Err(Rejected::NotFound));
    assert_eq!(search.decide(Command::Create(definition()), &alice(), now()), Err(Rejected::Taken));
}
