//! The platforms: which configuration keys each takes, which of them are secret, and which must be there.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::config::{self, CONFIG_BYTES, Config, Patch, TOO_LARGE, Value};
use super::key::{BUCKET, DAYS, Kind, MESSAGE_BYTES, PREFIX, REGION, SECONDS, SIGNING_SECRET, STREAM_NAME};
use super::rejected::Rejected;
use super::wanted::Wanted;
use crate::reach::{Reach, Target};
use crate::secret::Secret;

/// Where events can go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Platform {
    /// Datadog's intake of logs, version 2.
    Datadog,
    /// Amazon S3 or what speaks its language.
    S3,
    /// Amazon Data Firehose.
    Firehose,
    /// Any HTTP receiver.
    GenericHttp,
    /// An OpenTelemetry collector, or what speaks its protocol, over HTTP.
    Otlp,
    /// A syslog server, over TCP.
    Syslog,
    /// Splunk's HTTP event collector.
    SplunkHec,
}

/// The platform is none of ours.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("platform: must be one of datadog, s3, firehose, generic_http, otlp, syslog, splunk_hec")]
pub struct UnknownPlatform;

/// The receivers that a configuration names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receiver {
    /// The key that names it.
    pub key: String,
    /// The host and port that a connection is made to.
    pub target: Target,
}

/// Datadog's sites; one that is newer can be named whole, as `api_url`.
const DATADOG_SITES: [&str; 9] = [
    "datadoghq.com",
    "us3.datadoghq.com",
    "us5.datadoghq.com",
    "ap1.datadoghq.com",
    "ap2.datadoghq.com",
    "uk1.datadoghq.com",
    "datadoghq.eu",
    "ddog-gov.com",
    "us2.ddog-gov.com",
];

/// Any one of these groups of keys satisfies the platform.
type Alternatives = &'static [&'static [&'static str]];

const CREDENTIALS: Alternatives = &[&["access_key", "secret_key"], &["access_key_id", "secret_access_key"]];

const AWS_KEYS: [(&str, Kind); 9] = [
    ("access_key", Kind::Text),
    ("access_key_id", Kind::Text),
    ("secret_key", Kind::Secret),
    ("secret_access_key", Kind::Secret),
    ("session_token", Kind::Secret),
    ("region", Kind::Form(REGION)),
    ("endpoint", Kind::Url),
    ("events", Kind::Families),
    ("filter", Kind::Text),
];

impl std::str::FromStr for Platform {
    type Err = UnknownPlatform;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|platform| platform.name() == text).ok_or(UnknownPlatform)
    }
}

impl Platform {
    /// In the order in which errors list them.
    pub const ALL: [Self; 7] =
        [Self::Datadog, Self::S3, Self::Firehose, Self::GenericHttp, Self::Otlp, Self::Syslog, Self::SplunkHec];

    /// The name in the API.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Datadog => "datadog",
            Self::S3 => "s3",
            Self::Firehose => "firehose",
            Self::GenericHttp => "generic_http",
            Self::Otlp => "otlp",
            Self::Syslog => "syslog",
            Self::SplunkHec => "splunk_hec",
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
                ("site", Kind::OneOf(&DATADOG_SITES)),
                ("region", Kind::Text),
                ("events", Kind::Families),
                ("filter", Kind::Text),
            ],
            Self::S3 => &[
                ("bucket_name", Kind::Form(BUCKET)),
                ("prefix", Kind::Form(PREFIX)),
                ("path_style", Kind::Switch),
                ("format", Kind::OneOf(&["ndjson", "parquet"])),
                ("batch_seconds", Kind::Form(SECONDS)),
                ("object_lock_mode", Kind::OneOf(&["GOVERNANCE", "COMPLIANCE"])),
                ("object_lock_days", Kind::Form(DAYS)),
            ],
            Self::Firehose => &[("stream_name", Kind::Form(STREAM_NAME))],
            Self::GenericHttp => &[
                ("url", Kind::WebHook),
                ("headers", Kind::Headers),
                ("format", Kind::OneOf(&["netbird", "document"])),
                ("body_template", Kind::Template),
                ("signing_secret", Kind::SecretOf(SIGNING_SECRET)),
                ("signing_secret_previous", Kind::SecretOf(SIGNING_SECRET)),
                ("batch", Kind::OneOf(&["ndjson", "array"])),
                ("events", Kind::Families),
                ("filter", Kind::Text),
            ],
            Self::Otlp => &[
                ("url", Kind::WebHook),
                ("headers", Kind::Headers),
                ("events", Kind::Families),
                ("filter", Kind::Text),
            ],
            Self::Syslog => &[
                ("address", Kind::Address),
                ("tls", Kind::Switch),
                ("framing", Kind::OneOf(&["octet_counting", "newline"])),
                ("max_message_bytes", Kind::Form(MESSAGE_BYTES)),
                ("events", Kind::Families),
                ("filter", Kind::Text),
            ],
            Self::SplunkHec => &[
                ("url", Kind::Url),
                ("token", Kind::Secret),
                ("index", Kind::Text),
                ("source", Kind::Text),
                ("sourcetype", Kind::Text),
                ("events", Kind::Families),
                ("filter", Kind::Text),
            ],
        }
    }

    fn shared_keys(self) -> &'static [(&'static str, Kind)] {
        match self {
            Self::S3 | Self::Firehose => &AWS_KEYS,
            Self::Datadog | Self::GenericHttp | Self::Otlp | Self::Syslog | Self::SplunkHec => &[],
        }
    }

    /// Each entry is a demand, met by any of its alternatives.
    fn required(self) -> &'static [Alternatives] {
        match self {
            Self::Datadog => &[&[&["api_key"]], &[&["api_url"], &["site"]]],
            Self::S3 => &[&[&["bucket_name"]], &[&["region"]], CREDENTIALS],
            Self::Firehose => &[&[&["stream_name"]], &[&["region"]], CREDENTIALS],
            Self::GenericHttp | Self::Otlp => &[&[&["url"]]],
            Self::Syslog => &[&[&["address"]]],
            Self::SplunkHec => &[&[&["url"]], &[&["token"]]],
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
        let sizes = values.iter().map(|(key, value)| (key.len() + value.len(), key));
        if sizes.clone().map(|(size, _)| size).sum::<usize>() > CONFIG_BYTES {
            let largest = sizes.max().map_or("", |(_, key)| key.as_str());
            // A key that is unknown may be of any length.
            let largest = self.keys().into_iter().find(|key| *key == largest).unwrap_or("config");
            return Err(Rejected::config(largest, TOO_LARGE));
        }
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

    /// Checks what a configuration must not have together. Only what changes is checked, so that an integration that is
    /// older than a rule can still be paused and removed.
    pub(super) fn check_together(self, config: &Config) -> Result<(), Rejected> {
        config::check_size(config)?;
        let is_text = |key: &str, text: &str| matches!(config.get(key), Some(Value::Text(value)) if value == text);
        // A receiver's library reads what it has verified as one JSON document, which lines are not.
        let is_signed = ["signing_secret", "signing_secret_previous"].iter().any(|key| config.contains_key(*key));
        if self == Self::GenericHttp && is_text("batch", "ndjson") && is_signed {
            return Err(Rejected::config("batch", "must be array, or absent, with a signing_secret"));
        }
        if self == Self::GenericHttp && is_text("format", "document") && config.contains_key("body_template") {
            return Err(Rejected::config("format", "must be netbird, or absent, with a body_template"));
        }
        for (key, other) in [("object_lock_mode", "object_lock_days"), ("object_lock_days", "object_lock_mode")] {
            if config.contains_key(key) && !config.contains_key(other) {
                return Err(Rejected::config(other, format!("is required with {key}")));
            }
        }
        // What is wanted is asked of the families that are delivered.
        Wanted::of(config).map(drop)
    }

    /// A configuration as its account may see it: secrets masked, of web hooks what is behind the host.
    #[must_use]
    pub fn shown(self, config: &Config) -> BTreeMap<String, String> {
        let show = |(key, value): (&String, &Value)| match self.kind(key) {
            Some(Kind::WebHook) => (key.clone(), value.shown_as_web_hook()),
            Some(_) | None => (key.clone(), value.shown()),
        };
        config.iter().map(show).collect()
    }

    /// The receivers that a configuration names, where they may be reached.
    ///
    /// # Errors
    /// The first that may not, by its form or its address alone.
    pub fn receivers(self, config: &Config, reach: &Reach) -> Result<Vec<Receiver>, Rejected> {
        let encrypted = !matches!(config.get("tls"), Some(Value::Text(tls)) if tls == "false");
        let mut receivers = Vec::new();
        for (key, value) in config {
            let text = match value {
                Value::Text(text) => text.as_str(),
                Value::Sealed(sealed) => match sealed.clear() {
                    Some(origin) => origin,
                    None => continue,
                },
                Value::Headers(_) => continue,
            };
            let target = match self.kind(key) {
                Some(Kind::Url | Kind::WebHook) => reach.web(text),
                Some(Kind::Address) => reach.tcp(text, encrypted),
                Some(
                    Kind::Text
                    | Kind::Secret
                    | Kind::SecretOf(_)
                    | Kind::Headers
                    | Kind::Switch
                    | Kind::Families
                    | Kind::Template
                    | Kind::OneOf(_)
                    | Kind::Form(_),
                )
                | None => continue,
            };
            let target = target.map_err(|refused| Rejected::config(key, refused.to_string()))?;
            receivers.push(Receiver { key: key.clone(), target });
        }
        Ok(receivers)
    }
}
