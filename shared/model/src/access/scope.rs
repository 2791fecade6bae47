//! What a token allows.

use std::collections::BTreeSet;
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One thing that a token can allow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum Scope {
    /// Read audit events, in all dialects.
    #[serde(rename = "audit:read")]
    AuditRead,
    /// Read traffic records and count them.
    #[serde(rename = "traffic:read")]
    TrafficRead,
    /// See integrations and how their delivery stands; secrets are masked.
    #[serde(rename = "integrations:read")]
    IntegrationsRead,
    /// Create, change and delete integrations.
    #[serde(rename = "integrations:write")]
    IntegrationsWrite,
    /// Publish events over HTTP.
    #[serde(rename = "events:write")]
    EventsWrite,
    /// Everything that any scope allows, and what none does.
    #[serde(rename = "admin")]
    Admin,
}

/// The text is no scope.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "scopes: {0:?} is none of audit:read, traffic:read, integrations:read, integrations:write, events:write, admin"
)]
pub struct UnknownScope(String);

impl Scope {
    /// In the order in which errors list them.
    pub const ALL: [Self; 6] = [
        Self::AuditRead,
        Self::TrafficRead,
        Self::IntegrationsRead,
        Self::IntegrationsWrite,
        Self::EventsWrite,
        Self::Admin,
    ];

    /// What a new user may do where nothing else is said: look, and change nothing.
    pub const USUAL: [Self; 3] = [Self::AuditRead, Self::TrafficRead, Self::IntegrationsRead];

    /// The name by which tokens and the API know it, such as `audit:read`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::AuditRead => "audit:read",
            Self::TrafficRead => "traffic:read",
            Self::IntegrationsRead => "integrations:read",
            Self::IntegrationsWrite => "integrations:write",
            Self::EventsWrite => "events:write",
            Self::Admin => "admin",
        }
    }
}

impl std::str::FromStr for Scope {
    type Err = UnknownScope;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|scope| scope.name() == text).ok_or_else(|| UnknownScope(text.to_owned()))
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// What a token, or a user, may do altogether.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Scopes(BTreeSet<Scope>);

impl Scopes {
    /// Whether `scope` is allowed; `admin` allows everything.
    #[must_use]
    pub fn allow(&self, scope: Scope) -> bool {
        self.0.contains(&scope) || self.0.contains(&Scope::Admin)
    }

    /// What both allow; where one has `admin`, all that the other has.
    #[must_use]
    pub fn within(&self, other: &Self) -> Self {
        Scope::ALL.into_iter().filter(|scope| self.allow(*scope) && other.allow(*scope)).collect()
    }

    /// Whether nothing is allowed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Display for Scopes {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.0.iter().map(|scope| scope.name()).collect();
        formatter.write_str(&names.join(" "))
    }
}

impl FromIterator<Scope> for Scopes {
    fn from_iter<I: IntoIterator<Item = Scope>>(scopes: I) -> Self {
        Self(scopes.into_iter().collect())
    }
}
