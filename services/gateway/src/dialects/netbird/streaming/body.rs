//! The bodies that make and change an integration, read strictly: a wrong type is refused by the name of its field.

use std::collections::BTreeMap;

use model::command::ClearConfig;
use model::integration::{Platform, UnknownPlatform};
use model::json;
use schemars::{Schema, SchemaGenerator, json_schema};
use serde_json::{Map, Value, json};

use crate::render::refusal::Refusal;

/// What a POST says.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Create {
    pub(super) platform: Platform,
    pub(super) config: ClearConfig,
    pub(super) enabled: bool,
}

/// What a PUT says. A platform in it is ignored, whatever it is: it never changes. NetBird's Go client sends all fields
/// always, those that its user did not set as `""` and `null`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Update {
    pub(super) config: ClearConfig,
    pub(super) enabled: Option<bool>,
}

/// Reads the body of a POST, in which everything is required.
///
/// # Errors
/// When something is missing or of a wrong type.
pub(super) fn create(body: &[u8]) -> Result<Create, Refusal> {
    let mut fields = object(body)?;
    Ok(Create {
        platform: required("platform", platform(fields.get("platform"))?)?,
        config: required("config", config(fields.remove("config"))?)?,
        enabled: required("enabled", enabled(fields.get("enabled"))?)?,
    })
}

/// Reads the body of a PUT, in which everything is optional.
///
/// # Errors
/// When something is of a wrong type.
pub(super) fn update(body: &[u8]) -> Result<Update, Refusal> {
    let mut fields = object(body)?;
    let config = config(fields.remove("config").filter(|config| !config.is_null()))?.unwrap_or_default();
    Ok(Update { config, enabled: enabled(fields.get("enabled"))? })
}

fn object(body: &[u8]) -> Result<Map<String, Value>, Refusal> {
    match json::read(body) {
        Ok(Value::Object(fields)) => Ok(fields),
        // What the reader says of a body that is no JSON could quote a secret.
        Ok(_) | Err(_) => Err(Refusal::field("body", "must be a JSON object")),
    }
}

fn required<T>(name: &str, value: Option<T>) -> Result<T, Refusal> {
    value.ok_or_else(|| Refusal::field(name, "is required"))
}

fn platform(value: Option<&Value>) -> Result<Option<Platform>, Refusal> {
    match value {
        None => Ok(None),
        Some(Value::String(name)) => match name.parse() {
            Ok(platform) => Ok(Some(platform)),
            Err(UnknownPlatform) => Err(Refusal::Invalid(UnknownPlatform.to_string())),
        },
        Some(_) => Err(Refusal::field("platform", "must be a string")),
    }
}

fn config(value: Option<Value>) -> Result<Option<ClearConfig>, Refusal> {
    let Some(value) = value else { return Ok(None) };
    let Value::Object(fields) = value else { return Err(Refusal::field("config", "must be an object of strings")) };
    let mut config = BTreeMap::new();
    for (key, value) in fields {
        let Value::String(value) = value else {
            return Err(Refusal::field(&format!("config.{key}"), "must be a string"));
        };
        config.insert(key, value);
    }
    Ok(Some(ClearConfig(config)))
}

fn enabled(value: Option<&Value>) -> Result<Option<bool>, Refusal> {
    match value {
        None => Ok(None),
        Some(Value::Bool(enabled)) => Ok(Some(*enabled)),
        Some(_) => Err(Refusal::field("enabled", "must be true or false")),
    }
}

/// What [`create`] reads.
pub(super) fn create_schema(schemas: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "object",
        "properties": {
            "platform": schemas.subschema_for::<Platform>(),
            "config": config_schema(&json!("object")),
            "enabled": enabled_schema(),
        },
        "required": ["platform", "config", "enabled"],
    })
}

/// What [`update`] reads.
pub(super) fn update_schema(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "object",
        "properties": {
            "platform": { "description": "Says nothing, whatever it is: a platform never changes." },
            "config": config_schema(&json!(["object", "null"])),
            "enabled": enabled_schema(),
        },
    })
}

fn config_schema(types: &Value) -> Value {
    let keys = Platform::ALL.map(|platform| format!("`{}`: {}", platform.name(), platform.keys().join(", ")));
    let description = format!(
        "By the platform's keys; a secret that is `****` stays as it is, and an empty text takes a key away. {}",
        keys.join(". ")
    );
    json!({ "type": types, "description": description, "additionalProperties": { "type": "string" } })
}

fn enabled_schema() -> Value {
    json!({ "type": "boolean", "description": "Whether events are sent." })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn why<T: std::fmt::Debug>(refused: Result<T, Refusal>) -> String {
        refused.unwrap_err().to_string()
    }

    #[test]
    fn a_create_names_platform_config_and_enabled() {
        let body = br#"{"platform":"s3","config":{"region":"eu"},"enabled":false,"":null,"more":[1]}"#;
        let config = ClearConfig([("region".to_owned(), "eu".to_owned())].into());
        assert_eq!(create(body), Ok(Create { platform: Platform::S3, config, enabled: false }));
    }

    #[test]
    fn a_create_without_one_of_them_is_refused_naming_it() {
        assert_eq!(why(create(b"{}")), "platform: is required");
        assert_eq!(why(create(br#"{"platform":"s3"}"#)), "config: is required");
        assert_eq!(why(create(br#"{"platform":"s3","config":{}}"#)), "enabled: is required");
    }

    #[test]
    fn a_wrong_type_is_refused_naming_the_field() {
        for value in ["null", "7", "{}", "[]", "true"] {
            assert_eq!(why(create(format!(r#"{{"platform":{value}}}"#).as_bytes())), "platform: must be a string");
        }
        for value in ["\"x\"", "[]", "0", "false"] {
            assert_eq!(
                why(update(format!(r#"{{"config":{value}}}"#).as_bytes())),
                "config: must be an object of strings"
            );
        }
        for value in ["null", "7", "{}", "[]", "true"] {
            let body = format!(r#"{{"config":{{"a":"x","b":{value}}}}}"#);
            assert_eq!(why(update(body.as_bytes())), "config.b: must be a string");
        }
        for value in ["null", "\"true\"", "0", "{}"] {
            assert_eq!(why(update(format!(r#"{{"enabled":{value}}}"#).as_bytes())), "enabled: must be true or false");
        }
        assert!(why(create(br#"{"platform":"splunk"}"#)).starts_with("platform: must be one of datadog"));
    }

    #[test]
    fn an_update_may_say_only_a_part_and_what_it_says_of_the_platform_says_nothing() {
        let nothing = Update { config: ClearConfig::default(), enabled: None };
        assert_eq!(update(b"{}"), Ok(nothing));
        for platform in [r#""s3""#, r#""splunk""#, r#""""#, "null", "7", "{}", "[]"] {
            let body = format!(r#"{{"platform":{platform},"enabled":true}}"#);
            let enabled = Update { config: ClearConfig::default(), enabled: Some(true) };
            assert_eq!(update(body.as_bytes()), Ok(enabled), "{platform}");
        }
    }

    #[test]
    fn what_netbirds_go_client_sends_of_a_field_that_is_not_set_changes_nothing() {
        let disabled = Update { config: ClearConfig::default(), enabled: Some(false) };
        for config in ["null", "{}"] {
            let body = format!(r#"{{"platform":"","config":{config},"enabled":false}}"#);
            assert_eq!(update(body.as_bytes()), Ok(disabled.clone()), "{config}");
            // To make an integration it takes more.
            assert!(why(create(body.as_bytes())).starts_with("platform: must be one of datadog"));
        }
        assert_eq!(why(create(br#"{"platform":"s3","config":null}"#)), "config: must be an object of strings");
    }

    #[test]
    fn what_is_no_object_is_refused() {
        let deep = format!("{}{}", "[".repeat(65), "]".repeat(65));
        for body in [b"".as_slice(), b"null", b"[]", b"\"x\"", b"{", b"{} {}", b"\xff", b"a=b", deep.as_bytes()] {
            assert_eq!(why(create(body)), "body: must be a JSON object", "{body:?}");
        }
    }
}
