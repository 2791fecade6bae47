use model::access::{Actor, Scope};
use model::command::{Accepted, Reason};
use model::log::{AccountId, LogPosition, Stream, Subject};
use model::search::{
    Asker, Change, CreateSearch, Definition, DeleteSearch, Family, IdentifiedSearch, MAX_OF_OWNER, UpdateSearch,
};
use testkit::NatsServer;
use tokio::task::JoinSet;

use super::{Running, main, send};

fn asker(id: &str) -> Asker {
    let actor = Actor { id: id.to_owned(), name: None, email: None };
    Asker { actor, scopes: [Scope::AuditRead].into_iter().collect() }
}

fn create(owner: &str) -> CreateSearch {
    let (name, q) = ("Denied".to_owned(), "status:denied".to_owned());
    let search = Definition { name, family: Family::Audit, q, from: None, to: None, columns: None, shared: true };
    CreateSearch { account: main(), asker: asker(owner), search }
}

fn update(id: &str, owner: &str, change: Change) -> UpdateSearch {
    UpdateSearch { account: main(), asker: asker(owner), id: id.to_owned(), change }
}

fn delete(id: &str, owner: &str) -> DeleteSearch {
    DeleteSearch { account: main(), asker: asker(owner), id: id.to_owned() }
}

fn asking(q: &str) -> Change {
    Change { q: Some(q.to_owned()), ..Change::default() }
}

#[tokio::test]
async fn a_search_is_made_changed_and_deleted_on_a_subject_of_its_own() {
    let server = NatsServer::start().await;
    let directory = tempfile::tempdir().unwrap();
    let running = Running::start(&server, directory.path()).await;
    let Accepted { position, done: IdentifiedSearch { id, current } } = running.send(create("alice")).await.unwrap();
    assert_eq!(position, Some(LogPosition { stream: Stream::Search, sequence: 1 }));
    assert_eq!(current.owner.id, "alice");
    let changed = running.send(update(&id, "alice", asking("status:error"))).await.unwrap();
    assert_eq!(changed.done.current.definition.q, "status:error");
    let unchanged = running.send(update(&id, "alice", asking("status:error"))).await.unwrap();
    assert_eq!((unchanged.position, unchanged.done), (None, changed.done), "what changes nothing is no event");
    running.send(delete(&id, "alice")).await.unwrap();
    assert_eq!(running.send(delete(&id, "alice")).await.unwrap_err().0, Reason::NotFound);
    assert_eq!(running.bus.load(&Subject::search(&main(), &id)).await.unwrap().len(), 3);
    running.stop().await;
}

#[tokio::test]
async fn a_refused_command_says_why_and_leaves_nothing() {
    let server = NatsServer::start().await;
    let directory = tempfile::tempdir().unwrap();
    let running = Running::start(&server, directory.path()).await;
    let id = running.send(create("alice")).await.unwrap().done.id;
    let mut wrong = create("alice");
    wrong.search.q = "actr:x".to_owned();
    let mut unread = create("alice");
    unread.search.family = Family::Traffic;
    let mut elsewhere = update(&id, "alice", asking("x"));
    elsewhere.account = AccountId::parse("other").unwrap();
    let no_such = (Reason::NotFound, "there is no such search".to_owned());
    let meant = r#"q: column 1: "actr" is no field: is actor meant?"#.to_owned();
    assert_eq!(running.send(wrong).await.unwrap_err(), (Reason::Invalid, meant));
    assert_eq!(
        running.send(unread).await.unwrap_err(),
        (Reason::Forbidden, "token lacks the scope traffic:read".to_owned())
    );
    assert_eq!(running.send(elsewhere).await.unwrap_err(), no_such);
    assert_eq!(running.send(update("a b", "alice", asking("x"))).await.unwrap_err(), no_such);
    assert_eq!(running.send(delete(&id, "bob")).await.unwrap_err().0, Reason::Forbidden);
    assert_eq!(running.bus.state(Stream::Search).await.unwrap().messages, 1);
    running.stop().await;
}

#[tokio::test]
async fn of_two_who_change_a_search_at_once_neither_change_is_lost() {
    let server = NatsServer::start().await;
    let directory = tempfile::tempdir().unwrap();
    let running = Running::start(&server, directory.path()).await;
    let id = running.send(create("alice")).await.unwrap().done.id;
    let mut writers = JoinSet::new();
    for is_name in [true, false] {
        let (bus, id) = (running.bus.clone(), id.clone());
        writers.spawn(async move {
            for round in 0..10 {
                let text = Some(format!("round {round}"));
                let change = if is_name {
                    Change { name: text, ..Change::default() }
                } else {
                    Change { q: text, ..Change::default() }
                };
                // Both are applied one after the other, or the later is told of the conflict and tries again.
                while let Err((refusal, _)) = send(&bus, update(&id, "alice", change.clone())).await {
                    assert_eq!(refusal, Reason::Conflict);
                }
            }
        });
    }
    writers.join_all().await;
    let unchanged = running.send(update(&id, "alice", Change::default())).await.unwrap().done.current.definition;
    assert_eq!((unchanged.name.as_str(), unchanged.q.as_str()), ("round 9", "round 9"));
    assert_eq!(running.bus.load(&Subject::search(&main(), &id)).await.unwrap().len(), 21);
    running.stop().await;
}

#[tokio::test]
async fn an_owner_has_no_more_searches_than_there_may_be_also_after_a_restart() {
    let server = NatsServer::start().await;
    let directory = tempfile::tempdir().unwrap();
    let running = Running::start(&server, directory.path()).await;
    let mut last = String::new();
    for _ in 0..MAX_OF_OWNER {
        last = running.send(create("alice")).await.unwrap().done.id;
    }
    let (refusal, text) = running.send(create("alice")).await.unwrap_err();
    assert_eq!((refusal, text.contains("has 100 searches")), (Reason::Conflict, true), "{text}");
    running.send(create("bob")).await.unwrap();
    running.stop().await;
    let running = Running::start(&server, directory.path()).await;
    assert_eq!(running.send(create("alice")).await.unwrap_err().0, Reason::Conflict);
    running.send(delete(&last, "alice")).await.unwrap();
    running.send(create("alice")).await.unwrap();
    running.stop().await;
}
