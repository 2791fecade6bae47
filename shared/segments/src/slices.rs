//! Many byte strings, end to end in one allocation.

use crate::Error;

/// Byte strings that are read by their place.
#[derive(Clone, Debug, Default)]
pub(crate) struct Slices {
    bytes: Vec<u8>,
    /// Where each ends.
    ends: Vec<u32>,
}

impl Slices {
    pub(crate) fn with_capacity(slices: usize, bytes: usize) -> Self {
        Self { bytes: Vec::with_capacity(bytes), ends: Vec::with_capacity(slices) }
    }

    pub(crate) fn push(&mut self, slice: &[u8]) {
        self.bytes.extend_from_slice(slice);
        self.ends.push(u32::try_from(self.bytes.len()).unwrap_or(u32::MAX));
    }

    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    pub(crate) fn get(&self, index: usize) -> &[u8] {
        &self.bytes[self.start(index)..self.ends[index] as usize]
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &[u8]> {
        (0..self.len()).map(|index| self.get(index))
    }

    pub(crate) fn start(&self, index: usize) -> usize {
        if index == 0 { 0 } else { self.ends[index - 1] as usize }
    }

    pub(crate) fn end(&self, index: usize) -> usize {
        self.ends[index] as usize
    }

    /// All of them, end to end.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The slice that the byte at `offset` belongs to.
    pub(crate) fn index_of(&self, offset: usize) -> usize {
        self.ends.partition_point(|end| *end as usize <= offset)
    }

    /// Bytes of memory.
    pub(crate) fn weight(&self) -> usize {
        self.bytes.capacity() + 4 * self.ends.capacity()
    }

    /// The lengths, then the bytes.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut encoded = Vec::with_capacity(4 + 4 * self.len() + self.bytes.len());
        encoded.extend_from_slice(&u32::try_from(self.len()).unwrap_or(u32::MAX).to_le_bytes());
        for index in 0..self.len() {
            let length = self.end(index) - self.start(index);
            encoded.extend_from_slice(&u32::try_from(length).unwrap_or(u32::MAX).to_le_bytes());
        }
        encoded.extend_from_slice(&self.bytes);
        encoded
    }

    /// What [`Self::encode`] wrote.
    pub(crate) fn decode(encoded: &[u8], what: &'static str) -> Result<Self, Error> {
        let damaged = || Error::Damaged(what);
        let (count, rest) = encoded.split_first_chunk::<4>().ok_or_else(damaged)?;
        let count = u32::from_le_bytes(*count) as usize;
        let lengths = rest.get(..count.saturating_mul(4)).ok_or_else(damaged)?;
        let bytes = rest[lengths.len()..].to_vec();
        let mut end = 0_u32;
        let mut ends = Vec::with_capacity(count);
        for length in lengths.as_chunks::<4>().0 {
            end = end.checked_add(u32::from_le_bytes(*length)).ok_or_else(damaged)?;
            ends.push(end);
        }
        if end as usize == bytes.len() { Ok(Self { bytes, ends }) } else { Err(damaged()) }
    }
}
