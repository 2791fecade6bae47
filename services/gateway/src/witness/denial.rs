//! Requests that were denied because of who they come from.

use model::access::{Actor, Scope};
use model::audit::Fields;
use model::log::AccountId;
use serde_json::json;
use tracing::warn;

use super::record::{data_of, filled};
use crate::http::origin::Origin;
use crate::render::refusal::Refusal;

/// Who comes with a token that is not good enough.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Requester {
    /// The token is, or was, of this account.
    Known {
        /// The denial is recorded in it.
        account: AccountId,
        /// None for a token of an OpenID provider.
        token_id: Option<String>,
        /// As whom its deeds are recorded.
        actor: Actor,
    },
    /// Nobody has ever had this token.
    Stranger,
}

/// A request that is refused before it is carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Denial {
    pub(super) requester: Requester,
    pub(super) refusal: Refusal,
    pub(super) origin: Origin,
}

impl Denial {
    /// The account that it is recorded in, and the record of its having happened so many times. A stranger has no
    /// account; of those there is a line in the log instead.
    pub(super) fn to_event(&self, times: u64) -> Option<(AccountId, Fields)> {
        let Self { requester, refusal, origin } = self;
        let Requester::Known { account, token_id, actor } = requester else {
            let (address, path) = (origin.address.map(tracing::field::display), &origin.path);
            warn!(address, path, times, "someone comes with a token that nobody has");
            return None;
        };
        let scope = if let Refusal::MissingScope(scope) = refusal { Some(*scope) } else { None };
        let reason = match scope {
            Some(_) => "missing scope",
            None if *refusal == Refusal::ExpiredToken => "expired token",
            None => "deleted token",
        };
        let meta = json!({
            "dialect": origin.dialect.name(), "reason": reason, "scope": scope.map(Scope::name),
            "token_id": token_id, "times": times,
        });
        let data = Fields {
            event_type: Some("access.denied".to_owned()),
            activity: Some("Access denied".to_owned()),
            status: Some("denied".to_owned()),
            resource_type: Some("endpoint".to_owned()),
            resource_id: Some(format!("{} {}", origin.method, origin.path)),
            http_status: Some(refusal.status().as_u16().into()),
            error_message: Some(refusal.to_string()),
            meta: filled(meta),
            ..data_of(origin, actor)
        };
        Some((account.clone(), data))
    }
}
