//! The streams the log is made of.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A JetStream stream of Flowtrail. What each holds and keeps is defined in `nats/streams.json`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "&'static str")]
pub enum Stream {
    /// Audit events: who did what.
    Audit,
    /// Network-traffic reports: what talked to what.
    Traffic,
    /// Integrations created, updated, deleted.
    Integration,
    /// Accounts, users and tokens.
    Access,
    /// Names for ids: peers, users, policies, resources.
    Directory,
    /// Saved searches created, updated, deleted.
    Search,
    /// What the streamer did.
    Delivery,
    /// What could not be projected or delivered, and why.
    DeadLetter,
}

/// No stream of Flowtrail has this name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no stream of flowtrail")]
pub struct UnknownStream(String);

impl Stream {
    /// Every stream, in the order of the subject table.
    pub const ALL: [Self; 8] = [
        Self::Audit,
        Self::Traffic,
        Self::Integration,
        Self::Access,
        Self::Directory,
        Self::Search,
        Self::Delivery,
        Self::DeadLetter,
    ];

    /// The name in JetStream.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Audit => "FLOWTRAIL_AUDIT",
            Self::Traffic => "FLOWTRAIL_TRAFFIC",
            Self::Integration => "FLOWTRAIL_INTEGRATION",
            Self::Access => "FLOWTRAIL_ACCESS",
            Self::Directory => "FLOWTRAIL_DIRECTORY",
            Self::Search => "FLOWTRAIL_SEARCH",
            Self::Delivery => "FLOWTRAIL_DELIVERY",
            Self::DeadLetter => "FLOWTRAIL_DEAD_LETTER",
        }
    }

    /// The subject token after `flowtrail.v1.` that leads to this stream.
    #[must_use]
    pub const fn family(self) -> &'static str {
        match self {
            Self::Audit => "audit",
            Self::Traffic => "traffic",
            Self::Integration => "integration",
            Self::Access => "access",
            Self::Directory => "directory",
            Self::Search => "search",
            Self::Delivery => "delivery",
            Self::DeadLetter => "dead_letter",
        }
    }
}

impl TryFrom<String> for Stream {
    type Error = UnknownStream;

    fn try_from(name: String) -> Result<Self, Self::Error> {
        name.parse()
    }
}

impl std::str::FromStr for Stream {
    type Err = UnknownStream;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let known = Self::ALL.into_iter().find(|stream| stream.name() == name);
        known.ok_or_else(|| UnknownStream(name.to_owned()))
    }
}

impl From<Stream> for &'static str {
    fn from(stream: Stream) -> Self {
        stream.name()
    }
}

impl fmt::Display for Stream {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}
