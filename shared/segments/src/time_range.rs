//! A stretch of time.

/// A stretch of time, in the unit of the rows' times. Both ends are inside; none is open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TimeRange {
    /// The first time inside.
    pub from: Option<i64>,
    /// The last time inside.
    pub to: Option<i64>,
}

impl TimeRange {
    /// All of time.
    pub const ALL: Self = Self { from: None, to: None };

    /// Whether any time from `first` to `last` may be inside.
    pub(crate) fn overlaps(&self, first: i64, last: i64) -> bool {
        self.from.is_none_or(|from| from <= last) && self.to.is_none_or(|to| to >= first)
    }

    /// Whether all times from `first` to `last` are inside.
    pub(crate) fn covers(&self, first: i64, last: i64) -> bool {
        self.from.is_none_or(|from| from <= first) && self.to.is_none_or(|to| to >= last)
    }
}
