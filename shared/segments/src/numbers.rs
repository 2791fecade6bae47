//! Columns of numbers: by blocks, and in each what a number is beyond the least one, in as many bits as that takes for the
//! greatest.
//!
//! A comparison passes over blocks of which no number, or every number, is in its range; any number is read where it stands.

use std::ops::{Range, RangeInclusive};
use std::sync::Arc;

use crate::Error;
use crate::codes::Rows;

const WHAT: &str = "a column of numbers";
const DAMAGED: Error = Error::Damaged(WHAT);
/// Numbers of a block, but for the last.
const BLOCK: usize = 1024;
const WORD_BITS: usize = 64;

/// What is measured of rows: for each the sum of these columns of numbers, or the greatest number that there is, where it is
/// beyond that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Measure(pub &'static [usize]);

impl Measure {
    /// What a row measures that has these numbers.
    pub(crate) fn of(self, numbers: &[u64]) -> u64 {
        self.0.iter().fold(0, |sum, column| sum.saturating_add(numbers[*column]))
    }
}

/// A column of numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Numbers {
    length: usize,
    blocks: Vec<Block>,
    /// Those of each block begin with a word of their own.
    words: Vec<u64>,
}

/// Neighbours in a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Block {
    least: u64,
    greatest: u64,
    /// Where its words begin.
    start: usize,
}

impl Block {
    /// How many bits each of its numbers takes.
    fn width(&self) -> usize {
        WORD_BITS - (self.greatest - self.least).leading_zeros() as usize
    }
}

/// How many words hold so many numbers.
fn words(numbers: usize, width: usize) -> usize {
    (numbers * width).div_ceil(WORD_BITS)
}

impl Numbers {
    pub(crate) fn new(numbers: &[u64]) -> Self {
        let mut packed = Self { length: numbers.len(), blocks: Vec::new(), words: Vec::new() };
        for numbers in numbers.chunks(BLOCK) {
            let least = numbers.iter().copied().min().unwrap_or_default();
            let greatest = numbers.iter().copied().max().unwrap_or_default();
            let block = Block { least, greatest, start: packed.words.len() };
            packed.blocks.push(block);
            packed.pack(&block, numbers);
        }
        packed.blocks.shrink_to_fit();
        packed.words.shrink_to_fit();
        packed
    }

    fn pack(&mut self, block: &Block, numbers: &[u64]) {
        let width = block.width();
        self.words.resize(block.start + words(numbers.len(), width), 0);
        if width == 0 {
            return;
        }
        let words = &mut self.words[block.start..];
        for (index, number) in numbers.iter().enumerate() {
            let beyond = number - block.least;
            let (word, bit) = (index * width / WORD_BITS, index * width % WORD_BITS);
            words[word] |= beyond << bit;
            if bit + width > WORD_BITS {
                words[word + 1] |= beyond >> (WORD_BITS - bit);
            }
        }
    }

    /// The least and the greatest of all; of none, a range that nothing is in.
    pub(crate) fn ends(&self) -> (u64, u64) {
        let least = self.blocks.iter().map(|block| block.least).min();
        let greatest = self.blocks.iter().map(|block| block.greatest).max();
        (least.unwrap_or(u64::MAX), greatest.unwrap_or(u64::MIN))
    }

    pub(crate) fn get(&self, row: usize) -> u64 {
        let block = self.blocks[row / BLOCK];
        block.least + self.unpacked(&block, row % BLOCK)
    }

    /// What the number at a place in a block is beyond the least one.
    fn unpacked(&self, block: &Block, index: usize) -> u64 {
        let width = block.width();
        if width == 0 {
            return 0;
        }
        let (word, bit) = (block.start + index * width / WORD_BITS, index * width % WORD_BITS);
        let mut beyond = self.words[word] >> bit;
        if bit + width > WORD_BITS {
            beyond |= self.words[word + 1] << (WORD_BITS - bit);
        }
        beyond & (u64::MAX >> (WORD_BITS - width))
    }

    /// Adds the numbers of as many rows as there are sums, which are all of one block.
    fn add(&self, first: usize, sums: &mut [u64]) {
        let block = self.blocks[first / BLOCK];
        for (index, sum) in (first % BLOCK..).zip(sums) {
            *sum = sum.saturating_add(block.least + self.unpacked(&block, index));
        }
    }

    /// Bytes of memory.
    pub(crate) fn weight(&self) -> usize {
        size_of::<Block>() * self.blocks.capacity() + 8 * self.words.capacity()
    }

    /// How many there are, the ends of each block, then the words.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let ends = self.blocks.iter().flat_map(|block| [block.least, block.greatest]);
        let length = [self.length as u64].into_iter();
        length.chain(ends).chain(self.words.iter().copied()).flat_map(u64::to_le_bytes).collect()
    }

    /// What [`Self::encode`] wrote of so many numbers.
    pub(crate) fn decode(encoded: &[u8], length: usize) -> Result<Self, Error> {
        let (all, rest) = encoded.as_chunks();
        let mut all = all.iter().map(|word| u64::from_le_bytes(*word));
        if !rest.is_empty() || all.next() != u64::try_from(length).ok() {
            return Err(DAMAGED);
        }
        let (mut blocks, mut start) = (Vec::with_capacity(length.div_ceil(BLOCK)), 0);
        for first in (0..length).step_by(BLOCK) {
            let (Some(least), Some(greatest)) = (all.next(), all.next()) else { return Err(DAMAGED) };
            if least > greatest {
                return Err(DAMAGED);
            }
            let block = Block { least, greatest, start };
            blocks.push(block);
            start += words(BLOCK.min(length - first), block.width());
        }
        let words: Vec<u64> = all.collect();
        if words.len() == start { Ok(Self { length, blocks, words }) } else { Err(DAMAGED) }
    }
}

/// What rows of a part measure.
pub(crate) struct Measured(pub(crate) Vec<Arc<Numbers>>);

impl Measured {
    pub(crate) fn get(&self, row: usize) -> u64 {
        self.0.iter().fold(0, |sum, numbers| sum.saturating_add(numbers.get(row)))
    }

    /// What each of some rows measures.
    pub(crate) fn of(&self, rows: &Rows<'_>) -> Vec<u64> {
        match rows {
            Rows::All(range) => {
                let mut sums = vec![0; range.len()];
                for piece in pieces(range) {
                    self.add(piece.start, &mut sums[piece.start - range.start..piece.end - range.start]);
                }
                sums
            }
            Rows::These(rows) => rows.iter().map(|row| self.get(*row as usize)).collect(),
        }
    }

    /// Sets the mask's bytes to whether what the rows from `from` on measure is in a range.
    pub(crate) fn select(&self, range: &RangeInclusive<u64>, from: usize, mask: &mut [u8]) {
        let mut sums = [0; BLOCK];
        for piece in pieces(&(from..from + mask.len())) {
            let mask = &mut mask[piece.start - from..piece.end - from];
            let ends = self.0.iter().map(|numbers| numbers.blocks[piece.start / BLOCK]);
            match is_within(range, ends.map(|block| (block.least, block.greatest))) {
                Some(known) => mask.fill(known.into()),
                None => {
                    let sums = &mut sums[..piece.len()];
                    sums.fill(0);
                    self.add(piece.start, sums);
                    for (byte, sum) in mask.iter_mut().zip(sums) {
                        *byte = range.contains(sum).into();
                    }
                }
            }
        }
    }

    fn add(&self, first: usize, sums: &mut [u64]) {
        for numbers in &self.0 {
            numbers.add(first, sums);
        }
    }
}

/// Whether what is measured is in a range, where that is the same for all numbers between the ends of each column.
pub(crate) fn is_within(range: &RangeInclusive<u64>, ends: impl Iterator<Item = (u64, u64)>) -> Option<bool> {
    let sum = |one: (u64, u64), other: (u64, u64)| (one.0.saturating_add(other.0), one.1.saturating_add(other.1));
    let (least, greatest) = ends.fold((0, 0), sum);
    if greatest < *range.start() || least > *range.end() {
        Some(false)
    } else if range.contains(&least) && range.contains(&greatest) {
        Some(true)
    } else {
        None
    }
}

/// The rows of a range that are of each block.
fn pieces(range: &Range<usize>) -> impl Iterator<Item = Range<usize>> + use<> {
    let Range { start, end } = *range;
    let blocks = if start < end { start / BLOCK..end.div_ceil(BLOCK) } else { 0..0 };
    blocks.map(move |block| start.max(block * BLOCK)..end.min((block + 1) * BLOCK))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of a few widths, also the least and the greatest, and blocks of one number alone.
    fn columns() -> Vec<Vec<u64>> {
        let spread =
            |length: u64, shift: u32| (0..length).map(|n| n.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> shift).collect();
        let mut columns: Vec<Vec<u64>> = [0, 1, 7, 31, 33, 50, 63].map(|shift| spread(2500, shift)).into();
        columns.extend([vec![], vec![7], vec![u64::MAX; 1025], spread(1024, 40)]);
        columns.push((0..2100).map(|n| 1_700_000_000_000 + n % 1000).collect());
        columns
    }

    #[test]
    fn numbers_of_every_width_come_back() {
        for column in columns() {
            let numbers = Numbers::new(&column);
            let read = Numbers::decode(&numbers.encode(), column.len()).unwrap();
            assert_eq!(read, numbers);
            assert!((0..column.len()).map(|row| read.get(row)).eq(column.iter().copied()));
            let measured = Measured(vec![Arc::new(read)]);
            assert_eq!(measured.of(&Rows::All(0..column.len())), column);
            assert!(Numbers::decode(&numbers.encode(), column.len() + 1).is_err());
            assert!(Numbers::decode(&numbers.encode()[1..], column.len()).is_err());
        }
    }

    #[test]
    fn a_range_of_sums_is_selected_as_one_by_one() {
        let columns: Vec<Vec<u64>> = columns().into_iter().filter(|column| column.len() >= 2100).collect();
        for (one, other) in columns.iter().zip(columns.iter().rev()) {
            let measured = Measured([one, other].map(|column| Arc::new(Numbers::new(column))).into());
            let sums: Vec<u64> = one.iter().zip(other).map(|(one, other)| one.saturating_add(*other)).collect();
            let rows: Vec<u32> = (0..2000).step_by(7).collect();
            let of_rows: Vec<u64> = rows.iter().map(|row| sums[*row as usize]).collect();
            assert_eq!(measured.of(&Rows::These(&rows)), of_rows);
            let middle = sums[1033];
            for range in [0..=u64::MAX, 0..=0, middle..=middle, middle..=u64::MAX, 0..=middle / 2] {
                for rows in [0..2000, 1023..1025, 1024..1024, 500..2100] {
                    let mut mask = vec![9; rows.len()];
                    measured.select(&range, rows.start, &mut mask);
                    let expected: Vec<u8> = sums[rows].iter().map(|sum| range.contains(sum).into()).collect();
                    assert_eq!(mask, expected, "{range:?}");
                }
            }
        }
    }
}
