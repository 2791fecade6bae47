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

    /// Puts a slice behind the others. `what` names them for the error.
    pub(crate) fn push(&mut self, slice: &[u8], what: &'static str) -> Result<(), Error> {
        let end = number(self.bytes.len() + slice.len(), what)?;
        self.bytes.extend_from_slice(slice);
        self.ends.push(end);
        Ok(())
    }

    /// Gives back the memory that was reserved for more.
    pub(crate) fn shrink(&mut self) {
        self.bytes.shrink_to_fit();
        self.ends.shrink_to_fit();
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
    pub(crate) fn encode(&self, what: &'static str) -> Result<Vec<u8>, Error> {
        let mut encoded = Vec::with_capacity(4 + 4 * self.len() + self.bytes.len());
        encoded.extend_from_slice(&number(self.len(), what)?.to_le_bytes());
        let mut start = 0;
        for end in &self.ends {
            encoded.extend_from_slice(&(end - start).to_le_bytes());
            start = *end;
        }
        encoded.extend_from_slice(&self.bytes);
        Ok(encoded)
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

/// A length or a count as it stands on disk and in memory: in 32 bits.
fn number(number: usize, what: &'static str) -> Result<u32, Error> {
    u32::try_from(number).map_err(|_| Error::TooLarge(what))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_long_for_its_ends_is_an_error() {
        assert_eq!(number((1 << 32) - 1, "it").unwrap(), u32::MAX);
        assert!(matches!(number(1 << 32, "it"), Err(Error::TooLarge("it"))));
    }

    #[test]
    fn slices_come_back_as_they_were_put() {
        let mut slices = Slices::default();
        for slice in [b"one".as_slice(), b"", b"three"] {
            slices.push(slice, "it").unwrap();
        }
        let read = Slices::decode(&slices.encode("it").unwrap(), "it").unwrap();
        assert_eq!(read.iter().collect::<Vec<_>>(), [b"one".as_slice(), b"", b"three"]);
        assert_eq!((read.index_of(2), read.index_of(3), read.end(0)), (0, 2, 3));
    }
}
