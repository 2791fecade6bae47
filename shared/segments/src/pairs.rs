//! Counts of pairs of classes.

use std::collections::HashMap;

use foldhash::fast::RandomState;

use crate::classes::class_of;

/// How many rows are of each pair of classes.
pub type Pairs = Vec<((u32, u32), u64)>;

/// Counts pairs: in a table of all that there may be as long as that is small, else by those that there are.
#[derive(Default)]
pub(crate) struct PairCounts {
    /// A row for each place of the first, see [`crate::classes`].
    table: Vec<u32>,
    /// How long these rows are.
    stride: usize,
    /// How many rows were counted in the table.
    rows: usize,
    others: HashMap<u64, u64, RandomState>,
}

/// The longest table: 16 MiB.
const MAX_CELLS: usize = 1 << 22;

impl PairCounts {
    /// Counts rows by the places of their classes.
    pub(crate) fn add(&mut self, ones: &[u32], others: &[u32]) {
        let longest = |places: &[u32]| places.iter().max().map_or(0, |place| *place as usize + 1);
        if self.has_room(longest(ones), longest(others), ones.len()) {
            self.rows += ones.len();
            for (one, other) in ones.iter().zip(others) {
                self.table[*one as usize * self.stride + *other as usize] += 1;
            }
            return;
        }
        for (one, other) in ones.iter().zip(others) {
            if let (Some(one), Some(other)) = (class_of(*one), class_of(*other)) {
                *self.others.entry(key(one, other)).or_default() += 1;
            }
        }
    }

    /// How many pairs there are, as far as that is more than a table holds.
    pub(crate) fn len(&self) -> usize {
        self.others.len()
    }

    /// Those that there are.
    pub(crate) fn pairs(mut self) -> Pairs {
        if self.others.is_empty() {
            return self.in_table().collect();
        }
        self.empty_table();
        let apart = |(key, count): (u64, u64)| {
            let [one, other] =
                [key >> 32, key & u64::from(u32::MAX)].map(|class| u32::try_from(class).unwrap_or(u32::MAX));
            ((one, other), count)
        };
        self.others.into_iter().map(apart).collect()
    }

    /// Makes room in the table; where it would be too long for that, what is in it is moved out of it, for good.
    fn has_room(&mut self, ones: usize, others: usize, rows: usize) -> bool {
        let is_table = self.others.is_empty();
        let known = self.table.len() / self.stride.max(1);
        if is_table && ones <= known && others <= self.stride && u32::try_from(self.rows + rows).is_ok() {
            return true;
        }
        let (ones, stride) = (ones.max(known).next_power_of_two(), others.max(self.stride).next_power_of_two());
        let fits = ones.checked_mul(stride).is_some_and(|cells| cells <= MAX_CELLS);
        if !is_table || !fits || u32::try_from(self.rows + rows).is_err() {
            self.empty_table();
            return false;
        }
        let mut table = vec![0; ones * stride];
        for (own, wider) in self.table.chunks(self.stride.max(1)).zip(table.chunks_mut(stride)) {
            wider[..own.len()].copy_from_slice(own);
        }
        (self.table, self.stride) = (table, stride);
        true
    }

    fn empty_table(&mut self) {
        let moved: Pairs = self.in_table().collect();
        for ((one, other), count) in moved {
            *self.others.entry(key(one, other)).or_default() += count;
        }
        (self.table, self.stride) = (Vec::new(), 0);
    }

    fn in_table(&self) -> impl Iterator<Item = ((u32, u32), u64)> {
        let rows = (0_u32..).zip(self.table.chunks(self.stride.max(1)));
        let cells = rows.flat_map(|(one, row)| (0_u32..).zip(row).map(move |(other, count)| (one, other, *count)));
        cells.filter(|(_, _, count)| *count > 0).filter_map(|(one, other, count)| {
            let pair = (class_of(one)?, class_of(other)?);
            Some((pair, u64::from(count)))
        })
    }
}

fn key(one: u32, other: u32) -> u64 {
    u64::from(one) << 32 | u64::from(other)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn pairs_are_counted_the_same_in_a_table_and_out_of_it() {
        for most in [3, 40, 5000] {
            let mut counts = PairCounts::default();
            let mut expected: BTreeMap<(u32, u32), u64> = BTreeMap::new();
            for step in 1..40_u32 {
                let places =
                    |factor: u32| (0..50).map(|n| n * factor * step % most.min(step * 130)).collect::<Vec<u32>>();
                let (ones, others) = (places(7), places(31));
                counts.add(&ones, &others);
                for (one, other) in ones.into_iter().zip(others) {
                    if let (Some(one), Some(other)) = (class_of(one), class_of(other)) {
                        *expected.entry((one, other)).or_default() += 1;
                    }
                }
            }
            assert_eq!(counts.len() > 0, most == 5000);
            assert_eq!(counts.pairs().into_iter().collect::<BTreeMap<_, _>>(), expected, "{most}");
        }
    }
}
