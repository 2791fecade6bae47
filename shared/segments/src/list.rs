//! Lists: counting over all parts, then one page out of those that hold it.
//!
//! Parts overlap in time where rows came late. Those that do are read as one, merged by time and id; all others are
//! passed over by their counts.

use std::ops::Range;

use crate::Error;
use crate::merge::{Matched, merge, pass_over};
use crate::part::Part;
use crate::row::{Row, Schema};
use crate::snapshot::{Query, Stretch, stretches};
use crate::table::Table;

/// Where a row stands in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SortKey {
    /// Its time.
    pub time: i64,
    /// Its id.
    pub id: Vec<u8>,
}

/// Where a page starts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Start {
    /// So many rows after the newest.
    Offset(u64),
    /// After this row.
    After(SortKey),
}

/// Which part of a list is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// Where it starts.
    pub start: Start,
    /// At most this many rows.
    pub limit: usize,
}

/// One page of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rows {
    /// The rows, newest first.
    pub rows: Vec<Row>,
    /// How many rows match on all pages together.
    pub total: u64,
    /// Whether more rows follow the last.
    pub has_more: bool,
}

/// Rows of one part that the page may hold.
struct Counted {
    stretch: Stretch,
    /// The rows after the page's start, as far as a position says.
    range: Range<usize>,
    /// How many of them match.
    matching: u64,
    /// The earliest and latest time.
    span: (i64, i64),
}

/// One page and the exact total.
pub(crate) fn list(table: &Table, schema: &Schema, query: &Query<'_>, page: &Page) -> Result<Rows, Error> {
    page_of(table, schema, stretches(table, schema, query)?, page)
}

/// One page of what is wanted of parts, and how much that is.
pub(crate) fn page_of(table: &Table, schema: &Schema, stretches: Vec<Stretch>, page: &Page) -> Result<Rows, Error> {
    let mut total = 0;
    let mut counted = Vec::new();
    // Counted and read are the same parts, as they were at one moment: so page and total agree while rows are written.
    for mut stretch in stretches {
        let (matching, found) = stretch.part.find(&stretch.wanted, stretch.range.clone())?;
        if matching == 0 {
            continue;
        }
        if let Some(found) = found {
            stretch.wanted = found;
        }
        total += matching;
        let (range, matching) = match &page.start {
            Start::Offset(_) => (stretch.range.clone(), matching),
            Start::After(position) => after(&stretch, position, matching)?,
        };
        if matching > 0 {
            let span = stretch.part.span();
            counted.push(Counted { stretch, range, matching, span });
        }
    }
    let available: u64 = counted.iter().map(|part| part.matching).sum();
    let skip = match &page.start {
        Start::Offset(offset) => *offset,
        Start::After(_) => 0,
    };
    let has_more = available.saturating_sub(skip) > page.limit as u64;
    let rows = table.read(schema, &places(counted, skip, page.limit)?)?;
    Ok(Rows { rows, total, has_more })
}

/// The rows of a stretch that come after a position in the list, which are the older ones.
fn after(stretch: &Stretch, position: &SortKey, matching: u64) -> Result<(Range<usize>, u64), Error> {
    let end = stretch.part.before(position.time, &position.id)?;
    let range = stretch.range.start..stretch.range.end.min(end).max(stretch.range.start);
    if range == stretch.range {
        return Ok((range, matching));
    }
    let matching = stretch.part.count(&stretch.wanted, range.clone())?;
    Ok((range, matching))
}

/// So many rows are passed over one by one; for more of them, all rows of the parts that hold them are looked at first.
const MAX_SKIPPED_ROWS: u64 = 4096;

/// Where the rows of the page are.
fn places(mut counted: Vec<Counted>, mut skip: u64, limit: usize) -> Result<Vec<(Part, usize)>, Error> {
    counted.sort_by_key(|part| std::cmp::Reverse(part.span.1));
    let mut left = counted.into_iter().peekable();
    let mut parts = Vec::new();
    while let Some(first) = left.next() {
        // Parts that overlap are passed over together or not at all: where they are merged, rows of one stand between
        // those of another, so that counts alone do not say which of them are passed over.
        let mut earliest = first.span.0;
        let mut group = vec![first];
        while let Some(next) = left.next_if(|next| next.span.1 >= earliest) {
            earliest = earliest.min(next.span.0);
            group.push(next);
        }
        let matching: u64 = group.iter().map(|part| part.matching).sum();
        if matching <= skip {
            skip -= matching;
            continue;
        }
        parts = group.into_iter().map(matched).collect();
        break;
    }
    if skip > MAX_SKIPPED_ROWS {
        for part in &mut parts {
            part.look_at_all()?;
        }
        skip -= pass_over(&mut parts, skip);
    }
    // The others end before the group begins, so none of their rows is among those that were passed over.
    parts.extend(left.map(matched));
    merge(parts, skip, limit)
}

fn matched(counted: Counted) -> Matched {
    let Counted { stretch: Stretch { part, wanted, .. }, range, span, .. } = counted;
    Matched::new(part, wanted, span.1, range)
}
