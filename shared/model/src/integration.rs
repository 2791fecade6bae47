//! Event-streaming integrations: where an account's events are sent.
//!
//! All rules are in [`Integration::decide`], none in [`Integration::apply`].

mod config;
mod platform;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use config::{Change, Config, Patch, Sealed, Value, seal, shown};
pub use platform::{Platform, UnknownPlatform};

use crate::access::Actor;
use crate::time::Timestamp;

/// What happened to an integration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// It was made.
    Created(Created),
    /// Its configuration or state was changed.
    Updated(Updated),
    /// It was removed. Its key is destroyed with it.
    Deleted(Deleted),
}

/// The `data` of `flowtrail.integration.created.v1`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Created {
    /// Where events go.
    pub platform: Platform,
    /// How they get there; secrets are sealed.
    pub config: Config,
    /// Whether events are sent.
    pub enabled: bool,
    /// Who did it.
    pub by: Actor,
}

/// The `data` of `flowtrail.integration.updated.v1`: the state after the change, whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Updated {
    /// Where events go; never changes.
    pub platform: Platform,
    /// The whole configuration after the change.
    pub config: Config,
    /// Whether events are sent, after the change.
    pub enabled: bool,
    /// What changed: configuration keys, and `enabled`.
    pub changed: Vec<String>,
    /// Who did it.
    pub by: Actor,
}

/// The `data` of `flowtrail.integration.deleted.v1`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Deleted {
    /// Where events went.
    pub platform: Platform,
    /// Who did it.
    pub by: Actor,
}

/// What someone wants done to an integration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Make it.
    Create {
        /// Where events shall go.
        platform: Platform,
        /// How, secrets sealed already.
        config: Patch<Sealed>,
        /// Whether events shall be sent.
        enabled: bool,
    },
    /// Change it.
    Update {
        /// What to change in the configuration.
        config: Patch<Sealed>,
        /// Whether events shall be sent; none: as before.
        enabled: Option<bool>,
    },
    /// Remove it.
    Delete,
}

/// Why a command is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Rejected {
    /// There is no such integration (any more).
    #[error("event streaming integration not found")]
    NotFound,
    /// The id is in use or was; ids are never used twice.
    #[error("the id is taken")]
    Taken,
    /// A part of the configuration is wrong.
    #[error("config.{key}: {problem}")]
    Config {
        /// Which key.
        key: String,
        /// What is wrong with it.
        problem: String,
    },
}

impl Rejected {
    fn config(key: &str, problem: impl Into<String>) -> Self {
        Self::Config { key: key.to_owned(), problem: problem.into() }
    }
}

/// The state of an integration, as its events tell it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Integration {
    /// Nothing happened yet.
    #[default]
    Absent,
    /// It is there.
    Present(Current),
    /// It was there.
    Deleted,
}

/// An integration that is there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Current {
    /// Where events go.
    pub platform: Platform,
    /// How.
    pub config: Config,
    /// Whether they do.
    pub enabled: bool,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

impl Integration {
    /// The events that a command leads to; none when it changes nothing.
    ///
    /// # Errors
    /// When a rule forbids it: nothing happens then.
    pub fn decide(&self, command: Command, by: Actor) -> Result<Vec<Event>, Rejected> {
        match (self, command) {
            (Self::Absent, Command::Create { platform, config, enabled }) => {
                let config = config::first(config)?;
                platform.check(&config)?;
                Ok(vec![Event::Created(Created { platform, config, enabled, by })])
            }
            (Self::Present(_) | Self::Deleted, Command::Create { .. }) => Err(Rejected::Taken),
            (Self::Present(current), Command::Update { config, enabled }) => {
                let config = config::merged(&current.config, config)?;
                current.platform.check(&config)?;
                let enabled = enabled.unwrap_or(current.enabled);
                let mut changed = config::changed_keys(&current.config, &config);
                if enabled != current.enabled {
                    changed.push("enabled".to_owned());
                }
                if changed.is_empty() {
                    return Ok(Vec::new());
                }
                Ok(vec![Event::Updated(Updated { platform: current.platform, config, enabled, changed, by })])
            }
            (Self::Present(current), Command::Delete) => {
                Ok(vec![Event::Deleted(Deleted { platform: current.platform, by })])
            }
            (Self::Absent | Self::Deleted, Command::Update { .. } | Command::Delete) => Err(Rejected::NotFound),
        }
    }

    /// The state after `event`, which happened at `time`.
    pub fn apply(&mut self, event: Event, time: Timestamp) {
        *self = match (std::mem::take(self), event) {
            (_, Event::Created(Created { platform, config, enabled, by: _ })) => {
                Self::Present(Current { platform, config, enabled, created_at: time, updated_at: time })
            }
            (Self::Present(before), Event::Updated(Updated { config, enabled, .. })) => {
                Self::Present(Current { config, enabled, updated_at: time, ..before })
            }
            (before @ (Self::Absent | Self::Deleted), Event::Updated(_)) => before,
            (_, Event::Deleted(_)) => Self::Deleted,
        };
    }
}

impl Event {
    /// The CloudEvents type.
    #[must_use]
    pub const fn event_type(&self) -> &'static str {
        match self {
            Self::Created(_) => CREATED,
            Self::Updated(_) => UPDATED,
            Self::Deleted(_) => DELETED,
        }
    }
}

/// The CloudEvents type of [`Created`].
pub const CREATED: &str = "flowtrail.integration.created.v1";
/// The CloudEvents type of [`Updated`].
pub const UPDATED: &str = "flowtrail.integration.updated.v1";
/// The CloudEvents type of [`Deleted`].
pub const DELETED: &str = "flowtrail.integration.deleted.v1";

impl Serialize for Event {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Created(data) => data.serialize(serializer),
            Self::Updated(data) => data.serialize(serializer),
            Self::Deleted(data) => data.serialize(serializer),
        }
    }
}

/// An integration event with what its envelope and subject say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// The event id.
    pub event_id: String,
    /// When it happened.
    pub time: Timestamp,
    /// Which integration.
    pub id: u64,
    /// What happened.
    pub event: Event,
}

#[cfg(test)]
mod tests;
