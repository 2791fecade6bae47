//! Lists under a condition of which columns know only bounds: the rows between these are read and judged one by one.
//!
//! Invariant: for one answer no more rows are judged than it may cost, and an answer for which there were more says so.

use std::collections::HashMap;
use std::ops::Range;

use roaring::RoaringBitmap;

use crate::Error;
use crate::list::{Page, SortKey, Start, page_of, rows_after, rows_up_to};
use crate::merge::{Matched, merge};
use crate::order::Order;
use crate::part::Part;
use crate::predicate::{Predicate, Resolved, any};
use crate::row::{Row, RowNumber, Schema};
use crate::snapshot::{OfPart, Stretch, resolved_parts};
use crate::table::Table;
use crate::time_range::TimeRange;

/// So many rows are read and judged together.
const JUDGED_TOGETHER: usize = 512;

/// Says of each of some rows whether it matches.
pub type Judge<'a> = dyn Fn(Vec<Row>) -> Result<Vec<bool>, Error> + 'a;

/// A condition of which columns know only bounds.
#[derive(Clone, Copy)]
pub struct Bounds<'a> {
    /// The rows that surely match.
    pub least: &'a Predicate,
    /// The rows that may match.
    pub most: &'a Predicate,
    /// Judges those that may match and do not surely.
    pub judge: &'a Judge<'a>,
    /// At most so many are judged for an answer.
    pub max_judged: usize,
    /// What rows count for that do not count for their own numbers: by id, those of each column. Counts alone ask for it.
    pub instead: Option<&'a Instead>,
}

/// Numbers of rows, by their ids: one of each column.
pub type Instead = HashMap<Vec<u8>, Box<[u64]>>;

/// One page of a list for which rows were judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JudgedRows {
    /// The rows, in the order of the page. There may be fewer than the page has room for although more follow.
    pub rows: Vec<Row>,
    /// How many rows match on all pages together; where not all were judged, at least so many do.
    pub total: u64,
    /// The row after which the next page starts, where one follows. It need not be one that matches.
    pub last: Option<Row>,
    /// How many rows were judged.
    pub judged: u64,
    /// Whether all were that had to be.
    pub is_complete: bool,
}

/// What is known of a part.
struct Between {
    part: Part,
    /// The rows in the range of time.
    range: Range<usize>,
    least: Resolved,
    /// The rows that have to be judged.
    open: Resolved,
}

/// Rows that were judged to match, by their part: a chunk or a segment, of which each has numbers of its own.
type Matching = HashMap<(bool, u32), RoaringBitmap>;

/// One page, and the total as far as it is known.
pub(crate) fn list(
    table: &Table,
    schema: &Schema,
    range: TimeRange,
    bounds: &Bounds<'_>,
    page: &Page,
) -> Result<JudgedRows, Error> {
    let mut list = Judging::new(table, schema, range, bounds, page.order)?;
    let is_complete = list.is_complete(bounds)?;
    // Where all can be judged, the total tells of them all; where not, what stands before the page is not looked at again.
    let stopped = list.judge(bounds, Some(page).filter(|_| !is_complete))?;

    let stop = stopped.as_ref().map(sort_key).transpose()?;
    let listed = page_of(table, schema, list.found(stop.as_ref())?, page)?;
    let total = if is_complete { listed.total } else { list.known()? };
    let last = match stopped {
        _ if listed.has_more => listed.rows.last().cloned(),
        Some(place) => table.read(schema, &[place])?.pop(),
        None => None,
    };
    Ok(JudgedRows { rows: listed.rows, total, last, judged: list.judged, is_complete })
}

/// The rows that match, as far as they were judged.
pub(crate) struct Found {
    pub(crate) stretches: Vec<Stretch>,
    /// How many rows were judged.
    pub(crate) judged: u64,
    /// Whether all were that had to be.
    pub(crate) is_complete: bool,
}

/// All rows that match, wherever they would stand in a list.
pub(crate) fn find(table: &Table, schema: &Schema, range: TimeRange, bounds: &Bounds<'_>) -> Result<Found, Error> {
    let mut judging = Judging::new(table, schema, range, bounds, Order::NewestFirst)?;
    let is_complete = judging.is_complete(bounds)?;
    judging.judge(bounds, None)?;
    Ok(Found { stretches: judging.found(None)?, judged: judging.judged, is_complete })
}

/// A list as far as its rows were judged.
struct Judging<'a> {
    table: &'a Table,
    schema: &'a Schema,
    /// In which rows are judged.
    order: Order,
    parts: Vec<Between>,
    matching: Matching,
    judged: u64,
}

impl<'a> Judging<'a> {
    /// None was judged yet.
    fn new(
        table: &'a Table,
        schema: &'a Schema,
        range: TimeRange,
        bounds: &Bounds<'_>,
        order: Order,
    ) -> Result<Self, Error> {
        let open = Predicate::All(vec![bounds.most.clone(), Predicate::Not(Box::new(bounds.least.clone()))]);
        let parts = resolved_parts(table, schema, [bounds.least, &open], range)?;
        let between = |(part, [least, open], range): OfPart<2>| Between { part, range, least, open };
        let parts = parts.into_iter().map(between).collect();
        Ok(Self { table, schema, order, parts, matching: Matching::new(), judged: 0 })
    }

    /// Whether all rows can be judged that have to be.
    fn is_complete(&self, bounds: &Bounds<'_>) -> Result<bool, Error> {
        let mut to_judge = 0;
        for between in &self.parts {
            to_judge += between.part.count(&between.open, between.range.clone())?;
        }
        Ok(to_judge <= bounds.max_judged as u64)
    }

    /// Judges rows in their order: as many as may be, or from the start of a page on as many as it takes to fill that. Gives
    /// the last one where some behind it may be left.
    fn judge(&mut self, bounds: &Bounds<'_>, page: Option<&Page>) -> Result<Option<(Part, usize)>, Error> {
        let start = page.and_then(position);
        let mut open = Vec::new();
        for Between { part, range, open: wanted, .. } in &self.parts {
            let range = self.rows_between(part, range, start, None)?;
            if !range.is_empty() && !matches!(wanted, Resolved::Never) {
                open.push(Matched::new(part.clone(), wanted.clone(), range, self.order));
            }
        }
        let places = merge(open, self.order, 0, bounds.max_judged)?;
        for places in places.chunks(JUDGED_TOGETHER) {
            let rows = self.table.read(self.schema, places)?;
            for ((part, row), matches) in places.iter().zip((bounds.judge)(rows)?) {
                if matches {
                    self.matching.entry(name(part)).or_default().insert(RowNumber::new(*row)?.bits());
                }
            }
            self.judged += places.len() as u64;
            if let (Some(page), Some(last)) = (page, places.last())
                && self.is_filled(page, &sort_key(last)?)?
            {
                return Ok(Some(last.clone()));
            }
        }
        let may_be_left = page.is_some() && places.len() == bounds.max_judged;
        Ok(places.last().filter(|_| may_be_left).cloned())
    }

    /// How many rows are known to match, wherever they are.
    fn known(&self) -> Result<u64, Error> {
        let mut known = self.matching.values().map(RoaringBitmap::len).sum::<u64>();
        for between in &self.parts {
            known += between.part.count(&between.least, between.range.clone())?;
        }
        Ok(known)
    }

    /// Whether the rows up to a place are more than a page has room for.
    fn is_filled(&self, page: &Page, stop: &SortKey) -> Result<bool, Error> {
        let skip = match &page.start {
            Start::Offset(offset) => *offset,
            Start::After(_) => 0,
        };
        let mut found = 0;
        for Stretch { part, wanted, range } in self.found(Some(stop))? {
            found += part.count(&wanted, self.rows_between(&part, &range, position(page), None)?)?;
        }
        Ok(found > skip.saturating_add(page.limit as u64))
    }

    /// The rows that match, as far as that is known: up to a place, or all.
    fn found(&self, stop: Option<&SortKey>) -> Result<Vec<Stretch>, Error> {
        let mut found = Vec::new();
        for Between { part, range, least, .. } in &self.parts {
            let judged = self.matching.get(&name(part)).map(|rows| Resolved::Rows(rows.clone().into()));
            let wanted = any([least.clone()].into_iter().chain(judged));
            let range = self.rows_between(part, range, None, stop)?;
            if !range.is_empty() && !matches!(wanted, Resolved::Never) {
                found.push(Stretch { part: part.clone(), wanted, range });
            }
        }
        Ok(found)
    }

    /// The rows of a range that come after `start` in the list, and up to `stop`.
    fn rows_between(
        &self,
        part: &Part,
        range: &Range<usize>,
        start: Option<&SortKey>,
        stop: Option<&SortKey>,
    ) -> Result<Range<usize>, Error> {
        let mut range = range.clone();
        if let Some(start) = start {
            range = rows_after(part, &range, self.order, start)?;
        }
        if let Some(stop) = stop {
            range = rows_up_to(part, &range, self.order, stop)?;
        }
        Ok(range)
    }
}

/// The row after which a page starts.
fn position(page: &Page) -> Option<&SortKey> {
    match &page.start {
        Start::Offset(_) => None,
        Start::After(position) => Some(position),
    }
}

/// What tells a part from the others.
fn name(part: &Part) -> (bool, u32) {
    (part.segment().is_some(), part.number())
}

fn sort_key((part, row): &(Part, usize)) -> Result<SortKey, Error> {
    let time = part.times()?.get(*row).copied().ok_or(Error::Damaged("a column of times"))?;
    Ok(SortKey { time, id: part.ids()?.get(*row).to_vec() })
}
