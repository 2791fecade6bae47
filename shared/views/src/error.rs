//! Why a view has no answer or takes nothing in.

/// Why a question has no answer.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The storage failed.
    #[error("the view's storage failed")]
    Storage(#[from] sled::Error),
    /// A stored row cannot be read: the view is damaged or was written by another version.
    #[error("a row of the view cannot be read")]
    Row(#[from] postcard::Error),
    /// What is stored in columns is not what was written.
    #[error("{0} of the view is damaged")]
    Damaged(&'static str),
    /// What is to be written is longer than the columns can hold.
    #[error("{0} of the view is too large to be stored")]
    TooLarge(&'static str),
    /// The disk is too full to write more; what is there can be read.
    #[error("the disk is full: {} MiB are left", free >> 20)]
    Full {
        /// Bytes that are left.
        free: u64,
    },
    /// A file or directory of the view cannot be read or written.
    #[error("the view's directory failed")]
    Directory(#[from] std::io::Error),
    /// The process is shutting down.
    #[error("the view is closing")]
    Closing,
}

impl Error {
    /// Whether what is stored is not what was written, so that the view must be computed again from the log.
    #[must_use]
    pub fn is_damage(&self) -> bool {
        match self {
            Self::Storage(sled::Error::Corruption { .. }) | Self::Row(_) | Self::Damaged(_) => true,
            Self::Storage(_) | Self::TooLarge(_) | Self::Full { .. } | Self::Directory(_) | Self::Closing => false,
        }
    }

    /// Whether the storage takes nothing more, though it can be read: what failed once to write, as on a disk that
    /// others have filled, sled does not try again.
    #[must_use]
    pub fn is_lasting(&self) -> bool {
        match self {
            Self::Storage(_) => !self.is_damage(),
            Self::Row(_)
            | Self::Damaged(_)
            | Self::TooLarge(_)
            | Self::Full { .. }
            | Self::Directory(_)
            | Self::Closing => false,
        }
    }
}

impl From<segments::Error> for Error {
    fn from(error: segments::Error) -> Self {
        match error {
            segments::Error::Storage(error) => Self::Storage(error),
            segments::Error::Damaged(what) => Self::Damaged(what),
            segments::Error::TooLarge(what) => Self::TooLarge(what),
        }
    }
}
