//! What a dialect ignores of a request is told.

use axum::body::Body;
use axum::http::{Method, Request};
use serde_json::json;

use super::world::World;

const IGNORED: &str = "flowtrail-ignored";

#[tokio::test]
async fn parameters_that_are_not_known_are_named_in_every_dialect() {
    let world = World::start().await;
    let token = world.admin();
    world.audit("main", "e1", 1, &json!({ "event_type": "door.open" }));
    world.integration("main", 1);
    for (path, expected) in [
        ("/api/events/audit", None),
        ("/api/events/audit?activity_code=door.open&limit=5", None),
        ("/api/events/audit?activty_code=a&page_size=1&activty_code=b", Some("activty_code, page_size")),
        ("/api/events?sort=%C3%A4", Some("sort")),
        ("/api/events/network-traffic?protcol=17", Some("protcol")),
        ("/v1/audit/events?event_typ=a&limit=1&Limit=2", Some("event_typ, Limit")),
        ("/v1/audit/events/e1?fields=id", Some("fields")),
        ("/v1/audit/catalog?a%2Cb", Some("a%2Cb")),
        ("/api/event-streaming?page=1", Some("page")),
        ("/api/event-streaming/1?x", Some("x")),
        ("/api/ni/info/version?v=1", Some("v")),
    ] {
        let answer = world.get(&token, path).await;
        assert_eq!((answer.status.as_u16(), answer.header(IGNORED)), (200, expected), "{path}");
    }
}

#[tokio::test]
async fn members_of_a_body_are_named_behind_the_parameters() {
    let world = World::start().await;
    let token = world.admin();
    for (query, body, expected) in [
        ("", r#"{"operation":"LOGIN","username":"u","time_range":{"start_time":1}}"#, None),
        ("", r#"{"operaton":"LOGIN"}"#, Some("operaton")),
        ("?size=1", r#"{"zone":1,"time_range":{"from":1},"Size":2}"#, Some("size, Size, zone, time_range.from")),
    ] {
        let answer = world.put(Method::POST, &token, &format!("/api/ni/logs/audit{query}"), body).await;
        assert_eq!((answer.status.as_u16(), answer.header(IGNORED)), (200, expected), "{body}");
    }
}

#[tokio::test]
async fn nothing_is_told_of_what_is_refused_or_has_no_original() {
    let world = World::start().await;
    let token = world.admin();
    for (path, status) in [
        ("/api/events/audit?limit=0&x=1", 400),
        ("/v1/audit/events?limit=0&x=1", 422),
        ("/v1/audit/events/none?x=1", 404),
        ("/flowtrail/v1/dead-letters?x=1", 400),
        ("/healthz?x=1", 200),
    ] {
        let answer = world.get(&token, path).await;
        assert_eq!((answer.status.as_u16(), answer.header(IGNORED)), (status, None), "{path}");
    }
    assert_eq!(world.get("ft_unknown", "/api/events/audit?x=1").await.header(IGNORED), None);
}

#[tokio::test]
async fn a_page_of_another_origin_may_read_it() {
    let world = World::start().await;
    let asked = Request::get("/api/events/audit?x=1").header("x-api-key", world.admin());
    let answer = world.send(asked.header("origin", "https://a.example").body(Body::empty()).unwrap()).await;
    let exposed = answer.header("access-control-expose-headers").unwrap();
    assert!(exposed.contains(IGNORED) && answer.header(IGNORED) == Some("x"), "{exposed}");
}
