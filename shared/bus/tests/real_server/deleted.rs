//! What an operator has deleted leaves holes in a stream, also at its end: the last sequence stays what it was.

use std::time::Duration;

use async_nats::jetstream;
use bus::{Bus, Consumer, Outgoing, PublishError, Selection};
use model::log::{Stream, Subject};
use model::time::Timestamp;
use testkit::{NatsServer, eventually};

use super::{account, after, message, started, texts};

const PATIENCE: Duration = Duration::from_millis(200);
const MAINS: &str = "flowtrail.v1.traffic.main.*";

fn traffic() -> Subject {
    Subject::traffic(&account(), "test")
}

fn delivery() -> Subject {
    Subject::delivery(&account(), 1)
}

async fn stream(server: &NatsServer, stream: Stream) -> jetstream::stream::Stream {
    let client = async_nats::connect(server.url()).await.expect("connect");
    jetstream::new(client).get_stream(stream.name()).await.expect("find the stream")
}

/// Messages with the numbers of their sequences, of which some are then deleted.
async fn with_holes(server: &NatsServer, bus: &Bus, subject: &Subject, count: u64, deleted: &[u64]) {
    for number in 1..=count {
        bus.publish(message(subject.clone(), &number.to_string())).await.expect("publish");
    }
    let stream = stream(server, subject.stream()).await;
    for &sequence in deleted {
        stream.delete_message(sequence).await.expect("delete");
    }
}

/// Reads on until the consumer says that it is complete up to a sequence.
async fn complete_to(consumer: &mut Consumer, sequence: u64) -> Vec<String> {
    let mut read = Vec::new();
    eventually("the consumer is complete", async || {
        read.extend(texts(&consumer.next_batch(usize::MAX, usize::MAX, PATIENCE).await.expect("read")));
        (consumer.complete_to() == sequence).then_some(())
    })
    .await;
    read
}

#[tokio::test]
async fn a_consumer_is_complete_to_the_end_though_the_last_messages_were_deleted() {
    let (server, bus) = started().await;
    with_holes(&server, &bus, &traffic(), 5, &[2, 4, 5]).await;
    let mut consumer = bus.consume(Stream::Traffic, 0);
    assert_eq!(complete_to(&mut consumer, 5).await, ["1", "3"]);
    assert_eq!((consumer.position(), consumer.pending()), (3, Some(0)));
    bus.publish(message(traffic(), "6")).await.unwrap();
    assert_eq!(complete_to(&mut consumer, 6).await, ["6"]);
}

#[tokio::test]
async fn a_consumer_of_a_filter_is_complete_to_the_end_though_others_wrote_last() {
    let (server, bus) = started().await;
    with_holes(&server, &bus, &traffic(), 3, &[3]).await;
    bus.publish(message(Subject::traffic(&model::log::AccountId::escaped("other"), "x"), "4")).await.unwrap();
    let selection = Selection { filter: Some(MAINS.to_owned()), thrifty: true };
    let mut consumer = bus.consume_selected(Stream::Traffic, selection, 0);
    assert_eq!(complete_to(&mut consumer, 4).await, ["1", "2"]);
}

#[tokio::test]
async fn a_consumer_of_a_purged_stream_is_complete_to_its_end() {
    let (server, bus) = started().await;
    with_holes(&server, &bus, &traffic(), 3, &[]).await;
    stream(&server, Stream::Traffic).await.purge().await.unwrap();
    assert_eq!(complete_to(&mut bus.consume(Stream::Traffic, 0), 3).await, Vec::<String>::new());
    assert_eq!(complete_to(&mut bus.consume(Stream::Traffic, 2), 3).await, Vec::<String>::new());
}

/// More than the first request of a consumer asks for.
const MESSAGES: usize = 10_500;

#[tokio::test]
async fn what_was_announced_and_then_purged_is_not_waited_for() {
    let (server, bus) = started().await;
    for first in (0..MESSAGES).step_by(500) {
        let batch = (first..first + 500).map(|number| message(traffic(), &number.to_string())).collect();
        bus.publish_all(batch).await.unwrap();
    }
    let mut consumer = bus.consume(Stream::Traffic, 0);
    while consumer.position() < 9_999 {
        let wanted = usize::try_from(9_999 - consumer.position()).unwrap();
        consumer.next_batch(wanted, usize::MAX, PATIENCE).await.unwrap();
    }
    stream(&server, Stream::Traffic).await.purge().await.unwrap();
    assert_eq!(complete_to(&mut consumer, 10_500).await, ["9999"]);
    assert_eq!(consumer.pending(), Some(0));
}

#[tokio::test]
async fn the_first_message_from_a_sequence_on_is_the_next_one_that_is_left() {
    let (server, bus) = started().await;
    with_holes(&server, &bus, &traffic(), 6, &[1, 3, 6]).await;
    let from = async |sequence| {
        let found = bus.first_from(Stream::Traffic, MAINS, sequence).await.unwrap();
        found.map(|message| message.position.sequence)
    };
    assert_eq!((from(1).await, from(3).await, from(5).await), (Some(2), Some(4), Some(5)));
    assert_eq!((from(6).await, from(7).await), (None, None));
    let last = bus.last_on(&traffic()).await.unwrap().unwrap();
    assert_eq!(last.position.sequence, 5);
    let count = async |sequence| bus.count_from(Stream::Traffic, MAINS, sequence).await.unwrap();
    assert_eq!((count(1).await, count(3).await, count(6).await, count(7).await), (3, 2, 0, 0));
}

#[tokio::test]
async fn the_first_message_since_a_time_is_the_next_one_that_is_left() {
    let (server, bus) = started().await;
    with_holes(&server, &bus, &traffic(), 6, &[]).await;
    let mut times = Vec::new();
    for sequence in 1..=6 {
        times.push(bus.first_from(Stream::Traffic, MAINS, sequence).await.unwrap().unwrap().received_at);
    }
    let stream = stream(&server, Stream::Traffic).await;
    for sequence in [1, 3, 6] {
        stream.delete_message(sequence).await.unwrap();
    }
    let since = async |micros: i64| {
        let found = bus.first_since(Stream::Traffic, MAINS, Timestamp::from_micros(micros).unwrap()).await.unwrap();
        found.map(|message| message.position.sequence)
    };
    let mut found = Vec::new();
    for time in &times {
        found.push(since(*time).await);
    }
    assert_eq!(found, [Some(2), Some(2), Some(4), Some(4), Some(5), None]);
    assert_eq!(since(times[4] + 1).await, None, "between the last that is left and the deleted one after it");
    stream.purge().await.unwrap();
    assert_eq!((since(0).await, since(times[3]).await, since(times[5]).await), (None, None, None));
}

#[tokio::test]
async fn an_aggregate_is_loaded_and_written_on_after_its_last_message_was_deleted() {
    let (server, bus) = started().await;
    with_holes(&server, &bus, &delivery(), 4, &[2, 4]).await;
    assert_eq!(texts(&bus.load(&delivery()).await.unwrap()), ["1", "3"]);
    let conflict = bus.publish(after(4, message(delivery(), "5"))).await;
    assert!(matches!(conflict, Err(PublishError::Conflict { .. })), "{conflict:?}");
    bus.publish(after(3, message(delivery(), "5"))).await.unwrap();
    stream(&server, Stream::Delivery).await.purge().filter(delivery().to_string()).await.unwrap();
    assert_eq!(bus.load(&delivery()).await.unwrap(), []);
    let first: Outgoing = after(0, message(delivery(), "6"));
    assert_eq!(bus.publish(first).await.unwrap().position.sequence, 6);
}
