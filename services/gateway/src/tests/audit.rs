use model::access::Scope;
use serde_json::json;

use super::world::World;

const PATH: &str = "/api/events/audit";

/// Five events, a second apart but for the last two, which are of the same time.
fn fill(world: &World) {
    for (id, second, code, actor) in [
        ("e1", 1, "user.join", "alice"),
        ("e2", 2, "route.add", "bob"),
        ("e3", 3, "route.add", "alice"),
        ("e4", 4, "route.delete", "alice"),
        ("e5", 4, "route.add", "bob"),
    ] {
        let ip_address = format!("192.0.2.{second}");
        let data = json!({
            "event_type": code, "actor_id": actor, "resource_id": format!("r-{id}"), "ip_address": ip_address,
        });
        world.audit("main", id, second, &data);
    }
}

/// A reader of audit events in an account whose only events are those that a test puts in.
async fn reader() -> (World, String) {
    let world = World::start().await;
    world.token("other", &[Scope::Admin]);
    let token = world.token("main", &[Scope::AuditRead]);
    (world, token)
}

#[tokio::test]
async fn an_event_has_all_nine_members_whatever_is_known() {
    let (world, token) = reader().await;
    world.audit("main", "7", 1, &json!({ "activity_code": "route.add", "meta": { "n": 1, "t": "x", "none": null } }));
    let answer = world.get(&token, "/api/events/audit?activity_code=route.add").await;
    let expected = json!([{
        "id": "7",
        "timestamp": "2024-01-01T00:00:01Z",
        "activity": "Route created",
        "activity_code": "route.add",
        "initiator_id": "",
        "initiator_name": "",
        "initiator_email": "",
        "target_id": "",
        "meta": { "n": "1", "t": "x", "none": "null" },
    }]);
    assert_eq!(answer.json(), expected);
}

#[tokio::test]
async fn events_are_listed_newest_first_at_both_paths() {
    let (world, token) = reader().await;
    fill(&world);
    for path in [PATH, "/api/events"] {
        let answer = world.get(&token, path).await;
        assert_eq!(answer.all("id"), ["e5", "e4", "e3", "e2", "e1", "access-1"], "{path}");
        assert_eq!((answer.header("x-total-count"), answer.next()), (Some("6"), None));
    }
}

#[tokio::test]
async fn every_filter_narrows_the_list() {
    let (world, token) = reader().await;
    fill(&world);
    for (query, expected) in [
        ("activity_code=route.add", vec!["e5", "e3", "e2"]),
        ("activity_code=route.delete&activity_code=user.join", vec!["e4", "e1"]),
        ("initiator_id=bob", vec!["e5", "e2"]),
        ("user_id=bob", vec!["e5", "e2"]),
        ("target_id=r-e3", vec!["e3"]),
        ("search=ROUTE+CREATED", vec!["e5", "e3", "e2"]),
        ("search=r-e4", vec!["e4"]),
        ("search=0.2.4", vec!["e5", "e4"]),
        ("search=%25", vec![]),
        ("search=%00", vec![]),
        ("start_date=2024-01-01T00:00:03Z", vec!["e5", "e4", "e3"]),
        ("end_date=2024-01-01T00:00:02Z&search=r-", vec!["e2", "e1"]),
        ("start_date=2024-01-01T00:00:02Z&end_date=2024-01-01T00:00:02.000Z", vec!["e2"]),
        ("start_date=2024-01-02T00:00:00Z&end_date=2024-01-01T00:00:00Z", vec![]),
        ("activity_code=route.add&initiator_id=alice", vec!["e3"]),
        ("search=r-&activity_code=&user_id=&unknown=x", vec!["e5", "e4", "e3", "e2", "e1"]),
    ] {
        let answer = world.get(&token, &format!("{PATH}?{query}")).await;
        assert_eq!(answer.all("id"), expected, "{query}");
        assert_eq!(answer.header("x-total-count"), Some(expected.len().to_string().as_str()), "{query}");
    }
}

#[tokio::test]
async fn pages_neither_repeat_nor_skip_while_events_are_added() {
    let (world, token) = reader().await;
    fill(&world);
    let mut path = format!("{PATH}?limit=2&search=r-&activity_code=route.add&activity_code=route.delete");
    let mut seen = Vec::new();
    for newer in 0.. {
        let answer = world.get(&token, &path).await;
        seen.extend(answer.all("id"));
        let Some(next) = answer.next() else { break };
        assert!(next.starts_with("/api/events/audit?limit=2&search=r-&activity_code=route.add&"), "{next}");
        path = next;
        let data = json!({ "event_type": "route.add", "resource_id": "r-new" });
        world.audit("main", &format!("new-{newer}"), 100 + newer, &data);
    }
    assert_eq!(seen, ["e5", "e4", "e3", "e2"]);
}

#[tokio::test]
async fn pages_show_an_event_whose_id_and_time_another_stream_has_too() {
    let (world, token) = reader().await;
    world.integration("main", 1);
    world.audit("main", "integration-1", 1, &json!({ "event_type": "a.b" }));
    let mut path = format!("{PATH}?limit=1&end_date=2024-01-01T00:00:01Z&start_date=2024-01-01T00:00:01Z");
    let mut seen = Vec::new();
    loop {
        let answer = world.get(&token, &path).await;
        seen.extend(answer.all("activity_code"));
        let Some(next) = answer.next() else { break };
        path = next;
    }
    seen.retain(|code| code == "a.b" || code == "integration.create");
    assert_eq!(seen, ["integration.create", "a.b"]);
}

#[tokio::test]
async fn a_cursor_of_another_filter_or_account_is_refused() {
    let (world, token) = reader().await;
    fill(&world);
    let next = world.get(&token, &format!("{PATH}?limit=1&search=r-")).await.next().unwrap();
    let stranger = world.token("other", &[Scope::AuditRead]);
    let flipped = format!("{}{}", &next[..next.len() - 1], if next.ends_with('A') { 'B' } else { 'A' });
    for (token, path) in [
        (&token, next.replace("search=r-", "search=r")),
        (&token, next.replace("limit=1", "user_id=bob")),
        (&stranger, next.clone()),
        (&token, flipped),
        (&token, format!("{PATH}?cursor=x")),
        (&token, next.replace("/api/events/audit", "/api/events") + "&cursor=x"),
    ] {
        let refusal = world.get(token, &path).await.refusal(400);
        assert!(refusal.starts_with("cursor: "), "{refusal}");
    }
    assert_eq!(world.get(&token, &next.replace("limit=1", "limit=9")).await.all("id"), ["e4", "e3", "e2", "e1"]);
}

#[tokio::test]
async fn a_bad_value_is_a_400_that_names_its_parameter() {
    let (world, token) = reader().await;
    for (name, value) in [
        ("limit", "0"),
        ("limit", "10001"),
        ("limit", ""),
        ("limit", "x"),
        ("start_date", "yesterday"),
        ("end_date", ""),
        ("search", "%FF"),
        ("search", "a&search=b"),
        ("user_id", "a&initiator_id=b"),
    ] {
        let refusal = world.get(&token, &format!("{PATH}?{name}={value}")).await.refusal(400);
        assert!(refusal.starts_with(&format!("{name}: ")), "{name}={value}: {refusal}");
    }
}
