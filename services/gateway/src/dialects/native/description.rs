//! `GET /openapi.json` and `GET /docs`: the description of the API, for programs and for people.
//!
//! Both need no token: they say what is in the source, and nothing of what is in the log.

use std::sync::LazyLock;

use axum::body::Body;
use axum::http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use bytes::Bytes;
use schemars::json_schema;
use serde_json::Value;

use crate::describe::{Operation, schema};
use crate::openapi::{Page, openapi, page};
use crate::render::json;

/// Made once: it does not change while the process runs.
static DOCUMENT: LazyLock<Value> = LazyLock::new(openapi);
static PAGE: LazyLock<Page> = LazyLock::new(|| page(&DOCUMENT));

/// The description itself.
pub(crate) async fn document() -> Response {
    json::ok(&*DOCUMENT)
}

pub(crate) fn describe_document() -> Operation {
    let schema = |_: &mut _| json_schema!({ "type": "object", "required": ["openapi", "info", "paths"] });
    Operation::new("This description", "Needs no token.").answers_in(
        "application/json",
        StatusCode::OK,
        "An OpenAPI document.",
        schema,
    )
}

/// The description as a page.
pub(crate) async fn docs() -> Response {
    let mut response = Response::new(Body::from(Bytes::from_static(PAGE.html.as_bytes())));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    headers.insert(CONTENT_SECURITY_POLICY, PAGE.policy.clone());
    response
}

pub(crate) fn describe_docs() -> Operation {
    Operation::new("This description as a page", "Needs no token, no script and no network.").answers_in(
        "text/html",
        StatusCode::OK,
        "A page.",
        |_| schema::text(),
    )
}
