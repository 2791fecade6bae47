//! How values stand on disk: a checksum, the length, then the bytes, compressed where that makes them smaller.

use std::cell::RefCell;

use crate::Error;

const CHECKSUM: usize = 4;
const HEADER: usize = CHECKSUM + 1 + 4;
/// Fast: more effort would save a tenth of the space and double the time to seal.
const LEVEL: i32 = 1;
/// No value is longer: it would not be written, so a length beyond it is damage and must not reserve memory.
const MAX_BYTES: usize = 1 << 30;

const PLAIN: u8 = 0;
const ZSTD: u8 = 1;

/// Puts `bytes` into a frame. `what` names the value for the error.
pub(crate) fn close(bytes: &[u8], what: &'static str) -> Result<Vec<u8>, Error> {
    let length = length(bytes.len(), what)?;
    let compressed = compress(bytes);
    let (method, body) = match &compressed {
        Some(smaller) if smaller.len() < bytes.len() => (ZSTD, smaller.as_slice()),
        Some(_) | None => (PLAIN, bytes),
    };
    let mut frame = Vec::with_capacity(HEADER + body.len());
    frame.extend_from_slice(&[0; CHECKSUM]);
    frame.push(method);
    frame.extend_from_slice(&length.to_le_bytes());
    frame.extend_from_slice(body);
    let checksum = crc32fast::hash(&frame[CHECKSUM..]);
    frame[..CHECKSUM].copy_from_slice(&checksum.to_le_bytes());
    Ok(frame)
}

/// The length of a value as it stands in its frame.
fn length(bytes: usize, what: &'static str) -> Result<u32, Error> {
    let length = u32::try_from(bytes).ok().filter(|_| bytes <= MAX_BYTES);
    length.ok_or(Error::TooLarge(what))
}

thread_local! {
    /// What compression needs, which takes longer to make than a small value takes to compress. Without it, for which there
    /// may be no memory, values are written plain.
    static COMPRESSOR: RefCell<Option<zstd::bulk::Compressor<'static>>> =
        RefCell::new(zstd::bulk::Compressor::new(LEVEL).ok());
    /// What decompression needs, which takes longer to make than a block of rows takes to decompress. None: there was
    /// no memory for it.
    static DECOMPRESSOR: RefCell<Option<zstd::bulk::Decompressor<'static>>> =
        RefCell::new(zstd::bulk::Decompressor::new().ok());
}

fn compress(bytes: &[u8]) -> Option<Vec<u8>> {
    COMPRESSOR.with_borrow_mut(|compressor| compressor.as_mut()?.compress(bytes).ok())
}

/// The `length` bytes that `body` holds compressed.
fn decompress(body: &[u8], length: usize) -> Option<Vec<u8>> {
    DECOMPRESSOR.with_borrow_mut(|decompressor| decompressor.as_mut()?.decompress(body, length).ok())
}

/// Takes the bytes out of a frame. `what` names the value for the error.
pub(crate) fn open(frame: &[u8], what: &'static str) -> Result<Vec<u8>, Error> {
    let damaged = || Error::Damaged(what);
    let (checksum, rest) = frame.split_first_chunk::<CHECKSUM>().ok_or_else(damaged)?;
    if crc32fast::hash(rest) != u32::from_le_bytes(*checksum) {
        return Err(damaged());
    }
    let (method, rest) = rest.split_first().ok_or_else(damaged)?;
    let (length, body) = rest.split_first_chunk::<4>().ok_or_else(damaged)?;
    let length = u32::from_le_bytes(*length) as usize;
    let bytes = match *method {
        PLAIN => body.to_vec(),
        ZSTD if length <= MAX_BYTES => decompress(body, length).ok_or_else(damaged)?,
        _ => return Err(damaged()),
    };
    if bytes.len() == length { Ok(bytes) } else { Err(damaged()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_in_comes_out_and_any_flipped_bit_is_noticed() {
        for bytes in [Vec::new(), b"x".to_vec(), vec![7; 5000], (0..=255).collect()] {
            let frame = close(&bytes, "it").unwrap();
            assert_eq!(open(&frame, "it").unwrap(), bytes);
            for bit in 0..frame.len() * 8 {
                let mut flipped = frame.clone();
                flipped[bit / 8] ^= 1 << (bit % 8);
                assert!(open(&flipped, "it").is_err());
            }
            assert!(open(&frame[..frame.len() - 1], "it").is_err());
        }
    }

    #[test]
    fn what_could_not_be_read_again_is_not_written() {
        assert_eq!(length(MAX_BYTES, "it").unwrap() as usize, MAX_BYTES);
        for bytes in [MAX_BYTES + 1, 1 << 32, (1 << 32) + 5] {
            assert!(matches!(length(bytes, "it"), Err(Error::TooLarge("it"))), "{bytes}");
        }
    }
}
