//! Who does something: as events remember them, and as a token makes them known.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::scope::Scopes;
use crate::log::AccountId;
use crate::time::Timestamp;

/// Who did something, as events remember it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Actor {
    /// The user's id, `token:<id>` for a token without a user, or `system`.
    pub id: String,
    /// Their name, where known.
    pub name: Option<String>,
    /// Their e-mail address, where known.
    pub email: Option<String>,
}

impl Actor {
    /// Flowtrail itself; `sys` is also what NetBird calls it.
    #[must_use]
    pub fn system() -> Self {
        Self { id: "sys".to_owned(), name: None, email: None }
    }
}

/// Whoever a valid token stands for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Principal {
    /// The only account they can see.
    pub account: AccountId,
    /// The token they came with, by its id; none: it was another issuer's.
    pub token_id: Option<String>,
    /// What they may do.
    pub scopes: Scopes,
    /// When the token ends.
    pub expires_at: Option<Timestamp>,
    /// As whom their deeds are recorded.
    pub actor: Actor,
}

/// Whom a token stands or stood for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Bearer {
    /// It is there. Whether its time is over is decided where the time is known.
    Current(Principal),
    /// It was deleted, or its user was.
    Former {
        /// The account it was of.
        account: AccountId,
        /// The id that the deleted token had.
        token_id: String,
        /// As whom its deeds were recorded, as far as that is still known.
        actor: Actor,
    },
}
