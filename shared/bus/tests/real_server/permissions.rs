//! `nats/permissions.conf` gives each role what it needs, and little else.

use std::path::Path;
use std::time::Duration;

use bus::{Bus, Endpoint, PublishError, ServiceInfo};
use bytes::Bytes;
use model::log::{AccountId, LogPosition, Stream, Subject};
use testkit::NatsServer;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::{after, audit, connected, integration, message, texts};

/// A server with the users of the example, all with the same password, and all streams.
async fn guarded() -> NatsServer {
    let nats = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../nats");
    let read = |name| std::fs::read_to_string(nats.join(name)).expect("read the configuration");
    let mut configuration = read("server.conf") + &read("permissions.conf");
    for role in ["PUBLISHER", "PROJECTOR", "COMMANDS", "GATEWAY", "STREAMER", "OPERATOR"] {
        configuration = configuration.replace(&format!("$FLOWTRAIL_{role}_PASSWORD"), "secret");
    }
    let directory = tempfile::tempdir().expect("make a directory");
    let path = directory.path().join("guarded.conf");
    std::fs::write(&path, configuration).expect("write the configuration");
    let server = NatsServer::start_with(&path).await;
    as_user(&server, "operator").await.ensure_streams().await.expect("make the streams");
    server
}

async fn as_user(server: &NatsServer, user: &str) -> Bus {
    let url = server.url().replace("nats://", &format!("nats://{user}:secret@"));
    connected(&url, user).await
}

#[tokio::test]
async fn a_publisher_publishes_for_its_account_alone() {
    let server = guarded().await;
    let publisher = as_user(&server, "publisher").await;
    publisher.publish(message(audit(), "a")).await.unwrap();
    publisher.publish_all(vec![message(audit(), "b"), message(audit(), "c")]).await.unwrap();
    let other = AccountId::parse("other").unwrap();
    let denied = publisher.publish(message(Subject::audit(&other, "test"), "d")).await;
    assert!(matches!(denied, Err(PublishError::Unreachable(_))), "{denied:?}");
}

#[tokio::test]
async fn a_projector_reads_sets_aside_and_does_not_publish_events() {
    let server = guarded().await;
    as_user(&server, "publisher").await.publish(message(audit(), "a")).await.unwrap();
    let projector = as_user(&server, "projector").await;
    projector.ensure_streams().await.unwrap();
    let read = projector.consume(Stream::Audit, 0).next_batch(10, usize::MAX, Duration::from_secs(5)).await.unwrap();
    assert_eq!(texts(&read), ["a"]);
    let fingerprint = projector.fingerprint_at(LogPosition { stream: Stream::Audit, sequence: 1 }).await.unwrap();
    assert_eq!(fingerprint.as_deref(), Some("a"));
    projector.publish(message(Subject::dead_letter("audit", &super::account()), "b")).await.unwrap();
    let denied = projector.publish(message(audit(), "c")).await;
    assert!(matches!(denied, Err(PublishError::Unreachable(_))), "{denied:?}");
}

#[tokio::test]
async fn commands_decide_and_keep_keys_and_the_streamer_reads_them() {
    let server = guarded().await;
    let commands = as_user(&server, "commands").await;
    commands.publish(after(0, message(integration(1), "created"))).await.unwrap();
    commands.publish(after(0, message(integration(1), "created"))).await.unwrap();
    assert_eq!(texts(&commands.load(&integration(1)).await.unwrap()), ["created"]);
    commands.keys().create("k", "secret".into()).await.unwrap();

    let streamer = as_user(&server, "streamer").await;
    assert_eq!(streamer.keys().get("k").await.unwrap(), Some(Bytes::from("secret")));
    let mut consumer = streamer.consume(Stream::Integration, 0);
    assert_eq!(consumer.next().await.unwrap().payload, "created");
    let delivery = Subject::parse("flowtrail.v1.delivery.main.1").unwrap();
    streamer.publish(message(delivery, "delivered")).await.unwrap();
    streamer.keys().erase("k").await.unwrap_err();

    commands.keys().erase("k").await.unwrap();
    assert_eq!(streamer.keys().get("k").await.unwrap(), None);
}

#[tokio::test]
async fn a_gateway_gets_large_answers_from_a_projector() {
    let server = guarded().await;
    let projector = as_user(&server, "projector").await;
    let large = Bytes::from(vec![7; 10 << 20]);
    let answer = large.clone();
    let endpoint = Endpoint::new("flowtrail.query.audit.list", move |_| std::future::ready(Ok(answer.clone())));
    let info = ServiceInfo { name: "audit".to_owned(), version: "0.1.0".to_owned(), description: String::new() };
    let answering = projector.answer(&info, vec![endpoint]).await.unwrap();
    let mut running = JoinSet::new();
    running.spawn(answering.run(CancellationToken::new()));
    projector.state(Stream::Audit).await.unwrap();

    let gateway = as_user(&server, "gateway").await;
    let asked = gateway.ask("flowtrail.query.audit.list", Bytes::new(), Duration::from_secs(10)).await;
    assert!(asked.unwrap() == large, "the answer changed on its way");
}

#[tokio::test]
async fn a_gateway_asks_for_what_its_api_answers_and_for_nothing_else() {
    let server = guarded().await;
    let allowed = ["flowtrail.query.audit.list", "flowtrail.query.access.by_token", "flowtrail.command.token.create"];
    let denied = [
        "flowtrail.query.dump",
        "flowtrail.query.access.users",
        "flowtrail.query.person.known",
        "flowtrail.command.account.create",
        "flowtrail.command.user.set_scopes",
        "flowtrail.command.person.erase",
        "flowtrail.streamer.test",
        "flowtrail.control.rebuild.start",
    ];
    let everybody = as_user(&server, "operator").await;
    let answers = |subject: &&str| Endpoint::new(*subject, |_| std::future::ready(Ok(Bytes::from("yes"))));
    let info = ServiceInfo { name: "all".to_owned(), version: "0.1.0".to_owned(), description: String::new() };
    let endpoints = allowed.iter().chain(&denied).map(answers).collect();
    let answering = everybody.answer(&info, endpoints).await.unwrap();
    let mut running = JoinSet::new();
    running.spawn(answering.run(CancellationToken::new()));
    everybody.state(Stream::Audit).await.unwrap();

    let gateway = as_user(&server, "gateway").await;
    for subject in allowed {
        assert_eq!(gateway.ask(subject, Bytes::new(), Duration::from_secs(10)).await.unwrap(), "yes", "{subject}");
    }
    for subject in denied {
        // What is denied is not answered.
        let answer = gateway.ask(subject, Bytes::new(), Duration::from_millis(300)).await;
        assert!(answer.is_err(), "{subject}: {answer:?}");
    }
}
