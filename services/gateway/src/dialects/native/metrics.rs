//! `GET /metrics`: what this process counts, for Prometheus, in the text that the client likes better.
//!
//! On the API's listener it takes an admin's token, and an account's numbers are shown to that account only. On a
//! listener of its own, for the operator, everything is shown to anybody who can reach it; there `/healthz` says, as on the
//! API's, that the process lives, for supervisors of processes without an API.

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::header::{ACCEPT, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use runtime::exposition::Exposition;
use runtime::metrics::{Audience, Metrics};
use tracing::error;

use crate::access::caller::Caller;
use crate::describe::{Operation, schema};
use crate::dialects::native::health;
use crate::render::refusal::Refusal;

/// The numbers that the caller's account may see.
pub(crate) async fn show(
    State(metrics): State<Metrics>,
    headers: HeaderMap,
    caller: Caller,
) -> Result<Response, Refusal> {
    text(&metrics, Audience::Account(caller.principal.account.as_str()), &headers).await
}

pub(crate) fn describe_show() -> Operation {
    let text = "For Prometheus, in OpenMetrics' text, or in the older one where `Accept` likes `text/plain` better. Of numbers \
                that are an account's, those of the token's account.";
    Operation::new("What the process counts", text)
        .answers_in("application/openmetrics-text", StatusCode::OK, "The numbers.", |_| schema::text())
        .or_in("text/plain", |_| schema::text())
}

/// Everybody's numbers, for a listener that only the operator can reach.
pub(crate) fn open(metrics: Metrics) -> Router {
    let show =
        async |State(metrics): State<Metrics>, headers: HeaderMap| match text(&metrics, Audience::Operator, &headers)
            .await
        {
            Ok(response) => response,
            Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        };
    Router::new().route("/metrics", get(show)).route("/healthz", get(health::alive)).with_state(metrics)
}

async fn text(metrics: &Metrics, audience: Audience<'_>, headers: &HeaderMap) -> Result<Response, Refusal> {
    let accept = headers.get(ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
    let exposition = Exposition::accepted(accept);
    let text = metrics.text(audience, exposition).await.map_err(|failure| {
        error!(%failure, "the metrics cannot be written");
        Refusal::Internal
    })?;
    let mut response = Response::new(Body::from(text));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(exposition.content_type()));
    Ok(response)
}
