use axum::http::{Method, StatusCode};
use bus::Refusal;
use model::access::Scope;
use model::log::Stream;
use serde_json::{Value, json};

use super::world::{World, at, saved};

const PATH: &str = "/flowtrail/v1/searches";

fn shown(id: &str, owner: &str, shared: bool) -> Value {
    json!({
        "id": id, "name": id, "family": "audit", "q": "status:denied", "from": null, "to": null, "columns": null,
        "shared": shared, "owner": { "id": owner, "name": null, "email": null }, "created_at": at(0), "updated_at": at(0),
    })
}

/// What the service that carries out commands would answer.
fn done(sequence: Option<u64>) -> Value {
    let position = sequence.map(|sequence| json!({ "stream": "FLOWTRAIL_SEARCH", "sequence": sequence }));
    let owner = json!({ "id": "token:t0", "name": null, "email": null });
    let current = json!({ "definition": saved("s7", true), "owner": owner, "created_at": at(0), "updated_at": at(0) });
    json!({ "position": position, "done": { "id": "s7", "current": current } })
}

#[tokio::test]
async fn a_caller_is_shown_their_own_searches_and_those_that_are_shared() {
    let world = World::start().await;
    let token = world.token("main", &[Scope::AuditRead]);
    let blind = world.token("main", &[Scope::TrafficRead]);
    world.search("main", "s1", "token:t0", false);
    world.search("main", "s2", "alice", true);
    world.search("main", "s3", "alice", false);
    world.search("other", "s4", "token:t0", true);
    let list = world.get(&token, PATH).await;
    assert_eq!(list.json(), json!({ "items": [shown("s1", "token:t0", false), shown("s2", "alice", true)] }));
    assert_eq!(list.header("flowtrail-as-of"), Some("FLOWTRAIL_SEARCH:4"));
    assert_eq!(world.get(&token, &format!("{PATH}?family=audit")).await.all("id"), ["s1", "s2"]);
    assert_eq!(world.get(&token, &format!("{PATH}?family=traffic")).await.json(), json!({ "items": [] }));
    assert_eq!(world.get(&blind, PATH).await.json(), json!({ "items": [] }));
    let one = world.get(&token, &format!("{PATH}/s2")).await;
    assert_eq!((one.json(), one.header("flowtrail-lag-ms")), (shown("s2", "alice", true), Some("0")));
}

#[tokio::test]
async fn what_a_caller_does_not_see_looks_like_what_does_not_exist() {
    let world = World::start().await;
    let token = world.admin();
    world.search("main", "s3", "alice", false);
    world.search("other", "s4", "token:t0", true);
    let missing = world.get(&token, &format!("{PATH}/missing")).await;
    assert_eq!(
        (missing.status, missing.json()["detail"].as_str()),
        (StatusCode::NOT_FOUND, Some("there is no such search"))
    );
    for id in ["s3", "s4", "%00", "%FF", "a%2Fb"] {
        let answer = world.get(&token, &format!("{PATH}/{id}")).await;
        assert_eq!((answer.status, answer.bytes), (missing.status, missing.bytes.clone()), "{id}");
    }
}

#[tokio::test]
async fn a_search_is_sent_on_and_answered_when_the_view_has_it() {
    let mut world = World::start().await;
    let token = world.token("main", &[Scope::AuditRead]);
    world
        .serve("flowtrail.command.search.create", |command| {
            let expected = json!({
                "account": "main",
                "asker": { "actor": { "id": "token:t0", "name": "token 0", "email": null }, "scopes": ["audit:read"] },
                "search": {
                    "name": "s7", "family": "audit", "q": "status:denied", "from": "now-1h", "to": null,
                    "columns": ["time"], "shared": true,
                },
            });
            assert_eq!(command, expected);
            Ok(done(Some(1)))
        })
        .await;
    let body = r#"{"name":"s7","family":"audit","q":"status:denied","from":"now-1h","columns":["time"],"shared":true}"#;
    let mut asking = std::pin::pin!(world.put(Method::POST, &token, PATH, body));
    let waits = tokio::time::timeout(std::time::Duration::from_millis(500), &mut asking).await;
    assert!(waits.is_err(), "answered before the view has it: {waits:?}");
    world.observe(Stream::Search, 1);
    let answer = asking.await;
    assert_eq!((answer.status, answer.json()), (StatusCode::CREATED, shown("s7", "token:t0", true)));
    assert_eq!(answer.header("location"), Some("/flowtrail/v1/searches/s7"));
    assert_eq!(answer.header("flowtrail-as-of"), Some("FLOWTRAIL_SEARCH:1"));
}

#[tokio::test]
async fn a_change_and_a_deletion_are_sent_on() {
    let mut world = World::start().await;
    let token = world.admin();
    let endpoint = |path: &str, answer: fn(Value) -> Value| {
        bus::Endpoint::new(format!("flowtrail.command.search.{path}"), move |request: bytes::Bytes| {
            let answer = answer(serde_json::from_slice(&request).unwrap());
            std::future::ready(Ok::<_, Refusal>(bytes::Bytes::from(answer.to_string())))
        })
    };
    let update = endpoint("update", |command| {
        let unchanged = json!({ "name": null, "family": null, "q": null, "from": "", "to": null, "columns": null, "shared": false });
        assert_eq!((&command["id"], &command["change"]), (&json!("s7"), &unchanged));
        done(None)
    });
    let delete = endpoint("delete", |command| {
        assert_eq!((&command["id"], &command["asker"]["scopes"]), (&json!("s7"), &json!(["admin"])));
        json!({ "position": { "stream": "FLOWTRAIL_SEARCH", "sequence": 0 }, "done": null })
    });
    world.serve_all(vec![update, delete]).await;
    let path = format!("{PATH}/s7");
    let changed = world.put(Method::PUT, &token, &path, r#"{"from":null,"shared":false}"#).await;
    assert_eq!((changed.status, changed.json()), (StatusCode::OK, shown("s7", "token:t0", true)));
    assert_eq!(changed.header("flowtrail-as-of"), None, "nothing was changed");
    let deleted = world.put(Method::DELETE, &token, &path, "").await;
    assert_eq!((deleted.status, deleted.bytes.len()), (StatusCode::NO_CONTENT, 0));
    assert_eq!(deleted.header("flowtrail-as-of"), Some("FLOWTRAIL_SEARCH:0"));
}

#[tokio::test]
async fn a_refused_command_is_a_problem_in_its_own_words() {
    let mut world = World::start().await;
    let token = world.admin();
    world
        .serve("flowtrail.command.search.update", |command| {
            let (code, message) = match command["id"].as_str().unwrap() {
                "invalid" => (400, r#"q: column 1: "actr" is no field: is actor meant?"#),
                "foreign" => (403, "only its owner and an admin of the account may change a shared search"),
                "missing" => (404, "there is no such search"),
                _ => (409, "it was changed by someone else at the same time"),
            };
            Err(Refusal { code, message: message.to_owned() })
        })
        .await;
    for (id, status, text) in [
        ("invalid", 400, r#"q: column 1: "actr" is no field: is actor meant?"#),
        ("foreign", 403, "only its owner and an admin of the account may change a shared search"),
        ("missing", 404, "there is no such search"),
        ("busy", 409, "it was changed by someone else at the same time"),
    ] {
        let answer = world.put(Method::PUT, &token, &format!("{PATH}/{id}"), "{}").await;
        let problem = answer.json();
        assert_eq!(
            (answer.status.as_u16(), &problem["status"], &problem["detail"]),
            (status, &json!(status), &json!(text))
        );
    }
}

#[tokio::test]
async fn a_bad_body_reaches_nobody() {
    let world = World::start().await;
    let token = world.admin();
    // Nobody carries out commands here: what is sent on would be a 503.
    for (method, path, body, text) in [
        (Method::POST, PATH, "[]", "body: must be a JSON object"),
        (Method::POST, PATH, r#"{"name":"x","family":"dns"}"#, "family: must be one of audit, traffic"),
        (Method::PUT, "/flowtrail/v1/searches/s7", r#"{"colums":[]}"#, "colums: is no member here: is columns meant?"),
    ] {
        let answer = world.put(method, &token, path, body).await;
        assert_eq!((answer.status, answer.json()["detail"].as_str()), (StatusCode::BAD_REQUEST, Some(text)));
    }
    let wrong = world.get(&token, &format!("{PATH}?famly=audit")).await;
    assert_eq!(wrong.json()["detail"], "famly: is no parameter here: is family meant?");
}
