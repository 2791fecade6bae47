//! Where the rows that are not sealed are, by their ids.
//!
//! Tables of many accounts are mostly heads, so this is small: a hash and a place for each row. The ids stand in the
//! chunks already, where a place is compared with them.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::BuildHasher;

use foldhash::fast::RandomState;

use crate::row::RowNumber;

/// A row of a chunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct HeadPlace {
    pub(crate) chunk: u32,
    pub(crate) row: RowNumber,
}

/// Places by id.
#[derive(Debug, Default)]
pub(crate) struct HeadIndex<S = RandomState> {
    hasher: S,
    by_hash: HashMap<u64, HeadPlace, RandomState>,
    /// Those whose hash belongs to another id already.
    colliding: HashMap<Box<[u8]>, HeadPlace, RandomState>,
}

impl<S: BuildHasher> HeadIndex<S> {
    /// Where an id is. `id_at` says which id is at a place; none where its chunk is gone.
    pub(crate) fn get<'a>(&self, id: &[u8], id_at: impl Fn(HeadPlace) -> Option<&'a [u8]>) -> Option<HeadPlace> {
        let place = *self.by_hash.get(&self.hasher.hash_one(id))?;
        if id_at(place) == Some(id) { Some(place) } else { self.colliding.get(id).copied() }
    }

    /// Notes where an id is now; gives where it was.
    ///
    /// Places are never taken out one by one. When a chunk goes, its rows are in a newer one, and so are noted again: a
    /// place whose chunk is gone is free for any id with its hash.
    pub(crate) fn insert<'a>(
        &mut self,
        id: &[u8],
        place: HeadPlace,
        id_at: impl Fn(HeadPlace) -> Option<&'a [u8]>,
    ) -> Option<HeadPlace> {
        match self.by_hash.entry(self.hasher.hash_one(id)) {
            Entry::Vacant(vacant) => {
                vacant.insert(place);
                None
            }
            Entry::Occupied(mut occupied) => match id_at(*occupied.get()) {
                Some(other) if other != id => self.colliding.insert(id.into(), place),
                Some(_) => Some(occupied.insert(place)),
                None => {
                    occupied.insert(place);
                    None
                }
            },
        }
    }

    /// Gives back the memory that was reserved for more.
    pub(crate) fn shrink(&mut self) {
        self.by_hash.shrink_to_fit();
    }

    /// About how many bytes of memory it takes.
    pub(crate) fn weight(&self) -> usize {
        /// A hash, a place, a control byte.
        const ENTRY: usize = 16 + 1;
        /// Ids that collide are boxed; there are next to none.
        const COLLIDING: usize = 64;
        ENTRY * self.by_hash.capacity() * 8 / 7 + COLLIDING * self.colliding.len()
    }
}

#[cfg(test)]
mod tests {
    use std::hash::{BuildHasherDefault, Hasher};

    use super::*;

    /// Everything collides.
    #[derive(Default)]
    struct Constant;

    impl Hasher for Constant {
        fn finish(&self) -> u64 {
            7
        }

        fn write(&mut self, _: &[u8]) {}
    }

    fn place(chunk: u32, row: usize) -> HeadPlace {
        HeadPlace { chunk, row: RowNumber::new(row).unwrap() }
    }

    #[test]
    fn ids_of_equal_hash_are_told_apart_also_once_their_chunk_is_gone() {
        let mut index = HeadIndex::<BuildHasherDefault<Constant>>::default();
        let first: [&[u8]; 3] = [b"a", b"b", b"c"];
        let in_first = |place: HeadPlace| first.get(place.row.index()).copied();
        for (row, id) in first.iter().enumerate() {
            assert_eq!(index.insert(id, place(0, row), in_first), None);
        }
        for (row, id) in first.iter().enumerate() {
            assert_eq!(index.get(id, in_first), Some(place(0, row)));
        }
        assert_eq!(index.get(b"d", in_first), None);

        // The rows are merged into another chunk, in another order.
        let second: [&[u8]; 4] = [b"c", b"b", b"a", b"d"];
        let in_second = |place: HeadPlace| second.get(place.row.index()).copied().filter(|_| place.chunk == 1);
        for (row, id) in second.iter().enumerate() {
            index.insert(id, place(1, row), in_second);
        }
        for (row, id) in second.iter().enumerate() {
            assert_eq!(index.get(id, in_second), Some(place(1, row)));
        }
        assert_eq!(index.insert(b"b", place(1, 1), in_second), Some(place(1, 1)));
    }
}
