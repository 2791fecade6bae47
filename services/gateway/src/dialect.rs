//! Which dialect a path speaks, and how it says no.

use axum::http::header::{RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, head, options};

use crate::refused::Refused;
use crate::{instavm, native, netbird, vrni};

/// The way a client is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// `{"message","code"}`.
    NetBird,
    /// `{"detail"}`, as FastAPI says it.
    InstaVm,
    /// `{"code","message","details"}`.
    Vrni,
    /// RFC 9457, for everything that belongs to no other dialect.
    Native,
}

impl Dialect {
    /// The dialect of a path, known or not.
    pub(crate) fn of(path: &str) -> Self {
        let is_below =
            |root: &str| path.strip_prefix(root).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        if is_below("/api/ni") {
            Self::Vrni
        } else if is_below("/api") {
            Self::NetBird
        } else if is_below("/v1") {
            Self::InstaVm
        } else {
            Self::Native
        }
    }

    /// The answer to a request for a path that has no route.
    pub(crate) fn elsewhere(request: &Parts) -> Response {
        match Self::of(request.uri.path()) {
            Self::InstaVm => instavm::elsewhere(request),
            Self::NetBird | Self::Vrni | Self::Native => Refused::NoSuchPath.into_response(),
        }
    }

    /// The methods that a known path answers besides those of its routes.
    pub(crate) fn other_methods<S: Clone + Send + Sync + 'static>(path: &str) -> MethodRouter<S> {
        match Self::of(path) {
            // There, HEAD does not come with GET.
            Self::InstaVm => head(async || Refused::WrongMethod),
            // Without `Allow`, which would have to say who publishes events here to clients that only know how to read.
            Self::NetBird | Self::Vrni | Self::Native => options(async || StatusCode::NO_CONTENT),
        }
    }

    /// The answer to a request that is refused.
    pub(crate) fn render(self, refused: &Refused) -> Response {
        let mut response = match self {
            Self::NetBird => netbird::refusal(refused),
            Self::InstaVm => instavm::refusal(refused),
            Self::Vrni => vrni::refusal(refused),
            Self::Native => native::problem(refused),
        };
        let headers = response.headers_mut();
        match refused {
            Refused::NoToken | Refused::UnknownToken | Refused::ExpiredToken | Refused::WrongPassword => {
                headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            }
            Refused::Unavailable(_) => {
                headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
            }
            Refused::Invalid(_)
            | Refused::MissingScope(_)
            | Refused::Forbidden(_)
            | Refused::NotFound(_)
            | Refused::NoSuchPath
            | Refused::WrongMethod
            | Refused::SlowBody
            | Refused::Conflict(_)
            | Refused::TooLarge { .. }
            | Refused::UnknownEncoding
            | Refused::Internal => {}
        }
        response
    }
}
