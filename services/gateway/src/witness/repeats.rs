//! Denials that happen again and again: the first is recorded at once, the others as a number after a minute.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::net::IpAddr;
use std::time::Duration;

use model::log::AccountId;
use tokio::time::Instant;

use super::denial::{Denial, Requester};
use crate::render::refusal::Refusal;

/// How long what happens again is only counted.
const WINDOW: Duration = Duration::from_secs(60);
/// From how many addresses a token is told apart at a time; from all further ones together it is one more.
const MAX_ADDRESSES: usize = 16;

/// Whose window it is: a token's, or that of all strangers.
type Bearer = Option<(AccountId, String)>;

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Key {
    bearer: Bearer,
    /// The refusal's text, which names the scope.
    why: String,
    /// None: one of many.
    address: Option<IpAddr>,
}

#[derive(Debug)]
struct Window {
    opened: Instant,
    first: Denial,
    /// How often it happened again.
    again: u64,
    /// Whether its address is one of those that are told apart.
    is_apart: bool,
}

/// What happened in the last minute, and how often.
#[derive(Debug, Default)]
pub(super) struct Repeats {
    windows: HashMap<Key, Window>,
    addresses: HashMap<Bearer, usize>,
}

impl Repeats {
    /// Takes it in, and gives it back when it is to be told at once.
    pub(super) fn note(&mut self, mut denial: Denial, now: Instant) -> Option<Denial> {
        let mut key = Key::of(&denial);
        // A token is told apart by a few addresses only. One that is tried from everywhere would otherwise have a window,
        // and a record, for each of them.
        let mut is_apart = false;
        if !self.windows.contains_key(&key) {
            let addresses = self.addresses.entry(key.bearer.clone()).or_default();
            if *addresses < MAX_ADDRESSES {
                *addresses += 1;
                is_apart = true;
            } else {
                key.address = None;
                denial.origin.address = None;
            }
        }
        match self.windows.entry(key) {
            Entry::Occupied(mut window) => {
                window.get_mut().again += 1;
                None
            }
            Entry::Vacant(place) => {
                place.insert(Window { opened: now, first: denial.clone(), again: 0, is_apart });
                Some(denial)
            }
        }
    }

    /// What happened again, and how often, in the windows that are over; in all of them when it is the end.
    pub(super) fn sum_up(&mut self, now: Instant, is_end: bool) -> Vec<(Denial, u64)> {
        let mut told = Vec::new();
        let addresses = &mut self.addresses;
        self.windows.retain(|key, window| {
            if !is_end && now.duration_since(window.opened) < WINDOW {
                return true;
            }
            let again = std::mem::take(&mut window.again);
            if again > 0 {
                // It goes on, so the window stays open: what comes next is counted again, not recorded at once.
                told.push((window.first.clone(), again));
                window.opened = now;
                return true;
            }
            if window.is_apart
                && let Entry::Occupied(mut count) = addresses.entry(key.bearer.clone())
            {
                *count.get_mut() -= 1;
                if *count.get() == 0 {
                    count.remove();
                }
            }
            false
        });
        told
    }
}

impl Key {
    fn of(denial: &Denial) -> Self {
        let bearer = match &denial.requester {
            Requester::Known { account, token_id, actor } => {
                Some((account.clone(), token_id.clone().unwrap_or_else(|| actor.id.clone())))
            }
            Requester::Stranger => None,
        };
        // Strangers come with no token or with one that nobody has: it is the same.
        let why = if bearer.is_some() { denial.refusal.to_string() } else { Refusal::UnknownToken.to_string() };
        Self { bearer, why, address: denial.origin.address }
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use model::access::{Actor, Scope};

    use super::*;
    use crate::http::dialect::Dialect;
    use crate::http::origin::Origin;

    fn away(token: &str, scope: Scope, address: u32) -> Denial {
        let token_id = Some(token.to_owned());
        let requester =
            Requester::Known { account: AccountId::parse("main").unwrap(), token_id, actor: Actor::system() };
        let (method, path) = ("GET".to_owned(), "/".to_owned());
        let address = Some(Ipv4Addr::from_bits(address).into());
        let origin = Origin { address, request_id: None, user_agent: None, dialect: Dialect::Native, method, path };
        Denial { requester, refusal: Refusal::MissingScope(scope), origin }
    }

    #[test]
    fn what_happens_again_within_a_minute_is_counted() {
        let (mut repeats, start) = (Repeats::default(), Instant::now());
        let one = away("t1", Scope::AuditRead, 1);
        assert_eq!(repeats.note(one.clone(), start), Some(one.clone()));
        assert_eq!(repeats.note(one.clone(), start), None);
        for other in [away("t2", Scope::AuditRead, 1), away("t1", Scope::Admin, 1), away("t1", Scope::AuditRead, 2)] {
            assert!(repeats.note(other, start).is_some(), "another token, reason or address is told at once");
        }
        assert_eq!(repeats.sum_up(start + WINDOW / 2, false), []);
        assert_eq!(repeats.sum_up(start + WINDOW, false), [(one.clone(), 1)]);
        // While it goes on, it is told once a minute.
        assert_eq!(repeats.note(one.clone(), start + WINDOW), None);
        assert_eq!(repeats.sum_up(start + WINDOW + WINDOW / 2, false), []);
        assert_eq!(repeats.sum_up(start + 2 * WINDOW, false), [(one.clone(), 1)]);
        assert_eq!(repeats.sum_up(start + 3 * WINDOW, false), []);
        assert_eq!(repeats.note(one.clone(), start + 3 * WINDOW), Some(one), "after a quiet minute it is news");
    }

    #[test]
    fn a_token_that_comes_from_everywhere_fills_neither_the_log_nor_the_memory() {
        let (mut repeats, start) = (Repeats::default(), Instant::now());
        let noted = |repeats: &mut Repeats, count: u32, now| {
            (0..count).filter_map(|address| repeats.note(away("t1", Scope::AuditRead, address), now)).count()
        };
        assert_eq!(noted(&mut repeats, 10_000, start), MAX_ADDRESSES + 1);
        let summed_up = repeats.sum_up(start + WINDOW, false);
        assert_eq!((summed_up.len(), summed_up[0].1), (1, 9_999 - MAX_ADDRESSES as u64));
        assert_eq!(summed_up[0].0.origin.address, None);
        assert!(repeats.sum_up(start + 3 * WINDOW, false).is_empty());
        assert!(repeats.windows.is_empty() && repeats.addresses.is_empty());
        assert_eq!(noted(&mut repeats, 3, start + 4 * WINDOW), 3);
    }
}
