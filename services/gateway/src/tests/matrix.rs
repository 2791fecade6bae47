//! Every route, asked by everybody there can be: exactly the allowed ones are answered.

use std::fmt::Write;

use axum::body::Body;
use axum::http::{Method, Request};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use bus::{Endpoint, Refusal};
use bytes::Bytes;
use model::access::{Actor, Event as Access, Scope, TokenDeleted};
use model::delivery::{Guarantee, Shown, Status, Tested};
use model::log::Stream;
use model::search::Current;
use model::traffic::RecordKey;
use ring::signature::{Ed25519KeyPair, KeyPair};
use serde_json::{Value, json};
use tower::ServiceExt;

use super::streaming::{created, done};
use super::world::{World, at, saved, tells_sealing_key};
use crate::access::caller::Needs;
use crate::access::oidc::{KeySource, Pauses, Provider, Settings};
use crate::route::Route;
use crate::router::{routes, scopes_table};

/// Someone with or without a token.
struct Asker {
    name: String,
    /// What stands behind `Bearer`.
    token: Option<String>,
    /// What they may do; none: they are not let in.
    may: Option<Vec<Scope>>,
    /// Whether the token is an OpenID provider's.
    is_foreign: bool,
}

/// An OpenID provider with one key.
struct Issuer(Ed25519KeyPair);

impl Issuer {
    fn new() -> Self {
        Self(Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap())
    }

    async fn provider(&self, directory: &std::path::Path) -> Provider {
        let file = directory.join("jwks.json");
        let x = BASE64_URL_SAFE_NO_PAD.encode(self.0.public_key());
        let keys = json!({ "keys": [{ "kty": "OKP", "crv": "Ed25519", "x": x, "kid": "k" }] });
        std::fs::write(&file, keys.to_string()).unwrap();
        let settings = Settings {
            issuer: "https://id.example.com".to_owned(),
            audiences: vec!["flowtrail".to_owned()],
            keys: KeySource::File(file),
            pauses: Pauses::default(),
            account_claim: "flowtrail_account".to_owned(),
            scope_claim: "scope".to_owned(),
            leeway: 0,
        };
        Provider::new(settings).await.unwrap()
    }

    fn token(&self, scope: &str, lasts: i64) -> String {
        let part = |value: Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
        let end = runtime::clock::now_micros() / 1_000_000 + lasts;
        let claims = json!({
            "iss": "https://id.example.com", "aud": "flowtrail", "sub": "alice", "exp": end, "scope": scope,
            "flowtrail_account": "main",
        });
        let message = format!("{}.{}", part(json!({ "alg": "EdDSA", "kid": "k" })), part(claims));
        let signature = BASE64_URL_SAFE_NO_PAD.encode(self.0.sign(message.as_bytes()));
        format!("{message}.{signature}")
    }
}

/// A world with one of everything, whose write side says yes.
async fn world(issuer: &Issuer) -> (World, Vec<Asker>) {
    let mut world = World::start().await;
    let directory = tempfile::tempdir().unwrap();
    world.trust(issuer.provider(directory.path()).await);
    let endpoint = |path: &'static str, answer: Value| {
        Endpoint::new(format!("flowtrail.{path}"), move |_: Bytes| {
            std::future::ready(Ok::<_, Refusal>(Bytes::from(answer.to_string())))
        })
    };
    let current =
        Current { definition: saved("1", true), owner: Actor::system(), created_at: at(0), updated_at: at(0) };
    let search = json!({ "position": null, "done": { "id": "1", "current": current } });
    let (token, nothing) = (json!({ "position": null, "done": "t" }), json!({ "position": null, "done": null }));
    let endpoints = vec![
        tells_sealing_key(),
        endpoint("command.integration.create", created(1, None)),
        endpoint("command.integration.update", done(1, None)),
        endpoint("command.integration.steer", done(1, None)),
        endpoint("command.integration.delete", nothing.clone()),
        endpoint("command.search.create", search.clone()),
        endpoint("command.search.update", search),
        endpoint("command.search.delete", nothing.clone()),
        endpoint("command.token.create", token),
        endpoint("command.token.delete", nothing),
        endpoint("streamer.status", status()),
        endpoint("streamer.test_of", json!(Tested::Delivered(Guarantee::AtLeastOnce))),
        endpoint("streamer.dead_letters", json!({ "total": 0, "letters": [] })),
        endpoint("streamer.history", json!([])),
        endpoint("query.dead_letters", json!({ "total": 0, "letters": [], "more": false, "as_of": 0 })),
    ];
    world.serve_all(endpoints).await;
    world.account("main");
    world.audit("main", "1", 1, &json!({ "event_type": "door.open" }));
    world.traffic("main", "1", 1, &json!({ "reporter_id": "r", "flow_id": "f" }));
    world.integration("main", 1);
    world.search("main", "1", "sys", true);
    let user = world.user("main", "alice@example.com", "correct horse");
    let expired = world.token_until("main", &[Scope::Admin], Some(at(0)));
    let deleted = world.token("main", &[Scope::Admin]);
    let id = deleted.replace("ft_main", "t");
    world.access("main", &id, Access::TokenDeleted(TokenDeleted { name: "t".to_owned(), by: Actor::system() }));
    world.user_token("main", &user, "of-a-sign-in", at(4_000_000_000));

    let asker = |name: &str, token: Option<String>, may: Option<&[Scope]>| {
        let (name, may) = (name.to_owned(), may.map(<[Scope]>::to_vec));
        let is_foreign = token.as_ref().is_some_and(|token| token.contains('.'));
        Asker { name, token, may, is_foreign }
    };
    let mut askers = vec![
        asker("no token", None, None),
        asker("unknown", Some("ft_unknown".to_owned()), None),
        asker("expired", Some(expired), None),
        asker("deleted", Some(deleted), None),
    ];
    askers.extend(Scope::ALL.map(|scope| asker(scope.name(), Some(world.token("main", &[scope])), Some(&[scope]))));
    askers.extend([
        asker("sign-in of a new user", Some("of-a-sign-in".to_owned()), Some(&Scope::USUAL)),
        asker("JWT traffic:read", Some(issuer.token("traffic:read", 600)), Some(&[Scope::TrafficRead])),
        asker("JWT admin", Some(issuer.token("admin", 600)), Some(&[Scope::Admin])),
        asker("JWT without scopes", Some(issuer.token("openid", 600)), Some(&[])),
        asker("JWT expired", Some(issuer.token("admin", -1)), None),
    ]);
    // As if what is published were in the views already.
    for stream in [Stream::Audit, Stream::Traffic] {
        world.observe(stream, 1_000_000);
    }
    (world, askers)
}

/// A delivery at which nothing has happened yet.
fn status() -> Value {
    json!(Status {
        state: Shown::Active,
        enabled: true,
        lag_events: 0,
        lag_seconds: 0,
        last_success: None,
        last_error: None,
        since: None,
        next_retry: None,
        delivered: 0,
        passed_over: 0,
        failed: 0,
        dead_lettered: 0,
        position: [].into(),
        missing: Vec::new(),
        guarantee: None,
    })
}

/// A good request for a route.
fn good(route: &Route, asker: &Asker) -> Request<Body> {
    let body = match (&route.method, route.path) {
        (&Method::POST, "/api/ni/auth/token") => {
            json!({ "username": "alice@example.com", "password": "correct horse" })
        }
        (&Method::POST, "/api/events/audit") => json!({ "event_type": "door.open" }),
        (&Method::POST, "/api/events/network-traffic") => json!({ "reporter_id": "r", "flow_id": "f" }),
        (&Method::POST, path) if path.ends_with("event-streaming") => {
            json!({ "platform": "datadog", "enabled": false, "config": { "api_key": "k", "site": "datadoghq.com" } })
        }
        (&Method::POST, path) if path.ends_with("replay") => json!({ "from": 1 }),
        (&Method::POST, path) if path.ends_with("session") => json!({ "token": "of-a-sign-in" }),
        (&Method::POST, path) if path.ends_with("searches") => json!({ "name": "1", "family": "audit" }),
        _ => json!({}),
    };
    let body = if route.method == Method::GET { Body::empty() } else { Body::from(body.to_string()) };
    let id = if route.path.contains("traffic") { record_id() } else { "1".to_owned() };
    // Both families have a field of this name.
    let query = if route.path.ends_with("/values") { "?field=type" } else { "" };
    let request = Request::builder().method(route.method.clone()).uri(route.path.replace("{id}", &id) + query);
    match &asker.token {
        Some(token) => request.header("authorization", format!("Bearer {token}")).body(body).unwrap(),
        None => request.body(body).unwrap(),
    }
}

/// The id of the one record that there is.
fn record_id() -> String {
    let key = RecordKey { reporter_id: "r".to_owned(), flow_id: "f".to_owned(), window_start: None };
    key.id().to_string()
}

/// The status that the asker must be answered with: a success where it is a hundred.
fn expected(route: &Route, asker: &Asker) -> u16 {
    let is_sign_out = route.method == Method::DELETE && route.path == "/api/ni/auth/token";
    match (route.needs, &asker.may) {
        (Needs::Nothing, _) => 200,
        (_, None) => 401,
        // There are no reverse proxy logs to see, and another issuer's token is not Flowtrail's to end.
        (Needs::Token, _) if route.path == "/api/events/proxy" || (is_sign_out && asker.is_foreign) => 403,
        // It is about audit events, and looks missing to who may not read them.
        (Needs::Token, Some(may)) if route.method == Method::GET && route.path == "/flowtrail/v1/searches/{id}" => {
            if may.contains(&Scope::AuditRead) || may.contains(&Scope::Admin) {
                200
            } else {
                404
            }
        }
        (Needs::Token, Some(_)) => 200,
        (Needs::Scope(needed), Some(may)) if may.contains(&needed) || may.contains(&Scope::Admin) => 200,
        (Needs::Scope(_), Some(_)) => 403,
    }
}

#[tokio::test]
async fn exactly_the_allowed_cells_of_scope_and_endpoint_are_answered() {
    let (world, askers) = world(&Issuer::new()).await;
    let routes = routes();
    let mut table = String::new();
    for (number, asker) in askers.iter().enumerate() {
        writeln!(table, "{number:>3} = {}", asker.name).unwrap();
    }
    let numbers: String = (0..askers.len()).map(|number| format!("{number:>4}")).collect();
    writeln!(table, "{:60}{numbers}", "").unwrap();
    let mut wrong = Vec::new();
    for route in &routes {
        write!(table, "{:60}", format!("{} {}", route.method, route.path)).unwrap();
        for asker in &askers {
            // Some answers have no end.
            let answer = world.router.clone().oneshot(good(route, asker)).await.unwrap();
            let (status, expected) = (answer.status().as_u16(), expected(route, asker));
            write!(table, "{status:>4}").unwrap();
            let is_right = if expected == 200 { answer.status().is_success() } else { status == expected };
            if !is_right {
                wrong.push(format!("{} {} by {}: {status}, not {expected}", route.method, route.path, asker.name));
            }
        }
        table.push('\n');
    }
    println!("{table}");
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn the_table_of_scopes_is_as_generated() {
    let table = include_str!("../../../../schemas/scopes.md");
    assert_eq!(table, scopes_table(), "run `just schemas`");
}
