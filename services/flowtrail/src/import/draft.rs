//! What every format is mapped to: an event that has everything but its envelope; and why a record is none.

use std::borrow::Cow;

use model::event::Unreadable;
use model::json::BadJson;
use model::time::Timestamp;
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::scan::Uncut;
use super::skipped::Skipped;

/// An event on its way into its envelope.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Draft<'a> {
    /// The event id: the same record has the same id whenever it is imported.
    pub(super) id: String,
    /// When it happened.
    pub(super) time: Option<Timestamp>,
    /// The `data` as JSON text.
    pub(super) data: Cow<'a, str>,
}

/// What a record is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Mapped<'a> {
    /// An event.
    Event(Draft<'a>),
    /// None, and nothing is wrong with that.
    Skipped(Skipped),
}

impl Mapped<'_> {
    /// The same, whatever becomes of the record's text.
    pub(super) fn into_owned(self) -> Mapped<'static> {
        match self {
            Self::Event(Draft { id, time, data }) => {
                Mapped::Event(Draft { id, time, data: Cow::Owned(data.into_owned()) })
            }
            Self::Skipped(why) => Mapped::Skipped(why),
        }
    }
}

#[cfg(test)]
impl<'a> Mapped<'a> {
    /// The event of a record that a test knows to be one.
    pub(super) fn event(self) -> Draft<'a> {
        match self {
            Self::Event(draft) => draft,
            Self::Skipped(why) => panic!("skipped: {why}"),
        }
    }

    /// Why a record was passed over that a test knows to be none.
    pub(super) fn skipped(self) -> Skipped {
        match self {
            Self::Event(draft) => panic!("an event: {draft:?}"),
            Self::Skipped(why) => why,
        }
    }
}

/// Why a record is not imported, in words for the one who has the file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Rejected {
    /// It could not even be cut out of its file.
    #[error(transparent)]
    Uncut(#[from] Uncut),
    /// It is no JSON, or a field does not fit.
    #[error(transparent)]
    Json(#[from] BadJson),
    /// A field is missing or wrong.
    #[error("{field}: {problem}")]
    Field {
        /// Its name in the file.
        field: String,
        /// What is wrong with it.
        problem: String,
    },
    /// Some of it is not for this importer.
    #[error("{0}")]
    Form(&'static str),
    /// The event made of it is none that the log may hold.
    #[error("{}", plain(.0))]
    Unreadable(#[from] Unreadable),
    /// The event made of it is larger than a message of the log may be.
    #[error("{length} bytes long; the log takes {limit}")]
    TooLarge {
        /// Bytes of the event.
        length: usize,
        /// The most that it may have.
        limit: usize,
    },
}

impl Rejected {
    pub(super) fn field(field: impl Into<String>, problem: impl Into<String>) -> Self {
        Self::Field { field: field.into(), problem: problem.into() }
    }

    pub(super) fn missing(field: &str) -> Self {
        Self::field(field, "is missing")
    }
}

/// The model names fields as parts of `data`; in the file they stand at the top.
fn plain(unreadable: &Unreadable) -> String {
    match unreadable {
        Unreadable::Data(bad) => bad.to_string(),
        Unreadable::Rule(problem) => problem.clone(),
        Unreadable::Envelope(_) | Unreadable::Type { .. } | Unreadable::Account(_) => unreadable.to_string(),
    }
}

/// An id for a record that has none of its own: a hash of the format and of the record's text.
pub(super) fn id_of_text(format: &str, text: &str) -> String {
    hash_of([format.as_bytes(), text.as_bytes()])
}

/// SHA-256 over all parts, cut to 32 hexadecimal digits.
pub(super) fn hash_of<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    let mut first_half = [0; 16];
    first_half.copy_from_slice(&hash.finalize()[..16]);
    format!("{:032x}", u128::from_be_bytes(first_half))
}

/// `data` as JSON text.
///
/// # Errors
/// When it cannot be written as JSON.
pub(super) fn to_text(data: &impl Serialize) -> Result<String, Rejected> {
    serde_json::to_string(data).map_err(|error| Rejected::field("document", error.to_string()))
}
