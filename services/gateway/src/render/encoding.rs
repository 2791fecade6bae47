//! In which encoding a client wants an answer: RFC 9110, 12.5.3.

use axum::http::HeaderMap;
use axum::http::header::ACCEPT_ENCODING;

/// How an answer is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encoding {
    /// Not at all.
    Identity,
    Gzip,
    Zstd,
}

impl Encoding {
    /// What a client takes best: of what it likes equally, zstd before gzip.
    pub(crate) fn chosen(headers: &HeaderMap) -> Self {
        let (zstd, gzip) = (weight(headers, "zstd"), weight(headers, "gzip"));
        if zstd > 0 && zstd >= gzip {
            Self::Zstd
        } else if gzip > 0 {
            Self::Gzip
        } else {
            Self::Identity
        }
    }

    /// Its name in `Content-Encoding`, where it has one.
    pub(crate) fn name(self) -> Option<&'static str> {
        match self {
            Self::Identity => None,
            Self::Gzip => Some("gzip"),
            Self::Zstd => Some("zstd"),
        }
    }
}

/// How much a client likes an encoding, in thousandths; 0: it does not take it.
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
    use axum::http::HeaderValue;

    use super::*;

    fn chosen(accepted: &'static str) -> Encoding {
        Encoding::chosen(&HeaderMap::from_iter([(ACCEPT_ENCODING, HeaderValue::from_static(accepted))]))
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
        assert_eq!(Encoding::chosen(&HeaderMap::new()).name(), None);
    }
}
