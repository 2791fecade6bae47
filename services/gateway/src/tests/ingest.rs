use std::io::Write;
use std::time::Instant;

use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use bus::Message;
use model::access::Scope;
use model::envelope::BATCH;
use model::log::{Stream, Subject};
use serde_json::{Value, json};

use super::world::{Answer, World, account_id, events_of, request};

const AUDIT: &str = "/api/events/audit";
const TRAFFIC: &str = "/api/events/network-traffic";

/// A publisher whose events are in the views as soon as they are in the log.
async fn publisher() -> (World, String) {
    let world = World::start().await;
    let token = world.token("main", &[Scope::EventsWrite]);
    world.observe(Stream::Audit, u64::MAX);
    world.observe(Stream::Traffic, u64::MAX);
    (world, token)
}

async fn post(world: &World, token: &str, path: &str, body: &Value) -> Answer {
    world.put(Method::POST, token, path, &body.to_string()).await
}

async fn encoded(world: &World, token: &str, encoding: &str, body: Vec<u8>) -> Answer {
    let mut request = request(Method::POST, token, AUDIT, Body::from(body));
    request.headers_mut().insert("content-encoding", encoding.parse().unwrap());
    world.send(request).await
}

async fn stored(world: &World, subject: Subject) -> Vec<Message> {
    world.bus.load(&subject).await.unwrap()
}

async fn stored_audit(world: &World) -> Vec<Message> {
    stored(world, Subject::audit(&account_id("main"), "http")).await
}

fn numbered(count: usize) -> Value {
    let event = |number: usize| json!({ "id": format!("e{number}"), "event_type": "a.b", "meta": { "n": number } });
    Value::Array((0..count).map(event).collect())
}

#[tokio::test]
async fn events_are_stored_as_one_batch_under_the_account_of_the_token() {
    let (world, token) = publisher().await;
    let answer = post(&world, &token, AUDIT, &numbered(3)).await;
    assert_eq!((answer.status, answer.json()), (StatusCode::ACCEPTED, json!({ "accepted": 3, "first": 1, "last": 1 })));
    assert_eq!(answer.header("flowtrail-as-of"), Some("FLOWTRAIL_AUDIT:1"));

    let messages = stored_audit(&world).await;
    assert_eq!(messages[0].subject, "flowtrail.v1.audit.main.http");
    assert_eq!(messages[0].header("content-type"), Some(BATCH));
    let events = events_of(&messages[0]);
    assert_eq!(events.iter().map(|event| event["id"].as_str().unwrap()).collect::<Vec<_>>(), ["e0", "e1", "e2"]);
}

#[tokio::test]
async fn traffic_goes_to_the_stream_of_traffic() {
    let (world, token) = publisher().await;
    let report = json!({ "id": "r1", "reporter_id": "p1", "flow_id": "f", "type": "TYPE_START" });
    let answer = post(&world, &token, TRAFFIC, &report).await;
    assert_eq!(answer.json(), json!({ "accepted": 1, "first": 1, "last": 1 }));
    assert_eq!(answer.header("flowtrail-as-of"), Some("FLOWTRAIL_TRAFFIC:1"));
    assert_eq!(stored(&world, Subject::traffic(&account_id("main"), "http")).await.len(), 1);
}

#[tokio::test]
async fn a_retry_is_stored_once_and_answered_alike() {
    let (world, token) = publisher().await;
    for count in [1, 1201] {
        let first = post(&world, &token, AUDIT, &numbered(count)).await;
        let again = post(&world, &token, AUDIT, &numbered(count)).await;
        assert_eq!((first.status, again.status), (StatusCode::ACCEPTED, StatusCode::ACCEPTED));
        assert_eq!(first.json(), again.json());
    }
    assert_eq!(stored_audit(&world).await.len(), 1 + 3);
}

#[tokio::test]
async fn the_same_ids_with_other_content_are_not_dropped_silently() {
    let (world, token) = publisher().await;
    post(&world, &token, AUDIT, &json!({ "id": "e1", "event_type": "a" })).await;
    post(&world, &token, AUDIT, &json!({ "id": "e1", "event_type": "b" })).await;
    assert_eq!(stored_audit(&world).await.len(), 2);
}

#[tokio::test]
async fn one_bad_event_refuses_them_all() {
    let (world, token) = publisher().await;
    let mut events = numbered(5);
    events[3] = json!({ "event_type": "a", "latency_ms": "slow" });
    let refusal = post(&world, &token, AUDIT, &events).await.refusal(400);
    assert_eq!(refusal, "events[3].latency_ms: must be a number, not a string");
    assert_eq!(post(&world, &token, AUDIT, &json!([])).await.refusal(400), "no events");
    let refusal = post(&world, &token, TRAFFIC, &json!([{ "flow_id": "f" }])).await.refusal(400);
    assert_eq!(refusal, "events[0].reporter_id: is required");
    assert_eq!(stored_audit(&world).await.len(), 0);
}

#[tokio::test]
async fn a_compressed_body_is_unpacked() {
    let (world, token) = publisher().await;
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(numbered(2).to_string().as_bytes()).unwrap();
    let zstd = zstd::encode_all(numbered(3).to_string().as_bytes(), 1).unwrap();
    assert_eq!(encoded(&world, &token, "gzip", gzip.finish().unwrap()).await.json()["accepted"], 2);
    assert_eq!(encoded(&world, &token, "zstd", zstd).await.json()["accepted"], 3);
    assert_eq!(encoded(&world, &token, "gzip", b"[]".to_vec()).await.refusal(400), "body: is no gzip");
    let refusal = encoded(&world, &token, "br", Vec::new()).await.refusal(415);
    assert_eq!(refusal, "content-encoding: must be gzip, zstd or identity");
}

#[tokio::test]
async fn a_body_over_8_mib_is_a_413_packed_or_not() {
    let (world, token) = publisher().await;
    let spaces = vec![b' '; (8 << 20) + 1];
    let bomb = zstd::encode_all(vec![b' '; 256 << 20].as_slice(), 1).unwrap();
    let text = "body: must have at most 8388608 bytes";
    assert_eq!(encoded(&world, &token, "identity", spaces).await.refusal(413), text);
    assert_eq!(encoded(&world, &token, "zstd", bomb).await.refusal(413), text);
}

#[tokio::test]
async fn the_most_events_that_fit_in_a_body_are_taken() {
    let (world, token) = publisher().await;
    let line = "{\"event_type\":\"a\"}\n";
    let body = line.repeat((8 << 20) / line.len());
    let count = body.lines().count();
    let mut request = request(Method::POST, &token, AUDIT, Body::from(body));
    request.headers_mut().insert("content-type", "application/x-ndjson".parse().unwrap());
    let started = Instant::now();
    let answer = world.send(request).await;
    assert_eq!((answer.status, answer.json()["accepted"].as_u64()), (StatusCode::ACCEPTED, Some(count as u64)));
    println!("{count} events in {:?}", started.elapsed());
}

#[tokio::test]
async fn without_nats_a_write_is_a_503_to_be_tried_again() {
    let (mut world, token) = publisher().await;
    world.server.stop().await;
    let answer = post(&world, &token, AUDIT, &numbered(1)).await;
    assert_eq!(answer.refusal(503), "the log cannot be reached, try again");
    assert_eq!(answer.header("retry-after"), Some("1"));
}

#[tokio::test]
async fn an_answer_comes_when_the_view_has_the_events() {
    let world = World::start().await;
    let token = world.token("main", &[Scope::EventsWrite]);
    let events = numbered(1);
    let asking = post(&world, &token, AUDIT, &events);
    let mut asking = std::pin::pin!(asking);
    let stored = testkit::eventually("the event is stored", async || {
        (world.bus.state(Stream::Audit).await.unwrap().messages == 1).then_some(())
    });
    tokio::select! {
        answer = &mut asking => panic!("answered before the view has it: {answer:?}"),
        () = stored => {}
    }
    world.observe(Stream::Audit, 1);
    assert_eq!(asking.await.status, StatusCode::ACCEPTED);
}

#[tokio::test]
async fn cloudevents_come_in_over_http_as_over_nats() {
    let (world, token) = publisher().await;
    let event = json!({
        "specversion": "1.0", "id": "c1", "source": "/s", "type": "flowtrail.audit.recorded.v1",
        "data": { "event_type": "a" },
    });
    for (content_type, body) in
        [("application/cloudevents+json", event.clone()), ("application/cloudevents-batch+json", json!([event]))]
    {
        let request = Request::post(AUDIT).header("x-api-key", &token).header("content-type", content_type);
        let answer = world.send(request.body(Body::from(body.to_string())).unwrap()).await;
        assert_eq!(answer.status, StatusCode::ACCEPTED, "{content_type}");
    }
    // The same event in either form is the same message.
    assert_eq!(stored_audit(&world).await.len(), 1);
}

#[tokio::test]
async fn members_of_reports_that_no_field_holds_are_named() {
    let (world, token) = publisher().await;
    let report = json!({ "id": "r1", "reporter_id": "p1", "protcol": 6, "user": { "id": "u", "mail": "m" } });
    let answer = post(&world, &token, TRAFFIC, &report).await;
    let expected = json!({ "accepted": 1, "first": 1, "last": 1, "ignored": ["protcol", "user.mail"] });
    assert_eq!((answer.status, answer.json()), (StatusCode::ACCEPTED, expected));
    let attributes =
        [("specversion", "1.0"), ("id", "r2"), ("source", "/s"), ("type", "flowtrail.traffic.reported.v1")];
    let mut request = request(Method::POST, &token, TRAFFIC, Body::from(r#"{"reporter_id":"p1","protcol":6}"#));
    for (name, value) in attributes.into_iter().chain([("traceparent", "00-1"), ("subject", "s")]) {
        let name: axum::http::HeaderName = format!("ce-{name}").parse().unwrap();
        request.headers_mut().insert(name, value.parse().unwrap());
    }
    let answer = world.send(request).await.json();
    assert_eq!(answer["ignored"], json!(["ce.subject", "ce.traceparent", "protcol"]));
}
