//! The session of a browser: a cookie that brings a token, so that no page has to hold one.
//!
//! Invariants: what the cookie holds is a secret, which a page cannot read and no log line has; a browser sends it by itself,
//! so a request that changes something and has nothing else must show that it comes from a page of this origin.

use axum::extract::Request;
use axum::http::header::{COOKIE, HOST, ORIGIN};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use cookie::time::Duration;
use cookie::{Cookie, SameSite};
use model::secret::Secret;
use model::time::Timestamp;

use crate::http::origin::OverTls;
use crate::render::refusal::Refusal;

/// The cookie's name.
pub(crate) const NAME: &str = "flowtrail-session";
/// The header that a page of another origin cannot send without being asked about (CORS), whatever it says.
pub(crate) const CSRF: &str = "flowtrail-csrf";
const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
/// Browsers keep a cookie of 4096 bytes with its name; some of its token's may take three in it.
const MAX_TOKEN_BYTES: usize = 3500;

/// How a session came by its token, as it is written in front of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// It was made for the session, and ends with it.
    SignIn,
    /// It was there before, and outlives it.
    Given,
}

/// What a session's cookie says.
#[derive(Clone, Debug)]
pub(crate) struct Session {
    pub(crate) source: Source,
    pub(crate) token: Secret,
}

impl Source {
    const ALL: [Self; 2] = [Self::SignIn, Self::Given];

    const fn mark(self) -> &'static str {
        match self {
            Self::SignIn => "s.",
            Self::Given => "g.",
        }
    }
}

impl Session {
    /// The session whose cookie is among the headers, valid or not.
    pub(crate) fn in_headers(headers: &HeaderMap) -> Option<Self> {
        let texts = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
        let mut cookies = texts.flat_map(Cookie::split_parse_encoded).filter_map(Result::ok);
        let cookie = cookies.find(|cookie| cookie.name() == NAME)?;
        let (source, token) = Source::ALL
            .into_iter()
            .find_map(|source| cookie.value().strip_prefix(source.mark()).map(|token| (source, token)))
            .filter(|(_, token)| !token.is_empty())?;
        Some(Self { source, token: Secret::new(token.to_owned()) })
    }

    /// The `Set-Cookie` that begins it. It is kept until `end`, or where there is none, until the browser is closed.
    ///
    /// # Errors
    /// When the token does not fit into a cookie.
    pub(crate) fn begin(
        &self,
        end: Option<Timestamp>,
        now: Timestamp,
        is_over_tls: bool,
    ) -> Result<HeaderValue, Refusal> {
        let token = self.token.reveal();
        if token.len() > MAX_TOKEN_BYTES {
            return Err(Refusal::field("token", format_args!("must have at most {MAX_TOKEN_BYTES} bytes")));
        }
        let mut cookie = empty(is_over_tls);
        cookie.set_value(format!("{}{token}", self.source.mark()));
        cookie.set_max_age(end.map(|end| Duration::microseconds(end.micros().saturating_sub(now.micros()))));
        header(&cookie)
    }
}

/// The `Set-Cookie` that ends whatever session there is.
///
/// # Errors
/// Never: there is nothing in it that a header could not have.
pub(crate) fn end(is_over_tls: bool) -> Result<HeaderValue, Refusal> {
    let mut cookie = empty(is_over_tls);
    cookie.make_removal();
    header(&cookie)
}

fn empty(is_over_tls: bool) -> Cookie<'static> {
    Cookie::build(NAME).path("/").http_only(true).same_site(SameSite::Strict).secure(is_over_tls).build()
}

fn header(cookie: &Cookie<'_>) -> Result<HeaderValue, Refusal> {
    let mut value = HeaderValue::try_from(cookie.encoded().to_string()).map_err(|_| Refusal::Internal)?;
    value.set_sensitive(true);
    Ok(value)
}

/// Whether a client that can keep a cookie safe is to do so: it came over TLS, as far as that is known.
pub(crate) fn is_over_tls(request: &Request) -> bool {
    request.extensions().get().is_some_and(|OverTls(is_over_tls)| *is_over_tls)
}

/// Refuses a request that may change something, and that a page of another origin could have made a browser send.
///
/// # Errors
/// When it lacks the header [`CSRF`], or comes from a page of another origin.
pub(super) fn check_own(request: &Request) -> Result<(), Refusal> {
    if request.method().is_safe() {
        return Ok(());
    }
    if !request.headers().contains_key(CSRF) {
        let text = "with a session's cookie alone, a request that may change something needs the header flowtrail-csrf";
        return Err(Refusal::Forbidden(text.into()));
    }
    check_origin(request)
}

/// Refuses a request that a browser sends for a page of another origin.
///
/// Where the browser itself says where it comes from, that counts: a proxy may have changed the host. Who says nothing is
/// no browser.
///
/// # Errors
/// When it does.
pub(crate) fn check_origin(request: &Request) -> Result<(), Refusal> {
    let text = |name: &HeaderName| request.headers().get(name).map(|value| value.to_str().unwrap_or_default());
    let is_own = match (text(&SEC_FETCH_SITE), text(&ORIGIN)) {
        (Some(site), _) => site == "same-origin" || site == "none",
        (None, Some(origin)) => {
            let host = request.uri().authority().map(Authority::as_str).or_else(|| text(&HOST));
            let origin = origin.split_once("://").map(|(_, host)| host);
            origin.zip(host).is_some_and(|(origin, host)| origin.eq_ignore_ascii_case(host))
        }
        (None, None) => true,
    };
    if is_own { Ok(()) } else { Err(Refusal::Forbidden("a page of another origin may not ask this".into())) }
}

#[cfg(test)]
mod tests;
