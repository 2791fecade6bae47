use std::time::Duration;

use bus::{Bus, LoadError, Message, Selection};
use model::log::{AccountId, Stream, Subject};
use model::time::Timestamp;
use testkit::{NatsServer, eventually};

use super::{account, connected, integration, message, started, texts};

const MAINS: &str = "flowtrail.v1.audit.main.*";

fn of(account: &AccountId, source: &str) -> Subject {
    Subject::audit(account, source)
}

/// The odd ones belong to `main`, the even ones to another account.
async fn publish_mixed(bus: &Bus, count: u64) {
    let other = AccountId::parse("other").expect("a good account id");
    for number in 1..=count {
        let owner = if number % 2 == 1 { account() } else { other.clone() };
        bus.publish(message(of(&owner, "test"), &number.to_string())).await.expect("publish");
    }
}

fn text(found: Option<Message>) -> Option<String> {
    found.map(|message| texts(&[message]).remove(0))
}

#[tokio::test]
async fn the_last_message_on_a_subject_is_found() {
    let (_server, bus) = started().await;
    assert_eq!(bus.last_on(&integration(1)).await.unwrap(), None);
    for id in ["a", "b"] {
        bus.publish(message(integration(1), id)).await.unwrap();
    }
    bus.publish(message(integration(2), "c")).await.unwrap();
    assert_eq!(text(bus.last_on(&integration(1)).await.unwrap()).as_deref(), Some("b"));
}

#[tokio::test]
async fn the_first_message_from_a_sequence_or_a_time_on_is_one_of_the_filter() {
    let (_server, bus) = started().await;
    publish_mixed(&bus, 4).await;
    let from = async |sequence| bus.first_from(Stream::Audit, MAINS, sequence).await.unwrap();
    assert_eq!(text(from(0).await).as_deref(), Some("1"));
    let third = from(2).await.unwrap();
    assert_eq!(third.position.sequence, 3);
    assert_eq!(from(4).await, None);
    let stored_at = Timestamp::from_micros(third.received_at).unwrap();
    let since = async |time| bus.first_since(Stream::Audit, MAINS, time).await.unwrap();
    assert_eq!(text(since(stored_at).await).as_deref(), Some("3"));
    assert_eq!(text(since(Timestamp::EPOCH).await).as_deref(), Some("1"));
    assert_eq!(since(Timestamp::LAST).await, None);
}

#[tokio::test]
async fn messages_of_a_filter_are_counted_from_a_sequence_on() {
    let (_server, bus) = started().await;
    publish_mixed(&bus, 9).await;
    let count = async |sequence| bus.count_from(Stream::Audit, MAINS, sequence).await.unwrap();
    assert_eq!((count(0).await, count(1).await, count(2).await, count(9).await, count(10).await), (5, 5, 4, 1, 0));
}

#[tokio::test]
async fn a_thrifty_consumer_reads_the_messages_of_its_filter_however_many() {
    let (_server, bus) = started().await;
    publish_mixed(&bus, 1300).await;
    let selection = Selection { filter: Some(MAINS.to_owned()), thrifty: true };
    let mut consumer = bus.consume_selected(Stream::Audit, selection, 1);
    let mut read = Vec::new();
    while read.len() < 649 {
        read.extend(texts(&consumer.next_batch(100, usize::MAX, Duration::from_secs(5)).await.unwrap()));
    }
    assert_eq!(read, (3..1300).step_by(2).map(|number| number.to_string()).collect::<Vec<_>>());
    assert_eq!(consumer.pending(), Some(0));
}

#[tokio::test]
async fn without_the_stream_it_says_that_it_is_missing() {
    let server = NatsServer::start().await;
    let bus = connected(&server.url(), "test").await;
    eventually("the server has said it", async || {
        let found = bus.last_on(&integration(1)).await;
        matches!(found, Err(LoadError::Missing { stream: Stream::Integration })).then_some(())
    })
    .await;
}
