//! Saved searches: what people ask of a family of events again and again, under a name of theirs.
//!
//! All rules are in [`Search::decide`] and [`Roster::admit`], none in what applies events.

mod asker;
mod command;
mod current;
mod definition;
mod rejected;
mod roster;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use asker::Asker;
pub use command::{CreateSearch, DeleteSearch, IdentifiedSearch, UpdateSearch};
pub use current::Current;
pub use definition::{Change, Definition, Family};
pub use rejected::Rejected;
pub use roster::{MAX_OF_ACCOUNT, MAX_OF_OWNER, Roster};

use crate::access::Actor;
use crate::time::Timestamp;

/// What happened to a saved search.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// It was made, and is its maker's.
    Created(Created),
    /// Something about it was changed.
    Updated(Updated),
    /// It was removed.
    Deleted(Deleted),
}

/// The `data` of `flowtrail.search.created.v1`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Created {
    /// What it asks.
    pub search: Definition,
    /// Who made it, and owns it.
    pub by: Actor,
}

/// The `data` of `flowtrail.search.updated.v1`: the search after the change, whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Updated {
    /// All that it asks after the change.
    pub search: Definition,
    /// What changed, by the names of its members.
    pub changed: Vec<String>,
    /// Who changed it.
    pub by: Actor,
}

/// The `data` of `flowtrail.search.deleted.v1`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Deleted {
    /// Who removed it.
    pub by: Actor,
}

/// What someone wants done to a saved search.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Make it.
    Create(Definition),
    /// Change it; what changes nothing is no event.
    Update(Change),
    /// Remove it.
    Delete,
}

/// The state of a saved search, as its events tell it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "one is there at a time, and none is kept")]
pub enum Search {
    /// The log has no event of it.
    #[default]
    Absent,
    /// It was made and not deleted.
    Present(Current),
    /// It was deleted, and no other gets its id.
    Deleted,
}

impl Search {
    /// The event that a command leads to; none when it changes nothing. Relative times are checked against `now`.
    ///
    /// # Errors
    /// When a rule forbids it: nothing happens then.
    pub fn decide(&self, command: Command, asker: &Asker, now: Timestamp) -> Result<Option<Event>, Rejected> {
        let by = asker.actor.clone();
        match (self, command) {
            (Self::Absent, Command::Create(search)) => {
                asker.check_reads(search.family)?;
                search.check(now)?;
                Ok(Some(Event::Created(Created { search, by })))
            }
            (Self::Present(_) | Self::Deleted, Command::Create(_)) => Err(Rejected::Taken),
            (Self::Present(current), Command::Update(change)) => {
                current.admit(asker)?;
                let (search, changed) = current.definition.with(change)?;
                if changed.is_empty() {
                    return Ok(None);
                }
                search.check(now)?;
                Ok(Some(Event::Updated(Updated { search, changed, by })))
            }
            (Self::Present(current), Command::Delete) => {
                current.admit(asker)?;
                Ok(Some(Event::Deleted(Deleted { by })))
            }
            (Self::Absent | Self::Deleted, Command::Update(_) | Command::Delete) => Err(Rejected::NotFound),
        }
    }

    /// The state after `event`, which happened at `time`.
    pub fn apply(&mut self, event: Event, time: Timestamp) {
        *self = match (std::mem::take(self), event) {
            (_, Event::Created(Created { search, by })) => {
                Self::Present(Current { definition: search, owner: by, created_at: time, updated_at: time })
            }
            (Self::Present(before), Event::Updated(Updated { search, changed: _, by: _ })) => {
                Self::Present(Current { definition: search, updated_at: time, ..before })
            }
            (_, Event::Deleted(_)) => Self::Deleted,
            (before @ (Self::Absent | Self::Deleted), Event::Updated(_)) => before,
        };
    }
}

/// The CloudEvents type of [`Created`].
pub const CREATED: &str = "flowtrail.search.created.v1";
/// The CloudEvents type of [`Updated`].
pub const UPDATED: &str = "flowtrail.search.updated.v1";
/// The CloudEvents type of [`Deleted`].
pub const DELETED: &str = "flowtrail.search.deleted.v1";

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

impl Serialize for Event {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Created(data) => data.serialize(serializer),
            Self::Updated(data) => data.serialize(serializer),
            Self::Deleted(data) => data.serialize(serializer),
        }
    }
}

/// An event of a saved search with what its envelope and subject say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// The CloudEvent's time, else when the log received it.
    pub time: Timestamp,
    /// The search's id in its account.
    pub id: String,
    /// What was done to it.
    pub event: Event,
}

#[cfg(test)]
mod tests;
