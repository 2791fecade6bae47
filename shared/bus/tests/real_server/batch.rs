use bus::{Outgoing, PublishError};
use model::log::Stream;

use super::{after, audit, integration, message, started, texts};

fn numbered(count: usize) -> Vec<Outgoing> {
    (0..count).map(|number| message(audit(), &number.to_string())).collect()
}

#[tokio::test]
async fn a_batch_is_stored_in_order_with_a_receipt_for_each() {
    let (_server, bus) = started().await;
    let receipts = bus.publish_all(numbered(1000)).await.unwrap();
    let sequences: Vec<u64> = receipts.iter().map(|receipt| receipt.position.sequence).collect();
    assert_eq!(sequences, (1..=1000).collect::<Vec<_>>());
    assert!(receipts.iter().all(|receipt| !receipt.duplicate));
    assert_eq!(bus.load(&audit()).await.unwrap().len(), 1000);
}

#[tokio::test]
async fn a_batch_with_one_conflict_stores_nothing() {
    let (_server, bus) = started().await;
    bus.publish(message(integration(2), "there already")).await.unwrap();
    let batch = vec![after(0, message(integration(1), "a")), after(0, message(integration(2), "b"))];
    let refused = bus.publish_all(batch).await;
    assert!(matches!(refused, Err(PublishError::Conflict { .. })), "{refused:?}");
    assert_eq!(bus.state(Stream::Integration).await.unwrap().messages, 1);
}

#[tokio::test]
async fn a_batch_whose_last_message_was_the_first_of_the_stream_is_stored_one_by_one() {
    let (_server, bus) = started().await;
    let last = || after(0, message(integration(3), "c"));
    bus.publish(last()).await.unwrap();
    let batch = vec![message(integration(1), "a"), message(integration(2), "b"), last()];
    let receipts = bus.publish_all(batch).await.unwrap();
    let places: Vec<(u64, bool)> =
        receipts.iter().map(|receipt| (receipt.position.sequence, receipt.duplicate)).collect();
    assert_eq!(places, [(2, false), (3, false), (1, true)]);
}

#[tokio::test]
async fn a_batch_with_a_message_that_is_too_large_stores_nothing() {
    let (_server, bus) = started().await;
    let mut batch = numbered(3);
    batch[2].payload = vec![0; 9 << 20].into();
    let refused = bus.publish_all(batch).await;
    assert!(matches!(refused, Err(PublishError::TooLarge { .. })), "{refused:?}");
    assert_eq!(bus.state(Stream::Audit).await.unwrap().messages, 0);
}

#[tokio::test]
async fn several_events_of_one_subject_go_in_together() {
    let (_server, bus) = started().await;
    let batch = vec![after(0, message(integration(1), "created")), message(integration(1), "enabled")];
    bus.publish_all(batch).await.unwrap();
    assert_eq!(texts(&bus.load(&integration(1)).await.unwrap()), ["created", "enabled"]);
}

#[tokio::test]
async fn a_retried_batch_that_had_gone_through_is_a_success() {
    let (_server, bus) = started().await;
    let batch = || vec![after(0, message(integration(1), "created")), message(integration(1), "enabled")];
    let first = bus.publish_all(batch()).await.unwrap();
    bus.publish(message(integration(1), "another")).await.unwrap();
    let again = bus.publish_all(batch()).await.unwrap();
    let positions = |receipts: &[bus::Receipt]| receipts.iter().map(|one| one.position).collect::<Vec<_>>();
    assert_eq!(positions(&again), positions(&first));
    assert!(again.iter().all(|receipt| receipt.duplicate));
    assert_eq!(bus.state(Stream::Integration).await.unwrap().messages, 3);
}

#[tokio::test]
async fn a_batch_of_which_some_is_stored_already_adds_the_rest() {
    let (_server, bus) = started().await;
    bus.publish_all(numbered(10)).await.unwrap();
    let receipts = bus.publish_all(numbered(20)).await.unwrap();
    assert_eq!(receipts.iter().filter(|receipt| receipt.duplicate).count(), 10);
    assert_eq!(bus.state(Stream::Audit).await.unwrap().messages, 20);
}

#[tokio::test]
async fn an_empty_batch_is_no_work_and_a_single_message_no_batch() {
    let (_server, bus) = started().await;
    assert_eq!(bus.publish_all(Vec::new()).await.unwrap(), []);
    let receipts = bus.publish_all(numbered(1)).await.unwrap();
    assert_eq!(receipts[0].position.sequence, 1);
    assert_eq!(bus.load(&audit()).await.unwrap()[0].header("Nats-Batch-Id"), None);
}

#[tokio::test]
async fn too_many_messages_or_several_streams_are_refused() {
    let (_server, bus) = started().await;
    let refused = bus.publish_all(numbered(1001)).await;
    assert!(matches!(refused, Err(PublishError::Rejected(_))), "{refused:?}");
    let refused = bus.publish_all(vec![message(audit(), "a"), message(integration(1), "b")]).await;
    assert!(matches!(refused, Err(PublishError::Rejected(_))), "{refused:?}");
}
