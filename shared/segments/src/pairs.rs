//! Amounts of pairs of classes.
//!
//! They stand in a table of all that there may be as long as that is small. Else rows are collected, and counted some at a
//! time: ordered by the first class, in a table for the second alone, which stays in the processor's own memory.

use crate::amount::Amount;
use crate::classes::class_of;

/// The longest table: 16 MiB, or 20 with sums.
const MAX_CELLS: usize = 1 << 22;
const MAX_CELLS_WITH_SUMS: usize = 1 << 20;
/// So many rows are collected: 12 MiB of memory, or 28 with what they measure.
const MAX_COLLECTED: usize = 1 << 20;

/// How many rows are of each pair of classes, and how much they measure.
#[derive(Debug, Default)]
pub struct Pairs {
    pairs: Vec<(u32, u32)>,
    counts: Vec<u64>,
    /// Empty where nothing is measured.
    sums: Vec<u128>,
}

impl Pairs {
    /// One after the other, each once.
    pub fn iter(&self) -> impl Iterator<Item = ((u32, u32), Amount)> {
        let sums = self.sums.iter().copied().chain(std::iter::repeat(0));
        let amounts = self.counts.iter().zip(sums).map(|(count, sum)| Amount { count: *count, sum });
        self.pairs.iter().copied().zip(amounts)
    }

    fn push(&mut self, pair: (u32, u32), count: u64, sum: Option<u128>) {
        self.pairs.push(pair);
        self.counts.push(count);
        self.sums.extend(sum);
    }

    /// Those of both, which are in order.
    fn merged(&self, others: &Self) -> Self {
        let mut merged = Self::default();
        let mut others = others.entries().peekable();
        for (pair, mut count, mut sum) in self.entries() {
            while let Some((pair, count, sum)) = others.next_if(|(other, ..)| *other < pair) {
                merged.push(pair, count, sum);
            }
            if let Some((_, more, sums)) = others.next_if(|(other, ..)| *other == pair) {
                count += more;
                sum = sum.zip(sums).map(|(sum, more)| sum + more);
            }
            merged.push(pair, count, sum);
        }
        others.for_each(|(pair, count, sum)| merged.push(pair, count, sum));
        merged
    }

    fn entries(&self) -> impl Iterator<Item = ((u32, u32), u64, Option<u128>)> {
        let amounts = self.counts.iter().enumerate().map(|(place, count)| (*count, self.sums.get(place).copied()));
        self.pairs.iter().zip(amounts).map(|(pair, (count, sum))| (*pair, count, sum))
    }
}

/// Counts pairs.
#[derive(Default)]
pub(crate) struct PairCounts {
    table: Table,
    /// What is in no table: rows that were not counted yet, and those that were, in order.
    collected: Collected,
    counted: Pairs,
}

/// Rows by the places of their classes, see [`crate::classes`].
#[derive(Default)]
struct Collected {
    ones: Vec<u32>,
    others: Vec<u32>,
    /// What each of them measures; empty where nothing is measured.
    values: Vec<u64>,
}

/// A cell for each pair of places.
#[derive(Default)]
struct Table {
    /// A row for each place of the first.
    counts: Vec<u32>,
    /// What the rows measure, likewise; empty where nothing is measured.
    sums: Vec<u128>,
    /// How long these rows are.
    stride: usize,
    /// How many rows were counted.
    rows: usize,
    /// Whether it is given up: it would be too long.
    is_closed: bool,
}

impl PairCounts {
    /// Counts rows by the places of their classes. `values` is what each of them measures; either of all rows, or of none.
    pub(crate) fn add(&mut self, ones: &[u32], others: &[u32], values: Option<&[u64]>) {
        if self.table.has_room(ones, others, values.is_some()) {
            self.table.add(ones, others, values);
            return;
        }
        if !self.table.counts.is_empty() {
            let given_up = Table { is_closed: true, ..Table::default() };
            self.counted = std::mem::replace(&mut self.table, given_up).pairs();
        }
        self.collected.add(ones, others, values);
        if self.collected.ones.len() >= MAX_COLLECTED {
            self.count();
        }
    }

    /// How many pairs there are, as far as that is more than a table holds.
    pub(crate) fn len(&self) -> usize {
        self.counted.pairs.len()
    }

    /// Those that there are, once all rows were added.
    pub(crate) fn pairs(mut self) -> Pairs {
        if !self.table.is_closed {
            return self.table.pairs();
        }
        if self.counted.pairs.is_empty() {
            return self.collected.counted(false);
        }
        self.count();
        self.counted
    }

    fn count(&mut self) {
        let more = std::mem::take(&mut self.collected).counted(true);
        self.counted = if self.counted.pairs.is_empty() { more } else { self.counted.merged(&more) };
    }
}

impl Table {
    /// Makes room for rows with such places; says whether there is some. Once there is none, there never is again.
    fn has_room(&mut self, ones: &[u32], others: &[u32], with_sums: bool) -> bool {
        if self.is_closed {
            return false;
        }
        let known = self.counts.len() / self.stride.max(1);
        let (rows, columns) = (length(ones).max(known), length(others).max(self.stride));
        let is_counted = u32::try_from(self.rows + ones.len()).is_ok();
        if is_counted && (rows, columns) == (known, self.stride) {
            return true;
        }
        let (rows, stride) = (rows.next_power_of_two(), columns.next_power_of_two());
        let most = if with_sums { MAX_CELLS_WITH_SUMS } else { MAX_CELLS };
        if !is_counted || rows.checked_mul(stride).is_none_or(|cells| cells > most) {
            self.is_closed = true;
            return false;
        }
        self.counts = wider(&self.counts, self.stride, [rows, stride]);
        if with_sums {
            self.sums = wider(&self.sums, self.stride, [rows, stride]);
        }
        self.stride = stride;
        true
    }

    fn add(&mut self, ones: &[u32], others: &[u32], values: Option<&[u64]>) {
        self.rows += ones.len();
        let cells = || ones.iter().zip(others).map(|(one, other)| *one as usize * self.stride + *other as usize);
        for cell in cells() {
            self.counts[cell] += 1;
        }
        for (cell, value) in cells().zip(values.into_iter().flatten()) {
            self.sums[cell] += u128::from(*value);
        }
    }

    /// The pairs that are in it, in order.
    fn pairs(self) -> Pairs {
        let mut pairs = Pairs::default();
        let stride = self.stride.max(1);
        for ((one, first), row) in (0_u32..).zip((0..).step_by(stride)).zip(self.counts.chunks(stride)) {
            for ((other, cell), count) in (0_u32..).zip(first..).zip(row).filter(|(_, count)| **count > 0) {
                if let (Some(one), Some(other)) = (class_of(one), class_of(other)) {
                    pairs.push((one, other), (*count).into(), self.sums.get(cell).copied());
                }
            }
        }
        pairs
    }
}

impl Collected {
    fn add(&mut self, ones: &[u32], others: &[u32], values: Option<&[u64]>) {
        let is_counted = |(one, other): (&u32, &u32)| class_of(*one).is_some() && class_of(*other).is_some();
        for (place, (one, other)) in ones.iter().zip(others).enumerate() {
            if is_counted((one, other)) {
                self.ones.push(*one);
                self.others.push(*other);
                self.values.extend(values.and_then(|values| values.get(place)));
            }
        }
    }

    /// The pairs of its rows; those of each first class lie together, and are in order where that is asked for.
    fn counted(self, in_order: bool) -> Pairs {
        let Self { ones, others, values } = self;
        let is_measured = !values.is_empty();
        // Where the rows of each first place end, once they stand in its order: a sort that looks at each row twice.
        let mut ends = vec![0_u32; length(&ones) + 1];
        for one in &ones {
            ends[*one as usize + 1] += 1;
        }
        let mut all = 0;
        for end in &mut ends {
            all += *end;
            *end = all;
        }
        let (mut ordered, mut measured) = (vec![0; others.len()], vec![0; values.len()]);
        for (row, (one, other)) in ones.iter().zip(&others).enumerate() {
            let end = &mut ends[*one as usize];
            let place = *end as usize;
            *end += 1;
            ordered[place] = *other;
            if is_measured {
                measured[place] = values[row];
            }
        }
        let mut pairs = Pairs::default();
        let mut counts = vec![0_u32; length(&others)];
        let mut sums = vec![0_u128; if is_measured { counts.len() } else { 0 }];
        let (mut met, mut start) = (Vec::new(), 0);
        for (one, end) in (0_u32..).zip(ends) {
            let rows = start..end as usize;
            for place in rows.clone() {
                let other = ordered[place];
                let count = &mut counts[other as usize];
                if *count == 0 {
                    met.push(other);
                }
                *count += 1;
                if is_measured {
                    sums[other as usize] += u128::from(measured[place]);
                }
            }
            if in_order {
                met.sort_unstable();
            }
            for other in met.drain(..) {
                let count = std::mem::take(&mut counts[other as usize]);
                let sum = sums.get_mut(other as usize).map(std::mem::take);
                if let (Some(one), Some(class)) = (class_of(one), class_of(other)) {
                    pairs.push((one, class), count.into(), sum);
                }
            }
            start = rows.end;
        }
        pairs
    }
}

/// How many places there are.
fn length(places: &[u32]) -> usize {
    places.iter().max().map_or(0, |place| *place as usize + 1)
}

/// A table with more rows, and longer ones.
fn wider<T: Copy + Default>(table: &[T], old_stride: usize, [rows, stride]: [usize; 2]) -> Vec<T> {
    let mut wider = vec![T::default(); rows * stride];
    for (own, row) in table.chunks(old_stride.max(1)).zip(wider.chunks_mut(stride)) {
        row[..own.len()].copy_from_slice(own);
    }
    wider
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn pairs_are_counted_the_same_in_a_table_and_out_of_it() {
        let ways = [(false, false), (true, false), (false, true), (true, true)];
        for (most, (is_measured, is_merged)) in [3, 40, 5000].into_iter().flat_map(|most| ways.map(|way| (most, way))) {
            let mut counts = PairCounts::default();
            // Without anything in a table first, or with.
            counts.table.is_closed = most == 5000 && !is_merged;
            let mut expected: BTreeMap<(u32, u32), Amount> = BTreeMap::new();
            for step in 1..40_u32 {
                let places =
                    |factor: u32| (0..50).map(|n| n * factor * step % most.min(step * 130)).collect::<Vec<u32>>();
                let (ones, others) = (places(7), places(31));
                let values: Vec<u64> = (0..50).map(|n| u64::MAX / (n + u64::from(step))).collect();
                counts.add(&ones, &others, Some(&*values).filter(|_| is_measured));
                for ((one, other), value) in ones.into_iter().zip(others).zip(values) {
                    if let (Some(one), Some(other)) = (class_of(one), class_of(other)) {
                        let sum = if is_measured { value.into() } else { 0 };
                        *expected.entry((one, other)).or_default() += Amount { count: 1, sum };
                    }
                }
                // As it is when many rows were collected.
                if is_merged && step % 16 == 0 && counts.table.is_closed {
                    counts.count();
                    assert!(counts.counted.pairs.is_sorted());
                }
            }
            assert_eq!(counts.len() > 0, most == 5000 && is_merged);
            let pairs = counts.pairs();
            assert_eq!(pairs.pairs.len(), expected.len());
            assert_eq!(pairs.iter().collect::<BTreeMap<_, _>>(), expected, "{most}");
        }
    }
}
