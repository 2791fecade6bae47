//! How much anybody may ask for in a while: by token and by address, what reads and what writes apart.
//!
//! Invariants: how many tokens and addresses are remembered has a bound, those that came longest ago are forgotten
//! first; a refusal takes nothing off, so after the time it names the same request is let through.

mod delays;
mod rate;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use arc_swap::ArcSwap;
use axum::http::{Extensions, Method};
use model::access::{Principal, Scope, user_id};
use runtime::settings::LimitSettings;

pub(crate) use self::delays::Delay;
use self::delays::Delays;
use self::rate::Limiter;
use crate::access::caller::Needs;
use crate::http::origin::{Peer, rate_limit_key};
use crate::render::refusal::Refusal;

/// The limits of a gateway.
#[derive(Debug)]
pub(crate) struct Limits(ArcSwap<Each>);

/// Each counts on its own.
#[derive(Debug)]
struct Each {
    by_token: ByEffect,
    by_address: ByEffect,
    unknown: Limiter,
    sign_ins: Limiter,
    sign_ins_by_name: Limiter,
    /// None: neither is how often a name comes limited.
    wrong_passwords: Option<Delays>,
}

/// What reads and what writes, each with a limit of its own.
#[derive(Debug)]
struct ByEffect {
    reads: Limiter,
    writes: Limiter,
}

/// What a request does to the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    Read,
    Write,
}

impl Effect {
    /// As its route says, and where that says nothing, its method.
    pub(crate) fn of(needs: Needs, method: &Method) -> Self {
        match needs {
            Needs::Scope(Scope::AuditRead | Scope::TrafficRead | Scope::IntegrationsRead) => Self::Read,
            Needs::Scope(Scope::IntegrationsWrite | Scope::EventsWrite) => Self::Write,
            Needs::Nothing | Needs::Token | Needs::Scope(Scope::Admin) if method.is_safe() => Self::Read,
            Needs::Nothing | Needs::Token | Needs::Scope(Scope::Admin) => Self::Write,
        }
    }
}

impl Limits {
    pub(crate) fn new(limits: &LimitSettings) -> Self {
        Self(ArcSwap::from_pointee(Each::new(limits)))
    }

    /// Changes them. What was counted is forgotten.
    pub(crate) fn set(&self, limits: &LimitSettings) {
        self.0.store(Arc::new(Each::new(limits)));
    }

    /// Counts a request by its address, before anything else is known of it.
    ///
    /// # Errors
    /// [`Refusal::TooMany`].
    pub(crate) fn by_address(&self, effect: Effect, request: &Extensions) -> Result<(), Refusal> {
        self.0.load().by_address.of(effect).take_of(request)
    }

    /// Counts a request of a token's holder.
    ///
    /// # Errors
    /// [`Refusal::TooMany`].
    pub(crate) fn by_token(&self, effect: Effect, holder: &Principal) -> Result<(), Refusal> {
        // Another issuer's tokens have no id here; those of one person count together.
        let key = match &holder.token_id {
            Some(id) => format!("{}:token:{id}", holder.account),
            None => format!("{}:actor:{}", holder.account, holder.actor.id),
        };
        self.0.load().by_token.of(effect).take(&key)
    }

    /// Counts a request that is refused, if it is for its token: an address that brings many is told 429 instead.
    /// Those from there who hold a valid one are let in all the same: an address may stand for a whole office.
    pub(crate) fn unknown(&self, refusal: Refusal, request: &Extensions) -> Refusal {
        let is_unknown = matches!(refusal, Refusal::NoToken | Refusal::UnknownToken | Refusal::ExpiredToken);
        let too_many = || self.0.load().unknown.take_of(request).err();
        is_unknown.then(too_many).flatten().unwrap_or(refusal)
    }

    /// Counts an attempt to sign in, by its address, and by its name, which many addresses may try passwords for.
    ///
    /// # Errors
    /// [`Refusal::TooMany`].
    pub(crate) fn sign_in(&self, address: Option<IpAddr>, name: &str) -> Result<(), Refusal> {
        self.sign_in_from(address)?;
        // A name may be of any length, and in any case.
        self.0.load().sign_ins_by_name.take(&user_id(name))
    }

    /// Counts a password for a name as a wrong one, until [`Self::password_is_right`] says otherwise. Gives the delay for
    /// this name that begins with it, if one does.
    ///
    /// # Errors
    /// [`Refusal::TooMany`] while the name is delayed.
    pub(crate) fn password(&self, name: &str) -> Result<Option<Delay>, Refusal> {
        let each = self.0.load();
        each.wrong_passwords.as_ref().map_or(Ok(None), |delays| delays.begin(&user_id(name), Instant::now()))
    }

    /// Takes back all that [`Self::password`] holds against a name.
    pub(crate) fn password_is_right(&self, name: &str) {
        if let Some(delays) = &self.0.load().wrong_passwords {
            delays.right(&user_id(name));
        }
    }

    /// Counts an attempt to sign in that names nobody.
    ///
    /// # Errors
    /// [`Refusal::TooMany`].
    pub(crate) fn sign_in_from(&self, address: Option<IpAddr>) -> Result<(), Refusal> {
        address.map_or(Ok(()), |address| self.0.load().sign_ins.take(&rate_limit_key(address)))
    }
}

impl Each {
    fn new(limits: &LimitSettings) -> Self {
        Self {
            by_token: ByEffect {
                reads: Limiter::per_second(limits.rate_reads),
                writes: Limiter::per_second(limits.rate_writes),
            },
            by_address: ByEffect {
                reads: Limiter::per_second(limits.rate_address),
                writes: Limiter::per_second(limits.rate_address),
            },
            unknown: Limiter::per_second(limits.rate_unknown),
            sign_ins: Limiter::per_minute(limits.rate_sign_ins),
            sign_ins_by_name: Limiter::per_minute(limits.rate_sign_ins_name),
            wrong_passwords: (limits.rate_sign_ins_name > 0).then(Delays::default),
        }
    }
}

impl Default for Limits {
    /// No limits at all.
    fn default() -> Self {
        Self::new(&LimitSettings::NONE)
    }
}

impl ByEffect {
    fn of(&self, effect: Effect) -> &Limiter {
        match effect {
            Effect::Read => &self.reads,
            Effect::Write => &self.writes,
        }
    }
}

impl Limiter {
    /// Counts for the address of a request. One that came over no connection, as in tests, counts for nobody.
    fn take_of(&self, request: &Extensions) -> Result<(), Refusal> {
        request.get().map_or(Ok(()), |Peer(address)| self.take(&rate_limit_key(*address)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_route_says_whether_it_reads_or_writes_whatever_its_method() {
        let effect = |needs, method| Effect::of(needs, &method);
        assert_eq!(effect(Needs::Scope(Scope::AuditRead), Method::POST), Effect::Read);
        assert_eq!(effect(Needs::Scope(Scope::EventsWrite), Method::POST), Effect::Write);
        assert_eq!(effect(Needs::Token, Method::GET), Effect::Read);
        assert_eq!(effect(Needs::Token, Method::DELETE), Effect::Write);
        assert_eq!(effect(Needs::Nothing, Method::HEAD), Effect::Read);
    }
}
