//! Configuration keys: what may stand under each kind of them.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroize;

use super::config::Change;
use super::rejected::Rejected;
use super::web_hook;
use crate::reach::{Reach, Unreachable};
use crate::secret::{Secret, is_mask};
use crate::template::Template;

/// How a configuration key is read.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    Text,
    Secret,
    /// A secret of this form.
    SecretOf(Form),
    /// A receiver's web address.
    Url,
    /// A receiver's web address that may be all that it takes to post there.
    WebHook,
    /// A receiver's `host:port`.
    Address,
    Headers,
    Switch,
    Families,
    Template,
    OneOf(&'static [&'static str]),
    /// Part of a host, a path or a header: only what has this form.
    Form(Form),
}

/// A form that a text must have, and how that is said.
#[derive(Clone, Copy)]
pub(super) struct Form {
    pub(super) fits: fn(&str) -> bool,
    pub(super) says: &'static str,
}

/// What makes up a host's name must not bring in another host.
pub(super) const REGION: Form = Form {
    fits: |text| {
        text.len() <= 64 && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
    },
    says: "must be a region such as eu-central-1",
};

pub(super) const BUCKET: Form = Form {
    fits: |text| {
        let is_inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-_".contains(&byte);
        let is_end = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
        let bytes = text.as_bytes();
        (1..=63).contains(&bytes.len())
            && bytes.iter().copied().all(is_inner)
            && is_end(bytes.first())
            && is_end(bytes.last())
            && !text.contains("..")
    },
    says: "must be a bucket's name: 1 to 63 of a-z 0-9 . - _",
};

pub(super) const STREAM_NAME: Form = Form {
    fits: |text| text.len() <= 64 && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte)),
    says: "must be a delivery stream's name: 1 to 64 of A-Z a-z 0-9 _ . -",
};

pub(super) const PREFIX: Form = Form {
    fits: |text| {
        let is_part = |part: &str| !matches!(part, "" | "." | "..");
        text.len() <= 512 && text.trim_end_matches('/').split('/').all(is_part)
    },
    says: "must be a path such as logs/flowtrail, without empty parts, . and ..",
};

pub(super) const SECONDS: Form = Form {
    fits: |text| text.parse().is_ok_and(|seconds: u16| (1..=900).contains(&seconds)),
    says: "must be a number of seconds from 1 to 900",
};

/// A century is what S3 takes at most.
pub(super) const DAYS: Form = Form {
    fits: |text| text.parse().is_ok_and(|days: u32| (1..=36_500).contains(&days)),
    says: "must be a number of days from 1 to 36500",
};

/// Servers take at least 480 bytes (RFC 5424, 6.1), and a message's header needs most of those.
pub(super) const MESSAGE_BYTES: Form = Form {
    fits: |text| text.parse().is_ok_and(|bytes: u32| (1024..=1_048_576).contains(&bytes)),
    says: "must be a number of bytes from 1024 to 1048576",
};

/// As Standard Webhooks writes symmetric keys.
pub(super) const SIGNING_SECRET: Form = Form {
    fits: |text| {
        let encoded = text.strip_prefix("whsec_").unwrap_or(text);
        STANDARD.decode(encoded).is_ok_and(|mut key| {
            let fits = (24..=64).contains(&key.len());
            key.zeroize();
            fits
        })
    },
    says: "must be whsec_ and the base64 of 24 to 64 random bytes",
};

impl Kind {
    pub(super) fn read(self, key: &str, value: String) -> Result<Change<Secret>, Rejected> {
        if value.is_empty() {
            return Ok(Change::Remove);
        }
        if is_mask(&value) {
            return Ok(Change::Keep);
        }
        let refuse = |problem: &str| Err(Rejected::config(key, problem));
        match self {
            Self::Headers => return read_headers(key, &value),
            Self::Template => {
                let template = value.parse::<Template>().map_err(|error| Rejected::config(key, error.to_string()));
                return template.map(|_| Change::Text(value));
            }
            Self::Text
            | Self::Secret
            | Self::SecretOf(_)
            | Self::Url
            | Self::WebHook
            | Self::Address
            | Self::Switch
            | Self::Families
            | Self::OneOf(_)
            | Self::Form(_) => {}
        }
        if value.chars().any(char::is_control) {
            return refuse("must not hold control characters");
        }
        match self {
            Self::SecretOf(form) if !(form.fits)(&value) => refuse(form.says),
            Self::Secret | Self::SecretOf(_) => Ok(Change::Secret(Secret::new(value))),
            Self::Switch if value != "true" && value != "false" => refuse("must be \"true\" or \"false\""),
            Self::Families
                if value != "both"
                    && !value.split(',').all(|family| ["audit", "traffic", "reads"].contains(&family.trim())) =>
            {
                refuse("must be both, or some of audit, traffic and reads, separated by commas")
            }
            Self::OneOf(choices) if !choices.contains(&value.as_str()) => {
                refuse(&format!("must be one of {}", choices.join(", ")))
            }
            Self::Form(form) if !(form.fits)(&value) => refuse(form.says),
            Self::WebHook if web_hook::is_masked(&value) => Ok(Change::KeepShown(value)),
            Self::WebHook => {
                check_form(key, &value, |reach, text| reach.web(text).map(drop))?;
                Ok(Change::WebHook(Secret::new(value)))
            }
            Self::Url => {
                check_form(key, &value, |reach, text| reach.web(text).map(drop))?;
                Ok(Change::Text(value))
            }
            Self::Address => {
                check_form(key, &value, |reach, text| reach.tcp(text, true).map(drop))?;
                Ok(Change::Text(value))
            }
            Self::Text
            | Self::Switch
            | Self::Families
            | Self::OneOf(_)
            | Self::Form(_)
            | Self::Headers
            | Self::Template => Ok(Change::Text(value)),
        }
    }
}

/// Refuses what has not the form of a receiver, whatever the operator allows. What may be reached is asked once the
/// configuration is whole.
fn check_form(key: &str, value: &str, read: fn(&Reach, &str) -> Result<(), Unreachable>) -> Result<(), Rejected> {
    match read(&Reach::default(), value) {
        Ok(()) | Err(Unreachable::Plain | Unreachable::Address(_)) => Ok(()),
        Err(
            refused @ (Unreachable::Malformed(_)
            | Unreachable::UserInfo
            | Unreachable::OddHost(_)
            | Unreachable::BadName
            | Unreachable::Port(_)),
        ) => Err(Rejected::config(key, refused.to_string())),
    }
}

/// Header names that belong to one connection (RFC 9110, 7.6.1) or that the sender sets itself.
const RESERVED_HEADERS: [&str; 14] = [
    "connection",
    "content-encoding",
    "content-length",
    "expect",
    "host",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "via",
];

/// The most headers of a request, and the most bytes of a header's name: as much as servers take, and more than any
/// receiver asks for.
const HEADERS: usize = 64;
const HEADER_NAME_BYTES: usize = 128;

fn read_headers(key: &str, text: &str) -> Result<Change<Secret>, Rejected> {
    let headers: BTreeMap<String, String> = serde_json::from_str(text)
        .map_err(|_| Rejected::config(key, "must be a JSON object of strings, such as {\"X-Key\":\"value\"}"))?;
    if headers.len() > HEADERS {
        return Err(Rejected::config(key, format!("must be at most {HEADERS} headers")));
    }
    let mut names: Vec<String> = headers.keys().map(|name| name.to_ascii_lowercase()).collect();
    names.sort_unstable();
    if names.windows(2).any(|pair| pair.first() == pair.last()) {
        return Err(Rejected::config(key, "must not hold a header twice; names are the same in any case"));
    }
    let read = |(name, value): (String, String)| {
        if name.len() > HEADER_NAME_BYTES {
            return Err(Rejected::config(key, format!("must hold names of at most {HEADER_NAME_BYTES} bytes")));
        }
        let field = format!("{key}.{name}");
        let is_name_byte = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        if name.is_empty() || !name.bytes().all(is_name_byte) {
            return Err(Rejected::config(&field, "is no HTTP header name"));
        }
        if RESERVED_HEADERS.contains(&name.to_ascii_lowercase().as_str()) {
            return Err(Rejected::config(&field, "is set by the connection and cannot be chosen"));
        }
        if value.bytes().any(|byte| byte.is_ascii_control() && byte != b'\t') {
            return Err(Rejected::config(&field, "must not hold control characters"));
        }
        Ok((name, Some(value).filter(|value| !is_mask(value)).map(Secret::new)))
    };
    Ok(Change::Headers(headers.into_iter().map(read).collect::<Result<_, _>>()?))
}
