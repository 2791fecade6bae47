//! `GET /api/ni/info/version`: which version of vRNI's API this is. Some clients ask right after they signed in.

use axum::response::Response;
use serde::Serialize;

use crate::json;

#[derive(Serialize)]
struct Version {
    api_version: &'static str,
}

/// Says it.
pub(crate) async fn version() -> Response {
    json::ok(&Version { api_version: "1.1.8" })
}
