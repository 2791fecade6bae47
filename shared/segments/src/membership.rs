//! In which sealed segments an id may be: a Bloom filter for each segment, those of eight segments side by side.
//!
//! A row of a group holds one bit of each of its segments' filters. So a look-up reads one byte per hash and eight
//! segments, and ends as soon as none of the eight is left, mostly after the second or third. With 32 bits for each
//! row and 12 hashes a segment that does not hold the id is named about once in a million times.

use crate::{Error, frame};

const BITS_PER_ROW: usize = 32;
const HASHES: u64 = 12;
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
fn places(hash: u64, mask: u64) -> impl Iterator<Item = usize> {
    // Double hashing: the upper half is made odd, so that it meets every bit.
    let step = (hash >> 32) | 1;
    (0..HASHES).map(move |n| usize::try_from(hash.wrapping_add(n.wrapping_mul(step)) & mask).unwrap_or_default())
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
    groups: Vec<Group>,
}

#[derive(Debug)]
struct Group {
    /// The numbers of its segments.
    segments: [Option<u32>; GROUP],
    /// For each place of a filter, a bit of each segment.
    places: Vec<u8>,
}

impl Membership {
    pub(crate) fn new(rows: usize) -> Self {
        Self { rows, groups: Vec::new() }
    }

    pub(crate) fn add(&mut self, segment: u32, filter: &Filter) {
        let free = |group: &Group| group.segments.iter().position(Option::is_none);
        let found = self.groups.iter().enumerate().find_map(|(number, group)| Some((number, free(group)?)));
        let (number, slot) = found.unwrap_or_else(|| {
            self.groups.push(Group { segments: [None; GROUP], places: vec![0; bits(self.rows)] });
            (self.groups.len() - 1, 0)
        });
        let group = &mut self.groups[number];
        group.segments[slot] = Some(segment);
        for (word, places) in filter.bits.iter().zip(group.places.as_chunks_mut::<64>().0) {
            let mut left = *word;
            while left != 0 {
                places[left.trailing_zeros() as usize] |= 1 << slot;
                left &= left - 1;
            }
        }
    }

    pub(crate) fn remove(&mut self, segment: u32) {
        for group in &mut self.groups {
            for (slot, number) in group.segments.iter_mut().enumerate() {
                if *number == Some(segment) {
                    *number = None;
                    for places in &mut group.places {
                        *places &= !(1 << slot);
                    }
                }
            }
        }
        self.groups.retain(|group| group.segments.iter().any(Option::is_some));
    }

    /// The segments that may hold an id: all that do, and very rarely one that does not. The newest comes first.
    pub(crate) fn candidates(&self, id: &[u8]) -> Vec<u32> {
        let hash = hash(id);
        let mask = bits(self.rows) as u64 - 1;
        let mut found = Vec::new();
        for group in self.groups.iter().rev() {
            let mut left = u8::MAX;
            for place in places(hash, mask) {
                left &= group.places[place];
                if left == 0 {
                    break;
                }
            }
            let named = group.segments.iter().enumerate().filter(|(slot, _)| left >> slot & 1 == 1);
            found.extend(named.filter_map(|(_, segment)| *segment));
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_segments_of_an_id_are_always_named_and_others_hardly_ever() {
        const ROWS: u32 = 4096;
        let id = |segment: u32, row: u32| [segment.to_be_bytes(), row.to_be_bytes()].concat();
        let mut membership = Membership::new(ROWS as usize);
        for segment in 0..20 {
            let mut filter = Filter::new(ROWS as usize);
            for row in 0..ROWS {
                filter.insert(&id(segment, row));
            }
            let value = filter.encode(&mut frame::Framer::new());
            membership.add(segment, &Filter::decode(&value, ROWS as usize).unwrap());
        }
        membership.remove(7);
        let mut wrong = 0;
        for segment in 0..20 {
            for row in 0..ROWS {
                let candidates = membership.candidates(&id(segment, row));
                assert_eq!(candidates.contains(&segment), segment != 7);
                wrong += candidates.iter().filter(|candidate| **candidate != segment).count();
            }
        }
        // 1.6 million filters were asked.
        assert!(wrong < 50, "{wrong}");
    }
}
