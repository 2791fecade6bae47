//! A command that is not carried out.

use bus::LoadError;
use model::command::Refusal;
use runtime::telemetry::chain;
use tracing::error;

/// A command that is not carried out, in words for its sender.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refused {
    pub(crate) why: Refusal,
    pub(crate) message: String,
}

impl Refused {
    pub(crate) fn new(why: Refusal, message: impl Into<String>) -> Self {
        Self { why, message: message.into() }
    }

    /// A failure of ours: what it is goes to the log, not to the sender.
    pub(crate) fn internal(failure: &dyn std::error::Error) -> Self {
        error!(error = %chain(failure), "a command cannot be carried out");
        Self::new(Refusal::Internal, "internal error")
    }

    pub(crate) fn unavailable() -> Self {
        Self::new(Refusal::Unavailable, "the log cannot be reached, try again later")
    }

    pub(crate) fn conflict() -> Self {
        Self::new(Refusal::Conflict, "it was changed by someone else at the same time")
    }
}

impl From<LoadError> for Refused {
    fn from(error: LoadError) -> Self {
        match error {
            LoadError::Unreachable(_) => Self::unavailable(),
            LoadError::Missing { .. } => Self::internal(&error),
        }
    }
}
