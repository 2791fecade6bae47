//! Who asks for saved searches, and what they may.

use serde::{Deserialize, Serialize};

use super::definition::Family;
use super::rejected::Rejected;
use crate::access::{Actor, Scope, Scopes};

/// Someone who looks at searches, or wants something done to one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asker {
    /// The user, or the token without one.
    pub actor: Actor,
    /// What their token allows.
    pub scopes: Scopes,
}

impl Asker {
    /// Whether they may read events of a family, and so see searches about them.
    #[must_use]
    pub(super) fn reads(&self, family: Family) -> bool {
        self.scopes.allow(family.scope())
    }

    pub(super) fn check_reads(&self, family: Family) -> Result<(), Rejected> {
        if self.reads(family) { Ok(()) } else { Err(Rejected::MayNotRead(family.scope())) }
    }

    /// Whether they may change what others share.
    pub(super) fn is_admin(&self) -> bool {
        self.scopes.allow(Scope::Admin)
    }
}
