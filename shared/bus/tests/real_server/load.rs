use bus::Outgoing;
use model::log::{LogPosition, Stream};

use super::{audit, integration, message, started, texts};

#[tokio::test]
async fn an_aggregate_is_every_message_of_its_subject_in_order() {
    let (_server, bus) = started().await;
    for (id, text) in [(1, "a"), (2, "b"), (1, "c"), (12, "d"), (1, "e")] {
        bus.publish(message(integration(id), text)).await.unwrap();
    }
    let loaded = bus.load(&integration(1)).await.unwrap();
    assert_eq!(texts(&loaded), ["a", "c", "e"]);
    assert_eq!(loaded.iter().map(|one| one.position.sequence).collect::<Vec<_>>(), [1, 3, 5]);
}

#[tokio::test]
async fn an_aggregate_longer_than_a_page_is_whole() {
    let (_server, bus) = started().await;
    for page in 0..3 {
        let batch = (0..1000).map(|number| message(audit(), &(page * 1000 + number).to_string())).collect();
        bus.publish_all(batch).await.unwrap();
    }
    let loaded = bus.load(&audit()).await.unwrap();
    assert_eq!(texts(&loaded), (0..3000).map(|number| number.to_string()).collect::<Vec<_>>());
}

#[tokio::test]
async fn what_was_never_published_on_is_empty() {
    let (_server, bus) = started().await;
    assert_eq!(bus.load(&integration(1)).await.unwrap(), []);
}

#[tokio::test]
async fn a_message_reads_the_same_loaded_and_consumed() {
    let (_server, bus) = started().await;
    let headers = vec![("ce-type".to_owned(), "t".to_owned()), ("ce-id".to_owned(), "i".to_owned())];
    bus.publish(Outgoing { headers, ..message(integration(1), "a") }).await.unwrap();
    let loaded = bus.load(&integration(1)).await.unwrap().remove(0);
    let consumed = bus.consume(Stream::Integration, 0).next().await.unwrap();
    assert_eq!(loaded, consumed);
    assert_eq!(loaded.header("Ce-Type"), Some("t"));
}

#[tokio::test]
async fn the_fingerprint_tells_messages_apart() {
    let (_server, bus) = started().await;
    bus.publish(message(audit(), "a")).await.unwrap();
    bus.publish(Outgoing { message_id: None, ..message(audit(), "b") }).await.unwrap();
    let fingerprint =
        async |sequence| bus.fingerprint_at(LogPosition { stream: Stream::Audit, sequence }).await.unwrap();
    let loaded = bus.load(&audit()).await.unwrap();
    assert_eq!(fingerprint(1).await.as_deref(), Some("a"));
    assert_eq!(fingerprint(2).await, Some(loaded[1].fingerprint()));
    assert_eq!(fingerprint(3).await, None);
}

#[tokio::test]
async fn the_state_says_what_a_stream_holds() {
    let (_server, bus) = started().await;
    let empty = bus.state(Stream::Audit).await.unwrap();
    assert_eq!((empty.messages, empty.last_sequence), (0, 0));
    bus.publish(message(audit(), "a")).await.unwrap();
    let state = bus.state(Stream::Audit).await.unwrap();
    assert_eq!((state.messages, state.first_sequence, state.last_sequence), (1, 1, 1));
    assert_eq!(state.created, empty.created);
}

#[tokio::test]
async fn the_subjects_below_a_filter_are_those_with_messages() {
    let (_server, bus) = started().await;
    for id in [3, 1, 2] {
        bus.publish(message(integration(id), &id.to_string())).await.unwrap();
    }
    let found = bus.subjects_below(Stream::Integration, "flowtrail.v1.integration.main.*").await.unwrap();
    let wanted: Vec<String> = (1..=3).map(|id| integration(id).to_string()).collect();
    assert_eq!(found, wanted);
    let none = bus.subjects_below(Stream::Integration, "flowtrail.v1.integration.other.*").await.unwrap();
    assert_eq!(none, Vec::<String>::new());
}

#[tokio::test]
async fn large_messages_are_read_page_by_page_and_from_anywhere() {
    let (_server, bus) = started().await;
    for number in 0..40 {
        let payload = vec![b'x'; 1 << 20].into();
        bus.publish(Outgoing { payload, ..message(audit(), &number.to_string()) }).await.unwrap();
    }
    let sequences = async |after| {
        let mut sequences = Vec::new();
        bus.read_each(&audit(), after, |message| sequences.push(message.position.sequence)).await.unwrap();
        sequences
    };
    assert_eq!(sequences(0).await, (1..=40).collect::<Vec<u64>>());
    assert_eq!(sequences(30).await, (31..=40).collect::<Vec<u64>>());
    assert_eq!(sequences(40).await, Vec::<u64>::new());
}
