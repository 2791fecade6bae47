//! Which dialect a path speaks, and how it says no.

use axum::http::HeaderValue;
use axum::http::header::{RETRY_AFTER, WWW_AUTHENTICATE};
use axum::response::Response;

use crate::refused::Refused;
use crate::{native, netbird, vrni};

/// The way a client is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// `{"message","code"}`.
    NetBird,
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
        } else {
            Self::Native
        }
    }

    /// The answer to a request that is refused.
    pub(crate) fn render(self, refused: &Refused) -> Response {
        let mut response = match self {
            Self::NetBird => netbird::refusal(refused),
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
