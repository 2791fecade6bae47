//! An integration's configuration with its secrets opened: to be made at the moment of sending, and dropped after it.

use std::collections::BTreeMap;

use model::integration::{Ciphertext, Config, Value};
use model::secret::Secret;

/// A configuration whose secrets are in clear. Its `Debug` shows none.
#[derive(Clone, Debug, Default)]
pub struct Opened {
    texts: BTreeMap<String, String>,
    secrets: BTreeMap<String, Secret>,
    headers: BTreeMap<String, Secret>,
}

/// A part of the configuration is wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("config.{key}: {problem}")]
pub struct ConfigError {
    /// The key as the account wrote it.
    pub key: String,
    /// What is wrong with it.
    pub problem: String,
}

impl ConfigError {
    pub(crate) fn new(key: &str, problem: impl Into<String>) -> Self {
        Self { key: key.to_owned(), problem: problem.into() }
    }
}

impl Opened {
    /// Opens every secret with `open`, which is told the field it was sealed for (`api_key`, `headers.X-Key`).
    ///
    /// # Errors
    /// The first that `open` gives.
    pub fn open<E>(config: &Config, open: impl Fn(&str, &Ciphertext) -> Result<Secret, E>) -> Result<Self, E> {
        let mut opened = Self::default();
        for (key, value) in config {
            match value {
                Value::Text(text) => {
                    opened.texts.insert(key.clone(), text.clone());
                }
                Value::Sealed(sealed) => {
                    opened.secrets.insert(key.clone(), open(key, sealed)?);
                }
                Value::Headers(headers) => {
                    for (name, sealed) in headers {
                        opened.headers.insert(name.clone(), open(&format!("{key}.{name}"), sealed)?);
                    }
                }
            }
        }
        Ok(opened)
    }

    pub(crate) fn text(&self, key: &str) -> Option<&str> {
        self.texts.get(key).map(String::as_str)
    }

    pub(crate) fn required(&self, key: &str) -> Result<&str, ConfigError> {
        self.text(key).ok_or_else(|| ConfigError::new(key, "is required"))
    }

    /// The address of a web hook. Integrations of older versions have it as a text.
    pub(crate) fn web_hook(&self, key: &str) -> Result<&str, ConfigError> {
        self.secret(key).map_or_else(|| self.required(key), |address| Ok(address.reveal()))
    }

    pub(crate) fn secret(&self, key: &str) -> Option<&Secret> {
        self.secrets.get(key)
    }

    pub(crate) fn headers(&self) -> impl Iterator<Item = (&str, &Secret)> {
        self.headers.iter().map(|(name, value)| (name.as_str(), value))
    }
}
