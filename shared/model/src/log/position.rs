//! A position in the log, in the form clients see it: `<stream>:<sequence>`.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::stream::Stream;

/// The place of one message in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct LogPosition {
    /// The stream that holds the message.
    pub stream: Stream,
    /// The stream sequence; the first message has 1, and 0 stands before it.
    pub sequence: u64,
}

/// The text is no position.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a position looks like FLOWTRAIL_AUDIT:42")]
pub struct BadPosition;

impl std::str::FromStr for LogPosition {
    type Err = BadPosition;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (stream, sequence) = text.trim().split_once(':').ok_or(BadPosition)?;
        Ok(Self {
            stream: stream.parse().map_err(|_| BadPosition)?,
            sequence: sequence.parse().map_err(|_| BadPosition)?,
        })
    }
}

impl fmt::Display for LogPosition {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}", self.stream, self.sequence)
    }
}
