//! Event-streaming integrations: where an account's events are sent.
//!
//! All rules are in [`Integration::decide`], none in [`Integration::apply`].

mod config;
mod credentials;
mod key;
mod platform;
mod rejected;
mod steering;
mod wanted;
mod web_hook;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use config::{Change, Ciphertext, Config, Patch, Value, seal};
pub use platform::{Platform, Receiver, UnknownPlatform};
pub use rejected::Rejected;
pub use steering::{Order, Origin, ReplayRequested, Steered};
pub use wanted::{Families, Wanted};

use crate::access::Actor;
use crate::reach::Reach;
use crate::time::Timestamp;

/// What happened to an integration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// It was made, under a number that is never used again.
    Created(Created),
    /// Its configuration or state was changed.
    Updated(Updated),
    /// It was removed. Its key is destroyed with it.
    Deleted(Deleted),
    /// Its delivery was stopped until further notice.
    Paused(Steered),
    /// Its delivery goes on.
    Resumed(Steered),
    /// It is to deliver again what it has delivered already.
    ReplayRequested(ReplayRequested),
    /// It is to try its dead letters again.
    RedriveRequested(Steered),
}

/// The `data` of `flowtrail.integration.created.v1`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Created {
    /// Where events go; never changes.
    pub platform: Platform,
    /// How they get there; secrets are sealed.
    pub config: Config,
    /// Whether events are sent.
    pub enabled: bool,
    /// The actor of the audit event that follows from it.
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
    /// The actor of the audit event that follows from it.
    pub by: Actor,
}

/// The `data` of `flowtrail.integration.deleted.v1`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Deleted {
    /// The same as when it was made.
    pub platform: Platform,
    /// The actor of the audit event that follows from it.
    pub by: Actor,
}

/// What someone wants done to an integration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Make it; refused where there is or was one of this number.
    Create {
        /// Where events are to go.
        platform: Platform,
        /// How, secrets sealed already.
        config: Patch<Ciphertext>,
        /// Whether events are to be sent.
        enabled: bool,
    },
    /// Change it; what changes nothing is no event.
    Update {
        /// What to change in the configuration.
        config: Patch<Ciphertext>,
        /// Whether events are to be sent; none: as before.
        enabled: Option<bool>,
    },
    /// Remove it for good.
    Delete,
    /// Steer its delivery; the configuration stays as it is.
    Steer(Order),
}

/// The state of an integration, as its events tell it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Integration {
    /// The log has no event of it.
    #[default]
    Absent,
    /// It was made and not deleted.
    Present(Current),
    /// It was deleted, and no other gets its number.
    Deleted,
}

/// An integration that is there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Current {
    /// Where events go; never changes.
    pub platform: Platform,
    /// The platform's own settings, secrets sealed.
    pub config: Config,
    /// Whether events are sent while nobody has paused them.
    pub enabled: bool,
    /// Whether someone has stopped them until further notice.
    #[serde(default)]
    pub paused: bool,
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
                platform.check_together(&config)?;
                Ok(vec![Event::Created(Created { platform, config, enabled, by })])
            }
            (Self::Present(_) | Self::Deleted, Command::Create { .. }) => Err(Rejected::Taken),
            (Self::Present(current), Command::Update { config, enabled }) => {
                let config = config::merged(&current.config, config)?;
                current.platform.check(&config)?;
                let enabled = enabled.unwrap_or(current.enabled);
                let mut changed = config::changed_keys(&current.config, &config);
                if !changed.is_empty() {
                    current.platform.check_together(&config)?;
                }
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
            (Self::Present(current), Command::Steer(order)) => Ok(current.steer(order, by)),
            (Self::Absent | Self::Deleted, Command::Update { .. } | Command::Delete | Command::Steer(_)) => {
                Err(Rejected::NotFound)
            }
        }
    }

    /// The state after `event`, which happened at `time`.
    pub fn apply(&mut self, event: Event, time: Timestamp) {
        *self = match (std::mem::take(self), event) {
            (_, Event::Created(Created { platform, config, enabled, by: _ })) => {
                let (created_at, updated_at) = (time, time);
                Self::Present(Current { platform, config, enabled, paused: false, created_at, updated_at })
            }
            (Self::Present(before), Event::Updated(Updated { config, enabled, .. })) => {
                Self::Present(Current { config, enabled, updated_at: time, ..before })
            }
            (_, Event::Deleted(_)) => Self::Deleted,
            (Self::Present(before), Event::Paused(_)) => Self::Present(Current { paused: true, ..before }),
            (Self::Present(before), Event::Resumed(_)) => Self::Present(Current { paused: false, ..before }),
            (before, Event::ReplayRequested(_) | Event::RedriveRequested(_)) => before,
            (before @ (Self::Absent | Self::Deleted), Event::Updated(_) | Event::Paused(_) | Event::Resumed(_)) => {
                before
            }
        };
    }
}

impl Current {
    /// To pause what is paused is no event. To resume always is: a delivery that suspended itself is resumed by it,
    /// which nobody sees here.
    fn steer(&self, order: Order, by: Actor) -> Vec<Event> {
        let platform = self.platform;
        match order {
            Order::Pause if self.paused => Vec::new(),
            Order::Pause => vec![Event::Paused(Steered { platform, by })],
            Order::Resume => vec![Event::Resumed(Steered { platform, by })],
            Order::Replay(from) => vec![Event::ReplayRequested(ReplayRequested { platform, from, by })],
            Order::Redrive => vec![Event::RedriveRequested(Steered { platform, by })],
        }
    }
}

impl Event {
    /// The receivers that the event is the first to name, where they may be reached. What was named before is not asked for
    /// again: that is done on every connection.
    ///
    /// # Errors
    /// The first that may not be reached, by its form or its address alone.
    pub fn named_receivers(&self, reach: &Reach) -> Result<Vec<Receiver>, Rejected> {
        match self {
            Self::Created(Created { platform, config, .. }) => platform.receivers(config, reach),
            Self::Updated(Updated { platform, config, changed, .. }) => {
                // Whether a connection is encrypted belongs to the address.
                let is_named = |key: &String| changed.contains(key) || changed.iter().any(|changed| changed == "tls");
                let named = config.iter().filter(|(key, _)| *key == "tls" || is_named(key));
                platform.receivers(&named.map(|(key, value)| (key.clone(), value.clone())).collect(), reach)
            }
            Self::Deleted(_)
            | Self::Paused(_)
            | Self::Resumed(_)
            | Self::ReplayRequested(_)
            | Self::RedriveRequested(_) => Ok(Vec::new()),
        }
    }

    /// The CloudEvents type.
    #[must_use]
    pub const fn event_type(&self) -> &'static str {
        match self {
            Self::Created(_) => CREATED,
            Self::Updated(_) => UPDATED,
            Self::Deleted(_) => DELETED,
            Self::Paused(_) => PAUSED,
            Self::Resumed(_) => RESUMED,
            Self::ReplayRequested(_) => REPLAY_REQUESTED,
            Self::RedriveRequested(_) => REDRIVE_REQUESTED,
        }
    }
}

/// The CloudEvents type of [`Created`].
pub const CREATED: &str = "flowtrail.integration.created.v1";
/// The CloudEvents type of [`Updated`].
pub const UPDATED: &str = "flowtrail.integration.updated.v1";
/// The CloudEvents type of [`Deleted`].
pub const DELETED: &str = "flowtrail.integration.deleted.v1";
/// The CloudEvents type of a [`Steered`] that stops delivery.
pub const PAUSED: &str = "flowtrail.integration.paused.v1";
/// The CloudEvents type of a [`Steered`] that lets delivery go on.
pub const RESUMED: &str = "flowtrail.integration.resumed.v1";
/// The CloudEvents type of [`ReplayRequested`].
pub const REPLAY_REQUESTED: &str = "flowtrail.integration.replay_requested.v1";
/// The CloudEvents type of a [`Steered`] that asks for dead letters to be tried again.
pub const REDRIVE_REQUESTED: &str = "flowtrail.integration.redrive_requested.v1";

impl Serialize for Event {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Created(data) => data.serialize(serializer),
            Self::Updated(data) => data.serialize(serializer),
            Self::Deleted(data) => data.serialize(serializer),
            Self::Paused(data) | Self::Resumed(data) | Self::RedriveRequested(data) => data.serialize(serializer),
            Self::ReplayRequested(data) => data.serialize(serializer),
        }
    }
}

/// An integration event with what its envelope and subject say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// The CloudEvent's id, which the audit event that follows from it has too.
    pub event_id: String,
    /// The CloudEvent's time, else when the log received it.
    pub time: Timestamp,
    /// The integration's number in its account.
    pub id: u64,
    /// What was done to it.
    pub event: Event,
}

#[cfg(test)]
mod tests;
