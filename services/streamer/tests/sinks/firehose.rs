//! Firehose, against moto, and against a checker that keeps Amazon's limits, which moto does not, and fails records.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use model::delivery::Guarantee;
use model::integration::Platform;
use serde_json::{Value, json};
use streamer::sink::{Failure, Item, Outcome};
use streamer::sinks::Sink;
use testkit::{HttpServer, Moto, User};

use crate::support::{Receiver, account, audit, audits, connect};

fn sink(url: &str, user: &User) -> Sink {
    let config = [
        ("stream_name", "events"),
        ("region", "eu-central-1"),
        ("endpoint", url),
        ("access_key_id", &user.access_key),
        ("secret_access_key", &user.secret_key),
    ];
    connect(Platform::Firehose, &config)
}

/// Records that moto lets through, in its bucket: how often each event id is there.
async fn arrived(moto: &Moto) -> BTreeMap<String, usize> {
    let mut ids = BTreeMap::new();
    for object in moto.objects("records").await {
        for line in object["text"].as_str().unwrap().lines() {
            let record: Value = serde_json::from_str(line).unwrap();
            *ids.entry(record["id"].as_str().unwrap().to_owned()).or_default() += 1;
        }
    }
    ids
}

#[tokio::test]
async fn records_arrive_and_wrong_credentials_stop() {
    let moto = Moto::start().await;
    let items = audits(1..4);
    assert_eq!(sink(&moto.url, &moto.writer).deliver(&items).await, Outcome::Delivered);
    assert_eq!(arrived(&moto).await, ["e-1", "e-2", "e-3"].map(|id| (id.to_owned(), 1)).into());
    assert_eq!(sink(&moto.url, &moto.writer).try_out(&account()).await, Ok(Guarantee::AtLeastOnce));

    let wrong = User { secret_key: "wrong".into(), ..moto.writer.clone() };
    for (user, expected) in [
        (&wrong, "the secret key does not belong to the access key"),
        (&moto.stranger, "the policy of the access key does not allow it"),
    ] {
        let Err(Failure::Stop { reason, .. }) = sink(&moto.url, user).try_out(&account()).await else {
            panic!("stops")
        };
        assert!(reason.contains(expected), "{reason}");
    }
    let config = [("stream_name", "nowhere"), ("region", "eu-central-1"), ("endpoint", moto.url.as_str())];
    let keys = [("access_key", moto.writer.access_key.as_str()), ("secret_key", moto.writer.secret_key.as_str())];
    let nowhere = connect(Platform::Firehose, &[&config[..], &keys].concat());
    let Err(Failure::Stop { reason, .. }) = nowhere.try_out(&account()).await else { panic!("stops") };
    assert_eq!(reason, "there is no delivery stream nowhere in eu-central-1");
}

/// Checks what Amazon checks and moto does not, and fails some records.
#[derive(Default)]
struct Checker {
    seen: Mutex<Seen>,
}

#[derive(Default)]
struct Seen {
    requests: usize,
    /// What was broken, which nothing may.
    broken: Vec<String>,
    /// How often each record was let through.
    passed: BTreeMap<String, usize>,
}

/// Every so many records one fails: a prime, so that it is not the same ones again.
const FAILS_EVERY: usize = 7;

async fn answer(State(checker): State<Arc<Checker>>, headers: HeaderMap, body: Bytes) -> Response {
    let request: Value = serde_json::from_slice(&body).unwrap();
    let records = request["Records"].as_array().unwrap();
    let data: Vec<Vec<u8>> =
        records.iter().map(|record| STANDARD.decode(record["Data"].as_str().unwrap()).unwrap()).collect();
    let mut seen = checker.seen.lock().unwrap();
    seen.requests += 1;
    let is_broken = records.len() > 500
        || body.len() > 4 << 20
        || data.iter().any(|data| data.len() > 1_024_000 || !data.ends_with(b"\n"))
        || headers["x-amz-target"] != "Firehose_20150804.PutRecordBatch"
        || headers["content-type"] != "application/x-amz-json-1.1"
        || request["DeliveryStreamName"] != "events";
    if is_broken {
        seen.broken.push(format!("{} records, {} bytes", records.len(), body.len()));
        return StatusCode::BAD_REQUEST.into_response();
    }
    if seen.requests.is_multiple_of(5) {
        return (StatusCode::BAD_REQUEST, r#"{"__type":"ThrottlingException"}"#).into_response();
    }
    let mut failed = 0;
    let mut answers = Vec::new();
    for (index, data) in data.iter().enumerate() {
        if (seen.requests + index).is_multiple_of(FAILS_EVERY) {
            failed += 1;
            answers.push(json!({"ErrorCode": "ServiceUnavailableException", "ErrorMessage": "Slow down."}));
            continue;
        }
        let record: Value = serde_json::from_slice(data).unwrap();
        *seen.passed.entry(record["id"].as_str().unwrap().to_owned()).or_default() += 1;
        answers.push(json!({"RecordId": "x".repeat(200)}));
    }
    json!({"FailedPutCount": failed, "Encrypted": false, "RequestResponses": answers}).to_string().into_response()
}

#[tokio::test]
async fn only_records_that_failed_are_sent_again_within_the_limits() {
    let user = User { access_key: "a".into(), secret_key: "s".into() };
    let checker = Arc::new(Checker::default());
    let server = HttpServer::start(Router::new().fallback(answer).with_state(Arc::clone(&checker))).await;
    let sink = sink(&server.url(""), &user);

    // Sizes from next to nothing to almost a record's limit, in an order that is not sorted.
    let items: Vec<Item> = (1..800)
        .map(|sequence| {
            let size = usize::try_from(sequence * 7919 % 1000).unwrap();
            let size = if size > 994 { size * 900 } else { size };
            audit(sequence, &json!({"event_type": "a.b", "error_message": "x".repeat(size)}))
        })
        .collect();
    let limits = sink.limits();
    let mut waiting = items.clone();
    while !waiting.is_empty() {
        let mut batch: Vec<Item> = Vec::new();
        let mut bytes = 0;
        for item in &waiting {
            bytes += sink.size(item);
            if batch.len() == limits.items || bytes > limits.bytes {
                break;
            }
            batch.push(item.clone());
        }
        let rest = waiting.split_off(batch.len());
        let again = match sink.deliver(&batch).await {
            Outcome::Delivered => Vec::new(),
            Outcome::Failed(Failure::Retry { .. }) => batch,
            Outcome::Partly(failures) => {
                assert!(failures.iter().all(|(_, failure)| matches!(failure, Failure::Retry { .. })));
                failures.iter().map(|(index, _)| batch[*index].clone()).collect()
            }
            other @ (Outcome::Failed(_) | Outcome::SomeRefused { .. }) => panic!("{other:?}"),
        };
        waiting = again.into_iter().chain(rest).collect();
    }
    let seen = checker.seen.lock().unwrap();
    assert_eq!(seen.broken, Vec::<String>::new());
    assert_eq!(seen.passed.len(), items.len(), "an event is missing");
    assert!(seen.passed.values().all(|times| *times == 1), "a record that was taken was sent again");
}

#[tokio::test]
async fn a_record_that_is_too_large_is_refused_and_the_others_go() {
    let receiver = Receiver::start().await;
    let user = User { access_key: "a".into(), secret_key: "s".into() };
    let sink = sink(&receiver.server.url(""), &user);
    let large = audit(2, &json!({"event_type": "a.b", "error_message": "x".repeat(1_024_000)}));
    let items = [audits(1..2), vec![large], audits(3..4)].concat();
    receiver.answer(r#"{"FailedPutCount":1,"RequestResponses":[{"RecordId":"1"},{"ErrorCode":"InternalFailure"}]}"#);
    let Outcome::Partly(failures) = sink.deliver(&items).await else { panic!("partly") };
    let [(1, Failure::Refused { .. }), (2, Failure::Retry { reason, .. })] = failures.as_slice() else {
        panic!("{failures:?}")
    };
    assert!(reason.contains("InternalFailure"));
    for body in ["", "{}", "[]", r#"{"FailedPutCount":1,"RequestResponses":[]}"#] {
        receiver.answer(body);
        let outcome = sink.deliver(&items).await;
        assert!(matches!(outcome, Outcome::Failed(Failure::Retry { .. })), "{body}: {outcome:?}");
    }
}
