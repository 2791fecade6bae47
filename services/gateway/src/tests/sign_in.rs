use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use bus::{Endpoint, Refusal};
use bytes::Bytes;
use model::access::TokenHash;
use model::log::Subject;
use model::time::Timestamp;
use runtime::settings::LimitSettings;
use serde_json::{Value, json};
use testkit::eventually;

use super::world::{Answer, World, account_id, routed, send};
use crate::app::Resources;
use crate::http::cors::Origins;
use crate::http::origin::Peer;

const PATH: &str = "/api/ni/auth/token";

/// What the write side was asked to do.
type Asked = Arc<Mutex<Vec<Value>>>;

/// A world whose write side says yes to everything, and remembers it.
async fn world() -> (World, Asked) {
    let mut world = World::start().await;
    let asked = Asked::default();
    let endpoint = |path: &'static str, done: Value| {
        let asked = asked.clone();
        Endpoint::new(format!("flowtrail.command.token.{path}"), move |request: Bytes| {
            asked.lock().unwrap().push(serde_json::from_slice(&request).unwrap());
            // As if it stood where everything has been read already.
            let position = json!({ "stream": "FLOWTRAIL_ACCESS", "sequence": 1 });
            let answer = json!({ "position": position, "done": done }).to_string();
            std::future::ready(Ok::<_, Refusal>(Bytes::from(answer)))
        })
    };
    world.serve_all(vec![endpoint("create", json!("t1")), endpoint("delete", Value::Null)]).await;
    (world, asked)
}

fn attempt(name: &str, password: &str) -> Request<Body> {
    let body = json!({ "username": name, "password": password, "domain": { "domain_type": "LOCAL" } });
    let mut request = Request::post(PATH).body(Body::from(body.to_string())).unwrap();
    request.extensions_mut().insert(Peer("192.0.2.7".parse().unwrap()));
    request
}

async fn sign_in(world: &World, name: &str, password: &str) -> Answer {
    world.send(attempt(name, password)).await
}

/// The audit events that the gateway published in an account.
async fn recorded(world: &World, account: &str) -> Vec<Value> {
    let messages = world.bus.load(&Subject::audit(&account_id(account), "flowtrail")).await.unwrap();
    messages.iter().map(|message| serde_json::from_slice(&message.payload).unwrap()).collect()
}

fn hours_ahead(hours: i64) -> i64 {
    runtime::clock::now_micros() / 1000 + hours * 3_600_000
}

#[tokio::test]
async fn a_password_is_given_in_for_a_token_of_five_hours() {
    let (world, asked) = world().await;
    let user = world.user("main", "alice@example.com", "correct horse");
    let answer = sign_in(&world, "Alice@Example.com", "correct horse").await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    let body = answer.json();
    assert_eq!(body.as_object().unwrap().len(), 2);
    let expiry = body["expiry"].as_i64().unwrap();
    assert!((hours_ahead(5) - 60_000..=hours_ahead(5)).contains(&expiry), "{expiry}");

    let asked = asked.lock().unwrap().clone();
    let hash = TokenHash::of(body["token"].as_str().unwrap());
    let create = &asked[0];
    assert_eq!((asked.len(), &create["hash"], &create["user_id"]), (1, &json!(hash), &json!(user)));
    assert_eq!(
        (&create["account"], &create["scopes"]),
        (&json!("main"), &json!(["audit:read", "traffic:read", "integrations:read"]))
    );
    assert!(!create.to_string().contains(body["token"].as_str().unwrap()));

    let events = recorded(&world, "main").await;
    let expected = json!({
        "event_type": "user.login", "status": "success", "actor_id": user, "actor_name": "Name",
        "actor_email": "alice@example.com", "resource_type": "user", "resource_id": user, "ip_address": "192.0.2.7",
    });
    assert_eq!((events.len(), &events[0]["data"]), (1, &expected));
    assert_eq!(
        (&events[0]["source"], &events[0]["type"]),
        (&json!("flowtrail"), &json!("flowtrail.audit.recorded.v1"))
    );
}

#[tokio::test]
async fn a_wrong_password_and_a_wrong_name_are_refused_alike() {
    let (world, asked) = world().await;
    world.user("main", "alice@example.com", "correct horse");
    let started = Instant::now();
    let wrong_password = sign_in(&world, "alice@example.com", "hunter2").await;
    assert!(started.elapsed() >= Duration::from_millis(500));
    let wrong_name = sign_in(&world, "bob@example.com", "hunter2").await;
    assert!(started.elapsed() >= Duration::from_millis(1000));
    assert_eq!(wrong_password.refusal(401), "the user name or the password is wrong");
    assert_eq!((wrong_password.status, &wrong_password.bytes), (wrong_name.status, &wrong_name.bytes));
    assert_eq!(asked.lock().unwrap().len(), 0);
    let events = recorded(&world, "main").await;
    assert_eq!((events.len(), &events[0]["data"]["status"]), (1, &json!("denied")));
    assert!(!events[0].to_string().contains("hunter2"));
}

#[tokio::test]
async fn of_two_accounts_with_the_same_address_it_is_the_one_whose_password_fits() {
    let (world, asked) = world().await;
    world.user("acme", "alice@example.com", "one");
    world.user("main", "alice@example.com", "other");
    assert_eq!(sign_in(&world, "alice@example.com", "other").await.status, StatusCode::OK);
    assert_eq!(sign_in(&world, "alice@example.com", "one").await.status, StatusCode::OK);
    let accounts: Vec<Value> = asked.lock().unwrap().iter().map(|create| create["account"].clone()).collect();
    assert_eq!(accounts, ["main", "acme"]);
    assert_eq!((recorded(&world, "main").await.len(), recorded(&world, "acme").await.len()), (1, 1));
}

#[tokio::test]
async fn the_oldest_tokens_end_when_a_user_has_more_than_a_hundred() {
    let (world, asked) = world().await;
    let user = world.user("main", "alice@example.com", "p");
    let ends = |millis: i64| Timestamp::from_micros(millis * 1000).unwrap();
    for number in 0..102 {
        world.user_token("main", &user, &format!("t{number}"), ends(hours_ahead(1) + number));
    }
    world.user_token("main", &user, "over", ends(hours_ahead(-1)));
    assert_eq!(sign_in(&world, "alice@example.com", "p").await.status, StatusCode::OK);
    let ended: Vec<Value> = asked.lock().unwrap().iter().skip(1).map(|delete| delete["id"].clone()).collect();
    assert_eq!(ended, ["t0", "t1"]);
}

#[tokio::test]
async fn signing_out_ends_the_token_that_it_comes_with() {
    let (world, asked) = world().await;
    let token = world.admin();
    let answer = world.put(Method::DELETE, &token, PATH, "").await;
    assert_eq!((answer.status, answer.bytes.len()), (StatusCode::NO_CONTENT, 0));
    assert_eq!(asked.lock().unwrap()[0]["id"], "t0");
    assert_eq!(world.put(Method::DELETE, "ft_unknown", PATH, "").await.refusal(401), "token invalid");
}

#[tokio::test]
async fn what_is_missing_is_named() {
    let (world, _) = world().await;
    let answer = world.send(Request::post(PATH).body(Body::from(r#"{"username":"a"}"#)).unwrap()).await;
    assert_eq!(answer.refusal(400), "password: is required");
    assert_eq!(answer.json()["details"][0]["target"], json!(["password"]));
}

#[tokio::test]
async fn without_a_write_side_nobody_signs_in() {
    let world = World::start().await;
    world.user("main", "alice@example.com", "p");
    let answer = sign_in(&world, "alice@example.com", "p").await;
    assert_eq!(answer.refusal(503), "the log cannot be reached, try again");
    assert_eq!(answer.header("retry-after"), Some("1"));
}

#[tokio::test]
async fn after_ten_wrong_passwords_in_a_row_a_name_has_to_wait_and_whoever_is_signed_in_does_not() {
    let (world, asked) = world().await;
    world.user("main", "alice@example.com", "correct horse");
    world.user("main", "bob@example.com", "staple");
    let token = world.admin();
    let limits = LimitSettings { rate_sign_ins_name: 1000, ..LimitSettings::NONE };
    let router = routed(Resources { limits, ..world.resources(false).0 }, &Origins::Any);
    let sign_in = async |name: &str, password: &str| send(&router, attempt(name, password)).await;
    // Names are the same in any case. A right password in between makes them none in a row.
    let names = ["alice@example.com", "Alice@example.com", "ALICE@example.com"];
    let tried = |count: usize| names.into_iter().cycle().take(count);
    for name in tried(9) {
        assert_eq!(sign_in(name, "x").await.status.as_u16(), 401, "{name}");
    }
    assert_eq!(sign_in(names[0], "correct horse").await.status.as_u16(), 200);
    for name in tried(10) {
        assert_eq!(sign_in(name, "x").await.status.as_u16(), 401, "{name}");
    }
    // The next delay is far longer than a test takes.
    let delayed = async || {
        let answer = sign_in("alice@example.com", "x").await;
        let seconds: u64 = answer.header("retry-after").and_then(|text| text.parse().ok())?;
        assert_eq!(answer.status.as_u16(), 429);
        Some(seconds)
    };
    eventually("the delay is long", async || delayed().await.filter(|seconds| *seconds > 2)).await;
    assert_eq!(sign_in("alice@example.com", "correct horse").await.status.as_u16(), 429);
    assert_eq!(sign_in("bob@example.com", "staple").await.status.as_u16(), 200);
    let mut read = Request::get("/api/events/audit").header("x-api-key", &token).body(Body::empty()).unwrap();
    read.extensions_mut().insert(Peer("192.0.2.7".parse().unwrap()));
    assert_eq!(send(&router, read).await.status.as_u16(), 200);
    assert_eq!(asked.lock().unwrap().len(), 2, "no token was made of what came during the delay");

    let events = recorded(&world, "main").await;
    let delays: Vec<&Value> = events.iter().map(|event| &event["data"]).collect();
    let mut delays = delays.into_iter().filter(|data| data["event_type"] == "user.login.delay");
    let first = delays.next().unwrap();
    assert_eq!(first["meta"], json!({ "wrong_passwords": 10, "delay_seconds": 1 }));
    assert_eq!((&first["actor_email"], &first["status"]), (&json!("alice@example.com"), &json!("denied")));
    assert_eq!(first["ip_address"], "192.0.2.7");
    assert_eq!(delays.next().unwrap()["meta"], json!({ "wrong_passwords": 11, "delay_seconds": 2 }));
}

#[tokio::test]
async fn a_name_that_nobody_has_waits_like_any_other() {
    let (world, _) = world().await;
    world.user("main", "alice@example.com", "correct horse");
    let limits = LimitSettings { rate_sign_ins_name: 1000, ..LimitSettings::NONE };
    let router = routed(Resources { limits, ..world.resources(false).0 }, &Origins::Any);
    let mut answers = Vec::new();
    for name in ["alice@example.com", "nobody@example.com"] {
        for _ in 0..10 {
            assert_eq!(send(&router, attempt(name, "x")).await.status.as_u16(), 401);
        }
        let answer = send(&router, attempt(name, "x")).await;
        answers.push((answer.status.as_u16(), answer.header("retry-after").map(str::to_owned), answer.bytes));
    }
    assert_eq!((answers[0].0, &answers[0]), (429, &answers[1]));
}
