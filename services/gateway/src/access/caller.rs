//! What a route needs, and who was let in to it.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use model::access::{Principal, Scope};
use model::log::LogPosition;

use crate::http::freshness::Seen;
use crate::http::origin::Origin;
use crate::render::refusal::Refusal;

/// What a request to a route must bring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Needs {
    /// Nothing: anybody is let in.
    Nothing,
    /// Any valid token.
    Token,
    /// A token with this scope.
    Scope(Scope),
}

/// Who makes a request, and what they know of already.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    /// From the token; never from a body.
    pub(crate) principal: Principal,
    /// Answers must be as of these positions or later: `Flowtrail-At-Least`.
    pub(crate) at_least: Vec<LogPosition>,
    /// Where it is noted as of when they were answered.
    pub(crate) seen: Seen,
    /// For the record of what they read.
    pub(crate) origin: Origin,
}

/// The caller that [`guard`](super::auth::guard) let in.
impl<S: Sync> FromRequestParts<S> for Caller {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        // Without a caller the route was declared open by mistake: better refuse everybody than let anybody in.
        parts.extensions.remove().ok_or(Refusal::Internal)
    }
}
