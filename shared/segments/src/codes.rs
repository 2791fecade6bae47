//! A column of codes in the narrowest integers that hold them, how it is compared with wanted codes, and counted.

use std::ops::Range;

use roaring::RoaringBitmap;

use crate::Error;

/// A column of codes.
#[derive(Clone, Debug)]
pub(crate) enum Codes {
    Bytes(Vec<u8>),
    Shorts(Vec<u16>),
    Words(Vec<u32>),
}

/// Which rows pass: a byte for each, 1 or 0, because compilers turn loops over bytes into vector instructions.
pub(crate) type Mask = Vec<u8>;

/// Some rows of a column.
#[derive(Clone, Debug)]
pub(crate) enum Rows<'a> {
    /// All of a range.
    All(Range<usize>),
    /// These, in their order.
    These(&'a [u32]),
}

impl Rows<'_> {
    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::All(range) => range.len(),
            Self::These(rows) => rows.len(),
        }
    }

    /// The first and the last of them; none where there is none.
    pub(crate) fn ends(&self) -> Option<(u32, u32)> {
        match self {
            Self::All(range) => {
                let last = range.len().checked_sub(1)? + range.start;
                Some((u32::try_from(range.start).ok()?, u32::try_from(last).ok()?))
            }
            Self::These(rows) => Some((*rows.first()?, *rows.last()?)),
        }
    }

    /// Which of them a row is.
    pub(crate) fn place_of(&self, row: u32) -> Option<usize> {
        match self {
            Self::All(range) => Some(row as usize).filter(|row| range.contains(row)).map(|row| row - range.start),
            Self::These(rows) => rows.binary_search(&row).ok(),
        }
    }
}

/// Wanted codes, laid out for comparison with columns of any width.
#[derive(Clone, Debug)]
pub(crate) struct CodeSet {
    members: RoaringBitmap,
    /// For each code a 1 or a 0; at least as long as a column of bytes or shorts needs, if it is used for one.
    table: Vec<u8>,
}

const BYTES: usize = 1 << 8;
const SHORTS: usize = 1 << 16;

impl CodeSet {
    pub(crate) fn new(members: RoaringBitmap) -> Self {
        let longest = members.max().map_or(0, |max| max as usize + 1);
        let length = if longest <= BYTES { BYTES } else { longest.max(SHORTS) };
        let mut table = Vec::new();
        // A single code is compared, not looked up.
        if members.len() != 1 {
            table.resize(length, 0);
            for member in &members {
                table[member as usize] = 1;
            }
        }
        Self { members, table }
    }

    pub(crate) fn members(&self) -> &RoaringBitmap {
        &self.members
    }

    pub(crate) fn contains(&self, code: u32) -> bool {
        self.members.contains(code)
    }

    /// How many rows have a wanted code, of those that are present in a column so many times.
    pub(crate) fn count(&self, present: &RoaringBitmap, counts: &[u32]) -> u64 {
        if self.is_few_of(present) {
            let count = |code: u32| {
                let place = present.contains(code).then(|| present.rank(code) - 1)?;
                counts.get(usize::try_from(place).ok()?).copied()
            };
            return self.members.iter().filter_map(count).map(u64::from).sum();
        }
        let wanted = present.iter().zip(counts).filter(|(code, _)| self.contains(*code));
        wanted.map(|(_, count)| u64::from(*count)).sum()
    }

    /// Whether a wanted code is present in a column.
    pub(crate) fn meets(&self, present: &RoaringBitmap) -> bool {
        if self.is_few_of(present) {
            return self.members.iter().any(|code| present.contains(code));
        }
        !self.members.is_disjoint(present)
    }

    /// Whether it takes less time to look for each wanted code among those that are present than to walk along all of these.
    fn is_few_of(&self, present: &RoaringBitmap) -> bool {
        /// To find the place of a code takes as long as to pass so many by.
        const PASSED_BY: u64 = 8;
        self.members.len() * PASSED_BY <= present.len()
    }

    fn single(&self) -> Option<u32> {
        if self.members.len() == 1 { self.members.min() } else { None }
    }
}

/// The codes that there are, all below `LIMIT`. Marked bit by bit, for a bitmap is slow to find the place of each.
fn distinct<const LIMIT: usize>(codes: impl Iterator<Item = usize>) -> RoaringBitmap {
    let mut bits = vec![0_u8; LIMIT / 8];
    for code in codes {
        bits[code / 8] |= 1 << (code % 8);
    }
    RoaringBitmap::from_lsb0_bytes(0, &bits)
}

impl Codes {
    /// From codes, in the width that the largest needs.
    pub(crate) fn new(codes: impl Iterator<Item = u32> + Clone) -> Self {
        if let Ok(codes) = codes.clone().map(u8::try_from).collect() {
            return Self::Bytes(codes);
        }
        if let Ok(codes) = codes.clone().map(u16::try_from).collect() {
            return Self::Shorts(codes);
        }
        Self::Words(codes.collect())
    }

    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Bytes(codes) => codes.len(),
            Self::Shorts(codes) => codes.len(),
            Self::Words(codes) => codes.len(),
        }
    }

    pub(crate) fn get(&self, index: usize) -> u32 {
        match self {
            Self::Bytes(codes) => codes[index].into(),
            Self::Shorts(codes) => codes[index].into(),
            Self::Words(codes) => codes[index],
        }
    }

    /// Which codes are there.
    pub(crate) fn present(&self) -> RoaringBitmap {
        match self {
            Self::Bytes(codes) => distinct::<BYTES>(codes.iter().map(|code| (*code).into())),
            Self::Shorts(codes) => distinct::<SHORTS>(codes.iter().map(|code| (*code).into())),
            Self::Words(codes) => codes.iter().copied().collect(),
        }
    }

    /// How often each of the codes that are there is there, in their order.
    pub(crate) fn counts(&self, present: &RoaringBitmap) -> Box<[u32]> {
        let mut tally = vec![0; present.max().map_or(0, |max| max as usize + 1)];
        for index in 0..self.len() {
            tally[self.get(index) as usize] += 1;
        }
        present.iter().map(|code| tally[code as usize]).collect()
    }

    /// Sets the mask's bytes to whether the codes from `from` on are wanted.
    pub(crate) fn select(&self, set: &CodeSet, from: usize, mask: &mut [u8]) {
        self.judge::<false>(set, from, mask);
    }

    /// Sets the mask's bytes to 1 where the codes from `from` on are wanted, and leaves the others as they are.
    pub(crate) fn add(&self, set: &CodeSet, from: usize, mask: &mut [u8]) {
        self.judge::<true>(set, from, mask);
    }

    /// Gives each of the mask's bytes whether the code at its place is wanted; `ADDS` to what it says already.
    fn judge<const ADDS: bool>(&self, set: &CodeSet, from: usize, mask: &mut [u8]) {
        let range = from..from + mask.len();
        match (self, set.single()) {
            (Self::Bytes(codes), Some(code)) => equal::<_, ADDS>(&codes[range], u8::try_from(code).ok(), mask),
            (Self::Shorts(codes), Some(code)) => equal::<_, ADDS>(&codes[range], u16::try_from(code).ok(), mask),
            (Self::Words(codes), Some(code)) => equal::<_, ADDS>(&codes[range], Some(code), mask),
            (Self::Bytes(codes), None) => {
                if let Some(table) = set.table.first_chunk::<BYTES>() {
                    look_up::<_, ADDS>(&codes[range], |code| table[usize::from(code)], mask);
                }
            }
            (Self::Shorts(codes), None) => match set.table.first_chunk::<SHORTS>() {
                Some(table) => look_up::<_, ADDS>(&codes[range], |code| table[usize::from(code)], mask),
                None => {
                    let wants = |code| set.table.get(usize::from(code)).copied().unwrap_or_default();
                    look_up::<_, ADDS>(&codes[range], wants, mask);
                }
            },
            (Self::Words(codes), None) => {
                let wants = |code| set.table.get(code as usize).copied().unwrap_or_default();
                look_up::<_, ADDS>(&codes[range], wants, mask);
            }
        }
    }

    /// How many codes of a range are wanted.
    pub(crate) fn count(&self, set: &CodeSet, range: Range<usize>) -> u64 {
        match (self, set.single()) {
            (Self::Bytes(codes), Some(code)) => count_equal(&codes[range], u8::try_from(code).ok()),
            (Self::Shorts(codes), Some(code)) => count_equal(&codes[range], u16::try_from(code).ok()),
            (Self::Words(codes), Some(code)) => count_equal(&codes[range], Some(code)),
            (Self::Bytes(_) | Self::Shorts(_) | Self::Words(_), None) => {
                let mut mask = vec![0; range.len()];
                self.select(set, range.start, &mut mask);
                ones(&mask)
            }
        }
    }

    /// Gives the code of each of some rows, in their order.
    pub(crate) fn visit(&self, rows: &Rows<'_>, visit: impl FnMut(u32)) {
        match self {
            Self::Bytes(codes) => visit_each(codes, rows, visit),
            Self::Shorts(codes) => visit_each(codes, rows, visit),
            Self::Words(codes) => visit_each(codes, rows, visit),
        }
    }

    /// Adds how often each code is there in some rows, at the code's place: there is one for each.
    pub(crate) fn tally(&self, rows: &Rows<'_>, tally: &mut [u32]) {
        match (self, rows) {
            (Self::Bytes(codes), Rows::All(range)) => tally_bytes(&codes[range.clone()], tally),
            _ => self.visit(rows, |code| tally[code as usize] += 1),
        }
    }

    /// Bytes of memory.
    pub(crate) fn weight(&self) -> usize {
        match self {
            Self::Bytes(codes) => codes.len(),
            Self::Shorts(codes) => 2 * codes.len(),
            Self::Words(codes) => 4 * codes.len(),
        }
    }

    /// The width, then the codes.
    pub(crate) fn encode(&self) -> Vec<u8> {
        match self {
            Self::Bytes(codes) => [&[1], codes.as_slice()].concat(),
            Self::Shorts(codes) => [2].into_iter().chain(codes.iter().flat_map(|code| code.to_le_bytes())).collect(),
            Self::Words(codes) => [4].into_iter().chain(codes.iter().flat_map(|code| code.to_le_bytes())).collect(),
        }
    }

    /// What [`Self::encode`] wrote.
    pub(crate) fn decode(encoded: &[u8]) -> Result<Self, Error> {
        const WHAT: Error = Error::Damaged("a column");
        let (width, bytes) = encoded.split_first().ok_or(WHAT)?;
        match width {
            1 => Ok(Self::Bytes(bytes.to_vec())),
            2 => Ok(Self::Shorts(bytes.as_chunks().0.iter().map(|code| u16::from_le_bytes(*code)).collect())),
            4 => Ok(Self::Words(bytes.as_chunks().0.iter().map(|code| u32::from_le_bytes(*code)).collect())),
            _ => Err(WHAT),
        }
    }
}

fn equal<T: PartialEq + Copy, const ADDS: bool>(codes: &[T], wanted: Option<T>, mask: &mut [u8]) {
    let Some(wanted) = wanted else {
        // It is wider than any code here.
        if !ADDS {
            mask.fill(0);
        }
        return;
    };
    for (byte, code) in mask.iter_mut().zip(codes) {
        let is_wanted = u8::from(*code == wanted);
        *byte = if ADDS { *byte | is_wanted } else { is_wanted };
    }
}

/// Eight at a time: what a table says of each is put together in a register, so that the mask is read and written once for
/// all eight.
fn look_up<T: Copy, const ADDS: bool>(codes: &[T], wants: impl Fn(T) -> u8, mask: &mut [u8]) {
    let (words, last_bytes) = mask.as_chunks_mut();
    let (together, last_codes) = codes.as_chunks::<8>();
    for (word, codes) in words.iter_mut().zip(together) {
        let before = if ADDS { u64::from_le_bytes(*word) } else { 0 };
        let places = (0..u64::BITS).step_by(8);
        let now = codes.iter().zip(places).fold(before, |now, (code, place)| now | u64::from(wants(*code)) << place);
        *word = now.to_le_bytes();
    }
    for (byte, code) in last_bytes.iter_mut().zip(last_codes) {
        *byte = if ADDS { *byte | wants(*code) } else { wants(*code) };
    }
}

fn count_equal<T: PartialEq + Copy>(codes: &[T], wanted: Option<T>) -> u64 {
    let Some(wanted) = wanted else { return 0 };
    // Counted by bytes, which vectorizes; a block is as long as a byte can count.
    let count = |block: &[T]| u64::from(block.iter().fold(0_u8, |count, code| count + u8::from(*code == wanted)));
    codes.chunks(255).map(count).sum()
}

fn visit_each<T: Copy + Into<u32>>(codes: &[T], rows: &Rows<'_>, mut visit: impl FnMut(u32)) {
    match rows {
        Rows::All(range) => codes[range.clone()].iter().for_each(|code| visit((*code).into())),
        Rows::These(rows) => rows.iter().for_each(|row| visit(codes[*row as usize].into())),
    }
}

/// By turns in one of several tallies: where most rows have the same code, to add to what was just added to would wait for
/// that.
fn tally_bytes(codes: &[u8], tally: &mut [u32]) {
    let mut tallies = [[0_u32; BYTES]; 4];
    let (together, others) = codes.as_chunks();
    for codes in together {
        for (tally, code) in tallies.iter_mut().zip::<&[u8; 4]>(codes) {
            tally[usize::from(*code)] += 1;
        }
    }
    for code in others {
        tallies[0][usize::from(*code)] += 1;
    }
    for one in &tallies {
        for (count, own) in tally.iter_mut().zip(one) {
            *count += own;
        }
    }
}

/// How many bytes of a mask are 1.
pub(crate) fn ones(mask: &[u8]) -> u64 {
    mask.chunks(255).map(|block| u64::from(block.iter().sum::<u8>())).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_width_counts_the_codes_of_all_rows_and_of_some() {
        for largest in [3_u32, 255, 256, 70_000] {
            let column: Vec<u32> = (0..2003).map(|n| n * 7919 % (largest + 1)).chain([largest]).collect();
            let codes = Codes::new(column.iter().copied());
            let some: Vec<u32> = (0..2004).filter(|row| row % 7 < 2).collect();
            let all = Rows::All(5..2004);
            for (rows, expected) in [(&all, &column[5..]), (&Rows::These(&some), &*those(&column, &some))] {
                let mut tally = vec![1; largest as usize + 1];
                codes.tally(rows, &mut tally);
                let mut visited = Vec::new();
                codes.visit(rows, |code| visited.push(code));
                assert_eq!(visited, expected);
                for (code, count) in (0_u32..).zip(tally) {
                    let times = expected.iter().filter(|own| **own == code).count();
                    assert_eq!(count as usize, 1 + times, "{largest} {code}");
                }
            }
        }
    }

    fn those(column: &[u32], rows: &[u32]) -> Vec<u32> {
        rows.iter().map(|row| column[*row as usize]).collect()
    }

    #[test]
    fn every_width_selects_and_counts_the_same_as_a_set_would() {
        for largest in [3_u32, 255, 256, 65_535, 65_536, 300_000] {
            let column: Vec<u32> = (0..2000).map(|n| n * 7919 % (largest + 1)).chain([largest]).collect();
            let codes = Codes::new(column.iter().copied());
            let codes = Codes::decode(&codes.encode()).unwrap();
            let present = codes.present();
            assert_eq!(present, column.iter().copied().collect());
            let counts = codes.counts(&present);
            for wanted in [vec![], vec![largest], vec![400_000], vec![0, 3, largest, 500_000], (0..=largest).collect()]
            {
                let set = CodeSet::new(wanted.iter().copied().collect());
                let mut mask = vec![9; 1500];
                codes.select(&set, 501, &mut mask);
                let expected: Mask = column[501..].iter().map(|code| u8::from(wanted.contains(code))).collect();
                assert_eq!(mask, expected, "{largest} {wanted:?}");
                let mut mask: Mask = (0..1500).map(|row| u8::from(row % 3 == 0)).collect();
                codes.add(&set, 501, &mut mask);
                let more: Mask = (0..1500).map(|row| expected[row] | u8::from(row % 3 == 0)).collect();
                assert_eq!(mask, more, "{largest} {wanted:?}");
                assert_eq!(codes.count(&set, 501..2001), ones(&expected));
                let all = column.iter().filter(|code| wanted.contains(code)).count() as u64;
                assert_eq!(set.count(&present, &counts), all, "{largest} {wanted:?}");
                assert_eq!(set.meets(&present), all > 0, "{largest} {wanted:?}");
            }
        }
    }
}
