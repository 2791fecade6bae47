//! Which dialect a path speaks, and how it says no.

use axum::http::header::{RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, head, options};

use crate::describe::SchemaOf;
use crate::dialects::instavm;
use crate::dialects::native;
use crate::dialects::netbird;
use crate::dialects::vrni;
use crate::render::refusal::Refused;

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
    /// Every dialect.
    pub(crate) const ALL: [Self; 4] = [Self::NetBird, Self::InstaVm, Self::Vrni, Self::Native];

    /// Its name in the description of the API, and in records.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::NetBird => "NetBird",
            Self::InstaVm => "InstaVM",
            Self::Vrni => "vRNI",
            Self::Native => "Flowtrail",
        }
    }

    /// What it is, in the description of the API.
    pub(crate) fn about(self) -> &'static str {
        match self {
            Self::NetBird => {
                "Events and event streaming as NetBird's dashboard and clients know them, and what Flowtrail adds to them: \
                 more filters, cursors, publishing over HTTP."
            }
            Self::InstaVm => "InstaVM's audit API, down to how it refuses parameters.",
            Self::Vrni => "Sign-in and audit logs of vRNI (VMware Aria Operations for Networks).",
            Self::Native => "Whether Flowtrail is well, and this description.",
        }
    }

    /// How its refusals look: their content type, and the schema of their bodies.
    pub(crate) fn refusal_shape(self) -> (&'static str, SchemaOf) {
        match self {
            Self::NetBird => ("application/json", netbird::refusal_schema),
            Self::InstaVm => ("application/json", instavm::refusal_schema),
            Self::Vrni => ("application/json", vrni::refusal_schema),
            Self::Native => ("application/problem+json", native::problem_schema),
        }
    }

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
            Refused::TooMany { seconds } => {
                headers.insert(RETRY_AFTER, HeaderValue::from(*seconds));
            }
            Refused::Invalid(_)
            | Refused::MissingScope(_)
            | Refused::Forbidden(_)
            | Refused::NotFound(_)
            | Refused::NoSuchPath
            | Refused::WrongMethod
            | Refused::SlowBody
            | Refused::Conflict(_)
            | Refused::ReceiverRefuses(_)
            | Refused::TooLarge { .. }
            | Refused::UnknownEncoding
            | Refused::Internal => {}
        }
        response
    }
}
