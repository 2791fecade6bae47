//! Keys: `<table> <kind> <numbers, big-endian>`. Values of one kind lie together, so that reading one column of many
//! segments does not touch the others. What is written once is cut into [`crate::pieces`], whose number comes last: all but
//! [`Kind::Manifest`] and [`Kind::Superseded`].

/// What a value is.
#[derive(Clone, Copy, Debug)]
#[repr(u8)]
pub(crate) enum Kind {
    /// A table's manifest.
    Manifest = b'a',
    /// New symbols of an open dictionary: dictionary, epoch, first code.
    Symbols = b'd',
    /// What is known of a closed dictionary: dictionary, epoch.
    Closed = b'e',
    /// Some symbols of a closed dictionary, by their codes: dictionary, epoch, block.
    ClosedBlock = b's',
    /// Some codes of a closed dictionary, by the hashes of their symbols and keys: dictionary, epoch, bucket.
    ClosedBucket = b'k',
    /// Some points of a closed dictionary's symbols, in their order: dictionary, epoch, piece.
    ClosedPoints = b'p',
    /// The trigrams of what is searched of a closed dictionary: dictionary, epoch, zero.
    ClosedTrigrams = b'f',
    /// A chunk: number.
    Chunk = b'h',
    /// A segment's description: number.
    Segment = b'm',
    /// A segment's column of codes: column, number.
    Codes = b'c',
    /// A segment's column of numbers: column, number.
    Numbers = b'n',
    /// A segment's column of texts: column, number.
    Texts = b't',
    /// A segment's trigrams of a column of texts: column, number.
    Trigrams = b'g',
    /// A segment's times: number.
    Times = b'w',
    /// A segment's ids: number.
    Ids = b'i',
    /// A segment's membership filter: number.
    Members = b'b',
    /// Which rows of a segment are superseded: number.
    Superseded = b'x',
    /// Some of a segment's rows: number, block.
    Block = b'r',
}

/// The key of a value.
pub(crate) fn key(table: &[u8], kind: Kind, numbers: &[u32]) -> Vec<u8> {
    let mut key = Vec::with_capacity(table.len() + 1 + 4 * numbers.len());
    key.extend_from_slice(table);
    key.push(kind as u8);
    for number in numbers {
        key.extend_from_slice(&number.to_be_bytes());
    }
    key
}

/// The last `N` numbers of a key.
pub(crate) fn numbers<const N: usize>(key: &[u8]) -> Option<[u32; N]> {
    let start = key.len().checked_sub(4 * N)?;
    let mut numbers = [0; N];
    for (number, bytes) in numbers.iter_mut().zip(key[start..].as_chunks::<4>().0) {
        *number = u32::from_be_bytes(*bytes);
    }
    Some(numbers)
}
