//! The store: tables in one sled tree.

use std::sync::Arc;

use crate::Error;
use crate::judged::{self, Bounds, JudgedRows};
use crate::list::{self, Page, Rows};
use crate::matching::{Condition, Matching};
use crate::memory::Cache;
use crate::options::Options;
use crate::part::Part;
use crate::predicate::Predicate;
use crate::row::{Row, Schema};
use crate::scan::Scan;
use crate::segment::Segment;
use crate::snapshot::Query;
use crate::tables::Tables;
use crate::time_range::TimeRange;
use crate::writer::Writer;

/// Tables of rows with the same columns. Cheap to clone.
///
/// There is one [`Writer`] at a time, which the caller sees to; readers are free.
#[derive(Clone, Debug)]
pub struct Store(Arc<Tables>);

impl Store {
    /// A store in `tree`, whose other keys it leaves alone. Tables are read when they are first asked for.
    #[must_use]
    pub fn new(tree: sled::Tree, cache: Arc<Cache>, schema: Schema, options: Options) -> Self {
        Self(Arc::new(Tables::new(tree, cache, schema, options)))
    }

    /// Starts a set of changes. They are visible once they are prepared, written to the tree and published.
    #[must_use]
    pub fn writer(&self) -> Writer {
        Writer::new(self.0.clone())
    }

    /// One page of a table, and how many rows match on all pages together.
    ///
    /// # Errors
    /// When the storage fails or is damaged.
    pub fn list(&self, table: &[u8], predicate: &Predicate, range: TimeRange, page: &Page) -> Result<Rows, Error> {
        self.0.read(table, |table| list::list(table, &self.0.schema, &Query { predicate, range }, page))
    }

    /// One page of a table under a condition of which columns know only bounds.
    ///
    /// # Errors
    /// When the storage fails or is damaged, or the rows cannot be judged.
    pub fn list_judged(
        &self,
        table: &[u8],
        bounds: &Bounds<'_>,
        range: TimeRange,
        page: &Page,
    ) -> Result<JudgedRows, Error> {
        self.0.read(table, |table| judged::list(table, &self.0.schema, range, bounds, page))
    }

    /// All rows that match, as the table is now. As long as it goes on, no segment of the table is written again or
    /// forgotten.
    ///
    /// # Errors
    /// When the storage fails or is damaged.
    pub fn scan(&self, table: &[u8], predicate: &Predicate, range: TimeRange) -> Result<Scan, Error> {
        Scan::new(self.0.clone(), table, &Query { predicate, range })
    }

    /// Whether a table is in memory, so that the next question about it does not wait for that.
    #[must_use]
    pub fn is_in_memory(&self, table: &[u8]) -> bool {
        self.0.in_memory(table).is_some()
    }

    /// How many rows may have to be looked at for a list over a range of time: all of the parts that reach into it. None
    /// while the table is not in memory.
    #[must_use]
    pub fn rows_around(&self, table: &[u8], range: TimeRange) -> Option<u64> {
        let table = self.0.in_memory(table)?;
        let state = table.state.read();
        let reaches_in = |part: &&Part| {
            let (first, last) = part.span();
            range.overlaps(first, last)
        };
        Some(state.parts().filter(reaches_in).map(|part| part.len() as u64).sum())
    }

    /// The row with an id.
    ///
    /// # Errors
    /// When the storage fails or is damaged.
    pub fn by_id(&self, table: &[u8], id: &[u8]) -> Result<Option<Row>, Error> {
        self.0.read(table, |table| table.by_id(&self.0.schema, id))
    }

    /// Whether [`Self::by_id`] answers from memory, without reading from disk. It looks at memory alone itself.
    #[must_use]
    pub fn is_ready_for_id(&self, table: &[u8], id: &[u8]) -> bool {
        self.0.in_memory(table).is_some_and(|table| table.is_ready_for_id(id))
    }

    /// Counts rows of a table that match: `count` gets them as they are at one moment. Where they were rewritten before
    /// they were read, it is called again.
    ///
    /// # Errors
    /// When the storage fails or is damaged, or the rows cannot be judged.
    pub fn count<T>(
        &self,
        table: &[u8],
        condition: &Condition<'_>,
        range: TimeRange,
        mut count: impl FnMut(&Matching<'_>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        self.0.read(table, |table| count(&Matching::of(table, &self.0.schema, condition, range)?))
    }

    /// Reads the times and the columns that most filters look at into the cache, of at most so many segments, the newest
    /// first, as long as three quarters of it are not taken: so that the first who asks does not wait for them. Looks at
    /// tables that are in memory. Says whether there is more to read.
    ///
    /// # Errors
    /// When the storage fails or is damaged.
    pub fn read_ahead(&self, segments: usize) -> Result<bool, Error> {
        let columns = self.0.schema.filtered;
        let mut left = segments;
        for table in self.0.all_in_memory() {
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
}
