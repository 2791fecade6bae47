//! vRNI's dialect (VMware Aria Operations for Networks): sign-in, version and audit logs, as its clients know them.

pub(crate) mod auth;
pub(crate) mod info;
pub(crate) mod logs;

mod fields;

use axum::response::Response;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Serialize;

use crate::render::json;
use crate::render::refusal::Refusal;

/// Why a request is refused.
#[derive(Serialize, JsonSchema)]
struct ApiError {
    /// The status again.
    code: u16,
    /// The field, if it is one, and what is wrong with it.
    message: String,
    details: [Detail; 1],
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ApiErrorDetail")]
struct Detail {
    /// The status again.
    code: u16,
    /// What is wrong.
    message: String,
    /// The fields that are wrong.
    target: Vec<String>,
}

/// A refusal as vRNI says it.
pub(crate) fn render(refusal: &Refusal) -> Response {
    let (status, message) = (refusal.status(), refusal.to_string());
    let code = status.as_u16();
    let (target, problem) = match field(&message) {
        Some((field, problem)) => (vec![field.to_owned()], problem.to_owned()),
        None => (Vec::new(), message.clone()),
    };
    json::answer(status, json::JSON, &ApiError { code, message, details: [Detail { code, message: problem, target }] })
}

/// The schema of a refusal's body.
pub(crate) fn refusal_schema(schemas: &mut SchemaGenerator) -> Schema {
    schemas.subschema_for::<ApiError>()
}

/// Takes apart what [`Refusal::field`] put together.
fn field(message: &str) -> Option<(&str, &str)> {
    let is_name = |name: &str| name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte));
    message.split_once(": ").filter(|(name, _)| is_name(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_field_is_told_from_other_words() {
        assert_eq!(
            field("time_range.start_time: must be an integer"),
            Some(("time_range.start_time", "must be an integer"))
        );
        assert_eq!(field("token invalid"), None);
        assert_eq!(field("there is a colon: here"), None);
    }
}
