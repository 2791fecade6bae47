//! Why the store has no answer.

/// Why the store has no answer, or does not take a change.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The storage failed.
    #[error("the storage failed")]
    Storage(#[from] sled::Error),
    /// A stored value is not what was written, or is missing.
    #[error("{0} is damaged")]
    Damaged(&'static str),
    /// What is to be written is longer than its place on disk has numbers for: a value of more than 1 GiB, or more rows
    /// or symbols than 32 bits count. Rows of usual lengths are sealed long before.
    #[error("{0} is too large to be stored")]
    TooLarge(&'static str),
}
