//! Finds the most frequent among values that were counted.

use std::array;
use std::cmp::Reverse;
use std::collections::HashMap;

use super::numbers::{Met, Numbers};
use super::top::{Counted, Others, Top};

/// The most frequent values, as far as they were counted.
pub(crate) struct Finding {
    /// How many are told.
    most: usize,
    top: Vec<Counted>,
    /// How many values there are, and how many rows have them.
    all: Others,
    without: u64,
    /// How many rows have a value of each field.
    rows: u64,
}

/// Values of one or two fields by their numbers, and how many rows have them.
type Item<const N: usize> = ([u32; N], u64);

impl Finding {
    pub(crate) fn new(most: usize) -> Self {
        Self { most, top: Vec::new(), all: Others::default(), without: 0, rows: 0 }
    }

    /// Takes values of one field, of a share that comes for the first time: how many rows are of each class.
    pub(crate) fn add(&mut self, numbers: &Numbers<'_>, counts: &[u64]) {
        let met = numbers.met();
        let mut by_value = vec![0_u64; met.values.len()];
        for (list, count) in met.lists.iter().zip(counts) {
            for value in list {
                by_value[*value as usize] += count;
            }
        }
        // Rows without a value are of every share.
        self.without = counts.first().copied().unwrap_or_default();
        let items = (0_u32..).zip(by_value).filter(|(_, count)| *count > 0);
        self.keep(items.map(|(value, count)| ([value], count)).collect(), [&*met]);
    }

    /// Takes pairs of values of two fields, of shares that come together for the first time.
    pub(crate) fn add_pairs(&mut self, [one, other]: [&Numbers<'_>; 2], pairs: segments::Pairs) {
        let (one, other) = (one.met(), other.met());
        let has_several = |met: &Met| met.lists.iter().any(|list| list.len() > 1);
        let are_merged = has_several(&one) || has_several(&other);
        let mut items: Vec<Item<2>> = Vec::with_capacity(pairs.len());
        for ((first, second), count) in pairs {
            let (first, second) = (&one.lists[first as usize], &other.lists[second as usize]);
            if !first.is_empty() && !second.is_empty() {
                self.rows += count;
            }
            items.extend(first.iter().flat_map(|first| second.iter().map(move |second| ([*first, *second], count))));
        }
        if are_merged {
            let mut merged: HashMap<[u32; 2], u64> = HashMap::new();
            for (pair, count) in items {
                *merged.entry(pair).or_default() += count;
            }
            items = merged.into_iter().collect();
        }
        self.keep(items, [&*one, &*other]);
    }

    /// The top of one field.
    pub(crate) fn top(self) -> Top {
        let told: u64 = self.top.iter().map(|counted| counted.count).sum();
        let others = Others { values: self.all.values - self.top.len() as u64, count: self.all.count - told };
        Top { values: self.top, others, without: self.without }
    }

    /// The top of two fields, of so many rows in all.
    pub(crate) fn top_of(mut self, rows: u64) -> Top {
        self.without = rows.saturating_sub(self.rows);
        self.top()
    }

    fn keep<const N: usize>(&mut self, mut items: Vec<Item<N>>, met: [&Met; N]) {
        self.all.values += items.len() as u64;
        self.all.count += items.iter().map(|(_, count)| count).sum::<u64>();
        if self.most == 0 {
            return;
        }
        // Texts are compared only of those that are as frequent as the last that is told.
        if items.len() > self.most {
            let (_, (_, least), _) = items.select_nth_unstable_by_key(self.most - 1, |(_, count)| Reverse(*count));
            let least = *least;
            items.retain(|(_, count)| *count >= least);
        }
        let texts =
            |numbers: [u32; N]| -> [&str; N] { array::from_fn(|field| &*met[field].values[numbers[field] as usize]) };
        let key = |(numbers, count): &Item<N>| (Reverse(*count), texts(*numbers));
        if items.len() > self.most {
            items.select_nth_unstable_by(self.most - 1, |one, other| key(one).cmp(&key(other)));
            items.truncate(self.most);
        }
        let counted = |(numbers, count): Item<N>| Counted { values: texts(numbers).map(str::to_owned).into(), count };
        self.top.extend(items.into_iter().map(counted));
        self.top.sort_unstable_by(|one, other| other.count.cmp(&one.count).then_with(|| one.values.cmp(&other.values)));
        self.top.truncate(self.most);
    }
}
