//! S3, against moto with signatures and policies checked.

use model::integration::Platform;
use serde_json::Value;
use streamer::sink::{Failure, Outcome};
use streamer::sinks::Sink;
use testkit::{Moto, User};

use crate::support::{Receiver, account, audits, connect, traffic};

fn sink(url: &str, user: &User, more: &[(&str, &str)]) -> Sink {
    let base = [
        ("bucket_name", "logs"),
        ("region", "eu-central-1"),
        ("endpoint", url),
        ("access_key", &user.access_key),
        ("secret_key", &user.secret_key),
    ];
    let base = base.into_iter().filter(|(key, _)| more.iter().all(|(given, _)| given != key));
    connect(Platform::S3, &base.chain(more.iter().copied()).collect::<Vec<_>>())
}

fn stopped(outcome: Outcome) -> (Option<u16>, String) {
    match outcome {
        Outcome::Failed(Failure::Stop { status, reason }) => (status, reason),
        other => panic!("is to stop: {other:?}"),
    }
}

#[tokio::test]
async fn a_batch_is_one_object_that_a_second_attempt_finds_there() {
    let moto = Moto::start().await;
    let sink = sink(&moto.url, &moto.writer, &[("prefix", "flow trail/é=1/")]);
    let items = audits(41..44);
    for _ in 0..2 {
        assert_eq!(sink.deliver(&items).await, Outcome::Delivered);
    }
    let flows = [traffic(7, &serde_json::json!({"flow_id": "f1", "type": "TYPE_DROP"}))];
    assert_eq!(sink.deliver(&flows).await, Outcome::Delivered);
    assert_eq!(sink.test(&account()).await, Ok(()));

    let mut objects = moto.objects("logs").await;
    objects.sort_by_key(|object| object["key"].as_str().unwrap().to_owned());
    let keys: Vec<&str> = objects.iter().map(|object| object["key"].as_str().unwrap()).collect();
    let [audit, flow, test] = keys.try_into().unwrap();
    let base = "flow trail/é=1/account=main";
    let range = "00000000000000000041-00000000000000000043-";
    assert!(audit.starts_with(&format!("{base}/kind=audit/dt=2024-01-31/hr=12/{range}")), "{audit}");
    assert!(audit.ends_with(".ndjson.gz"));
    assert!(flow.starts_with(&format!("{base}/kind=flow/dt=2024-01-31/hr=12/")), "{flow}");
    assert!(test.starts_with(&format!("{base}/kind=test/")), "{test}");
    assert_eq!(objects[0]["kinds"], serde_json::json!(["application/x-ndjson", "gzip"]));
    let lines = objects[0]["text"].as_str().unwrap().lines();
    let lines: Vec<Value> = lines.map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(
        lines[0],
        serde_json::json!({
            "timestamp": "2024-01-31T12:00:00.250000Z", "message": "Route created", "id": "e-41", "initiator_id": "u1",
            "target_id": "r1", "meta": {"range": "10.64.0.0/24", "number": "41"}, "reference": "",
            "account_id": "main", "kind": "audit", "event_type": "route.add", "position": "FLOWTRAIL_AUDIT:41",
            "index": 0, "event": {"source": "/test"},
        })
    );
    assert_eq!(lines.len(), 3);
}

#[tokio::test]
async fn what_is_sent_follows_from_the_items_alone() {
    let receiver = Receiver::start().await;
    let url = receiver.server.url("");
    let user = User { access_key: "a".into(), secret_key: "s".into() };
    let items = audits(1..50);
    for _ in 0..2 {
        let outcome = sink(&url, &user, &[]).deliver(&items).await;
        assert_eq!(outcome, Outcome::Delivered);
    }
    let [first, second] = receiver.requests().try_into().unwrap();
    assert_eq!((first.path, first.body), (second.path, second.body));
    assert_eq!((first.method.as_str(), first.headers["if-none-match"].to_str().unwrap()), ("PUT", "*"));

    // The same numbers in a log that was begun anew are other events, and must not be taken for these.
    let mut others = audits(1..50);
    others[7].id = "another".into();
    let outcome = sink(&url, &user, &[]).deliver(&others).await;
    assert_eq!(outcome, Outcome::Delivered);
    assert_ne!(receiver.requests()[2].path, receiver.requests()[0].path);
}

#[tokio::test]
async fn wrong_credentials_and_names_stop_and_say_what_is_wrong() {
    let moto = Moto::start().await;
    let items = audits(1..2);
    let wrong = User { secret_key: "wrong".into(), ..moto.writer.clone() };
    let unknown = User { access_key: "AKIAUNKNOWN".into(), ..moto.writer.clone() };
    for (user, more, expected) in [
        (&wrong, &[][..], "the secret key does not belong to the access key"),
        (&unknown, &[], "the access key is not known"),
        (&moto.stranger, &[], "the policy of the access key does not allow it"),
        (&moto.writer, &[("bucket_name", "nowhere")], "there is no bucket nowhere"),
    ] {
        let sink = sink(&moto.url, user, more);
        let (status, reason) = stopped(sink.deliver(&items).await);
        assert!(reason.contains(expected), "{status:?} {reason}");
        assert!(!reason.contains(&user.secret_key));
        assert!(matches!(sink.test(&account()).await, Err(Failure::Stop { .. })));
    }
    assert!(moto.objects("logs").await.is_empty());
}

#[tokio::test]
async fn answers_that_pass_are_worth_another_attempt() {
    let receiver = Receiver::start().await;
    let url = receiver.server.url("");
    let user = User { access_key: "a".into(), secret_key: "s".into() };
    let sink = sink(&url, &user, &[]);
    let items = audits(1..2);
    let error =
        |code: &str| format!("<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>secret</Message></Error>");
    for (status, code) in
        [(503, "SlowDown"), (400, "RequestTimeout"), (409, "ConditionalRequestConflict"), (500, ""), (429, "")]
    {
        receiver.answer((axum::http::StatusCode::from_u16(status).unwrap(), error(code)));
        let outcome = sink.deliver(&items).await;
        assert!(
            matches!(&outcome, Outcome::Failed(Failure::Retry { reason, .. }) if !reason.contains("secret")),
            "{outcome:?}"
        );
    }
    for (status, code) in [(301, "PermanentRedirect"), (400, "AuthorizationHeaderMalformed"), (501, "NotImplemented")] {
        receiver.answer((axum::http::StatusCode::from_u16(status).unwrap(), error(code)));
        stopped(sink.deliver(&items).await);
    }
    receiver.answer((axum::http::StatusCode::PRECONDITION_FAILED, error("PreconditionFailed")));
    assert_eq!(sink.deliver(&items).await, Outcome::Delivered);
}
