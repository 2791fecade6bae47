//! Which rows of a part a resolved predicate wants, and how many.

use std::ops::Range;

use memchr::memmem::Finder;

use crate::Error;
use crate::codes::{CodeSet, Mask, ones};
use crate::part::{self, Part};
use crate::predicate::{Resolved, all, any, not};

impl Part {
    /// How many rows of a range are wanted and not superseded.
    pub(crate) fn count(&self, wanted: &Resolved, range: Range<usize>) -> Result<u64, Error> {
        if range.is_empty() || matches!(wanted, Resolved::Never) {
            return Ok(0);
        }
        if range.len() == self.len()
            && let Resolved::Symbol { column, set } = wanted
            && let Some(count) = self.counted(*column, set)?
        {
            return Ok(count);
        }
        let superseded = self.superseded_in(&range);
        if superseded == 0 {
            return wanted.count(self, range);
        }
        if matches!(wanted, Resolved::Always) {
            return Ok(range.len() as u64 - superseded);
        }
        Ok(ones(&self.mask(wanted, range)?))
    }

    /// How many rows of all have one of these codes and are not superseded, where they were counted.
    fn counted(&self, column: usize, set: &CodeSet) -> Result<Option<u64>, Error> {
        let Some(counts) = self.segment().and_then(|segment| segment.counts(column)) else { return Ok(None) };
        let count = set.count(self.present(column), counts);
        if self.superseded.is_empty() {
            return Ok(Some(count));
        }
        let codes = self.codes(column)?;
        let superseded = self.superseded.iter().filter(|row| set.contains(codes.get(*row as usize)));
        Ok(Some(count.saturating_sub(superseded.count() as u64)))
    }

    /// For each row of a range whether it is wanted and not superseded.
    pub(crate) fn mask(&self, wanted: &Resolved, range: Range<usize>) -> Result<Mask, Error> {
        let mut mask = vec![0; range.len()];
        wanted.select(self, range.start, &mut mask)?;
        if self.superseded_in(&range) > 0 {
            for index in self.superseded_rows(&range) {
                mask[index as usize - range.start] = 0;
            }
        }
        Ok(mask)
    }
}

impl Resolved {
    /// The predicate as far as it is open in a part, where only some symbols are present.
    pub(crate) fn within(&self, part: &Part) -> Resolved {
        match self {
            Self::Always => Self::Always,
            Self::Never => Self::Never,
            Self::Symbol { column, set } => {
                let present = part.present(*column);
                if set.members().is_disjoint(present) {
                    Self::Never
                } else if present.is_subset(set.members()) {
                    Self::Always
                } else {
                    Self::Symbol { column: *column, set: set.clone() }
                }
            }
            Self::Text { column, finder } => Self::Text { column: *column, finder: finder.clone() },
            Self::Time(range) => {
                let (first, last) = part.span();
                if !range.overlaps(first, last) {
                    Self::Never
                } else if range.covers(first, last) {
                    Self::Always
                } else {
                    Self::Time(*range)
                }
            }
            Self::Rows(rows) => Self::Rows(rows.clone()),
            Self::All(parts) => all(parts.iter().map(|inner| inner.within(part))),
            Self::Any(parts) => any(parts.iter().map(|inner| inner.within(part))),
            Self::Not(inner) => not(inner.within(part)),
        }
    }

    /// Sets the mask's bytes to whether the rows of `part` from `from` on are wanted.
    pub(crate) fn select(&self, part: &Part, from: usize, mask: &mut [u8]) -> Result<(), Error> {
        match self {
            Self::Always => mask.fill(1),
            Self::Never => mask.fill(0),
            Self::Symbol { column, set } => part.codes(*column)?.select(set, from, mask),
            Self::Text { column, finder } => select_text(part, *column, finder, from, mask)?,
            Self::Time(range) => {
                mask.fill(0);
                let wanted = common(&part.range(*range)?, &(from..from + mask.len()));
                mask[wanted.start - from..wanted.end - from].fill(1);
            }
            Self::Rows(rows) => {
                mask.fill(0);
                for row in part::bounds(&(from..from + mask.len())).into_iter().flat_map(|bounds| rows.range(bounds)) {
                    mask[row as usize - from] = 1;
                }
            }
            Self::All(parts) => {
                combine(parts, part, from, mask, |mask, other| *mask &= other)?;
            }
            Self::Any(parts) => {
                combine(parts, part, from, mask, |mask, other| *mask |= other)?;
            }
            Self::Not(inner) => {
                inner.select(part, from, mask)?;
                for byte in mask {
                    *byte ^= 1;
                }
            }
        }
        Ok(())
    }

    /// How many rows of a range of `part` are wanted.
    pub(crate) fn count(&self, part: &Part, range: Range<usize>) -> Result<u64, Error> {
        match self {
            Self::Always => Ok(range.len() as u64),
            Self::Never => Ok(0),
            Self::Symbol { column, set } => Ok(part.codes(*column)?.count(set, range)),
            Self::Time(wanted) => Ok(common(&part.range(*wanted)?, &range).len() as u64),
            Self::Rows(rows) => Ok(part::bounds(&range).map_or(0, |bounds| rows.range_cardinality(bounds))),
            Self::Text { .. } | Self::All(_) | Self::Any(_) | Self::Not(_) => {
                let mut mask = vec![0; range.len()];
                self.select(part, range.start, &mut mask)?;
                Ok(ones(&mask))
            }
        }
    }
}

/// The rows of both ranges; where there are none, an empty range within the second.
fn common(one: &Range<usize>, other: &Range<usize>) -> Range<usize> {
    let start = one.start.clamp(other.start, other.end);
    start..one.end.clamp(start, other.end)
}

fn combine(
    parts: &[Resolved],
    part: &Part,
    from: usize,
    mask: &mut [u8],
    merge: impl Fn(&mut u8, u8),
) -> Result<(), Error> {
    let Some((first, others)) = parts.split_first() else { return Ok(()) };
    first.select(part, from, mask)?;
    let mut next = vec![0; mask.len()];
    for other in others {
        other.select(part, from, &mut next)?;
        for (byte, other) in mask.iter_mut().zip(&next) {
            merge(byte, *other);
        }
    }
    Ok(())
}

fn select_text(part: &Part, column: usize, finder: &Finder<'_>, from: usize, mask: &mut [u8]) -> Result<(), Error> {
    mask.fill(0);
    let texts = part.texts(column)?;
    let end = from + mask.len();
    let mut row = from;
    // All texts lie end to end: a match counts where it does not cross from one into the next.
    let mut start = if from < end { texts.start(from) } else { return Ok(()) };
    let stop = texts.end(end - 1);
    while let Some(found) = finder.find(&texts.bytes()[start..stop]) {
        let found = start + found;
        row = row.max(texts.index_of(found));
        if found + finder.needle().len() <= texts.end(row) {
            mask[row - from] = 1;
            start = texts.end(row);
        } else {
            start = found + 1;
        }
    }
    Ok(())
}
