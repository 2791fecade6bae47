//! A file of the page as an answer: compressed, checked for being known already, and under the page's policy.

use std::io::{self, Write};

use axum::body::Body;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, IF_NONE_MATCH, REFERRER_POLICY, VARY,
};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest, Sha256};

use crate::render::encoding::Encoding;

/// What the page may do: load what came with it, and ask where it came from. Nothing inline, nothing from elsewhere, and
/// no other page around it.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
     font-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
);
/// Small rather than fast: it is compressed once.
const ZSTD_LEVEL: i32 = 19;

/// How long a browser may keep a file without asking.
#[derive(Clone, Copy, Debug)]
pub(super) enum Keep {
    /// It asks each time whether there is another.
    Never,
    /// Its name is that of its contents.
    ForEver,
}

/// A file in all its forms. Sent without a copy.
#[derive(Debug)]
pub(super) struct Asset {
    name: &'static str,
    media_type: HeaderValue,
    keep: Keep,
    plain: Form,
    gzip: Option<Form>,
    zstd: Option<Form>,
}

/// A file in one encoding, with a tag that no other form has.
#[derive(Debug)]
struct Form {
    bytes: Bytes,
    tag: HeaderValue,
}

impl Asset {
    pub(super) fn new(file: &explorer::File, keep: Keep) -> Self {
        let explorer::File { name, bytes } = *file;
        Self {
            name: name.rsplit('/').next().unwrap_or(name),
            media_type: HeaderValue::from_static(media_type(name)),
            keep,
            plain: Form::new(bytes),
            // Out of memory there is none, and it is sent as it is.
            gzip: gzip(bytes).ok().map(Form::new),
            zstd: zstd::bulk::compress(bytes, ZSTD_LEVEL).ok().map(Form::new),
        }
    }

    /// Without the folder.
    pub(super) fn name(&self) -> &str {
        self.name
    }

    /// The answer to a request with these headers.
    pub(super) fn answer(&self, headers: &HeaderMap) -> Response {
        let form = match Encoding::chosen(headers) {
            Encoding::Identity => None,
            encoding @ Encoding::Gzip => self.gzip.as_ref().map(|form| (encoding, form)),
            encoding @ Encoding::Zstd => self.zstd.as_ref().map(|form| (encoding, form)),
        };
        let (encoding, form) = form.unwrap_or((Encoding::Identity, &self.plain));
        let mut response = if is_known(headers, &form.tag) {
            StatusCode::NOT_MODIFIED.into_response()
        } else {
            let mut response = Response::new(Body::from(form.bytes.clone()));
            response.headers_mut().insert(CONTENT_TYPE, self.media_type.clone());
            if let Some(name) = encoding.name() {
                response.headers_mut().insert(CONTENT_ENCODING, HeaderValue::from_static(name));
            }
            response
        };
        let answer = response.headers_mut();
        let keep = match self.keep {
            Keep::Never => "no-cache",
            Keep::ForEver => "public, max-age=31536000, immutable",
        };
        answer.insert(CACHE_CONTROL, HeaderValue::from_static(keep));
        answer.insert(ETAG, form.tag.clone());
        answer.insert(VARY, HeaderValue::from_static("Accept-Encoding"));
        answer.insert(CONTENT_SECURITY_POLICY, POLICY);
        answer.insert(REFERRER_POLICY, HeaderValue::from_static("same-origin"));
        response
    }
}

impl Form {
    fn new(bytes: impl Into<Bytes>) -> Self {
        let bytes = bytes.into();
        let tag = format!("\"{}\"", BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(&bytes)));
        // Base64 is fit for a header; a tag that no client has costs no more than sending it again.
        Self { bytes, tag: HeaderValue::try_from(tag).unwrap_or(HeaderValue::from_static("\"\"")) }
    }
}

fn gzip(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes)?;
    encoder.finish()
}

/// Whether a client has what has this tag: RFC 9110, 13.1.2. None of our tags has a comma in it.
fn is_known(headers: &HeaderMap, tag: &HeaderValue) -> bool {
    let known = headers.get_all(IF_NONE_MATCH).iter().flat_map(|value| value.as_bytes().split(|byte| *byte == b','));
    let mut known = known.map(<[u8]>::trim_ascii);
    known.any(|known| known == b"*" || known.strip_prefix(b"W/").unwrap_or(known) == tag.as_bytes())
}

fn media_type(name: &str) -> &'static str {
    match name.rsplit_once('.').map(|(_, extension)| extension) {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("woff2") => "font/woff2",
        _ => "application/octet-stream",
    }
}
