//! All rows that match, as they were at one moment, newest first and some at a time.
//!
//! Parts never change, and while a scan holds on to them no segment goes: so what is read an hour later is still of the
//! moment when it began.

use std::sync::Arc;

use crate::Error;
use crate::memory::Lease;
use crate::merge::{Matched, Merge};
use crate::order::Order;
use crate::removal::Hold;
use crate::row::Row;
use crate::snapshot::{Query, Stretch, stretches};
use crate::tables::Tables;

/// So many rows are read together.
const READ_TOGETHER: usize = 512;

/// The rows of a table that match. Made by [`crate::Store::scan`].
#[derive(Debug)]
pub struct Scan {
    tables: Arc<Tables>,
    table: Lease,
    merge: Merge,
    hold: Hold,
}

impl Scan {
    pub(crate) fn new(tables: Arc<Tables>, name: &[u8], query: &Query<'_>) -> Result<Self, Error> {
        let table = tables.get(name)?;
        // Before it is looked at which segments there are.
        let hold = table.removal.hold();
        let order = Order::NewestFirst;
        let parts: Vec<Matched> = stretches(&table, &tables.schema, query)?
            .into_iter()
            .map(|Stretch { part, wanted, range }| Matched::new(part, wanted, range, order))
            .collect();
        Ok(Self { tables, table, merge: Merge::new(parts, order), hold })
    }

    /// Whether it could go on, if it were asked now.
    #[must_use]
    pub fn is_held(&self) -> bool {
        self.hold.lasts()
    }

    /// Whether it can go on: minutes after it was last asked, it may not.
    #[must_use]
    pub fn renew(&self) -> bool {
        self.hold.renew()
    }

    /// The next rows, some hundreds at most; none at the end.
    ///
    /// # Errors
    /// When the storage fails or is damaged.
    pub fn read(&mut self) -> Result<Vec<Row>, Error> {
        let places = self.merge.take(READ_TOGETHER)?;
        self.table.read(&self.tables.schema, &places)
    }
}
