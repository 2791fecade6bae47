//! Records of reads in the lists of every dialect: where they are asked for, and nowhere else.

use axum::http::Method;
use model::access::Scope;
use serde_json::{Value, json};

use super::world::World;

/// A reader of an account in which two things happened, and whose lists were read three times.
async fn read_account() -> (World, String) {
    let world = World::start().await;
    let token = world.silent_token("main", &[Scope::AuditRead]);
    for (second, kind) in (1..).zip(["door.open", "audit.read", "file.read", "traffic.read", "audit.read"]) {
        let data = json!({ "event_type": kind, "actor_id": "alice", "meta": { "question": "audit.list" } });
        world.audit("main", &format!("e{second}"), second, &data);
    }
    (world, token)
}

/// What vRNI lists, by operation, and its total.
async fn logs(world: &World, token: &str, body: &str) -> (Vec<String>, Value) {
    let answer = world.put(Method::POST, token, "/api/ni/logs/audit", body).await.json();
    let rows = answer["results"].as_array().unwrap();
    let operation = |row: &Value| row["operation"].as_str().unwrap().to_owned();
    (rows.iter().map(operation).collect(), answer["total_count"].clone())
}

#[tokio::test]
async fn no_list_or_total_has_reads_that_nobody_asks_for() {
    let (world, token) = read_account().await;
    for query in [
        "",
        "?initiator_id=alice",
        "?search=read",
        "?search=AUDIT.LIST",
        "?end_date=2024-01-01T00:00:05Z",
        "?q=actor:alice",
        "?q=-activity:other",
    ] {
        let answer = world.get(&token, &format!("/api/events/audit{query}")).await;
        let expected = if query == "?search=read" { vec!["file.read"] } else { vec!["file.read", "door.open"] };
        let total = expected.len().to_string();
        assert_eq!(
            (answer.all("activity_code"), answer.header("x-total-count")),
            (expected.iter().map(|code| (*code).to_owned()).collect(), Some(&*total)),
            "{query}"
        );
    }
    for query in ["", "?status=success", "?event_group=door&limit=9"] {
        let answer = world.get(&token, &format!("/v1/audit/events{query}")).await;
        let expected = if query.contains("door") { vec!["door.open"] } else { vec!["file.read", "door.open"] };
        assert_eq!(answer.all("event_type"), expected, "{query}");
    }
    for (body, expected) in [
        ("", vec!["READ", "OPEN"]),
        (r#"{"user_name":"alice"}"#, vec!["READ", "OPEN"]),
        (r#"{"operation":"READ"}"#, vec!["READ"]),
        (r#"{"response":"SUCCESS"}"#, vec!["READ", "OPEN"]),
    ] {
        let total = json!(expected.len());
        assert_eq!(
            logs(&world, &token, body).await,
            (expected.into_iter().map(str::to_owned).collect(), total),
            "{body}"
        );
    }
}

#[tokio::test]
async fn reads_are_shown_where_they_are_asked_for() {
    let (world, token) = read_account().await;
    let all = ["audit.read", "traffic.read", "file.read", "audit.read", "door.open"];
    for (path, member, expected) in [
        ("/api/events/audit?reads=include", "activity_code", &all[..]),
        ("/api/events/audit?activity_code=audit.read", "activity_code", &["audit.read", "audit.read"]),
        ("/api/events/audit?activity_code=traffic.read&activity_code=door.open", "activity_code", &[all[1], all[4]]),
        ("/api/events/audit?q=activity:audit.*", "activity_code", &["audit.read", "audit.read"]),
        ("/api/events/audit?q=group:(traffic%20OR%20door)", "activity_code", &[all[1], all[4]]),
        ("/v1/audit/events?reads=include", "event_type", &all),
        ("/v1/audit/events?event_type=audit.read", "event_type", &["audit.read", "audit.read"]),
        ("/v1/audit/events?event_group=traffic", "event_type", &["traffic.read"]),
    ] {
        assert_eq!(world.get(&token, path).await.all(member), expected, "{path}");
    }
    let (rows, total) = logs(&world, &token, r#"{"reads":"include","operation":"READ"}"#).await;
    assert_eq!((rows.len(), total), (4, json!(4)));
    for (query, expected) in [("", 2), ("?reads=include", 5), ("?q=type:audit.read", 2)] {
        let list = world.get(&token, &format!("/flowtrail/v1/audit{query}")).await.json();
        assert_eq!((list["items"].as_array().unwrap().len(), &list["total"]), (expected, &json!(expected)), "{query}");
    }
    // By its id each is found, and the catalog says that there are such events.
    assert_eq!(world.get(&token, "/v1/audit/events/e4").await.json()["event_type"], "traffic.read");
    let catalog = world.get(&token, "/v1/audit/catalog").await.json();
    assert_eq!(catalog["catalog"]["audit"], json!(["audit.read"]));
}

#[tokio::test]
async fn pages_go_on_between_reads_and_a_cursor_is_of_one_kind_of_list() {
    let (world, token) = read_account().await;
    let first = world.get(&token, "/api/events/audit?limit=1").await;
    let next = first.next().unwrap();
    let second = world.get(&token, &next).await;
    assert_eq!(
        (first.all("id"), second.all("id"), second.next()),
        (vec!["e3".to_owned()], vec!["e1".to_owned()], None)
    );
    let refusal = world.get(&token, &format!("{next}&reads=include")).await.refusal(400);
    assert!(refusal.starts_with("cursor: "), "{refusal}");
    for (path, status) in [("/api/events/audit?reads=all", 400), ("/v1/audit/events?reads=", 422)] {
        assert_eq!(world.get(&token, path).await.status, status, "{path}");
    }
}
