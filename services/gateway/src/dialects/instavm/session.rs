//! `POST /v1/sessions/session`: what the SDK asks for as soon as a client is made, also by those who only read audit
//! events. It is given a session in which nothing runs.

use axum::extract::Request;
use axum::http::header::ALLOW;
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use schemars::JsonSchema;
use serde::Serialize;

use super::JSON;
use crate::describe::Operation;
use crate::http::body;
use crate::render::json;
use crate::render::refusal::Refusal;

/// The path.
pub(crate) const PATH: &str = "/v1/sessions/session";

/// A session.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Session")]
struct Session {
    session_id: &'static str,
}

/// The same for everybody. The SDK sends its key in the body and no token; the body is not looked at.
pub(crate) async fn start(request: Request) -> Response {
    body::discard(request).await;
    json::answer(StatusCode::OK, JSON, &Session { session_id: "nothing-runs-here" })
}

pub(crate) fn describe_start() -> Operation {
    Operation::new("Start a session", "InstaVM's SDK does so by itself. Nothing runs in it, and nothing is kept of it.")
        .answers::<Session>(StatusCode::OK, "A session.")
}

/// The answer to every other method.
pub(crate) fn wrong_method() -> Response {
    let mut response = super::render(&Refusal::WrongMethod);
    response.headers_mut().insert(ALLOW, HeaderValue::from_static("POST"));
    response
}
