use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use model::access::{Actor, Event as Access, Scope, TokenDeleted};
use runtime::settings::LimitSettings;
use serde_json::{Value, json};

use super::world::{Answer, World, at, routed};
use crate::app::Resources;
use crate::http::cors::Origins;
use crate::http::origin::{OverTls, Peer};

const PATH: &str = "/flowtrail/v1/session";

async fn start(world: &World, body: &Value) -> Answer {
    let mut request = Request::post(PATH).body(Body::from(body.to_string())).unwrap();
    request.extensions_mut().insert(Peer("192.0.2.7".parse().unwrap()));
    world.send(request).await
}

/// What a browser sends back.
fn cookie(answer: &Answer) -> String {
    answer.header("set-cookie").unwrap().split(';').next().unwrap().to_owned()
}

/// Asks as a page does, with these headers next to the cookie.
async fn asked(world: &World, method: Method, path: &str, cookie: &str, headers: &[(&str, &str)]) -> Answer {
    let mut request = Request::builder().method(method).uri(path).header("cookie", cookie);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    world.send(request.body(Body::empty()).unwrap()).await
}

#[tokio::test]
async fn a_token_becomes_a_cookie_that_is_as_good() {
    let world = World::start().await;
    let token = world.token_until("main", &[Scope::AuditRead], Some(at(4_000_000_000)));
    world.audit("main", "e1", 1, &json!({ "event_type": "door.open" }));
    let answer = start(&world, &json!({ "token": token })).await;
    let shown = json!({
        "account": "main", "user": { "id": "token:t0", "name": "token 0", "email": null }, "scopes": ["audit:read"],
        "expires_at": at(4_000_000_000),
    });
    assert_eq!((answer.status, answer.json()), (StatusCode::OK, shown.clone()));
    let set = answer.header("set-cookie").unwrap();
    assert!(set.contains("; HttpOnly; SameSite=Strict; Path=/; Max-Age="), "{set}");
    let cookie = cookie(&answer);
    let events = asked(&world, Method::GET, "/flowtrail/v1/audit", &cookie, &[]).await;
    assert_eq!(events.all("id"), ["e1", "access-0"]);
    assert_eq!(asked(&world, Method::GET, PATH, &cookie, &[]).await.json(), shown);
    assert_eq!(world.get(&token, PATH).await.json(), shown, "by the token too");
    let forbidden = asked(&world, Method::GET, "/flowtrail/v1/traffic", &cookie, &[]).await;
    assert_eq!(forbidden.json()["detail"], "token lacks the scope traffic:read");
}

#[tokio::test]
async fn a_cookie_is_kept_to_tls_where_the_browser_speaks_it() {
    let world = World::start().await;
    let token = world.admin();
    for (over_tls, expected) in [(true, true), (false, false)] {
        let body = Body::from(json!({ "token": token }).to_string());
        let mut request = Request::post(PATH).body(body).unwrap();
        request.extensions_mut().insert(OverTls(over_tls));
        let answer = world.send(request).await;
        assert_eq!(answer.header("set-cookie").unwrap().contains("; Secure"), expected);
    }
}

#[tokio::test]
async fn a_session_is_over_when_its_token_is() {
    let world = World::start().await;
    let (expired, deleted) = (world.token_until("main", &[Scope::Admin], Some(at(0))), world.admin());
    assert_eq!(start(&world, &json!({ "token": expired })).await.json()["detail"], "token expired");
    let cookie = cookie(&start(&world, &json!({ "token": deleted })).await);
    let by = Actor::system();
    world.access("main", "t1", Access::TokenDeleted(TokenDeleted { name: "t".to_owned(), by }));
    let answer = asked(&world, Method::GET, PATH, &cookie, &[]).await;
    assert_eq!((answer.status, &answer.json()["detail"]), (StatusCode::UNAUTHORIZED, &json!("token invalid")));
}

#[tokio::test]
async fn a_write_with_the_cookie_alone_needs_the_header_and_an_own_page() {
    let world = World::start().await;
    let token = world.admin();
    let cookie = cookie(&start(&world, &json!({ "token": token })).await);
    let csrf = ("flowtrail-csrf", "1");
    for headers in [
        vec![],
        vec![csrf, ("sec-fetch-site", "cross-site")],
        vec![csrf, ("sec-fetch-site", "same-site")],
        vec![csrf, ("host", "logs.example.com"), ("origin", "https://evil.example.com")],
    ] {
        // Every dialect has writes.
        for (method, path) in [
            (Method::DELETE, PATH),
            (Method::POST, "/api/events/audit"),
            (Method::DELETE, "/api/event-streaming/1"),
            (Method::DELETE, "/api/ni/auth/token"),
            (Method::PUT, "/flowtrail/v1/searches/s1"),
        ] {
            let answer = asked(&world, method, path, &cookie, &headers).await;
            assert_eq!(answer.status, StatusCode::FORBIDDEN, "{path} {headers:?}");
        }
        assert_eq!(asked(&world, Method::GET, PATH, &cookie, &headers).await.status, StatusCode::OK);
    }
    let missing = asked(&world, Method::DELETE, PATH, &cookie, &[]).await;
    assert!(missing.json()["detail"].as_str().unwrap().ends_with("needs the header flowtrail-csrf"));
    let own = [csrf, ("host", "logs.example.com"), ("origin", "https://logs.example.com")];
    assert_eq!(asked(&world, Method::DELETE, PATH, &cookie, &own).await.status, StatusCode::NO_CONTENT);
    // Who holds the token itself is no page that somebody else could use.
    assert_eq!(world.put(Method::DELETE, &token, PATH, "").await.status, StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn the_end_of_a_session_ends_the_token_that_was_made_for_it_and_no_other() {
    let mut world = World::start().await;
    let user = world.user("main", "alice@example.com", "p");
    world.user_token("main", &user, "of-a-sign-in", at(4_000_000_000));
    let given = world.admin();
    let csrf = [("flowtrail-csrf", "1")];
    // Nobody carries out commands yet: to end a token would be a 503.
    let ended = asked(&world, Method::DELETE, PATH, &format!("flowtrail-session=g.{given}"), &csrf).await;
    assert_eq!((ended.status, ended.bytes.len()), (StatusCode::NO_CONTENT, 0));
    assert!(ended.header("set-cookie").unwrap().starts_with("flowtrail-session=; "));
    assert_eq!(world.get(&given, PATH).await.status, StatusCode::OK);
    world
        .serve("flowtrail.command.token.delete", |command| {
            assert_eq!(command["id"], "of-a-sign-in");
            Ok(json!({ "position": { "stream": "FLOWTRAIL_ACCESS", "sequence": 1 }, "done": null }))
        })
        .await;
    let ended = asked(&world, Method::DELETE, PATH, "flowtrail-session=s.of-a-sign-in", &csrf).await;
    assert_eq!((ended.status, ended.header("flowtrail-as-of")), (StatusCode::NO_CONTENT, Some("FLOWTRAIL_ACCESS:1")));
}

#[tokio::test]
async fn nobody_is_signed_in_by_a_page_of_another_origin_or_with_what_is_wrong() {
    let world = World::start().await;
    let token = world.admin();
    let body = json!({ "token": token }).to_string();
    for (name, value) in [("sec-fetch-site", "cross-site"), ("origin", "https://evil.example.com")] {
        let request = Request::post(PATH).header("host", "logs.example.com").header(name, value);
        let answer = world.send(request.body(Body::from(body.clone())).unwrap()).await;
        assert_eq!((answer.status, answer.header("set-cookie")), (StatusCode::FORBIDDEN, None));
    }
    for (body, status, text) in [
        (json!({}), 400, "password: is required"),
        (json!({ "token": "ft_unknown" }), 401, "token invalid"),
        (json!({ "username": "nobody@example.com", "password": "p" }), 401, "the user name or the password is wrong"),
    ] {
        let answer = start(&world, &body).await;
        assert_eq!((answer.status.as_u16(), answer.json()["detail"].as_str()), (status, Some(text)));
        assert_eq!(answer.header("set-cookie"), None);
    }
}

#[tokio::test]
async fn guesses_are_counted_as_those_of_a_sign_in_are_and_what_is_denied_is_recorded() {
    let mut world = World::start().await;
    let expired = world.token_until("main", &[Scope::Admin], Some(at(0)));
    let (resources, recorder) = world.resources(false);
    let limits = LimitSettings { rate_sign_ins: 2, ..LimitSettings::NONE };
    world.router = routed(Resources { limits, ..resources }, &Origins::Any);
    let mut statuses = Vec::new();
    for _ in 0..3 {
        statuses.push(start(&world, &json!({ "token": expired })).await.status.as_u16());
    }
    assert_eq!(statuses, [401, 401, 429]);
    world.router = axum::Router::new();
    recorder.run().await;
    let denied = &world.recorded("main").await[0];
    assert_eq!((&denied["event_type"], &denied["meta"]["reason"]), (&json!("access.denied"), &json!("expired token")));
    assert_eq!(denied["resource_id"], "POST /flowtrail/v1/session");
}
