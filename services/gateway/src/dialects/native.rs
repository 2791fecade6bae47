//! Flowtrail's own: the lists in its own form, counts of what is in them, what can be asked for, events as they arrive, all
//! that there are, events published over HTTP, those that no view could take in, saved searches, the session of a browser,
//! whether the service is well and what it counts, and the description of the API.

pub(crate) mod counts;
pub(crate) mod dead_letters;
pub(crate) mod description;
pub(crate) mod events;
pub(crate) mod export;
pub(crate) mod fields;
pub(crate) mod health;
pub(crate) mod ingest;
mod members;
pub(crate) mod merged;
pub(crate) mod metrics;
pub(crate) mod received;
pub(crate) mod searches;
pub(crate) mod session;
mod table;
pub(crate) mod tail;
mod wanted;

use axum::http::HeaderValue;
use axum::response::Response;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Serialize;

use crate::render::json;
use crate::render::refusal::Refusal;

/// Why a request is refused, as RFC 9457 has it.
#[derive(Serialize, JsonSchema)]
struct Problem {
    /// Always `about:blank`: the status says it all.
    #[serde(rename = "type")]
    kind: &'static str,
    /// The status in words.
    title: &'static str,
    /// The status again.
    status: u16,
    /// What is wrong.
    detail: String,
}

/// A refusal as RFC 9457 has it.
pub(crate) fn render(refusal: &Refusal) -> Response {
    let status = refusal.status();
    let title = status.canonical_reason().unwrap_or_default();
    let problem = Problem { kind: "about:blank", title, status: status.as_u16(), detail: refusal.to_string() };
    json::answer(status, HeaderValue::from_static("application/problem+json"), &problem)
}

/// The schema of a refusal's body.
pub(crate) fn refusal_schema(schemas: &mut SchemaGenerator) -> Schema {
    schemas.subschema_for::<Problem>()
}
