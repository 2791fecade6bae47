//! The routes: one table of who answers what, and what it takes to ask.

use std::collections::BTreeSet;

use axum::Router;
use axum::extract::Request;
use axum::handler::Handler;
use axum::middleware::from_fn_with_state;
use model::access::Scope;
use serde_json::Value;
use tower_http::catch_panic::CatchPanicLayer;
use views::audit::Audit;
use views::traffic::Traffic;

use crate::access::auth::{count_unrouted, guard};
use crate::access::caller::Needs;
use crate::app::App;
use crate::console;
use crate::dialects;
use crate::dialects::instavm::{audit as instavm, catalog, session as idle};
use crate::dialects::native::counts::{self, values};
use crate::dialects::native::{
    dead_letters, description, events, export, fields, health, ingest, merged, metrics, received, searches, session,
    tail,
};
use crate::dialects::netbird::streaming::delivery;
use crate::dialects::netbird::{audit, proxy, streaming, traffic};
use crate::dialects::vrni::{auth, info, logs};
use crate::http::cors::{self, Cors};
use crate::http::dialect::Dialect;
use crate::http::frame::{frame, panicked};
use crate::http::ignored::tell_ignored;
use crate::openapi::document;
use crate::render::refusal::Refusal;
use crate::route::Route;

/// Every route there is.
pub(crate) fn routes() -> Vec<Route> {
    const AUDIT: Needs = Needs::Scope(Scope::AuditRead);
    const TRAFFIC: Needs = Needs::Scope(Scope::TrafficRead);
    const READ: Needs = Needs::Scope(Scope::IntegrationsRead);
    const WRITE: Needs = Needs::Scope(Scope::IntegrationsWrite);
    const ADMIN: Needs = Needs::Scope(Scope::Admin);
    const INGEST: Needs = Needs::Scope(Scope::EventsWrite);
    let mut routes = vec![
        Route::get("/v1/audit/events", AUDIT, instavm::list, instavm::describe_list()),
        Route::get("/v1/audit/events/{id}", AUDIT, instavm::get, instavm::describe_get()),
        Route::get("/v1/audit/catalog", AUDIT, catalog::catalog, catalog::describe_catalog()),
        Route::post(idle::PATH, Needs::Nothing, idle::start, idle::describe_start()),
        Route::get("/api/events", AUDIT, audit::list, audit::describe_list()),
        Route::get("/api/events/audit", AUDIT, audit::list, audit::describe_list()),
        Route::post("/api/events/audit", INGEST, ingest::audit, ingest::describe_audit()),
        Route::get("/api/events/network-traffic", TRAFFIC, traffic::list, traffic::describe_list()),
        Route::post("/api/events/network-traffic", INGEST, ingest::traffic, ingest::describe_traffic()),
        Route::get("/api/events/proxy", Needs::Token, proxy::list, proxy::describe_list()),
        Route::post("/api/ni/auth/token", Needs::Nothing, auth::sign_in, auth::describe_sign_in()),
        Route::delete("/api/ni/auth/token", Needs::Token, auth::sign_out, auth::describe_sign_out()),
        Route::get("/api/ni/info/version", Needs::Token, info::version, info::describe_version()),
        Route::post("/api/ni/logs/audit", AUDIT, logs::list, logs::describe_list()),
        Route::get("/openapi.json", Needs::Nothing, description::document, description::describe_document()),
        Route::get("/docs", Needs::Nothing, description::docs, description::describe_docs()),
        Route::get("/healthz", Needs::Nothing, health::alive, health::describe_alive()),
        Route::get("/readyz", Needs::Nothing, health::ready, health::describe_ready()),
        Route::get("/metrics", ADMIN, metrics::show, metrics::describe_show()),
        Route::get(
            "/flowtrail/v1/audit",
            AUDIT,
            received::list::<Audit>,
            received::describe_list::<Audit>("Audit events"),
        ),
        Route::get(
            "/flowtrail/v1/audit/{id}",
            AUDIT,
            events::get::<Audit>,
            events::describe_get::<Audit>("An audit event"),
        ),
        Route::get("/flowtrail/v1/traffic", TRAFFIC, merged::list, merged::describe_list("Traffic records")),
        Route::get(
            "/flowtrail/v1/traffic/{id}",
            TRAFFIC,
            events::get::<Traffic>,
            events::describe_get::<Traffic>("A traffic record"),
        ),
        Route::get(
            "/flowtrail/v1/audit/tail",
            AUDIT,
            tail::tail::<Audit>,
            tail::describe_tail::<Audit>("Audit events as they arrive"),
        ),
        Route::get(
            "/flowtrail/v1/traffic/tail",
            TRAFFIC,
            tail::tail::<Traffic>,
            tail::describe_tail::<Traffic>("Traffic reports as they arrive"),
        ),
        Route::get(
            "/flowtrail/v1/audit/export",
            AUDIT,
            export::export::<Audit>,
            export::describe_export::<Audit>("All audit events"),
        ),
        Route::get(
            "/flowtrail/v1/traffic/export",
            TRAFFIC,
            export::export::<Traffic>,
            export::describe_export::<Traffic>("All traffic records"),
        ),
        Route::get(
            "/flowtrail/v1/audit/facets",
            AUDIT,
            counts::facets::<Audit>,
            counts::describe_facets::<Audit>("Values in audit events"),
        ),
        Route::get(
            "/flowtrail/v1/audit/histogram",
            AUDIT,
            counts::histogram::<Audit>,
            counts::describe_histogram::<Audit>("Audit events by time"),
        ),
        Route::get(
            "/flowtrail/v1/traffic/facets",
            TRAFFIC,
            counts::facets::<Traffic>,
            counts::describe_facets::<Traffic>("Values in traffic records"),
        ),
        Route::get(
            "/flowtrail/v1/traffic/histogram",
            TRAFFIC,
            counts::histogram::<Traffic>,
            counts::describe_histogram::<Traffic>("Traffic records by time"),
        ),
        Route::get("/flowtrail/v1/traffic/top", TRAFFIC, counts::top, counts::describe_top()),
        Route::get(
            "/flowtrail/v1/audit/fields",
            AUDIT,
            fields::fields::<Audit>,
            fields::describe_fields("Fields of audit events"),
        ),
        Route::get(
            "/flowtrail/v1/traffic/fields",
            TRAFFIC,
            fields::fields::<Traffic>,
            fields::describe_fields("Fields of traffic records"),
        ),
        Route::get(
            "/flowtrail/v1/audit/values",
            AUDIT,
            values::values::<Audit>,
            values::describe_values::<Audit>("Values of a field of audit events"),
        ),
        Route::get(
            "/flowtrail/v1/traffic/values",
            TRAFFIC,
            values::values::<Traffic>,
            values::describe_values::<Traffic>("Values of a field of traffic records"),
        ),
        Route::get("/flowtrail/v1/dead-letters", ADMIN, dead_letters::list, dead_letters::describe_list()),
        Route::post("/flowtrail/v1/session", Needs::Nothing, session::start, session::describe_start()),
        Route::get("/flowtrail/v1/session", Needs::Token, session::show, session::describe_show()),
        Route::delete("/flowtrail/v1/session", Needs::Token, session::end, session::describe_end()),
        Route::get("/flowtrail/v1/searches", Needs::Token, searches::list, searches::describe_list()),
        Route::post("/flowtrail/v1/searches", Needs::Token, searches::create, searches::describe_create()),
        Route::get("/flowtrail/v1/searches/{id}", Needs::Token, searches::get, searches::describe_get()),
        Route::put("/flowtrail/v1/searches/{id}", Needs::Token, searches::update, searches::describe_update()),
        Route::delete("/flowtrail/v1/searches/{id}", Needs::Token, searches::delete, searches::describe_delete()),
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
    for Route { method, path, needs, .. } in routes() {
        table.push_str(&format!("\n| `{method} {path}` |"));
        table.extend(Scope::ALL.map(|scope| match needs {
            Needs::Nothing => " no token |".to_owned(),
            Needs::Token => " ✓ |".to_owned(),
            Needs::Scope(needed) if scope == needed || scope == Scope::Admin => " ✓ |".to_owned(),
            Needs::Scope(_) => " |".to_owned(),
        }));
    }
    table.push('\n');
    table
}

/// The description of the API.
#[must_use]
pub fn openapi() -> Value {
    document(&routes())
}

/// Answers every request, also those to paths that are no route. `cors` says whose pages may ask.
pub(crate) fn router(app: App, cors: Cors) -> Router {
    let count_unrouted = from_fn_with_state(app.access(), count_unrouted);
    let mut router = Router::new();
    let mut paths = BTreeSet::new();
    for route in routes() {
        let known = route.parameters();
        let Route { path, needs, mut answer, .. } = route;
        if Dialect::of(path).ignores_unknown() {
            answer = answer.route_layer(from_fn_with_state(known, tell_ignored));
        }
        // A route layer: a method that the path does not know is a 405 for anybody, with or without a token.
        router = router.route(path, answer.route_layer(from_fn_with_state((app.access(), needs), guard)));
        paths.insert(path);
    }
    for path in paths {
        router = router.route(path, dialects::other_methods(path).layer(count_unrouted.clone()));
    }
    router = router.merge(console::router(explorer::FILES).layer(count_unrouted.clone()));
    // The frame is around all that answers, so that a panic too gets its dialect, its headers and its count. Only a
    // browser's question whether a page may ask at all is answered before.
    router
        .method_not_allowed_fallback((async || Refusal::WrongMethod).layer(count_unrouted.clone()))
        .fallback((async |request: Request| dialects::no_route(&request.into_parts().0)).layer(count_unrouted))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(from_fn_with_state(app.frame(), frame))
        .layer(from_fn_with_state(cors, cors::cors))
        .with_state(app)
}
