use async_nats::jetstream;
use bus::StreamError;
use model::log::Stream;
use testkit::NatsServer;

use super::{audit, connected, message, started};

async fn jetstream(server: &NatsServer) -> jetstream::Context {
    jetstream::new(async_nats::connect(server.url()).await.expect("connect"))
}

#[tokio::test]
async fn ensuring_the_streams_again_changes_nothing() {
    let (_server, bus) = started().await;
    bus.publish(message(audit(), "a")).await.unwrap();
    let before = bus.state(Stream::Audit).await.unwrap();
    bus.ensure_streams().await.unwrap();
    assert_eq!(bus.state(Stream::Audit).await.unwrap(), before);
}

#[tokio::test]
async fn a_stream_that_was_changed_is_put_right() {
    let (server, bus) = started().await;
    let jetstream = jetstream(&server).await;
    let mut stream = jetstream.get_stream("FLOWTRAIL_TRAFFIC").await.unwrap();
    let mut config = stream.cached_info().config.clone();
    let kept = config.max_age * 7;
    config.max_age = kept;
    config.max_bytes = 1 << 30;
    config.duplicate_window /= 2;
    let wanted = config.duplicate_window * 2;
    jetstream.update_stream(&config).await.unwrap();

    bus.ensure_streams().await.unwrap();
    let config = &stream.info().await.unwrap().config;
    assert_eq!(config.duplicate_window, wanted);
    assert_eq!((config.max_age, config.max_bytes), (kept, 1 << 30), "how much is kept is the operator's");
}

#[tokio::test]
async fn a_stream_that_cannot_be_put_right_is_refused_by_name() {
    let server = NatsServer::start().await;
    let in_memory = jetstream::stream::Config {
        name: "FLOWTRAIL_AUDIT".to_owned(),
        subjects: vec!["flowtrail.v1.audit.*.*".to_owned()],
        storage: jetstream::stream::StorageType::Memory,
        ..Default::default()
    };
    jetstream(&server).await.create_stream(in_memory).await.unwrap();
    let refused = connected(&server.url(), "test").await.ensure_streams().await;
    let Err(StreamError::Refused { stream, reason }) = refused else { panic!("{refused:?}") };
    assert_eq!(stream, "FLOWTRAIL_AUDIT");
    assert!(reason.contains("storage"), "{reason}");
}

#[tokio::test]
async fn audit_events_cannot_be_deleted_or_purged() {
    let (server, bus) = started().await;
    bus.publish(message(audit(), "a")).await.unwrap();
    let stream = jetstream(&server).await.get_stream("FLOWTRAIL_AUDIT").await.unwrap();
    stream.delete_message(1).await.unwrap_err();
    stream.purge().await.unwrap_err();
    assert_eq!(bus.state(Stream::Audit).await.unwrap().messages, 1);
}

#[tokio::test]
async fn the_directory_keeps_the_last_message_of_a_subject() {
    let (_server, bus) = started().await;
    let subject = model::log::Subject::directory(&super::account(), "peer", "p1");
    for name in ["old name", "new name"] {
        bus.publish(message(subject.clone(), name)).await.unwrap();
    }
    assert_eq!(super::texts(&bus.load(&subject).await.unwrap()), ["new name"]);
}

#[tokio::test]
async fn a_server_without_jetstream_is_an_error() {
    let directory = tempfile::tempdir().unwrap();
    let configuration = directory.path().join("plain.conf");
    std::fs::write(&configuration, "host: 127.0.0.1\n").unwrap();
    let server = NatsServer::start_with(&configuration).await;
    let refused = connected(&server.url(), "test").await.ensure_streams().await;
    assert!(matches!(refused, Err(StreamError::Unreachable { .. })), "{refused:?}");
}
