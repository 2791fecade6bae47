//! Answers in JSON.

use axum::body::Body;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use serde::Serialize;
use tracing::error;

/// The content type of NetBird's answers, as its own server writes it.
pub(crate) const JSON: HeaderValue = HeaderValue::from_static("application/json; charset=UTF-8");

/// An answer with `value` as its body.
pub(crate) fn answer<T: Serialize>(status: StatusCode, content_type: HeaderValue, value: &T) -> Response {
    let (status, body) = match serde_json::to_vec(value) {
        Ok(body) => (status, body),
        Err(error) => {
            error!(%error, "an answer cannot be written");
            (StatusCode::INTERNAL_SERVER_ERROR, Vec::new())
        }
    };
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, content_type);
    response
}

/// A 200 with `value` as its body.
pub(crate) fn ok<T: Serialize>(value: &T) -> Response {
    answer(StatusCode::OK, JSON, value)
}
