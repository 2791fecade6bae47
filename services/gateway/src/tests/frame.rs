use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use serde_json::json;

use super::world::World;
use crate::dialects;
use crate::http::frame::Frame;
use crate::http::metrics::HttpMetrics;
use crate::router::routes;

fn bare(method: &str, path: &str) -> Request<Body> {
    Request::builder().method(method).uri(path).body(Body::empty()).unwrap()
}

#[tokio::test]
async fn every_answer_has_a_request_id_and_headers_for_browsers() {
    let world = World::start().await;
    let answers = ["/healthz", "/api/events", "/nowhere", "/api/nowhere"].map(|path| world.send(bare("GET", path)));
    for answer in answers {
        let answer = answer.await;
        assert_eq!(answer.header("x-request-id").unwrap().len(), 26);
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        assert_eq!(answer.header("content-security-policy"), Some("default-src 'none'; frame-ancestors 'none'"));
    }
    let named = Request::get("/healthz").header("x-request-id", "mine-1").body(Body::empty()).unwrap();
    assert_eq!(world.send(named).await.header("x-request-id"), Some("mine-1"));
}

#[tokio::test]
async fn a_path_that_nobody_knows_is_a_404_in_its_dialect() {
    let world = World::start().await;
    for path in ["/api", "/api/", "/api/events/", "/api/event-streaming/", "/api/peers", "/api/event-streaming/1/2"] {
        assert_eq!(world.send(bare("GET", path)).await.refusal(404), "there is nothing at this path", "{path}");
    }
    let problem = world.send(bare("POST", "/nowhere")).await;
    assert_eq!(problem.header("content-type"), Some("application/problem+json"));
    let expected = json!({
        "type": "about:blank", "title": "Not Found", "status": 404, "detail": "there is nothing at this path",
    });
    assert_eq!((problem.status, problem.json()), (StatusCode::NOT_FOUND, expected));
}

#[tokio::test]
async fn a_wrong_method_is_a_405_that_names_the_right_ones() {
    let world = World::start().await;
    for path in routes().iter().map(|route| route.path) {
        let known = routes().into_iter().filter(|route| route.path == path).map(|route| route.method);
        let known: Vec<Method> = known.collect();
        for method in ["GET", "POST", "PUT", "DELETE", "PATCH", "TRACE", "QUERY", "CONNECT", "BREW"] {
            if known.iter().any(|known| known == method) {
                continue;
            }
            let answer = world.send(bare(method, &path.replace("{id}", "1"))).await;
            assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED, "{method} {path}");
            let allowed: Vec<&str> = answer.header("allow").unwrap().split(',').collect();
            assert!(known.iter().all(|known| allowed.contains(&known.as_str())), "{path}: {allowed:?}");
            assert!(!allowed.contains(&method), "{path}: {allowed:?}");
            if path.starts_with("/api/") {
                assert_eq!(answer.refusal(405), "method not allowed");
            }
        }
    }
}

#[tokio::test]
async fn options_is_answered_without_allow() {
    let world = World::start().await;
    let answer = world.send(bare("OPTIONS", "/api/events/audit")).await;
    assert_eq!((answer.status, answer.header("allow")), (StatusCode::NO_CONTENT, None));
}

#[tokio::test]
async fn head_is_get_without_a_body() {
    let world = World::start().await;
    let token = world.admin();
    let head = Request::head("/api/events").header("x-api-key", &token).body(Body::empty()).unwrap();
    let answer = world.send(head).await;
    let get = world.get(&token, "/api/events").await;
    assert_eq!((answer.status, answer.bytes.len()), (StatusCode::OK, 0));
    assert_eq!(answer.header("content-length"), Some(get.bytes.len().to_string().as_str()));
    assert_eq!(answer.header("x-total-count"), get.header("x-total-count"));
}

#[tokio::test]
async fn a_read_says_as_of_when_it_is() {
    let world = World::start().await;
    let token = world.admin();
    world.audit("main", "e1", 1, &json!({ "event_type": "a" }));
    let answer = world.get(&token, "/api/events").await;
    let as_of = "FLOWTRAIL_AUDIT:1, FLOWTRAIL_INTEGRATION:0, FLOWTRAIL_ACCESS:1";
    assert_eq!((answer.header("flowtrail-as-of"), answer.header("flowtrail-lag-ms")), (Some(as_of), Some("0")));
    assert_eq!(answer.header("flowtrail-stale"), None);
}

#[tokio::test]
async fn a_position_that_is_none_is_a_400() {
    let world = World::start().await;
    let token = world.admin();
    let request = Request::get("/api/events").header("x-api-key", token).header("flowtrail-at-least", "soon");
    let refusal = world.send(request.body(Body::empty()).unwrap()).await.refusal(400);
    assert!(refusal.starts_with("flowtrail-at-least: "), "{refusal}");
}

#[tokio::test]
async fn a_handler_that_panics_is_a_500_that_says_nothing() {
    use axum::middleware::from_fn_with_state;
    use axum::routing::get;
    use tower_http::catch_panic::CatchPanicLayer;

    let state = Frame { metrics: HttpMetrics::default(), render: dialects::render };
    let panics = axum::Router::new()
        .route("/api/x", get(async || -> StatusCode { panic!("secret") }))
        .layer(CatchPanicLayer::custom(crate::http::frame::panicked))
        .layer(from_fn_with_state(state, crate::http::frame::frame));
    let answer = super::world::send(&panics, bare("GET", "/api/x")).await;
    assert_eq!(answer.refusal(500), "internal error");
}
