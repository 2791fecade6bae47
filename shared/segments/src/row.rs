//! What a row is, and how it is written.

use std::sync::Arc;

use crate::Error;
use crate::points::Points;

/// A value of a column of symbols.
pub type Symbol = Arc<[u8]>;

/// The columns of a store's rows.
#[derive(Clone, Copy, Debug)]
pub struct Schema {
    /// Which dictionary each column of symbols uses; columns of the same kind of value share one.
    pub symbols: &'static [u8],
    /// For each dictionary what [`crate::Wanted::Containing`] looks through in a symbol, where it is asked for: texts in lower
    /// case that stand in the symbol as they are, but perhaps for the case.
    pub searched: &'static [Option<Texts>],
    /// For each dictionary by which keys [`crate::Wanted::Keyed`] looks a symbol up, where it is asked for: few for each,
    /// such as an id. To change them changes what is on disk.
    pub keys: &'static [Option<Texts>],
    /// For each dictionary where on a line [`crate::Wanted::Within`] finds a symbol, where it is asked for. To change them
    /// changes what is on disk.
    pub points: &'static [Option<Points>],
    /// The columns of symbols that most filters look at: see [`crate::Store::read_ahead`].
    pub filtered: &'static [usize],
    /// How many columns of numbers there are: to compare rows by and to sum up, never shown.
    pub numbers: usize,
    /// How many columns of texts there are: bytes of their own in every row, which are searched, never shown.
    pub texts: usize,
}

/// Gives texts of a symbol, one by one.
pub type Texts = fn(&[u8], &mut dyn FnMut(&[u8]));

impl Schema {
    /// What is searched of a dictionary's symbols.
    pub(crate) fn searched(&self, dictionary: usize) -> Option<Texts> {
        self.searched.get(dictionary).copied().flatten()
    }

    /// By what a dictionary's symbols are looked up.
    pub(crate) fn keys(&self, dictionary: usize) -> Option<Texts> {
        self.keys.get(dictionary).copied().flatten()
    }

    /// Where a dictionary's symbols stand on a line.
    pub(crate) fn points(&self, dictionary: usize) -> Option<Points> {
        self.points.get(dictionary).copied().flatten()
    }

    /// How many dictionaries a table has.
    pub(crate) fn dictionaries(&self) -> usize {
        self.symbols.iter().map(|dictionary| usize::from(*dictionary) + 1).max().unwrap_or_default()
    }
}

/// A row to be written.
#[derive(Clone, Copy, Debug)]
pub struct NewRow<'a> {
    /// What rows are ordered by.
    pub time: i64,
    /// What it is known by, and what orders rows of equal time.
    pub id: &'a [u8],
    /// A value for each column of symbols; nothing is the empty symbol.
    pub symbols: &'a [&'a [u8]],
    /// A value for each column of numbers.
    pub numbers: &'a [u64],
    /// A value for each column of texts.
    pub texts: &'a [&'a [u8]],
    /// The rest, which no filter looks at.
    pub rest: &'a [u8],
}

/// A row that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The value of each column of symbols.
    pub symbols: Vec<Symbol>,
    /// The rest.
    pub rest: Vec<u8>,
}

/// A row's number in its chunk or segment. They are numbered in 32 bits, which is checked here and nowhere else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct RowNumber(u32);

impl RowNumber {
    /// The first of a chunk or segment.
    pub(crate) const FIRST: Self = Self(0);
    /// None comes after it.
    pub(crate) const LAST: Self = Self(u32::MAX);

    pub(crate) fn new(index: usize) -> Result<Self, Error> {
        u32::try_from(index).map(Self).map_err(|_| Error::TooLarge("a chunk or segment"))
    }

    /// All numbers, in order.
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        Self::FIRST.onward()
    }

    /// This number and all that come after it, in order.
    pub(crate) fn onward(self) -> impl Iterator<Item = Self> {
        (self.0..=u32::MAX).map(Self)
    }

    pub(crate) fn index(self) -> usize {
        self.0 as usize
    }

    /// As it stands in sets of rows.
    pub(crate) fn bits(self) -> u32 {
        self.0
    }
}

/// Writes codes and rest: all that it takes to show the row.
pub(crate) fn encode(codes: &[u32], rest: &[u8], into: &mut Vec<u8>) {
    for code in codes {
        let mut left = *code;
        while left >= 0x80 {
            let [low, ..] = left.to_le_bytes();
            into.push(low | 0x80);
            left >>= 7;
        }
        let [low, ..] = left.to_le_bytes();
        into.push(low);
    }
    into.extend_from_slice(rest);
}

/// What [`encode`] wrote: as many codes as there is place for are taken out; gives the rest.
pub(crate) fn decode<'a>(encoded: &'a [u8], codes: &mut [u32]) -> Result<&'a [u8], Error> {
    let mut left = encoded;
    for place in codes {
        let mut code = 0_u32;
        for shift in (0..35).step_by(7) {
            let (byte, tail) = left.split_first().ok_or(Error::Damaged("a row"))?;
            left = tail;
            code |= u32::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                break;
            }
        }
        *place = code;
    }
    Ok(left)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_numbered_in_32_bits_or_not_at_all() {
        assert_eq!(RowNumber::new((1 << 32) - 1).unwrap(), RowNumber::LAST);
        assert!(matches!(RowNumber::new(1 << 32), Err(Error::TooLarge(_))));
    }

    #[test]
    fn codes_of_every_length_come_back() {
        let codes = [0, 0x7f, 0x80, 0x3fff, 0x4000, 0x1f_ffff, 0x20_0000, 0xfff_ffff, 0x1000_0000, u32::MAX];
        let mut encoded = Vec::new();
        encode(&codes, b"rest", &mut encoded);
        let mut decoded = [0; 10];
        assert_eq!(decode(&encoded, &mut decoded).unwrap(), b"rest");
        assert_eq!(decoded, codes);
    }
}
