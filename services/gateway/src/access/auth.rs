//! Who may come in: a token is read from the headers, looked up, and held against what the route needs.
//!
//! Invariant: all of this is decided from the headers alone, before a body is read.

mod memo;
pub(crate) mod standing;

use std::sync::Arc;

use arc_swap::ArcSwapOption;
use axum::extract::{Request, State};
use axum::http::HeaderMap;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use model::access::{Bearer, Principal, Scope, TokenHash};
use model::log::LogPosition;
use model::secret::Secret;
use model::time::Timestamp;
use runtime::clock;
use views::access::{AccountById, ByToken};
use views::{Ask, Freshness, Question, Reply};

use self::memo::Memo;
use crate::access::caller::{Caller, Needs};
use crate::access::limits::{Effect, Limits};
use crate::access::oidc::{Bad, Provider};
use crate::access::session;
use crate::access::token::{self, Sent, tokens};
use crate::http::freshness::Seen;
use crate::http::origin::Origin;
use crate::http::{body, freshness};
use crate::render::refusal::Refusal;
use crate::upstream::reader::Reader;
use crate::witness::{Requester, Witness};

/// What it takes to tell who comes in.
#[derive(Debug)]
pub(crate) struct Access {
    reader: Arc<Reader>,
    /// Flowtrail's own tokens, as they were last looked up.
    memo: Memo,
    /// The OpenID provider whose tokens are as good as Flowtrail's own.
    provider: Option<Arc<Provider>>,
    limits: Arc<Limits>,
    witness: Arc<Witness>,
    /// As of when a token was looked up last. What was asked of nobody since is as of then, or later.
    looked_up: ArcSwapOption<Freshness>,
}

/// How a request was let in: it goes on with the request.
#[derive(Clone, Debug)]
struct Admission {
    access: Arc<Access>,
    scope: Option<Scope>,
}

/// What a look-up is held to.
#[derive(Clone, Copy)]
struct Look<'a> {
    at_least: &'a [LogPosition],
    /// Where it is noted as of when it was answered.
    seen: &'a Seen,
}

/// Why someone is not let in, and who it is, where a token says so.
#[derive(Debug)]
struct Denied {
    refusal: Refusal,
    requester: Option<Requester>,
}

/// Lets in who may come in, as a [`Caller`]; the others are refused.
pub(crate) async fn guard(
    State((access, needs)): State<(Arc<Access>, Needs)>,
    mut request: Request,
    next: Next,
) -> Result<Response, Refusal> {
    let effect = Effect::of(needs, request.method());
    // The address is counted first: it costs no look-up, so a flood of made-up tokens stops here.
    if let Err(refusal) = access.limits.by_address(effect, request.extensions()) {
        body::discard(request).await;
        return Err(refusal);
    }
    let scope = match needs {
        Needs::Nothing => return Ok(next.run(request).await),
        Needs::Token => None,
        Needs::Scope(scope) => Some(scope),
    };
    if token::session(request.headers()).is_some()
        && let Err(refusal) = session::check_own(&request)
    {
        body::discard(request).await;
        return Err(refusal);
    }
    let origin = Origin::of(&request);
    let seen = match effect {
        // Whatever comes of a read, it is as of when it was known who asks, or of what they ask for.
        Effect::Read => request.extensions().get::<Seen>().cloned().unwrap_or_default(),
        Effect::Write => Seen::default(),
    };
    if let Some(freshness) = &*access.looked_up.load() {
        seen.note(freshness);
    }
    match access.admit(scope, effect, (request.headers(), &seen)).await {
        Ok((principal, at_least)) => {
            request.extensions_mut().insert(Caller { principal, at_least, seen, origin });
            request.extensions_mut().insert(Admission { access: access.clone(), scope });
            Ok(next.run(request).await)
        }
        Err(denied) => {
            let refusal = access.limits.unknown(access.deny(denied, origin), request.extensions());
            // A client that is still sending its body would not see the answer if the connection closed on it.
            body::discard(request).await;
            Err(refusal)
        }
    }
}

/// Counts requests that no route answers: they are as easily made as those that one does.
pub(crate) async fn count_unrouted(State(access): State<Arc<Access>>, request: Request, next: Next) -> Response {
    match access.limits.by_address(Effect::Read, request.extensions()) {
        Ok(()) => next.run(request).await,
        Err(refusal) => {
            body::discard(request).await;
            refusal.into_response()
        }
    }
}

impl Access {
    pub(crate) fn new(
        reader: Arc<Reader>,
        provider: Option<Arc<Provider>>,
        limits: Arc<Limits>,
        witness: Arc<Witness>,
    ) -> Self {
        Self { reader, memo: Memo::default(), provider, limits, witness, looked_up: ArcSwapOption::empty() }
    }

    /// Whom a token stands for that came in a body. One that is not good enough is recorded as if it came in a header.
    ///
    /// # Errors
    /// When it is not good enough, or nobody can say.
    pub(crate) async fn vouch(
        &self,
        token: &Secret,
        at_least: &[LogPosition],
        origin: Origin,
    ) -> Result<Principal, Refusal> {
        let look = Look { at_least, seen: &Seen::default() };
        self.holder(Sent::Bearer(token.reveal().into()), look).await.map_err(|denied| self.deny(denied, origin))
    }

    /// Records a denial.
    fn deny(&self, Denied { refusal, requester }: Denied, origin: Origin) -> Refusal {
        if let Some(requester) = requester {
            self.witness.record_denial(requester, &refusal, origin);
        }
        refusal
    }

    async fn admit(
        &self,
        scope: Option<Scope>,
        effect: Effect,
        (headers, seen): (&HeaderMap, &Seen),
    ) -> Result<(Principal, Vec<LogPosition>), Denied> {
        // A header that cannot be read is refused last, so that only who may come in is told what is wrong with it.
        let at_least = freshness::at_least(headers);
        let look = Look { at_least: at_least.as_deref().unwrap_or_default(), seen };
        let principal = self.authenticate(headers, look).await?;
        // Counted before the scope is checked: a token that lacks it must not ask without end either.
        self.limits.by_token(effect, &principal)?;
        if let Some(scope) = scope.filter(|scope| !principal.scopes.allow(*scope)) {
            return Err(Denied::known(principal, Refusal::MissingScope(scope)));
        }
        Ok((principal, at_least?))
    }

    /// Whom a token of the headers stands for: the first that is valid.
    async fn authenticate(&self, headers: &HeaderMap, look: Look<'_>) -> Result<Principal, Denied> {
        let mut denied = Denied::from(Refusal::NoToken);
        for sent in tokens(headers) {
            match self.holder(sent, look).await {
                Ok(principal) => return Ok(principal),
                // Only what says whose token it is not is no reason to try another one.
                Err(other @ Denied { requester: None, .. }) => return Err(other),
                Err(invalid) => denied = invalid,
            }
        }
        Err(denied)
    }

    async fn holder(&self, sent: Sent<'_>, look: Look<'_>) -> Result<Principal, Denied> {
        let now = Timestamp::from_micros(clock::now_micros()).map_err(|_| Refusal::Internal)?;
        if let (Some(provider), Sent::Bearer(token)) = (&self.provider, &sent)
            && Provider::could_be_token(token)
        {
            return self.of_provider(provider.holder(token, now).await, look).await;
        }
        let (Sent::Bearer(token) | Sent::Otherwise(token)) = sent;
        let hash = TokenHash::of(&token);
        // Read before the look-up: what is found may be newer than this version, and is then looked up once more, but
        // never remembered as newer than it is.
        let version = self.reader.version(views::access::VIEW);
        // Who knows of something newer waits for the view, which the memo cannot do.
        let recalled =
            version.filter(|_| look.at_least.is_empty()).and_then(|version| self.memo.recall(&hash, version));
        let principal = match recalled {
            Some(principal) => principal,
            None => {
                let principal = self.look_up(hash.clone(), look).await?;
                if let Some(version) = version {
                    self.memo.keep(hash, version, &principal);
                }
                principal
            }
        };
        // Time passes without a change of the view, so this is held against the clock each time.
        if principal.expires_at.is_some_and(|end| end <= now) {
            return Err(Denied::known(principal, Refusal::ExpiredToken));
        }
        Ok(principal)
    }

    /// Whom one of Flowtrail's own tokens stands for; whether its time is over is not looked at.
    async fn look_up(&self, hash: TokenHash, look: Look<'_>) -> Result<Principal, Denied> {
        // A token that was made a moment ago is known here once the position of its making is.
        match self.ask(ByToken { hash }, look).await? {
            Some(Bearer::Current(principal)) => Ok(principal),
            Some(Bearer::Former { account, token_id, actor }) => {
                let requester = Requester::Known { account, token_id: Some(token_id), actor };
                Err(Denied { refusal: Refusal::UnknownToken, requester: Some(requester) })
            }
            None => Err(Denied::stranger()),
        }
    }

    async fn ask<Q: Question>(&self, question: Q, Look { at_least, seen }: Look<'_>) -> Result<Q::Answer, Refusal> {
        let Reply { answer, freshness } = self.reader.ask(Ask { at_least: at_least.to_vec(), question }).await?;
        seen.note(&freshness);
        self.looked_up.store(Some(Arc::new(freshness)));
        Ok(answer)
    }

    /// Whom a token of the provider's stands for: it may name accounts that are not there.
    async fn of_provider(&self, found: Result<Principal, Bad>, look: Look<'_>) -> Result<Principal, Denied> {
        let (principal, is_expired) = match found {
            Ok(principal) => (principal, false),
            Err(Bad::Expired(principal)) => (*principal, true),
            Err(Bad::Foreign) => return Err(Denied::stranger()),
            Err(Bad::NoKeys) => {
                return Err(Refusal::Unavailable("the keys of the OpenID provider cannot be had, try again").into());
            }
        };
        let question = AccountById { account: principal.account.clone() };
        // Looked up for an expired token too: its denial is recorded in the account, which must be there for that.
        if self.ask(question, look).await?.is_none() {
            return Err(Denied::stranger());
        }
        if is_expired { Err(Denied::known(principal, Refusal::ExpiredToken)) } else { Ok(principal) }
    }
}

impl Denied {
    fn known(principal: Principal, refusal: Refusal) -> Self {
        let Principal { account, token_id, actor, .. } = principal;
        Self { refusal, requester: Some(Requester::Known { account, token_id, actor }) }
    }

    fn stranger() -> Self {
        Self { refusal: Refusal::UnknownToken, requester: Some(Requester::Stranger) }
    }
}

/// A refusal that has nothing to do with who it is.
impl From<Refusal> for Denied {
    fn from(refusal: Refusal) -> Self {
        Self { refusal, requester: None }
    }
}
