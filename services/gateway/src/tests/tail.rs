//! Events as they arrive, out of a real log.

use std::time::Duration;

use axum::Router;
use axum::body::{Body, BodyDataStream};
use axum::http::Method;
use feed::write::{Form, NewEvent, message, write};
use futures_util::StreamExt;
use model::access::{Actor, Event as Access, Scope, TokenDeleted};
use model::audit::RECORDED;
use model::log::Subject;
use runtime::settings::LimitSettings;
use serde_json::{Value, json};
use testkit::Chance;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use super::world::{World, account_id, at, request, routed};
use crate::app::Resources;
use crate::http::cors::Origins;

const AUDIT: &str = "/flowtrail/v1/audit/tail";
const TRAFFIC: &str = "/flowtrail/v1/traffic/tail";

/// A tail that is read, event by event.
struct Tail {
    body: BodyDataStream,
    text: String,
    /// The last id.
    id: String,
}

#[derive(Debug, PartialEq)]
struct Told {
    /// Empty: an event of the log.
    kind: String,
    data: Value,
}

impl Tail {
    async fn open(world: &World, token: &str, path: &str, last: Option<&str>) -> Self {
        let mut asked = request(Method::GET, token, path, Body::empty());
        if let Some(last) = last {
            asked.headers_mut().insert("last-event-id", last.parse().unwrap());
        }
        let answer = world.router.clone().oneshot(asked).await.unwrap();
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.headers()["content-type"], "text/event-stream");
        Self { body: answer.into_body().into_data_stream(), text: String::new(), id: String::new() }
    }

    /// What is told next; none at the end.
    async fn next(&mut self) -> Option<Told> {
        loop {
            while let Some((block, rest)) = self.text.split_once("\n\n") {
                let (mut kind, mut data) = (String::new(), None);
                for line in block.lines() {
                    match line.split_once(": ") {
                        Some(("id", id)) => id.clone_into(&mut self.id),
                        Some(("event", name)) => name.clone_into(&mut kind),
                        Some(("data", text)) => data = Some(serde_json::from_str(text).unwrap()),
                        Some(("retry", _)) | None => {}
                        Some(other) => panic!("{other:?}"),
                    }
                }
                self.text = rest.to_owned();
                if let Some(data) = data {
                    return Some(Told { kind, data });
                }
            }
            let piece = timeout(Duration::from_secs(30), self.body.next()).await.expect("something is told");
            self.text.push_str(std::str::from_utf8(&piece?.unwrap()).unwrap());
        }
    }

    /// The ids of the next events.
    async fn ids(&mut self, count: usize) -> Vec<String> {
        let mut ids = Vec::new();
        while ids.len() < count {
            let told = self.next().await.unwrap();
            assert_eq!(told.kind, "", "{told:?}");
            ids.push(told.data["id"].as_str().unwrap().to_owned());
        }
        ids
    }
}

fn event(account: &str, id: &str, data: &Value) -> bus::Outgoing {
    let subject = Subject::audit(&account_id(account), "test");
    write(NewEvent { subject, id, source: "/test", event_type: RECORDED, time: at(1), data }).unwrap()
}

async fn publish(world: &World, account: &str, id: &str, data: &Value) {
    world.bus.publish(event(account, id, data)).await.unwrap();
}

/// Many events in one message.
async fn publish_batch(world: &World, ids: &[String]) {
    let events: Vec<Value> = ids
        .iter()
        .map(|id| serde_json::from_slice(&event("main", id, &json!({ "event_type": "a.b" })).payload).unwrap())
        .collect();
    let subject = Subject::audit(&account_id("main"), "test");
    world.bus.publish(message(subject, &ids[0], Form::Batch, json!(events).to_string())).await.unwrap();
}

async fn report(world: &World, id: &str, data: &Value) {
    let subject = Subject::traffic(&account_id("main"), "test");
    let event_type = "flowtrail.traffic.reported.v1";
    let event = write(NewEvent { subject, id, source: "/test", event_type, time: at(1), data }).unwrap();
    world.bus.publish(event).await.unwrap();
}

async fn reader() -> (World, String) {
    let world = World::start().await;
    let token = world.silent_token("main", &[Scope::AuditRead, Scope::TrafficRead]);
    (world, token)
}

/// A gateway over the views of `world` with limits of its own, which ends with the token.
fn limited(world: &World, limits: LimitSettings) -> (Router, CancellationToken) {
    let stop = CancellationToken::new();
    let resources = Resources { limits, stop: stop.clone(), ..world.resources(false).0 };
    (routed(resources, &Origins::Any), stop)
}

#[tokio::test]
async fn what_arrives_is_told_as_lists_show_it() {
    let (world, token) = reader().await;
    publish(&world, "main", "before", &json!({ "event_type": "a.b" })).await;
    let mut tail = Tail::open(&world, &token, AUDIT, None).await;
    let data = json!({ "event_type": "route.add", "actor_id": "u1", "meta": { "n": 1 } });
    publish(&world, "main", "e1", &data).await;
    world.audit("main", "e1", 1, &data);
    let told = tail.next().await.unwrap();
    assert_eq!(told.data, world.get(&token, "/flowtrail/v1/audit/e1").await.json());

    let mut tail = Tail::open(&world, &token, TRAFFIC, None).await;
    let data =
        json!({ "flow_id": "f", "reporter_id": "r", "type": "TYPE_START", "source": { "address": "10.0.0.4:53" } });
    report(&world, "r1", &data).await;
    world.traffic("main", "r1", 1, &data);
    let (mut told, mut listed) =
        (tail.next().await.unwrap().data, world.get(&token, "/flowtrail/v1/traffic").await.json()["items"][0].take());
    // The view of a test receives everything at a time of its own.
    for shown in [&mut told, &mut listed] {
        shown.as_object_mut().unwrap().remove("received_at").unwrap();
    }
    assert_eq!(told, listed);
}

#[tokio::test]
async fn integrations_and_tokens_are_audit_events_too() {
    let (world, token) = reader().await;
    let mut tail = Tail::open(&world, &token, AUDIT, None).await;
    let subject = Subject::access(&account_id("main"), "token", "t9");
    let data = json!({ "name": "t9", "by": { "id": "alice" } });
    let event_type = "flowtrail.access.token.deleted.v1";
    let deleted = write(NewEvent { subject, id: "d1", source: "/test", event_type, time: at(1), data: &data }).unwrap();
    world.bus.publish(deleted).await.unwrap();
    let told = tail.next().await.unwrap();
    assert_eq!(
        (&told.data["event_type"], &told.data["actor_id"]),
        (&json!("personal.access.token.delete"), &json!("alice"))
    );
    // From here on both streams go on.
    publish(&world, "main", "e1", &json!({ "event_type": "a.b" })).await;
    assert_eq!(tail.ids(1).await, ["e1"]);
    let last = tail.id.clone();
    publish(&world, "main", "e2", &json!({ "event_type": "a.b" })).await;
    assert_eq!(Tail::open(&world, &token, AUDIT, Some(&last)).await.ids(1).await, ["e2"]);
}

#[tokio::test]
async fn who_comes_back_goes_on_without_a_gap_or_a_repetition() {
    const EVENTS: usize = 2000;
    let (world, token) = reader().await;
    let ids: Vec<String> = (0..EVENTS).map(|number| format!("e{number:05}")).collect();
    let mut chance = Chance::new(7);
    let mut tail = Tail::open(&world, &token, AUDIT, None).await;
    let publishing = async {
        let mut left = ids.as_slice();
        let mut chance = Chance::new(8);
        while !left.is_empty() {
            let (next, others) = left.split_at((1 + chance.below(40)).min(left.len()));
            publish_batch(&world, next).await;
            left = others;
        }
    };
    let reading = async {
        // Another one keeps what is followed alive for a while, so that some come back to it and some to the log.
        let mut other = Some(Tail::open(&world, &token, AUDIT, None).await);
        let (mut seen, mut breaks) = (Vec::new(), 0);
        while seen.len() < EVENTS {
            seen.extend(tail.ids(1).await);
            if breaks < 20 && chance.below(EVENTS / 40) == 0 {
                breaks += 1;
                let last = tail.id.clone();
                drop(tail);
                other = other.filter(|_| breaks < 10);
                tail = Tail::open(&world, &token, AUDIT, Some(&last)).await;
            }
        }
        (seen, breaks)
    };
    let ((), (seen, breaks)) = tokio::join!(publishing, reading);
    assert_eq!((seen, breaks), (ids.clone(), 20));
}

#[tokio::test]
async fn an_id_from_before_the_first_event_and_one_in_the_middle_of_a_message_lead_back() {
    let (world, token) = reader().await;
    let ids: Vec<String> = ["e1", "e2", "e3"].map(str::to_owned).into();
    let mut tail = Tail::open(&world, &token, AUDIT, None).await;
    publish_batch(&world, &ids).await;
    assert_eq!(tail.ids(1).await, ["e1"]);
    let in_the_middle = tail.id.clone();
    drop(tail);
    let mut again = Tail::open(&world, &token, AUDIT, Some(&in_the_middle)).await;
    assert_eq!(again.ids(2).await, ["e2", "e3"]);
    assert_eq!(Tail::open(&world, &token, AUDIT, Some("1.0-1.0-1.0")).await.ids(3).await, ids);
    for wrong in ["x", "1.0", "1.0-1.0", "9.0-1.0-1.0"] {
        let mut asked = request(Method::GET, &token, AUDIT, Body::empty());
        asked.headers_mut().insert("last-event-id", wrong.parse().unwrap());
        let answer = world.send(asked).await;
        let detail = "last-event-id: must be an id that a tail of this kind gave";
        assert_eq!((answer.status.as_u16(), &answer.json()["detail"]), (400, &json!(detail)), "{wrong}");
    }
}

#[tokio::test]
async fn only_what_is_asked_for_is_told_and_only_of_the_readers_account() {
    let (world, token) = reader().await;
    let theirs = world.silent_token("other", &[Scope::AuditRead]);
    let mut all = Tail::open(&world, &token, AUDIT, None).await;
    let mut reads = Tail::open(&world, &token, &format!("{AUDIT}?reads=include"), None).await;
    let mut asked = Tail::open(&world, &token, &format!("{AUDIT}?q=activity:audit.*"), None).await;
    let mut alices = Tail::open(&world, &token, &format!("{AUDIT}?q=actor:alice%20-status:denied"), None).await;
    let mut others = Tail::open(&world, &theirs, AUDIT, None).await;
    for (id, data) in [
        ("e1", json!({ "event_type": "a.b", "actor_id": "alice" })),
        ("e2", json!({ "event_type": "audit.read" })),
        ("e3", json!({ "event_type": "a.b", "actor_name": "Alice", "status": "denied" })),
        ("e4", json!({ "event_type": "a.b", "actor_name": "Alice" })),
    ] {
        publish(&world, "main", id, &data).await;
        publish(&world, "other", &format!("o{id}"), &json!({ "event_type": "a.b" })).await;
    }
    assert_eq!(all.ids(3).await, ["e1", "e3", "e4"]);
    assert_eq!(reads.ids(4).await, ["e1", "e2", "e3", "e4"]);
    assert_eq!(asked.ids(1).await, ["e2"]);
    assert_eq!(alices.ids(2).await, ["e1", "e4"]);
    assert_eq!(others.ids(4).await, ["oe1", "oe2", "oe3", "oe4"]);
    for (query, expected) in [
        ("from=now", "from: is no parameter here; known are q, reads"),
        ("q=actr:x", "q: column 1: \"actr\" is no field: is actor meant?"),
    ] {
        let answer = world.get(&token, &format!("{AUDIT}?{query}")).await;
        assert_eq!((answer.status.as_u16(), &answer.json()["detail"]), (400, &json!(expected)));
    }
}

#[tokio::test]
async fn an_account_has_so_many_tails_at_a_time() {
    let (mut world, token) = reader().await;
    let other = world.silent_token("other", &[Scope::AuditRead]);
    world.router = limited(&world, LimitSettings { tails: 2, ..LimitSettings::NONE }).0;
    let one = Tail::open(&world, &token, AUDIT, None).await;
    let _two = Tail::open(&world, &token, TRAFFIC, None).await;
    let refused = world.get(&token, AUDIT).await;
    let detail = "tails: the account has 2 at a time already, as many as FLOWTRAIL_TAILS allows";
    assert_eq!((refused.status.as_u16(), &refused.json()["detail"]), (429, &json!(detail)));
    assert_eq!(refused.header("retry-after"), Some("10"));
    Tail::open(&world, &other, AUDIT, None).await;
    drop(one);
    Tail::open(&world, &token, AUDIT, None).await;
}

#[tokio::test]
async fn a_tail_ends_with_its_token_and_with_the_gateway() {
    let (mut world, _) = reader().await;
    let (gateway, stop) = limited(&world, LimitSettings::NONE);
    world.router = gateway;
    let (token, other) = (world.token("main", &[Scope::AuditRead]), world.silent_token("main", &[Scope::Admin]));
    let mut ends = Tail::open(&world, &token, AUDIT, None).await;
    let mut stays = Tail::open(&world, &other, AUDIT, None).await;
    let id = token.replace("ft_main", "t");
    world.access("main", &id, Access::TokenDeleted(TokenDeleted { name: "t".to_owned(), by: Actor::system() }));
    let end = |reason: &str| Some(Told { kind: "end".to_owned(), data: json!({ "reason": reason }) });
    assert_eq!((ends.next().await, ends.next().await), (end("token"), None));
    publish(&world, "main", "e1", &json!({ "event_type": "a.b" })).await;
    assert_eq!(stays.ids(1).await, ["e1"]);
    stop.cancel();
    assert_eq!((stays.next().await, stays.next().await), (end("stop"), None));
}

#[tokio::test]
async fn who_is_too_slow_is_told_how_many_were_lost_and_cut_off_and_finds_them_in_the_log() {
    let (world, token) = reader().await;
    let mut slow = Tail::open(&world, &token, AUDIT, None).await;
    let mut fast = Tail::open(&world, &token, AUDIT, None).await;
    let data = json!({ "event_type": "a.b", "meta": { "long": "x".repeat(400_000) } });
    let ids: Vec<String> = (0..40).map(|number| format!("e{number:02}")).collect();
    publish(&world, "main", &ids[0], &data).await;
    assert_eq!(slow.ids(1).await, ids[..1]);
    for id in &ids[1..] {
        publish(&world, "main", id, &data).await;
        if id == &ids[1] {
            assert_eq!(fast.ids(2).await, ids[..2]);
        } else {
            assert_eq!(fast.ids(1).await, [id.as_str()]);
        }
    }
    let told = slow.next().await.unwrap();
    let lost = told.data["lost"].as_u64().unwrap();
    assert_eq!(told.kind, "overflow");
    assert!((20..39).contains(&lost), "{lost}");
    assert_eq!(slow.next().await, None);
    let mut again = Tail::open(&world, &token, AUDIT, Some(&slow.id)).await;
    assert_eq!(again.ids(39).await, ids[1..]);
}

#[tokio::test]
async fn a_tail_is_recorded_once_with_what_it_asks_for() {
    let (mut world, token) = reader().await;
    world.record(true);
    drop(Tail::open(&world, &token, &format!("{AUDIT}?q=actor:alice"), None).await);
    drop(Tail::open(&world, &token, TRAFFIC, None).await);
    world.end_recording().await;
    let recorded = world.recorded("main").await;
    let said = |event: &Value| (event["event_type"].clone(), event["meta"]["question"].clone());
    assert_eq!(
        recorded.iter().map(said).collect::<Vec<_>>(),
        [(json!("audit.read"), json!("audit.tail")), (json!("traffic.read"), json!("traffic.tail"))]
    );
    assert_eq!(recorded[0]["meta"]["filter"], json!({ "q": "actor:alice" }));
}
