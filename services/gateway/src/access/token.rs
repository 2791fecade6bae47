//! Tokens as requests bring them: behind a scheme that is known, in any case, as an API key, or in the cookie of a session.

use std::borrow::Cow;

use axum::http::header::{AUTHORIZATION, COOKIE};
use axum::http::{HeaderMap, HeaderName};

use crate::access::session::Session;

const BEARER: &str = "bearer";
const OTHER_SCHEMES: [&str; 2] = ["token", "networkinsight"];
const API_KEY: HeaderName = HeaderName::from_static("x-api-key");

/// A token as it was sent.
#[derive(Clone)]
pub(super) enum Sent<'a> {
    /// Behind the scheme that OpenID providers' tokens come behind, or in a cookie, which may hold one of them.
    Bearer(Cow<'a, str>),
    /// Behind another scheme, or as an API key.
    Otherwise(Cow<'a, str>),
}

/// The tokens of a request: that behind the scheme first, then that of the API key. There can be both, as some clients
/// send an `Authorization` that means nothing here. A cookie counts where there is neither.
pub(super) fn tokens(headers: &HeaderMap) -> Vec<Sent<'_>> {
    let own = own_tokens(headers);
    if !own.is_empty() {
        return own;
    }
    let session = Session::in_headers(headers);
    session.map(|session| Sent::Bearer(session.token.reveal().to_owned().into())).into_iter().collect()
}

/// The session whose cookie is all that a request brings.
pub(crate) fn session(headers: &HeaderMap) -> Option<Session> {
    own_tokens(headers).is_empty().then(|| Session::in_headers(headers)).flatten()
}

/// The tokens that a client sends on purpose.
fn own_tokens(headers: &HeaderMap) -> Vec<Sent<'_>> {
    let value = |name| headers.get(name)?.to_str().ok().map(str::trim);
    let behind_scheme = value(AUTHORIZATION).and_then(|text| {
        let (scheme, token) = text.split_once(' ')?;
        let token = Cow::Borrowed(token.trim_start());
        if BEARER.eq_ignore_ascii_case(scheme) {
            return Some(Sent::Bearer(token));
        }
        let is_known = OTHER_SCHEMES.iter().any(|known| known.eq_ignore_ascii_case(scheme));
        is_known.then_some(Sent::Otherwise(token))
    });
    let is_there = |sent: &Sent<'_>| match sent {
        Sent::Bearer(token) | Sent::Otherwise(token) => !token.is_empty(),
    };
    let api_key = value(API_KEY).map(|key| Sent::Otherwise(key.into()));
    [behind_scheme, api_key].into_iter().flatten().filter(is_there).collect()
}

/// The headers that may bring a token.
pub(super) fn headers(all: &HeaderMap) -> HeaderMap {
    let given = |name: HeaderName| all.get_all(&name).iter().cloned().map(move |value| (name.clone(), value));
    let mut some = HeaderMap::new();
    for (name, value) in [AUTHORIZATION, API_KEY, COOKIE].into_iter().flat_map(given) {
        some.append(name, value);
    }
    some
}

#[cfg(test)]
mod tests;
