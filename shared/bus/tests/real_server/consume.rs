use std::path::Path;
use std::time::Duration;

use bus::{Bus, ConsumeError, Consumer};
use model::log::Stream;
use testkit::eventually;

use super::{audit, connected, message, started, texts};

const PATIENCE: Duration = Duration::from_millis(200);

async fn publish(bus: &Bus, numbers: std::ops::Range<usize>) {
    let batch = numbers.map(|number| message(audit(), &number.to_string())).collect();
    bus.publish_all(batch).await.expect("publish");
}

/// Reads until `count` messages are there.
async fn read(consumer: &mut Consumer, count: usize) -> Vec<String> {
    let mut read = Vec::new();
    while read.len() < count {
        let wanted = count - read.len();
        let batch = tokio::time::timeout(Duration::from_secs(20), consumer.next_batch(wanted, usize::MAX, PATIENCE));
        read.extend(texts(&batch.await.expect("an answer in time").expect("read")));
    }
    read
}

fn numbers(range: std::ops::Range<usize>) -> Vec<String> {
    range.map(|number| number.to_string()).collect()
}

#[tokio::test]
async fn a_consumer_knows_what_is_pending_only_while_it_can() {
    let (mut server, bus) = started().await;
    publish(&bus, 0..3).await;
    let mut consumer = bus.consume(Stream::Audit, 0);
    assert_eq!(consumer.pending(), None, "nothing was asked yet");
    assert_eq!(read(&mut consumer, 1).await, numbers(0..1));
    assert_eq!(consumer.pending(), Some(2));
    read(&mut consumer, 2).await;
    assert_eq!(consumer.pending(), Some(0));
    let mut at_the_end = bus.consume(Stream::Audit, 3);
    assert!(at_the_end.next_batch(1, 1, PATIENCE).await.unwrap().is_empty());
    assert_eq!(at_the_end.pending(), Some(0));
    server.kill().await;
    eventually("the loss is noticed", async || consumer.pending().is_none().then_some(())).await;
}

#[tokio::test]
async fn a_consumer_reads_every_message_after_a_sequence() {
    let (_server, bus) = started().await;
    publish(&bus, 0..100).await;
    let mut consumer = bus.consume(Stream::Audit, 40);
    assert_eq!(read(&mut consumer, 60).await, numbers(40..100));
    assert_eq!(consumer.position(), 100);
}

#[tokio::test]
async fn a_message_says_how_many_are_behind_it() {
    let (_server, bus) = started().await;
    publish(&bus, 0..3).await;
    let mut consumer = bus.consume(Stream::Audit, 0);
    for pending in [2, 1, 0] {
        assert_eq!(consumer.next().await.unwrap().pending, pending);
    }
}

#[tokio::test]
async fn a_batch_ends_at_its_limits() {
    let (_server, bus) = started().await;
    publish(&bus, 0..100).await;
    let mut consumer = bus.consume(Stream::Audit, 0);
    let patience = Duration::from_secs(5);
    while consumer.position() < 50 {
        let batch = consumer.next_batch(10, usize::MAX, patience).await.unwrap();
        assert!((1..=10).contains(&batch.len()), "{}", batch.len());
    }
    while consumer.position() < 100 {
        assert_eq!(consumer.next_batch(100, 1, patience).await.unwrap().len(), 1);
    }
}

#[tokio::test]
async fn an_idle_stream_gives_an_empty_batch_on_a_live_connection() {
    let (_server, bus) = started().await;
    let mut consumer = bus.consume(Stream::Audit, 0);
    assert_eq!(consumer.next_batch(10, usize::MAX, PATIENCE).await.unwrap(), []);
    assert!(bus.is_connected());
    publish(&bus, 0..1).await;
    assert_eq!(read(&mut consumer, 1).await, numbers(0..1));
}

#[tokio::test]
async fn more_than_one_request_is_made_for_a_long_stream() {
    let (_server, bus) = started().await;
    for thousand in 0..25 {
        publish(&bus, thousand * 1000..(thousand + 1) * 1000).await;
    }
    let mut consumer = bus.consume(Stream::Audit, 0);
    assert_eq!(read(&mut consumer, 25_000).await, numbers(0..25_000));
}

#[tokio::test]
async fn more_bytes_than_one_request_asks_for_arrive() {
    let (_server, bus) = started().await;
    let mut publisher = bus.publisher(4);
    for number in 0..12 {
        let mut large = message(audit(), &number.to_string());
        large.payload = vec![0; 7 << 20].into();
        publisher.publish(large).await.unwrap();
    }
    publisher.finish().await.unwrap();
    let mut consumer = bus.consume(Stream::Audit, 0);
    assert_eq!(read(&mut consumer, 12).await.len(), 12);
}

#[tokio::test]
async fn reading_goes_on_after_kill_and_restart_without_gap_or_double() {
    let (mut server, bus) = started().await;
    publish(&bus, 0..50).await;
    let mut consumer = bus.consume(Stream::Audit, 0);
    assert_eq!(read(&mut consumer, 30).await, numbers(0..30));

    server.kill().await;
    server.restart().await;
    let other = connected(&server.url(), "other").await;
    publish(&other, 50..80).await;
    assert_eq!(read(&mut consumer, 50).await, numbers(30..80));
}

#[tokio::test]
async fn an_idle_consumer_that_began_late_does_not_begin_again_after_a_restart() {
    let (mut server, bus) = started().await;
    publish(&bus, 0..50).await;
    let mut consumer = bus.consume(Stream::Audit, 50);
    assert_eq!(consumer.next_batch(10, usize::MAX, PATIENCE).await.unwrap(), []);
    server.kill().await;
    server.restart().await;
    eventually("connected again", async || bus.is_connected().then_some(())).await;
    publish(&bus, 50..60).await;
    assert_eq!(read(&mut consumer, 10).await, numbers(50..60));
}

#[tokio::test]
async fn without_a_server_a_batch_is_empty_and_the_connection_says_why() {
    let (mut server, bus) = started().await;
    let mut consumer = bus.consume(Stream::Audit, 0);
    assert_eq!(consumer.next_batch(10, usize::MAX, PATIENCE).await.unwrap(), []);
    server.kill().await;
    eventually("the loss is noticed", async || (!bus.is_connected()).then_some(())).await;
    assert_eq!(consumer.next_batch(10, usize::MAX, PATIENCE).await.unwrap(), []);
}

#[tokio::test]
async fn a_log_that_ends_before_what_was_read_is_noticed() {
    let (_server, bus) = started().await;
    publish(&bus, 0..5).await;
    let rolled_back = bus.consume(Stream::Audit, 6).next().await;
    assert!(matches!(rolled_back, Err(ConsumeError::RolledBack { read: 6, last: 5, .. })), "{rolled_back:?}");
}

#[tokio::test]
async fn a_log_that_was_lost_is_noticed_while_reading() {
    let (mut server, bus) = started().await;
    publish(&bus, 0..5).await;
    let mut consumer = bus.consume(Stream::Audit, 0);
    assert_eq!(read(&mut consumer, 5).await, numbers(0..5));

    server.kill().await;
    std::fs::remove_dir_all(server.store()).unwrap();
    server.restart().await;
    let other = connected(&server.url(), "other").await;
    other.ensure_streams().await.unwrap();
    publish(&other, 0..10).await;
    let lost = consumer.next().await;
    assert!(matches!(lost, Err(ConsumeError::RolledBack { read: 5, last: 10, .. })), "{lost:?}");
}

#[tokio::test]
async fn a_stream_that_is_not_there_is_an_error() {
    let server = testkit::NatsServer::start().await;
    let bus = connected(&server.url(), "test").await;
    let missing = bus.consume(Stream::Audit, 0).next().await;
    assert!(matches!(missing, Err(ConsumeError::Missing { .. })), "{missing:?}");
}

#[tokio::test]
async fn a_log_that_went_on_from_an_older_state_is_noticed() {
    let (mut server, bus) = started().await;
    publish(&bus, 0..5).await;
    server.stop().await;
    let backup = tempfile::tempdir().unwrap();
    copy(&server.store(), backup.path());
    server.restart().await;
    eventually("connected again", async || bus.is_connected().then_some(())).await;
    publish(&bus, 5..10).await;
    let mut consumer = bus.consume(Stream::Audit, 0);
    assert_eq!(read(&mut consumer, 10).await, numbers(0..10));

    server.stop().await;
    std::fs::remove_dir_all(server.store()).unwrap();
    copy(backup.path(), &server.store());
    server.restart().await;
    let other = connected(&server.url(), "other").await;
    publish(&other, 100..120).await;
    let rolled_back = consumer.next().await;
    assert!(matches!(rolled_back, Err(ConsumeError::RolledBack { read: 10, .. })), "{rolled_back:?}");
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("make a directory");
    for entry in std::fs::read_dir(from).expect("list a directory") {
        let path = entry.expect("list a directory").path();
        let target = to.join(path.file_name().expect("an entry has a name"));
        if path.is_dir() {
            copy(&path, &target);
        } else {
            std::fs::copy(&path, &target).expect("copy a file");
        }
    }
}
