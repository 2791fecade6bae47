//! The routes: one table of who answers what, and what it takes to ask.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::handler::Handler;
use axum::http::Method;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{MethodRouter, delete, get, post, put};
use bus::Bus;
use model::access::Scope;
use tower_http::catch_panic::CatchPanicLayer;

use crate::auth::{Access, guard};
use crate::dialect::Dialect;
use crate::frame::{frame, panicked};
use crate::instavm::audit as instavm;
use crate::native::{health, ingest};
use crate::netbird::{audit, proxy, streaming, traffic};
use crate::refused::Refused;
use crate::sign_in::Desk;
use crate::vrni::{auth, info, logs};
use crate::{Reader, cursor};

/// Everything that a request may need.
#[derive(Debug)]
pub struct Gateway {
    pub(crate) reader: Reader,
    pub(crate) bus: Bus,
    pub(crate) cursors: cursor::Key,
    pub(crate) caught_up: health::CaughtUp,
    pub(crate) sign_ins: Desk,
}

impl Gateway {
    /// A gateway that asks `reader`, and writes over `bus`.
    #[must_use]
    pub fn new(reader: Reader, bus: Bus, cursors: cursor::Key) -> Self {
        Self { reader, bus, cursors, caught_up: health::CaughtUp::default(), sign_ins: Desk::default() }
    }
}

/// One way to be asked.
pub(crate) struct Route {
    /// With GET comes HEAD, where the dialect knows it.
    #[cfg_attr(not(test), expect(dead_code, reason = "the test that walks the table asks with it"))]
    pub(crate) method: Method,
    /// With its parameters in braces.
    pub(crate) path: &'static str,
    /// What it needs.
    pub(crate) access: Access,
    answer: MethodRouter<Arc<Gateway>>,
}

impl Route {
    fn new<H, T>(method: Method, path: &'static str, access: Access, handler: H) -> Self
    where
        H: Handler<T, Arc<Gateway>>,
        T: 'static,
    {
        let answer = match method {
            Method::POST => post(handler),
            Method::PUT => put(handler),
            Method::DELETE => delete(handler),
            // Answers HEAD too.
            _ => get(handler),
        };
        Self { method, path, access, answer }
    }
}

/// Every route there is.
pub(crate) fn routes() -> Vec<Route> {
    const AUDIT: Access = Access::Scope(Scope::AuditRead);
    const TRAFFIC: Access = Access::Scope(Scope::TrafficRead);
    const READ: Access = Access::Scope(Scope::IntegrationsRead);
    const WRITE: Access = Access::Scope(Scope::IntegrationsWrite);
    const INGEST: Access = Access::Scope(Scope::EventsWrite);
    let mut routes = vec![
        Route::new(Method::GET, "/v1/audit/events", AUDIT, instavm::list),
        Route::new(Method::GET, "/v1/audit/events/{id}", AUDIT, instavm::get),
        Route::new(Method::GET, "/v1/audit/catalog", AUDIT, instavm::catalog),
        Route::new(Method::GET, "/api/events", AUDIT, audit::list),
        Route::new(Method::GET, "/api/events/audit", AUDIT, audit::list),
        Route::new(Method::POST, "/api/events/audit", INGEST, ingest::audit),
        Route::new(Method::GET, "/api/events/network-traffic", TRAFFIC, traffic::list),
        Route::new(Method::POST, "/api/events/network-traffic", INGEST, ingest::traffic),
        Route::new(Method::GET, "/api/events/proxy", Access::Token, proxy::list),
        Route::new(Method::POST, "/api/ni/auth/token", Access::Open, auth::sign_in),
        Route::new(Method::DELETE, "/api/ni/auth/token", Access::Token, auth::sign_out),
        Route::new(Method::GET, "/api/ni/info/version", Access::Token, info::version),
        Route::new(Method::POST, "/api/ni/logs/audit", AUDIT, logs::list),
        Route::new(Method::GET, "/healthz", Access::Open, health::alive),
        Route::new(Method::GET, "/readyz", Access::Open, health::ready),
    ];
    // NetBird's dashboard uses the second pair of paths, its other clients the first.
    for (all, one) in [
        ("/api/event-streaming", "/api/event-streaming/{id}"),
        ("/api/integrations/event-streaming", "/api/integrations/event-streaming/{id}"),
    ] {
        routes.extend([
            Route::new(Method::GET, all, READ, streaming::list),
            Route::new(Method::POST, all, WRITE, streaming::create),
            Route::new(Method::GET, one, READ, streaming::get),
            Route::new(Method::PUT, one, WRITE, streaming::update),
            Route::new(Method::DELETE, one, WRITE, streaming::delete),
        ]);
    }
    routes
}

/// Answers every request, also those to paths that nobody knows.
pub fn router(gateway: Gateway) -> Router {
    let gateway = Arc::new(gateway);
    let mut router = Router::new();
    let mut paths = BTreeSet::new();
    for Route { path, access, answer, .. } in routes() {
        router = router.route(path, answer.route_layer(from_fn_with_state((gateway.clone(), access), guard)));
        paths.insert(path);
    }
    for path in paths {
        router = router.route(path, Dialect::other_methods(path));
    }
    router
        .method_not_allowed_fallback(async || Refused::WrongMethod)
        .fallback(async |request: Request| Dialect::elsewhere(&request.into_parts().0))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(from_fn(frame))
        .with_state(gateway)
}
