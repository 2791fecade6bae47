//! Which rows of a part a resolved predicate wants, and how many.

use std::ops::Range;
use std::sync::Arc;

use memchr::memmem::Finder;

use crate::Error;
use crate::codes::{CodeSet, Mask, ones};
use crate::part::{self, Part};
use crate::points::set_of;
use crate::predicate::{Resolved, all_of, any_of, not};
use crate::row::RowNumber;

impl Part {
    /// How many rows of a range are wanted and not superseded.
    pub(crate) fn count(&self, wanted: &Resolved, range: Range<usize>) -> Result<u64, Error> {
        if range.is_empty() || matches!(wanted, Resolved::Never) {
            return Ok(0);
        }
        // What is left out is often counted, or of one column: no row has to be looked at for the others.
        if let Resolved::Not(inner) = wanted {
            let live = range.len() as u64 - self.superseded_in(&range);
            return Ok(live.saturating_sub(self.count(inner, range)?));
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

    /// The same, and where rows had to be looked at for it and few are wanted, which those are: what is asked next of the
    /// part need not look at the others again.
    pub(crate) fn find(&self, wanted: &Resolved, range: Range<usize>) -> Result<(u64, Option<Resolved>), Error> {
        /// So many rows of a part are remembered at most: a few bytes each, for every part that a list counts.
        const MAX_FOUND: u64 = 1024;
        match wanted {
            Resolved::Text { .. } | Resolved::Number { .. } | Resolved::All(_) | Resolved::Any(_) => {
                let mask = self.mask(wanted, range.clone())?;
                let count = ones(&mask);
                let found = if count <= MAX_FOUND { Some(Resolved::rows(&mask, range.start)?) } else { None };
                Ok((count, found))
            }
            Resolved::Always
            | Resolved::Never
            | Resolved::Symbol { .. }
            | Resolved::Time(_)
            | Resolved::Rows(_)
            | Resolved::Not(_) => Ok((self.count(wanted, range)?, None)),
        }
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
    /// The rows that a mask lets through, of which the first has this place.
    fn rows(mask: &[u8], first: usize) -> Result<Self, Error> {
        let rows: Result<Vec<u32>, Error> =
            memchr::memchr_iter(1, mask).map(|row| Ok(RowNumber::new(first + row)?.bits())).collect();
        Ok(Self::Rows(Arc::new(set_of(rows?))))
    }

    /// The predicate as far as it is open in a part, where only some symbols are present.
    pub(crate) fn within(&self, part: &Part) -> Result<Resolved, Error> {
        Ok(match self {
            Self::Always => Self::Always,
            Self::Never => Self::Never,
            Self::Symbol { column, set } => {
                let present = part.present(*column);
                if !set.meets(present) {
                    Self::Never
                } else if present.is_subset(set.members()) {
                    Self::Always
                } else {
                    Self::Symbol { column: *column, set: set.clone() }
                }
            }
            Self::Text { column, finder } => {
                if part.may_contain(*column, finder.needle())? {
                    Self::Text { column: *column, finder: finder.clone() }
                } else {
                    Self::Never
                }
            }
            Self::Number { measure, range } => match part.is_within(*measure, range) {
                Some(true) => Self::Always,
                Some(false) => Self::Never,
                None => Self::Number { measure: *measure, range: range.clone() },
            },
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
            Self::All(parts) => all_of(parts, |inner| inner.within(part))?,
            Self::Any(parts) => any_of(parts, |inner| inner.within(part))?,
            Self::Not(inner) => not(inner.within(part)?),
        })
    }

    /// Sets the mask's bytes to whether the rows of `part` from `from` on are wanted.
    pub(crate) fn select(&self, part: &Part, from: usize, mask: &mut [u8]) -> Result<(), Error> {
        match self {
            Self::Always => mask.fill(1),
            Self::Never => mask.fill(0),
            Self::Symbol { column, set } => part.codes(*column)?.select(set, from, mask),
            Self::Text { column, finder } => select_text(part, *column, finder, from, mask)?,
            Self::Number { measure, range } => part.measured(*measure)?.select(range, from, mask),
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
            Self::All(parts) => select_all(parts, part, from, mask)?,
            Self::Any(parts) => select_any(parts, part, from, mask)?,
            Self::Not(inner) => {
                inner.select(part, from, mask)?;
                for byte in mask {
                    *byte ^= 1;
                }
            }
        }
        Ok(())
    }

    /// Drops the rows that are not wanted from a few rows of `part`, which are in order.
    fn retain(&self, part: &Part, rows: &mut Vec<usize>) -> Result<(), Error> {
        if rows.is_empty() {
            return Ok(());
        }
        match self {
            Self::Always => {}
            Self::Never => rows.clear(),
            Self::Symbol { column, set } => {
                let codes = part.codes(*column)?;
                rows.retain(|row| set.contains(codes.get(*row)));
            }
            Self::Text { column, finder } => {
                let texts = part.texts(*column)?;
                rows.retain(|row| finder.find(texts.get(*row)).is_some());
            }
            Self::Number { measure, range } => {
                let measured = part.measured(*measure)?;
                rows.retain(|row| range.contains(&measured.get(*row)));
            }
            Self::Time(range) => {
                let wanted = part.range(*range)?;
                rows.retain(|row| wanted.contains(row));
            }
            Self::Rows(wanted) => rows.retain(|row| u32::try_from(*row).is_ok_and(|row| wanted.contains(row))),
            Self::All(parts) => {
                for inner in parts {
                    inner.retain(part, rows)?;
                }
            }
            Self::Any(parts) => {
                let mut others = rows.clone();
                for inner in parts {
                    inner.drop_from(part, &mut others)?;
                }
                rows.retain(|row| others.binary_search(row).is_err());
            }
            Self::Not(inner) => inner.drop_from(part, rows)?,
        }
        Ok(())
    }

    /// Drops the rows that are wanted.
    fn drop_from(&self, part: &Part, rows: &mut Vec<usize>) -> Result<(), Error> {
        let mut wanted = rows.clone();
        self.retain(part, &mut wanted)?;
        rows.retain(|row| wanted.binary_search(row).is_err());
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
            Self::Text { .. } | Self::Number { .. } | Self::All(_) | Self::Any(_) | Self::Not(_) => {
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

fn select_all(parts: &[Resolved], part: &Part, from: usize, mask: &mut [u8]) -> Result<(), Error> {
    let Some((first, others)) = parts.split_first() else { return Ok(()) };
    first.select(part, from, mask)?;
    let mut next = Vec::new();
    for (number, other) in others.iter().enumerate() {
        if let Some(mut rows) = few(mask) {
            for row in &mut rows {
                mask[*row] = 0;
                *row += from;
            }
            for other in &others[number..] {
                other.retain(part, &mut rows)?;
            }
            for row in rows {
                mask[row - from] = 1;
            }
            return Ok(());
        }
        next.resize(mask.len(), 0);
        other.select(part, from, &mut next)?;
        for (byte, other) in mask.iter_mut().zip(&next) {
            *byte &= other;
        }
    }
    Ok(())
}

fn select_any(parts: &[Resolved], part: &Part, from: usize, mask: &mut [u8]) -> Result<(), Error> {
    let Some((first, others)) = parts.split_first() else { return Ok(()) };
    first.select(part, from, mask)?;
    let mut next = Vec::new();
    for other in others {
        if let Resolved::Symbol { column, set } = other {
            part.codes(*column)?.add(set, from, mask);
            continue;
        }
        next.resize(mask.len(), 0);
        other.select(part, from, &mut next)?;
        for (byte, other) in mask.iter_mut().zip(&next) {
            *byte |= other;
        }
    }
    Ok(())
}

/// The rows that a mask lets through, where they are so few that to ask about each takes less time than to look at all of
/// a column.
fn few(mask: &[u8]) -> Option<Vec<usize>> {
    /// Of so many rows one may be left.
    const FEW: usize = 128;
    let most = mask.len() / FEW;
    let rows: Vec<usize> = memchr::memchr_iter(1, mask).take(most + 1).collect();
    (rows.len() <= most).then_some(rows)
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
