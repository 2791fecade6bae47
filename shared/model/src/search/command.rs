//! Commands about saved searches as they are sent to the write side.

use serde::{Deserialize, Serialize};

use super::asker::Asker;
use super::current::Current;
use super::definition::{Change, Definition};
use crate::command::Command;
use crate::log::AccountId;

/// Makes a saved search. Done: its id and state.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CreateSearch {
    /// From the token; never from a body or a parameter.
    pub account: AccountId,
    /// Who makes it, and owns it from then on.
    pub asker: Asker,
    /// What it asks.
    pub search: Definition,
}

/// Changes a saved search. Done: its id and state.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct UpdateSearch {
    /// From the token; never from a body or a parameter.
    pub account: AccountId,
    /// Who changes it.
    pub asker: Asker,
    /// Unique in its account, never used again.
    pub id: String,
    /// What to change.
    pub change: Change,
}

/// Removes a saved search.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct DeleteSearch {
    /// From the token; never from a body or a parameter.
    pub account: AccountId,
    /// Who removes it.
    pub asker: Asker,
    /// Unique in its account, never used again.
    pub id: String,
}

/// A saved search with its id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdentifiedSearch {
    /// Unique in its account, never used again.
    pub id: String,
    /// How it is now.
    pub current: Current,
}

impl Command for CreateSearch {
    type Done = IdentifiedSearch;
    const PATH: &'static str = "search.create";
}

impl Command for UpdateSearch {
    type Done = IdentifiedSearch;
    const PATH: &'static str = "search.update";
}

impl Command for DeleteSearch {
    type Done = ();
    const PATH: &'static str = "search.delete";
}
