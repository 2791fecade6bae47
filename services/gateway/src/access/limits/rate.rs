//! One limit: so many requests in a while, for each key apart (GCRA, a leaky bucket that needs no timer).

use std::num::NonZero;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use governor::clock::{Clock, DefaultClock};
use governor::middleware::NoOpMiddleware;
use governor::nanos::Nanos;
use governor::state::StateStore;
use governor::{Quota, RateLimiter};
use lru::LruCache;

use crate::render::refusal::Refusal;

/// As many keys are known at a time; with more, those that came longest ago are forgotten and start over.
const MAX_KEYS: NonZero<usize> = NonZero::new(16_384).unwrap();
/// How many seconds' worth of requests may come at once.
const BURST_SECONDS: u32 = 2;

/// A limit, or none.
#[derive(Debug)]
pub(super) struct Limiter<C: Clock = DefaultClock>(
    Option<RateLimiter<String, Recent, C, NoOpMiddleware<<C as Clock>::Instant>>>,
);

impl Limiter {
    /// So many requests a second, and twice as many at once; 0: any number.
    pub(super) fn per_second(rate: u32) -> Self {
        Self::with_clock(per_second(rate), DefaultClock::default())
    }

    /// So many requests a minute, and as many at once; 0: any number.
    pub(super) fn per_minute(rate: u32) -> Self {
        Self::with_clock(NonZero::new(rate).map(Quota::per_minute), DefaultClock::default())
    }
}

fn per_second(rate: u32) -> Option<Quota> {
    let rate = NonZero::new(rate)?;
    let at_once = NonZero::new(rate.get().saturating_mul(BURST_SECONDS)).unwrap_or(rate);
    Some(Quota::per_second(rate).allow_burst(at_once))
}

impl<C: Clock> Limiter<C> {
    fn with_clock(quota: Option<Quota>, clock: C) -> Self {
        Self(quota.map(|quota| RateLimiter::new(quota, Recent::default(), clock)))
    }

    /// Counts one request of `key`.
    ///
    /// # Errors
    /// [`Refusal::TooMany`] when there were too many; then this one does not count.
    pub(super) fn take(&self, key: &String) -> Result<(), Refusal> {
        let Some(limiter) = &self.0 else { return Ok(()) };
        limiter.check_key(key).map_err(|until| {
            let wait = until.wait_time_from(limiter.clock().now());
            Refusal::TooMany { seconds: whole_seconds(wait) }
        })
    }
}

/// Rounded up, so that it is long enough.
pub(super) fn whole_seconds(wait: Duration) -> u64 {
    (wait.as_secs() + u64::from(wait.subsec_nanos() > 0)).max(1)
}

/// What is known of the keys that came last.
#[derive(Debug)]
struct Recent(Mutex<LruCache<String, Nanos>>);

impl Default for Recent {
    fn default() -> Self {
        Self(Mutex::new(LruCache::new(MAX_KEYS)))
    }
}

impl StateStore for Recent {
    type Key = String;

    fn measure_and_replace<T, F, E>(&self, key: &String, decide: F) -> Result<T, E>
    where
        F: Fn(Option<Nanos>) -> Result<(T, Nanos), E>,
    {
        // A panic while it was held changed nothing by half.
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(state) = known.get_mut(key) {
            let (outcome, next) = decide(Some(*state))?;
            *state = next;
            return Ok(outcome);
        }
        let (outcome, next) = decide(None)?;
        known.put(key.clone(), next);
        Ok(outcome)
    }
}

#[cfg(test)]
mod tests {
    use governor::clock::FakeRelativeClock;

    use super::*;

    fn limiter(quota: Option<Quota>) -> (Limiter<FakeRelativeClock>, FakeRelativeClock) {
        let clock = FakeRelativeClock::default();
        (Limiter::with_clock(quota, clock.clone()), clock)
    }

    fn until_refused(limiter: &Limiter<FakeRelativeClock>, key: &str) -> usize {
        (0..).take_while(|_| limiter.take(&key.to_owned()).is_ok()).count()
    }

    #[test]
    fn two_seconds_worth_may_come_at_once_and_then_so_many_a_second() {
        let (limiter, clock) = limiter(per_second(10));
        assert_eq!(until_refused(&limiter, "a"), 20);
        clock.advance(Duration::from_secs(1));
        assert_eq!(until_refused(&limiter, "a"), 10);
        clock.advance(Duration::from_secs(60));
        assert_eq!(until_refused(&limiter, "a"), 20);
    }

    #[test]
    fn after_the_time_that_is_named_a_request_is_let_through_and_none_before_its_last_second() {
        for quota in [per_second(1), per_second(3), Some(Quota::per_minute(NonZero::new(7).unwrap()))] {
            let (limiter, clock) = limiter(quota);
            for _ in 0..20 {
                until_refused(&limiter, "a");
                let Err(Refusal::TooMany { seconds }) = limiter.take(&"a".to_owned()) else { panic!("let through") };
                clock.advance(Duration::from_secs(seconds - 1));
                assert!(seconds == 1 || limiter.take(&"a".to_owned()).is_err(), "{seconds} s are too many");
                clock.advance(Duration::from_secs(1));
                assert_eq!(limiter.take(&"a".to_owned()), Ok(()), "{seconds} s are too few");
            }
        }
    }

    #[test]
    fn each_key_counts_for_itself_and_zero_is_no_limit() {
        let (limiter, _) = limiter(per_second(1));
        assert_eq!((until_refused(&limiter, "a"), until_refused(&limiter, "b")), (2, 2));
        let off = Limiter::per_second(0);
        assert!((0..10_000).all(|_| off.take(&"a".to_owned()).is_ok()));
    }

    #[test]
    fn no_more_keys_are_known_than_there_may_be_and_the_last_ones_stay() {
        let (limiter, _) = limiter(per_second(1));
        until_refused(&limiter, "first");
        for number in 0..MAX_KEYS.get() {
            assert_eq!(limiter.take(&number.to_string()), Ok(()));
        }
        assert_eq!(until_refused(&limiter, &(MAX_KEYS.get() - 1).to_string()), 1);
        assert_eq!(until_refused(&limiter, "first"), 2, "forgotten");
        let known = limiter.0.unwrap().into_state_store().0.into_inner().unwrap();
        assert_eq!(known.len(), MAX_KEYS.get());
    }
}
