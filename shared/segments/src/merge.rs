//! The first rows of several parts, in the order of a list.
//!
//! Parts overlap in time where rows arrived late, or were amended: what is merged is a row at a time of each part that may
//! hold the next. Ids are read only where rows of different parts have the same time, and before they are compared, so
//! that ids that cannot be read are an error and never another order.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::ops::Range;
use std::sync::Arc;

use crate::Error;
use crate::codes::ones;
use crate::order::Order;
use crate::part::Part;
use crate::predicate::Resolved;
use crate::row::RowNumber;
use crate::slices::Slices;

/// The fewest rows of a part that are looked at together.
const MIN_ROWS: usize = 256;

/// The matching rows of one part, looked at from the first of the list on as far as they are needed.
#[derive(Debug)]
pub(crate) struct Matched {
    part: Part,
    wanted: Resolved,
    order: Order,
    /// The greatest rank in the part.
    first: i64,
    /// Rows that were not looked at yet.
    unseen: Range<usize>,
    /// Those that match of the rows that were, the first of the list last.
    rows: Vec<RowNumber>,
    /// How many are looked at next.
    next_rows: usize,
    times: Option<Arc<Vec<i64>>>,
    ids: Option<Arc<Slices>>,
}

impl Matched {
    pub(crate) fn new(part: Part, wanted: Resolved, unseen: Range<usize>, order: Order) -> Self {
        let (_, first) = order.ranks(part.span());
        let (times, ids) = (None, None);
        Self { part, wanted, order, first, unseen, rows: Vec::new(), next_rows: MIN_ROWS, times, ids }
    }

    /// Looks at all rows that were not looked at yet.
    pub(crate) fn look_at_all(&mut self) -> Result<(), Error> {
        self.look_at(self.unseen.len())
    }

    /// Looks at so many more rows, which come after those that were looked at already.
    fn look_at(&mut self, rows: usize) -> Result<(), Error> {
        let next = self.order.take_first(&mut self.unseen, rows);
        let mask = self.part.mask(&self.wanted, next.clone())?;
        let mut found = rows_of(&mask, next.start)?;
        self.order.first_last(&mut found);
        self.rows.splice(0..0, found);
        if self.times.is_none() {
            self.times = Some(self.part.times()?);
        }
        Ok(())
    }

    /// The first row that was not given yet.
    fn next(&mut self, from: usize) -> Result<Option<Candidate>, Error> {
        while self.rows.is_empty() && !self.unseen.is_empty() {
            self.look_at(self.next_rows)?;
            self.next_rows *= 2;
        }
        let Some(row) = self.rows.pop() else { return Ok(None) };
        Ok(Some(Candidate { rank: self.rank(row), from, row: row.index() }))
    }

    /// Reads the ids, which only rows of equal time in several parts need.
    fn read_ids(&mut self) -> Result<(), Error> {
        if self.ids.is_none() {
            self.ids = Some(self.part.ids()?);
        }
        Ok(())
    }

    /// Lets go of what was read, where all rows were given.
    fn close(&mut self) {
        (self.rows, self.times, self.ids) = (Vec::new(), None, None);
    }

    /// The id of a row, once the ids are read.
    fn id(&self, row: usize) -> Option<&[u8]> {
        self.ids.as_ref().map(|ids| ids.get(row))
    }

    /// The rank of a row that was looked at.
    fn rank(&self, row: RowNumber) -> i64 {
        let time = self.times.as_ref().and_then(|times| times.get(row.index())).copied();
        self.order.rank(time.unwrap_or_default())
    }
}

/// The rows that a mask lets through, of which the first has this place.
fn rows_of(mask: &[u8], first: usize) -> Result<Vec<RowNumber>, Error> {
    /// Of so many rows at least one must match for looking at each to be faster than to search for those that do.
    const DENSE: usize = 16;
    let count = usize::try_from(ones(mask)).map_err(|_| Error::TooLarge("a chunk or segment"))?;
    if count * DENSE < mask.len() {
        return memchr::memchr_iter(1, mask).map(|row| RowNumber::new(first + row)).collect();
    }
    // Each is written, and the next one over it where it does not match: without a branch, of which half would be wrong.
    let mut rows = vec![RowNumber::LAST; count + 1];
    let mut next = 0;
    for (row, is_match) in RowNumber::new(first)?.onward().zip(mask) {
        rows[next] = row;
        next += usize::from(*is_match);
    }
    rows.truncate(count);
    Ok(rows)
}

/// The places of `limit` rows of parts, in the order of a list.
pub(crate) fn merge(
    parts: Vec<Matched>,
    order: Order,
    mut skip: u64,
    limit: usize,
) -> Result<Vec<(Part, usize)>, Error> {
    let mut merge = Merge::new(parts, order);
    while skip > 0 && merge.next()?.is_some() {
        skip -= 1;
    }
    merge.take(limit)
}

/// Merges parts by time, and rows of equal time by id.
#[derive(Debug)]
pub(crate) struct Merge {
    order: Order,
    /// By the rank that each begins with, the greatest first.
    parts: Vec<Matched>,
    /// How many of them were looked at.
    opened: usize,
    /// The first row of each part that was looked at, but for those in `equal`.
    heap: BinaryHeap<Candidate>,
    /// Rows of the first time of all, at most one of each part, the one that comes first last.
    equal: Vec<Candidate>,
}

/// The next row of a part in the merge. Ordered by rank alone: ids are read from disk, which may fail, and an order
/// cannot fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Candidate {
    rank: i64,
    from: usize,
    row: usize,
}

impl Merge {
    /// Of parts that were made for the same order.
    pub(crate) fn new(mut parts: Vec<Matched>, order: Order) -> Self {
        parts.sort_by_key(|part| Reverse(part.first));
        Self { order, parts, opened: 0, heap: BinaryHeap::new(), equal: Vec::new() }
    }

    /// The places of the next rows, in their order; fewer than `limit` at the end.
    pub(crate) fn take(&mut self, limit: usize) -> Result<Vec<(Part, usize)>, Error> {
        let mut places = Vec::new();
        while places.len() < limit {
            let Some(next) = self.next()? else { break };
            places.push((self.parts[next.from].part.clone(), next.row));
        }
        Ok(places)
    }

    /// The first row that was not given yet.
    fn next(&mut self) -> Result<Option<Candidate>, Error> {
        if self.equal.is_empty() {
            self.gather_equal()?;
        }
        let Some(first) = self.equal.pop() else { return Ok(None) };
        // The part's next row takes the place of the one that is given: so there is one of each part that was looked at in
        // the heap or among the equal ones, and none of its rows is passed by.
        if let Some(following) = self.parts[first.from].next(first.from)? {
            // Within a part rows are in order: where no other part has the same time, its ids are not needed.
            if following.rank == first.rank && !self.equal.is_empty() {
                self.insert_equal(following)?;
            } else {
                self.heap.push(following);
            }
        } else {
            self.parts[first.from].close();
        }
        Ok(Some(first))
    }

    /// Takes all rows of the first time from the heap.
    fn gather_equal(&mut self) -> Result<(), Error> {
        // A part is looked at once it may hold the next row, or one of its time. They come by the rank that they begin
        // with: where the next part begins later than that, so do all that follow.
        while let Some(part) = self.parts.get_mut(self.opened)
            && self.heap.peek().is_none_or(|first| first.rank <= part.first)
        {
            self.heap.extend(part.next(self.opened)?);
            self.opened += 1;
        }
        let Some(first) = self.heap.pop() else { return Ok(()) };
        self.equal.push(first);
        while let Some(other) = self.heap.peek().copied().filter(|other| other.rank == first.rank) {
            self.heap.pop();
            self.parts[first.from].read_ids()?;
            self.insert_equal(other)?;
        }
        Ok(())
    }

    /// Puts a row where its id belongs among those of the same time, whose ids were read.
    fn insert_equal(&mut self, candidate: Candidate) -> Result<(), Error> {
        let Self { order, parts, equal, .. } = self;
        parts[candidate.from].read_ids()?;
        let id = |candidate: &Candidate| parts[candidate.from].id(candidate.row).unwrap_or_default();
        let place = equal.partition_point(|other| order.comes_later(id(other), id(&candidate)));
        equal.insert(place, candidate);
        Ok(())
    }
}

/// Drops the first rows of parts that were looked at, at most `skip` of them, without merging: all whose rank is greater
/// than some.
pub(crate) fn pass_over(matched: &mut [Matched], skip: u64) -> u64 {
    let earlier =
        |part: &Matched, rank: i64| part.rows.len() - part.rows.partition_point(|row| part.rank(*row) <= rank);
    let all_earlier =
        |matched: &[Matched], rank: i64| matched.iter().map(|part| earlier(part, rank) as u64).sum::<u64>();
    let ends = |part: &Matched| Some((part.rank(*part.rows.first()?), part.rank(*part.rows.last()?)));
    let Some(least) = matched.iter().filter_map(ends).map(|(least, _)| least).min() else { return 0 };
    let Some(greatest) = matched.iter().filter_map(ends).map(|(_, greatest)| greatest).max() else { return 0 };
    // The least rank before which there are not too many. Rows of that very rank stay: which of them come first is said
    // by their ids, which are not read here.
    let (mut low, mut high) = (least.saturating_sub(1), greatest);
    while low < high {
        // Rounded down, so that it is never `high`.
        let middle = low.wrapping_add((high.abs_diff(low) / 2).cast_signed());
        if all_earlier(matched, middle) <= skip { high = middle } else { low = middle + 1 }
    }
    let passed = all_earlier(matched, high);
    for part in matched {
        let keep = part.rows.len() - earlier(part, high);
        part.rows.truncate(keep);
    }
    passed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rows_of_a_mask_are_found_however_many_there_are() {
        for step in [1, 2, 3, 15, 16, 17, 100, 5000] {
            for length in [0, 1, 16, 1000] {
                let mask: Vec<u8> = (0..length).map(|row| u8::from(row % step == step - 1)).collect();
                let expected: Vec<usize> =
                    (0..length).filter(|row| row % step == step - 1).map(|row| row + 7).collect();
                let found: Vec<usize> = rows_of(&mask, 7).unwrap().into_iter().map(RowNumber::index).collect();
                assert_eq!(found, expected, "{step} {length}");
            }
        }
    }
}
