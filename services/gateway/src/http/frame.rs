//! What every answer has, whichever handler gives it: a request id, headers for browsers, the shape of its dialect,
//! and an end.

use std::any::Any;
use std::time::{Duration, Instant};

use axum::extract::{Request, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use runtime::clock;
use tracing::{Instrument, debug, debug_span, error};

use crate::http::dialect::Dialect;
use crate::http::freshness::Seen;
use crate::http::metrics::{HttpMetrics, RouteLabels};
use crate::http::origin::RequestId;
use crate::render::refusal::Refusal;

/// How long an answer may take in all: a large body, a large question and the wait for a view, one after the other.
const ANSWERED_WITHIN: Duration = Duration::from_secs(75);
/// The request's id, the client's own or a new one.
pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const MAX_REQUEST_ID_BYTES: usize = 128;

/// What the frame needs.
#[derive(Clone, Debug)]
pub(crate) struct Frame {
    /// Where answers are counted.
    pub(crate) metrics: HttpMetrics,
    /// Says a refusal in a dialect. The dialects are above the wire, so they are given to it.
    pub(crate) render: fn(Dialect, &Refusal) -> Response,
}

/// Runs a request and completes its answer.
pub(crate) async fn frame(State(frame): State<Frame>, mut request: Request, next: Next) -> Response {
    let (labels, began) = (RouteLabels::of(&request), Instant::now());
    let dialect = Dialect::of(request.uri().path());
    let id = request_id(request.headers());
    request.extensions_mut().insert(RequestId(id.clone()));
    let seen = Seen::default();
    request.extensions_mut().insert(seen.clone());
    let span = debug_span!("request", ?id, method = %request.method(), path = request.uri().path());
    // Out of time the handler is dropped; what it has sent over the bus is carried out all the same.
    let answered = tokio::time::timeout(ANSWERED_WITHIN, next.run(request).instrument(span.clone())).await;
    let mut response = answered.unwrap_or_else(|_| Refusal::Unavailable("the answer takes too long").into_response());
    // A handler refuses with a value and without a body: only here it is known in which dialect to say it.
    if let Some(refusal) = response.extensions_mut().remove::<Refusal>() {
        response = (frame.render)(dialect, &refusal);
    }
    if response.status().is_client_error() || response.status().is_server_error() {
        seen.add_to(response.headers_mut());
    }
    span.in_scope(|| debug!(status = response.status().as_u16(), "answered"));
    frame.metrics.answered(labels, response.status(), began.elapsed());
    complete(response.headers_mut(), id);
    response
}

fn complete(headers: &mut HeaderMap, id: HeaderValue) {
    headers.insert(REQUEST_ID, id);
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    // No cache may keep what is in the log, unless the handler says otherwise.
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    let policy = HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'");
    headers.entry(CONTENT_SECURITY_POLICY).or_insert(policy);
}

/// The client's own id where it is one, else a new one.
fn request_id(headers: &HeaderMap) -> HeaderValue {
    let is_fit = |value: &&HeaderValue| {
        let bytes = value.as_bytes();
        (1..=MAX_REQUEST_ID_BYTES).contains(&bytes.len()) && bytes.iter().all(u8::is_ascii_graphic)
    };
    // It goes into logs and records, so what a client sends is taken only as far as it is harmless there.
    let own = || clock::new_ulid().unwrap_or_default().to_string();
    let given = headers.get(REQUEST_ID).filter(is_fit).cloned();
    given.or_else(|| HeaderValue::try_from(own()).ok()).unwrap_or_else(|| HeaderValue::from_static("unknown"))
}

/// The answer to a request whose handler panicked. The panic's own text says where; it is for the log only.
#[expect(clippy::needless_pass_by_value, reason = "the layer that catches panics gives it so")]
pub(crate) fn panicked(panic: Box<dyn Any + Send>) -> Response {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or_default();
    error!(panic = text, "the handler of a request panicked");
    Refusal::Internal.into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(value: &str) -> HeaderMap {
        HeaderMap::from_iter([(REQUEST_ID, HeaderValue::from_bytes(value.as_bytes()).unwrap())])
    }

    #[test]
    fn a_well_formed_request_id_is_kept() {
        for id in ["a", "01J0000000000000000000000", &"x".repeat(128)] {
            assert_eq!(request_id(&sent(id)), id);
        }
    }

    #[test]
    fn another_one_is_replaced_by_a_ulid() {
        for id in ["", "a b", "\u{e4}", &"x".repeat(129)] {
            assert_eq!(request_id(&sent(id)).len(), 26, "{id:?}");
        }
        assert_ne!(request_id(&HeaderMap::new()), request_id(&HeaderMap::new()));
    }
}
