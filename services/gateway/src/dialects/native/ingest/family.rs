//! The two families of events that are published over HTTP.

use model::log::{AccountId, Subject};
use model::{audit, traffic};

/// The last part of the subject that these events are published on, and the source of those that name none.
pub(super) const SOURCE: &str = "http";

/// Which events a request brings: its path says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Family {
    Audit,
    Traffic,
}

impl Family {
    pub(super) fn subject(self, account: &AccountId) -> Subject {
        match self {
            Self::Audit => Subject::audit(account, SOURCE),
            Self::Traffic => Subject::traffic(account, SOURCE),
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Audit => "audit",
            Self::Traffic => "traffic",
        }
    }

    /// The CloudEvents type of its events, which plain ones are given.
    pub(super) fn kind(self) -> &'static str {
        match self {
            Self::Audit => audit::RECORDED,
            Self::Traffic => traffic::REPORTED,
        }
    }
}
