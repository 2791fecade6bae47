//! NetBird's dialect: both event lists and event streaming, as its dashboard and clients know them.

pub(crate) mod audit;
pub(crate) mod proxy;
pub(crate) mod streaming;
pub(crate) mod traffic;

mod next_page;

use axum::response::Response;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Serialize;

use crate::render::json;
use crate::render::refusal::Refusal;

/// Why a request is refused.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "NetBirdError")]
struct ErrorResponse {
    /// In lower case.
    message: String,
    /// The status again.
    code: u16,
}

/// A refusal as NetBird says it: a text in lower case, and the status again.
pub(crate) fn render(refusal: &Refusal) -> Response {
    let status = refusal.status();
    json::answer(status, json::JSON, &ErrorResponse { message: refusal.to_string(), code: status.as_u16() })
}

/// The schema of a refusal's body.
pub(crate) fn refusal_schema(schemas: &mut SchemaGenerator) -> Schema {
    schemas.subschema_for::<ErrorResponse>()
}
