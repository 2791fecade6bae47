use axum::body::Body;
use axum::http::{Request, StatusCode};
use model::access::Scope;
use model::time::Timestamp;
use serde_json::{Value, json};

use super::world::{Answer, World, at};
use crate::router::routes;

const PATH: &str = "/v1/audit/events";

/// A reader of audit events in an account whose only events are those that a test puts in.
async fn reader() -> (World, String) {
    let world = World::start().await;
    world.token("other", &[Scope::Admin]);
    let token = world.token("main", &[Scope::AuditRead]);
    (world, token)
}

#[track_caller]
fn refused(answer: &Answer, status: u16, detail: &str) {
    assert_eq!((answer.status.as_u16(), answer.json()), (status, json!({ "detail": detail })));
    assert_eq!(answer.header("content-type"), Some("application/json"));
}

fn next_cursor(answer: &Answer) -> Option<String> {
    answer.json()["next_cursor"].as_str().map(str::to_owned)
}

/// What was recorded from a FastAPI application with 300 events, request by request.
mod recorded {
    use super::*;

    const CURSOR_THERE: usize = r#""WyIyMDI2LTA1LTAxVDAwOjAxOjM5LjAwMzAwMCswMDowMCIsICJldnRfMDAwMjk4Il0=""#.len();
    const HOST: &str = "127.0.0.1:45645";

    fn pairs() -> Vec<Value> {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../schemas/dialects/instavm-observed-validation.json");
        serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
    }

    /// The events that the recorded answers show, as far as they show them.
    fn fill(world: &World) {
        let start = Timestamp::parse("2026-05-01T00:00:00Z").unwrap().micros();
        for n in 0_i64..300 {
            let data = json!({
                "event_type": if n % 3 == 0 { "execution.completed" } else { "vm.created" },
                "source": "api",
                "user_id": 7,
                "actor_type": if n % 2 == 0 { "api_key" } else { "user" },
                "vm_id": format!("vm_{}", n % 4),
                "latency_ms": 1.5 * n as f64,
                "event_payload": { "n": n },
            });
            let time = Timestamp::from_micros(start + n / 3 * 1_000_000 + n % 5 * 1000).unwrap();
            let event = json!({
                "specversion": "1.0", "id": format!("evt_{n:06}"), "source": "/test", "time": time,
                "type": "flowtrail.audit.recorded.v1", "data": data,
            });
            world.event("recorded", &event);
        }
    }

    /// The request as it was sent; what it was sent with is in the name of its case.
    fn request(pair: &Value, token: &str) -> Request<Body> {
        let case = pair["case"].as_str().unwrap();
        let line = pair.get("request").map_or("GET /v1/audit/events?limit=2", |line| line.as_str().unwrap());
        // A second path with the same sign-in, which is not part of the API.
        let line = line.replace("/strict", PATH).replace("<5000 nines>", &"9".repeat(5000));
        let (method, uri) = line.split_once(' ').unwrap();
        let request = Request::builder().method(method).uri(uri).header("host", HOST);
        let (bearer, wrong) = (format!("Bearer {token}"), "ft_wrong");
        let request = match case {
            "no auth" | "no auth AND bad limit" | "strict no auth" => request,
            "wrong key" => request.header("x-api-key", wrong),
            "wrong bearer" => request.header("authorization", format!("Bearer {wrong}")),
            "good bearer" => request.header("authorization", bearer),
            "bearer lower-case scheme" => request.header("authorization", format!("bearer {token}")),
            "basic scheme" | "strict basic" => request.header("authorization", format!("Basic {token}")),
            "wrong key good bearer" => request.header("x-api-key", wrong).header("authorization", bearer),
            _ => request.header("x-api-key", token),
        };
        request.body(Body::empty()).unwrap()
    }

    /// Gives the difference that the length of our cursor makes to the length of the body.
    fn with_their_cursor(body: &str, answer: &Answer) -> usize {
        let parsed: Option<Value> = serde_json::from_str(body).ok();
        let ours = parsed.and_then(|body| Some(body.get("next_cursor")?.as_str()?.len() + 2));
        let length: usize = answer.header("content-length").unwrap().parse().unwrap();
        ours.map_or(length, |ours| length - ours + CURSOR_THERE)
    }

    #[tokio::test]
    async fn every_pair_holds_byte_for_byte() {
        let world = World::start().await;
        let token = world.silent_token("recorded", &[Scope::AuditRead]);
        fill(&world);
        let pairs = pairs();
        assert_eq!(pairs.len(), 62);
        for pair in pairs {
            let case = pair["case"].as_str().unwrap();
            let answer = world.send(request(&pair, &token)).await;
            let body = std::str::from_utf8(&answer.bytes).unwrap();
            assert_eq!(u64::from(answer.status.as_u16()), pair["status"].as_u64().unwrap(), "{case}: {body}");
            // Of the 300 events, the recorded answers show the newest two and the second.
            let is_of_known_events = pair["body"]["items"].as_u64().is_none_or(|items| items <= 2);
            for (name, expected) in pair["headers"].as_object().unwrap() {
                if name == "content-length" && !is_of_known_events {
                    continue;
                }
                let found = match name.as_str() {
                    "content-length" => Some(with_their_cursor(body, &answer).to_string()),
                    // Ours is relative, on purpose.
                    "location" => answer.header(name).map(|path| format!("http://{HOST}{path}")),
                    name => answer.header(name).map(str::to_owned),
                };
                assert_eq!(found.as_deref(), expected.as_str(), "{name} of {case}");
            }
            if let Some(raw) = pair["raw"].as_str() {
                let (ours, theirs) = (next_cursor_cut(body), next_cursor_cut(raw));
                let whole = theirs.strip_suffix('\u{2026}');
                whole.map_or_else(
                    || assert_eq!(ours, theirs, "{case}"),
                    |start| assert!(ours.starts_with(start), "{case}"),
                );
            }
            match &pair["body"] {
                Value::Object(expected) if expected.get("items").is_some_and(Value::is_u64) => {
                    let found = answer.json();
                    assert_eq!(found["items"].as_array().unwrap().len() as u64, expected["items"], "{case}");
                    assert_eq!(found["next_cursor"].is_string(), expected["next_cursor"].is_string(), "{case}");
                }
                Value::Object(_) => assert_eq!(answer.json(), pair["body"], "{case}"),
                _ => {}
            }
        }
    }

    /// A cursor is opaque: each program's looks different.
    fn next_cursor_cut(body: &str) -> &str {
        let cut = body.find(r#""next_cursor":""#);
        cut.map_or(body, |cut| &body[..cut])
    }
}

#[tokio::test]
async fn an_event_has_all_26_members_whatever_is_known() {
    let (world, token) = reader().await;
    world.audit("main", "bare", 1, &json!({ "activity_code": "route.add" }));
    let whole = json!({
        "event_type": "vm.created", "source": "api", "event_group": "machines", "status": "denied", "actor_type": "key",
        "actor_id": "a", "user_id": -3, "resource_type": "vm", "resource_id": "r", "meta": { "m": 1 },
        "session_id": "s", "vm_id": "v", "task_id": 4, "request_id": "q", "correlation_id": "c", "http_method": "GET",
        "path": "/p", "http_status": 200, "latency_ms": 2.0, "ip_address": "::1", "user_agent": "u", "node_ip": "n",
        "worker_id": "w", "event_payload": [1, { "b": null, "a": 1.5 }], "error_message": "e",
    });
    world.audit("main", "whole", 2, &whole);
    let bare = r#"{"id":"bare","created_at":"2024-01-01T00:00:01.000000Z","user_id":null,"actor_type":"system","actor_id":null,"source":"/test","event_group":"route","event_type":"route.add","status":"success","resource_type":null,"resource_id":null,"session_id":null,"vm_id":null,"task_id":null,"request_id":null,"correlation_id":null,"http_method":null,"path":null,"http_status":null,"latency_ms":null,"ip_address":null,"user_agent":null,"node_ip":null,"worker_id":null,"event_payload":null,"error_message":null}"#;
    let answer = world.get(&token, "/v1/audit/events/bare").await;
    assert_eq!(answer.bytes, bare);
    assert_eq!(answer.header("flowtrail-lag-ms"), Some("0"));
    let mut expected = whole;
    expected.as_object_mut().unwrap().remove("meta");
    expected["id"] = json!("whole");
    expected["created_at"] = json!("2024-01-01T00:00:02.000000Z");
    assert_eq!(world.get(&token, "/v1/audit/events/whole").await.json(), expected);
    let list = world.get(&token, &format!("{PATH}?limit=2&status=success")).await.json();
    assert_eq!(list["items"][0], serde_json::from_str::<Value>(bare).unwrap());
}

#[tokio::test]
async fn every_filter_narrows_the_list_and_equal_times_are_ordered_by_id() {
    let (world, token) = reader().await;
    for (id, data) in [
        ("e1", json!({ "event_type": "vm.created", "user_id": 7, "vm_id": "v1" })),
        ("e2", json!({ "event_type": "vm.deleted", "user_id": 7, "vm_id": "v2", "status": "error" })),
        ("e3", json!({ "event_type": "vm.created", "user_id": i64::MIN, "session_id": "s" })),
        ("e4", json!({ "event_type": "vm.created", "event_group": "execution", "user_id": i64::MAX })),
        ("e5", json!({ "event_type": ".nameless" })),
    ] {
        world.audit("main", id, 1, &data);
    }
    for (query, expected) in [
        ("event_group=vm", vec!["e3", "e2", "e1"]),
        ("event_group=execution", vec!["e4"]),
        ("event_group=", vec!["e5"]),
        ("event_group=VM", vec![]),
        ("event_type=vm.created", vec!["e4", "e3", "e1"]),
        ("event_type=vm.created&event_type=vm.deleted", vec!["e2"]),
        ("status=error", vec!["e2"]),
        ("status=success&event_group=vm", vec!["e3", "e1"]),
        ("user_id=7", vec!["e2", "e1"]),
        ("user_id=0_7.0&vm_id=v1", vec!["e1"]),
        ("user_id=-9223372036854775808", vec!["e3"]),
        ("user_id=-9223372036854775809", vec![]),
        ("user_id=9223372036854775808", vec![]),
        ("vm_id=v2", vec!["e2"]),
        ("vm_id=", vec![]),
        ("session_id=s", vec!["e3"]),
        ("session_id=s&session_id=t", vec![]),
    ] {
        let answer = world.get(&token, &format!("{PATH}?{query}")).await;
        assert_eq!(answer.all("id"), expected, "{query}");
        assert_eq!(next_cursor(&answer), None);
    }
}

#[tokio::test]
async fn pages_neither_repeat_nor_skip_while_events_are_added() {
    let (world, token) = reader().await;
    for n in 0..7 {
        world.audit("main", &format!("e{n}"), n / 3, &json!({ "event_type": "vm.created" }));
    }
    for filter in ["", "&event_group=vm"] {
        let mut seen = Vec::new();
        let mut path = format!("{PATH}?limit=2{filter}&cursor=");
        let first = path.clone();
        for page in 0.. {
            let answer = world.get(&token, &path).await;
            seen.extend(answer.all("id").into_iter().filter(|id| id.starts_with('e')));
            let Some(cursor) = next_cursor(&answer) else { break };
            path = format!("{first}&cursor={cursor}");
            world.audit("main", &format!("new{filter}{page}"), 100 + page, &json!({ "event_type": "vm.created" }));
        }
        assert_eq!(seen, ["e6", "e5", "e4", "e3", "e2", "e1", "e0"], "{filter}");
    }
}

#[tokio::test]
async fn a_cursor_of_another_filter_account_or_dialect_is_refused() {
    let (world, token) = reader().await;
    for n in 0..3 {
        world.audit("main", &format!("e{n}"), n, &json!({ "event_type": "vm.created" }));
    }
    let cursor = next_cursor(&world.get(&token, &format!("{PATH}?limit=1&event_group=vm")).await).unwrap();
    let stranger = world.token("other", &[Scope::AuditRead]);
    let netbird = world.get(&token, "/api/events?limit=1").await.next().unwrap();
    let netbird = netbird.split_once("cursor=").unwrap().1.to_owned();
    for (token, query) in [
        (&token, format!("cursor={cursor}")),
        (&token, format!("cursor={cursor}&event_group=vm&status=success")),
        (&stranger, format!("cursor={cursor}&event_group=vm")),
        (&token, format!("cursor={cursor}x&event_group=vm")),
        (&token, format!("cursor={netbird}")),
        (&token, "cursor=+".to_owned()),
        (&token, format!("cursor={}", "A".repeat(10_000))),
    ] {
        refused(&world.get(token, &format!("{PATH}?{query}")).await, 400, "Invalid cursor");
    }
    let good = format!("{PATH}?cursor=x&cursor={cursor}&event_group=vm&limit=200");
    assert_eq!(world.get(&token, &good).await.all("id"), ["e1", "e0"]);
}

#[tokio::test]
async fn events_of_every_stream_are_found_by_id_and_those_of_others_are_not() {
    let (world, token) = reader().await;
    world.audit("main", "a b/\u{e4}", 1, &json!({ "event_type": "x" }));
    world.audit("main", "a b\u{e4}", 1, &json!({ "event_type": "x" }));
    world.audit("other", "theirs", 1, &json!({ "event_type": "x" }));
    world.integration("main", 1);
    for (path, id) in [("a%20b%C3%A4", "a b\u{e4}"), ("integration-1", "integration-1"), ("access-1", "access-1")] {
        assert_eq!(world.get(&token, &format!("{PATH}/{path}")).await.json()["id"], id);
    }
    for id in ["theirs", "access-0", "nope", "%ff", "a%2520b"] {
        refused(&world.get(&token, &format!("{PATH}/{id}")).await, 404, "Audit event not found");
    }
}

#[tokio::test]
async fn the_catalog_names_what_the_accounts_log_holds() {
    let (world, token) = reader().await;
    for (n, event_type) in ["vm.created", "b", "vm.stopped", "vm.created"].into_iter().enumerate() {
        world.audit("main", &format!("e{n}"), 1, &json!({ "event_type": event_type }));
    }
    world.audit("main", "grouped", 1, &json!({ "event_type": "b", "event_group": "a\0" }));
    world.audit("other", "theirs", 1, &json!({ "event_type": "theirs" }));
    let expected = r#"{"catalog":{"a\u0000":["b"],"b":["b"],"personal":["personal.access.token.create"],"vm":["vm.created","vm.stopped"]}}"#;
    let answer = world.get(&token, "/v1/audit/catalog").await;
    assert_eq!((answer.status, answer.bytes.as_ref()), (StatusCode::OK, expected.as_bytes()));
    assert_eq!(answer.header("content-type"), Some("application/json"));
}

#[tokio::test]
async fn the_catalog_comes_in_pages_to_those_who_want_them() {
    let (world, token) = reader().await;
    for number in 0..5 {
        world.audit("main", &format!("e{number}"), 1, &json!({ "event_type": format!("vm.{number}") }));
    }
    let (mut path, mut pages) = ("/v1/audit/catalog?page_size=4".to_owned(), Vec::new());
    loop {
        let answer = world.get(&token, &path).await;
        pages.push(answer.json()["catalog"].take());
        let Some(link) = answer.header("link") else { break };
        path = link.strip_prefix('<').unwrap().strip_suffix(">; rel=\"next\"").unwrap().to_owned();
    }
    let first = json!({ "personal": ["personal.access.token.create"], "vm": ["vm.0", "vm.1", "vm.2"] });
    assert_eq!(pages, [first, json!({ "vm": ["vm.3", "vm.4"] })]);
    assert_eq!(world.get(&token, "/v1/audit/catalog").await.header("link"), None);
    assert_eq!(world.get(&token, "/v1/audit/catalog?page_size=0").await.status, StatusCode::UNPROCESSABLE_ENTITY);
    refused(&world.get(&token, "/v1/audit/catalog?page_cursor=AQ").await, 400, "Invalid cursor");
}

#[tokio::test]
async fn a_client_that_may_not_come_in_is_told_so_before_anything_else() {
    let (world, _) = reader().await;
    let expired = world.token_until("main", &[Scope::Admin], Some(at(0)));
    for route in routes().into_iter().filter(|route| route.path.starts_with("/v1/audit")) {
        let path = format!("{}?limit=0", route.path.replace("{id}", "nope"));
        for token in ["", "ft_unknown", &expired] {
            let answer = world.get(token, &path).await;
            refused(&answer, 401, "Not authenticated");
            assert_eq!(answer.header("www-authenticate"), Some("Bearer"));
        }
        let writer = world.token("main", &[Scope::EventsWrite]);
        refused(&world.get(&writer, &path).await, 403, "token lacks the scope audit:read");
    }
}

#[tokio::test]
async fn a_slash_too_many_is_sent_on_and_other_paths_are_unknown() {
    let (world, token) = reader().await;
    let sent = async |method: &str, path: &str, host: Option<&str>| {
        let request = Request::builder().method(method).uri(path).header("x-api-key", &token);
        let request = host.into_iter().fold(request, |request, host| request.header("host", host));
        world.send(request.body(Body::empty()).unwrap()).await
    };
    for (path, location) in [
        ("/v1/audit/events/", "/v1/audit/events"),
        ("/v1/audit/events//?a=%20b&c", "/v1/audit/events?a=%20b&c"),
        ("/v1/audit/catalog/?", "/v1/audit/catalog"),
        ("/v1/audit/events/a%20b/", "/v1/audit/events/a%20b"),
        ("/v1/audit/events/a%2F", "/v1/audit/events/a"),
    ] {
        for method in ["GET", "POST"] {
            if method == "POST" && path.ends_with("%2F") {
                continue;
            }
            let answer = sent(method, path, Some("h:1")).await;
            assert_eq!((answer.status.as_u16(), answer.header("location")), (307, Some(location)), "{path}");
            assert_eq!((answer.header("content-length"), answer.header("content-type")), (Some("0"), None));
        }
    }
    let without_host = sent("GET", "/v1/audit/events/", None).await;
    assert_eq!(without_host.header("location"), Some("/v1/audit/events"));
    assert!(without_host.header("x-request-id").is_some());
    for path in ["/v1", "/v1/", "/v1/audit", "/v1/audit/", "/v1/audit/events/a/b", "/v1/audit/events/a/b/", "/v1//"] {
        refused(&sent("GET", path, Some("h:1")).await, 404, "Not Found");
    }
    assert_eq!(sent("GET", "/v10", None).await.header("content-type"), Some("application/problem+json"));
}

#[tokio::test]
async fn only_get_is_known() {
    let (world, token) = reader().await;
    for route in routes().into_iter().filter(|route| route.path.starts_with("/v1/audit")) {
        for method in ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD"] {
            let request = Request::builder().method(method).uri(route.path.replace("{id}", "x"));
            let answer = world.send(request.header("x-api-key", &token).body(Body::empty()).unwrap()).await;
            assert_eq!((answer.status.as_u16(), answer.header("allow")), (405, Some("GET")), "{method}");
            assert_eq!(answer.header("content-length"), Some("31"));
            if method == "HEAD" {
                assert!(answer.bytes.is_empty());
            } else {
                refused(&answer, 405, "Method Not Allowed");
            }
        }
    }
}

#[tokio::test]
async fn the_sdk_gets_a_session_with_or_without_a_token_and_no_other_method_does() {
    let (world, token) = reader().await;
    let sent = async |method: &str, headers: &[(&str, &str)]| {
        let request = Request::builder().method(method).uri("/v1/sessions/session");
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        world.send(request.body(Body::from(r#"{"api_key":"k","vm_lifetime_seconds":300}"#)).unwrap()).await
    };
    for headers in [&[][..], &[("x-api-key", token.as_str())], &[("x-api-key", "unknown")]] {
        let answer = sent("POST", headers).await;
        assert_eq!((answer.status.as_u16(), answer.json()), (200, json!({ "session_id": "nothing-runs-here" })));
    }
    for method in ["GET", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "QUERY"] {
        let answer = sent(method, &[]).await;
        refused(&answer, 405, "Method Not Allowed");
        assert_eq!(answer.header("allow"), Some("POST"), "{method}");
    }
}
