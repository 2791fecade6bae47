//! A command that is not carried out.

use bus::LoadError;
use model::command::Reason;
use runtime::telemetry::chain;
use tracing::error;

/// Why a command is not carried out, in words for its sender. On the bus it is a [`bus::Refusal`] with the reason's code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) reason: Reason,
    pub(crate) message: String,
}

impl Refusal {
    pub(crate) fn new(reason: Reason, message: impl Into<String>) -> Self {
        Self { reason, message: message.into() }
    }

    /// A failure of ours: what it is goes to the log, not to the sender.
    pub(crate) fn internal(failure: &dyn std::error::Error) -> Self {
        error!(error = %chain(failure), "a command cannot be carried out");
        Self::new(Reason::Internal, "internal error")
    }

    pub(crate) fn unavailable() -> Self {
        Self::new(Reason::Unavailable, "the log cannot be reached, try again later")
    }

    /// The log takes nothing new.
    pub(crate) fn log_full() -> Self {
        Self::new(Reason::LogFull, "the log is full, try again once there is room")
    }

    pub(crate) fn conflict() -> Self {
        Self::new(Reason::Conflict, "it was changed by someone else at the same time")
    }
}

impl From<Refusal> for bus::Refusal {
    fn from(Refusal { reason, message }: Refusal) -> Self {
        Self { code: reason.code(), message }
    }
}

impl From<LoadError> for Refusal {
    fn from(error: LoadError) -> Self {
        match error {
            LoadError::Unreachable(_) => Self::unavailable(),
            LoadError::Missing { .. } => Self::internal(&error),
        }
    }
}
