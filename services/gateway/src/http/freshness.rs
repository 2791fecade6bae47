//! The headers about freshness: as of when an answer is, and as of when it must at least be.

use std::sync::{Arc, Mutex, PoisonError};

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use model::log::LogPosition;
use views::Freshness;

use crate::render::refusal::Refusal;

const AT_LEAST: &str = "flowtrail-at-least";
pub(crate) const AS_OF: HeaderName = HeaderName::from_static("flowtrail-as-of");
pub(crate) const LAG: HeaderName = HeaderName::from_static("flowtrail-lag-ms");
pub(crate) const STALE: HeaderName = HeaderName::from_static("flowtrail-stale");

/// As of when a request's last question was answered. A refusal holds no freshness of its own, so it is kept where the frame
/// finds it. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen(Arc<Mutex<Option<Freshness>>>);

impl Seen {
    /// Notes the answer to a question.
    pub(crate) fn note(&self, freshness: &Freshness) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(freshness.clone());
    }

    /// Adds the headers to the answer that came of it; none where nothing was asked.
    pub(crate) fn add_to(&self, headers: &mut HeaderMap) {
        if let Some(freshness) = &*self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            add(headers, freshness);
        }
    }
}

/// What the client knows of already: the answer must be as of these positions or later.
///
/// # Errors
/// When the header is there and is no list of positions.
pub(crate) fn at_least(headers: &HeaderMap) -> Result<Vec<LogPosition>, Refusal> {
    let mut positions = Vec::new();
    for value in headers.get_all(AT_LEAST) {
        for text in value.to_str().unwrap_or_default().split(',') {
            positions.push(text.parse().map_err(|problem| Refusal::field(AT_LEAST, problem))?);
        }
    }
    Ok(positions)
}

/// Adds the headers that say as of when an answer is.
pub(crate) fn add(headers: &mut HeaderMap, freshness: &Freshness) {
    as_of(headers, &freshness.as_of);
    headers.insert(LAG, HeaderValue::from(freshness.lag_ms));
    if freshness.stale {
        headers.insert(STALE, HeaderValue::from_static("true"));
    }
}

/// As of which positions of the log an answer is, as the header has it.
pub(crate) fn positions(freshness: &Freshness) -> String {
    text_of(&freshness.as_of)
}

/// Adds the header that says where in the log stands what was written.
pub(crate) fn add_position(headers: &mut HeaderMap, position: LogPosition) {
    as_of(headers, &[position]);
}

/// Adds the header that says up to which positions of the log was read.
pub(crate) fn add_positions(headers: &mut HeaderMap, positions: &[LogPosition]) {
    as_of(headers, positions);
}

fn as_of(headers: &mut HeaderMap, positions: &[LogPosition]) {
    // Stream names and numbers are fit for a header; a view of no stream is as of nothing.
    if let Ok(value) = HeaderValue::from_str(&text_of(positions)) {
        headers.insert(AS_OF, value);
    }
}

fn text_of(positions: &[LogPosition]) -> String {
    positions.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use model::log::Stream;

    use super::*;

    fn headers(value: &str) -> HeaderMap {
        HeaderMap::from_iter([(HeaderName::from_static(AT_LEAST), HeaderValue::from_bytes(value.as_bytes()).unwrap())])
    }

    #[test]
    fn several_positions_may_be_named() {
        let audit = LogPosition { stream: Stream::Audit, sequence: 42 };
        let traffic = LogPosition { stream: Stream::Traffic, sequence: 7 };
        assert_eq!(at_least(&headers("FLOWTRAIL_AUDIT:42, FLOWTRAIL_TRAFFIC:7")), Ok(vec![audit, traffic]));
        assert_eq!(at_least(&HeaderMap::new()), Ok(Vec::new()));
    }

    #[test]
    fn what_is_no_position_is_refused_naming_the_header() {
        for value in ["", "42", "FLOWTRAIL_AUDIT", "FLOWTRAIL_AUDIT:-1", "FLOWTRAIL_AUDIT:1,", "ORDERS:1", "\u{e4}"] {
            let refused = at_least(&headers(value));
            let Err(Refusal::Invalid(text)) = refused else { panic!("{value:?} is taken") };
            assert!(text.starts_with("flowtrail-at-least: "), "{text}");
        }
    }
}
