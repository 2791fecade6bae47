//! What is said of a view in one place: what it reads, what it forgets, how an event gets into it, how it is dumped.

use std::fmt;
use std::hash::{Hash, Hasher};

use model::json::Json;
use model::log::Stream;
use segments::Row;
use serde::{Serialize, Serializer};

use crate::error::Error;
use crate::logged::{Drafting, Drafts, Logged};
use crate::store::{Batch, Layout, Store};

/// A view, by what it says of itself. Two are the same when their names are.
#[derive(Clone, Copy)]
pub struct View(&'static Facts);

/// What a view says of itself.
pub(crate) struct Facts {
    /// In subjects, directories and on the command line.
    pub(crate) name: &'static str,
    /// What it is computed from. Several streams only where it does not matter how they interleave.
    pub(crate) streams: &'static [Stream],
    /// The streams whose unreadable messages it takes for its own, so that each becomes one dead letter however many
    /// views read the stream.
    pub(crate) owns_dead_letters_of: &'static [Stream],
    /// How its rows are stored and how long they are kept.
    pub(crate) layout: Layout,
    /// Makes rows ahead of projecting, where the view has any in columns.
    pub(crate) draft: Option<Drafting>,
    /// Takes one event in.
    pub(crate) project: fn(&mut Batch, Logged<'_>) -> Result<(), Refused>,
    /// What its canonical form consists of.
    pub(crate) dump: DumpAs,
}

/// What the canonical form of a view consists of.
pub(crate) enum DumpAs {
    /// Its keys in order: of the kind of a key and its value, the row; none for keys that only lead to others.
    Keys(fn(u8, &[u8]) -> Result<Option<Json>, Error>),
    /// Account by account, its rows in columns and what else there is of it.
    Columns(DumpParts),
}

/// What the canonical form of a view with columns is made of.
pub(crate) struct DumpParts {
    /// A row, in the order of lists.
    pub(crate) row: fn(&Row) -> Result<Json, Error>,
    /// Where it stands in the table.
    pub(crate) position: fn(&Row) -> Result<segments::SortKey, Error>,
    /// What comes behind an account's rows.
    pub(crate) others: fn(&Store, &str) -> Result<Vec<Json>, Error>,
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
    /// The view of which these are the facts.
    pub(crate) const fn of(facts: &'static Facts) -> Self {
        Self(facts)
    }

    /// Its name in subjects, directories and on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.0.name
    }

    /// The streams it is computed from. Several only where it does not matter how they interleave.
    #[must_use]
    pub const fn streams(self) -> &'static [Stream] {
        self.0.streams
    }

    /// The streams that are read for it: those, and where it names persons, the one that says who is erased.
    pub fn reads(self) -> impl Iterator<Item = Stream> {
        let erasures = Some(Stream::Access).filter(|stream| self.erases() && !self.streams().contains(stream));
        self.streams().iter().copied().chain(erasures)
    }

    /// Whether persons are erased from it.
    #[must_use]
    pub fn erases(self) -> bool {
        self.0.layout.erase.is_some()
    }

    /// Whether this view takes the log's unreadable messages of `stream` for its own, so that each becomes one
    /// dead letter however many views read the stream.
    #[must_use]
    pub fn owns_dead_letters_of(self, stream: Stream) -> bool {
        self.0.owns_dead_letters_of.contains(&stream)
    }

    /// The stream that this view forgets with, after days: what came from it goes from the view as it goes from the log.
    #[must_use]
    pub fn forgets_with(self) -> Option<Stream> {
        self.0.layout.forgets_with
    }

    /// How its rows are stored and how long they are kept.
    pub(crate) fn layout(self) -> &'static Layout {
        &self.0.layout
    }

    /// What its canonical form consists of.
    pub(crate) fn dump(self) -> &'static DumpAs {
        &self.0.dump
    }

    /// Where rows of events are made ahead; none where the view has nothing to gain by that.
    #[must_use]
    pub fn drafts(self) -> Option<Drafts> {
        self.0.draft.map(|drafting| Drafts::new(drafting, self.layout().schema))
    }

    /// Takes one event in.
    ///
    /// # Errors
    /// When the event is none that the view can take, or the view's storage fails.
    pub fn project(self, batch: &mut Batch, logged: Logged<'_>) -> Result<(), Refused> {
        if self.erases() {
            batch.hear(logged)?;
        }
        (self.0.project)(batch, logged)
    }
}

impl PartialEq for View {
    fn eq(&self, other: &Self) -> bool {
        self.name() == other.name()
    }
}

impl Eq for View {}

impl Hash for View {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name().hash(state);
    }
}

impl fmt::Debug for View {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "View({})", self.name())
    }
}

impl fmt::Display for View {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl Serialize for View {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}
