//! Events reach the receivers that accounts named: in order, without loss, whatever a receiver or this process does.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use testkit::eventually;

use crate::drill::{number, random_below};
use crate::flowtrail::{Flowtrail, Topology};
use crate::receiver::{Receiver, Reply};

/// What a receiver that is created or tested is sent.
const TEST_EVENT: &str = "flowtrail-test-";

/// Sends a request with a JSON body, and gives status and answer.
async fn ask(flowtrail: &Flowtrail, method: &str, path: &str, body: &Value) -> (u16, Value) {
    let answer = flowtrail.request(method, path).json(body).send().await.unwrap();
    let status = answer.status().as_u16();
    (status, serde_json::from_str(&answer.text().await.unwrap()).unwrap())
}

fn hook(receiver: &Receiver, more: &Value) -> Value {
    let mut config = json!({ "url": receiver.url(), "events": "audit" });
    config.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    json!({ "platform": "generic_http", "enabled": true, "config": config })
}

/// Makes an integration that is enabled, and gives its id.
async fn integrate(flowtrail: &Flowtrail, receiver: &Receiver) -> u64 {
    let (status, made) = ask(flowtrail, "POST", "/api/event-streaming", &hook(receiver, &json!({}))).await;
    assert_eq!(status, 200, "{made}");
    made["id"].as_u64().unwrap()
}

/// Publishes audit events `<prefix>0`, `<prefix>1`, ... and gives their ids.
async fn publish(flowtrail: &Flowtrail, prefix: &str, count: usize) -> Vec<String> {
    let ids: Vec<String> = (0..count).map(|number| format!("{prefix}{number}")).collect();
    let events: Vec<Value> = ids.iter().map(|id| json!({ "id": id, "event_type": "door.open" })).collect();
    for part in events.chunks(500) {
        let (status, answer) = ask(flowtrail, "POST", "/api/events/audit", &json!(part)).await;
        assert_eq!(status, 202, "{answer}");
    }
    ids
}

async fn status(flowtrail: &Flowtrail, id: u64) -> Value {
    flowtrail.get(&format!("/api/event-streaming/{id}/status")).await
}

async fn is(flowtrail: &Flowtrail, id: u64, state: &str) -> Value {
    eventually(&format!("it is {state}"), async || {
        let status = status(flowtrail, id).await;
        (status["state"] == state).then_some(status)
    })
    .await
}

async fn steer(flowtrail: &Flowtrail, id: u64, verb: &str, body: &Value) {
    let (status, answer) = ask(flowtrail, "POST", &format!("/api/event-streaming/{id}/{verb}"), body).await;
    assert_eq!((status, &answer["id"]), (200, &json!(id)), "{answer}");
}

async fn has(receiver: &Receiver, prefix: &str, ids: &[String]) {
    eventually("the receiver has everything", async || (receiver.taken(prefix) == ids).then_some(())).await;
}

async fn events_arrive_in_order(topology: Topology) {
    let flowtrail = Flowtrail::start(topology).await;
    publish(&flowtrail, "before", 3).await;
    let receiver = Receiver::start().await;
    let id = integrate(&flowtrail, &receiver).await;
    assert_eq!(receiver.taken(TEST_EVENT).len(), 1, "it was tried first");
    let ids = publish(&flowtrail, "event", 250).await;
    has(&receiver, "event", &ids).await;
    assert_eq!(receiver.taken("before"), Vec::<String>::new(), "it begins where it was made");
    let status = eventually("it is even with the log", async || {
        let status = status(&flowtrail, id).await;
        (status["lag_events"] == 0 && status["delivered"].as_u64() >= Some(250)).then_some(status)
    })
    .await;
    assert_eq!((&status["state"], &status["lag_seconds"], &status["failed"]), (&json!("active"), &json!(0), &json!(0)));
    assert!(status["last_success"].is_string() && status["last_error"].is_null(), "{status}");
    assert!(status["position"]["FLOWTRAIL_AUDIT"]["sequence"].as_u64() > Some(1), "{status}");

    receiver.rule(|id| Reply::Status(if id == "bad0" { 400 } else { 200 }));
    publish(&flowtrail, "bad", 1).await;
    let letters = format!("/api/event-streaming/{id}/dead-letters");
    eventually("the letter is there", async || (flowtrail.get(&letters).await[0]["event_id"] == "bad0").then_some(()))
        .await;
    assert_eq!(flowtrail.request("GET", &format!("{letters}?limit=0")).send().await.unwrap().status(), 400);
    receiver.rule(|_| Reply::Status(200));
    steer(&flowtrail, id, "dead-letters/redrive", &json!({})).await;
    eventually("it arrived", async || (receiver.taken("bad") == ["bad0"]).then_some(())).await;
    // There is nothing there yet: it goes on with what comes. Both orders are audit events, so they arrive too.
    let before = receiver.taken("").len();
    steer(&flowtrail, id, "replay", &json!({ "from": "FLOWTRAIL_AUDIT:99999999" })).await;
    steer(&flowtrail, id, "resume", &json!({})).await;
    eventually("they are carried out", async || (receiver.taken("").len() >= before + 2).then_some(())).await;
    let later = publish(&flowtrail, "later", 3).await;
    has(&receiver, "later", &later).await;
    assert_eq!(receiver.taken("event").len(), 250, "nothing came twice");
    let path = format!("/api/event-streaming/{id}");
    assert_eq!(
        ask(&flowtrail, "POST", &format!("{path}/test"), &json!({})).await,
        (200, json!({ "delivered": true, "guarantee": "at least once" }))
    );
    assert_eq!(flowtrail.get(&format!("{path}/history")).await[3]["event"], "created");
}

#[tokio::test]
async fn events_arrive_in_order_in_one_process() {
    events_arrive_in_order(Topology::Together).await;
}

#[tokio::test]
async fn events_arrive_in_order_with_the_least_rights_on_nats() {
    events_arrive_in_order(Topology::LeastPrivilege).await;
}

#[tokio::test]
async fn a_receiver_that_refuses_the_test_event_is_refused_and_nothing_is_stored() {
    let flowtrail = Flowtrail::start(Topology::Together).await;
    let receiver = Receiver::with(|_| Reply::Status(401)).await;
    let (status, answer) = ask(&flowtrail, "POST", "/api/event-streaming", &hook(&receiver, &json!({}))).await;
    assert_eq!((status, &answer["code"]), (412, &json!(412)));
    assert!(answer["message"].as_str().unwrap().contains("401"), "{answer}");
    assert_eq!(flowtrail.get("/api/event-streaming").await, json!([]));
    // Nobody is contacted for one that is not enabled.
    receiver.forget();
    let mut disabled = hook(&receiver, &json!({}));
    disabled["enabled"] = json!(false);
    let (status, made) = ask(&flowtrail, "POST", "/api/event-streaming", &disabled).await;
    assert_eq!((status, &made["id"]), (200, &json!(1)), "{made}");
    let (status, answer) = ask(&flowtrail, "POST", "/api/event-streaming/1/test", &json!({})).await;
    assert_eq!((status, receiver.got().len()), (412, 1), "{answer}");
    receiver.rule(|_| Reply::Status(204));
    let (status, answer) = ask(&flowtrail, "POST", "/api/integrations/event-streaming/1/test", &json!({})).await;
    assert_eq!((status, answer), (200, json!({ "delivered": true, "guarantee": "at least once" })));
    assert_eq!(ask(&flowtrail, "POST", "/api/event-streaming/9/test", &json!({})).await.0, 404);
}

#[tokio::test]
async fn an_integration_is_paused_resumed_disabled_enabled_and_replayed() {
    let flowtrail = Flowtrail::start(Topology::Together).await;
    let receiver = Receiver::start().await;
    let id = integrate(&flowtrail, &receiver).await;
    let path = format!("/api/event-streaming/{id}");
    let first = publish(&flowtrail, "a", 5).await;
    has(&receiver, "a", &first).await;

    steer(&flowtrail, id, "pause", &json!({})).await;
    assert_eq!(status(&flowtrail, id).await["state"], "paused");
    let second = publish(&flowtrail, "b", 5).await;
    eventually("they wait", async || (status(&flowtrail, id).await["lag_events"].as_u64() >= Some(1)).then_some(()))
        .await;
    assert_eq!(receiver.taken("b"), Vec::<String>::new());
    steer(&flowtrail, id, "resume", &json!({})).await;
    has(&receiver, "b", &second).await;

    ask(&flowtrail, "PUT", &path, &json!({ "enabled": false })).await;
    assert_eq!(status(&flowtrail, id).await["state"], "paused");
    let third = publish(&flowtrail, "c", 5).await;
    assert_eq!(ask(&flowtrail, "PUT", &path, &json!({ "enabled": true })).await.0, 200);
    has(&receiver, "c", &third).await;
    assert_eq!((receiver.taken("a"), receiver.taken("b")), (first.clone(), second.clone()), "nothing came twice");

    receiver.forget();
    steer(&flowtrail, id, "replay", &json!({ "from": "FLOWTRAIL_AUDIT:1" })).await;
    let fourth = publish(&flowtrail, "d", 5).await;
    has(&receiver, "d", &fourth).await;
    for (prefix, ids) in [("a", &first), ("b", &second), ("c", &third)] {
        assert_eq!(&receiver.taken(prefix), ids, "the past came again, then it went on");
    }
    // The next worker does not replay again.
    receiver.forget();
    steer(&flowtrail, id, "pause", &json!({})).await;
    steer(&flowtrail, id, "resume", &json!({})).await;
    let fifth = publish(&flowtrail, "e", 2).await;
    has(&receiver, "e", &fifth).await;
    assert_eq!(receiver.taken("a"), Vec::<String>::new());

    let history = flowtrail.get(&format!("{path}/history")).await;
    let events: Vec<&str> =
        history.as_array().unwrap().iter().rev().map(|one| one["event"].as_str().unwrap()).collect();
    let expected = ["created", "paused", "resumed", "updated", "updated", "replay_requested", "paused", "resumed"];
    assert_eq!(events, expected);
    assert_eq!(history[3]["changed"], json!(["enabled"]));
    assert_eq!((&history[3]["before"], &history[3]["after"]), (&json!({"enabled": false}), &json!({"enabled": true})));
    assert!(history[0]["by"]["id"].is_string(), "{history}");
}

#[tokio::test]
async fn what_a_receiver_refuses_for_good_is_a_dead_letter_that_can_be_driven_again() {
    let flowtrail = Flowtrail::start(Topology::Together).await;
    let receiver = Receiver::with(|id| Reply::Status(if id == "x3" { 422 } else { 200 })).await;
    let id = integrate(&flowtrail, &receiver).await;
    let ids = publish(&flowtrail, "x", 8).await;
    let good: Vec<String> = ids.iter().filter(|id| !id.ends_with('3')).cloned().collect();
    has(&receiver, "x", &good).await;
    let path = format!("/api/event-streaming/{id}/dead-letters");
    let letters = eventually("the letter is there", async || {
        let letters = flowtrail.get(&path).await;
        (letters.as_array().unwrap().len() == 1).then_some(letters)
    })
    .await;
    assert_eq!((&letters[0]["event_id"], &letters[0]["redriven"]), (&json!("x3"), &json!(false)));
    assert!(letters[0]["reason"].as_str().unwrap().contains("422"), "{letters}");
    assert_eq!(status(&flowtrail, id).await["dead_lettered"], 1);

    receiver.rule(|_| Reply::Status(200));
    steer(&flowtrail, id, "dead-letters/redrive", &json!({})).await;
    eventually("it arrived", async || receiver.taken("x").contains(&"x3".to_owned()).then_some(())).await;
    eventually("it is marked", async || (flowtrail.get(&path).await[0]["redriven"] == true).then_some(())).await;
    let more = publish(&flowtrail, "y", 3).await;
    has(&receiver, "y", &more).await;
    assert_eq!(receiver.taken("x").len(), 8, "and only it");
}

#[tokio::test]
async fn wrong_credentials_suspend_until_someone_resumes() {
    let flowtrail = Flowtrail::start(Topology::Together).await;
    let receiver = Receiver::start().await;
    let id = integrate(&flowtrail, &receiver).await;
    receiver.rule(|id| Reply::Status(if id == "x1" { 403 } else { 200 }));
    let ids = publish(&flowtrail, "x", 3).await;
    let suspended = is(&flowtrail, id, "suspended").await;
    assert_eq!(suspended["last_error"]["status"], 403, "{suspended}");
    assert!(suspended["since"].is_string() && suspended["next_retry"].is_null(), "{suspended}");
    let attempts = receiver.got().iter().filter(|got| got.status == 403).count();
    assert_eq!((attempts, receiver.taken("x")), (1, vec!["x0".to_owned()]), "it does not hammer");
    receiver.rule(|_| Reply::Status(200));
    steer(&flowtrail, id, "resume", &json!({})).await;
    // What was taken is not sent again.
    has(&receiver, "x", &ids).await;
    assert_eq!(status(&flowtrail, id).await["state"], "active");
}

#[tokio::test]
async fn a_failing_receiver_is_left_alone_as_long_as_it_asks() {
    let flowtrail = Flowtrail::start(Topology::Together).await;
    let receiver = Receiver::start().await;
    let id = integrate(&flowtrail, &receiver).await;
    receiver.rule(|_| Reply::RetryAfter(2));
    let ids = publish(&flowtrail, "x", 3).await;
    let failing = is(&flowtrail, id, "failing").await;
    assert_eq!(failing["last_error"]["status"], 429, "{failing}");
    assert!(failing["next_retry"].is_string() && failing["lag_events"].as_u64() >= Some(1), "{failing}");
    receiver.rule(|_| Reply::Status(200));
    has(&receiver, "x", &ids).await;
    let got = receiver.got();
    let refused: Vec<Instant> = got.iter().filter(|got| got.status == 429).map(|got| got.at).collect();
    let next = got.iter().find(|got| got.id == "x0" && got.status == 200).unwrap().at;
    assert!(next.duration_since(*refused.last().unwrap()) >= Duration::from_secs(2), "Retry-After is honoured");
    is(&flowtrail, id, "active").await;
}

#[tokio::test]
async fn a_dead_receiver_holds_up_nobody_else() {
    let flowtrail = Flowtrail::start(Topology::Together).await;
    let dead = Receiver::start().await;
    integrate(&flowtrail, &dead).await;
    dead.rule(|_| Reply::Silence);
    let mut fast = Vec::new();
    for _ in 0..9 {
        let receiver = Receiver::start().await;
        integrate(&flowtrail, &receiver).await;
        fast.push(receiver);
    }
    let ids = publish(&flowtrail, "x", 200).await;
    for receiver in &fast {
        has(receiver, "x", &ids).await;
    }
    assert_eq!(dead.taken("x"), Vec::<String>::new());
}

/// `just drill-delivery` runs the same with more rounds and events.
#[tokio::test]
async fn killed_at_any_moment_nothing_is_lost_and_order_is_kept() {
    let rounds = number("FLOWTRAIL_DRILL_KILLS", 4);
    let count = number("FLOWTRAIL_DRILL_EVENTS", 300);
    let mut flowtrail = Flowtrail::start(Topology::Together).await;
    let receiver = Receiver::start().await;
    integrate(&flowtrail, &receiver).await;
    receiver.rule(|_| Reply::Status(if random_below(50) == 0 { 500 } else { 200 }));
    let mut all = Vec::new();
    for round in 0..rounds {
        all.extend(publish(&flowtrail, &format!("r{round}-"), count).await);
        tokio::time::sleep(Duration::from_millis(random_below(700))).await;
        flowtrail.kill().await;
        flowtrail.start_processes();
    }
    let wanted: BTreeSet<&String> = all.iter().collect();
    let patience = Instant::now();
    loop {
        let taken = receiver.taken("r");
        if taken.iter().collect::<BTreeSet<_>>() == wanted {
            break;
        }
        assert!(patience.elapsed() < Duration::from_secs(60), "{} of {} arrived", taken.len(), all.len());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let taken = receiver.taken("r");
    // Without repetitions, the order is that of the log.
    let mut seen = BTreeSet::new();
    let once: Vec<&String> = taken.iter().filter(|id| seen.insert((*id).clone())).collect();
    assert_eq!(once, all.iter().collect::<Vec<_>>());
    let most_doubled = rounds * 100;
    assert!(taken.len() <= all.len() + most_doubled, "{} for {}: more than what was under way", taken.len(), all.len());
    println!("{rounds} kills, {} events, {} deliveries", all.len(), taken.len());
    flowtrail.stop();
}

#[tokio::test]
async fn after_a_deletion_nothing_is_sent_and_a_changed_configuration_loses_nothing() {
    let flowtrail = Flowtrail::start(Topology::Together).await;
    let receiver = Receiver::start().await;
    let body = hook(&receiver, &json!({ "headers": "{\"X-Config\":\"old\"}" }));
    let (status, made) = ask(&flowtrail, "POST", "/api/event-streaming", &body).await;
    assert_eq!(status, 200, "{made}");
    let path = format!("/api/event-streaming/{}", made["id"]);
    let ids = publish(&flowtrail, "x", 2000).await;
    eventually("it has begun", async || (receiver.taken("x").len() > 50).then_some(())).await;
    let change = json!({ "config": { "headers": "{\"X-Config\":\"new\"}" } });
    assert_eq!(ask(&flowtrail, "PUT", &path, &change).await.0, 200);
    eventually("the new configuration is used", async || {
        receiver.got().iter().any(|got| got.config == "new").then_some(())
    })
    .await;
    eventually("nothing is missing", async || {
        let taken: BTreeSet<String> = receiver.taken("x").into_iter().collect();
        (taken.len() == ids.len()).then_some(())
    })
    .await;
    let got = receiver.got();
    let first_new = got.iter().position(|got| got.config == "new").unwrap();
    assert!(got[first_new..].iter().all(|got| got.config == "new"), "the old one is not used after the new one");

    publish(&flowtrail, "y", 2000).await;
    eventually("it has begun", async || (receiver.taken("y").len() > 50).then_some(())).await;
    assert_eq!(flowtrail.request("DELETE", &path).send().await.unwrap().status(), 200);
    let deleted = Instant::now();
    tokio::time::sleep(Duration::from_secs(3)).await;
    let latest = receiver.got().iter().map(|got| got.at).max().unwrap();
    assert!(latest <= deleted + Duration::from_secs(1), "{:?} after the deletion", latest.duration_since(deleted));
    assert_eq!(flowtrail.request("GET", &format!("{path}/status")).send().await.unwrap().status(), 404);
}
