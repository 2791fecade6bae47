//! Lists of rows that are ordered by time: how their keys are made, how a page is cut, how they are counted.
//!
//! Keys sort by time and id; lists are newest first, so they are walked backwards.

use std::ops::Bound;

use model::log::AccountId;
use model::paging::{Page, Period, RowPosition, Rows, Start};
use model::time::Timestamp;
use serde::de::DeserializeOwned;

use crate::store::Store;
use crate::{Error, key};

/// The kind of row keys.
pub(crate) const ROW: u8 = b'r';
/// The kind of the key that holds how many rows an account has.
pub(crate) const COUNT: u8 = b'n';

/// The key of a row: its time, then what orders equal times.
pub(crate) fn row_key(account: &AccountId, time: Timestamp, id: &[u8]) -> Vec<u8> {
    key::key(account, ROW, &[&time.to_sortable(), id])
}

/// A list: which rows it may hold and how a row is read and judged.
pub(crate) struct List<'a, T> {
    pub(crate) store: &'a Store,
    pub(crate) account: &'a AccountId,
    pub(crate) period: Period,
    /// Whether every row in the period is wanted.
    pub(crate) wants_all: bool,
    pub(crate) wants: &'a dyn Fn(&T) -> bool,
    pub(crate) position: &'a dyn Fn(&T) -> RowPosition,
    /// How a position's id stands in keys.
    pub(crate) id_in_key: &'a dyn Fn(&str) -> Vec<u8>,
}

impl<T: DeserializeOwned> List<'_, T> {
    /// One page and the exact total.
    pub(crate) fn page(&self, page: &Page) -> Result<Rows<T>, Error> {
        if self.wants_all { self.page_of_all(page) } else { self.page_of_some(page) }
    }

    /// Nothing is filtered: rows outside the page need not be read.
    fn page_of_all(&self, page: &Page) -> Result<Rows<T>, Error> {
        let total = if self.period.is_open() {
            self.store.row(&key::prefix(self.account, COUNT))?.unwrap_or_default()
        } else {
            self.range(None).keys().try_fold(0_u64, |count, key| key.map(|_| count + 1))?
        };
        let (skip, after) = match &page.start {
            Start::Offset(offset) => (*offset, None),
            Start::After(position) => (0, Some(position)),
        };
        let mut rows = Vec::new();
        let mut has_more = false;
        if skip < total {
            let skip = usize::try_from(skip).unwrap_or(usize::MAX);
            for entry in self.range(after).rev().skip(skip) {
                let (_, value) = entry?;
                if rows.len() == page.limit {
                    has_more = true;
                    break;
                }
                rows.push(postcard::from_bytes(&value)?);
            }
        }
        Ok(self.rows(rows, total, has_more))
    }

    /// Every row in the period is judged, because the total is exact.
    fn page_of_some(&self, page: &Page) -> Result<Rows<T>, Error> {
        let (skip, after) = match &page.start {
            Start::Offset(offset) => (*offset, None),
            Start::After(position) => (0, Some(row_key(self.account, position.time, &(self.id_in_key)(&position.id)))),
        };
        let mut rows = Vec::new();
        let mut total = 0_u64;
        let mut behind = 0_u64;
        for entry in self.range(None).rev() {
            let (key, value) = entry?;
            let row: T = postcard::from_bytes(&value)?;
            if !(self.wants)(&row) {
                continue;
            }
            total += 1;
            let is_before = after.as_ref().is_some_and(|after| *key >= **after);
            if is_before {
                continue;
            }
            behind += 1;
            if behind > skip && rows.len() < page.limit {
                rows.push(row);
            }
        }
        let has_more = behind.saturating_sub(skip) > rows.len() as u64;
        Ok(self.rows(rows, total, has_more))
    }

    fn rows(&self, rows: Vec<T>, total: u64, has_more: bool) -> Rows<T> {
        let next = rows.last().filter(|_| has_more).map(self.position);
        Rows { rows, total, next }
    }

    /// The rows of the period, oldest first; those before `after` in the list, which are newer, left out.
    fn range(&self, after: Option<&RowPosition>) -> sled::Iter {
        let prefix = key::prefix(self.account, ROW);
        let from = match self.period.from {
            Some(from) => [prefix.as_slice(), &from.to_sortable()].concat(),
            None => prefix.clone(),
        };
        let mut to = match self.period.to {
            // Both ends are inside, so the range ends before the next microsecond.
            Some(to) => next_instant(&prefix, to),
            None => key::end_of(&prefix),
        };
        if let Some(after) = after {
            to = to.min(row_key(self.account, after.time, &(self.id_in_key)(&after.id)));
        }
        // sled panics on a range that ends before it starts.
        let to = to.max(from.clone());
        self.store.range((Bound::Included(from), Bound::Excluded(to)))
    }
}

fn next_instant(prefix: &[u8], time: Timestamp) -> Vec<u8> {
    let next = u64::from_be_bytes(time.to_sortable()).saturating_add(1);
    [prefix, &next.to_be_bytes()].concat()
}
