//! How many rows there are, and how much they measure.

use std::ops::{AddAssign, Sub};

use serde::{Deserialize, Serialize};

/// How many rows there are, and how much they measure together: nothing, where nothing is measured.
///
/// Sums are exact: more rows than there are numbers for would have to measure the most that there is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Amount {
    /// How many rows.
    pub count: u64,
    /// How much they measure.
    pub sum: u128,
}

impl Amount {
    /// So many rows, of which nothing is measured.
    #[must_use]
    pub fn of(count: u64) -> Self {
        Self { count, sum: 0 }
    }

    /// Rows that measure this, each for itself.
    pub(crate) fn measured(values: &[u64]) -> Self {
        Self { count: values.len() as u64, sum: values.iter().map(|value| u128::from(*value)).sum() }
    }
}

impl AddAssign for Amount {
    fn add_assign(&mut self, other: Self) {
        self.count += other.count;
        self.sum += other.sum;
    }
}

impl Sub for Amount {
    type Output = Self;

    /// What is left of rows without some of them.
    fn sub(self, some: Self) -> Self {
        Self { count: self.count.saturating_sub(some.count), sum: self.sum.saturating_sub(some.sum) }
    }
}
