//! In which sealed segments an id may be: a Bloom filter for each segment, those of many segments side by side.
//!
//! A place of a group holds one bit of each of its segments' filters, so a look-up reads one word for each hash and
//! group, and ends as soon as none of the group's segments is left, mostly after the third or fourth. New segments stand
//! alone; eight of them become a group, and eight such groups one of 64. So a segment takes no more memory than its filter
//! has, and many take few reads: 160 segments are two groups of 64, and four of eight. With 32 bits for each row and 12
//! hashes a segment that does not hold the id is named about once in a million times.
//!
//! Filters are read one by one, when a look-up first comes to a segment: an account is asked for in a moment then, and
//! one that nobody looks anything up in takes no memory for filters.

use std::ops::{BitAndAssign, BitOrAssign, Not, Shl};

use crate::slices::Slices;
use crate::{Error, frame};

const BITS_PER_ROW: usize = 32;
const HASHES: usize = 12;
/// Hashes whose words are read at once, because one of fewer would seldom be enough.
const HASHES_AT_ONCE: usize = 3;
/// Segments of a narrow group, and narrow groups of a wide one.
const GROUP_SEGMENTS: usize = 8;
const WHAT: &str = "a membership filter";

/// The bits of one segment.
#[derive(Debug, Default)]
pub(crate) struct Filter {
    bits: Vec<u64>,
}

/// The hash by which an id is known. It is on disk in filters, so it never changes.
pub(crate) fn hash(id: &[u8]) -> u64 {
    twox_hash::XxHash3_64::oneshot(id)
}

/// Places of an id in a filter of `mask + 1` bits, fewer than 32 bits can count.
fn places(hash: u64, mask: usize) -> [usize; HASHES] {
    // Double hashing: the upper half is made odd, so that it meets every bit.
    let step = (hash >> 32) | 1;
    std::array::from_fn(|n| {
        let [a, b, c, d, ..] = hash.wrapping_add((n as u64).wrapping_mul(step)).to_le_bytes();
        u32::from_le_bytes([a, b, c, d]) as usize & mask
    })
}

impl Filter {
    /// A filter for segments of at most `rows` rows.
    fn new(rows: usize) -> Self {
        Self { bits: vec![0; bits(rows) / 64] }
    }

    /// The filter of a segment with these ids.
    pub(crate) fn of(ids: &Slices, rows: usize) -> Self {
        let mut filter = Self::new(rows);
        for id in ids.iter() {
            filter.insert(id);
        }
        filter
    }

    fn insert(&mut self, id: &[u8]) {
        let mask = self.bits.len() * 64 - 1;
        for place in places(hash(id), mask) {
            self.bits[place / 64] |= 1 << (place % 64);
        }
    }

    /// Whether the segment may hold an id.
    pub(crate) fn may_hold(&self, id: &[u8]) -> bool {
        self.has(&places(hash(id), self.bits.len() * 64 - 1))
    }

    fn has(&self, places: &[usize; HASHES]) -> bool {
        places.iter().all(|place| self.bits[place / 64] & 1 << (place % 64) != 0)
    }

    pub(crate) fn encode(&self) -> Result<Vec<u8>, Error> {
        let bytes: Vec<u8> = self.bits.iter().flat_map(|word| word.to_le_bytes()).collect();
        frame::close(&bytes, WHAT)
    }

    pub(crate) fn decode(value: &[u8], rows: usize) -> Result<Self, Error> {
        let bytes = frame::open(value, WHAT)?;
        let bits: Vec<u64> = bytes.as_chunks().0.iter().map(|word| u64::from_le_bytes(*word)).collect();
        if bits.len() == self::bits(rows) / 64 { Ok(Self { bits }) } else { Err(Error::Damaged(WHAT)) }
    }
}

fn bits(rows: usize) -> usize {
    (rows * BITS_PER_ROW).next_power_of_two().max(64)
}

/// The filters of a table's segments.
#[derive(Debug)]
pub(crate) struct Membership {
    /// Rows of a full segment.
    rows: usize,
    wide: Vec<Group<u64>>,
    narrow: Vec<Group<u8>>,
    /// Those of no group yet, fewer than a group has.
    alone: Vec<(u32, Filter)>,
    /// The segments whose filters were not read yet.
    unread: Vec<u32>,
}

/// The filters of as many segments as a word has bits.
#[derive(Debug)]
struct Group<W> {
    /// The numbers of its segments.
    segments: Vec<Option<u32>>,
    /// For each place of a filter, a bit of each segment.
    places: Vec<W>,
}

/// A segment that may hold an id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Named {
    pub(crate) segment: u32,
    /// Whether its filter says so. Otherwise it was not read yet.
    pub(crate) by_filter: bool,
}

impl Membership {
    /// Of segments of at most `rows` rows, whose filters are not read yet.
    pub(crate) fn new(rows: usize, unread: Vec<u32>) -> Self {
        Self { rows, wide: Vec::new(), narrow: Vec::new(), alone: Vec::new(), unread }
    }

    /// Takes in the filter of a new segment.
    pub(crate) fn add(&mut self, segment: u32, filter: Filter) {
        // The places of segments that went are taken first.
        if self.wide.iter_mut().any(|group| group.add(segment, &filter))
            || self.narrow.iter_mut().any(|group| group.add(segment, &filter))
        {
            return;
        }
        self.alone.push((segment, filter));
        if self.alone.len() == GROUP_SEGMENTS {
            self.narrow.push(Group::of(&self.alone));
            self.alone.clear();
        }
        if self.narrow.len() == GROUP_SEGMENTS {
            self.wide.push(Group::widened(&self.narrow));
            self.narrow.clear();
        }
    }

    /// Takes in a filter that was read, unless another look-up was faster or the segment went meanwhile.
    pub(crate) fn add_read(&mut self, segment: u32, filter: Filter) {
        if let Some(place) = self.unread.iter().position(|other| *other == segment) {
            self.unread.swap_remove(place);
            self.add(segment, filter);
        }
    }

    pub(crate) fn remove(&mut self, segment: u32) {
        self.unread.retain(|other| *other != segment);
        self.alone.retain(|(other, _)| *other != segment);
        self.wide.retain_mut(|group| group.remove(segment));
        self.narrow.retain_mut(|group| group.remove(segment));
    }

    /// The segments that may hold an id: all that do, very rarely one that does not, and those whose filters were not
    /// read. The newest comes first.
    pub(crate) fn candidates(&self, id: &[u8]) -> Vec<Named> {
        let places = places(hash(id), bits(self.rows) - 1);
        let mut found = Vec::new();
        for group in &self.wide {
            group.candidates(&places, &mut found);
        }
        for group in &self.narrow {
            group.candidates(&places, &mut found);
        }
        found.extend(self.alone.iter().filter(|(_, filter)| filter.has(&places)).map(|(segment, _)| *segment));
        let mut named: Vec<Named> = found.into_iter().map(|segment| Named { segment, by_filter: true }).collect();
        named.extend(self.unread.iter().map(|segment| Named { segment: *segment, by_filter: false }));
        named.sort_unstable_by_key(|named| std::cmp::Reverse(named.segment));
        named
    }

    /// About how many bytes of memory it takes.
    pub(crate) fn weight(&self) -> usize {
        let wide: usize = self.wide.iter().map(Group::weight).sum();
        let narrow: usize = self.narrow.iter().map(Group::weight).sum();
        wide + narrow + self.alone.iter().map(|(_, filter)| 8 * filter.bits.len()).sum::<usize>()
    }
}

impl Group<u8> {
    /// Eight filters as one group.
    fn of(filters: &[(u32, Filter)]) -> Self {
        let words = filters.first().map_or(0, |(_, filter)| filter.bits.len());
        let mut places = Vec::with_capacity(64 * words);
        for word in 0..words {
            // Byte by byte: of eight filters, the bits at one place become one byte.
            for shift in (0..64).step_by(8) {
                let bytes = filters.iter().map(|(_, filter)| filter.bits[word] >> shift & 0xff);
                let square = bytes.zip((0..64).step_by(8)).fold(0, |square, (byte, row)| square | byte << row);
                places.extend_from_slice(&transpose(square).to_le_bytes());
            }
        }
        Self { segments: filters.iter().map(|(segment, _)| Some(*segment)).collect(), places }
    }
}

/// Turns a square of eight times eight bits along its diagonal: swaps ever larger squares across it (Hacker's Delight,
/// 7-3).
fn transpose(square: u64) -> u64 {
    let swap = |square: u64, shift: u32, mask: u64| {
        let differing = (square ^ square >> shift) & mask;
        square ^ differing ^ differing << shift
    };
    let square = swap(square, 7, 0x00aa_00aa_00aa_00aa);
    let square = swap(square, 14, 0x0000_cccc_0000_cccc);
    swap(square, 28, 0x0000_0000_f0f0_f0f0)
}

impl Group<u64> {
    /// Eight full groups as one.
    fn widened(narrow: &[Group<u8>]) -> Self {
        let places = (0..narrow.first().map_or(0, |group| group.places.len())).map(|place| {
            let bits = narrow.iter().zip((0..).step_by(GROUP_SEGMENTS));
            bits.fold(0, |word, (group, shift)| word | u64::from(group.places[place]) << shift)
        });
        Self { places: places.collect(), segments: narrow.iter().flat_map(|group| group.segments.clone()).collect() }
    }
}

impl<W> Group<W>
where
    W: Copy + From<u8> + Into<u64> + Shl<usize, Output = W> + Not<Output = W> + BitOrAssign + BitAndAssign,
{
    /// Whether there was room for it.
    fn add(&mut self, segment: u32, filter: &Filter) -> bool {
        let Some(slot) = self.segments.iter().position(Option::is_none) else { return false };
        self.segments[slot] = Some(segment);
        let bit = W::from(1) << slot;
        for (word, places) in filter.bits.iter().zip(self.places.as_chunks_mut::<64>().0) {
            let mut left = *word;
            while left != 0 {
                places[left.trailing_zeros() as usize] |= bit;
                left &= left - 1;
            }
        }
        true
    }

    /// Whether any other is left.
    fn remove(&mut self, segment: u32) -> bool {
        if let Some(slot) = self.segments.iter().position(|other| *other == Some(segment)) {
            self.segments[slot] = None;
            let others = !(W::from(1) << slot);
            for place in &mut self.places {
                *place &= others;
            }
        }
        self.segments.iter().any(Option::is_some)
    }

    fn weight(&self) -> usize {
        size_of::<W>() * self.places.len()
    }

    fn candidates(&self, places: &[usize; HASHES], found: &mut Vec<u32>) {
        let word = |place: &usize| -> u64 { self.places[*place].into() };
        let (first, rest) = places.split_at(HASHES_AT_ONCE);
        let mut left = first.iter().fold(u64::MAX, |left, place| left & word(place));
        for place in rest {
            if left == 0 {
                return;
            }
            left &= word(place);
        }
        while left != 0 {
            found.extend(self.segments[left.trailing_zeros() as usize]);
            left &= left - 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn membership(rows: usize) -> Membership {
        Membership::new(rows, Vec::new())
    }

    fn names(membership: &Membership, id: &[u8]) -> Vec<u32> {
        membership.candidates(id).iter().map(|named| named.segment).collect()
    }

    #[test]
    fn the_segments_of_an_id_are_always_named_and_others_hardly_ever() {
        const ROWS: u32 = 4096;
        // One wide group, two narrow ones, and four alone.
        const SEGMENTS: u32 = 64 + 20;
        let id = |segment: u32, row: u32| [segment.to_be_bytes(), row.to_be_bytes()].concat();
        let mut membership = membership(ROWS as usize);
        for segment in 0..SEGMENTS {
            let mut filter = Filter::new(ROWS as usize);
            for row in 0..ROWS {
                filter.insert(&id(segment, row));
            }
            let value = filter.encode().unwrap();
            membership.add(segment, Filter::decode(&value, ROWS as usize).unwrap());
        }
        assert_eq!((membership.wide.len(), membership.narrow.len(), membership.alone.len()), (1, 2, 4));
        assert_eq!(membership.weight(), SEGMENTS as usize * bits(ROWS as usize) / 8);
        let gone = [7, 70, 83];
        for segment in gone {
            membership.remove(segment);
        }
        let mut wrong = 0;
        for segment in 0..SEGMENTS {
            for row in 0..ROWS {
                let candidates = names(&membership, &id(segment, row));
                assert_eq!(candidates.contains(&segment), !gone.contains(&segment));
                wrong += candidates.iter().filter(|candidate| **candidate != segment).count();
            }
        }
        // 28 million filters were asked.
        assert!(wrong < 100, "{wrong}");
    }

    #[test]
    fn the_place_of_a_segment_that_is_gone_is_taken_by_the_next() {
        const ROWS: usize = 64;
        let filter = |segment: u32| {
            let mut filter = Filter::new(ROWS);
            filter.insert(&segment.to_be_bytes());
            filter
        };
        let mut membership = membership(ROWS);
        for segment in 0..100 {
            membership.add(segment, filter(segment));
        }
        for segment in (0..100).step_by(3) {
            membership.remove(segment);
            membership.add(100 + segment, filter(100 + segment));
        }
        assert_eq!((membership.wide.len(), membership.narrow.len(), membership.alone.len()), (1, 4, 4));
        for segment in 0..200_u32 {
            let is_there = if segment < 100 { segment % 3 != 0 } else { (segment - 100) % 3 == 0 };
            assert_eq!(names(&membership, &segment.to_be_bytes()).contains(&segment), is_there, "{segment}");
        }
        for segment in 0..200 {
            membership.remove(segment);
        }
        assert_eq!(membership.weight(), 0);
    }

    #[test]
    fn the_newest_segment_is_named_first() {
        let mut membership = membership(64);
        for segment in 0..70 {
            let mut filter = Filter::new(64);
            filter.insert(b"id");
            membership.add(segment, filter);
        }
        assert_eq!(names(&membership, b"id"), (0..70).rev().collect::<Vec<u32>>());
    }

    #[test]
    fn a_segment_is_named_until_its_filter_is_read() {
        let mut membership = Membership::new(64, vec![3, 5]);
        let named = |segment, by_filter| Named { segment, by_filter };
        assert_eq!(membership.candidates(b"id"), [named(5, false), named(3, false)]);
        let mut filter = Filter::new(64);
        filter.insert(b"id");
        assert!(filter.may_hold(b"id") && !filter.may_hold(b"other"));
        membership.add_read(3, filter);
        assert_eq!(membership.candidates(b"id"), [named(5, false), named(3, true)]);
        assert_eq!(membership.candidates(b"other"), [named(5, false)]);
        // Two read it at once, or one reads what is gone: nothing is taken in again.
        let weight = membership.weight();
        membership.add_read(3, Filter::new(64));
        membership.remove(5);
        membership.add_read(5, Filter::new(64));
        assert_eq!((membership.weight(), names(&membership, b"other")), (weight, Vec::new()));
    }
}
