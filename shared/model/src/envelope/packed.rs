//! Payloads that are compressed: never more of one is unpacked than it may have.

use std::io::Read;

/// The largest window that a zstd payload may ask for, as a power of two: 8 MiB, what RFC 9659 allows over HTTP.
const LARGEST_WINDOW: u32 = 23;

/// The most bytes that the payload of a message may have when it is unpacked: as many as a message may have at all.
pub const MAX_UNPACKED: usize = 8 << 20;

/// Fast: what goes into the log is written once and read a few times. More effort saves a fifth of the space and takes
/// several times as long.
const LEVEL: i32 = 1;
/// A shorter payload is one event, or a few: to make ready what compresses it, and what unpacks it for each view, takes a
/// tenth of the processor time that such an event takes in all.
const MIN_PACKED: usize = 4096;

/// How a payload is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Encoding {
    Identity,
    Gzip,
    Zstd,
}

/// Why a payload cannot be unpacked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadPacking {
    /// It is compressed in a way that is not understood, or in several.
    #[error("content-encoding: must be gzip, zstd or identity")]
    Unknown,
    /// It is not compressed in this way, or not all of it is there.
    #[error("payload: is no {0}, or is damaged")]
    Damaged(&'static str),
    /// It says that it has more, or has.
    #[error("payload: must have at most {limit} bytes when it is unpacked")]
    TooLarge {
        /// The most bytes it may have.
        limit: usize,
    },
}

impl Encoding {
    /// As the header `Content-Encoding` says.
    ///
    /// # Errors
    /// When it is none that is understood.
    pub fn parse(header: &str) -> Result<Self, BadPacking> {
        match header.trim().to_ascii_lowercase().as_str() {
            "" | "identity" => Ok(Self::Identity),
            "gzip" | "x-gzip" => Ok(Self::Gzip),
            "zstd" => Ok(Self::Zstd),
            _ => Err(BadPacking::Unknown),
        }
    }

    /// The payload of a message compressed by zstd; none where that would not make it smaller, or nobody could unpack it.
    #[must_use]
    pub fn pack(payload: &[u8]) -> Option<Vec<u8>> {
        if !(MIN_PACKED..=MAX_UNPACKED).contains(&payload.len()) {
            return None;
        }
        // Without the memory that it takes, the payload goes as it is.
        zstd::bulk::compress(payload, LEVEL).ok().filter(|packed| packed.len() < payload.len())
    }

    /// The payload as it is meant.
    ///
    /// # Errors
    /// When it has more than `limit` bytes, or is not compressed in this way.
    pub fn unpack(self, payload: &[u8], limit: usize) -> Result<Vec<u8>, BadPacking> {
        match self {
            Self::Identity if payload.len() > limit => Err(BadPacking::TooLarge { limit }),
            Self::Identity => Ok(payload.to_vec()),
            Self::Gzip => read(flate2::read::MultiGzDecoder::new(payload), limit, "gzip"),
            Self::Zstd => {
                // Where it tells its size, it is believed that it is too large.
                let declared = zstd::zstd_safe::get_frame_content_size(payload).ok().flatten();
                let declared = declared.map(|declared| usize::try_from(declared).unwrap_or(usize::MAX));
                if declared.is_some_and(|declared| declared > limit) {
                    return Err(BadPacking::TooLarge { limit });
                }
                // In one step, without a window. Another frame may follow, for which there is no room then.
                if let Some(unpacked) = declared.and_then(|size| zstd::bulk::decompress(payload, size).ok()) {
                    return Ok(unpacked);
                }
                let broken = |_| BadPacking::Damaged("zstd");
                let mut decoder = zstd::Decoder::with_buffer(payload).map_err(broken)?;
                decoder.window_log_max(LARGEST_WINDOW).map_err(broken)?;
                read(decoder, limit, "zstd")
            }
        }
    }
}

fn read(decoder: impl Read, limit: usize, name: &'static str) -> Result<Vec<u8>, BadPacking> {
    let mut unpacked = Vec::new();
    // One byte more, to see that there is more.
    let read = decoder.take(limit as u64 + 1).read_to_end(&mut unpacked);
    if unpacked.len() > limit {
        return Err(BadPacking::TooLarge { limit });
    }
    read.map_err(|_| BadPacking::Damaged(name))?;
    Ok(unpacked)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn zstd(bytes: &[u8]) -> Vec<u8> {
        zstd::encode_all(bytes, 19).unwrap()
    }

    #[test]
    fn all_frames_of_a_payload_are_unpacked() {
        let frames = [zstd::bulk::compress(b"one", 1).unwrap(), zstd::bulk::compress(b" and two", 1).unwrap()].concat();
        assert_eq!(Encoding::Zstd.unpack(&frames, 11).unwrap(), b"one and two");
        assert_eq!(Encoding::Zstd.unpack(&frames, 10), Err(BadPacking::TooLarge { limit: 10 }));
    }

    #[test]
    fn an_encoding_is_known_in_any_case() {
        for (header, encoding) in [
            ("", Encoding::Identity),
            ("Identity", Encoding::Identity),
            ("GZIP", Encoding::Gzip),
            (" zstd ", Encoding::Zstd),
        ] {
            assert_eq!(Encoding::parse(header), Ok(encoding));
        }
        for header in ["br", "deflate", "gzip, zstd", "\u{e4}"] {
            assert_eq!(Encoding::parse(header), Err(BadPacking::Unknown), "{header}");
        }
    }

    #[test]
    fn what_was_packed_is_unpacked() {
        for (encoding, packed) in [(Encoding::Gzip, gzip(b"[1]")), (Encoding::Zstd, zstd(b"[1]"))] {
            assert_eq!(encoding.unpack(&packed, 3).unwrap(), b"[1]");
            let twice = [packed.clone(), packed].concat();
            assert_eq!(encoding.unpack(&twice, 6).unwrap(), b"[1][1]");
            assert_eq!(encoding.unpack(&twice, 5), Err(BadPacking::TooLarge { limit: 5 }));
        }
    }

    #[test]
    fn what_becomes_smaller_is_packed() {
        let long = "0123456789".repeat(1000);
        let packed = Encoding::pack(long.as_bytes()).unwrap();
        assert!(packed.len() < 100);
        assert_eq!(Encoding::Zstd.unpack(&packed, long.len()).unwrap(), long.as_bytes());
        assert_eq!(Encoding::pack(&long.as_bytes()[..MIN_PACKED - 1]), None);
        // Nobody would unpack so much.
        assert_eq!(Encoding::pack(&vec![0; MAX_UNPACKED + 1]), None);
        let noise: Vec<u8> = (0_u32..2500).flat_map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()).collect();
        assert_eq!(Encoding::pack(&noise), None);
    }

    #[test]
    fn a_bomb_is_refused_when_it_passes_the_limit_or_says_that_it_will() {
        let zeros = vec![0; 64 << 20];
        let declared = zstd::bulk::compress(&zeros, 19).unwrap();
        assert!(zstd::zstd_safe::get_frame_content_size(&declared).is_ok_and(|size| size.is_some()));
        for (encoding, packed) in
            [(Encoding::Gzip, gzip(&zeros)), (Encoding::Zstd, zstd(&zeros)), (Encoding::Zstd, declared[..64].to_vec())]
        {
            assert!(packed.len() < 100_000);
            assert_eq!(encoding.unpack(&packed, 1 << 20), Err(BadPacking::TooLarge { limit: 1 << 20 }));
        }
    }

    #[test]
    fn what_is_damaged_is_refused() {
        for (encoding, mut packed) in [(Encoding::Gzip, gzip(b"[1]")), (Encoding::Zstd, zstd(b"[1]"))] {
            packed.truncate(packed.len() - 1);
            for payload in [packed, b"[1]".to_vec()] {
                assert!(matches!(encoding.unpack(&payload, 3), Err(BadPacking::Damaged(_))), "{encoding:?}");
            }
        }
    }
}
