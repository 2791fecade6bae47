//! Flowtrail's own: events published over HTTP, and whether the service is well.

pub(crate) mod health;
pub(crate) mod ingest;

use axum::http::HeaderValue;
use axum::response::Response;
use serde::Serialize;

use crate::json;
use crate::refused::Refused;

#[derive(Serialize)]
struct Problem {
    #[serde(rename = "type")]
    kind: &'static str,
    title: &'static str,
    status: u16,
    detail: String,
}

/// A refusal as RFC 9457 has it.
pub(crate) fn problem(refused: &Refused) -> Response {
    let status = refused.status();
    let title = status.canonical_reason().unwrap_or_default();
    let problem = Problem { kind: "about:blank", title, status: status.as_u16(), detail: refused.to_string() };
    json::answer(status, HeaderValue::from_static("application/problem+json"), &problem)
}
