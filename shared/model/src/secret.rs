//! Secrets: values that must never be shown, and the mask that stands for them.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use zeroize::Zeroizing;

/// What stands for a secret wherever one would be shown. Sent back by a client it means: keep what is stored.
pub const MASK: &str = "****";

/// A secret in clear. Invariant: `Debug` and `Serialize` show [`MASK`], and the memory is wiped when it goes.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes `text` in.
    #[must_use]
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// The secret itself: to be encrypted, compared or sent, never to be shown.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

/// Whether a value that came from a client is the mask, alone or behind a scheme (`Basic ****`).
#[must_use]
pub fn is_mask(text: &str) -> bool {
    text == MASK || text.strip_suffix(MASK).is_some_and(|scheme| scheme.ends_with(' '))
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(MASK)
    }
}

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(MASK)
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::new)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_shows_itself_to_nobody() {
        let secret = Secret::new("hunter2".to_owned());
        assert_eq!(format!("{secret:?}"), "****");
        assert_eq!(serde_json::to_string(&secret).unwrap(), "\"****\"");
        assert_eq!(secret.reveal(), "hunter2");
    }

    #[test]
    fn the_mask_is_known_behind_a_scheme_too() {
        assert!(is_mask("****"));
        assert!(is_mask("Basic ****"));
        assert!(!is_mask("a****"));
        assert!(!is_mask("*****"));
    }
}
