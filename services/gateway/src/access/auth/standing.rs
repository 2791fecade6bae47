//! Whether who was let in may still be: answers that go on for hours ask again.

use axum::extract::FromRequestParts;
use axum::http::HeaderMap;
use axum::http::request::Parts;

use super::{Admission, Denied, Look};
use crate::access::token;
use crate::http::freshness::Seen;
use crate::render::refusal::Refusal;

/// With what a request was let in, so that it can be asked again.
#[derive(Debug)]
pub(crate) struct Standing {
    admission: Admission,
    /// Those headers of the request that bring tokens.
    headers: HeaderMap,
}

impl<S: Sync> FromRequestParts<S> for Standing {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        let admission = parts.extensions.remove().ok_or(Refusal::Internal)?;
        Ok(Self { admission, headers: token::headers(&parts.headers) })
    }
}

impl Standing {
    /// Whether the token is valid and allows what it did. While nobody can say, it stands.
    pub(crate) async fn holds(&self) -> bool {
        let Admission { access, scope } = &self.admission;
        let seen = Seen::default();
        match access.authenticate(&self.headers, Look { at_least: &[], seen: &seen }).await {
            Ok(principal) => scope.is_none_or(|scope| principal.scopes.allow(scope)),
            Err(Denied { requester, .. }) => requester.is_none(),
        }
    }
}
