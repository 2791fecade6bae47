use axum::Router;
use axum::body::Body;
use axum::http::{Method, Request};
use model::access::Scope;
use runtime::settings::LimitSettings;
use serde_json::json;

use super::world::{Answer, World, routed, send};
use crate::app::Resources;
use crate::http::cors::Origins;
use crate::http::origin::Peer;

const NONE: LimitSettings = LimitSettings::NONE;

/// A gateway over the views of `world` with limits of its own.
fn limited(world: &World, limits: LimitSettings) -> Router {
    routed(Resources { limits, ..world.resources(false).0 }, &Origins::Any)
}

fn from(address: &str, method: Method, path: &str, token: &str) -> Request<Body> {
    let mut request =
        Request::builder().method(method).uri(path).header("x-api-key", token).body(Body::empty()).unwrap();
    request.extensions_mut().insert(Peer(address.parse().unwrap()));
    request
}

async fn get(router: &Router, address: &str, path: &str, token: &str) -> Answer {
    send(router, from(address, Method::GET, path, token)).await
}

#[tokio::test]
async fn too_many_is_a_429_in_each_dialect_that_says_when_to_come_back() {
    let world = World::start().await;
    let router = limited(&world, LimitSettings { rate_address: 1, ..NONE });
    let token = world.admin();
    let text = "too many requests, try again in 1 s";
    let paths = ["/api/events/audit", "/v1/audit/events", "/api/ni/info/version", "/healthz", "/v1/elsewhere"];
    for (number, path) in paths.into_iter().enumerate() {
        let address = format!("192.0.2.{number}");
        assert_ne!(get(&router, &address, path, &token).await.status, 429);
        assert_ne!(get(&router, &address, path, &token).await.status, 429);
        let answer = get(&router, &address, path, &token).await;
        assert_eq!((answer.status.as_u16(), answer.header("retry-after")), (429, Some("1")), "{path}");
        let body = answer.json();
        match path {
            "/v1/audit/events" | "/v1/elsewhere" => assert_eq!(body["detail"], text),
            "/healthz" => assert_eq!((&body["detail"], &body["title"]), (&text.into(), &"Too Many Requests".into())),
            _ => assert_eq!(answer.refusal(429), text),
        }
    }
}

#[tokio::test]
async fn reads_and_writes_of_a_token_count_apart_and_those_of_others_not_at_all() {
    let world = World::start().await;
    let router = limited(&world, LimitSettings { rate_reads: 1, rate_writes: 1, ..NONE });
    let (one, other) = (world.admin(), world.token("main", &[Scope::AuditRead]));
    let read = async |token: &str| get(&router, "192.0.2.1", "/api/events/audit", token).await.status.as_u16();
    // Without a body it is refused, and counts all the same.
    let write = async || {
        let request = from("192.0.2.1", Method::POST, "/api/events/audit", &one);
        send(&router, request).await.status.as_u16()
    };
    assert_eq!([read(&one).await, read(&one).await, read(&one).await], [200, 200, 429]);
    assert_eq!([write().await, write().await, write().await], [400, 400, 429]);
    assert_eq!(read(&other).await, 200);
    // vRNI's list is a POST that reads.
    let list = from("192.0.2.1", Method::POST, "/api/ni/logs/audit", &one);
    assert_eq!(send(&router, list).await.status, 429);
}

#[tokio::test]
async fn what_a_token_may_not_do_counts_for_it_too() {
    let world = World::start().await;
    let router = limited(&world, LimitSettings { rate_reads: 1, ..NONE });
    let token = world.token("main", &[Scope::TrafficRead]);
    let read = async || get(&router, "192.0.2.1", "/api/events/audit", &token).await.status.as_u16();
    assert_eq!([read().await, read().await, read().await], [403, 403, 429]);
}

#[tokio::test]
async fn an_address_that_brings_many_unknown_tokens_is_refused_and_its_neighbours_go_on() {
    let world = World::start().await;
    let router = limited(&world, LimitSettings { rate_unknown: 1, ..NONE });
    let token = world.admin();
    let read = async |address, token: &str| get(&router, address, "/api/events/audit", token).await.status.as_u16();
    for expected in [401, 401, 429, 429] {
        assert_eq!(read("192.0.2.1", "ft_guess").await, expected);
    }
    assert_eq!(read("192.0.2.1", &token).await, 200, "a valid token is let in");
    assert_eq!(read("192.0.2.2", "ft_guess").await, 401);
}

#[tokio::test]
async fn sign_ins_of_a_name_are_few_wherever_they_come_from() {
    let world = World::start().await;
    let router = limited(&world, LimitSettings { rate_sign_ins_name: 2, ..NONE });
    let sign_in = async |address: &str, name: &str| {
        let body = json!({ "username": name, "password": "p" }).to_string();
        let mut request = Request::post("/api/ni/auth/token").body(Body::from(body)).unwrap();
        request.extensions_mut().insert(Peer(address.parse().unwrap()));
        send(&router, request).await.status.as_u16()
    };
    for (address, name, expected) in
        [("192.0.2.1", "a@x", 401), ("192.0.2.2", "A@x", 401), ("192.0.2.3", "a@X", 429), ("192.0.2.3", "b@x", 401)]
    {
        assert_eq!(sign_in(address, name).await, expected, "{name} from {address}");
    }
}

#[tokio::test]
async fn sign_ins_of_an_address_are_few() {
    let world = World::start().await;
    let router = limited(&world, LimitSettings { rate_sign_ins: 2, ..NONE });
    let sign_in = async |address: &str, body: &'static str| {
        let mut request = Request::post("/api/ni/auth/token").body(Body::from(body)).unwrap();
        request.extensions_mut().insert(Peer(address.parse().unwrap()));
        send(&router, request).await
    };
    let attempt = r#"{"username":"a@x","password":"p"}"#;
    for body in [attempt, "{}", "{}", attempt] {
        let expected = if body == attempt { 401 } else { 400 };
        assert_eq!(sign_in("2001:db8::1", body).await.status, expected, "what is no attempt does not count");
    }
    let refused = sign_in("2001:db8::2", attempt).await;
    assert_eq!(refused.status, 429);
    let seconds: u64 = refused.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=30).contains(&seconds));
    assert_eq!(refused.refusal(429), format!("too many requests, try again in {seconds} s"));
    assert_eq!(sign_in("2001:db8:1::", attempt).await.status, 401);
}
