//! Tokens as requests bring them: behind a scheme that is known, in any case, or as an API key.

use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, HeaderName};

const BEARER: &str = "bearer";
const OTHER_SCHEMES: [&str; 2] = ["token", "networkinsight"];
const API_KEY: HeaderName = HeaderName::from_static("x-api-key");

/// A token as it was sent.
#[derive(Clone, Copy)]
pub(super) enum Sent<'a> {
    /// Behind the scheme that OpenID providers' tokens come behind.
    Bearer(&'a str),
    /// Behind another scheme, or as an API key.
    Otherwise(&'a str),
}

/// The tokens of a request: that behind the scheme first, then that of the API key. There can be both, as some clients
/// send an `Authorization` that means nothing here.
pub(super) fn tokens(headers: &HeaderMap) -> impl Iterator<Item = Sent<'_>> {
    let value = |name| headers.get(name)?.to_str().ok().map(str::trim);
    let behind_scheme = value(AUTHORIZATION).and_then(|text| {
        let (scheme, token) = text.split_once(' ')?;
        let token = token.trim_start();
        if BEARER.eq_ignore_ascii_case(scheme) {
            return Some(Sent::Bearer(token));
        }
        let is_known = OTHER_SCHEMES.iter().any(|known| known.eq_ignore_ascii_case(scheme));
        is_known.then_some(Sent::Otherwise(token))
    });
    let is_there = |sent: &Sent<'_>| match sent {
        Sent::Bearer(token) | Sent::Otherwise(token) => !token.is_empty(),
    };
    [behind_scheme, value(API_KEY).map(Sent::Otherwise)].into_iter().flatten().filter(is_there)
}

/// The headers that may bring a token.
pub(super) fn headers(all: &HeaderMap) -> HeaderMap {
    let given = |name: HeaderName| all.get(&name).cloned().map(|value| (name, value));
    [AUTHORIZATION, API_KEY].into_iter().filter_map(given).collect()
}

#[cfg(test)]
mod tests;
