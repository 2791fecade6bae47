//! Who comes in: a token is read from the headers, looked up, and held against what the route needs.
//!
//! Invariant: all of this is decided from the headers alone, before a body is read.

mod memo;

use std::sync::Arc;

use axum::extract::{FromRequestParts, Request, State};
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName};
use axum::middleware::Next;
use axum::response::Response;
use model::access::{Bearer, Principal, Scope, TokenHash};
use model::log::Position;
use model::time::Timestamp;
use runtime::clock;
use views::access::{AccountById, ByToken};
use views::{Ask, Question, Reply};

pub(crate) use self::memo::Memo;
use crate::limits::Kind;
use crate::oidc::{Bad, Provider};
use crate::refused::Refused;
use crate::router::Gateway;
use crate::witness::{Origin, Whom};
use crate::{body, freshness};

const BEARER: &str = "bearer";
const OTHER_SCHEMES: [&str; 2] = ["token", "networkinsight"];
const API_KEY: HeaderName = HeaderName::from_static("x-api-key");

/// What a route needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// Nothing.
    Open,
    /// Any valid token.
    Token,
    /// A token with this scope.
    Scope(Scope),
}

/// Whoever makes a request, and what they know of already.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    /// Whom the token stands for.
    pub(crate) principal: Principal,
    /// Answers shall be as of these positions or later.
    pub(crate) at_least: Vec<Position>,
    /// Where the request comes from.
    pub(crate) from: Origin,
}

/// Why someone is not let in, and who it is, where a token says so.
#[derive(Debug)]
struct TurnedAway {
    refused: Refused,
    whom: Option<Whom>,
}

/// Lets in whoever may come in, as a [`Caller`]; the others are refused.
pub(crate) async fn guard(
    State((gateway, access)): State<(Arc<Gateway>, Access)>,
    mut request: Request,
    next: Next,
) -> Result<Response, Refused> {
    let kind = Kind::of(access, request.method());
    if let Err(refused) = gateway.limits.by_address(kind, request.extensions()) {
        body::discard(request).await;
        return Err(refused);
    }
    let needed = match access {
        Access::Open => return Ok(next.run(request).await),
        Access::Token => None,
        Access::Scope(scope) => Some(scope),
    };
    let from = Origin::of(&request);
    match admitted(&gateway, needed, kind, request.headers()).await {
        Ok((principal, at_least)) => {
            request.extensions_mut().insert(Caller { principal, at_least, from });
            Ok(next.run(request).await)
        }
        Err(TurnedAway { refused, whom }) => {
            if let Some(whom) = whom {
                gateway.witness.turned_away(whom, &refused, from);
            }
            let refused = gateway.limits.unknown(refused, request.extensions());
            body::discard(request).await;
            Err(refused)
        }
    }
}

async fn admitted(
    gateway: &Gateway,
    needed: Option<Scope>,
    kind: Kind,
    headers: &HeaderMap,
) -> Result<(Principal, Vec<Position>), TurnedAway> {
    let at_least = freshness::at_least(headers);
    let principal = authenticate(gateway, headers, at_least.as_deref().unwrap_or_default()).await?;
    gateway.limits.by_token(kind, &principal)?;
    if let Some(scope) = needed.filter(|scope| !principal.scopes.allow(*scope)) {
        return Err(TurnedAway::known(principal, Refused::MissingScope(scope)));
    }
    Ok((principal, at_least?))
}

/// Whom a token of the headers stands for: the first that is valid.
async fn authenticate(gateway: &Gateway, headers: &HeaderMap, at_least: &[Position]) -> Result<Principal, TurnedAway> {
    let mut turned_away = TurnedAway::from(Refused::NoToken);
    for sent in tokens(headers) {
        match holder(gateway, sent, at_least).await {
            Ok(principal) => return Ok(principal),
            // Only what says whose token it is not is no reason to try another one.
            Err(other @ TurnedAway { whom: None, .. }) => return Err(other),
            Err(invalid) => turned_away = invalid,
        }
    }
    Err(turned_away)
}

async fn holder(gateway: &Gateway, sent: Sent<'_>, at_least: &[Position]) -> Result<Principal, TurnedAway> {
    let now = Timestamp::from_micros(clock::now_micros()).map_err(|_| Refused::Internal)?;
    if let (Some(provider), Sent::Bearer(token)) = (&gateway.provider, sent)
        && Provider::could_be_token(token)
    {
        return of_provider(gateway, provider.holder(token, now).await, at_least).await;
    }
    let (Sent::Bearer(token) | Sent::Otherwise(token)) = sent;
    let hash = TokenHash::of(token);
    let version = gateway.reader.version(views::access::VIEW);
    // Whoever knows of something newer waits for the view.
    let recalled = version.filter(|_| at_least.is_empty()).and_then(|version| gateway.memo.recall(&hash, version));
    let principal = match recalled {
        Some(principal) => principal,
        None => {
            let principal = look_up(gateway, hash.clone(), at_least).await?;
            if let Some(version) = version {
                gateway.memo.keep(hash, version, &principal);
            }
            principal
        }
    };
    if principal.expires_at.is_some_and(|end| end <= now) {
        return Err(TurnedAway::known(principal, Refused::ExpiredToken));
    }
    Ok(principal)
}

/// Whom a token stands for, its time aside.
async fn look_up(gateway: &Gateway, hash: TokenHash, at_least: &[Position]) -> Result<Principal, TurnedAway> {
    // A token that was made a moment ago is known here once the position of its making is.
    let ask = Ask { at_least: at_least.to_vec(), question: ByToken { hash } };
    match gateway.reader.ask(ask).await.map_err(Refused::from)?.answer {
        Some(Bearer::Current(principal)) => Ok(principal),
        Some(Bearer::Former { account, token_id, actor }) => {
            let whom = Whom::Known { account, token_id: Some(token_id), actor };
            Err(TurnedAway { refused: Refused::UnknownToken, whom: Some(whom) })
        }
        None => Err(TurnedAway::stranger()),
    }
}

/// Whom a token of the provider's stands for: it may name accounts that are not there.
async fn of_provider(
    gateway: &Gateway,
    found: Result<Principal, Bad>,
    at_least: &[Position],
) -> Result<Principal, TurnedAway> {
    let (principal, is_expired) = match found {
        Ok(principal) => (principal, false),
        Err(Bad::Expired(principal)) => (*principal, true),
        Err(Bad::Foreign) => return Err(TurnedAway::stranger()),
        Err(Bad::NoKeys) => {
            return Err(Refused::Unavailable("the keys of the OpenID provider cannot be had, try again").into());
        }
    };
    let question = AccountById { account: principal.account.clone() };
    let ask = Ask { at_least: at_least.to_vec(), question };
    if gateway.reader.ask(ask).await.map_err(Refused::from)?.answer.is_none() {
        return Err(TurnedAway::stranger());
    }
    if is_expired { Err(TurnedAway::known(principal, Refused::ExpiredToken)) } else { Ok(principal) }
}

impl TurnedAway {
    fn known(principal: Principal, refused: Refused) -> Self {
        let Principal { account, token_id, actor, .. } = principal;
        Self { refused, whom: Some(Whom::Known { account, token_id, actor }) }
    }

    fn stranger() -> Self {
        Self { refused: Refused::UnknownToken, whom: Some(Whom::Stranger) }
    }
}

/// A refusal for whoever it is.
impl From<Refused> for TurnedAway {
    fn from(refused: Refused) -> Self {
        Self { refused, whom: None }
    }
}

/// A token as it was sent.
#[derive(Clone, Copy)]
enum Sent<'a> {
    /// Behind the scheme that providers' tokens come behind.
    Bearer(&'a str),
    /// Behind another, or as an API key.
    Otherwise(&'a str),
}

/// The tokens: one behind a scheme that is known, in any case, and one as an API key.
fn tokens(headers: &HeaderMap) -> impl Iterator<Item = Sent<'_>> {
    let value = |name| headers.get(name)?.to_str().ok().map(str::trim);
    let behind_scheme = value(AUTHORIZATION).and_then(|text| {
        let (scheme, token) = text.split_once(' ')?;
        let token = token.trim_start();
        if BEARER.eq_ignore_ascii_case(scheme) {
            return Some(Sent::Bearer(token));
        }
        let is_known = OTHER_SCHEMES.iter().any(|known| known.eq_ignore_ascii_case(scheme));
        is_known.then_some(Sent::Otherwise(token))
    });
    let is_there = |sent: &Sent<'_>| match sent {
        Sent::Bearer(token) | Sent::Otherwise(token) => !token.is_empty(),
    };
    [behind_scheme, value(API_KEY).map(Sent::Otherwise)].into_iter().flatten().filter(is_there)
}

impl Caller {
    /// Asks a question, as fresh as the caller wants the answer, and has it noted where that is due.
    ///
    /// # Errors
    /// When the views cannot be reached or fail.
    pub(crate) async fn ask<Q: Question>(&self, gateway: &Gateway, question: Q) -> Result<Reply<Q::Answer>, Refused> {
        self.ask_and(gateway, question, |answer| answer).await
    }

    /// The same, making something of the answer off the threads that serve connections.
    ///
    /// # Errors
    /// When the views cannot be reached or fail.
    pub(crate) async fn ask_and<Q: Question, T: Send + 'static>(
        &self,
        gateway: &Gateway,
        question: Q,
        make: impl FnOnce(Q::Answer) -> T + Send + 'static,
    ) -> Result<Reply<T>, Refused> {
        let asked = gateway.witness.asked(&question);
        let ask = Ask { at_least: self.at_least.clone(), question };
        let make = move |answer| (Q::WATCH.map(|watch| (watch.seen)(&answer)), make(answer));
        let Reply { answer: (seen, made), freshness } = gateway.reader.ask_and(ask, make).await?;
        if let (Some(filter), Some(seen)) = (asked, seen) {
            gateway.witness.looked::<Q>(self, &filter, seen);
        }
        Ok(Reply { answer: made, freshness })
    }
}

/// Whom [`guard`] has let in.
impl<S: Sync> FromRequestParts<S> for Caller {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refused> {
        // Without a caller the route was declared open by mistake: nobody is let in then.
        parts.extensions.remove().ok_or(Refused::Internal)
    }
}

#[cfg(test)]
mod tests;
