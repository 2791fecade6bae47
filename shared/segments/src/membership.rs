//! In which sealed segments an id may be: a Bloom filter for each segment, those of many segments side by side.
//!
//! A place of a group holds one bit of each of its segments' filters, so a look-up reads one word for each hash and
//! group, and ends as soon as none of the group's segments is left, mostly after the third or fourth. New segments go to
//! groups of eight; eight such groups become one of 64 once they are full. So a few segments take little memory, and many
//! take few reads: 160 segments are six groups. With 32 bits for each row and 12 hashes a segment that does not hold the
//! id is named about once in a million times.

use std::ops::{BitAndAssign, BitOrAssign, Not, Shl};

use crate::{Error, frame};

const BITS_PER_ROW: usize = 32;
const HASHES: usize = 12;
/// Hashes whose words are read at once, because one of fewer would seldom be enough.
const AT_ONCE: usize = 3;
/// Segments of a narrow group, and narrow groups of a wide one.
const GROUP: usize = 8;
const WHAT: &str = "a membership filter";

/// The bits of one segment.
#[derive(Debug)]
pub(crate) struct Filter {
    bits: Vec<u64>,
}

/// The hash by which an id is known. It is on disk in filters, so it never changes.
pub(crate) fn hash(id: &[u8]) -> u64 {
    twox_hash::XxHash3_64::oneshot(id)
}

/// Places of an id in a filter of `mask + 1` bits.
fn places(hash: u64, mask: u64) -> [usize; HASHES] {
    // Double hashing: the upper half is made odd, so that it meets every bit.
    let step = (hash >> 32) | 1;
    std::array::from_fn(|n| {
        usize::try_from(hash.wrapping_add((n as u64).wrapping_mul(step)) & mask).unwrap_or_default()
    })
}

impl Filter {
    /// A filter for segments of at most `rows` rows.
    pub(crate) fn new(rows: usize) -> Self {
        Self { bits: vec![0; bits(rows) / 64] }
    }

    pub(crate) fn insert(&mut self, id: &[u8]) {
        let mask = self.bits.len() as u64 * 64 - 1;
        for place in places(hash(id), mask) {
            self.bits[place / 64] |= 1 << (place % 64);
        }
    }

    pub(crate) fn encode(&self, framer: &mut frame::Framer) -> Vec<u8> {
        let bytes: Vec<u8> = self.bits.iter().flat_map(|word| word.to_le_bytes()).collect();
        framer.frame(&bytes)
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

/// The filters of all segments of a table.
#[derive(Debug)]
pub(crate) struct Membership {
    /// Rows of a full segment.
    rows: usize,
    wide: Vec<Group<u64>>,
    narrow: Vec<Group<u8>>,
}

/// The filters of as many segments as a word has bits.
#[derive(Debug)]
struct Group<W> {
    /// The numbers of its segments.
    segments: Vec<Option<u32>>,
    /// For each place of a filter, a bit of each segment.
    places: Vec<W>,
}

impl Membership {
    pub(crate) fn new(rows: usize) -> Self {
        Self { rows, wide: Vec::new(), narrow: Vec::new() }
    }

    pub(crate) fn add(&mut self, segment: u32, filter: &Filter) {
        if self.wide.iter_mut().any(|group| group.add(segment, filter))
            || self.narrow.iter_mut().any(|group| group.add(segment, filter))
        {
            return;
        }
        if self.narrow.len() == GROUP {
            self.wide.push(Group::widened(&self.narrow));
            self.narrow.clear();
        }
        let mut group = Group { segments: vec![None; GROUP], places: vec![0; bits(self.rows)] };
        group.add(segment, filter);
        self.narrow.push(group);
    }

    pub(crate) fn remove(&mut self, segment: u32) {
        self.wide.retain_mut(|group| group.remove(segment));
        self.narrow.retain_mut(|group| group.remove(segment));
    }

    /// The segments that may hold an id: all that do, and very rarely one that does not. The newest comes first.
    pub(crate) fn candidates(&self, id: &[u8]) -> Vec<u32> {
        let places = places(hash(id), bits(self.rows) as u64 - 1);
        let mut found = Vec::new();
        for group in &self.wide {
            group.candidates(&places, &mut found);
        }
        for group in &self.narrow {
            group.candidates(&places, &mut found);
        }
        found.sort_unstable_by(|one, other| other.cmp(one));
        found
    }
}

impl Group<u64> {
    /// Eight full groups as one.
    fn widened(narrow: &[Group<u8>]) -> Self {
        let places = (0..narrow.first().map_or(0, |group| group.places.len())).map(|place| {
            let bits = narrow.iter().zip((0..).step_by(GROUP));
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

    fn candidates(&self, places: &[usize; HASHES], found: &mut Vec<u32>) {
        let word = |place: &usize| -> u64 { self.places[*place].into() };
        let (first, rest) = places.split_at(AT_ONCE);
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

    #[test]
    fn the_segments_of_an_id_are_always_named_and_others_hardly_ever() {
        const ROWS: u32 = 4096;
        // One wide group, three narrow ones, of which one is not full.
        const SEGMENTS: u32 = 64 + 20;
        let id = |segment: u32, row: u32| [segment.to_be_bytes(), row.to_be_bytes()].concat();
        let mut membership = Membership::new(ROWS as usize);
        for segment in 0..SEGMENTS {
            let mut filter = Filter::new(ROWS as usize);
            for row in 0..ROWS {
                filter.insert(&id(segment, row));
            }
            let value = filter.encode(&mut frame::Framer::new());
            membership.add(segment, &Filter::decode(&value, ROWS as usize).unwrap());
        }
        assert_eq!((membership.wide.len(), membership.narrow.len()), (1, 3));
        let gone = [7, 70, 83];
        for segment in gone {
            membership.remove(segment);
        }
        let mut wrong = 0;
        for segment in 0..SEGMENTS {
            for row in 0..ROWS {
                let candidates = membership.candidates(&id(segment, row));
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
        let mut membership = Membership::new(ROWS);
        for segment in 0..100 {
            membership.add(segment, &filter(segment));
        }
        for segment in (0..100).step_by(3) {
            membership.remove(segment);
            membership.add(100 + segment, &filter(100 + segment));
        }
        assert_eq!((membership.wide.len(), membership.narrow.len()), (1, 5));
        for segment in 0..200_u32 {
            let is_there = if segment < 100 { segment % 3 != 0 } else { (segment - 100) % 3 == 0 };
            assert_eq!(membership.candidates(&segment.to_be_bytes()).contains(&segment), is_there, "{segment}");
        }
        for segment in 0..200 {
            membership.remove(segment);
        }
        assert!(membership.wide.is_empty() && membership.narrow.is_empty());
    }

    #[test]
    fn the_newest_segment_is_named_first() {
        let mut filter = Filter::new(64);
        filter.insert(b"id");
        let mut membership = Membership::new(64);
        for segment in 0..70 {
            membership.add(segment, &filter);
        }
        assert_eq!(membership.candidates(b"id"), (0..70).rev().collect::<Vec<u32>>());
    }
}
