//! The lists in Flowtrail's own form.

use axum::http::StatusCode;
use model::access::Scope;
use serde_json::{Value, json};

use super::world::World;

const AUDIT: &str = "/flowtrail/v1/audit";
const TRAFFIC: &str = "/flowtrail/v1/traffic";

async fn reader() -> (World, String) {
    let mut world = World::start().await;
    world.record(true);
    let token = world.silent_token("main", &[Scope::AuditRead, Scope::TrafficRead]);
    (world, token)
}

async fn detail(world: &World, token: &str, path: &str, status: u16) -> String {
    let answer = world.get(token, path).await;
    assert_eq!((answer.status.as_u16(), answer.header("content-type")), (status, Some("application/problem+json")));
    answer.json()["detail"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn an_event_is_shown_as_it_could_be_published_again() {
    let (world, token) = reader().await;
    world.known("main", "u1", &json!({ "email": "alice@example.com" }));
    let data = json!({
        "event_type": "route.add", "actor_id": "u1", "meta": { "n": 1 }, "latency_ms": 0.10, "event_payload": [1.0, null],
    });
    world.audit("main", "e1", 1, &data);
    let item = json!({
        "id": "e1",
        "time": "2024-01-01T00:00:01Z",
        "event_type": "route.add", "activity": "Route created", "event_group": "route", "status": "success",
        "source": "/test", "actor_type": "user", "actor_id": "u1", "actor_email": "alice@example.com",
        "meta": { "n": 1 }, "latency_ms": 0.1, "event_payload": [1.0, null],
    });
    let page = world.get(&token, AUDIT).await;
    assert_eq!(page.json(), json!({ "items": [item], "total": 1, "next": null }));
    assert!(page.header("flowtrail-as-of").is_some() && page.header("flowtrail-lag-ms").is_some());
    let one = world.get(&token, &format!("{AUDIT}/e1")).await;
    assert_eq!(one.json(), item);
    assert!(one.header("flowtrail-as-of").is_some());
}

#[tokio::test]
async fn a_record_is_shown_as_one_report_of_all_of_it() {
    let (world, token) = reader().await;
    let start = json!({
        "flow_id": "f", "reporter_id": "r", "type": "TYPE_START", "source": { "address": "10.0.0.4:53" }, "protocol": 17,
    });
    world.traffic("main", "r1", 1, &start);
    world.traffic("main", "r2", 5, &json!({ "flow_id": "f", "reporter_id": "r", "type": "TYPE_END", "rx_bytes": 7 }));
    let page = world.get(&token, TRAFFIC).await.json();
    assert_eq!((&page["total"], &page["next"]), (&json!(1), &Value::Null));
    let item = &page["items"][0];
    assert_eq!((&item["time"], &item["received_at"]), (&json!("2024-01-01T00:00:01Z"), &json!("2024-01-01T00:00:01Z")));
    let expected = json!({
        "flow_id": "f", "reporter_id": "r", "protocol": 17, "rx_bytes": 7, "num_of_starts": 1, "num_of_ends": 1,
        "num_of_drops": 0, "window_start": "2024-01-01T00:00:01Z", "window_end": "2024-01-01T00:00:05Z",
        "events": [
            { "timestamp": "2024-01-01T00:00:01Z", "type": "TYPE_START" },
            { "timestamp": "2024-01-01T00:00:05Z", "type": "TYPE_END" },
        ],
    });
    for (name, value) in expected.as_object().unwrap() {
        assert_eq!(&item[name], value, "{name}");
    }
    assert_eq!(item["source"]["address"], "10.0.0.4:53");
    let id = item["id"].as_str().unwrap();
    assert_eq!(&world.get(&token, &format!("{TRAFFIC}/{id}")).await.json(), item);
    // Another spelling is another id.
    let path = format!("{TRAFFIC}/{}", id.to_lowercase());
    assert_eq!(detail(&world, &token, &path, 404).await, "there is no such record");
}

#[tokio::test]
async fn pages_lead_on_by_a_cursor_that_is_bound_to_what_is_asked_for() {
    let (world, token) = reader().await;
    for number in 0..120 {
        let event_type = if number % 2 == 0 { "a.even" } else { "a.odd" };
        world.audit("main", &format!("e{number:03}"), number, &json!({ "event_type": event_type }));
    }
    let page = world.get(&token, AUDIT).await;
    assert_eq!((page.all("id").len(), &page.json()["total"]), (50, &json!(120)));
    let (mut seen, mut path) = (Vec::new(), format!("{AUDIT}?q=type:a.even%20time:%3Enow-100000d&limit=25"));
    loop {
        let page = world.get(&token, &path).await;
        assert_eq!(page.json()["total"], 60);
        seen.extend(page.all("id"));
        let Some(next) = page.json()["next"].as_str().map(str::to_owned) else { break };
        let other = format!("{AUDIT}?q=type:a.odd&cursor={next}");
        assert!(detail(&world, &token, &other, 400).await.starts_with("cursor: "));
        path = format!("{AUDIT}?q=type:a.even%20time:%3Enow-100000d&limit=25&cursor={next}");
    }
    let expected: Vec<String> =
        (0..120).rev().filter(|number| number % 2 == 0).map(|number| format!("e{number:03}")).collect();
    assert_eq!(seen, expected);
}

/// All pages from one on, a few rows on each; `between` is done after the first.
async fn followed(world: &World, token: &str, path: &str, mut between: impl FnMut()) -> Vec<String> {
    let (mut ids, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = world.get(token, &format!("{path}&limit=4{cursor}")).await;
        ids.extend(page.all("id"));
        between();
        match page.json()["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return ids,
        }
    }
}

#[tokio::test]
async fn oldest_first_is_newest_first_the_other_way_round() {
    let (world, token) = reader().await;
    for number in 0..25 {
        // Several have one time, so that ids say which comes first.
        let second = number * 7 % 10;
        world.audit("main", &format!("e{number}"), second, &json!({ "event_type": "a.b" }));
        let flow = format!("f{number}");
        world.traffic("main", &format!("r{number}"), second, &json!({ "flow_id": flow, "reporter_id": "r" }));
    }
    for list in [AUDIT, TRAFFIC] {
        for q in ["q=time:%3E=2024-01-01T00:00:02Z", "q=time:%3C2030-01-01%20-ip:10.0.0.0/8"] {
            let ordered = async |order: &str| followed(&world, &token, &format!("{list}?{q}{order}"), || ()).await;
            let (mut newest, oldest) = (ordered("&order=-time").await, ordered("&order=time").await);
            assert_eq!(newest, ordered("").await, "newest first is the default");
            assert!(newest.len() > 15);
            newest.reverse();
            assert_eq!(newest, oldest, "{list} {q}");
        }
    }
}

#[tokio::test]
async fn oldest_first_is_followed_while_events_come() {
    let (world, token) = reader().await;
    for number in 0..10 {
        let data = json!({ "flow_id": format!("f{number}"), "reporter_id": "r" });
        world.traffic("main", &format!("r{number}"), 100 + number, &data);
        world.audit("main", &format!("e{number}"), 100 + number, &json!({ "event_type": "a.b" }));
    }
    for list in [AUDIT, TRAFFIC] {
        let path = format!("{list}?order=time");
        let before = followed(&world, &token, &path, || ()).await;
        let mut come = 0;
        let seen = followed(&world, &token, &path, || {
            come += 1;
            // One that comes late stands on a page that was read; one that is new stands on a page to come.
            for second in [come, 200 + come].into_iter().filter(|_| come < 3) {
                let data = json!({ "flow_id": format!("{list}{second}"), "reporter_id": "r" });
                world.traffic("main", &format!("t{list}{second}"), second, &data);
                world.audit("main", &format!("n{list}{second}"), second, &json!({ "event_type": "a.b" }));
            }
        })
        .await;
        let is_new = |id: &String| !before.contains(id);
        assert_eq!(seen.iter().filter(|id| !is_new(id)).collect::<Vec<_>>(), before.iter().collect::<Vec<_>>());
        assert_eq!(seen.iter().filter(|id| is_new(id)).count(), 2, "what is new, and not what came late");
    }
}

#[tokio::test]
async fn from_and_to_stand_for_all_that_they_name() {
    let (world, token) = reader().await;
    let day = 24 * 3600;
    for (id, second) in [("first", 0), ("late", day - 1), ("next", day), ("zone", day + 2 * 3600)] {
        world.audit("main", id, second, &json!({ "event_type": "a.b" }));
    }
    for (query, expected) in [
        ("from=2024-01-02", vec!["zone", "next"]),
        ("to=2024-01-01", vec!["late", "first"]),
        ("from=2024-01-01&to=2024-01-01", vec!["late", "first"]),
        ("from=2024-01-02T04:00+02:00", vec!["zone"]),
        ("from=2024-01-02T04:00%2B02:00", vec!["zone"]),
        ("from=2024-01-01T12:00&to=2024-01-02T00:00:00Z", vec!["next", "late"]),
        ("from=now-1h", vec![]),
        ("to=now&q=id:late", vec!["late"]),
    ] {
        assert_eq!(world.get(&token, &format!("{AUDIT}?{query}")).await.all("id"), expected, "{query}");
    }
}

#[tokio::test]
async fn what_had_to_be_judged_is_told() {
    let (world, token) = reader().await;
    for number in 0..3_u64 {
        world.traffic(
            "main",
            &format!("r{number}"),
            number,
            &json!({ "flow_id": format!("f{number}"), "rx_bytes": number }),
        );
    }
    let page = world.get(&token, &format!("{TRAFFIC}?q=-flow:f0")).await.json();
    assert_eq!((&page["total"], &page["scanned"], &page["complete"]), (&json!(2), &json!(3), &json!(true)));
    for (q, total) in [("reporter:test", 3), ("rx_bytes:%3E0", 2)] {
        let page = world.get(&token, &format!("{TRAFFIC}?q={q}")).await.json();
        assert_eq!((&page["total"], page.get("scanned"), page.get("complete")), (&json!(total), None, None), "{q}");
    }
}

#[tokio::test]
async fn a_mistake_is_a_problem_that_names_what_was_meant() {
    let (world, token) = reader().await;
    for (query, expected) in [
        ("lmit=3", "lmit: is no parameter here: is limit meant?"),
        ("activity=x", "activity: is no parameter here; known are q, from, to, reads, order, limit, cursor"),
        ("limit=0", "limit: must be a whole number from 1 to 1000"),
        ("limit=1001", "limit: must be a whole number from 1 to 1000"),
        ("q=actr:x", "q: column 1: \"actr\" is no field: is actor meant?"),
        ("q=a&q=b", "q: must be given only once"),
        ("cursor=x", "cursor: must be one that was given for this list, with the same filter and account"),
        (
            "from=yesterday",
            "from: must be a date, a date and time such as 2026-01-31T12:00:00Z, or a time relative to now such as now-1h",
        ),
    ] {
        assert_eq!(detail(&world, &token, &format!("{AUDIT}?{query}"), 400).await, expected, "{query}");
    }
    assert_eq!(detail(&world, &token, &format!("{AUDIT}/none"), 404).await, "there is no such event");
    assert_eq!(detail(&world, "ft_x", AUDIT, 401).await, "token invalid");
}

#[tokio::test]
async fn another_account_is_never_seen_and_every_read_is_recorded() {
    let (mut world, token) = reader().await;
    world.audit("other", "e1", 1, &json!({ "event_type": "a.b" }));
    world.traffic("other", "r1", 1, &json!({ "flow_id": "f", "reporter_id": "r" }));
    let theirs = world.silent_token("other", &[Scope::TrafficRead]);
    let id = world.get(&theirs, TRAFFIC).await.all("id").remove(0);
    for path in [AUDIT, TRAFFIC] {
        assert_eq!(world.get(&token, &format!("{path}?q=*&to=now")).await.json()["total"], 0);
    }
    for path in [format!("{AUDIT}/e1"), format!("{TRAFFIC}/{id}")] {
        assert_eq!(world.get(&token, &path).await.status, StatusCode::NOT_FOUND);
    }
    world.end_recording().await;
    let said = |event: &Value| {
        let meta = &event["meta"];
        let (asked, rows) = (meta["filter"]["q"].as_str().or(meta["filter"]["id"].as_str()), &meta["rows"]);
        format!("{} {} {}", meta["question"].as_str().unwrap(), asked.unwrap(), rows)
    };
    let recorded: Vec<String> = world.recorded("main").await.iter().map(said).collect();
    let by_id = format!("traffic.by_id {id} 0");
    assert_eq!(recorded, ["audit.list * 0", "traffic.list * 0", "audit.by_id e1 0", &by_id]);
}
