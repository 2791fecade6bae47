//! What a table says of itself on disk.

use serde::{Deserialize, Serialize};

use crate::Error;
use crate::dictionary::Epochs;
use crate::frame;
use crate::key::{Kind, key};

const WHAT: &str = "a table's manifest";

/// What a table says of itself on disk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Manifest {
    /// The epochs of the open dictionaries, which new rows use; none where all are the first.
    pub(crate) epochs: Vec<u32>,
    /// The next segment's number. Numbers are never used again, so nothing cached can be mistaken.
    pub(crate) next_segment: u32,
    /// The lowest mark of its segments. It tells, without reading the table, whether there is anything to forget.
    pub(crate) lowest_mark: u64,
}

impl Manifest {
    /// Of a table without segments.
    const EMPTY: Self = Self { epochs: Vec::new(), next_segment: 0, lowest_mark: u64::MAX };

    pub(crate) fn load(tree: &sled::Tree, table: &[u8]) -> Result<Self, Error> {
        match tree.get(key(table, Kind::Manifest, &[]))? {
            Some(value) => postcard::from_bytes(&frame::open(&value, WHAT)?).map_err(|_| Error::Damaged(WHAT)),
            None => Ok(Self::EMPTY),
        }
    }

    /// The epochs of so many open dictionaries.
    pub(crate) fn epochs(&self, dictionaries: usize) -> Result<Epochs, Error> {
        match self.epochs.len() {
            0 => Ok(vec![0; dictionaries].into()),
            known if known == dictionaries => Ok(self.epochs.as_slice().into()),
            _ => Err(Error::Damaged(WHAT)),
        }
    }

    pub(crate) fn encode(&self) -> Result<Vec<u8>, Error> {
        frame::close(&postcard::to_stdvec(self).map_err(|_| Error::Damaged(WHAT))?, WHAT)
    }
}
