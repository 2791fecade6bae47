//! What the audit and traffic views have in common: rows in columns, asked for by filter and page.

use std::sync::Arc;

use model::filter::Query;
use model::log::AccountId;
use model::paging::{Judged, Order, Page, Period, RowPosition, Start};
use model::time::Timestamp;
use segments::{Condition, Matching, Predicate, Row, Scan, SortKey, TimeRange};
use serde::{Deserialize, Serialize};

use super::bounds::{self, Bounds};
use super::family::{Effort, Family};
use crate::error::Error;
use crate::key::table;
use crate::question::Views;
use crate::store::Store;

/// How many rows that columns leave open are judged for one answer.
pub(crate) const MAX_JUDGED: usize = 20_000;

/// Says of each of some rows whether it matches.
pub(crate) type Judge<'a> = dyn Fn(Vec<Row>) -> Result<Vec<bool>, Error> + 'a;

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
pub(crate) fn position_of<F: Family>(row: &Row) -> Result<SortKey, Error> {
    let RowPosition { time, id } = F::position(row)?;
    Ok(SortKey { time: time.micros(), id: F::id_in_table(&id) })
}

/// Judges rows of an account, as lists show them, by what else they must be.
pub(crate) fn judge<F: Family>(
    views: &Views,
    account: &AccountId,
    query: Option<&Query<F::Language>>,
    rows: Vec<Row>,
) -> Result<Vec<bool>, Error> {
    let shown = F::show(views, account, rows)?;
    let is_wanted = |row| query.map_or(Ok(true), |query| F::wants(query.filter(), row));
    shown.iter().map(is_wanted).collect()
}

/// The rows of an account that a filter lets through.
pub(crate) struct Selected {
    store: Arc<Store>,
    table: Vec<u8>,
    predicate: Predicate,
    /// Where columns leave rows open: those that surely match.
    least: Option<Predicate>,
    period: TimeRange,
}

impl Selected {
    /// The account's rows that `filter` wants, and `query`, where there is one.
    pub(crate) fn asked<F: Family>(
        views: &Views,
        account: &AccountId,
        filter: &F::Filter,
        query: Option<&Query<F::Language>>,
    ) -> Result<Self, Error> {
        let Some(query) = query else { return Self::of::<F>(views, account, filter) };
        let filter = F::beside(filter, query.filter());
        Self::of::<F>(views, account, &filter)?.narrowed::<F>(views, account, query)
    }

    fn of<F: Family>(views: &Views, account: &AccountId, filter: &F::Filter) -> Result<Self, Error> {
        let predicate = F::predicate(views, account, filter)?;
        let store = views.slot(F::VIEW).store();
        Ok(Self { store, table: table(account), predicate, least: None, period: micros(F::period(filter)) })
    }

    /// Those of them that a query wants too.
    fn narrowed<F: Family>(
        mut self,
        views: &Views,
        account: &AccountId,
        query: &Query<F::Language>,
    ) -> Result<Self, Error> {
        let (period, parts) = bounds::without_period(query.filter().root());
        self.period = bounds::common(self.period, period);
        match F::bounds(views, account, &parts)? {
            Bounds::Exact(wanted) => self.predicate = Predicate::All(vec![self.predicate, wanted]),
            Bounds::Between { least, most } => {
                self.least = Some(Predicate::All(vec![self.predicate.clone(), least]));
                self.predicate = Predicate::All(vec![self.predicate, most]);
            }
        }
        Ok(self)
    }

    /// One page of them. Those that columns leave open are judged by `judge`.
    ///
    /// `id_in_table` says how the id of a position stands in the table.
    pub(crate) fn list(
        &self,
        page: &Page,
        id_in_table: impl Fn(&str) -> Vec<u8>,
        judge: &Judge<'_>,
    ) -> Result<Listed, Error> {
        let start = match &page.start {
            Start::Offset(offset) => segments::Start::Offset(*offset),
            Start::After(RowPosition { time, id }) => {
                segments::Start::After(SortKey { time: time.micros(), id: id_in_table(id) })
            }
        };
        let order = match page.order {
            Order::NewestFirst => segments::Order::NewestFirst,
            Order::OldestFirst => segments::Order::OldestFirst,
        };
        let (rows, page) = (self.store.rows(), segments::Page { start, limit: page.limit, order });
        let Some(least) = &self.least else {
            let segments::Rows { rows, total, has_more } =
                rows.list(&self.table, &self.predicate, self.period, &page)?;
            let last = rows.last().filter(|_| has_more).cloned();
            return Ok(Listed { rows, total, last, judged: None });
        };
        let judge = |rows| judge(rows).map_err(unjudged);
        let listed = rows.list_judged(&self.table, &self.bounds(least, &judge), self.period, &page)?;
        let judged = judged(listed.judged, listed.is_complete);
        Ok(Listed { rows: listed.rows, total: listed.total, last: listed.last, judged })
    }

    /// All of them, newest first, and how many rows were looked at for that. Those that columns leave open are judged by
    /// `judge`. None: more than [`MAX_JUDGED`] would have to be looked at.
    pub(crate) fn all(&self, judge: &Judge<'_>) -> Result<Option<(Vec<Row>, u64)>, Error> {
        let mut scan = self.store.rows().scan(&self.table, &self.predicate, self.period)?;
        let (mut all, mut looked_at) = (Vec::new(), 0);
        loop {
            let rows = scan.read()?;
            if rows.is_empty() {
                return Ok(Some((all, looked_at as u64)));
            }
            looked_at += rows.len();
            if looked_at > MAX_JUDGED {
                return Ok(None);
            }
            if self.leaves_rows_open() {
                let matches = judge(rows.clone())?;
                all.extend(rows.into_iter().zip(matches).filter_map(|(row, matches)| matches.then_some(row)));
            } else {
                all.extend(rows);
            }
        }
    }

    /// Counts those of them that stand for what several of them tell of, for what all of these say together. Where there are
    /// more than can be looked at, none is known to, and counts are not complete.
    pub(crate) fn count_once<F: Family, T>(
        &self,
        judge: &Judge<'_>,
        count: impl FnMut(&Matching<'_>) -> Result<T, segments::Error>,
    ) -> Result<T, Error> {
        let all = self.all(judge)?;
        let standing = all.map(|(rows, _)| F::told_once(&rows)).transpose()?.unwrap_or_default();
        let stands = |rows: Vec<Row>| {
            let stands = |row: &Row| Ok(standing.contains_key(&position_of::<F>(row).map_err(unjudged)?.id));
            rows.iter().map(stands).collect()
        };
        let least = Predicate::nothing();
        let bounds = segments::Bounds { instead: Some(&standing), ..self.bounds(&least, &stands) };
        Ok(self.store.rows().count(&self.table, &Condition::Between(bounds), self.period, count)?)
    }

    /// Whether there may be rows among them that have to be judged.
    pub(crate) fn leaves_rows_open(&self) -> bool {
        self.least.is_some()
    }

    /// All of them as they are now, those that have to be judged too; and the store that they are in.
    pub(crate) fn scan(self) -> Result<(Arc<Store>, Scan), Error> {
        let scan = self.store.rows().scan(&self.table, &self.predicate, self.period)?;
        Ok((self.store, scan))
    }

    /// Counts them, as they are at one moment. Those that columns leave open are judged by `judge`.
    pub(crate) fn count<T>(
        &self,
        judge: &Judge<'_>,
        count: impl FnMut(&Matching<'_>) -> Result<T, segments::Error>,
    ) -> Result<T, Error> {
        let judge = |rows| judge(rows).map_err(unjudged);
        let condition = match &self.least {
            None => Condition::Exact(&self.predicate),
            Some(least) => Condition::Between(self.bounds(least, &judge)),
        };
        Ok(self.store.rows().count(&self.table, &condition, self.period, count)?)
    }

    /// The time that they are looked for in.
    pub(crate) fn period(&self) -> TimeRange {
        self.period
    }

    fn bounds<'a>(&'a self, least: &'a Predicate, judge: &'a segments::Judge<'a>) -> segments::Bounds<'a> {
        segments::Bounds { least, most: &self.predicate, judge, max_judged: MAX_JUDGED, instead: None }
    }
}

/// How rows were judged, where that had to be done.
pub(crate) fn judged(scanned: u64, complete: bool) -> Option<Judged> {
    Some(Judged { scanned, complete }).filter(|judged| judged.scanned > 0 || !judged.complete)
}

/// A page of rows.
pub(crate) struct Listed {
    pub(crate) rows: Vec<Row>,
    pub(crate) total: u64,
    /// The row after which the next page starts, where one follows.
    pub(crate) last: Option<Row>,
    pub(crate) judged: Option<Judged>,
}

/// Why rows were not judged, in the column store's terms.
pub(crate) fn unjudged(error: Error) -> segments::Error {
    match error {
        Error::Storage(error) => segments::Error::Storage(error),
        Error::Row(_)
        | Error::Damaged(_)
        | Error::TooLarge(_)
        | Error::Full { .. }
        | Error::Directory(_)
        | Error::Closing => segments::Error::Damaged("a row"),
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
