//! The routes: one table of who answers what, and what it takes to ask.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::handler::Handler;
use axum::http::Method;
use axum::middleware::from_fn_with_state;
use axum::routing::{MethodRouter, delete, get, post, put};
use bus::Bus;
use model::access::Scope;
use runtime::metrics::Metrics;
use runtime::settings::LimitSettings;
use tower_http::catch_panic::CatchPanicLayer;

use crate::Reader;
use crate::access::auth::{Access, Memo, guard};
use crate::access::limits::{self, Limits};
use crate::access::oidc::Provider;
use crate::access::sign_in::Desk;
use crate::describe::Operation;
use crate::dialects::instavm::audit as instavm;
use crate::dialects::native::{description, health, ingest, metrics};
use crate::dialects::netbird::streaming::delivery;
use crate::dialects::netbird::{audit, proxy, streaming, traffic};
use crate::dialects::vrni::{auth, info, logs};
use crate::http::dialect::Dialect;
use crate::http::frame::{frame, panicked};
use crate::http::metrics::Numbers;
use crate::lists::cursor;
use crate::render::refusal::Refused;
use crate::witness::Witness;

/// Everything that a request may need.
#[derive(Debug)]
pub struct Gateway {
    pub(crate) reader: Reader,
    pub(crate) memo: Memo,
    pub(crate) bus: Bus,
    pub(crate) cursors: cursor::Key,
    pub(crate) caught_up: health::CaughtUp,
    pub(crate) sign_ins: Desk,
    pub(crate) witness: Witness,
    pub(crate) provider: Option<Arc<Provider>>,
    pub(crate) limits: Limits,
    pub(crate) numbers: Numbers,
    pub(crate) metrics: Metrics,
}

impl Gateway {
    /// A gateway that asks `reader`, and writes over `bus`. `witness` notes who reads and who is turned away. It has no
    /// limits.
    #[must_use]
    pub fn new(reader: Reader, bus: Bus, cursors: cursor::Key, witness: Witness) -> Self {
        let (caught_up, sign_ins, limits) = (health::CaughtUp::default(), Desk::default(), Limits::default());
        let memo = Memo::default();
        let (numbers, metrics) = (Numbers::default(), Metrics::default());
        metrics.add(Arc::new(numbers.clone()));
        Self { reader, memo, bus, cursors, caught_up, sign_ins, witness, provider: None, limits, numbers, metrics }
    }

    /// Lets in whoever comes with a token of this provider, too.
    #[must_use]
    pub fn trusting(self, provider: Arc<Provider>) -> Self {
        Self { provider: Some(provider), ..self }
    }

    /// The same, answering only so many requests in a while.
    #[must_use]
    pub fn limited(self, limits: &LimitSettings) -> Self {
        Self { limits: Limits::new(limits), ..self }
    }

    /// Counts among what its process counts.
    #[must_use]
    pub fn counted(self, metrics: Metrics) -> Self {
        metrics.add(Arc::new(self.numbers.clone()));
        Self { metrics, ..self }
    }
}

/// One way to be asked.
pub(crate) struct Route {
    /// With GET comes HEAD, where the dialect knows it.
    pub(crate) method: Method,
    /// With its parameters in braces.
    pub(crate) path: &'static str,
    /// What it needs.
    pub(crate) access: Access,
    /// What the description of the API says of it.
    pub(crate) operation: Operation,
    answer: MethodRouter<Arc<Gateway>>,
}

impl Route {
    /// Answers HEAD too.
    fn get<H, T>(path: &'static str, access: Access, handler: H, operation: Operation) -> Self
    where
        H: Handler<T, Arc<Gateway>>,
        T: 'static,
    {
        Self { method: Method::GET, path, access, operation, answer: get(handler) }
    }

    fn post<H, T>(path: &'static str, access: Access, handler: H, operation: Operation) -> Self
    where
        H: Handler<T, Arc<Gateway>>,
        T: 'static,
    {
        Self { method: Method::POST, path, access, operation, answer: post(handler) }
    }

    fn put<H, T>(path: &'static str, access: Access, handler: H, operation: Operation) -> Self
    where
        H: Handler<T, Arc<Gateway>>,
        T: 'static,
    {
        Self { method: Method::PUT, path, access, operation, answer: put(handler) }
    }

    fn delete<H, T>(path: &'static str, access: Access, handler: H, operation: Operation) -> Self
    where
        H: Handler<T, Arc<Gateway>>,
        T: 'static,
    {
        Self { method: Method::DELETE, path, access, operation, answer: delete(handler) }
    }
}

/// Every route there is.
pub(crate) fn routes() -> Vec<Route> {
    const AUDIT: Access = Access::Scope(Scope::AuditRead);
    const TRAFFIC: Access = Access::Scope(Scope::TrafficRead);
    const READ: Access = Access::Scope(Scope::IntegrationsRead);
    const WRITE: Access = Access::Scope(Scope::IntegrationsWrite);
    const ADMIN: Access = Access::Scope(Scope::Admin);
    const INGEST: Access = Access::Scope(Scope::EventsWrite);
    let mut routes = vec![
        Route::get("/v1/audit/events", AUDIT, instavm::list, instavm::describe_list()),
        Route::get("/v1/audit/events/{id}", AUDIT, instavm::get, instavm::describe_get()),
        Route::get("/v1/audit/catalog", AUDIT, instavm::catalog, instavm::describe_catalog()),
        Route::get("/api/events", AUDIT, audit::list, audit::describe_list()),
        Route::get("/api/events/audit", AUDIT, audit::list, audit::describe_list()),
        Route::post("/api/events/audit", INGEST, ingest::audit, ingest::describe_audit()),
        Route::get("/api/events/network-traffic", TRAFFIC, traffic::list, traffic::describe_list()),
        Route::post("/api/events/network-traffic", INGEST, ingest::traffic, ingest::describe_traffic()),
        Route::get("/api/events/proxy", Access::Token, proxy::list, proxy::describe_list()),
        Route::post("/api/ni/auth/token", Access::Open, auth::sign_in, auth::describe_sign_in()),
        Route::delete("/api/ni/auth/token", Access::Token, auth::sign_out, auth::describe_sign_out()),
        Route::get("/api/ni/info/version", Access::Token, info::version, info::describe_version()),
        Route::post("/api/ni/logs/audit", AUDIT, logs::list, logs::describe_list()),
        Route::get("/openapi.json", Access::Open, description::document, description::describe_document()),
        Route::get("/docs", Access::Open, description::docs, description::describe_docs()),
        Route::get("/healthz", Access::Open, health::alive, health::describe_alive()),
        Route::get("/readyz", Access::Open, health::ready, health::describe_ready()),
        Route::get("/metrics", ADMIN, metrics::show, metrics::describe_show()),
    ];
    // NetBird's dashboard uses the second pair of paths, its other clients the first.
    for [all, one, status, test, pause, resume, replay, letters, redrive, history] in EVENT_STREAMING {
        routes.extend([
            Route::get(all, READ, streaming::list, streaming::describe_list()),
            Route::post(all, WRITE, streaming::create, streaming::describe_create()),
            Route::get(one, READ, streaming::get, streaming::describe_get()),
            Route::put(one, WRITE, streaming::update, streaming::describe_update()),
            Route::delete(one, WRITE, streaming::delete, streaming::describe_delete()),
            Route::get(status, READ, delivery::status, delivery::describe_status()),
            Route::post(test, WRITE, delivery::test, delivery::describe_test()),
            Route::post(pause, WRITE, delivery::pause, delivery::describe_pause()),
            Route::post(resume, WRITE, delivery::resume, delivery::describe_resume()),
            Route::post(replay, WRITE, delivery::replay, delivery::describe_replay()),
            Route::get(letters, READ, delivery::dead_letters, delivery::describe_dead_letters()),
            Route::post(redrive, WRITE, delivery::redrive, delivery::describe_redrive()),
            Route::get(history, READ, delivery::history, delivery::describe_history()),
        ]);
    }
    routes
}

/// The paths of event streaming, twice.
const EVENT_STREAMING: [[&str; 10]; 2] = [
    [
        "/api/event-streaming",
        "/api/event-streaming/{id}",
        "/api/event-streaming/{id}/status",
        "/api/event-streaming/{id}/test",
        "/api/event-streaming/{id}/pause",
        "/api/event-streaming/{id}/resume",
        "/api/event-streaming/{id}/replay",
        "/api/event-streaming/{id}/dead-letters",
        "/api/event-streaming/{id}/dead-letters/redrive",
        "/api/event-streaming/{id}/history",
    ],
    [
        "/api/integrations/event-streaming",
        "/api/integrations/event-streaming/{id}",
        "/api/integrations/event-streaming/{id}/status",
        "/api/integrations/event-streaming/{id}/test",
        "/api/integrations/event-streaming/{id}/pause",
        "/api/integrations/event-streaming/{id}/resume",
        "/api/integrations/event-streaming/{id}/replay",
        "/api/integrations/event-streaming/{id}/dead-letters",
        "/api/integrations/event-streaming/{id}/dead-letters/redrive",
        "/api/integrations/event-streaming/{id}/history",
    ],
];

/// Which scope allows what, as a table in Markdown.
#[must_use]
pub fn scopes_table() -> String {
    let mut table =
        "# Scopes\n\nWhich scope of a token allows what; generated from the routes.\n\n| endpoint |".to_owned();
    table.extend(Scope::ALL.map(|scope| format!(" `{scope}` |")));
    table.push_str("\n|---|");
    table.push_str(&":-:|".repeat(Scope::ALL.len()));
    for Route { method, path, access, .. } in routes() {
        table.push_str(&format!("\n| `{method} {path}` |"));
        table.extend(Scope::ALL.map(|scope| match access {
            Access::Open => " no token |".to_owned(),
            Access::Token => " ✓ |".to_owned(),
            Access::Scope(needed) if scope == needed || scope == Scope::Admin => " ✓ |".to_owned(),
            Access::Scope(_) => " |".to_owned(),
        }));
    }
    table.push('\n');
    table
}

/// Answers every request, also those to paths that nobody knows.
pub fn router(gateway: Gateway) -> Router {
    let gateway = Arc::new(gateway);
    let elsewhere = from_fn_with_state(gateway.clone(), limits::elsewhere);
    let mut router = Router::new();
    let mut paths = BTreeSet::new();
    for Route { path, access, answer, .. } in routes() {
        router = router.route(path, answer.route_layer(from_fn_with_state((gateway.clone(), access), guard)));
        paths.insert(path);
    }
    for path in paths {
        router = router.route(path, Dialect::other_methods(path).layer(elsewhere.clone()));
    }
    router
        .method_not_allowed_fallback((async || Refused::WrongMethod).layer(elsewhere.clone()))
        .fallback((async |request: Request| Dialect::elsewhere(&request.into_parts().0)).layer(elsewhere))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(from_fn_with_state(gateway.numbers.clone(), frame))
        .with_state(gateway)
}
