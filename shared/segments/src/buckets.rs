//! Buckets of codes by the hashes of their symbols: what of a closed dictionary says where a symbol stands in it.

use crate::{Error, row};

const DAMAGED: Error = Error::Damaged("a closed dictionary");

/// Which of so many buckets a hash belongs to: they are filled evenly.
pub(crate) fn bucket_of(hash: u64, buckets: u32) -> u32 {
    let scaled = u128::from(hash) * u128::from(buckets);
    u32::try_from(scaled >> 64).unwrap_or(u32::MAX)
}

/// What of a hash stands in its bucket: the half that does not choose it.
pub(crate) fn fingerprint(hash: u64) -> [u8; 2] {
    let [low, high, ..] = hash.to_le_bytes();
    [low, high]
}

/// The entries of a bucket, in the order of their codes: the steps between these, then the fingerprint.
pub(crate) fn encode_bucket(entries: &[(u64, u32)]) -> Vec<u8> {
    let mut encoded = Vec::with_capacity(4 * entries.len());
    let mut before = 0;
    for (hash, code) in entries {
        row::encode(&[code - before], &fingerprint(*hash), &mut encoded);
        before = *code;
    }
    encoded
}

/// The codes of a bucket whose fingerprint is this.
pub(crate) fn decode_bucket(mut encoded: &[u8], wanted: [u8; 2]) -> impl Iterator<Item = Result<u32, Error>> {
    let mut code = 0_u32;
    let mut next = move || {
        while !encoded.is_empty() {
            let mut step = [0];
            let (own, left) = row::decode(encoded, &mut step)?.split_first_chunk().ok_or(DAMAGED)?;
            encoded = left;
            code = code.checked_add(step[0]).ok_or(DAMAGED)?;
            if *own == wanted {
                return Ok(Some(code));
            }
        }
        Ok(None)
    };
    std::iter::from_fn(move || next().transpose())
}
