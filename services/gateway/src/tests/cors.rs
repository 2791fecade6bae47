//! What a browser is told that runs a page of another origin.

use axum::body::Body;
use axum::http::{Request, StatusCode};

use super::world::{Answer, World};

const PAGE: &str = "https://dash.example.com";
const ALLOWED: &str = "access-control-allow-origin";

fn asked_from(origin: &str, method: &str, path: &str) -> axum::http::request::Builder {
    Request::builder().method(method).uri(path).header("origin", origin)
}

async fn preflight(world: &World, path: &str, method: &str) -> Answer {
    let asked = asked_from(PAGE, "OPTIONS", path)
        .header("access-control-request-method", method)
        .header("access-control-request-headers", "authorization,content-type");
    world.send(asked.body(Body::empty()).unwrap()).await
}

#[tokio::test]
async fn a_page_of_any_origin_may_ask_with_a_token_and_never_with_cookies() {
    let world = World::start().await;
    // InstaVM's paths too, which refuse other OPTIONS.
    for (path, method) in [
        ("/api/events/audit", "GET"),
        ("/v1/audit/events", "GET"),
        ("/api/event-streaming/1", "PUT"),
        ("/api/ni/auth/token", "POST"),
        ("/api/ni/logs/audit", "POST"),
    ] {
        let answer = preflight(&world, path, method).await;
        assert_eq!((answer.status, answer.header(ALLOWED)), (StatusCode::OK, Some("*")), "{path}");
        assert_eq!(answer.header("access-control-allow-methods"), Some(method));
        assert_eq!(answer.header("access-control-allow-headers"), Some("authorization,content-type"));
        assert_eq!(answer.header("access-control-allow-credentials"), None);
    }
    let token = world.admin();
    let listed = asked_from(PAGE, "GET", "/api/events/audit").header("x-api-key", &token);
    let refused = asked_from(PAGE, "GET", "/api/events/audit");
    for (request, status) in [(listed, StatusCode::OK), (refused, StatusCode::UNAUTHORIZED)] {
        let answer = world.send(request.body(Body::empty()).unwrap()).await;
        assert_eq!((answer.status, answer.header(ALLOWED)), (status, Some("*")));
        let exposed = answer.header("access-control-expose-headers").unwrap();
        assert!(["x-request-id", "flowtrail-as-of", "link"].iter().all(|name| exposed.contains(name)), "{exposed}");
    }
    let answer = world.send(Request::builder().uri("/healthz").body(Body::empty()).unwrap()).await;
    assert_eq!((answer.status, answer.header(ALLOWED), answer.header("vary")), (StatusCode::OK, None, None));
}

#[tokio::test]
async fn where_origins_are_named_others_may_not_ask() {
    let world = World::with_origins(&PAGE.parse().unwrap()).await;
    let own = preflight(&world, "/api/events/audit", "GET").await;
    assert_eq!(own.header(ALLOWED), Some(PAGE));
    for origin in ["https://other.example.com", "http://dash.example.com", "null"] {
        let asked = asked_from(origin, "OPTIONS", "/api/events/audit").header("access-control-request-method", "GET");
        let answer = world.send(asked.body(Body::empty()).unwrap()).await;
        assert_eq!(answer.header(ALLOWED), None, "{origin}");
    }
    let world = World::with_origins(&"".parse().unwrap()).await;
    assert_eq!(preflight(&world, "/api/events/audit", "GET").await.header(ALLOWED), None);
}
