//! Lists in the order of the log, out of a real one.

use feed::write::{Form, NewEvent, message, write};
use model::access::Scope;
use model::audit::RECORDED;
use model::log::Subject;
use model::time::Timestamp;
use serde_json::{Value, json};
use testkit::Chance;

use super::world::{World, account_id, at};

const AUDIT: &str = "/flowtrail/v1/audit?order=received";

fn event(account: &str, id: &str, time: Timestamp, data: &Value) -> bus::Outgoing {
    let subject = Subject::audit(&account_id(account), "test");
    write(NewEvent { subject, id, source: "/test", event_type: RECORDED, time, data }).unwrap()
}

async fn publish(world: &World, account: &str, id: &str, second: u64) {
    world.bus.publish(event(account, id, at(second), &json!({ "event_type": "a.b" }))).await.unwrap();
}

/// Many events in one message.
async fn publish_batch(world: &World, ids: &[String]) {
    let one = |id: &String| event("main", id, at(1), &json!({ "event_type": "a.b" })).payload;
    let events: Vec<Value> = ids.iter().map(|id| serde_json::from_slice(&one(id)).unwrap()).collect();
    let subject = Subject::audit(&account_id("main"), "test");
    world.bus.publish(message(subject, &ids[0], Form::Batch, json!(events).to_string())).await.unwrap();
}

async fn reader() -> (World, String) {
    let world = World::start().await;
    let token = world.silent_token("main", &[Scope::AuditRead, Scope::TrafficRead]);
    (world, token)
}

/// A page, and the address of the next.
async fn page(world: &World, token: &str, path: &str) -> (Vec<String>, Value, String) {
    let answer = world.get(token, path).await;
    let (ids, body) = (answer.all("id"), answer.json());
    assert_eq!(body["total"], Value::Null);
    assert!(answer.header("flowtrail-as-of").is_some());
    let base = path.split("&cursor=").next().unwrap();
    let next = format!("{base}&cursor={}", body["next"].as_str().expect("there is always a next page"));
    (ids, body, next)
}

/// Pages until the end of the log, and the address of what comes then.
async fn to_end(world: &World, token: &str, mut path: String) -> (Vec<String>, String) {
    let mut all = Vec::new();
    loop {
        let (ids, body, next) = page(world, token, &path).await;
        all.extend(ids);
        path = next;
        if body["complete"] == true {
            return (all, path);
        }
    }
}

#[tokio::test]
async fn who_comes_back_misses_nothing_that_came_late() {
    let (world, token) = reader().await;
    for (id, second) in [("e1", 50), ("e2", 10), ("e3", 90)] {
        publish(&world, "main", id, second).await;
    }
    publish(&world, "other", "foreign", 20).await;
    let (first, next) = to_end(&world, &token, AUDIT.to_owned()).await;
    assert_eq!(first, ["e1", "e2", "e3"], "as the log got them");
    // At the end the cursor stays good, however often it is asked for.
    for _ in 0..2 {
        assert_eq!(to_end(&world, &token, next.clone()).await.0, Vec::<String>::new());
    }
    // Older than all that there is: newest first, it would stand on a page that was read long ago.
    publish(&world, "main", "late", 1).await;
    let (late, next) = to_end(&world, &token, next).await;
    assert_eq!(late, ["late"]);
    publish(&world, "main", "e5", 2).await;
    assert_eq!(to_end(&world, &token, next).await.0, ["e5"]);
}

#[tokio::test]
async fn pages_of_any_size_give_each_event_once_also_out_of_the_middle_of_a_message() {
    let (world, token) = reader().await;
    let mut chance = Chance::new(7);
    let mut all = Vec::new();
    for message in 0..12 {
        let ids: Vec<String> = (0..=chance.below(9)).map(|event| format!("e{message}-{event}")).collect();
        publish_batch(&world, &ids).await;
        all.extend(ids);
    }
    let mut path = format!("{AUDIT}&limit=1");
    let mut seen = Vec::new();
    loop {
        let (ids, body, next) = page(&world, &token, &path).await;
        seen.extend(ids);
        if body["complete"] == true {
            break;
        }
        // A cursor is bound to what is asked for, and not to how much of it.
        let limit = 1 + chance.below(7);
        path = format!("{AUDIT}&limit={limit}&cursor={}", next.split("&cursor=").nth(1).unwrap());
    }
    assert_eq!(seen, all);
}

#[tokio::test]
async fn what_is_not_wanted_is_passed_over_and_not_asked_for_again() {
    let (world, token) = reader().await;
    for (id, event_type) in [("e1", "door.open"), ("e2", "audit.read"), ("e3", "door.close"), ("e4", "door.open")] {
        let second = id[1..].parse().unwrap();
        world.bus.publish(event("main", id, at(second), &json!({ "event_type": event_type }))).await.unwrap();
    }
    let ids = async |more: &str| to_end(&world, &token, format!("{AUDIT}{more}")).await.0;
    assert_eq!(ids("").await, ["e1", "e3", "e4"], "records of reads are shown where they are asked for");
    assert_eq!(ids("&reads=include").await, ["e1", "e2", "e3", "e4"]);
    assert_eq!(ids("&q=activity:door.open").await, ["e1", "e4"]);
    assert_eq!(ids("&q=activity:audit.read").await, ["e2"]);
    assert_eq!(ids(&format!("&from={}&to={}", at(3), at(3))).await, ["e3"]);
    let (_, body, _) = page(&world, &token, &format!("{AUDIT}&q=activity:nothing")).await;
    assert_eq!((&body["scanned"], &body["complete"]), (&json!(4), &json!(true)));
}

#[tokio::test]
async fn integrations_and_tokens_are_there_and_traffic_comes_report_by_report() {
    let (world, token) = reader().await;
    let subject = Subject::access(&account_id("main"), "token", "t9");
    let (event_type, data) = ("flowtrail.access.token.deleted.v1", json!({ "name": "t9", "by": { "id": "alice" } }));
    let deleted = write(NewEvent { subject, id: "d1", source: "/test", event_type, time: at(1), data: &data }).unwrap();
    world.bus.publish(deleted).await.unwrap();
    publish(&world, "main", "e1", 1).await;
    let (mut ids, _) = to_end(&world, &token, AUDIT.to_owned()).await;
    ids.sort();
    assert_eq!(ids, ["d1", "e1"]);
    let subject = Subject::traffic(&account_id("main"), "test");
    for (id, kind) in [("r1", "TYPE_START"), ("r2", "TYPE_END")] {
        let data = json!({ "flow_id": "f", "reporter_id": "r", "type": kind });
        let (subject, event_type) = (subject.clone(), "flowtrail.traffic.reported.v1");
        let report = write(NewEvent { subject, id, source: "/test", event_type, time: at(1), data: &data }).unwrap();
        world.bus.publish(report).await.unwrap();
    }
    let path = "/flowtrail/v1/traffic?order=received".to_owned();
    let (ids, body, _) = page(&world, &token, &path).await;
    assert_eq!((ids.len(), ids[0] == ids[1]), (2, true), "two reports of one record");
    assert_eq!(body["items"][1]["events"][0]["type"], "TYPE_END");
}

#[tokio::test]
async fn a_cursor_is_of_its_order_and_its_log() {
    let (world, token) = reader().await;
    publish(&world, "main", "e1", 1).await;
    world.audit("main", "a1", 1, &json!({ "event_type": "a.b" }));
    world.audit("main", "a2", 2, &json!({ "event_type": "a.b" }));
    let (_, _, next) = page(&world, &token, AUDIT).await;
    let cursor = next.split("&cursor=").nth(1).unwrap();
    let newest = world.get(&token, "/flowtrail/v1/audit?limit=1").await.json();
    for path in [
        format!("/flowtrail/v1/audit?cursor={cursor}"),
        format!("/flowtrail/v1/traffic?order=received&cursor={cursor}"),
        format!("{AUDIT}&cursor={}", newest["next"].as_str().unwrap()),
        format!("/flowtrail/v1/audit?order=time&cursor={}", newest["next"].as_str().unwrap()),
    ] {
        let refused = world.get(&token, &path).await;
        assert!(refused.json()["detail"].as_str().unwrap().starts_with("cursor: must be one that was given"), "{path}");
    }
    let refused = world.get(&token, "/flowtrail/v1/audit?order=newest").await;
    assert_eq!(refused.json()["detail"], "order: must be one of -time, time, received");
    // A log that was lost and begins anew; gateways have the same key.
    let (emptied, token) = reader().await;
    let refused = emptied.get(&token, &next).await;
    assert_eq!(
        (refused.status.as_u16(), refused.json()["detail"].as_str()),
        (400, Some("cursor: is of another log: begin anew"))
    );
}

#[tokio::test]
async fn without_the_log_there_is_no_order_of_it() {
    let (mut world, token) = reader().await;
    world.server.stop().await;
    let answer = world.get(&token, AUDIT).await;
    assert_eq!((answer.status.as_u16(), answer.header("retry-after")), (503, Some("1")));
}
