//! NetBird's dialect: both event lists and event streaming, as its dashboard and clients know them.

pub(crate) mod audit;
pub(crate) mod proxy;
pub(crate) mod streaming;
pub(crate) mod traffic;

mod next_page;

use axum::response::Response;
use serde::Serialize;

use crate::json;
use crate::refused::Refused;

#[derive(Serialize)]
struct ErrorResponse {
    message: String,
    code: u16,
}

/// A refusal as NetBird says it: a text in lower case, and the status again.
pub(crate) fn refusal(refused: &Refused) -> Response {
    let status = refused.status();
    json::answer(status, json::JSON, &ErrorResponse { message: refused.to_string(), code: status.as_u16() })
}
