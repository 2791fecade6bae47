//! `GET /metrics`: what this process counts, for Prometheus.
//!
//! On the API's listener it takes an admin's token, and an account's numbers are shown to that account only. On a
//! listener of its own, for the operator, everything is shown to anybody who can reach it.

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use runtime::metrics::{self, Audience, Metrics};
use tracing::error;

use crate::access::caller::Caller;
use crate::describe::{Operation, schema};
use crate::render::refusal::Refusal;

/// The numbers that the caller's account may see.
pub(crate) async fn show(State(metrics): State<Metrics>, caller: Caller) -> Result<Response, Refusal> {
    text(&metrics, Audience::Account(caller.principal.account.as_str())).await
}

pub(crate) fn describe_show() -> Operation {
    let text = "For Prometheus, in OpenMetrics' text. Of numbers that are an account's, those of the token's account.";
    Operation::new("What the process counts", text).answers_in(
        "application/openmetrics-text",
        StatusCode::OK,
        "The numbers.",
        |_| schema::text(),
    )
}

/// Everybody's numbers, for a listener that only the operator can reach.
pub(crate) fn open(metrics: Metrics) -> Router {
    let show = async |State(metrics): State<Metrics>| match text(&metrics, Audience::Operator).await {
        Ok(response) => response,
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    };
    Router::new().route("/metrics", get(show)).with_state(metrics)
}

async fn text(metrics: &Metrics, audience: Audience<'_>) -> Result<Response, Refusal> {
    let text = metrics.text(audience).await.map_err(|failure| {
        error!(%failure, "the metrics cannot be written");
        Refusal::Internal
    })?;
    let mut response = Response::new(Body::from(text));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(metrics::CONTENT_TYPE));
    Ok(response)
}
