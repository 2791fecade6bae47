//! Which rows of a part match: found once, however many counts are made of them.

use std::cell::OnceCell;
use std::ops::Range;

use roaring::RoaringBitmap;

use crate::Error;
use crate::codes::{Mask, Rows};
use crate::judged::Instead;
use crate::numbers::Measure;
use crate::part::{Part, bounds};
use crate::predicate::Resolved;
use crate::snapshot::Stretch;

/// The rows of a part that match; there are some.
pub(crate) struct Selected {
    pub(crate) part: Part,
    /// The rows in the range of time.
    pub(crate) range: Range<usize>,
    /// Those of them that match; none: all do.
    rows: Option<RoaringBitmap>,
    /// What some of them count for instead of their own numbers, in their order.
    instead: Vec<(u32, Box<[u64]>)>,
}

/// The same rows, one by one, once that is asked for.
pub(crate) struct Listed<'a> {
    rows: Option<&'a RoaringBitmap>,
    list: OnceCell<Vec<u32>>,
}

/// Some of them: those in a part of the range.
pub(crate) struct Piece<'a> {
    pub(crate) selected: &'a Selected,
    pub(crate) rows: Rows<'a>,
    /// Whether the range is all of the part.
    pub(crate) is_whole: bool,
    /// What each of them measures, where that is asked for.
    pub(crate) values: Option<Vec<u64>>,
}

impl Selected {
    /// The rows that are wanted of a part and not superseded; none where there are none.
    pub(crate) fn of(Stretch { part, wanted, range }: Stretch) -> Result<Option<Self>, Error> {
        if matches!(wanted, Resolved::Always) && part.superseded_in(&range) == 0 {
            return Ok((!range.is_empty()).then_some(Self { part, range, rows: None, instead: Vec::new() }));
        }
        let rows = set_of(&part.mask(&wanted, range.clone())?, range.start)?;
        if rows.is_empty() {
            return Ok(None);
        }
        let is_all = rows.len() == range.len() as u64;
        Ok(Some(Self { part, range, rows: Some(rows).filter(|_| !is_all), instead: Vec::new() }))
    }

    /// Lets those of them count for other numbers than their own that have some here.
    pub(crate) fn count_for(&mut self, instead: &Instead) -> Result<(), Error> {
        let ids = self.part.ids()?;
        let listed = self.listed();
        let numbers = |row: u32| Some((row, instead.get(ids.get(row as usize))?.clone()));
        let found: Vec<_> = match listed.within(&self.range) {
            Rows::All(range) => bounds(&range).into_iter().flatten().filter_map(numbers).collect(),
            Rows::These(rows) => rows.iter().copied().filter_map(numbers).collect(),
        };
        self.instead = found;
        Ok(())
    }

    /// What each of some of them measures.
    pub(crate) fn values(&self, rows: &Rows<'_>, measure: Measure) -> Result<Vec<u64>, Error> {
        let mut values = self.part.measured(measure)?.of(rows);
        let Some((first, last)) = rows.ends() else { return Ok(values) };
        let begin = self.instead.partition_point(|(row, _)| *row < first);
        for (row, numbers) in self.instead[begin..].iter().take_while(|(row, _)| *row <= last) {
            if let Some(place) = rows.place_of(*row) {
                values[place] = measure.of(numbers);
            }
        }
        Ok(values)
    }

    /// How many there are.
    pub(crate) fn len(&self) -> u64 {
        self.rows.as_ref().map_or(self.range.len() as u64, RoaringBitmap::len)
    }

    /// How many there are in a part of the range.
    pub(crate) fn count(&self, range: &Range<usize>) -> u64 {
        match &self.rows {
            None => range.len() as u64,
            Some(rows) => bounds(range).map_or(0, |bounds| rows.range_cardinality(bounds)),
        }
    }

    /// The first and the last of them.
    pub(crate) fn ends(&self) -> (usize, usize) {
        let all = (self.range.start, self.range.end.saturating_sub(1));
        let ends = |rows: &RoaringBitmap| Some((rows.min()? as usize, rows.max()? as usize));
        self.rows.as_ref().and_then(ends).unwrap_or(all)
    }

    /// Those of all rows of the part that are left out, where that is quicker to look at.
    pub(crate) fn left_out(&self) -> Option<RoaringBitmap> {
        if self.range.len() != self.part.len() {
            return None;
        }
        let Some(rows) = &self.rows else { return Some(RoaringBitmap::new()) };
        let is_less = 2 * rows.len() > self.range.len() as u64;
        let mut all = RoaringBitmap::new();
        all.insert_range(bounds(&self.range)?);
        is_less.then(|| all - rows)
    }

    /// Those in a part of the range, of which `listed` is the list, with what each of them measures, where that is asked for.
    pub(crate) fn piece<'a>(
        &'a self,
        listed: &'a Listed<'_>,
        range: &Range<usize>,
        measure: Option<Measure>,
    ) -> Result<Piece<'a>, Error> {
        let rows = listed.within(range);
        let values = measure.map(|measure| self.values(&rows, measure)).transpose()?;
        Ok(Piece { selected: self, rows, is_whole: *range == (0..self.part.len()), values })
    }

    /// Lists them.
    pub(crate) fn listed(&self) -> Listed<'_> {
        Listed { rows: self.rows.as_ref(), list: OnceCell::new() }
    }
}

impl Listed<'_> {
    /// Those in a part of the range.
    pub(crate) fn within(&self, range: &Range<usize>) -> Rows<'_> {
        let Some(rows) = self.rows else { return Rows::All(range.clone()) };
        let rows = self.list.get_or_init(|| rows.iter().collect());
        let before = |end: usize| rows.partition_point(|row| (*row as usize) < end);
        Rows::These(&rows[before(range.start)..before(range.end)])
    }
}

/// The rows that a mask lets through, whose first byte is of the row `first`.
fn set_of(mask: &Mask, first: usize) -> Result<RoaringBitmap, Error> {
    // A set is made of whole bytes: the rows before the first fill up its byte.
    let before = first % 8;
    let mut padded = vec![0; before];
    padded.extend_from_slice(mask);
    padded.resize(padded.len().next_multiple_of(8), 0);
    let bits: Vec<u8> = padded.as_chunks().0.iter().map(|bytes| packed(*bytes)).collect();
    let offset = u32::try_from(first - before).map_err(|_| Error::TooLarge("a chunk or segment"))?;
    Ok(RoaringBitmap::from_lsb0_bytes(offset, &bits))
}

/// Eight bytes, each 0 or 1, as the bits of one: each byte is moved to the highest, to a place of its own there.
fn packed(bytes: [u8; 8]) -> u8 {
    const TO_HIGHEST: u64 = 0x0102_0408_1020_4080;
    let [.., highest] = u64::from_le_bytes(bytes).wrapping_mul(TO_HIGHEST).to_le_bytes();
    highest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mask_becomes_the_set_of_its_rows() {
        for first in [0, 1, 7, 8, 65_533, 65_536] {
            for length in [0, 1, 8, 9, 200] {
                let mask: Mask = (0..length).map(|index| u8::from((index * index + first) % 3 == 0)).collect();
                let expected: RoaringBitmap =
                    (first..).zip(&mask).filter(|(_, byte)| **byte == 1).map(|(row, _)| row as u32).collect();
                assert_eq!(set_of(&mask, first).unwrap(), expected, "{first} {length}");
            }
        }
    }
}
