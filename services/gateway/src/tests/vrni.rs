use axum::http::Method;
use model::access::Scope;
use serde_json::{Value, json};

use super::world::{Answer, World};

const PATH: &str = "/api/ni/logs/audit";

/// A reader of an account with four events; the making of the reader's token is a fifth.
async fn reader() -> (World, String) {
    let world = World::start().await;
    let token = world.token("main", &[Scope::AuditRead]);
    for (id, second, data) in [
        ("e1", 1, json!({ "event_type": "vm.update", "user_name": "admin@local", "ip_address": "192.0.2.1" })),
        ("e2", 2, json!({ "event_type": "user.login", "actor_id": "u1", "status": "denied" })),
        ("e3", 3, json!({ "event_type": "vm.update", "resource_type": "vm", "resource_id": "1:2:3", "value": "v" })),
        ("e4", 4, json!({ "event_type": "x", "operation": "DELETE", "response": "OK", "meta": { "n": 1 } })),
    ] {
        world.audit("main", id, second, &data);
    }
    (world, token)
}

async fn ask(world: &World, token: &str, body: &str) -> Answer {
    world.put(Method::POST, token, PATH, body).await
}

/// The timestamps of the results, as seconds of the tests' day, and the exact total.
async fn found(world: &World, token: &str, body: &Value) -> (Vec<i64>, u64) {
    let answer = ask(world, token, &body.to_string()).await;
    assert_eq!(answer.status, 200, "{body}: {answer:?}");
    let answer = answer.json();
    let second = |row: &Value| row["timestamp"].as_i64().unwrap() - 1_704_067_200;
    let seconds = answer["results"].as_array().unwrap().iter().map(second).collect();
    (seconds, answer["total_count"].as_u64().unwrap())
}

#[tokio::test]
async fn an_event_has_all_eight_members_whatever_is_known() {
    let (world, token) = reader().await;
    let answer = ask(&world, &token, r#"{"size":1}"#).await;
    assert!(answer.header("flowtrail-as-of").is_some());
    let mut body = answer.json();
    assert!(body["cursor"].take().is_string());
    let row = json!({
        "ip_address": "", "user_name": "", "entity_type": "", "entity_id": "", "operation": "DELETE", "response": "OK",
        "value": "{\"n\":1}", "timestamp": 1_704_067_204,
    });
    let expected = json!({
        "results": [row], "cursor": null, "start_time": 1_704_067_204, "end_time": 1_704_067_204, "total_count": 5,
    });
    assert_eq!(body, expected);
}

#[tokio::test]
async fn every_filter_narrows_the_list() {
    let (world, token) = reader().await;
    world.known("main", "u1", &json!({ "email": "alice@example.com" }));
    let day = 1_704_067_200;
    for (filter, expected) in [
        (json!({ "user_name": "admin@local" }), vec![1]),
        (json!({ "username": "admin@local", "user_name": "admin@local" }), vec![1]),
        (json!({ "username": "alice@example.com" }), vec![2]),
        (json!({ "username": "u1" }), vec![]),
        (json!({ "ip_address": "192.0.2.1" }), vec![1]),
        (json!({ "entity_type": "vm" }), vec![3]),
        (json!({ "entity_id": "1:2:3" }), vec![3]),
        (json!({ "operation": "UPDATE" }), vec![3, 1]),
        (json!({ "operation": "DELETE" }), vec![4]),
        (json!({ "operation": "update" }), vec![]),
        (json!({ "response": "FAILURE" }), vec![2]),
        (json!({ "response": "OK" }), vec![4]),
        (json!({ "operation": "UPDATE", "response": "SUCCESS", "entity_type": "vm" }), vec![3]),
        (json!({ "time_range": { "start_time": day + 2, "end_time": day + 3 } }), vec![3, 2]),
        (json!({ "time_range": { "start_time": day + 3 }, "size": 0 }), vec![4, 3]),
        (json!({ "time_range": { "start_time": day + 3, "end_time": day } }), vec![]),
    ] {
        let total = expected.len() as u64;
        assert_eq!(found(&world, &token, &filter).await, (expected, total), "{filter}");
    }
}

#[tokio::test]
async fn an_address_is_meant_exactly_and_in_any_spelling() {
    let world = World::start().await;
    let token = world.silent_token("main", &[Scope::AuditRead]);
    let addresses = ["10.0.0.4", "110.0.0.4", "10.0.0.40", "10.0.0.4:53", "2001:db8::5", "::ffff:10.0.0.4", "Gate-1"];
    for (second, address) in (1..).zip(addresses) {
        world.audit("main", &format!("e{second}"), second, &json!({ "event_type": "x", "ip_address": address }));
    }
    for (wanted, expected) in [
        ("10.0.0.4", vec![6, 4, 1]),
        ("10.0.0.4:53", vec![4]),
        ("10.0.0.0/24", vec![6, 4, 3, 1]),
        ("10.0.0.4/32", vec![6, 4, 1]),
        ("2001:DB8:0:0::5", vec![5]),
        ("2001:db8::/32", vec![5]),
        ("gate-1", vec![7]),
        ("gate", vec![]),
        ("0.0.0.4", vec![]),
        ("10.0.0", vec![]),
    ] {
        let total = expected.len() as u64;
        assert_eq!(found(&world, &token, &json!({ "ip_address": wanted })).await, (expected, total), "{wanted}");
    }
}

#[tokio::test]
async fn the_whole_last_second_of_a_range_is_in_it() {
    let (world, token) = reader().await;
    let late = json!({ "specversion": "1.0", "id": "late", "source": "/t", "type": "flowtrail.audit.recorded.v1",
        "time": "2024-01-01T00:00:09.999999Z", "data": { "event_type": "x" } });
    world.event("main", &late);
    let range = |start: i64, end: i64| json!({ "time_range": { "start_time": start, "end_time": end } });
    assert_eq!(found(&world, &token, &range(1_704_067_209, 1_704_067_209)).await, (vec![9], 1));
    assert_eq!(found(&world, &token, &range(1_704_067_210, 1_704_067_210)).await, (vec![], 0));
}

#[tokio::test]
async fn an_empty_body_asks_for_everything() {
    let (world, token) = reader().await;
    for body in ["", "{}", r#"{"time_range":{},"size":0}"#] {
        let answer = ask(&world, &token, body).await.json();
        assert_eq!((answer["total_count"].as_u64(), answer.get("cursor")), (Some(5), None), "{body}");
    }
    let nothing = ask(&world, &token, r#"{"user_name":"nobody"}"#).await.json();
    assert_eq!(nothing, json!({ "results": [], "total_count": 0 }));
}

#[tokio::test]
async fn pages_neither_repeat_nor_skip_while_events_are_added() {
    let (world, token) = reader().await;
    let mut body = json!({ "size": 1, "operation": "UPDATE" });
    let mut seen = Vec::new();
    for newer in 0_u64.. {
        let answer = ask(&world, &token, &body.to_string()).await.json();
        assert_eq!(answer["total_count"], 2, "the rows that the pages add up to");
        seen.extend(answer["results"].as_array().unwrap().iter().map(|row| row["timestamp"].as_i64().unwrap()));
        let Some(cursor) = answer.get("cursor") else { break };
        body["cursor"] = cursor.clone();
        world.audit("main", &format!("new-{newer}"), 100 + newer, &json!({ "event_type": "vm.update" }));
    }
    assert_eq!(seen, [1_704_067_203, 1_704_067_201]);
    let again = found(&world, &token, &json!({ "size": 1, "operation": "UPDATE" })).await;
    assert_eq!(again, (vec![100], 3));
}

#[tokio::test]
async fn a_refusal_names_the_field_as_vrni_does() {
    let (world, token) = reader().await;
    for (body, field, problem) in [
        (r#"{"size":1001}"#, "size", "must be from 0 to 1000"),
        (r#"{"cursor":"x"}"#, "cursor", "must be one that was given for this list, with the same filter and account"),
        (r#"{"time_range":{"start_time":"x"}}"#, "time_range.start_time", "must be an integer of 64 bits"),
        ("[]", "body", "must be a JSON object"),
    ] {
        let expected = json!({
            "code": 400, "message": format!("{field}: {problem}"),
            "details": [{ "code": 400, "message": problem, "target": [field] }],
        });
        assert_eq!(ask(&world, &token, body).await.json(), expected);
    }
    let get = world.get(&token, PATH).await;
    let expected = json!({ "code": 405, "message": "method not allowed",
        "details": [{ "code": 405, "message": "method not allowed", "target": [] }] });
    assert_eq!(get.json(), expected);
    for (path, status) in [("/api/ni", 404), ("/api/ni/nothing", 404), ("/api/nix", 404)] {
        let answer = world.get(&token, path).await;
        assert_eq!(answer.status, status);
        assert_eq!(answer.json().get("details").is_some(), path != "/api/nix", "{path}");
    }
    let large = ask(&world, &token, &" ".repeat((1 << 20) + 1)).await;
    assert_eq!(large.refusal(413), "body: must have at most 1048576 bytes");
    let foreign = world.token("main", &[Scope::TrafficRead]);
    assert_eq!(ask(&world, &foreign, "").await.refusal(403), "token lacks the scope audit:read");
}

#[tokio::test]
async fn the_version_is_told_to_any_token() {
    let (world, _) = reader().await;
    let token = world.token("main", &[Scope::EventsWrite]);
    assert_eq!(world.get(&token, "/api/ni/info/version").await.json(), json!({ "api_version": "1.1.8" }));
}
