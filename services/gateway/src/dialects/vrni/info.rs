//! `GET /api/ni/info/version`: which version of vRNI's API this is. Some clients ask right after they signed in.

use axum::http::StatusCode;
use axum::response::Response;
use schemars::JsonSchema;
use serde::Serialize;

use crate::describe::Operation;
use crate::render::json;

/// The version of vRNI's API.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "VersionResponse")]
struct Version {
    api_version: &'static str,
}

/// The same for everybody: clients only look whether they know this version.
pub(crate) async fn version() -> Response {
    json::ok(&Version { api_version: "1.1.8" })
}

pub(crate) fn describe_version() -> Operation {
    Operation::new("Which version this is", "Some clients ask right after they signed in.")
        .answers::<Version>(StatusCode::OK, "The version.")
}
