//! What a receiver refuses, and how: what is sent again, what is not, and how often.

use std::collections::BTreeMap;
use std::io::Read;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use flate2::read::GzDecoder;
use model::access::Actor;
use model::integration::{Event, Platform, Steered};
use serde_json::{Deserializer, Value, json};
use testkit::{HttpServer, eventually};

use crate::world::World;

const HOUR: Duration = Duration::from_secs(60 * 60);

/// What a receiver has seen: how often it took each event, and its requests.
#[derive(Default)]
struct Seen {
    taken: BTreeMap<String, usize>,
    requests: usize,
}

type Receiver = State<Arc<Mutex<Seen>>>;

/// Events that nobody takes.
fn is_poison(event: &Value) -> bool {
    event.to_string().contains("POISON")
}

fn unpacked(body: &Bytes) -> Vec<u8> {
    let mut unpacked = Vec::new();
    GzDecoder::new(body.as_ref()).read_to_end(&mut unpacked).unwrap();
    unpacked
}

/// A collector that takes a request but for some of its records, and counts those.
async fn take_otlp(State(seen): Receiver, body: Bytes) -> Response {
    let request: Value = serde_json::from_slice(&unpacked(&body)).unwrap();
    let records = request["resourceLogs"][0]["scopeLogs"][0]["logRecords"].as_array().unwrap().clone();
    let mut seen = seen.lock().unwrap();
    seen.requests += 1;
    let mut rejected = 0;
    for record in &records {
        let attributes = record["attributes"].as_array().unwrap();
        let id = attributes.iter().find(|attribute| attribute["key"] == "flowtrail.id").unwrap();
        let id = id["value"]["stringValue"].as_str().unwrap().to_owned();
        if is_poison(record) {
            rejected += 1;
        } else {
            *seen.taken.entry(id).or_default() += 1;
        }
    }
    let partly = json!({ "partialSuccess": { "rejectedLogRecords": rejected.to_string(), "errorMessage": "POISON" } });
    if rejected == 0 { "{}".into_response() } else { partly.to_string().into_response() }
}

/// A collector that takes a request whole or not at all, and names the first event that it cannot read.
async fn take_hec(State(seen): Receiver, body: Bytes) -> Response {
    let events: Vec<Value> = Deserializer::from_slice(&unpacked(&body)).into_iter().collect::<Result<_, _>>().unwrap();
    let mut seen = seen.lock().unwrap();
    seen.requests += 1;
    if let Some(index) = events.iter().position(is_poison) {
        let said = json!({ "text": "Invalid data format", "code": 6, "invalid-event-number": index });
        return (StatusCode::BAD_REQUEST, said.to_string()).into_response();
    }
    for event in &events {
        *seen.taken.entry(event["event"]["id"].as_str().unwrap().to_owned()).or_default() += 1;
    }
    json!({ "text": "Success", "code": 0 }).to_string().into_response()
}

/// So many events in one message; some of them are poison.
fn events(poison: &[usize]) -> Vec<(String, Value)> {
    let event = |number: usize| {
        let actor = if poison.contains(&number) { "POISON" } else { "alice" };
        (format!("o-{number}"), json!({ "event_type": "door.open", "actor_id": actor }))
    };
    (0..64).map(event).collect()
}

/// Waits until as many of 64 events are taken as can be, each once, and the rest is given up.
async fn all_but(world: &World, seen: &Mutex<Seen>, poison: usize) {
    let status = eventually("everything was delivered or given up", async || {
        let status = world.status(1).await;
        (status["dead_lettered"] == poison && status["delivered"].as_u64() >= Some((64 - poison) as u64))
            .then_some(status)
    })
    .await;
    assert_eq!((&status["state"], &status["lag_events"]), (&json!("active"), &json!(0)), "{status}");
    let seen = seen.lock().unwrap();
    let mine: Vec<usize> = seen.taken.iter().filter(|(id, _)| id.starts_with("o-")).map(|(_, times)| *times).collect();
    assert_eq!((mine.len(), mine.iter().max()), (64 - poison, Some(&1)), "each arrives once");
}

#[tokio::test]
async fn of_what_an_otlp_collector_took_partly_nothing_is_sent_again() {
    let seen: Arc<Mutex<Seen>> = Arc::default();
    let server = HttpServer::start(Router::new().fallback(take_otlp).with_state(seen.clone())).await;
    let mut world = World::start().await;
    let url = server.url("");
    world.integrate_with(1, Platform::Otlp, &[("url", &url), ("events", "audit")], &[]).await;
    world.publish_together(&events(&[20])).await;
    world.stream(HOUR).await;
    all_but(&world, &seen, 1).await;
    assert_eq!(seen.lock().unwrap().requests, 1);
    let letters = world.dead_letters(1).await;
    assert_eq!((&letters["total"], &letters["letters"][0]["event_id"]), (&json!(1), &Value::Null), "{letters}");
    assert_eq!(
        letters["letters"][0]["reason"],
        "the receiver rejected 1 of 64 records, and does not say which: POISON"
    );

    // Most of the batch has arrived, so trying its dead letter again must not send any of it.
    let steered = Steered { platform: Platform::Otlp, by: Actor::system() };
    world.happen(1, &Event::RedriveRequested(steered)).await;
    eventually("it was tried again", async || {
        (world.dead_letters(1).await["letters"][0]["redriven"] == true).then_some(())
    })
    .await;
    world.publish_together(&[("later".to_owned(), json!({ "event_type": "door.open" }))]).await;
    eventually("what comes later arrives", async || seen.lock().unwrap().taken.get("later").map(|_| ())).await;
    assert!(seen.lock().unwrap().taken.values().all(|times| *times == 1));
}

#[tokio::test]
async fn an_event_that_a_hec_collector_names_is_given_up_and_the_rest_arrives_once() {
    let seen: Arc<Mutex<Seen>> = Arc::default();
    let server = HttpServer::start(Router::new().fallback(take_hec).with_state(seen.clone())).await;
    let mut world = World::start().await;
    let url = server.url("");
    world.integrate_with(1, Platform::SplunkHec, &[("url", &url), ("events", "audit")], &[("token", "t")]).await;
    world.publish_together(&events(&[20, 21, 63])).await;
    world.stream(HOUR).await;
    all_but(&world, &seen, 3).await;
    assert_eq!(seen.lock().unwrap().requests, 4, "one for each that it names, and one for the rest");
    let letters = world.dead_letters(1).await;
    let ids: Vec<&Value> = letters["letters"].as_array().unwrap().iter().map(|letter| &letter["event_id"]).collect();
    assert_eq!(ids, ["o-63", "o-21", "o-20"]);
}

#[tokio::test]
async fn a_receiver_that_asks_for_no_pause_gets_the_back_off_all_the_same() {
    let passed = "Wed, 21 Oct 2015 07:28:00 GMT";
    for retry_after in ["0", passed, "junk", "-5"] {
        let seen: Arc<Mutex<Seen>> = Arc::default();
        let refuse = move |State(seen): Receiver| async move {
            seen.lock().unwrap().requests += 1;
            (StatusCode::SERVICE_UNAVAILABLE, [("retry-after", retry_after)])
        };
        let server = HttpServer::start(Router::new().fallback(refuse).with_state(seen.clone())).await;
        let mut world = World::start().await;
        let url = server.url("");
        world.integrate_with(1, Platform::GenericHttp, &[("url", &url), ("events", "audit")], &[]).await;
        world.publish("e", 0..1).await;
        world.stream(HOUR).await;
        // The clock stands still, so only a pause of nothing at all ends by itself.
        for attempt in 1..=6 {
            eventually("it was tried and waits", async || {
                let requests = seen.lock().unwrap().requests;
                assert!(requests <= attempt, "{retry_after}: {requests} requests while no time passes");
                (requests == attempt && world.simulated.sleepers() == 1).then_some(())
            })
            .await;
            world.simulated.advance(Duration::from_secs(60));
        }
    }
}
