//! What the audit and traffic views have in common: rows in columns, asked for by filter and page.

use std::collections::HashMap;
use std::num::{NonZeroU32, NonZeroU64};
use std::sync::Arc;

use model::log::AccountId;
use model::paging::{Page, Period, RowPosition, Start};
use model::time::Timestamp;
use segments::{Predicate, SortKey, TimeRange};
use serde::{Deserialize, Serialize};

use super::family::{Effort, Family};
use crate::error::Error;
use crate::key::table;
use crate::question::Views;
use crate::store::Store;

const MICROS_PER_SECOND: NonZeroU64 = NonZeroU64::new(1_000_000).unwrap();

/// Whether a list takes little time: a short page of an account whose table is in memory, and few rows to look at.
pub(crate) fn answers_inline<F: Family>(views: &Views, account: &AccountId, filter: &F::Filter, page: &Page) -> bool {
    /// Rows of a page, each of which may be in a block that has to be read.
    const MAX_PAGE_ROWS: usize = 100;
    /// Rows whose columns are looked at: those of four segments.
    const MAX_SCANNED_ROWS: u64 = 1 << 18;
    let max_rows = match F::effort(filter) {
        Effort::Counting => u64::MAX,
        Effort::Looking => MAX_SCANNED_ROWS,
        Effort::Searching => return false,
    };
    let store = views.slot(F::VIEW).store();
    let rows = store.rows().rows_around(&table(account), micros(F::period(filter)));
    page.limit <= MAX_PAGE_ROWS && rows.is_some_and(|rows| rows <= max_rows)
}

/// Where a row of a family stands in the table.
pub(crate) fn position_of<F: Family>(row: &segments::Row) -> Result<SortKey, Error> {
    let RowPosition { time, id } = F::position(row)?;
    Ok(SortKey { time: time.micros(), id: F::id_in_table(&id) })
}

/// The rows of an account that a filter lets through.
pub(crate) struct Selected {
    store: Arc<Store>,
    table: Vec<u8>,
    predicate: Predicate,
    period: TimeRange,
}

impl Selected {
    /// The account's rows that `filter` wants.
    pub(crate) fn of<F: Family>(views: &Views, account: &AccountId, filter: &F::Filter) -> Result<Self, Error> {
        let predicate = F::predicate(views, account, filter)?;
        let store = views.slot(F::VIEW).store();
        Ok(Self { store, table: table(account), predicate, period: micros(F::period(filter)) })
    }

    /// One page of them, newest first.
    ///
    /// `id_in_table` says how the id of a position stands in the table.
    pub(crate) fn list(&self, page: &Page, id_in_table: impl Fn(&str) -> Vec<u8>) -> Result<segments::Rows, Error> {
        let start = match &page.start {
            Start::Offset(offset) => segments::Start::Offset(*offset),
            Start::After(RowPosition { time, id }) => {
                segments::Start::After(SortKey { time: time.micros(), id: id_in_table(id) })
            }
        };
        let page = segments::Page { start, limit: page.limit };
        Ok(self.store.rows().list(&self.table, &self.predicate, self.period, &page)?)
    }

    /// How many there are by what `name` makes of a column's values, the most frequent first.
    pub(crate) fn count_by_value(
        &self,
        column: usize,
        name: impl Fn(&[u8]) -> Result<String, Error>,
    ) -> Result<Vec<(String, u64)>, Error> {
        let mut counts: HashMap<String, u64> = HashMap::new();
        for (symbol, count) in self.store.rows().count_by_value(&self.table, &self.predicate, self.period, column)? {
            *counts.entry(name(&symbol)?).or_default() += count;
        }
        let mut counts: Vec<(String, u64)> = counts.into_iter().collect();
        counts.sort_by(|(name, count), (other, others)| others.cmp(count).then_with(|| name.cmp(other)));
        Ok(counts)
    }

    /// How many there are in each stretch of so many seconds, by its start; empty stretches left out.
    pub(crate) fn count_by_time(&self, seconds: NonZeroU32) -> Result<Vec<(Timestamp, u64)>, Error> {
        let width = NonZeroU64::from(seconds).saturating_mul(MICROS_PER_SECOND);
        let counts = self.store.rows().count_by_time(&self.table, &self.predicate, self.period, width)?;
        // A stretch that starts before the first time that can be written is named by that.
        let start = |micros: i64| Timestamp::from_micros(micros).unwrap_or(Timestamp::FIRST);
        Ok(counts.into_iter().map(|(micros, count)| (start(micros), count)).collect())
    }
}

/// A period in the column store's terms.
fn micros(period: Period) -> TimeRange {
    TimeRange { from: period.from.map(Timestamp::micros), to: period.to.map(Timestamp::micros) }
}

/// Writes a value behind others, as a symbol; gives its end.
pub(crate) fn write<T: Serialize + ?Sized>(value: &T, buffer: Vec<u8>) -> Result<Vec<u8>, Error> {
    Ok(postcard::to_extend(value, buffer)?)
}

/// Reads what [`write`] wrote.
pub(crate) fn read<'a, T: Deserialize<'a>>(symbol: &'a [u8]) -> Result<T, Error> {
    Ok(postcard::from_bytes(symbol)?)
}
