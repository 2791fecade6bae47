//! Changes to tables: collected, prepared, written by the caller in one batch with whatever belongs to them, and
//! then published.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::Error;
use crate::memory::Lease;
use crate::pending::{Forgetting, Pending, Spot};
use crate::pieces::Change;
use crate::row::{NewRow, Row};
use crate::tables::Tables;
use crate::update::Update;

/// Collects changes. Reads through it see its own.
#[derive(Debug)]
pub struct Writer {
    tables: Arc<Tables>,
    pending: BTreeMap<Vec<u8>, Pending>,
    mark: u64,
}

/// What a writer found under an id, and where: what [`Writer::put`] replaces.
#[derive(Debug)]
pub struct Found {
    /// The row, when there is one.
    pub row: Option<Row>,
    spot: Option<Spot>,
}

/// Changes that are on their way to disk. Until they are published or given up, readers wait for what they miss of segments
/// that go.
#[derive(Debug, Default)]
pub struct Prepared {
    changes: Vec<Change>,
    updates: Vec<(Lease, Update)>,
}

impl Writer {
    pub(crate) fn new(tables: Arc<Tables>) -> Self {
        Self { tables, pending: BTreeMap::new(), mark: 0 }
    }

    /// Marks the segments that are sealed by this writer, by a number that never goes down from writer to writer: no
    /// row in them was written later. What is marked with less can be forgotten.
    pub fn mark(&mut self, mark: u64) {
        self.mark = mark;
    }

    /// Drops the rows of those segments of a table whose mark is below `mark`, but for those that `stays`, where it is
    /// given, says yes to by their ids: they are never asked about again. Rows that are not sealed stay.
    ///
    /// A table that has no such segment is not read. While a [`crate::Scan`] of the table goes on, nothing is dropped.
    ///
    /// # Errors
    /// When the storage fails or is damaged.
    pub fn forget(&mut self, table: &[u8], mark: u64, stays: Option<fn(&[u8]) -> bool>) -> Result<(), Error> {
        if self.tables.manifest(table)?.lowest_mark >= mark {
            return Ok(());
        }
        let tables = self.tables.clone();
        self.pending(table)?.forget(&tables.schema, tables.options.seal_rows, Forgetting { mark, stays })
    }

    /// Looks an id up, among committed rows and the writer's own.
    ///
    /// # Errors
    /// When the storage fails or is damaged.
    pub fn find(&mut self, table: &[u8], id: &[u8]) -> Result<Found, Error> {
        let schema = self.tables.schema;
        match self.pending(table)?.find(&schema, id)? {
            Some((row, spot)) => Ok(Found { row: Some(row), spot: Some(spot) }),
            None => Ok(Found { row: None, spot: None }),
        }
    }

    /// Writes a row in the place of what was found under its id.
    ///
    /// # Errors
    /// When the storage fails or is damaged, or the row is too large.
    pub fn put(&mut self, table: &[u8], found: &Found, row: NewRow<'_>) -> Result<(), Error> {
        let schema = self.tables.schema;
        self.pending(table)?.put(&schema, row, found.spot.as_ref())
    }

    /// Whether rows of a table will be sealed when the changes are made ready: so many are not sealed yet.
    #[must_use]
    pub fn fills_a_segment(&self) -> bool {
        self.pending.values().any(|pending| pending.is_full(&self.tables.options))
    }

    /// Makes the changes ready to be written.
    ///
    /// # Errors
    /// When the storage fails or is damaged.
    pub fn prepare(self) -> Result<Prepared, Error> {
        let Self { tables, pending, mark } = self;
        let mut prepared = Prepared::default();
        for pending in pending.into_values() {
            let (table, mut update) = pending.prepare(&tables.schema, &tables.options, mark)?;
            prepared.changes.append(&mut update.changes);
            prepared.updates.push((table, update));
        }
        Ok(prepared)
    }

    fn pending(&mut self, table: &[u8]) -> Result<&mut Pending, Error> {
        if !self.pending.contains_key(table) {
            self.pending.insert(table.to_vec(), Pending::new(self.tables.get(table)?, &self.tables.schema));
        }
        self.pending.get_mut(table).ok_or(Error::Damaged("a table"))
    }
}

impl Prepared {
    /// What is to be written to the tree. Given once.
    pub fn changes(&mut self) -> impl Iterator<Item = Change> {
        std::mem::take(&mut self.changes).into_iter()
    }

    /// Makes the changes visible. To be called once they are written, and only then.
    pub fn publish(self) {
        // A table may leave memory as soon as its changes are visible: what is read again then has them too.
        for (table, update) in self.updates {
            table.publish(update);
        }
    }
}
