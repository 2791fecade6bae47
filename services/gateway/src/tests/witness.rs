use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use model::access::{Actor, Event as Access, Scope, TokenDeleted};
use serde_json::{Value, json};
use testkit::eventually;

use super::world::{World, at, request};
use crate::http::origin::Peer;

/// A request with an address, an id and a program behind it.
fn from_somewhere(mut request: Request<Body>) -> Request<Body> {
    request.extensions_mut().insert(Peer("192.0.2.7".parse().unwrap()));
    let headers = request.headers_mut();
    headers.insert("x-request-id", "r-1".parse().unwrap());
    headers.insert("user-agent", "curl/8".parse().unwrap());
    request
}

#[tokio::test]
async fn a_read_is_recorded_with_who_read_what_and_how_much_of_it() {
    let mut world = World::start().await;
    world.record(true);
    let token = world.silent_token("main", &[Scope::AuditRead]);
    for second in 1..=3 {
        world.audit("main", &format!("e{second}"), second, &json!({ "event_type": "door.open", "actor_id": "alice" }));
    }
    let asked = request(Method::GET, &token, "/api/events/audit?limit=2&search=alice&user_id=alice", Body::empty());
    assert_eq!(world.send(from_somewhere(asked)).await.status, StatusCode::OK);
    world.end_recording().await;
    let expected = json!({
        "event_type": "audit.read", "activity": "Audit log read", "actor_id": "token:t0", "actor_name": "token 0",
        "resource_type": "log", "resource_id": "audit", "http_method": "GET", "path": "/api/events/audit",
        "http_status": 200, "ip_address": "192.0.2.7", "request_id": "r-1", "user_agent": "curl/8",
        "meta": {
            "dialect": "NetBird", "question": "audit.list", "rows": 2, "total": 3, "token_id": "t0",
            "filter": { "actor_id": "alice", "search": "alice" },
        },
    });
    assert_eq!(world.recorded("main").await, [expected]);
}

#[tokio::test]
async fn every_query_of_every_dialect_is_one_record_and_nothing_else_is() {
    let mut world = World::start().await;
    world.record(true);
    let token = world.silent_token("main", &[Scope::Admin]);
    world.audit("main", "e1", 1, &json!({ "event_type": "door.open" }));
    world.traffic("main", "r1", 1, &json!({ "reporter_id": "r", "flow_id": "f" }));
    world.integration("main", 1);
    let long = format!("/api/events/network-traffic?search={}", "x".repeat(10_000));
    for path in [
        "/api/events/audit",
        "/api/events/network-traffic?protocol=6",
        &long,
        "/v1/audit/events?limit=1",
        "/v1/audit/events/e1",
        "/v1/audit/events/none",
        "/v1/audit/catalog",
        // These ask no log, or nothing at all.
        "/api/event-streaming",
        "/api/event-streaming/1",
        "/api/events/proxy",
        "/api/ni/info/version",
        "/api/events/audit?cursor=bad",
        "/v1/audit/events?limit=0",
        "/healthz",
    ] {
        world.get(&token, path).await;
    }
    world.put(Method::POST, &token, "/api/ni/logs/audit", r#"{"operation":"OPEN"}"#).await;
    world.end_recording().await;
    let said = |event: &Value| {
        let meta = &event["meta"];
        format!("{} {} {}/{}", event["event_type"], meta["question"], meta["rows"], meta["total"]).replace('"', "")
    };
    let events = world.recorded("main").await;
    let expected = [
        "audit.read audit.list 2/2",
        "traffic.read traffic.list 0/0",
        "traffic.read traffic.list 0/0",
        "audit.read audit.list 1/2",
        "audit.read audit.by_id 1/1",
        "audit.read audit.by_id 0/0",
        "audit.read audit.catalog 2/2",
        "audit.read audit.list 1/1",
    ];
    assert_eq!(events.iter().map(said).collect::<Vec<_>>(), expected);
    assert!(events[2].to_string().len() < 8192, "what is asked for is recorded, but not in any length");
}

#[tokio::test]
async fn reads_are_recorded_only_where_they_are_to_be() {
    let mut world = World::start().await;
    world.record(false);
    let token = world.silent_token("main", &[Scope::AuditRead]);
    assert_eq!(world.get(&token, "/api/events/audit").await.status, StatusCode::OK);
    assert_eq!(world.get(&token, "/api/events/network-traffic").await.status, StatusCode::FORBIDDEN);
    world.end_recording().await;
    let events = world.recorded("main").await;
    assert_eq!((events.len(), &events[0]["event_type"]), (1, &json!("access.denied")));
}

#[tokio::test]
async fn who_is_turned_away_is_recorded_in_the_account_of_the_token() {
    let mut world = World::start().await;
    world.record(true);
    let narrow = world.silent_token("main", &[Scope::TrafficRead]);
    let expired = world.token_until("acme", &[Scope::Admin], Some(at(0)));
    let deleted = world.silent_token("gone", &[Scope::Admin]);
    let event = Access::TokenDeleted(TokenDeleted { name: "t".to_owned(), by: Actor::system() });
    world.access("gone", "t2", event);
    for (token, status) in [(narrow.as_str(), 403), (&expired, 401), (&deleted, 401), ("ft_unknown", 401)] {
        let asked = request(Method::GET, token, "/v1/audit/events?limit=1", Body::empty());
        assert_eq!(world.send(from_somewhere(asked)).await.status, status);
    }
    let anonymous = Request::get("/v1/audit/events").body(Body::empty()).unwrap();
    assert_eq!(world.send(from_somewhere(anonymous)).await.status, 401);
    world.end_recording().await;
    for (account, status, message, meta) in [
        ("main", 403, "token lacks the scope audit:read", json!({"reason": "missing scope", "scope": "audit:read"})),
        ("acme", 401, "token expired", json!({"reason": "expired token"})),
        ("gone", 401, "token invalid", json!({"reason": "deleted token"})),
    ] {
        let events = world.recorded(account).await;
        let (event, token_id) = (&events[0], events[0]["meta"]["token_id"].as_str().unwrap());
        let mut expected = json!({
            "event_type": "access.denied", "activity": "Access denied", "status": "denied",
            "actor_id": format!("token:{token_id}"), "resource_type": "endpoint",
            "resource_id": "GET /v1/audit/events", "http_method": "GET", "path": "/v1/audit/events",
            "http_status": status, "ip_address": "192.0.2.7", "request_id": "r-1", "user_agent": "curl/8",
            "error_message": message, "meta": { "dialect": "InstaVM", "token_id": token_id, "times": 1 },
        });
        expected["meta"].as_object_mut().unwrap().extend(meta.as_object().unwrap().clone());
        if account != "gone" {
            expected["actor_name"] = event["actor_name"].clone();
        }
        assert_eq!((events.len(), event), (1, &expected));
    }
    let streams = world.bus.state(model::log::Stream::Audit).await.unwrap();
    assert_eq!(streams.last_sequence, 3, "a stranger is in no account's log");
}

#[tokio::test]
async fn a_flood_of_denials_is_told_once_and_then_counted() {
    let mut world = World::start().await;
    world.record(true);
    let narrow = world.silent_token("main", &[Scope::TrafficRead]);
    for _ in 0..500 {
        assert_eq!(world.get(&narrow, "/api/events/audit").await.status, StatusCode::FORBIDDEN);
        assert_eq!(world.get("ft_unknown", "/api/events/audit").await.status, StatusCode::UNAUTHORIZED);
    }
    eventually("the first denial is recorded at once", async || {
        (world.recorded("main").await.len() == 1).then_some(())
    })
    .await;
    world.end_recording().await;
    let times: Vec<Value> = world.recorded("main").await.iter().map(|event| event["meta"]["times"].clone()).collect();
    assert_eq!(times, [json!(1), json!(499)]);
}

#[tokio::test]
async fn while_the_log_is_away_reads_go_on_and_are_recorded_afterwards() {
    let mut world = World::start().await;
    world.record(true);
    let token = world.silent_token("main", &[Scope::AuditRead]);
    world.server.kill().await;
    for _ in 0..200 {
        assert_eq!(world.get(&token, "/api/events/audit").await.status, StatusCode::OK);
    }
    world.server.restart().await;
    eventually("every read is recorded", async || {
        let events = world.bus.load(&model::log::Subject::audit(&super::world::account_id("main"), "flowtrail")).await;
        events.ok().filter(|events| !events.is_empty())?;
        (world.recorded("main").await.len() == 200).then_some(())
    })
    .await;
}

#[tokio::test]
async fn reads_that_find_no_room_are_counted_and_the_count_is_recorded() {
    let mut world = World::start().await;
    let token = world.silent_token("main", &[Scope::AuditRead]);
    let recorder = world.keep_waiting();
    for _ in 0..5000 {
        assert_eq!(world.get(&token, "/v1/audit/events/none").await.status, StatusCode::NOT_FOUND);
    }
    world.router = axum::Router::new();
    recorder.run().await;
    let events = world.recorded("main").await;
    let (one_by_one, counted): (Vec<&Value>, Vec<&Value>) =
        events.iter().partition(|event| event["event_type"] == "audit.read");
    assert_eq!((one_by_one.len(), counted.len()), (4096, 1));
    assert_eq!((&counted[0]["event_type"], &counted[0]["meta"]), (&json!("audit.unrecorded"), &json!({"count": 904})));
}
