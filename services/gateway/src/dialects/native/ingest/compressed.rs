//! Compressed bodies: never more of one is unpacked than a body may have.

use axum::http::HeaderMap;
use axum::http::header::CONTENT_ENCODING;
use bytes::Bytes;
use model::envelope::{BadPacking, Encoding};

use crate::render::refusal::Refusal;

/// How a body is compressed, as its headers say.
///
/// # Errors
/// When it is none of what is understood, or several at once.
pub(super) fn encoding(headers: &HeaderMap) -> Result<Encoding, Refusal> {
    let mut values = headers.get_all(CONTENT_ENCODING).iter();
    let Some(value) = values.next() else { return Ok(Encoding::Identity) };
    if values.next().is_some() {
        return Err(Refusal::UnknownEncoding);
    }
    Encoding::parse(value.to_str().unwrap_or("unreadable")).map_err(|bad| refusal(&bad))
}

/// The body as it is meant.
///
/// # Errors
/// When it is over the limit, or not compressed in this way.
pub(super) fn open(encoding: Encoding, body: Bytes, limit: usize) -> Result<Bytes, Refusal> {
    match encoding {
        Encoding::Identity => Ok(body),
        Encoding::Gzip | Encoding::Zstd => encoding.unpack(&body, limit).map(Bytes::from).map_err(|bad| refusal(&bad)),
    }
}

fn refusal(bad: &BadPacking) -> Refusal {
    match *bad {
        BadPacking::Unknown => Refusal::UnknownEncoding,
        BadPacking::Damaged(name) => Refusal::field("body", format_args!("is no {name}")),
        BadPacking::TooLarge { limit } => Refusal::TooLarge { limit },
    }
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
        encoding(&HeaderMap::from_iter([(CONTENT_ENCODING, HeaderValue::from_bytes(value.as_bytes()).unwrap())]))
    }

    #[test]
    fn an_encoding_is_known_in_any_case() {
        assert_eq!(encoding(&HeaderMap::new()), Ok(Encoding::Identity));
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
            assert_eq!(open(encoding, packed.into(), 3).unwrap(), "[1]");
        }
        let twice = [gzip(b"[1"), gzip(b"]")].concat();
        assert_eq!(open(Encoding::Gzip, twice.into(), 3).unwrap(), "[1]");
    }

    #[test]
    fn a_bomb_is_refused_when_it_passes_the_limit() {
        let zeros = vec![0; 64 << 20];
        for (encoding, packed) in [(Encoding::Gzip, gzip(&zeros)), (Encoding::Zstd, zstd(&zeros))] {
            assert!(packed.len() < 100_000);
            assert_eq!(open(encoding, packed.into(), 1 << 20), Err(Refusal::TooLarge { limit: 1 << 20 }));
        }
    }

    #[test]
    fn what_is_broken_is_refusal() {
        for (encoding, mut packed) in [(Encoding::Gzip, gzip(b"[1]")), (Encoding::Zstd, zstd(b"[1]"))] {
            packed.truncate(packed.len() - 1);
            for body in [packed, b"[1]".to_vec()] {
                assert!(matches!(open(encoding, body.into(), 3), Err(Refusal::Invalid(_))), "{encoding:?}");
            }
        }
    }
}
