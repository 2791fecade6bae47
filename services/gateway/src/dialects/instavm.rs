//! InstaVM's dialect: its audit API, which is a FastAPI application, down to how it refuses.

pub(crate) mod audit;
pub(crate) mod catalog;
pub(crate) mod session;

mod integer;
mod query;
mod validation;

use axum::body::Body;
use axum::http::header::{ALLOW, LOCATION};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Serialize;

use self::validation::Problem;
use crate::render::json;
use crate::render::refusal::Refusal;

const EVENTS: &str = "/v1/audit/events";
const CATALOG: &str = "/v1/audit/catalog";

/// The content type of every answer.
const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// What a redirect's address may not hold as it is.
const NOT_IN_ADDRESS: &AsciiSet =
    &CONTROLS.add(b' ').add(b'"').add(b'<').add(b'>').add(b'\\').add(b'^').add(b'`').add(b'{').add(b'|').add(b'}');

/// Why a request is refused.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "HTTPError")]
struct HttpError {
    detail: String,
}

/// Everything that is wrong with the parameters.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "HTTPValidationError")]
struct HttpValidationError {
    detail: Vec<Problem>,
}

/// A refusal as FastAPI says it.
pub(crate) fn render(refusal: &Refusal) -> Response {
    let detail = match refusal {
        Refusal::NoToken | Refusal::UnknownToken | Refusal::ExpiredToken | Refusal::WrongPassword => {
            "Not authenticated".to_owned()
        }
        Refusal::NoSuchPath => "Not Found".to_owned(),
        Refusal::WrongMethod => "Method Not Allowed".to_owned(),
        Refusal::Internal => "Internal Server Error".to_owned(),
        Refusal::Invalid(_)
        | Refusal::MissingScope(_)
        | Refusal::Forbidden(_)
        | Refusal::NotFound(_)
        | Refusal::SlowBody
        | Refusal::Conflict(_)
        | Refusal::ReceiverRefuses(_)
        | Refusal::TooMany { .. }
        | Refusal::Crowded { .. }
        | Refusal::TooLarge { .. }
        | Refusal::UnknownEncoding
        | Refusal::Unavailable(_) => refusal.to_string(),
    };
    let mut response = json::answer(refusal.status(), JSON, &HttpError { detail });
    if *refusal == Refusal::WrongMethod {
        // GET alone, on every path: not even HEAD comes with it.
        response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET"));
    }
    response
}

/// The schema of a refusal's body.
pub(crate) fn refusal_schema(schemas: &mut SchemaGenerator) -> Schema {
    schemas.subschema_for::<HttpError>()
}

/// The answer where no route is: a path that only has a slash too many is sent on to the right one.
pub(crate) fn no_route(request: &Parts) -> Response {
    let path = query::unquoted(request.uri.path());
    let Some(without) = path.strip_suffix('/').map(|path| path.trim_end_matches('/')).filter(|path| is_route(path))
    else {
        return Refusal::NoSuchPath.into_response();
    };
    let query =
        request.uri.query().filter(|query| !query.is_empty()).map(|query| format!("?{query}")).unwrap_or_default();
    // Without a scheme and a host: only what stands in front of this knows them, and a key must not go on in clear.
    let address = format!("{without}{query}");
    let Ok(location) = HeaderValue::try_from(utf8_percent_encode(&address, NOT_IN_ADDRESS).to_string()) else {
        return Refusal::NoSuchPath.into_response();
    };
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::TEMPORARY_REDIRECT;
    response.headers_mut().insert(LOCATION, location);
    response
}

fn is_route(path: &str) -> bool {
    let is_event = path.strip_prefix(EVENTS).and_then(|rest| rest.strip_prefix('/'));
    path == EVENTS || path == CATALOG || is_event.is_some_and(|id| !id.is_empty() && !id.contains('/'))
}
