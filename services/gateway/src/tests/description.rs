use axum::body::Body;
use axum::http::{Request, StatusCode};

use super::world::World;
use crate::router::openapi;

#[tokio::test]
async fn the_description_and_its_page_need_no_token() {
    let world = World::start().await;
    let get = |path: &str| world.send(Request::get(path).body(Body::empty()).unwrap());

    let document = get("/openapi.json").await;
    assert_eq!((document.status, document.json()), (StatusCode::OK, openapi()));

    let page = get("/docs").await;
    assert_eq!((page.status, page.header("content-type")), (StatusCode::OK, Some("text/html; charset=utf-8")));
    let policy = page.header("content-security-policy").unwrap();
    assert!(policy.starts_with("default-src 'none'; ") && policy.contains("frame-ancestors 'none'"), "{policy}");
}
