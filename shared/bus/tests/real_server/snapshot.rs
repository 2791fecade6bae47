use bus::{Bus, StreamError, TransferError};
use bytes::Bytes;
use model::log::Stream;
use serde_json::Value;
use testkit::NatsServer;

use super::{audit, connected, message, started, texts};

const AUDIT: &str = "FLOWTRAIL_AUDIT";
/// When what is restored here was restored.
const AT: i64 = 1_800_000_000_000_000;

/// A stream as it was read out.
struct ReadOut {
    configuration: Value,
    state: Value,
    chunks: Vec<Bytes>,
}

async fn read_out(bus: &Bus, stream: &str) -> ReadOut {
    let mut snapshot = bus.snapshot(stream).await.expect("begin to read it out");
    let mut chunks = Vec::new();
    while let Some(chunk) = snapshot.next().await.expect("read it out") {
        chunks.push(chunk);
    }
    ReadOut { configuration: snapshot.configuration, state: snapshot.state, chunks }
}

/// Sends so many of the chunks, and says that these were all.
async fn write_back(bus: &Bus, read: &ReadOut, chunks: usize) -> Result<Value, TransferError> {
    let mut restoring = bus.begin_restore(AUDIT, &read.configuration, &read.state, AT).await?;
    for chunk in &read.chunks[..chunks] {
        restoring.send(chunk.clone()).await?;
    }
    restoring.finish().await
}

/// Random bytes, which nothing compresses, always the same.
fn noise(seed: u64, length: usize) -> Bytes {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let next = std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    });
    next.flatten().take(length).collect()
}

#[tokio::test]
async fn a_stream_is_restored_with_its_sequences_and_as_another_log() {
    let (_server, bus) = started().await;
    for id in ["a", "b", "c"] {
        bus.publish(message(audit(), id)).await.unwrap();
    }
    let read = read_out(&bus, AUDIT).await;
    assert_eq!((read.state["messages"].as_u64(), read.state["last_seq"].as_u64()), (Some(3), Some(3)));
    // What comes after is not in it.
    bus.publish(message(audit(), "later")).await.unwrap();

    let server = NatsServer::start().await;
    let there = connected(&server.url(), "test").await;
    let restored = write_back(&there, &read, read.chunks.len()).await.unwrap();
    assert_eq!(restored["state"]["messages"], 3);
    there.open_restored(AUDIT, &read.configuration, AT).await.unwrap();
    there.ensure_streams().await.unwrap();
    let (before, after) = (bus.load(&audit()).await.unwrap(), there.load(&audit()).await.unwrap());
    assert_eq!(after, before[..3]);
    assert_eq!(there.publish(message(audit(), "next")).await.unwrap().position.sequence, 4);
    let (old, new) = (bus.state(Stream::Audit).await.unwrap(), there.state(Stream::Audit).await.unwrap());
    assert_eq!((new.created, new.first_sequence, new.last_sequence), (AT, 1, 4));
    assert_ne!(old.created, new.created);

    // A backup of what was restored is restored as yet another log.
    let again = read_out(&there, AUDIT).await;
    let server = NatsServer::start().await;
    let third = connected(&server.url(), "test").await;
    let mut restoring = third.begin_restore(AUDIT, &again.configuration, &again.state, AT + 1).await.unwrap();
    for chunk in again.chunks {
        restoring.send(chunk).await.unwrap();
    }
    restoring.finish().await.unwrap();
    third.open_restored(AUDIT, &again.configuration, AT + 1).await.unwrap();
    assert_eq!(third.state(Stream::Audit).await.unwrap().created, AT + 1);
    assert_eq!(texts(&third.load(&audit()).await.unwrap()), ["a", "b", "c", "next"]);
}

#[tokio::test]
async fn what_is_not_whole_yet_takes_no_messages_and_no_role_starts_on_it() {
    let (_server, bus) = started().await;
    bus.publish(message(audit(), "a")).await.unwrap();
    let read = read_out(&bus, AUDIT).await;
    let server = NatsServer::start().await;
    let there = connected(&server.url(), "test").await;
    write_back(&there, &read, read.chunks.len()).await.unwrap();
    let refused = there.ensure_streams().await;
    assert!(matches!(&refused, Err(StreamError::Unfinished { stream }) if stream == AUDIT), "{refused:?}");
    assert!(there.state(Stream::Traffic).await.is_err(), "nothing was made beside it");
    assert!(there.publish(message(audit(), "b")).await.is_err());
    assert!(there.snapshot(AUDIT).await.is_err(), "it is no log that could be backed up");
    let compared = there.compare_streams().await.unwrap();
    let audit_is = &compared.iter().find(|(name, _)| name == AUDIT).unwrap().1;
    assert!(matches!(audit_is, Err(StreamError::Unfinished { .. })), "{audit_is:?}");

    // It is thrown away and done again.
    assert_eq!(there.in_the_way(AUDIT).await.unwrap(), None);
    write_back(&there, &read, read.chunks.len()).await.unwrap();
    there.open_restored(AUDIT, &read.configuration, AT).await.unwrap();
    there.ensure_streams().await.unwrap();
    assert_eq!(there.publish(message(audit(), "b")).await.unwrap().position.sequence, 2);
}

#[tokio::test]
async fn a_stream_that_was_used_is_in_the_way_and_stays() {
    let (_server, bus) = started().await;
    assert_eq!(bus.in_the_way(AUDIT).await.unwrap(), None, "it never had a message");
    assert_eq!(bus.in_the_way("NOWHERE").await.unwrap(), None);
    bus.publish(message(audit(), "a")).await.unwrap();
    assert_eq!(bus.in_the_way(AUDIT).await.unwrap(), Some(1));
    let read = read_out(&bus, AUDIT).await;
    assert!(write_back(&bus, &read, read.chunks.len()).await.is_err());
    assert_eq!(texts(&bus.load(&audit()).await.unwrap()), ["a"]);
}

#[tokio::test]
async fn more_than_the_server_sends_at_once_comes_whole_and_without_its_end_it_is_refused() {
    let (_server, bus) = started().await;
    for number in 0..40 {
        let mut large = message(audit(), &format!("m{number}"));
        large.payload = noise(number, 500_000);
        bus.publish(large).await.unwrap();
    }
    let read = read_out(&bus, AUDIT).await;
    assert!(read.chunks.iter().map(Bytes::len).sum::<usize>() > 19_000_000);
    let server = NatsServer::start().await;
    let there = connected(&server.url(), "test").await;
    assert!(write_back(&there, &read, read.chunks.len() - 1).await.is_err());
    assert_eq!(there.in_the_way(AUDIT).await.unwrap(), None);
    write_back(&there, &read, read.chunks.len()).await.unwrap();
    there.open_restored(AUDIT, &read.configuration, AT).await.unwrap();
    assert_eq!(there.load(&audit()).await.unwrap(), bus.load(&audit()).await.unwrap());
}

#[tokio::test]
async fn a_stream_that_is_not_there_or_goes_away_is_not_read_out_for_whole() {
    let mut server = NatsServer::start().await;
    let bus = connected(&server.url(), "test").await;
    assert!(matches!(bus.snapshot(AUDIT).await, Err(TransferError::BrokenOff { .. })));
    bus.ensure_streams().await.unwrap();
    for number in 0..40 {
        let mut large = message(audit(), &format!("m{number}"));
        large.payload = noise(number, 500_000);
        bus.publish(large).await.unwrap();
    }
    let mut snapshot = bus.snapshot(AUDIT).await.unwrap();
    assert!(snapshot.next().await.unwrap().is_some());
    server.kill().await;
    let broken = loop {
        match snapshot.next().await {
            Ok(Some(_)) => {}
            Ok(None) => panic!("half of it is no whole"),
            Err(broken) => break broken,
        }
    };
    assert!(broken.to_string().contains("FLOWTRAIL_AUDIT: the connection was"), "{broken}");
}

#[tokio::test]
async fn a_stream_that_replaces_messages_says_whether_it_did_while_it_was_read() {
    const DIRECTORY: &str = "FLOWTRAIL_DIRECTORY";
    let (_server, bus) = started().await;
    let subject = || model::log::Subject::directory(&super::account(), "peer", "p1");
    bus.publish(message(subject(), "one")).await.unwrap();
    let snapshot = bus.snapshot(DIRECTORY).await.unwrap();
    assert!(!snapshot.is_overtaken().await.unwrap());
    bus.publish(message(subject(), "two")).await.unwrap();
    assert!(snapshot.is_overtaken().await.unwrap());
    // In others nothing goes that a new message could be the reason of.
    let snapshot = bus.snapshot(AUDIT).await.unwrap();
    bus.publish(message(audit(), "a")).await.unwrap();
    assert!(!snapshot.is_overtaken().await.unwrap());
}
