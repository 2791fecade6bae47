//! An integration's configuration: plain values and sealed secrets, and changes to them.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::credentials;
use super::rejected::Rejected;
use super::web_hook;
use crate::secret::{MASK, Secret};

/// A secret encrypted under its integration's own key: base64 of nonce and ciphertext. Before an `Authorization` header's
/// stand its scheme and a blank, before a web hook's address its origin and a blank, so that they can be shown by those who
/// cannot open it; what stands there is sealed as well.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Sealed")]
pub struct Ciphertext(pub String);

impl Ciphertext {
    /// What is shown of it: a scheme, or an origin. Of headers that older versions stored there is none.
    #[must_use]
    pub fn clear(&self) -> Option<&str> {
        self.0.split_once(' ').map(|(clear, _)| clear)
    }

    /// The base64 alone.
    #[must_use]
    pub fn sealed(&self) -> &str {
        self.0.split_once(' ').map_or(self.0.as_str(), |(_, sealed)| sealed)
    }

    /// The same with what may be shown of a header that is sealed in it.
    fn of_header(self, name: &str, value: &Secret) -> Self {
        match credentials::scheme(name, value.reveal()) {
            Some(scheme) => Self(format!("{scheme} {}", self.0)),
            None => self,
        }
    }

    /// The same with what may be shown of the address that is sealed in it.
    fn of_web_hook(self, address: &Secret) -> Self {
        match web_hook::origin(address.reveal()) {
            Some(origin) => Self(format!("{origin} {}", self.0)),
            None => self,
        }
    }

    fn shown(&self) -> String {
        match self.clear() {
            Some(origin) if origin.contains("://") => web_hook::masked(origin),
            Some(scheme) => format!("{scheme} {MASK}"),
            None => MASK.to_owned(),
        }
    }
}

/// A stored configuration value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Value {
    /// To be shown as it is.
    Text(String),
    /// Never to be shown, but for the origin of a web hook.
    Sealed(Ciphertext),
    /// HTTP headers: names are shown, values are not, but for the scheme of an `Authorization`.
    Headers(BTreeMap<String, Ciphertext>),
}

/// A stored configuration: a value for each key that is set.
pub type Config = BTreeMap<String, Value>;

/// A change to one configuration value. `S` is a secret, in clear or sealed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change<S> {
    /// Leave it as it is: the mask was sent back.
    Keep,
    /// Leave the address of a web hook as it is: how it is shown was sent back. Another one is meant where another is shown.
    KeepShown(String),
    /// Take it away: an empty text was sent.
    Remove,
    /// Set a plain value.
    Text(String),
    /// Set a value that is never shown again.
    Secret(S),
    /// Set the address of a web hook, of which only the origin is shown again.
    WebHook(S),
    /// Set all headers; a value that is none keeps what is stored under its name.
    Headers(BTreeMap<String, Option<S>>),
}

/// Changes to a configuration, by key.
pub type Patch<S> = BTreeMap<String, Change<S>>;

/// Seals every secret in a patch with `seal_one`, which is told the field it is for (`api_key`, `headers.X-Key`).
///
/// # Errors
/// The first that `seal_one` gives.
pub fn seal<E>(
    patch: Patch<Secret>,
    seal_one: impl Fn(&str, &Secret) -> Result<Ciphertext, E>,
) -> Result<Patch<Ciphertext>, E> {
    let seal_change = |key: &str, change: Change<Secret>| {
        Ok(match change {
            Change::Keep => Change::Keep,
            Change::KeepShown(shown) => Change::KeepShown(shown),
            Change::Remove => Change::Remove,
            Change::Text(text) => Change::Text(text),
            Change::Secret(secret) => Change::Secret(seal_one(key, &secret)?),
            Change::WebHook(address) => Change::WebHook(seal_one(key, &address)?.of_web_hook(&address)),
            Change::Headers(headers) => {
                let seal_header = |(name, value): (String, Option<Secret>)| {
                    let Some(value) = value else { return Ok((name, None)) };
                    let sealed = seal_one(&format!("{key}.{name}"), &value)?.of_header(&name, &value);
                    Ok((name, Some(sealed)))
                };
                Change::Headers(headers.into_iter().map(seal_header).collect::<Result<_, E>>()?)
            }
        })
    };
    patch.into_iter().map(|(key, change)| Ok((key.clone(), seal_change(&key, change)?))).collect()
}

impl Value {
    /// The value as its account may see it: a secret masked, headers as a JSON object in a string, an `Authorization` with
    /// its scheme before the mask, as NetBird's dashboard needs it to know which kind of credentials there are.
    pub(super) fn shown(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Sealed(sealed) => sealed.shown(),
            Self::Headers(headers) => {
                let masked =
                    headers.iter().map(|(name, value)| (name.clone(), serde_json::Value::String(value.shown())));
                serde_json::Value::Object(masked.collect()).to_string()
            }
        }
    }

    /// The same where it is the address of a web hook, which older versions did not seal.
    pub(super) fn shown_as_web_hook(&self) -> String {
        match self {
            Self::Text(address) => web_hook::origin(address).map_or_else(|| MASK.to_owned(), |o| web_hook::masked(&o)),
            Self::Sealed(_) | Self::Headers(_) => self.shown(),
        }
    }
}

/// The most bytes of a configuration as a client sends it: its history is kept for good and read with every command.
pub(super) const CONFIG_BYTES: usize = 64 << 10;
/// The most bytes of one as it is stored; a secret is longer sealed.
const STORED_BYTES: usize = CONFIG_BYTES / 2 * 3;

/// Refuses what has grown too large, key by key.
pub(super) fn check_size(config: &Config) -> Result<(), Rejected> {
    let size = |key: &str, value: &Value| {
        key.len()
            + match value {
                Value::Text(text) => text.len(),
                Value::Sealed(sealed) => sealed.0.len(),
                Value::Headers(headers) => headers.iter().map(|(name, sealed)| name.len() + sealed.0.len()).sum(),
            }
    };
    let sizes = config.iter().map(|(key, value)| (size(key, value), key));
    let whole: usize = sizes.clone().map(|(size, _)| size).sum();
    let largest = sizes.max().map_or("", |(_, key)| key.as_str());
    if whole > STORED_BYTES { Err(Rejected::config(largest, TOO_LARGE)) } else { Ok(()) }
}

/// What is said of the largest part of a configuration that is too large.
pub(super) const TOO_LARGE: &str = "is too large: a configuration has at most 65536 bytes";

/// The configuration of a new integration: there is nothing yet to keep or take away.
pub(super) fn first(patch: Patch<Ciphertext>) -> Result<Config, Rejected> {
    if let Some((key, _)) = patch.iter().find(|(_, change)| **change == Change::Remove) {
        return Err(Rejected::config(key, "must not be empty"));
    }
    merged(&Config::new(), patch)
}

pub(super) fn merged(stored: &Config, patch: Patch<Ciphertext>) -> Result<Config, Rejected> {
    let mut config = stored.clone();
    for (key, change) in patch {
        let value = match change {
            Change::Keep if stored.contains_key(&key) => continue,
            Change::Keep => return Err(Rejected::config(&key, NOTHING_STORED)),
            Change::KeepShown(shown) => match stored.get(&key) {
                Some(value) if value.shown_as_web_hook() == shown => continue,
                Some(_) => return Err(Rejected::config(&key, OTHER_STORED)),
                None => return Err(Rejected::config(&key, NOTHING_STORED)),
            },
            Change::Remove => {
                config.remove(&key);
                continue;
            }
            Change::Text(text) => Value::Text(text),
            Change::Secret(sealed) | Change::WebHook(sealed) => Value::Sealed(sealed),
            Change::Headers(headers) => Value::Headers(merged_headers(&key, stored.get(&key), headers)?),
        };
        config.insert(key, value);
    }
    Ok(config)
}

const NOTHING_STORED: &str = "**** keeps what is stored, and nothing is";
/// What is behind one host is not for another.
const OTHER_STORED: &str = "**** keeps what is stored, which begins otherwise: give the whole address";

fn merged_headers(
    key: &str,
    stored: Option<&Value>,
    headers: BTreeMap<String, Option<Ciphertext>>,
) -> Result<BTreeMap<String, Ciphertext>, Rejected> {
    let stored_header = |name: &String| match stored {
        Some(Value::Headers(headers)) => headers.get(name).cloned(),
        Some(Value::Text(_) | Value::Sealed(_)) | None => None,
    };
    let merge = |(name, value): (String, Option<Ciphertext>)| match value.or_else(|| stored_header(&name)) {
        Some(sealed) => Ok((name, sealed)),
        None => Err(Rejected::config(&format!("{key}.{name}"), NOTHING_STORED)),
    };
    headers.into_iter().map(merge).collect()
}

pub(super) fn changed_keys(before: &Config, after: &Config) -> Vec<String> {
    let touched = before.keys().chain(after.keys().filter(|key| !before.contains_key(*key)));
    touched.filter(|key| before.get(*key) != after.get(*key)).cloned().collect()
}
