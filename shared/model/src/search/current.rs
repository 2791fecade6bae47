//! A saved search that is there, and who sees and changes it.

use serde::{Deserialize, Serialize};

use super::asker::Asker;
use super::definition::Definition;
use super::rejected::Rejected;
use crate::access::Actor;
use crate::time::Timestamp;

/// A saved search that is there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Current {
    /// What it asks.
    pub definition: Definition,
    /// Who made it.
    pub owner: Actor,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

impl Current {
    /// Whether someone sees it: its owner, and when it is shared others, as long as they may read what it is about.
    #[must_use]
    pub fn is_seen_by(&self, asker: &Asker) -> bool {
        asker.reads(self.definition.family) && (self.definition.shared || asker.actor.id == self.owner.id)
    }

    /// Refuses who may not change it. What someone does not see, they are told, is not there.
    pub(super) fn admit(&self, asker: &Asker) -> Result<(), Rejected> {
        if !self.is_seen_by(asker) {
            return Err(Rejected::NotFound);
        }
        if asker.actor.id == self.owner.id || asker.is_admin() { Ok(()) } else { Err(Rejected::NotTheOwner) }
    }
}
