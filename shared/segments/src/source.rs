//! Where the values of a table are read from.

use std::sync::Arc;

use crate::cache::{TableNumber, ValueCache};
use crate::key::{Kind, key};
use crate::{Error, frame, pieces};

/// Where the values of a table are read from.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    pub(crate) tree: sled::Tree,
    pub(crate) cache: Arc<ValueCache>,
    /// What tells the table from all others in the cache.
    pub(crate) table: TableNumber,
    /// What its keys start with.
    pub(crate) prefix: Arc<[u8]>,
}

impl Source {
    /// A value that was written once, out of its frame. `what` names it for the error.
    pub(crate) fn read(&self, kind: Kind, numbers: &[u32], what: &'static str) -> Result<Vec<u8>, Error> {
        let value = pieces::get(&self.tree, &key(&self.prefix, kind, numbers))?;
        frame::open(&value.ok_or(Error::Damaged(what))?, what)
    }
}
