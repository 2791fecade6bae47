//! Lists: counting over all parts, then one page out of those that hold it.
//!
//! Parts overlap in time where rows came late. Those that do are read as one, merged by time and id; all others are
//! passed over by their counts.

use std::cmp::Reverse;
use std::ops::Range;

use crate::Error;
use crate::merge::{Matched, merge, pass_over};
use crate::order::Order;
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
    /// After so many rows.
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
    /// Which rows come first.
    pub order: Order,
}

impl Page {
    /// The newest rows.
    #[must_use]
    pub fn newest(limit: usize) -> Self {
        Self { start: Start::Offset(0), limit, order: Order::NewestFirst }
    }
}

/// One page of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rows {
    /// The rows, in the order of the page.
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
    /// The least and the greatest rank of the part's rows.
    ranks: (i64, i64),
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
            Start::After(position) => after(&stretch, page.order, position, matching)?,
        };
        if matching > 0 {
            let ranks = page.order.ranks(stretch.part.span());
            counted.push(Counted { stretch, range, matching, ranks });
        }
    }
    let available: u64 = counted.iter().map(|part| part.matching).sum();
    let skip = match &page.start {
        Start::Offset(offset) => *offset,
        Start::After(_) => 0,
    };
    let has_more = available.saturating_sub(skip) > page.limit as u64;
    let rows = table.read(schema, &places(counted, page.order, skip, page.limit)?)?;
    Ok(Rows { rows, total, has_more })
}

/// The rows of a stretch that come after a position in the list, and how many of them match.
fn after(stretch: &Stretch, order: Order, position: &SortKey, matching: u64) -> Result<(Range<usize>, u64), Error> {
    let range = rows_after(&stretch.part, &stretch.range, order, position)?;
    if range == stretch.range {
        return Ok((range, matching));
    }
    let matching = stretch.part.count(&stretch.wanted, range.clone())?;
    Ok((range, matching))
}

/// The rows of a range of a part that come after a position in the list.
pub(crate) fn rows_after(
    part: &Part,
    range: &Range<usize>,
    order: Order,
    position: &SortKey,
) -> Result<Range<usize>, Error> {
    let edge = edge(part, order, position)?.clamp(range.start, range.end);
    Ok(match order {
        Order::NewestFirst => range.start..edge,
        Order::OldestFirst => edge..range.end,
    })
}

/// The rows of a range of a part that come up to a position in the list, that one included.
pub(crate) fn rows_up_to(
    part: &Part,
    range: &Range<usize>,
    order: Order,
    position: &SortKey,
) -> Result<Range<usize>, Error> {
    let edge = edge(part, order, position)?.clamp(range.start, range.end);
    Ok(match order {
        Order::NewestFirst => edge..range.end,
        Order::OldestFirst => range.start..edge,
    })
}

/// Where a part's rows that come up to a position in the list and those that come after it meet.
fn edge(part: &Part, order: Order, SortKey { time, id }: &SortKey) -> Result<usize, Error> {
    match order {
        Order::NewestFirst => part.before(*time, |own| own < id),
        Order::OldestFirst => part.before(*time, |own| own <= id),
    }
}

/// So many rows are passed over one by one; for more of them, all rows of the parts that hold them are looked at first.
const MAX_SKIPPED_ROWS: u64 = 4096;

/// Where the rows of the page are.
fn places(mut counted: Vec<Counted>, order: Order, mut skip: u64, limit: usize) -> Result<Vec<(Part, usize)>, Error> {
    counted.sort_by_key(|part| Reverse(part.ranks.1));
    let mut left = counted.into_iter().peekable();
    let mut parts = Vec::new();
    while let Some(first) = left.next() {
        // Parts that overlap are passed over together or not at all: where they are merged, rows of one stand between
        // those of another, so that counts alone do not say which of them are passed over.
        let mut least = first.ranks.0;
        let mut group = vec![first];
        while let Some(next) = left.next_if(|next| next.ranks.1 >= least) {
            least = least.min(next.ranks.0);
            group.push(next);
        }
        let matching: u64 = group.iter().map(|part| part.matching).sum();
        if matching <= skip {
            skip -= matching;
            continue;
        }
        parts = group.into_iter().map(|counted| matched(counted, order)).collect();
        break;
    }
    if skip > MAX_SKIPPED_ROWS {
        for part in &mut parts {
            part.look_at_all()?;
        }
        skip -= pass_over(&mut parts, skip);
    }
    // The others come after the group, so none of their rows is among those that were passed over.
    parts.extend(left.map(|counted| matched(counted, order)));
    merge(parts, order, skip, limit)
}

fn matched(counted: Counted, order: Order) -> Matched {
    let Counted { stretch: Stretch { part, wanted, .. }, range, .. } = counted;
    Matched::new(part, wanted, range, order)
}
