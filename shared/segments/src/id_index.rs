//! Where the ids of a segment stand in it.

use crate::membership;
use crate::row::RowNumber;
use crate::slices::Slices;

/// Rows by half the hash of their id.
#[derive(Debug)]
pub(crate) struct IdIndex(Vec<(u32, RowNumber)>);

impl IdIndex {
    pub(crate) fn new(ids: &Slices) -> Self {
        let mut rows: Vec<(u32, RowNumber)> =
            ids.iter().map(|id| half(membership::hash(id))).zip(RowNumber::all()).collect();
        rows.sort_unstable();
        Self(rows)
    }

    /// The rows that have an id.
    pub(crate) fn rows(&self, ids: &Slices, id: &[u8]) -> Vec<RowNumber> {
        self.rows_of_hash(id).filter(|row| ids.get(row.index()) == id).collect()
    }

    /// The rows whose id has the same half of a hash: those with the id, and rarely others.
    pub(crate) fn rows_of_hash(&self, id: &[u8]) -> impl Iterator<Item = RowNumber> {
        let hash = half(membership::hash(id));
        let start = self.0.partition_point(|(other, _)| *other < hash);
        self.0[start..].iter().take_while(move |(other, _)| *other == hash).map(|(_, row)| *row)
    }

    /// Bytes of memory.
    pub(crate) fn weight(&self) -> usize {
        size_of::<(u32, RowNumber)>() * self.0.len()
    }
}

/// The upper half of a hash.
fn half(hash: u64) -> u32 {
    let [a, b, c, d, ..] = hash.to_be_bytes();
    u32::from_be_bytes([a, b, c, d])
}
