//! Every "no" is one value here; how it looks to a client is its dialect's.

use std::borrow::Cow;

use axum::body::Body;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use model::access::Scope;

/// Why a request is not carried out. The text is fit for the client.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    /// The request is wrong; the text names the field.
    #[error("{0}")]
    Invalid(String),
    /// No token, or a header that none can be read from.
    #[error("no valid authentication provided")]
    NoToken,
    /// The token is unknown, or was deleted.
    #[error("token invalid")]
    UnknownToken,
    /// The token's time is over.
    #[error("token expired")]
    ExpiredToken,
    /// The name or the password is wrong: which of both is not said.
    #[error("the user name or the password is wrong")]
    WrongPassword,
    /// The token does not allow this.
    #[error("token lacks the scope {0}")]
    MissingScope(Scope),
    /// The token allows this as little as another one would.
    #[error("{0}")]
    Forbidden(Cow<'static, str>),
    /// There is no such thing.
    #[error("{0}")]
    NotFound(String),
    /// No route has this path.
    #[error("there is nothing at this path")]
    NoSuchPath,
    /// The path does not know this method.
    #[error("method not allowed")]
    WrongMethod,
    /// The body came too slowly.
    #[error("body: did not arrive in time")]
    SlowBody,
    /// Someone else was faster.
    #[error("{0}")]
    Conflict(String),
    /// The receiver that an integration names does not take a test event.
    #[error("{0}")]
    ReceiverRefuses(String),
    /// Too many requests came before this one.
    #[error("too many requests, try again in {seconds} s")]
    TooMany {
        /// After which the same request is answered.
        seconds: u64,
    },
    /// The account has as many long answers under way as it may have.
    #[error("{what}: the account has {most} at a time already, as many as {setting} allows")]
    Crowded {
        /// What there are too many of.
        what: &'static str,
        /// How many there may be.
        most: usize,
        /// The setting that says so.
        setting: &'static str,
    },
    /// The body is larger than it may be.
    #[error("body: must have at most {limit} bytes")]
    TooLarge {
        /// In bytes.
        limit: usize,
    },
    /// The body is compressed in a way that is not understood.
    #[error("content-encoding: must be gzip, zstd or identity")]
    UnknownEncoding,
    /// Flowtrail failed; what went wrong is in its log only.
    #[error("internal error")]
    Internal,
    /// What is needed cannot be reached right now.
    #[error("{0}")]
    Unavailable(&'static str),
}

impl Refusal {
    /// A field, parameter or header that is wrong.
    pub(crate) fn field(name: &str, problem: impl std::fmt::Display) -> Self {
        Self::Invalid(format!("{name}: {problem}"))
    }

    /// The status that says it in HTTP.
    pub(crate) fn status(&self) -> StatusCode {
        match self {
            Self::Invalid(_) => StatusCode::BAD_REQUEST,
            Self::NoToken | Self::UnknownToken | Self::ExpiredToken | Self::WrongPassword => StatusCode::UNAUTHORIZED,
            Self::MissingScope(_) | Self::Forbidden(_) => StatusCode::FORBIDDEN,
            Self::NotFound(_) | Self::NoSuchPath => StatusCode::NOT_FOUND,
            Self::WrongMethod => StatusCode::METHOD_NOT_ALLOWED,
            Self::SlowBody => StatusCode::REQUEST_TIMEOUT,
            Self::Conflict(_) => StatusCode::CONFLICT,
            Self::ReceiverRefuses(_) => StatusCode::PRECONDITION_FAILED,
            Self::TooMany { .. } | Self::Crowded { .. } => StatusCode::TOO_MANY_REQUESTS,
            Self::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::UnknownEncoding => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
        }
    }
}

/// An answer without a body that carries the refusal to [`frame`](crate::http::frame), where the dialect is known.
impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = self.status();
        response.extensions_mut().insert(self);
        response
    }
}
