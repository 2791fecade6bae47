//! `q`, the language, as a parameter of the dialects' lists.

use axum::http::{Method, StatusCode};
use model::access::Scope;
use serde_json::{Value, json};

use super::world::{Answer, World};

/// A reader of an account with four audit events and three records. No other events are there.
async fn reader() -> (World, String) {
    let mut world = World::start().await;
    world.record(true);
    let token = world.silent_token("main", &[Scope::AuditRead, Scope::TrafficRead]);
    for (id, second, data) in [
        ("e1", 1, json!({ "event_type": "route.add", "actor_id": "u1", "meta": { "owner": "bob" } })),
        ("e2", 2, json!({ "event_type": "route.delete", "actor_id": "u1", "status": "failure", "http_status": 503 })),
        ("e3", 3, json!({ "event_type": "user.login", "actor_id": "u2", "ip_address": "10.0.0.4" })),
        (
            "e4",
            4,
            json!({ "event_type": "route.add", "actor_id": "u2", "ip_address": "110.0.0.4", "meta": { "owner": "eve" } }),
        ),
    ] {
        world.audit("main", id, second, &data);
    }
    world.known("main", "u1", &json!({ "name": "Alice", "email": "alice@example.com" }));
    for (flow, second, bytes, address) in
        [("a", 1, 10, "10.0.0.4:53"), ("b", 2, 2000, "110.0.0.4:53"), ("c", 3, 30, "10.0.0.4:443")]
    {
        let report =
            json!({ "flow_id": flow, "reporter_id": "r", "rx_bytes": bytes, "destination": { "address": address } });
        world.traffic("main", flow, second, &report);
    }
    (world, token)
}

/// Percent-encodes what a query may not hold as it is.
fn encoded(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}

async fn vrni(world: &World, token: &str, body: &Value) -> Answer {
    world.put(Method::POST, token, "/api/ni/logs/audit", &body.to_string()).await
}

#[tokio::test]
async fn every_audit_list_shows_what_is_asked_for() {
    let (world, token) = reader().await;
    for (q, expected) in [
        ("", vec!["e4", "e3", "e2", "e1"]),
        ("type:route.*", vec!["e4", "e2", "e1"]),
        ("activity_code:route.add OR status:failure", vec!["e4", "e2", "e1"]),
        ("actor:alice -status:failure", vec!["e1"]),
        ("initiator_email:*@example.com", vec!["e2", "e1"]),
        ("alice", vec!["e2", "e1"]),
        ("ip:10.0.0.0/8", vec!["e3"]),
        ("ip:10.0.0.4", vec!["e3"]),
        ("meta.owner:bob", vec!["e1"]),
        ("http_status:>=500", vec!["e2"]),
        ("time:>=2024-01-01T00:00:02Z time:<\"2024-01-01T00:00:04Z\"", vec!["e3", "e2"]),
        ("-type:*", vec![]),
    ] {
        let q_in_path = encoded(q);
        let netbird = world.get(&token, &format!("/api/events/audit?q={q_in_path}")).await;
        assert_eq!(netbird.all("id"), expected, "{q}");
        assert_eq!(netbird.header("x-total-count"), Some(expected.len().to_string().as_str()), "{q}");
        let instavm = world.get(&token, &format!("/v1/audit/events?q={q_in_path}")).await;
        assert_eq!(instavm.all("id"), expected, "{q}");
        let answer = vrni(&world, &token, &json!({ "q": q })).await.json();
        let rows = answer["results"].as_array().unwrap().len();
        assert_eq!((rows, &answer["total_count"]), (expected.len(), &json!(expected.len())), "{q}");
    }
}

#[tokio::test]
async fn the_traffic_list_shows_what_is_asked_for() {
    let (world, token) = reader().await;
    for (q, expected) in [
        ("dst:10.0.0.4", vec!["c", "a"]),
        ("dst:10.0.0.4 dport:53", vec!["a"]),
        ("dst:\"10.0.0.4:443\"", vec!["c"]),
        ("bytes:>1k", vec!["b"]),
        ("bytes:>1k OR dport:443", vec!["c", "b"]),
        ("type:drop", vec![]),
    ] {
        let answer = world.get(&token, &format!("/api/events/network-traffic?q={}", encoded(q))).await;
        assert_eq!(answer.all("flow_id"), expected, "{q}");
        assert_eq!(answer.json()["total_records"], expected.len(), "{q}");
    }
}

#[tokio::test]
async fn what_is_asked_for_is_joined_with_the_other_filters() {
    let (world, token) = reader().await;
    let netbird = world.get(&token, "/api/events/audit?q=type:route.*&user_id=u1&end_date=2024-01-01T00:00:01Z").await;
    assert_eq!(netbird.all("id"), ["e1"]);
    let instavm = world.get(&token, "/v1/audit/events?q=actor:u2&event_type=route.add").await;
    assert_eq!(instavm.all("id"), ["e4"]);
    let answer = vrni(&world, &token, &json!({ "q": "type:route.*", "response": "FAILURE" })).await.json();
    assert_eq!((answer["results"].as_array().unwrap().len(), &answer["total_count"]), (1, &json!(1)));
    let traffic = world.get(&token, "/api/events/network-traffic?q=dport:53&search=110.").await;
    assert_eq!(traffic.all("flow_id"), ["b"]);
}

#[tokio::test]
async fn rows_that_are_judged_one_by_one_are_told() {
    let (world, token) = reader().await;
    let told = |answer: &Answer| {
        ["flowtrail-scanned", "flowtrail-complete"].map(|name| answer.header(name).map(str::to_owned))
    };
    let judged = |scanned: &str| [Some(scanned.to_owned()), Some("true".to_owned())];
    // Columns leave open what has a status; one name and text in JSON stand in one event alone.
    let open =
        [("http_status:%3E=500", judged("4")), ("meta.owner:bob", judged("1")), ("type:route.add", [None, None])];
    for (q, expected) in open {
        assert_eq!(told(&world.get(&token, &format!("/api/events/audit?q={q}")).await), expected, "{q}");
        assert_eq!(told(&world.get(&token, &format!("/v1/audit/events?q={q}")).await), expected, "{q}");
    }
    assert_eq!(told(&vrni(&world, &token, &json!({ "q": "http_status:>=500" })).await), judged("4"));
    assert_eq!(told(&world.get(&token, "/api/events/network-traffic?q=flow:none").await), judged("3"));
    assert_eq!(told(&world.get(&token, "/api/events/network-traffic?q=bytes:%3E1k").await), [None, None]);
}

#[tokio::test]
async fn a_mistake_is_a_400_in_the_dialects_own_form_that_says_where_and_what() {
    let (world, token) = reader().await;
    let wrong = "column 14: \"actr\" is no field: is actor meant?";
    let q = "type:route.* actr:alice";
    let in_path = encoded(q);
    for path in ["/api/events/audit", "/api/events"] {
        let refusal = world.get(&token, &format!("{path}?q={in_path}")).await.refusal(400);
        assert_eq!(refusal, format!("q: {wrong}"));
    }
    let refusal = world.get(&token, "/api/events/network-traffic?q=dport:x").await.refusal(400);
    assert!(refusal.starts_with("q: column 7: \"x\" is no value of dport, which takes a number"), "{refusal}");
    let instavm = world.get(&token, &format!("/v1/audit/events?q={in_path}")).await;
    assert_eq!((instavm.status, instavm.json()), (StatusCode::BAD_REQUEST, json!({ "detail": format!("q: {wrong}") })));
    let answer = vrni(&world, &token, &json!({ "q": q })).await;
    assert_eq!(answer.refusal(400), format!("q: {wrong}"));
    let detail = &answer.json()["details"][0];
    assert_eq!((&detail["target"], &detail["message"]), (&json!(["q"]), &json!(wrong)));
}

#[tokio::test]
async fn a_cursor_is_bound_to_what_is_asked_for() {
    let (world, token) = reader().await;
    let first = world.get(&token, "/api/events/audit?q=type:route.*&limit=1").await;
    let next = first.next().unwrap();
    assert_eq!(world.get(&token, &next).await.all("id"), ["e2"]);
    let other = next.replace("route", "user");
    assert!(world.get(&token, &other).await.refusal(400).starts_with("cursor: "));
    let instavm = world.get(&token, "/v1/audit/events?q=actor:u1&limit=1").await.json();
    let cursor = instavm["next_cursor"].as_str().unwrap();
    let second = world.get(&token, &format!("/v1/audit/events?q=actor:u1&limit=1&cursor={cursor}")).await;
    assert_eq!(second.all("id"), ["e1"]);
    let refused = world.get(&token, &format!("/v1/audit/events?q=actor:u2&cursor={cursor}")).await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST);
    let page = vrni(&world, &token, &json!({ "q": "actor:u1", "size": 1 })).await.json();
    let rest = json!({ "q": "actor:u1", "size": 1, "cursor": page["cursor"] });
    assert_eq!(vrni(&world, &token, &rest).await.json()["results"][0]["operation"], "ADD");
    let refused = vrni(&world, &token, &json!({ "cursor": page["cursor"] })).await.refusal(400);
    assert!(refused.starts_with("cursor: "), "{refused}");
}

#[tokio::test]
async fn a_read_is_recorded_with_what_was_asked_for() {
    let (mut world, token) = reader().await;
    world.get(&token, "/api/events/audit?q=actor:alice&search=r").await;
    world.end_recording().await;
    let recorded = world.recorded("main").await;
    assert_eq!(recorded[0]["meta"]["filter"], json!({ "search": "r", "q": "actor:alice" }));
    assert_eq!((&recorded[0]["meta"]["rows"], &recorded[0]["meta"]["total"]), (&json!(2), &json!(2)));
}
