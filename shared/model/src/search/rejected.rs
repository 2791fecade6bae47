//! Why something about a saved search is refused.

use crate::access::Scope;

/// Why a command is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Rejected {
    /// There is no such search (any more), or none that the asker sees.
    #[error("there is no such search")]
    NotFound,
    /// The id is in use or was; ids are never used twice.
    #[error("the id is taken")]
    Taken,
    /// The asker may not read what it is about.
    #[error("token lacks the scope {0}")]
    MayNotRead(Scope),
    /// It is shared by somebody else.
    #[error("only its owner and an admin of the account may change a shared search")]
    NotTheOwner,
    /// There is no room for one more.
    #[error("{who} has {most} searches, as many as there may be: delete one first")]
    TooMany {
        /// Whose they are.
        who: &'static str,
        /// How many there may be.
        most: usize,
    },
    /// A member is wrong.
    #[error("{field}: {problem}")]
    Field {
        /// Its name in the request.
        field: &'static str,
        /// What is wrong with it.
        problem: String,
    },
}

impl Rejected {
    pub(super) fn field(field: &'static str, problem: impl Into<String>) -> Self {
        Self::Field { field, problem: problem.into() }
    }
}
