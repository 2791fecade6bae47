use std::time::{Duration, Instant};

use async_nats::jetstream;
use bus::{Outgoing, PublishError, Published};
use bytes::Bytes;
use model::log::{LogPosition, Stream};
use testkit::eventually;

use super::{after, audit, integration, message, started};

#[tokio::test]
async fn a_published_message_has_its_place() {
    let (_server, bus) = started().await;
    bus.publish(message(audit(), "a")).await.unwrap();
    let receipt = bus.publish(message(audit(), "b")).await.unwrap();
    assert_eq!(receipt.position, LogPosition { stream: Stream::Audit, sequence: 2 });
    assert!(!receipt.duplicate);
}

#[tokio::test]
async fn the_same_id_again_is_a_duplicate_at_the_first_ones_place() {
    let (_server, bus) = started().await;
    let first = bus.publish(message(audit(), "a")).await.unwrap();
    let again = bus.publish(message(audit(), "a")).await.unwrap();
    assert_eq!((again.position, again.duplicate), (first.position, true));
}

#[tokio::test]
async fn a_stale_expectation_is_a_conflict() {
    let (_server, bus) = started().await;
    bus.publish(after(0, message(integration(1), "created"))).await.unwrap();
    let refused = bus.publish(after(0, message(integration(1), "created by another"))).await;
    assert!(matches!(refused, Err(PublishError::Conflict { .. })), "{refused:?}");
}

#[tokio::test]
async fn the_expectation_is_about_the_messages_own_subject() {
    let (_server, bus) = started().await;
    let first = bus.publish(after(0, message(integration(1), "one"))).await.unwrap();
    bus.publish(after(0, message(integration(2), "two"))).await.unwrap();
    bus.publish(after(first.position.sequence, message(integration(1), "one again"))).await.unwrap();
}

#[tokio::test]
async fn a_retry_of_what_had_gone_through_is_no_conflict() {
    let (_server, bus) = started().await;
    let first = bus.publish(after(0, message(integration(1), "created"))).await.unwrap();
    bus.publish(after(1, message(integration(1), "updated since"))).await.unwrap();
    let again = bus.publish(after(0, message(integration(1), "created"))).await.unwrap();
    assert_eq!((again.position, again.duplicate), (first.position, true));
}

#[tokio::test]
async fn a_message_that_is_too_large_is_refused_at_once() {
    let (_server, bus) = started().await;
    let large = Outgoing { payload: Bytes::from(vec![0; 9 << 20]), ..message(audit(), "a") };
    let refused = bus.publish(large).await;
    assert!(matches!(refused, Err(PublishError::TooLarge { limit: 8_388_608, .. })), "{refused:?}");
}

#[tokio::test]
async fn a_message_of_just_the_limit_is_stored() {
    let (_server, bus) = started().await;
    let large = Outgoing { payload: Bytes::from(vec![0; bus.max_payload() - 1024]), ..message(audit(), "a") };
    bus.publish(large).await.unwrap();
}

#[tokio::test]
async fn a_full_stream_says_so_and_takes_messages_again_once_there_is_room() {
    let (server, bus) = started().await;
    let context = jetstream::new(async_nats::connect(server.url()).await.unwrap());
    let mut config = context.get_stream(Stream::Audit.name()).await.unwrap().cached_info().config.clone();
    config.max_bytes = 64 << 10;
    context.update_stream(&config).await.unwrap();
    let large = |id| Outgoing { payload: Bytes::from(vec![0; 40 << 10]), ..message(audit(), id) };
    bus.publish(large("a")).await.unwrap();
    let refused = bus.publish(large("b")).await;
    assert!(matches!(refused, Err(PublishError::Full(_))), "{refused:?}");
    config.max_bytes = 1 << 20;
    context.update_stream(&config).await.unwrap();
    bus.publish(large("b")).await.unwrap();
}

#[tokio::test]
async fn a_header_with_a_line_break_is_refused() {
    let (_server, bus) = started().await;
    let headers = vec![("ce-id".to_owned(), "a\r\nNats-Msg-Id: b".to_owned())];
    let refused = bus.publish(Outgoing { headers, ..message(audit(), "a") }).await;
    assert!(matches!(refused, Err(PublishError::Rejected(_))), "{refused:?}");
}

#[tokio::test]
async fn without_a_server_publishing_ends_soon_and_stores_nothing_later() {
    let (mut server, bus) = started().await;
    server.kill().await;
    eventually("the loss is noticed", async || (!bus.is_connected()).then_some(())).await;
    let asked = Instant::now();
    let refused = bus.publish(message(audit(), "a")).await;
    assert!(matches!(refused, Err(PublishError::Unreachable(_))), "{refused:?}");
    assert!(asked.elapsed() < Duration::from_secs(4), "{:?}", asked.elapsed());

    server.restart().await;
    eventually("connected again", async || bus.is_connected().then_some(())).await;
    let receipt = bus.publish(message(audit(), "b")).await.unwrap();
    assert_eq!(receipt.position.sequence, 1);
}

#[tokio::test]
async fn a_publisher_stores_everything_in_order() {
    let (_server, bus) = started().await;
    let mut publisher = bus.publisher(64);
    for number in 0..500 {
        publisher.publish(message(audit(), &number.to_string())).await.unwrap();
    }
    assert_eq!(publisher.finish().await.unwrap(), Published { stored: 500, duplicates: 0 });
    let stored = bus.load(&audit()).await.unwrap();
    assert_eq!(super::texts(&stored), (0..500).map(|number| number.to_string()).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_publisher_gets_everything_through_a_restart_once() {
    let (mut server, bus) = started().await;
    let mut publisher = bus.publisher(64);
    for number in 0..300 {
        if number == 150 {
            server.kill().await;
            server.restart().await;
        }
        publisher.publish(message(audit(), &number.to_string())).await.unwrap();
    }
    let published = publisher.finish().await.unwrap();
    assert_eq!(published.stored + published.duplicates, 300);
    assert_eq!(bus.state(Stream::Audit).await.unwrap().messages, 300);
}
