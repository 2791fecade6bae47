//! The dialects, each a translation: it reads its own parameters, asks, and renders the answer as its clients know it.
//!
//! Invariant: no dialect knows another. What differs between them beyond their routes is chosen here.

pub(crate) mod instavm;
pub(crate) mod native;
pub(crate) mod netbird;
pub(crate) mod vrni;

use axum::http::header::{RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, head, options};

use crate::describe::SchemaOf;
use crate::http::dialect::Dialect;
use crate::render::refusal::Refusal;

/// When another try is worth it where an account has too many long answers under way: nobody knows when one of them ends.
const CROWDED_SECONDS: u64 = 10;

/// How the refusals of a dialect look: their content type, and the schema of their bodies.
pub(crate) fn refusal_shape(dialect: Dialect) -> (&'static str, SchemaOf) {
    match dialect {
        Dialect::NetBird => ("application/json", netbird::refusal_schema),
        Dialect::InstaVm => ("application/json", instavm::refusal_schema),
        Dialect::Vrni => ("application/json", vrni::refusal_schema),
        Dialect::Native => ("application/problem+json", native::refusal_schema),
    }
}

/// The answer to a request for a path that has no route.
pub(crate) fn no_route(request: &Parts) -> Response {
    match Dialect::of(request.uri.path()) {
        Dialect::InstaVm => instavm::no_route(request),
        Dialect::NetBird | Dialect::Vrni | Dialect::Native => Refusal::NoSuchPath.into_response(),
    }
}

/// The methods that a known path answers in addition to those of its routes.
pub(crate) fn other_methods<S: Clone + Send + Sync + 'static>(path: &str) -> MethodRouter<S> {
    match Dialect::of(path) {
        Dialect::InstaVm if path == instavm::session::PATH => {
            MethodRouter::new().fallback(async || instavm::session::wrong_method())
        }
        // There, HEAD does not come with GET.
        Dialect::InstaVm => head(async || Refusal::WrongMethod),
        // Without `Allow`, which would have to say who publishes events here to clients that only know how to read.
        Dialect::NetBird | Dialect::Vrni | Dialect::Native => options(async || StatusCode::NO_CONTENT),
    }
}

/// The answer to a request that is refused, in its dialect.
pub(crate) fn render(dialect: Dialect, refusal: &Refusal) -> Response {
    let mut response = match dialect {
        Dialect::NetBird => netbird::render(refusal),
        Dialect::InstaVm => instavm::render(refusal),
        Dialect::Vrni => vrni::render(refusal),
        Dialect::Native => native::render(refusal),
    };
    // These are HTTP's own, so they are the same in every dialect: RFC 9110, 11.6.1 and 10.2.3.
    let headers = response.headers_mut();
    match refusal {
        Refusal::NoToken | Refusal::UnknownToken | Refusal::ExpiredToken | Refusal::WrongPassword => {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        Refusal::Unavailable(_) => {
            headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
        }
        Refusal::TooMany { seconds } => {
            headers.insert(RETRY_AFTER, HeaderValue::from(*seconds));
        }
        Refusal::Crowded { .. } => {
            headers.insert(RETRY_AFTER, HeaderValue::from(CROWDED_SECONDS));
        }
        Refusal::Invalid(_)
        | Refusal::MissingScope(_)
        | Refusal::Forbidden(_)
        | Refusal::NotFound(_)
        | Refusal::NoSuchPath
        | Refusal::WrongMethod
        | Refusal::SlowBody
        | Refusal::Conflict(_)
        | Refusal::ReceiverRefuses(_)
        | Refusal::TooLarge { .. }
        | Refusal::UnknownEncoding
        | Refusal::Internal => {}
    }
    response
}
