//! In which order rows are listed.
//!
//! Every part is ordered by time and id, and stays so whatever is asked for. Who walks over parts knows ranks instead of
//! times, of which the greatest comes first: so there is one walk for both directions.

use std::ops::Range;

/// In which order rows are listed. Equal times are ordered by id, in the same direction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// The latest first.
    #[default]
    NewestFirst,
    /// The earliest first.
    OldestFirst,
}

impl Order {
    /// What a time counts as: of two rows the one with the greater rank comes first.
    pub(crate) fn rank(self, time: i64) -> i64 {
        match self {
            Self::NewestFirst => time,
            // Like the negative, which the least number does not have.
            Self::OldestFirst => !time,
        }
    }

    /// The least and the greatest rank of rows with such earliest and latest times.
    pub(crate) fn ranks(self, (earliest, latest): (i64, i64)) -> (i64, i64) {
        match self {
            Self::NewestFirst => (earliest, latest),
            Self::OldestFirst => (self.rank(latest), self.rank(earliest)),
        }
    }

    /// Of two rows of one time, whether the one with the first id comes later.
    pub(crate) fn comes_later(self, id: &[u8], other: &[u8]) -> bool {
        match self {
            Self::NewestFirst => id < other,
            Self::OldestFirst => id > other,
        }
    }

    /// Takes off a range of a part's rows the ones that come first, so many at most; gives them.
    pub(crate) fn take_first(self, rows: &mut Range<usize>, count: usize) -> Range<usize> {
        let count = count.min(rows.len());
        let first = match self {
            Self::NewestFirst => rows.end - count..rows.end,
            Self::OldestFirst => rows.start..rows.start + count,
        };
        match self {
            Self::NewestFirst => rows.end = first.start,
            Self::OldestFirst => rows.start = first.end,
        }
        first
    }

    /// Puts what stands in a part's order so that what comes first is last.
    pub(crate) fn first_last<T>(self, rows: &mut [T]) {
        match self {
            Self::NewestFirst => {}
            Self::OldestFirst => rows.reverse(),
        }
    }
}
