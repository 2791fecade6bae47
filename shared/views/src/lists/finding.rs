//! Finds the most frequent among values that were counted, or those that measure the most.

use std::array;
use std::cmp::Reverse;
use std::collections::HashMap;

use segments::Amount;

use super::numbers::{Met, Numbers};
use super::top::{Counted, Others, Top};

/// The greatest values, as far as they were counted.
pub(crate) struct Finding {
    /// How many are told.
    most: usize,
    /// Those are the greatest that measure the most, not the most frequent.
    is_by_sum: bool,
    top: Vec<Counted>,
    /// How many values there are, and the rows that have them.
    all: Others,
    without: Amount,
    /// The rows that have a value of each field.
    rows: Amount,
}

/// Values of one or two fields by their numbers, and the rows that have them.
type Item<const N: usize> = ([u32; N], Amount);

impl Finding {
    pub(crate) fn new(most: usize, is_by_sum: bool) -> Self {
        let (all, without, rows) = (Others::default(), Amount::default(), Amount::default());
        Self { most, is_by_sum, top: Vec::new(), all, without, rows }
    }

    /// Takes values of one field, of a share that comes for the first time: the rows of each class.
    pub(crate) fn add(&mut self, numbers: &Numbers<'_>, amounts: &[Amount]) {
        let met = numbers.met();
        let mut by_value = vec![Amount::default(); met.values.len()];
        for (list, amount) in met.lists.iter().zip(amounts) {
            for value in list {
                by_value[*value as usize] += *amount;
            }
        }
        // Rows without a value are of every share.
        self.without = amounts.first().copied().unwrap_or_default();
        let items = (0_u32..).zip(by_value).filter(|(_, amount)| amount.count > 0);
        self.keep(items.map(|(value, amount)| ([value], amount)), [&*met]);
    }

    /// Takes pairs of values of two fields, of shares that come together for the first time.
    pub(crate) fn add_pairs(&mut self, [one, other]: [&Numbers<'_>; 2], pairs: &segments::Pairs) {
        let (one, other) = (one.met(), other.met());
        let met = [&*one, &*other];
        let (Some(ones), Some(others)) = (alone(met[0]), alone(met[1])) else {
            return self.add_combined(met, pairs);
        };
        let value = |values: &[Option<u32>], class: u32| values[class as usize];
        let item = |((one, other), amount)| Some(([value(&ones, one)?, value(&others, other)?], amount));
        let before = self.all.amount;
        self.keep(pairs.iter().filter_map(item), met);
        self.rows += self.all.amount - before;
    }

    /// The same where rows count for several values of a field, and so for several pairs.
    fn add_combined(&mut self, met: [&Met; 2], pairs: &segments::Pairs) {
        let mut combined: HashMap<[u32; 2], Amount> = HashMap::new();
        for ((one, other), amount) in pairs.iter() {
            let (ones, others) = (&met[0].lists[one as usize], &met[1].lists[other as usize]);
            if !ones.is_empty() && !others.is_empty() {
                self.rows += amount;
            }
            for (one, other) in ones.iter().flat_map(|one| others.iter().map(move |other| (*one, *other))) {
                *combined.entry([one, other]).or_default() += amount;
            }
        }
        self.keep(combined.into_iter(), met);
    }

    /// The top of one field.
    pub(crate) fn top(self) -> Top {
        let amount = self.top.iter().fold(self.all.amount, |left, counted| left - counted.amount);
        let others = Others { values: self.all.values - self.top.len() as u64, amount };
        Top { values: self.top, others, without: self.without }
    }

    /// The top of two fields, of these rows in all.
    pub(crate) fn top_of(mut self, all: Amount) -> Top {
        self.without = all - self.rows;
        self.top()
    }

    fn keep<const N: usize>(&mut self, items: impl Iterator<Item = Item<N>>, met: [&Met; N]) {
        /// So many more than are told are collected before those are left out that are too small.
        const MANY: usize = 1 << 14;
        let (most, is_by_sum) = (self.most, self.is_by_sum);
        let size = |amount: &Amount| if is_by_sum { amount.sum } else { amount.count.into() };
        let (mut kept, mut least, mut full): (Vec<Item<N>>, _, _) = (Vec::new(), 0, most + MANY);
        for (numbers, amount) in items {
            self.all.values += 1;
            self.all.amount += amount;
            if most == 0 || size(&amount) < least {
                continue;
            }
            kept.push((numbers, amount));
            if kept.len() >= full {
                least = leave_greatest(&mut kept, most, size);
                // Equal ones all stay: they are looked through again once there are twice as many.
                full = 2 * kept.len() + MANY;
            }
        }
        // Texts are compared only of those that are as great as the last that is told.
        if kept.len() > most {
            leave_greatest(&mut kept, most, size);
        }
        let texts =
            |numbers: [u32; N]| -> [&str; N] { array::from_fn(|field| &*met[field].values[numbers[field] as usize]) };
        let key = |(numbers, amount): &Item<N>| (Reverse(size(amount)), texts(*numbers));
        if kept.len() > most {
            kept.select_nth_unstable_by(most - 1, |one, other| key(one).cmp(&key(other)));
            kept.truncate(most);
        }
        let counted = |(numbers, amount): Item<N>| Counted { values: texts(numbers).map(str::to_owned).into(), amount };
        self.top.extend(kept.into_iter().map(counted));
        let order = |one: &Counted, other: &Counted| {
            size(&other.amount).cmp(&size(&one.amount)).then_with(|| one.values.cmp(&other.values))
        };
        self.top.sort_unstable_by(order);
        self.top.truncate(most);
    }
}

/// The value of each class, by its number, where no class is of several.
fn alone(met: &Met) -> Option<Vec<Option<u32>>> {
    let value = |list: &[u32]| match list {
        [] => Some(None),
        [value] => Some(Some(*value)),
        _ => None,
    };
    met.lists.iter().map(|list| value(list)).collect()
}

/// Leaves the greatest of more items than `most`, and those that are as great as the last of them; gives how great that is.
fn leave_greatest<const N: usize>(items: &mut Vec<Item<N>>, most: usize, size: impl Fn(&Amount) -> u128) -> u128 {
    let (_, (_, least), _) = items.select_nth_unstable_by_key(most - 1, |(_, amount)| Reverse(size(amount)));
    let least = size(least);
    items.retain(|(_, amount)| size(amount) >= least);
    least
}
