//! `GET /api/events/proxy`: NetBird's reverse-proxy logs, which Flowtrail does not keep.

use axum::http::StatusCode;

use crate::describe::Operation;
use crate::render::refusal::Refusal;

/// Says so, in the words that the dashboard takes for a feature that is not there.
pub(crate) async fn list() -> Refusal {
    Refusal::Forbidden("reverse proxy logs are not kept here".into())
}

pub(crate) fn describe_list() -> Operation {
    Operation::new("List reverse proxy logs", "NetBird's dashboard asks for them; Flowtrail keeps none.")
        .refuses(StatusCode::FORBIDDEN, "Always: there are none to see.")
}
