//! Why something about an integration is refused.

/// Why a command is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Rejected {
    /// There is no such integration (any more).
    #[error("event streaming integration not found")]
    NotFound,
    /// The id is in use or was; ids are never used twice.
    #[error("the id is taken")]
    Taken,
    /// A part of the configuration is wrong.
    #[error("config.{key}: {problem}")]
    Config {
        /// The key, as the platform's table in docs/delivery.md names it.
        key: String,
        /// What is wrong with it.
        problem: String,
    },
}

impl Rejected {
    pub(super) fn config(key: &str, problem: impl Into<String>) -> Self {
        Self::Config { key: key.to_owned(), problem: problem.into() }
    }
}
