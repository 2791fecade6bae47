//! Lists: counting over all parts, then one page out of those that hold it.
//!
//! Parts overlap in time where rows came late. Those that do are read as one, merged by time and id; all others are
//! passed over by their counts.

use std::collections::{BinaryHeap, HashMap};
use std::ops::Range;
use std::sync::Arc;

use crate::part::Part;
use crate::predicate::Resolved;
use crate::slices::Slices;
use crate::store::Store;
use crate::table::Table;
use crate::{Error, Predicate, Row};

/// Where a row stands in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Position {
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
    After(Position),
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

/// What rows are asked for.
pub(crate) struct Query<'a> {
    pub(crate) predicate: &'a Predicate,
    pub(crate) period: (Option<i64>, Option<i64>),
}

/// A table as it is at one moment, and a predicate in the codes of its epochs.
pub(crate) struct Snapshot {
    pub(crate) parts: Vec<Part>,
    pub(crate) resolved: HashMap<u32, Resolved>,
}

/// What of a part is asked for.
pub(crate) struct Stretch {
    pub(crate) part: Part,
    pub(crate) wanted: Resolved,
    /// The rows in the period.
    pub(crate) range: Range<usize>,
}

impl Stretch {
    /// How many rows have each code of a column, where all rows are asked for and they were counted.
    pub(crate) fn counts(&self, column: usize) -> Option<&[u32]> {
        let is_all = matches!(self.wanted, Resolved::Always)
            && self.range.len() == self.part.len()
            && self.part.superseded.is_empty();
        self.part.segment().filter(|_| is_all)?.counts(column)
    }
}

impl Snapshot {
    /// What of each part is asked for; parts without are left out.
    pub(crate) fn stretches(self, period: (Option<i64>, Option<i64>)) -> Result<Vec<Stretch>, Error> {
        let mut stretches = Vec::new();
        for part in self.parts {
            let wanted = match self.resolved.get(&part.epoch()) {
                Some(resolved) => resolved.within(&part),
                None => Resolved::Never,
            };
            if matches!(wanted, Resolved::Never) {
                continue;
            }
            let range = part.range(period.0, period.1)?;
            if !range.is_empty() {
                stretches.push(Stretch { part, wanted, range });
            }
        }
        Ok(stretches)
    }
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
pub(crate) fn list(store: &Store, table: &Table, query: &Query<'_>, page: &Page) -> Result<Rows, Error> {
    let stretches = store.snapshot(table, query.predicate)?.stretches(query.period)?;
    let mut total = 0;
    let mut counted = Vec::new();
    for stretch in stretches {
        let matching = stretch.part.count(&stretch.wanted, stretch.range.clone())?;
        if matching == 0 {
            continue;
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
    let rows = table.read(store.schema(), &places(counted, skip, page.limit)?)?;
    Ok(Rows { rows, total, has_more })
}

/// The rows of a stretch that come after a position in the list, which are the older ones.
fn after(stretch: &Stretch, position: &Position, matching: u64) -> Result<(Range<usize>, u64), Error> {
    let end = stretch.part.before(position.time, &position.id)?;
    let range = stretch.range.start..stretch.range.end.min(end).max(stretch.range.start);
    if range == stretch.range {
        return Ok((range, matching));
    }
    let matching = stretch.part.count(&stretch.wanted, range.clone())?;
    Ok((range, matching))
}

/// So many rows are passed over one by one; for more of them, all rows of the parts that hold them are looked at first.
const FEW: u64 = 4096;
/// The fewest rows of a part that are looked at together.
const GLANCE: usize = 256;

/// Where the rows of the page are.
fn places(mut counted: Vec<Counted>, mut skip: u64, limit: usize) -> Result<Vec<(Part, usize)>, Error> {
    counted.sort_by_key(|part| std::cmp::Reverse(part.span.1));
    let mut left = counted.into_iter().peekable();
    let mut parts = Vec::new();
    while let Some(first) = left.next() {
        // Parts that overlap are passed over together or not at all.
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
        parts = group.into_iter().map(Matched::new).collect();
        break;
    }
    if skip > FEW {
        for part in &mut parts {
            part.look_at_all()?;
        }
        skip -= pass_over(&mut parts, skip);
    }
    parts.extend(left.map(Matched::new));
    merge(parts, skip, limit)
}

/// The matching rows of one part, looked at from the newest on as far as they are needed.
struct Matched {
    part: Part,
    wanted: Resolved,
    /// The latest time in the part.
    latest: i64,
    /// Rows that were not looked at yet.
    unseen: Range<usize>,
    /// Those that match of the rows after them, newest last.
    rows: Vec<u32>,
    /// How many are looked at next.
    glance: usize,
    times: Option<Arc<Vec<i64>>>,
    ids: Option<Arc<Slices>>,
}

impl Matched {
    fn new(counted: Counted) -> Self {
        let Counted { stretch: Stretch { part, wanted, .. }, range, span, .. } = counted;
        let (times, ids) = (None, None);
        Self { part, wanted, latest: span.1, unseen: range, rows: Vec::new(), glance: GLANCE, times, ids }
    }

    fn look_at_all(&mut self) -> Result<(), Error> {
        self.look_at(self.unseen.len())
    }

    /// Looks at so many more rows, which stand before those that were looked at already.
    fn look_at(&mut self, rows: usize) -> Result<(), Error> {
        let start = self.unseen.end - rows.min(self.unseen.len());
        let mask = self.part.mask(&self.wanted, start..self.unseen.end)?;
        let found = memchr::memchr_iter(1, &mask).map(|row| u32::try_from(start + row).unwrap_or(u32::MAX));
        self.rows.splice(0..0, found);
        self.unseen.end = start;
        if self.times.is_none() {
            self.times = Some(self.part.times()?);
        }
        Ok(())
    }

    /// The newest row that was not given yet.
    fn next(&mut self, from: usize) -> Result<Option<Candidate>, Error> {
        while self.rows.is_empty() && !self.unseen.is_empty() {
            self.look_at(self.glance)?;
            self.glance *= 2;
        }
        let Some(row) = self.rows.pop() else { return Ok(None) };
        Ok(Some(Candidate { time: self.time(row), from, row: row as usize }))
    }

    /// Reads the ids, which only rows of equal time in several parts need.
    fn read_ids(&mut self) -> Result<(), Error> {
        if self.ids.is_none() {
            self.ids = Some(self.part.ids()?);
        }
        Ok(())
    }

    /// The id of a row, once the ids are read.
    fn id(&self, row: usize) -> Option<&[u8]> {
        self.ids.as_ref().map(|ids| ids.get(row))
    }

    /// The time of a row that was looked at.
    fn time(&self, row: u32) -> i64 {
        self.times.as_ref().and_then(|times| times.get(row as usize)).copied().unwrap_or_default()
    }
}

/// The places of `limit` rows of parts that come by their latest time, newest first.
fn merge(parts: Vec<Matched>, mut skip: u64, limit: usize) -> Result<Vec<(Part, usize)>, Error> {
    let mut places = Vec::new();
    let mut merge = Merge { parts, opened: 0, heap: BinaryHeap::new(), equal: Vec::new() };
    while places.len() < limit {
        let Some(newest) = merge.next()? else { break };
        if skip > 0 {
            skip -= 1;
        } else {
            places.push((merge.parts[newest.from].part.clone(), newest.row));
        }
    }
    Ok(places)
}

/// Merges parts by time, and rows of equal time by id.
struct Merge {
    /// By their latest time, the latest first.
    parts: Vec<Matched>,
    /// How many of them were looked at.
    opened: usize,
    /// The newest row of each part that was looked at, but for those in `equal`.
    heap: BinaryHeap<Candidate>,
    /// Rows of the newest time of all, at most one of each part, the one with the greatest id last.
    equal: Vec<Candidate>,
}

/// The next row of a part in the merge. Ordered by time alone: ids are read from disk, which may fail, and an order
/// cannot fail.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Candidate {
    time: i64,
    from: usize,
    row: usize,
}

impl Merge {
    /// The newest row that was not given yet.
    fn next(&mut self) -> Result<Option<Candidate>, Error> {
        if self.equal.is_empty() {
            self.gather_equal()?;
        }
        let Some(newest) = self.equal.pop() else { return Ok(None) };
        if let Some(following) = self.parts[newest.from].next(newest.from)? {
            // Within a part rows are in order: where no other part has the same time, its ids are not needed.
            if following.time == newest.time && !self.equal.is_empty() {
                self.insert_equal(following)?;
            } else {
                self.heap.push(following);
            }
        }
        Ok(Some(newest))
    }

    /// Takes all rows of the newest time from the heap.
    fn gather_equal(&mut self) -> Result<(), Error> {
        // A part is looked at once it may hold the next row, or one of its time.
        while let Some(part) = self.parts.get_mut(self.opened)
            && self.heap.peek().is_none_or(|newest| newest.time <= part.latest)
        {
            self.heap.extend(part.next(self.opened)?);
            self.opened += 1;
        }
        let Some(newest) = self.heap.pop() else { return Ok(()) };
        self.equal.push(newest);
        while let Some(other) = self.heap.peek().copied().filter(|other| other.time == newest.time) {
            self.heap.pop();
            self.parts[newest.from].read_ids()?;
            self.insert_equal(other)?;
        }
        Ok(())
    }

    /// Puts a row where its id belongs among those of the same time, whose ids were read.
    fn insert_equal(&mut self, candidate: Candidate) -> Result<(), Error> {
        let Self { parts, equal, .. } = self;
        parts[candidate.from].read_ids()?;
        let id = |candidate: &Candidate| parts[candidate.from].id(candidate.row);
        let place = equal.partition_point(|other| id(other) < id(&candidate));
        equal.insert(place, candidate);
        Ok(())
    }
}

/// Drops the newest rows of parts that were looked at, at most `skip` of them, without merging: all that are later
/// than some time.
fn pass_over(matched: &mut [Matched], skip: u64) -> u64 {
    let later = |part: &Matched, time: i64| part.rows.len() - part.rows.partition_point(|row| part.time(*row) <= time);
    let all_later = |matched: &[Matched], time: i64| matched.iter().map(|part| later(part, time) as u64).sum::<u64>();
    let ends = |part: &Matched| Some((part.time(*part.rows.first()?), part.time(*part.rows.last()?)));
    let Some(earliest) = matched.iter().filter_map(ends).map(|(first, _)| first).min() else { return 0 };
    let Some(latest) = matched.iter().filter_map(ends).map(|(_, last)| last).max() else { return 0 };
    // The earliest time after which there are not too many.
    let (mut low, mut high) = (earliest.saturating_sub(1), latest);
    while low < high {
        // Rounded down, so that it is never `high`.
        let middle = low.wrapping_add((high.abs_diff(low) / 2).cast_signed());
        if all_later(matched, middle) <= skip { high = middle } else { low = middle + 1 }
    }
    let passed = all_later(matched, high);
    for part in matched {
        let keep = part.rows.len() - later(part, high);
        part.rows.truncate(keep);
    }
    passed
}
