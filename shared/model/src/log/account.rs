//! Account ids: the first part of every key and the tenant boundary.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::token::{is_token, token};

/// An account's id. Invariant: matches `[A-Za-z0-9_-]{1,64}`, so it is a subject token as it stands.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct AccountId(String);

/// The text is no account id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("account: must be 1 to 64 characters of A-Z a-z 0-9 _ -")]
pub struct BadAccountId;

impl AccountId {
    /// Checks `text`.
    ///
    /// # Errors
    /// When it has other characters than a subject token may have, none, or more than 64.
    pub fn parse(text: &str) -> Result<Self, BadAccountId> {
        if is_token(text) { Ok(Self(text.to_owned())) } else { Err(BadAccountId) }
    }

    /// An account id made of any text, as [`token`] makes one: for what must be filed under some account.
    #[must_use]
    pub fn escaped(text: &str) -> Self {
        Self(token(text))
    }

    /// The id as it stands in subjects and keys.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for AccountId {
    type Error = BadAccountId;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}

impl std::str::FromStr for AccountId {
    type Err = BadAccountId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

impl From<AccountId> for String {
    fn from(account: AccountId) -> Self {
        account.0
    }
}

impl fmt::Display for AccountId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}
