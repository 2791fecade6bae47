//! Compression of answers that are written piece by piece.
//!
//! Invariant: what a packing has taken and not given is no more than one piece and what the compression looks back on.

use std::io::{self, Write};

use flate2::Compression;
use flate2::write::GzEncoder;
use zstd::stream::write::Encoder;

use crate::render::encoding::Encoding;

/// Fast rather than small: the answer is to come as fast as it is made.
const ZSTD_LEVEL: i32 = 1;

/// How an answer is compressed.
pub(crate) enum Packing {
    /// Not at all.
    Identity,
    /// As gzip.
    Gzip(GzEncoder<Vec<u8>>),
    /// As zstd.
    Zstd(Encoder<'static, Vec<u8>>),
}

impl Packing {
    /// In this encoding.
    ///
    /// # Errors
    /// When zstd has no memory.
    pub(crate) fn new(encoding: Encoding) -> io::Result<Self> {
        Ok(match encoding {
            Encoding::Identity => Self::Identity,
            Encoding::Gzip => Self::Gzip(GzEncoder::new(Vec::new(), Compression::fast())),
            Encoding::Zstd => Self::Zstd(Encoder::new(Vec::new(), ZSTD_LEVEL)?),
        })
    }

    /// Takes a piece, and gives what there is to be sent; that may be nothing.
    ///
    /// # Errors
    /// When the compression fails.
    pub(crate) fn pack(&mut self, piece: Vec<u8>) -> io::Result<Vec<u8>> {
        match self {
            Self::Identity => Ok(piece),
            Self::Gzip(encoder) => {
                encoder.write_all(&piece)?;
                Ok(std::mem::take(encoder.get_mut()))
            }
            Self::Zstd(encoder) => {
                encoder.write_all(&piece)?;
                Ok(std::mem::take(encoder.get_mut()))
            }
        }
    }

    /// Gives what is left, with the end of the compression.
    ///
    /// # Errors
    /// When the compression fails.
    pub(crate) fn finish(self) -> io::Result<Vec<u8>> {
        match self {
            Self::Identity => Ok(Vec::new()),
            Self::Gzip(encoder) => encoder.finish(),
            Self::Zstd(encoder) => encoder.finish(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use flate2::read::GzDecoder;

    use super::*;

    #[test]
    fn what_is_packed_piece_by_piece_is_what_was_given() {
        let pieces: Vec<Vec<u8>> =
            (0..100).map(|number| format!("piece {number}\n").repeat(1000).into_bytes()).collect();
        for encoding in [Encoding::Identity, Encoding::Gzip, Encoding::Zstd] {
            let mut packing = Packing::new(encoding).unwrap();
            let mut packed = Vec::new();
            for piece in &pieces {
                packed.extend(packing.pack(piece.clone()).unwrap());
            }
            packed.extend(packing.finish().unwrap());
            let mut unpacked = Vec::new();
            match encoding {
                Encoding::Identity => unpacked = packed,
                Encoding::Gzip => drop(GzDecoder::new(packed.as_slice()).read_to_end(&mut unpacked).unwrap()),
                Encoding::Zstd => unpacked = zstd::decode_all(packed.as_slice()).unwrap(),
            }
            assert!(unpacked == pieces.concat(), "{encoding:?}");
        }
    }
}
