//! Compression of answers that are written piece by piece.
//!
//! Invariant: what a packing has taken and not given is no more than one piece and what the compression looks back on.

use std::io::{self, Write};

use axum::http::HeaderMap;
use axum::http::header::ACCEPT_ENCODING;
use flate2::Compression;
use flate2::write::GzEncoder;
use zstd::stream::write::Encoder;

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
    /// What a client takes best: of what it likes equally, zstd before gzip.
    ///
    /// # Errors
    /// When zstd has no memory.
    pub(crate) fn chosen(headers: &HeaderMap) -> io::Result<Self> {
        let (zstd, gzip) = (weight(headers, "zstd"), weight(headers, "gzip"));
        if zstd > 0 && zstd >= gzip {
            return Ok(Self::Zstd(Encoder::new(Vec::new(), ZSTD_LEVEL)?));
        }
        if gzip > 0 {
            return Ok(Self::Gzip(GzEncoder::new(Vec::new(), Compression::fast())));
        }
        Ok(Self::Identity)
    }

    /// Its name in `Content-Encoding`, where it has one.
    pub(crate) fn name(&self) -> Option<&'static str> {
        match self {
            Self::Identity => None,
            Self::Gzip(_) => Some("gzip"),
            Self::Zstd(_) => Some("zstd"),
        }
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

/// How much a client likes an encoding, in thousandths; 0: it does not take it. RFC 9110, 12.5.3.
fn weight(headers: &HeaderMap, wanted: &str) -> u16 {
    let values = headers.get_all(ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    let (mut named, mut others) = (None, None);
    for part in values.flat_map(|value| value.split(',')) {
        let (name, parameters) = part.split_once(';').unwrap_or((part, ""));
        let quality = parameters.split(';').find_map(|parameter| parameter.trim().strip_prefix("q="));
        let quality = quality.map_or(1.0, |quality| quality.parse::<f32>().unwrap_or(0.0)).clamp(0.0, 1.0);
        let weight = (quality * 1000.0) as u16;
        match name.trim() {
            name if name.eq_ignore_ascii_case(wanted) => named = Some(weight),
            "*" => others = Some(weight),
            _ => {}
        }
    }
    named.or(others).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use axum::http::HeaderValue;
    use flate2::read::GzDecoder;

    use super::*;

    fn chosen(accepted: &'static str) -> Packing {
        Packing::chosen(&HeaderMap::from_iter([(ACCEPT_ENCODING, HeaderValue::from_static(accepted))])).unwrap()
    }

    #[test]
    fn a_client_gets_what_it_likes_best() {
        for (accepted, expected) in [
            ("", None),
            ("identity", None),
            ("br", None),
            ("gzip", Some("gzip")),
            ("gzip, deflate, br, zstd", Some("zstd")),
            ("zstd;q=0.5, GZIP", Some("gzip")),
            ("zstd;q=0, gzip;q=0.1", Some("gzip")),
            ("gzip;q=0", None),
            ("*", Some("zstd")),
            ("*, zstd;q=0", Some("gzip")),
            ("gzip;q=x", None),
        ] {
            assert_eq!(chosen(accepted).name(), expected, "{accepted}");
        }
        assert_eq!(Packing::chosen(&HeaderMap::new()).unwrap().name(), None);
    }

    #[test]
    fn what_is_packed_piece_by_piece_is_what_was_given() {
        let pieces: Vec<Vec<u8>> =
            (0..100).map(|number| format!("piece {number}\n").repeat(1000).into_bytes()).collect();
        for accepted in ["identity", "gzip", "zstd"] {
            let mut packing = chosen(accepted);
            let mut packed = Vec::new();
            for piece in &pieces {
                packed.extend(packing.pack(piece.clone()).unwrap());
            }
            packed.extend(packing.finish().unwrap());
            let mut unpacked = Vec::new();
            match accepted {
                "gzip" => drop(GzDecoder::new(packed.as_slice()).read_to_end(&mut unpacked).unwrap()),
                "zstd" => unpacked = zstd::decode_all(packed.as_slice()).unwrap(),
                _ => unpacked = packed,
            }
            assert!(unpacked == pieces.concat(), "{accepted}");
        }
    }
}
