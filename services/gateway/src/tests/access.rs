use axum::body::Body;
use axum::http::{Request, StatusCode};
use model::access::Scope;
use serde_json::json;

use super::world::{World, at, request};
use crate::access::caller::Needs;
use crate::route::Route;
use crate::router::routes;

#[tokio::test]
async fn nobody_comes_in_without_a_valid_token() {
    let world = World::start().await;
    let expired = world.token_until("main", &[Scope::Admin], Some(at(0)));
    let of_netbird = |route: &Route| route.needs != Needs::Nothing && route.path.starts_with("/api/");
    for route in routes().into_iter().filter(of_netbird) {
        let path = route.path.replace("{id}", "1");
        let anonymous = Request::builder().method(route.method.clone()).uri(&path).body(Body::empty()).unwrap();
        let refused = world.send(anonymous).await;
        assert_eq!(refused.refusal(401), "no valid authentication provided");
        assert_eq!(refused.header("www-authenticate"), Some("Bearer"));
        for (token, text) in [("ft_unknown", "token invalid"), (expired.as_str(), "token expired")] {
            let refused = world.send(request(route.method.clone(), token, &path, Body::empty())).await;
            assert_eq!(refused.refusal(401), text, "{} {path}", route.method);
        }
    }
}

#[tokio::test]
async fn either_of_two_tokens_opens() {
    let world = World::start().await;
    let token = world.admin();
    for (key, bearer, status) in [
        (token.as_str(), "wrong", StatusCode::OK),
        ("wrong", token.as_str(), StatusCode::OK),
        ("wrong", "wrong too", StatusCode::UNAUTHORIZED),
    ] {
        let request = Request::get("/api/events").header("x-api-key", key);
        let request = request.header("authorization", format!("Bearer {bearer}")).body(Body::empty()).unwrap();
        assert_eq!(world.send(request).await.status, status, "{key}, {bearer}");
    }
}

#[tokio::test]
async fn a_missing_scope_is_named() {
    let world = World::start().await;
    let token = world.token("main", &[Scope::TrafficRead]);
    assert_eq!(world.get(&token, "/api/events").await.refusal(403), "token lacks the scope audit:read");
}

#[tokio::test]
async fn a_token_comes_in_every_header_that_clients_use() {
    let world = World::start().await;
    let token = world.admin();
    let schemes = ["Token", "token", "BEARER", "NetworkInsight"].map(|scheme| format!("{scheme} {token}"));
    let authorizations = schemes.iter().map(|value| ("authorization", value.as_str()));
    for (name, value) in authorizations.chain([("x-api-key", token.as_str())]) {
        let request = Request::get("/api/events").header(name, value).body(Body::empty()).unwrap();
        assert_eq!(world.send(request).await.status, StatusCode::OK, "{name}: {value}");
    }
}

#[tokio::test]
async fn an_account_sees_nothing_of_another() {
    let world = World::start().await;
    let (mine, theirs) = (world.token("mine", &[Scope::Admin]), world.token("theirs", &[Scope::Admin]));
    world.audit("theirs", "same-id", 1, &json!({ "event_type": "a" }));
    world.traffic("theirs", "same-id", 1, &json!({ "reporter_id": "r", "flow_id": "f" }));
    world.integration("theirs", 1);

    let audit = world.get(&mine, "/api/events?search=a").await;
    // The making of the account's own token is an event too.
    assert!(!audit.all("id").contains(&"same-id".to_owned()));
    assert!(world.get(&theirs, "/api/events").await.all("id").contains(&"same-id".to_owned()));
    assert_eq!(world.get(&mine, "/api/events/network-traffic").await.json()["total_records"], 0);
    assert_eq!(world.get(&theirs, "/api/events/network-traffic").await.json()["total_records"], 1);
    assert_eq!(world.get(&mine, "/api/event-streaming").await.json(), json!([]));
    let (foreign, missing) =
        (world.get(&mine, "/api/event-streaming/1").await, world.get(&mine, "/api/event-streaming/2").await);
    assert_eq!((foreign.refusal(404), foreign.bytes), (missing.refusal(404), missing.bytes));
    assert_eq!(world.get(&theirs, "/api/event-streaming/1").await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_token_made_a_moment_ago_is_known_to_a_client_that_names_its_position() {
    let world = World::start().await;
    let asking = {
        let request = Request::get("/api/events").header("authorization", "Token ft_main0");
        request.header("flowtrail-at-least", "FLOWTRAIL_ACCESS:1").body(Body::empty()).unwrap()
    };
    let (answer, token) = tokio::join!(world.send(asking), async { world.admin() });
    assert_eq!((answer.status, token.as_str()), (StatusCode::OK, "ft_main0"));
}
