//! Whether the process lives, and whether it is of use: for supervisors, load balancers and `up`.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use schemars::JsonSchema;
use serde::Serialize;

use crate::describe::Operation;
use crate::render::json;
use crate::render::refusal::Refusal;
use crate::upstream::readiness::Readiness;

#[derive(Serialize, JsonSchema)]
struct Health {
    status: &'static str,
}

/// The process is alive.
pub(crate) async fn alive() -> Response {
    json::ok(&Health { status: "alive" })
}

pub(crate) fn describe_alive() -> Operation {
    Operation::new("Whether the process lives", "").answers::<Health>(StatusCode::OK, "It does.")
}

/// Reads and writes work, and reads are complete.
pub(crate) async fn ready(State(readiness): State<Readiness>) -> Result<Response, Refusal> {
    readiness.check().await?;
    Ok(json::ok(&Health { status: "ready" }))
}

pub(crate) fn describe_ready() -> Operation {
    let text = "Reads and writes work, and the views have caught up with the log once since the start.";
    Operation::new("Whether it is of use", text).answers::<Health>(StatusCode::OK, "It is.")
}
