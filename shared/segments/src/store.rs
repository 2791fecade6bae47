//! The store: tables in one sled tree.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use parking_lot::{Mutex, RwLock};

use crate::cache::Cache;
use crate::part::Part;
use crate::predicate::Resolver;
use crate::segment::{Segment, Source};
use crate::table::Table;
use crate::writer::Writer;
use crate::{Error, Page, Predicate, Row, Rows, Schema, Symbol, list, statistics};

/// How a store is laid out. What is written with some options is read with the same.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Rows of a segment.
    pub seal_rows: usize,
    /// The newest rows that are never sealed, so that those who come late find their place before it is.
    pub keep_rows: usize,
    /// Symbols that a table's dictionaries may hold before a new epoch begins.
    pub epoch_symbols: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self { seal_rows: 1 << 16, keep_rows: 1 << 14, epoch_symbols: 1 << 18 }
    }
}

/// Tables of rows with the same columns. Cheap to clone.
///
/// There is one [`Writer`] at a time, which the caller sees to; readers are free.
#[derive(Clone, Debug)]
pub struct Store(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    tree: sled::Tree,
    schema: Schema,
    options: Options,
    cache: Arc<Cache>,
    tables: Mutex<HashMap<Vec<u8>, Arc<Slot>>>,
}

/// A table once it was read. Whoever reads it locks it, so that others who ask for it wait, and only for this one.
type Slot = RwLock<Option<Arc<Table>>>;

impl Drop for Inner {
    fn drop(&mut self) {
        let tables = self.tables.get_mut().values().filter_map(|slot| Some(slot.read().as_ref()?.source.table));
        self.cache.forget(&tables.collect::<Vec<u64>>());
    }
}

impl Store {
    /// A store in `tree`, whose other keys it leaves alone. Tables are read when they are first asked for.
    #[must_use]
    pub fn new(tree: sled::Tree, cache: Arc<Cache>, schema: Schema, options: Options) -> Self {
        Self(Arc::new(Inner { tree, schema, options, cache, tables: Mutex::default() }))
    }

    /// Starts a set of changes. They are visible once they are prepared, written to the tree and published.
    #[must_use]
    pub fn writer(&self) -> Writer {
        Writer::new(self.clone())
    }

    /// One page of a table, newest first, and how many rows match on all pages together.
    ///
    /// `period` is the first and the last time in it.
    ///
    /// # Errors
    /// When the storage fails or is damaged.
    pub fn list(
        &self,
        table: &[u8],
        predicate: &Predicate,
        period: (Option<i64>, Option<i64>),
        page: &Page,
    ) -> Result<Rows, Error> {
        self.read(table, |table| list::list(self, table, &list::Query { predicate, period }, page))
    }

    /// Whether a table is in memory, so that the next question about it does not wait for that.
    #[must_use]
    pub fn is_read(&self, table: &[u8]) -> bool {
        let slot = self.0.tables.lock().get(table).cloned();
        slot.is_some_and(|slot| slot.try_read().is_some_and(|table| table.is_some()))
    }

    /// How many rows may have to be looked at for a list over a period: all of the parts that reach into it.
    ///
    /// # Errors
    /// When the storage fails or is damaged.
    pub fn rows_around(&self, table: &[u8], period: (Option<i64>, Option<i64>)) -> Result<u64, Error> {
        let (from, to) = (period.0.unwrap_or(i64::MIN), period.1.unwrap_or(i64::MAX));
        let reaches_in = |part: &&Part| {
            let (first, last) = part.span();
            first <= to && from <= last
        };
        let table = self.table(table)?;
        let state = table.state.read();
        Ok(state.parts().filter(reaches_in).map(|part| part.len() as u64).sum())
    }

    /// The row with an id.
    ///
    /// # Errors
    /// When the storage fails or is damaged.
    pub fn by_id(&self, table: &[u8], id: &[u8]) -> Result<Option<Row>, Error> {
        self.read(table, |table| table.by_id(self.schema(), id))
    }

    /// How many rows match for each value of a column, the most frequent first.
    ///
    /// # Errors
    /// When the storage fails or is damaged.
    pub fn count_by_value(
        &self,
        table: &[u8],
        predicate: &Predicate,
        period: (Option<i64>, Option<i64>),
        column: usize,
    ) -> Result<Vec<(Symbol, u64)>, Error> {
        self.read(table, |table| statistics::by_value(self, table, &list::Query { predicate, period }, column))
    }

    /// How many rows match in each stretch of `width` of time, by its start, in order; empty stretches left out.
    ///
    /// # Errors
    /// When the storage fails or is damaged.
    pub fn count_by_time(
        &self,
        table: &[u8],
        predicate: &Predicate,
        period: (Option<i64>, Option<i64>),
        width: std::num::NonZeroU64,
    ) -> Result<Vec<(i64, u64)>, Error> {
        let width = i64::try_from(width.get()).unwrap_or(i64::MAX);
        self.read(table, |table| statistics::by_time(self, table, &list::Query { predicate, period }, width))
    }

    /// Reads the times and the columns that most filters look at into the cache, of at most so many segments, the newest
    /// first, as long as three quarters of it are not taken: so that the first who asks does not wait for them. Looks at
    /// tables that were asked for before. Says whether there is more to read.
    ///
    /// # Errors
    /// When the storage fails or is damaged.
    pub fn read_ahead(&self, segments: usize) -> Result<bool, Error> {
        let columns = self.schema().filtered;
        let slots: Vec<Arc<Slot>> = self.0.tables.lock().values().cloned().collect();
        let mut left = segments;
        for table in slots.iter().filter_map(|slot| slot.read().clone()) {
            let parts = table.state.read().segments.clone();
            let is_missing = |segment: &&Segment| !segment.is_read(columns);
            for segment in parts.iter().rev().filter_map(Part::segment).filter(is_missing) {
                if left == 0 {
                    return Ok(true);
                }
                left -= 1;
                if !segment.read_ahead(columns)? {
                    return Ok(false);
                }
            }
        }
        Ok(false)
    }

    /// Reads a table; once more when what was being read is gone because its segment was written anew.
    fn read<T>(&self, table: &[u8], read: impl Fn(&Table) -> Result<T, Error>) -> Result<T, Error> {
        let table = self.table(table)?;
        loop {
            let before = table.state.read().removals;
            match read(&table) {
                Err(Error::Damaged(_)) if table.state.read().removals != before => {}
                done => return done,
            }
        }
    }

    pub(crate) fn schema(&self) -> &Schema {
        &self.0.schema
    }

    pub(crate) fn options(&self) -> &Options {
        &self.0.options
    }

    pub(crate) fn table(&self, prefix: &[u8]) -> Result<Arc<Table>, Error> {
        let slot = self.slot(prefix);
        if let Some(table) = &*slot.read() {
            return Ok(table.clone());
        }
        let mut slot = slot.write();
        if let Some(table) = &*slot {
            return Ok(table.clone());
        }
        let source = Source {
            tree: self.0.tree.clone(),
            cache: self.0.cache.clone(),
            table: self.0.cache.next_table(),
            prefix: prefix.into(),
        };
        let table = Arc::new(Table::load(source, &self.0.schema, &self.0.options)?);
        *slot = Some(table.clone());
        Ok(table)
    }

    fn slot(&self, prefix: &[u8]) -> Arc<Slot> {
        let mut tables = self.0.tables.lock();
        if let Some(slot) = tables.get(prefix) {
            return slot.clone();
        }
        tables.entry(prefix.to_vec()).or_default().clone()
    }

    /// A predicate in the codes of a table's epochs.
    pub(crate) fn snapshot(&self, table: &Table, predicate: &Predicate) -> Result<list::Snapshot, Error> {
        let (parts, live_epoch, live) = {
            let state = table.state.read();
            let resolved = Resolver::new(self.schema(), &state.dictionaries).resolve(predicate);
            (state.parts().cloned().collect::<Vec<_>>(), state.dictionaries.epoch, resolved)
        };
        let mut resolved = HashMap::from([(live_epoch, live)]);
        for part in &parts {
            if let Entry::Vacant(vacant) = resolved.entry(part.epoch()) {
                let dictionaries = table.old_dictionaries(self.schema(), part.epoch())?;
                vacant.insert(Resolver::new(self.schema(), &dictionaries).resolve(predicate));
            }
        }
        Ok(list::Snapshot { parts, resolved })
    }
}
