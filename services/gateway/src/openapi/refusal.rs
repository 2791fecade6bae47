//! How each dialect refuses, and which refusals a route may give.

use std::collections::BTreeMap;

use axum::http::StatusCode;
use schemars::SchemaGenerator;
use serde_json::{Map, Value, json};

use crate::access::caller::Needs;
use crate::describe::Header;
use crate::dialects;
use crate::http::dialect::Dialect;
use crate::route::Route;

/// Every refusal: its status, what it means, and the headers it has.
const ALL: [(StatusCode, &str, &[Header]); 13] = [
    (StatusCode::BAD_REQUEST, "The request is wrong. The text names the parameter, header or field.", &[]),
    (StatusCode::UNAUTHORIZED, "There is no token, or none that is valid.", &[Header::WwwAuthenticate]),
    (StatusCode::FORBIDDEN, "The token lacks the scope.", &[]),
    (StatusCode::NOT_FOUND, "There is no such thing in the account.", &[]),
    (StatusCode::METHOD_NOT_ALLOWED, "The path does not know this method.", &[Header::Allow]),
    (StatusCode::REQUEST_TIMEOUT, "The body came too slowly.", &[]),
    (StatusCode::CONFLICT, "Another request changed it at the same time.", &[]),
    (StatusCode::PRECONDITION_FAILED, "The receiver does not take a test event. The text says why.", &[]),
    (StatusCode::PAYLOAD_TOO_LARGE, "The body is too large.", &[]),
    (StatusCode::UNSUPPORTED_MEDIA_TYPE, "The body is compressed in a way that is not understood.", &[]),
    (StatusCode::TOO_MANY_REQUESTS, "Too many requests came before this one.", &[Header::RetryAfter]),
    (StatusCode::INTERNAL_SERVER_ERROR, "Flowtrail failed. Its log says why.", &[]),
    (StatusCode::SERVICE_UNAVAILABLE, "What is needed cannot be reached right now.", &[Header::RetryAfter]),
];

/// The refusals of a route; a text of its own where it has one.
pub(super) fn of(route: &Route) -> BTreeMap<StatusCode, Option<&'static str>> {
    let always: &[StatusCode] =
        &[StatusCode::TOO_MANY_REQUESTS, StatusCode::INTERNAL_SERVER_ERROR, StatusCode::SERVICE_UNAVAILABLE];
    // A request with a token is read for `Flowtrail-At-Least`, which may be wrong.
    let with_token: &[StatusCode] = match route.needs {
        Needs::Nothing => &[],
        Needs::Token => &[StatusCode::BAD_REQUEST, StatusCode::UNAUTHORIZED],
        Needs::Scope(_) => &[StatusCode::BAD_REQUEST, StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN],
    };
    let with_body: &[StatusCode] = match route.operation.body {
        Some(_) => &[StatusCode::BAD_REQUEST, StatusCode::REQUEST_TIMEOUT, StatusCode::PAYLOAD_TOO_LARGE],
        None => &[],
    };
    let common = [always, with_token, with_body].concat().into_iter().map(|status| (status, None));
    let own = route.operation.refusals.iter().map(|(status, text)| (*status, Some(*text)));
    common.chain(own).collect()
}

/// A reference to a refusal.
pub(super) fn referred(dialect: Dialect, status: StatusCode, text: Option<&str>) -> Value {
    let mut reference = json!({ "$ref": format!("#/components/responses/{}", name(dialect, status)) });
    if let Some(text) = text {
        reference["description"] = json!(text);
    }
    reference
}

/// All refusals of a dialect, by name.
pub(super) fn all(dialect: Dialect, schemas: &mut SchemaGenerator) -> Map<String, Value> {
    let (media_type, shape) = dialects::refusal_shape(dialect);
    let described = |(status, text, headers): (StatusCode, &str, &[Header])| {
        let all = [Header::RequestId].into_iter().chain(headers.iter().copied());
        let headers: Map<String, Value> = all.map(Header::referred).collect();
        let content = json!({ media_type: { "schema": shape(schemas) } });
        (name(dialect, status), json!({ "description": text, "headers": headers, "content": content }))
    };
    ALL.into_iter().map(described).collect()
}

fn name(dialect: Dialect, status: StatusCode) -> String {
    format!("{}.{}", dialect.name(), status.as_str())
}
