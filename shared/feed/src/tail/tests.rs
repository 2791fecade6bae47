use bus::{Access, Options, Outgoing};
use model::time::Timestamp;
use serde_json::{Value, json};
use testkit::NatsServer;

use super::*;
use crate::write::{Form, NewEvent, message, write};

async fn started() -> (NatsServer, Bus) {
    let server = NatsServer::start().await;
    let bus =
        Bus::connect(&Options { url: server.url(), access: Access::default(), name: "test".into() }).await.unwrap();
    bus.ensure_streams().await.unwrap();
    (server, bus)
}

fn account(id: &str) -> AccountId {
    AccountId::parse(id).unwrap()
}

fn single(account: &AccountId, id: &str) -> Outgoing {
    let data = json!({ "event_type": "a.b" });
    let (subject, event_type) = (Subject::audit(account, "test"), model::audit::RECORDED);
    write(NewEvent { subject, id, source: "test", event_type, time: Timestamp::EPOCH, data: &data }).unwrap()
}

/// Three events, of which the second cannot be read.
fn batch(account: &AccountId, id: &str) -> Outgoing {
    let event =
        |number: u8| -> Value { serde_json::from_slice(&single(account, &format!("{id}-{number}")).payload).unwrap() };
    let events = json!([event(0), { "id": 1 }, event(2)]).to_string();
    message(Subject::audit(account, "test"), id, Form::Batch, events)
}

fn id(placed: &Placed) -> &str {
    let Event::Audit(event) = &placed.event else { panic!("{placed:?}") };
    &event.id
}

#[tokio::test]
async fn one_accounts_events_are_followed_from_a_place_in_the_middle_of_a_message() {
    let (_server, bus) = started().await;
    let (main, other) = (account("main"), account("other"));
    for message in [single(&main, "before"), batch(&main, "batch"), single(&other, "others"), single(&main, "last")] {
        bus.publish(message).await.unwrap();
    }
    let mut tail = Tail::open((&bus, &Erased::default()), Stream::Audit, &main, EventPlace { sequence: 2, index: 1 });
    let rest = tail.next().await.unwrap();
    assert_eq!(rest.iter().map(id).collect::<Vec<_>>(), ["batch-2"]);
    assert_eq!((rest[0].place, rest[0].after), (EventPlace { sequence: 2, index: 2 }, EventPlace::start_of(3)));
    assert_eq!(tail.next().await.unwrap().iter().map(id).collect::<Vec<_>>(), ["last"]);
    assert!(tail.is_at_end());
    assert_eq!(tail.read_to(), 4);
}

#[tokio::test]
async fn what_was_read_ahead_is_taken_up_to_a_sequence() {
    let (_server, bus) = started().await;
    let main = account("main");
    for id in ["1", "2", "3"] {
        bus.publish(single(&main, id)).await.unwrap();
    }
    let mut tail = Tail::open((&bus, &Erased::default()), Stream::Audit, &main, EventPlace::start_of(1));
    assert_eq!(tail.next().await.unwrap().iter().map(id).collect::<Vec<_>>(), ["1"]);
    testkit::eventually("the others were read ahead", async || {
        if tail.read_to() == 3 {
            return Some(());
        }
        let read = tail.consumer.next_batch(MESSAGES_AT_ONCE, BYTES_AT_ONCE, Duration::from_millis(50)).await.unwrap();
        tail.messages.extend(read);
        None
    })
    .await;
    assert_eq!(tail.ready_up_to(2).unwrap().iter().map(id).collect::<Vec<_>>(), ["2"]);
    assert_eq!(tail.ready_up_to(2), None);
    assert!(!tail.is_at_end());
    assert_eq!(tail.ready().unwrap().iter().map(id).collect::<Vec<_>>(), ["3"]);
    assert!(tail.is_at_end());
}

#[test]
fn the_filter_matches_every_subject_of_its_account_alone() {
    for subject in [
        Subject::audit(&account("main"), "a"),
        Subject::traffic(&account("main"), "a"),
        Subject::integration(&account("main"), 1),
        Subject::access(&account("main"), "user", "a"),
        Subject::directory(&account("main"), "peer", "a"),
        Subject::delivery(&account("main"), 1),
        Subject::dead_letter("audit", &account("main")),
    ] {
        let matches = |account: &AccountId| {
            let (filter, subject) = (filter(subject.stream(), account), subject.to_string());
            let (filter, subject): (Vec<&str>, Vec<&str>) = (filter.split('.').collect(), subject.split('.').collect());
            filter.len() == subject.len() && filter.iter().zip(&subject).all(|(one, other)| *one == "*" || one == other)
        };
        assert!(matches(&account("main")), "{subject}");
        assert!(!matches(&account("other")), "{subject}");
    }
}
