//! Compressed bodies: never more of one is unpacked than a body may have.

use std::io::Read;

use axum::http::HeaderMap;
use axum::http::header::CONTENT_ENCODING;
use bytes::Bytes;

use crate::render::refusal::Refusal;

/// The largest window that a zstd body may ask for, as a power of two: 8 MiB, what RFC 9659 allows over HTTP.
const MAX_WINDOW_LOG2: u32 = 23;

/// How a body is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Encoding {
    Identity,
    Gzip,
    Zstd,
}

impl Encoding {
    /// As the headers say.
    ///
    /// # Errors
    /// When it is not one of these, or several at once.
    pub(super) fn of(headers: &HeaderMap) -> Result<Self, Refusal> {
        let mut values = headers.get_all(CONTENT_ENCODING).iter();
        let Some(value) = values.next() else { return Ok(Self::Identity) };
        if values.next().is_some() {
            return Err(Refusal::UnknownEncoding);
        }
        match value.to_str().unwrap_or("unreadable").trim().to_ascii_lowercase().as_str() {
            "" | "identity" => Ok(Self::Identity),
            "gzip" | "x-gzip" => Ok(Self::Gzip),
            "zstd" => Ok(Self::Zstd),
            _ => Err(Refusal::UnknownEncoding),
        }
    }

    /// The body as it is meant.
    ///
    /// # Errors
    /// When it is over the limit, or not compressed in this way.
    pub(super) fn open(self, body: Bytes, limit: usize) -> Result<Bytes, Refusal> {
        match self {
            Self::Identity => Ok(body),
            Self::Gzip => unpack(flate2::read::MultiGzDecoder::new(body.as_ref()), limit, "gzip"),
            Self::Zstd => {
                let broken = |_| Refusal::field("body", "is no zstd");
                let mut decoder = zstd::Decoder::with_buffer(body.as_ref()).map_err(broken)?;
                decoder.window_log_max(MAX_WINDOW_LOG2).map_err(broken)?;
                unpack(decoder, limit, "zstd")
            }
        }
    }
}

fn unpack(decoder: impl Read, limit: usize, name: &str) -> Result<Bytes, Refusal> {
    let mut unpacked = Vec::new();
    // One byte more, to see that there is more.
    let read = decoder.take(limit as u64 + 1).read_to_end(&mut unpacked);
    if unpacked.len() > limit {
        return Err(Refusal::TooLarge { limit });
    }
    read.map_err(|_| Refusal::field("body", format_args!("is no {name}")))?;
    Ok(unpacked.into())
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use axum::http::HeaderValue;

    use super::*;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn zstd(bytes: &[u8]) -> Vec<u8> {
        zstd::encode_all(bytes, 19).unwrap()
    }

    fn of(value: &str) -> Result<Encoding, Refusal> {
        Encoding::of(&HeaderMap::from_iter([(CONTENT_ENCODING, HeaderValue::from_bytes(value.as_bytes()).unwrap())]))
    }

    #[test]
    fn an_encoding_is_known_in_any_case() {
        assert_eq!(Encoding::of(&HeaderMap::new()), Ok(Encoding::Identity));
        assert_eq!(of("identity"), Ok(Encoding::Identity));
        assert_eq!(of("GZIP"), Ok(Encoding::Gzip));
        assert_eq!(of(" zstd "), Ok(Encoding::Zstd));
        for value in ["br", "deflate", "gzip, zstd", "\u{e4}"] {
            assert_eq!(of(value), Err(Refusal::UnknownEncoding), "{value}");
        }
    }

    #[test]
    fn what_was_packed_is_unpacked() {
        for (encoding, packed) in [(Encoding::Gzip, gzip(b"[1]")), (Encoding::Zstd, zstd(b"[1]"))] {
            assert_eq!(encoding.open(packed.into(), 3).unwrap(), "[1]");
        }
        let twice = [gzip(b"[1"), gzip(b"]")].concat();
        assert_eq!(Encoding::Gzip.open(twice.into(), 3).unwrap(), "[1]");
    }

    #[test]
    fn a_bomb_is_refused_when_it_passes_the_limit() {
        let zeros = vec![0; 64 << 20];
        for (encoding, packed) in [(Encoding::Gzip, gzip(&zeros)), (Encoding::Zstd, zstd(&zeros))] {
            assert!(packed.len() < 100_000);
            assert_eq!(encoding.open(packed.into(), 1 << 20), Err(Refusal::TooLarge { limit: 1 << 20 }));
        }
    }

    #[test]
    fn what_is_broken_is_refused() {
        for (encoding, mut packed) in [(Encoding::Gzip, gzip(b"[1]")), (Encoding::Zstd, zstd(b"[1]"))] {
            packed.truncate(packed.len() - 1);
            for body in [packed, b"[1]".to_vec()] {
                assert!(matches!(encoding.open(body.into(), 3), Err(Refusal::Invalid(_))), "{encoding:?}");
            }
        }
    }
}
