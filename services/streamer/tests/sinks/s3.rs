//! S3, against moto with signatures and policies checked, and against other stores.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use model::delivery::Guarantee;
use model::integration::Platform;
use model::time::Timestamp;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use streamer::sink::{Failure, Item, Outcome};
use streamer::sinks::Sink;
use testkit::{Moto, S3rver, S3sFs, User};

use crate::support::{Receiver, account, audit, audits, connect, traffic, unpacked};

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
    assert_eq!(sink.try_out(&account()).await, Ok(Guarantee::ExactlyOnce));

    let mut objects = moto.objects("logs").await;
    objects.sort_by_key(|object| object["key"].as_str().unwrap().to_owned());
    let keys: Vec<&str> = objects.iter().map(|object| object["key"].as_str().unwrap()).collect();
    let [audit, flow, test] = keys.try_into().unwrap();
    let base = "flow trail/é=1/account=main";
    let range = "00000000000000000041-00000000000000000043-";
    assert!(audit.starts_with(&format!("{base}/event_kind=audit/dt=2024-01-31/hr=12/{range}")), "{audit}");
    assert!(audit.ends_with(".ndjson.gz"));
    assert!(flow.starts_with(&format!("{base}/event_kind=flow/dt=2024-01-31/hr=12/")), "{flow}");
    assert!(test.starts_with(&format!("{base}/event_kind=test/")), "{test}");
    assert_eq!(objects[0]["kinds"], serde_json::json!(["application/x-ndjson", "gzip"]));
    let lines = objects[0]["text"].as_str().unwrap().lines();
    let lines: Vec<Value> = lines.map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(
        lines[0],
        serde_json::json!({
            "timestamp": "2024-01-31T12:00:00.250000Z", "message": "Route created", "id": "e-41", "initiator_id": "u1",
            "target_id": "r1", "meta": {"range": "10.64.0.0/24", "number": "41"}, "reference": "",
            "account_id": "main", "kind": "audit", "event_type": "route.add", "position": "FLOWTRAIL_AUDIT:41",
            "index": 0, "event": {"source": "/test", "meta": {"range": "10.64.0.0/24", "number": 41}},
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

    // The same numbers in a log that was begun again are other events, and must not be taken for these.
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
        assert!(matches!(sink.try_out(&account()).await, Err(Failure::Stop { .. })));
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
    for (status, code) in [(301, "PermanentRedirect"), (400, "AuthorizationHeaderMalformed")] {
        receiver.answer((axum::http::StatusCode::from_u16(status).unwrap(), error(code)));
        stopped(sink.deliver(&items).await);
    }
    receiver.answer((axum::http::StatusCode::PRECONDITION_FAILED, error("PreconditionFailed")));
    assert_eq!(sink.deliver(&items).await, Outcome::Delivered);
}

#[tokio::test]
async fn a_test_finds_out_what_the_store_guarantees() {
    let moto = Moto::start().await;
    let checked = sink(&moto.url, &moto.writer, &[]);
    assert_eq!(checked.try_out(&account()).await, Ok(Guarantee::ExactlyOnce));

    // One that takes the condition for nothing.
    let receiver = Receiver::start().await;
    let sink = to_receiver(&receiver, &[]);
    assert_eq!(sink.try_out(&account()).await, Ok(Guarantee::AtLeastOnce));
    let paths: Vec<String> = receiver.requests().into_iter().map(|request| request.path).collect();
    assert!(paths.len() == 3 && paths[1] == paths[2], "{paths:?}");

    // One that says that it knows none is written to without it, from then on.
    let receiver = Receiver::start().await;
    let sink = to_receiver(&receiver, &[]);
    receiver.answer(());
    receiver.answer(axum::http::StatusCode::NOT_IMPLEMENTED);
    assert_eq!(sink.try_out(&account()).await, Ok(Guarantee::AtLeastOnce));
    assert_eq!(sink.deliver(&audits(1..2)).await, Outcome::Delivered);
    let conditional = receiver.requests().into_iter().map(|request| request.headers.contains_key("if-none-match"));
    assert_eq!(conditional.collect::<Vec<_>>(), [false, true, false, false]);

    // One that refuses all the same is no store to write to.
    let receiver = Receiver::start().await;
    let sink = to_receiver(&receiver, &[]);
    for _ in 0..2 {
        receiver.answer(axum::http::StatusCode::NOT_IMPLEMENTED);
    }
    assert_eq!(stopped(sink.deliver(&audits(1..2)).await), (Some(501), "the receiver answered 501".to_owned()));
}

#[tokio::test]
async fn a_store_that_overwrites_guarantees_less_and_tells_a_bucket_that_is_not_there() {
    let Some(s3rver) = S3rver::start().await else {
        eprintln!("not run: there is no s3rver here");
        return;
    };
    let [access_key, secret_key] = S3rver::KEYS.map(str::to_owned);
    let user = User { access_key, secret_key };
    for format in ["ndjson", "parquet"] {
        let sink = sink(&s3rver.url(), &user, &[("format", format)]);
        assert_eq!(sink.try_out(&account()).await, Ok(Guarantee::AtLeastOnce));
        assert_eq!(sink.deliver(&at(&TIMES)).await, Outcome::Delivered);
    }
    let sink = sink(&s3rver.url(), &user, &[("bucket_name", "nowhere")]);
    assert_eq!(sink.try_out(&account()).await.unwrap_err().to_string(), "there is no bucket nowhere");
}

#[tokio::test]
async fn a_store_in_rust_keeps_every_object_once_and_gives_it_back_as_it_was_sent() {
    let store = S3sFs::start().await;
    let items = at(&TIMES);
    let sink = sink(&store.url(), &store.user, &[("prefix", "flow trail/é=1")]);
    assert_eq!(sink.try_out(&account()).await, Ok(Guarantee::ExactlyOnce));
    for _ in 0..2 {
        assert_eq!(sink.deliver(&items).await, Outcome::Delivered);
    }
    let mut found = Vec::new();
    for object in store.objects("logs").await {
        let key = object["key"].as_str().unwrap();
        assert_eq!(object["kinds"], json!(["application/x-ndjson", "gzip"]));
        if key.starts_with("flow trail/é=1/account=main/event_kind=test/") {
            continue;
        }
        assert!(key.starts_with("flow trail/é=1/account=main/event_kind=audit/dt="), "{key}");
        let lines = object["text"].as_str().unwrap().lines();
        found.extend(lines.map(|line| serde_json::from_str::<Value>(line).unwrap()));
    }
    assert_eq!(found.len(), items.len());
    for item in &items {
        let line = found.iter().find(|line| line["id"] == item.id.as_str()).unwrap();
        let time = Timestamp::parse(line["timestamp"].as_str().unwrap()).unwrap();
        assert_eq!((time, &line["event_type"]), (item.time, &json!("door.open")));
        assert_eq!(line["position"], format!("FLOWTRAIL_AUDIT:{}", item.sequence));
    }
}

#[tokio::test]
async fn a_store_in_rust_takes_parquet_and_refuses_what_is_wrong_in_words() {
    let store = S3sFs::start().await;
    let parquet = sink(&store.url(), &store.user, &[("format", "parquet")]);
    assert_eq!(parquet.try_out(&account()).await, Ok(Guarantee::ExactlyOnce));
    assert_eq!(parquet.deliver(&at(&TIMES)).await, Outcome::Delivered);
    let wrong = User { secret_key: "wrong".into(), ..store.user.clone() };
    let (_, reason) = stopped(sink(&store.url(), &wrong, &[]).deliver(&audits(1..2)).await);
    assert!(reason.contains("the secret key does not belong to the access key"), "{reason}");
    let nowhere = sink(&store.url(), &store.user, &[("bucket_name", "nowhere")]);
    assert_eq!(nowhere.try_out(&account()).await.unwrap_err().to_string(), "there is no bucket nowhere");
}

#[tokio::test]
async fn a_bucket_that_is_not_there_is_told_also_where_the_store_would_take_the_object() {
    let receiver = Receiver::start().await;
    receiver.answer(axum::http::StatusCode::NOT_FOUND);
    let refused = to_receiver(&receiver, &[]).try_out(&account()).await.unwrap_err();
    assert_eq!((refused.status(), refused.to_string()), (Some(404), "there is no bucket logs".to_owned()));
    let requests = receiver.requests();
    assert_eq!((requests.len(), requests[0].method.as_str()), (1, "HEAD"));
}

/// Events at these times, in this order.
fn at(times: &[&str]) -> Vec<Item> {
    let event = |(sequence, time): (u64, &&str)| Item {
        time: Timestamp::parse(time).unwrap(),
        ..audit(sequence, &json!({"event_type": "door.open"}))
    };
    (1..).zip(times).map(event).collect()
}

const TIMES: [&str; 6] = [
    "2024-01-31T23:58:00Z",
    "2024-02-01T00:00:01.5Z",
    "2024-01-31T23:59:59.999999Z",
    "2024-02-01T09:00:00Z",
    "1969-12-31T23:59:59.5Z",
    "2024-02-01T00:00:00Z",
];

fn stored(request: &crate::support::Request) -> (String, Vec<Value>) {
    let text = String::from_utf8(unpacked(request)).unwrap();
    let path = request.path.replace("%3D", "=");
    (path, text.lines().map(|line| serde_json::from_str(line).unwrap()).collect())
}

fn to_receiver(receiver: &Receiver, more: &[(&str, &str)]) -> Sink {
    let user = User { access_key: "a".into(), secret_key: "s".into() };
    sink(&receiver.server.url(""), &user, more)
}

#[tokio::test]
async fn every_event_is_in_the_partition_of_its_own_hour() {
    let receiver = Receiver::start().await;
    let items = at(&TIMES);
    assert_eq!(to_receiver(&receiver, &[]).deliver(&items).await, Outcome::Delivered);
    let objects: Vec<(String, Vec<Value>)> = receiver.requests().iter().map(stored).collect();
    assert_eq!(objects.iter().map(|(_, rows)| rows.len()).collect::<Vec<_>>(), [1, 2, 2, 1]);
    for (path, rows) in &objects {
        let part = |name: &str| path.split_once(&format!("/{name}=")).unwrap().1.split('/').next().unwrap();
        for row in rows {
            let hour = format!("{}T{}", part("dt"), part("hr"));
            assert!(row["timestamp"].as_str().unwrap().starts_with(&hour), "{hour}: {row}");
            assert_eq!(row["timestamp"].as_str().unwrap().len(), "2024-01-31T23:58:00.000000Z".len());
        }
    }
}

#[tokio::test]
async fn no_partition_is_named_as_a_field_of_the_rows_is() {
    let receiver = Receiver::start().await;
    let flow = traffic(1, &json!({"flow_id": "f", "type": "TYPE_END"}));
    for item in [audits(1..2).remove(0), flow] {
        assert_eq!(to_receiver(&receiver, &[]).deliver(&[item]).await, Outcome::Delivered);
        let (path, rows) = stored(&receiver.requests().pop().unwrap());
        let names: Vec<&str> = path.split('/').filter_map(|part| Some(part.split_once('=')?.0)).collect();
        assert_eq!(names, ["account", "event_kind", "dt", "hr"]);
        assert!(names.iter().all(|name| rows[0].get(name).is_none()), "{names:?}: {}", rows[0]);
    }
}

#[tokio::test]
async fn objects_that_are_written_are_not_written_again_when_a_later_one_fails() {
    let busy = || axum::http::StatusCode::SERVICE_UNAVAILABLE;
    let items = at(&TIMES);
    let receiver = Receiver::start().await;
    let sink = to_receiver(&receiver, &[]);
    receiver.answer(());
    receiver.answer(busy());
    let Outcome::Partly(failures) = sink.deliver(&items).await else { panic!("one is written") };
    let (failed, untried): (Vec<_>, Vec<_>) =
        failures.into_iter().partition(|(_, failure)| *failure != Failure::Untried);
    assert!(matches!(failed.as_slice(), [(0, Failure::Retry { .. }), (2, Failure::Retry { .. })]), "{failed:?}");
    assert_eq!(untried.iter().map(|(index, _)| *index).collect::<Vec<_>>(), [1, 3, 5]);

    let rest = [0, 1, 2, 3, 5].map(|index| items[index].clone());
    assert_eq!(sink.deliver(&rest).await, Outcome::Delivered);
    let paths: Vec<String> = receiver.requests().into_iter().map(|request| request.path).collect();
    assert_eq!((paths.len(), &paths[1]), (5, &paths[2]), "the second attempt writes the same object");

    // What is refused as it is comes first in the next attempt, alone with what can be split.
    receiver.answer(());
    receiver.answer(axum::http::StatusCode::PAYLOAD_TOO_LARGE);
    let Outcome::Partly(failures) = sink.deliver(&items).await else { panic!("one is written") };
    assert!(failures.iter().all(|(_, failure)| *failure == Failure::Untried) && failures.len() == 5, "{failures:?}");
    receiver.answer(axum::http::StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(sink.deliver(&rest).await, Outcome::Failed(Failure::TooLarge));
}

#[tokio::test]
async fn every_object_comes_with_its_checksum_and_is_kept_as_long_as_it_is_to_be() {
    let receiver = Receiver::start().await;
    let before = runtime::clock::now_micros();
    for more in [&[][..], &[("object_lock_mode", "COMPLIANCE"), ("object_lock_days", "365")]] {
        let sink = to_receiver(&receiver, more);
        assert_eq!(sink.try_out(&account()).await, Ok(Guarantee::AtLeastOnce));
        assert_eq!(sink.deliver(&at(&TIMES)).await, Outcome::Delivered);
    }
    let requests = receiver.requests().into_iter().filter(|request| request.method == "PUT").collect::<Vec<_>>();
    let signed = |request: &crate::support::Request| request.header("authorization").to_owned();
    for request in &requests {
        assert_eq!(request.header("x-amz-checksum-sha256"), STANDARD.encode(Sha256::digest(&request.body)));
        assert_eq!(request.header("x-amz-sdk-checksum-algorithm"), "SHA256");
        assert!(signed(request).contains("x-amz-checksum-sha256"), "{}", signed(request));
    }
    let (plain, kept) = requests.split_at(requests.len() / 2);
    assert!(plain.iter().all(|request| !request.headers.contains_key("x-amz-object-lock-mode")));
    for request in kept {
        assert_eq!(request.header("x-amz-object-lock-mode"), "COMPLIANCE");
        let until = Timestamp::parse(request.header("x-amz-object-lock-retain-until-date")).unwrap();
        let days = (until.micros() - before) as f64 / 86_400e6;
        assert!((365.0..365.1).contains(&days), "{days}");
        assert!(signed(request).contains("x-amz-object-lock-mode;x-amz-object-lock-retain-until-date"));
    }
}

#[tokio::test]
async fn a_bucket_with_object_lock_keeps_what_it_is_sent_for_as_long_as_it_is_to_be() {
    let moto = Moto::start().await;
    let more = [("bucket_name", "worm"), ("object_lock_mode", "GOVERNANCE"), ("object_lock_days", "30")];
    let sink = sink(&moto.url, &moto.writer, &more);
    assert_eq!(sink.try_out(&account()).await, Ok(Guarantee::ExactlyOnce));
    assert_eq!(sink.deliver(&audits(1..2)).await, Outcome::Delivered);
    let objects = moto.objects("worm").await;
    assert_eq!(objects.len(), 2);
    let now = runtime::clock::now_micros();
    for object in objects {
        assert_eq!(object["lock"][0], "GOVERNANCE", "{object}");
        let until = object["lock"][1].as_str().unwrap().replace(' ', "T");
        let days = (Timestamp::parse(&until).unwrap().micros() - now) as f64 / 86_400e6;
        assert!((29.9..30.1).contains(&days), "{days}");
    }
}

#[tokio::test]
async fn a_refusal_says_why_in_the_services_words_within_bounds() {
    let receiver = Receiver::start().await;
    let sink = to_receiver(&receiver, &[]);
    let items = audits(1..2);
    let long = "word &lt;&amp;gt;\n ".repeat(200);
    for (status, code, message, expected) in [
        (
            400,
            "InvalidRequest",
            "Content-MD5 is required",
            "the receiver answered 400 InvalidRequest: Content-MD5 is required",
        ),
        (
            403,
            "AccessDenied",
            "not authorized to perform s3:PutObject",
            "(AccessDenied: not authorized to perform s3:PutObject)",
        ),
        (403, "Other", "no &quot;entry&quot;", "check the credentials: no \"entry\""),
        (400, "Other", &long, "the receiver answered 400 Other: word <&gt; word <&gt; "),
    ] {
        let error = format!("<Error><Code>{code}</Code><Message>{message}</Message><Token>private</Token></Error>");
        receiver.answer((axum::http::StatusCode::from_u16(status).unwrap(), error));
        let (_, reason) = stopped(sink.deliver(&items).await);
        assert!(reason.contains(expected), "{reason}");
        assert!(reason.chars().count() < 400 && !reason.contains("private") && !reason.contains('\n'), "{reason}");
    }
}
