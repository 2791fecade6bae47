//! Which pages in browsers may ask from another origin, in the words of the Fetch standard (CORS).
//!
//! Credentials that a browser adds by itself are never allowed: the cookie of a session is for pages of Flowtrail's own
//! origin, and another page has to hold a token, which it sends in a header. So any origin may ask, as with NetBird, unless the
//! operator names some.

use std::convert::Infallible;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use axum::extract::{Request, State};
use axum::http::header::{ACCESS_CONTROL_REQUEST_METHOD, LINK, LOCATION, ORIGIN, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderName, HeaderValue, Method};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tower::{Layer, ServiceExt};
use tower_http::cors::{AllowHeaders, AllowMethods, AllowOrigin, CorsLayer};
use url::Url;

use crate::http::frame::REQUEST_ID;
use crate::http::freshness::{AS_OF, LAG, STALE};
use crate::http::ignored::IGNORED;

/// How long a browser need not ask again.
const PREFLIGHT_HOLDS: Duration = Duration::from_secs(600);
const TOTAL_COUNT: HeaderName = HeaderName::from_static("x-total-count");

/// The origins whose pages may ask.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origins {
    /// All of them.
    Any,
    /// These, each as a browser sends it.
    These(Vec<HeaderValue>),
}

/// A text that is no origin.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no origin; one is *, or like https://dash.example.com")]
pub struct NoOrigin(String);

impl FromStr for Origins {
    type Err = NoOrigin;

    /// Origins that are separated by commas; `*` is all of them.
    fn from_str(text: &str) -> Result<Self, NoOrigin> {
        let mut these = Vec::new();
        for named in text.split(',').map(str::trim).filter(|named| !named.is_empty()) {
            if named == "*" {
                return Ok(Self::Any);
            }
            // A browser sends it without a path, in lower case, and without the port that goes without saying.
            let is_origin = Url::parse(named).is_ok_and(|url| url.origin().ascii_serialization() == named);
            let value = HeaderValue::try_from(named).ok().filter(|_| is_origin);
            these.push(value.ok_or_else(|| NoOrigin(named.to_owned()))?);
        }
        Ok(Self::These(these))
    }
}

/// The origins that are allowed now. Cheap to clone; clones allow the same.
#[derive(Clone, Debug)]
pub(crate) struct Cors(Arc<ArcSwap<CorsLayer>>);

impl Cors {
    pub(crate) fn new(origins: &Origins) -> Self {
        Self(Arc::new(ArcSwap::from_pointee(layer(origins))))
    }

    /// Allows these instead.
    pub(crate) fn allow(&self, origins: &Origins) {
        self.0.store(Arc::new(layer(origins)));
    }
}

/// Allows origins.
fn layer(origins: &Origins) -> CorsLayer {
    let origin = match origins {
        Origins::Any => AllowOrigin::any(),
        Origins::These(these) => AllowOrigin::list(these.iter().cloned()),
    };
    CorsLayer::new()
        .allow_origin(origin)
        // What a route does not know it refuses itself. A `*` would leave `Authorization` out.
        .allow_methods(AllowMethods::mirror_request())
        .allow_headers(AllowHeaders::mirror_request())
        .expose_headers([
            REQUEST_ID,
            AS_OF,
            LAG,
            STALE,
            IGNORED,
            TOTAL_COUNT,
            LINK,
            LOCATION,
            RETRY_AFTER,
            WWW_AUTHENTICATE,
        ])
        .max_age(PREFLIGHT_HOLDS)
}

/// Answers a browser's question whether it may ask, and says in other answers to pages who may read them. An OPTIONS that
/// is not such a question goes to the routes. Who names no origin is no page, and is told nothing of this; no cache keeps
/// that for one that is.
pub(crate) async fn cors(State(Cors(allowed)): State<Cors>, request: Request, next: Next) -> Response {
    let is_question = request.headers().contains_key(ACCESS_CONTROL_REQUEST_METHOD);
    if !request.headers().contains_key(ORIGIN) || (request.method() == Method::OPTIONS && !is_question) {
        return next.run(request).await;
    }
    let answered: Result<Response, Infallible> =
        allowed.load().layer(next).oneshot(request).await.map(IntoResponse::into_response);
    answered.unwrap_or_else(|never| match never {})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_as_browsers_send_them() {
        let named = "https://dash.example.com, http://localhost:3000".parse::<Origins>().unwrap();
        let expected = ["https://dash.example.com", "http://localhost:3000"].map(HeaderValue::from_static);
        assert_eq!(named, Origins::These(expected.into()));
        assert_eq!("https://a.example,*".parse(), Ok(Origins::Any));
        assert_eq!("".parse(), Ok(Origins::These(Vec::new())));
        for wrong in
            ["https://dash.example.com/", "dash.example.com", "https://a.example:443", "HTTPS://a.example", "null"]
        {
            assert_eq!(wrong.parse::<Origins>(), Err(NoOrigin(wrong.to_owned())));
        }
    }
}
