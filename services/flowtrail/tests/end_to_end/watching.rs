//! The log's own log: who read it, who was turned away, and what changed about who may do what.

use std::collections::BTreeMap;
use std::io::Write;
use std::process::Stdio;

use serde_json::{Value, json};
use testkit::eventually;

use crate::flowtrail::{Flowtrail, Topology, flowtrail as program};
use crate::receiver::Receiver;

/// The audit view's events of a type; asked of the view itself, which makes no event.
fn dumped(flowtrail: &Flowtrail, event_type: &str) -> Vec<Value> {
    let rows = flowtrail.succeed(["dump", "audit"]);
    let rows = rows.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    rows.map(|mut row| row["row"].take()).filter(|event| event["event_type"] == event_type).collect()
}

async fn status(flowtrail: &Flowtrail, method: &str, path: &str, body: &Value) -> u16 {
    flowtrail.request(method, path).json(body).send().await.unwrap().status().as_u16()
}

async fn every_query_is_one_event(topology: Topology) {
    let flowtrail = Flowtrail::start_with(topology, &[]).await;
    let mut queries = 0;
    for _ in 0..3 {
        for (method, path) in [
            ("GET", "/api/events/audit?activity_code=audit.read"),
            ("GET", "/v1/audit/events?event_type=audit.read"),
            ("GET", "/v1/audit/catalog"),
            ("POST", "/api/ni/logs/audit"),
        ] {
            assert_eq!(status(&flowtrail, method, path, &json!({})).await, 200, "{path}");
            queries += 1;
        }
        assert_eq!(status(&flowtrail, "GET", "/api/events/network-traffic", &Value::Null).await, 200);
    }
    eventually("every query is recorded", async || {
        (dumped(&flowtrail, "audit.read").len() == queries && dumped(&flowtrail, "traffic.read").len() == 3)
            .then_some(())
    })
    .await;
    // What was recorded is read, and what was recorded of that: still one event for each query.
    let records = flowtrail.get("/v1/audit/events?event_type=audit.read&limit=200").await;
    assert_eq!(records["items"].as_array().unwrap().len(), queries);
    eventually("reading records is recorded once", async || {
        (dumped(&flowtrail, "audit.read").len() == queries + 1).then_some(())
    })
    .await;
    // Whatever else would follow from it would stand before this event.
    assert_eq!(status(&flowtrail, "POST", "/api/events/audit", &json!({"event_type": "door.open"})).await, 202);
    assert_eq!((dumped(&flowtrail, "door.open").len(), dumped(&flowtrail, "audit.read").len()), (1, queries + 1));
}

#[tokio::test]
async fn every_query_is_one_event_in_one_process() {
    every_query_is_one_event(Topology::Together).await;
}

#[tokio::test]
async fn every_query_is_one_event_with_split_roles() {
    every_query_is_one_event(Topology::Split).await;
}

#[tokio::test]
async fn pages_add_up_to_their_total_though_the_reading_of_each_is_recorded() {
    let flowtrail = Flowtrail::start_with(Topology::Together, &[]).await;
    let events: Vec<Value> =
        (0..50).map(|n| json!({"event_type": "door.open", "resource_id": n.to_string()})).collect();
    assert_eq!(status(&flowtrail, "POST", "/api/events/audit", &json!(events)).await, 202);
    for _ in 0..2 {
        let (mut body, mut rows, mut totals) = (json!({"size": 7, "reads": "include"}), 0, Vec::new());
        loop {
            let before = dumped(&flowtrail, "audit.read").len();
            let answer = flowtrail.request("POST", "/api/ni/logs/audit").json(&body).send().await.unwrap();
            let page: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
            rows += page["results"].as_array().unwrap().len() as u64;
            totals.push(page["total_count"].as_u64().unwrap());
            let Some(cursor) = page.get("cursor") else { break };
            body["cursor"] = cursor.clone();
            // The next page is asked when the log has grown.
            eventually("the page is recorded", async || {
                (dumped(&flowtrail, "audit.read").len() > before).then_some(())
            })
            .await;
        }
        assert!(totals.len() > 7 && totals.iter().all(|total| *total == rows), "{rows}, {totals:?}");
    }
}

#[tokio::test]
async fn polls_are_in_no_list_and_with_no_receiver_but_those_that_ask_for_them() {
    let flowtrail = Flowtrail::start_with(Topology::Together, &[]).await;
    let (plain, auditor) = (Receiver::start().await, Receiver::start().await);
    for (receiver, events) in [(&plain, "both"), (&auditor, "reads")] {
        let config = json!({ "url": receiver.url(), "events": events });
        let made = json!({ "platform": "generic_http", "enabled": true, "config": config });
        assert_eq!(status(&flowtrail, "POST", "/api/event-streaming", &made).await, 200);
    }
    for _ in 0..10 {
        flowtrail.get("/api/events/audit").await;
        flowtrail.get("/api/events/network-traffic").await;
    }
    let polls = eventually("every poll is recorded", async || {
        let records = ["audit.read", "traffic.read"].iter().flat_map(|kind| dumped(&flowtrail, kind));
        let ids: Vec<String> = records.map(|event| event["id"].as_str().unwrap().to_owned()).collect();
        (ids.len() == 20).then_some(ids)
    })
    .await;
    eventually("who asks for them has them", async || {
        polls.iter().all(|id| auditor.taken(id).len() == 1).then_some(())
    })
    .await;
    let last = json!({ "id": "last", "event_type": "door.open" });
    assert_eq!(status(&flowtrail, "POST", "/api/events/audit", &last).await, 202);
    eventually("what came after them is delivered", async || (plain.taken("last").len() == 1).then_some(())).await;
    assert!(polls.iter().all(|id| plain.taken(id).is_empty()) && auditor.taken("last").is_empty());
    assert_eq!(flowtrail.get("/api/event-streaming/1/status").await["passed_over"], 20);

    let codes = async |query: &str| {
        let events = flowtrail.get(&format!("/api/events/audit{query}")).await;
        let codes = events.as_array().unwrap().iter().map(|event| event["activity_code"].as_str().unwrap().to_owned());
        codes.filter(|code| code.ends_with(".read")).count()
    };
    assert_eq!(codes("").await, 0);
    assert_eq!(codes("?activity_code=traffic.read").await, 10);
    assert!(codes("?reads=include").await >= 20);
}

#[tokio::test]
async fn who_is_turned_away_and_what_changes_who_may_do_what_is_in_the_audit_log() {
    let mut flowtrail = Flowtrail::start(Topology::LeastPrivilege).await;
    let admin = flowtrail.token.clone();
    let create = |name: &str, more: &[&str]| {
        let arguments = ["token", "create", "--name", name, "--scopes", "traffic:read"];
        flowtrail.succeed(arguments.iter().chain(more)).trim().to_owned()
    };
    let narrow = create("narrow", &[]);
    let expired = create("expired", &["--expires-at", "2020-01-01T00:00:00Z"]);
    let deleted = create("deleted", &[]);
    let list = flowtrail.succeed(["token", "list"]);
    let id = list.lines().find(|line| line.ends_with("deleted")).unwrap().split('\t').next().unwrap().to_owned();
    flowtrail.succeed(["token", "delete", &id]);
    let mut command = program(&flowtrail.data());
    command.env("FLOWTRAIL_NATS_URL", &flowtrail.nats_url).args(["user", "create", "alice@example.com"]);
    let mut process = command.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    process.stdin.take().unwrap().write_all(b"correct horse\n").unwrap();
    assert!(process.wait().unwrap().success());
    flowtrail.succeed(["user", "scopes", "alice@example.com", "admin"]);
    flowtrail.succeed(["user", "delete", "alice@example.com"]);

    for (token, expected) in [(&narrow, 403), (&expired, 401), (&deleted, 401)] {
        token.clone_into(&mut flowtrail.token);
        for _ in 0..3 {
            eventually("it is known who that is", async || {
                (status(&flowtrail, "GET", "/api/events/audit", &Value::Null).await == expected).then_some(())
            })
            .await;
        }
    }
    "ft_unknown".clone_into(&mut flowtrail.token);
    assert_eq!(status(&flowtrail, "GET", "/api/events/audit", &Value::Null).await, 401);
    assert_eq!(status(&flowtrail, "GET", "/v1/audit/events", &Value::Null).await, 401);
    flowtrail.token = admin;
    let denied = eventually("all three are recorded", async || {
        let denied = flowtrail.get("/v1/audit/events?event_type=access.denied").await["items"].take();
        (denied.as_array().unwrap().len() == 3).then_some(denied)
    })
    .await;
    let reasons: BTreeMap<&str, &Value> = denied
        .as_array()
        .unwrap()
        .iter()
        .map(|event| (event["event_payload"]["reason"].as_str().unwrap(), event))
        .collect();
    assert_eq!(reasons.keys().copied().collect::<Vec<_>>(), ["deleted token", "expired token", "missing scope"]);
    assert_eq!(reasons["deleted token"]["actor_id"], format!("token:{id}"));
    assert_eq!(reasons["missing scope"]["error_message"], "token lacks the scope audit:read");
    assert!(reasons.values().all(|event| event["ip_address"] == "127.0.0.1" && event["status"] == "denied"));

    let mut codes = BTreeMap::<String, usize>::new();
    for event in flowtrail.get("/api/events/audit").await.as_array().unwrap() {
        *codes.entry(event["activity_code"].as_str().unwrap().to_owned()).or_default() += 1;
    }
    let expected = [
        ("access.denied", 3),
        ("account.create", 1),
        ("personal.access.token.create", 4),
        ("personal.access.token.delete", 1),
        ("user.create", 2),
        ("user.delete", 1),
        ("user.role.update", 1),
    ];
    assert_eq!(codes, expected.map(|(code, count)| (code.to_owned(), count)).into());

    let logs = std::fs::read_to_string(flowtrail.logs()).unwrap();
    let strangers = logs.lines().filter(|line| line.contains("a token that nobody has"));
    assert_eq!(strangers.count(), 1, "a line tells of a stranger, and it is not repeated for each request");
    assert!(!logs.contains("ft_unknown"));
}
