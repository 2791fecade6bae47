//! The platforms: which configuration keys each takes, which of them are secret, and which must be there.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use url::Url;

use super::Rejected;
use super::config::{Change, Config, Patch};
use crate::secret::{Secret, is_mask};

/// Where events can go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Platform {
    /// Datadog logs.
    Datadog,
    /// Amazon S3 or what speaks its language.
    S3,
    /// Amazon Data Firehose.
    Firehose,
    /// Any HTTP receiver.
    GenericHttp,
}

/// The platform is none of ours.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("platform: must be one of datadog, s3, firehose, generic_http")]
pub struct UnknownPlatform;

/// How a configuration key is read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Secret,
    Url,
    Headers,
    Switch,
    Families,
}

/// Any one of these groups of keys satisfies the platform.
type Alternatives = &'static [&'static [&'static str]];

const CREDENTIALS: Alternatives = &[&["access_key", "secret_key"], &["access_key_id", "secret_access_key"]];

const AWS_KEYS: [(&str, Kind); 8] = [
    ("access_key", Kind::Text),
    ("access_key_id", Kind::Text),
    ("secret_key", Kind::Secret),
    ("secret_access_key", Kind::Secret),
    ("session_token", Kind::Secret),
    ("region", Kind::Text),
    ("endpoint", Kind::Url),
    ("events", Kind::Families),
];

impl std::str::FromStr for Platform {
    type Err = UnknownPlatform;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|platform| platform.name() == text).ok_or(UnknownPlatform)
    }
}

impl Platform {
    /// Every platform.
    pub const ALL: [Self; 4] = [Self::Datadog, Self::S3, Self::Firehose, Self::GenericHttp];

    /// The name in the API.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Datadog => "datadog",
            Self::S3 => "s3",
            Self::Firehose => "firehose",
            Self::GenericHttp => "generic_http",
        }
    }

    /// The keys of its configuration.
    #[must_use]
    pub fn keys(self) -> Vec<&'static str> {
        self.own_keys().iter().chain(self.shared_keys()).map(|(name, _)| *name).collect()
    }

    fn own_keys(self) -> &'static [(&'static str, Kind)] {
        match self {
            Self::Datadog => &[
                ("api_key", Kind::Secret),
                ("api_url", Kind::Url),
                ("site", Kind::Text),
                ("region", Kind::Text),
                ("events", Kind::Families),
            ],
            Self::S3 => &[("bucket_name", Kind::Text), ("prefix", Kind::Text), ("path_style", Kind::Switch)],
            Self::Firehose => &[("stream_name", Kind::Text)],
            Self::GenericHttp => &[
                ("url", Kind::Url),
                ("headers", Kind::Headers),
                ("body_template", Kind::Text),
                ("signing_secret", Kind::Secret),
                ("signing_secret_previous", Kind::Secret),
                ("batch", Kind::Text),
                ("events", Kind::Families),
            ],
        }
    }

    fn shared_keys(self) -> &'static [(&'static str, Kind)] {
        match self {
            Self::S3 | Self::Firehose => &AWS_KEYS,
            Self::Datadog | Self::GenericHttp => &[],
        }
    }

    /// Each entry is a demand, met by any of its alternatives.
    fn required(self) -> &'static [Alternatives] {
        match self {
            Self::Datadog => &[&[&["api_key"]], &[&["api_url"], &["site"]]],
            Self::S3 => &[&[&["bucket_name"]], &[&["region"]], CREDENTIALS],
            Self::Firehose => &[&[&["stream_name"]], &[&["region"]], CREDENTIALS],
            Self::GenericHttp => &[&[&["url"]]],
        }
    }

    fn kind(self, key: &str) -> Option<Kind> {
        let keys = self.own_keys().iter().chain(self.shared_keys());
        keys.clone().find(|(name, _)| *name == key).map(|(_, kind)| *kind)
    }

    /// Reads configuration values as a client sent them.
    ///
    /// # Errors
    /// When a key is unknown or its value has not the form it needs; the first in order of keys.
    pub fn read_config(self, values: BTreeMap<String, String>) -> Result<Patch<Secret>, Rejected> {
        let read = |(key, value): (String, String)| {
            let kind = self.kind(&key).ok_or_else(|| {
                Rejected::config(
                    &key,
                    format!("is not known for {}; known are {}", self.name(), self.keys().join(", ")),
                )
            })?;
            let change = kind.read(&key, value)?;
            Ok((key, change))
        };
        values.into_iter().map(read).collect()
    }

    /// Checks that everything needed is there.
    pub(super) fn check(self, config: &Config) -> Result<(), Rejected> {
        let is_met = |alternatives: &Alternatives| {
            alternatives.iter().any(|keys| keys.iter().all(|key| config.contains_key(*key)))
        };
        let Some(unmet) = self.required().iter().find(|demand| !is_met(demand)) else { return Ok(()) };
        let choices: Vec<String> = unmet.iter().map(|keys| keys.join(" and ")).collect();
        let started = unmet.iter().find(|keys| keys.iter().any(|key| config.contains_key(*key))).unwrap_or(&unmet[0]);
        let missing = started.iter().find(|key| !config.contains_key(**key)).copied().unwrap_or_default();
        let problem = match choices.as_slice() {
            [_] => format!("is required for {}", self.name()),
            _ => format!("is required for {}: give {}", self.name(), choices.join(", or ")),
        };
        Err(Rejected::config(missing, problem))
    }
}

impl Kind {
    fn read(self, key: &str, value: String) -> Result<Change<Secret>, Rejected> {
        if value.is_empty() {
            return Ok(Change::Remove);
        }
        if is_mask(&value) {
            return Ok(Change::Keep);
        }
        if value.contains('\0') {
            return Err(Rejected::config(key, "must not hold a NUL character"));
        }
        match self {
            Self::Secret => Ok(Change::Secret(Secret::new(value))),
            Self::Headers => read_headers(key, &value),
            Self::Url if !is_web_address(&value) => {
                Err(Rejected::config(key, "must be an http or https URL without user name or password"))
            }
            Self::Switch if value != "true" && value != "false" => {
                Err(Rejected::config(key, "must be \"true\" or \"false\""))
            }
            Self::Families if !value.split(',').all(|family| ["audit", "traffic"].contains(&family.trim())) => {
                Err(Rejected::config(key, "must be audit, traffic or audit,traffic"))
            }
            Self::Text | Self::Url | Self::Switch | Self::Families => Ok(Change::Text(value)),
        }
    }
}

fn is_web_address(text: &str) -> bool {
    Url::parse(text).is_ok_and(|url| {
        matches!(url.scheme(), "http" | "https")
            && url.has_host()
            && url.username().is_empty()
            && url.password().is_none()
    })
}

/// Header names that belong to one connection (RFC 9110, 7.6.1) or that the sender sets itself.
const RESERVED_HEADERS: [&str; 11] = [
    "connection",
    "content-length",
    "expect",
    "host",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

fn read_headers(key: &str, text: &str) -> Result<Change<Secret>, Rejected> {
    let headers: BTreeMap<String, String> = serde_json::from_str(text)
        .map_err(|_| Rejected::config(key, "must be a JSON object of strings, such as {\"X-Key\":\"value\"}"))?;
    let read = |(name, value): (String, String)| {
        let field = format!("{key}.{name}");
        let is_name_byte = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        if name.is_empty() || !name.bytes().all(is_name_byte) {
            return Err(Rejected::config(&field, "is no HTTP header name"));
        }
        if RESERVED_HEADERS.contains(&name.to_ascii_lowercase().as_str()) {
            return Err(Rejected::config(&field, "is set by the connection and can not be chosen"));
        }
        if value.bytes().any(|byte| byte.is_ascii_control() && byte != b'\t') {
            return Err(Rejected::config(&field, "must not hold control characters"));
        }
        Ok((name, Some(value).filter(|value| !is_mask(value)).map(Secret::new)))
    };
    Ok(Change::Headers(headers.into_iter().map(read).collect::<Result<_, _>>()?))
}
