//! Which views there are, what they read, and how an event gets into one.

use std::fmt;

use model::event::Event;
use model::log::{AccountId, Position, Stream};
use segments::Schema;
use serde::{Deserialize, Serialize};

use crate::store::Batch;
use crate::{Error, access, audit, directory, integrations, traffic};

/// A view.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum View {
    /// Audit events, newest first.
    Audit,
    /// Traffic records, newest first.
    Traffic,
    /// Integrations as they are now.
    Integrations,
    /// Accounts, users and tokens as they are now.
    Access,
    /// Names for ids as they are now.
    Directory,
}

/// One event of the log on its way into a view.
#[derive(Clone, Debug)]
pub struct Logged<'a> {
    /// The account of its subject.
    pub account: &'a AccountId,
    /// Where its message stands.
    pub position: Position,
    /// The event.
    pub event: Event,
}

/// Why a view does not take an event in.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// It becomes a dead letter, with this text as its reason.
    #[error("{0}")]
    DeadLetter(String),
    /// The view itself failed; the event is fine.
    #[error(transparent)]
    Failed(#[from] Error),
}

impl From<sled::Error> for Refused {
    fn from(error: sled::Error) -> Self {
        Self::Failed(error.into())
    }
}

impl View {
    /// Every view, in the order of their slots.
    pub const ALL: [Self; 5] = [Self::Audit, Self::Traffic, Self::Integrations, Self::Access, Self::Directory];

    /// Its name in subjects, directories and on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Audit => "audit",
            Self::Traffic => "traffic",
            Self::Integrations => "integrations",
            Self::Access => "access",
            Self::Directory => "directory",
        }
    }

    /// The streams it is computed from. Several only where it does not matter how they interleave.
    #[must_use]
    pub const fn streams(self) -> &'static [Stream] {
        match self {
            Self::Audit => &[Stream::Audit, Stream::Integration, Stream::Access],
            Self::Traffic => &[Stream::Traffic],
            Self::Integrations => &[Stream::Integration],
            Self::Access => &[Stream::Access],
            Self::Directory => &[Stream::Directory],
        }
    }

    /// The columns of its rows, where it has any.
    pub(crate) const fn schema(self) -> Schema {
        match self {
            Self::Audit => audit::SCHEMA,
            Self::Traffic => traffic::SCHEMA,
            Self::Integrations | Self::Access | Self::Directory => {
                Schema { symbols: &[], searched: &[], filtered: &[], texts: 0 }
            }
        }
    }

    /// Whether this view takes the log's unreadable messages of `stream` for its own, so that each becomes one
    /// dead letter however many views read the stream.
    #[must_use]
    pub fn owns_dead_letters_of(self, stream: Stream) -> bool {
        self.streams().first() == Some(&stream)
    }

    /// The stream that this view forgets with, after days: what came from it goes from the view as it goes from the log.
    #[must_use]
    pub fn forgets_with(self) -> Option<Stream> {
        match self {
            Self::Audit => Some(Stream::Audit),
            Self::Traffic => Some(Stream::Traffic),
            Self::Integrations | Self::Access | Self::Directory => None,
        }
    }

    /// Says of a row, by its id in the table, whether it is from another stream than the one that the view forgets
    /// with; none where no row is.
    pub(crate) fn stays(self) -> Option<fn(&[u8]) -> bool> {
        match self {
            Self::Audit => Some(audit::stays),
            Self::Traffic | Self::Integrations | Self::Access | Self::Directory => None,
        }
    }

    /// Takes one event in.
    ///
    /// # Errors
    /// When the event is none that the view can take, or the view's storage fails.
    pub fn project(self, batch: &mut Batch, logged: Logged<'_>) -> Result<(), Refused> {
        match self {
            Self::Audit => audit::project(batch, logged),
            Self::Traffic => traffic::project(batch, logged),
            Self::Integrations => integrations::project(batch, logged),
            Self::Access => access::project(batch, logged),
            Self::Directory => directory::project(batch, logged),
        }
    }
}

impl std::str::FromStr for View {
    type Err = UnknownView;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|view| view.name() == text).ok_or(UnknownView)
    }
}

/// The text names no view.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no such view; there are audit, traffic, integrations, access, directory")]
pub struct UnknownView;

impl fmt::Display for View {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}
