//! `GET /openapi.json` and `GET /docs`: the description of the API, for programs and for people.
//!
//! Both need no token: they say what is in the source, and nothing of what is in the log.

use std::sync::{Arc, LazyLock, OnceLock};

use axum::body::Body;
use axum::extract::State;
use axum::http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use bytes::Bytes;
use schemars::json_schema;
use serde_json::Value;

use crate::describe::page::{Page, page};
use crate::describe::{Operation, schema};
use crate::render::json;

/// The description, made when it is first asked for: it does not change while the process runs.
#[derive(Debug)]
pub(crate) struct Description {
    document: LazyLock<Value>,
    page: OnceLock<Shown>,
}

/// The description as a page.
#[derive(Debug)]
struct Shown {
    /// Shared by all answers.
    html: Bytes,
    policy: HeaderValue,
}

impl Description {
    /// `make` writes the document; it knows the routes, which know this.
    pub(crate) fn new(make: fn() -> Value) -> Self {
        Self { document: LazyLock::new(make), page: OnceLock::new() }
    }

    fn page(&self) -> &Shown {
        self.page.get_or_init(|| {
            let Page { html, policy } = page(&self.document);
            Shown { html: html.into(), policy }
        })
    }
}

/// The description, for programs.
pub(crate) async fn document(State(description): State<Arc<Description>>) -> Response {
    json::ok(&*description.document)
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

/// The description, for people, under a policy that lets it load nothing.
pub(crate) async fn docs(State(description): State<Arc<Description>>) -> Response {
    let page = description.page();
    let mut response = Response::new(Body::from(page.html.clone()));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    headers.insert(CONTENT_SECURITY_POLICY, page.policy.clone());
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
