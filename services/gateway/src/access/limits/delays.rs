//! Delays that grow: after wrong passwords in a row, the next attempt with the same name has to wait, longer each time.
//!
//! Invariants: an attempt counts as wrong from its beginning until it is known to be right, so that many at once count as
//! many one after the other; names that nobody has are delayed like all others; a delay has a bound, and so has how many
//! names are known: those that came longest ago are forgotten first.

use std::num::NonZero;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use lru::LruCache;

use super::rate::whole_seconds;
use crate::render::refusal::Refusal;

/// As many names are known at a time.
const MAX_NAMES: NonZero<usize> = NonZero::new(16_384).unwrap();
/// So many passwords may be wrong before anybody waits: people mistype, and a script with an old one should be told so.
const FREE: u32 = 9;
/// How long the first delay is. Each further one is twice as long.
const SHORTEST: Duration = Duration::from_secs(1);
/// No delay is longer: somebody else's attempts must not keep a user out for good.
const LONGEST: Duration = Duration::from_secs(300);
/// After so long without an attempt, counting begins anew.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(3600);

/// What is known of the names that came last.
#[derive(Debug)]
pub(super) struct Delays(Mutex<LruCache<String, Wrong>>);

/// A delay that has begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Delay {
    /// How many passwords in a row were wrong.
    pub(crate) wrong: u32,
    /// How long the name has to wait.
    pub(crate) lasts: Duration,
}

/// Passwords for a name, the last of which was wrong or is not known yet to be right.
#[derive(Debug)]
struct Wrong {
    times: u32,
    last: Instant,
    delayed_until: Instant,
}

impl Default for Delays {
    fn default() -> Self {
        Self(Mutex::new(LruCache::new(MAX_NAMES)))
    }
}

impl Delays {
    /// Counts an attempt as a wrong one. Gives the delay that has begun with it, if it is one.
    ///
    /// # Errors
    /// [`Refusal::TooMany`] during a delay; then it does not count.
    pub(super) fn begin(&self, name: &str, now: Instant) -> Result<Option<Delay>, Refusal> {
        // A panic while it was held changed nothing by half.
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let before = known.get(name).filter(|wrong| now.duration_since(wrong.last) < FORGOTTEN_AFTER);
        let left = before.map_or(Duration::ZERO, |wrong| wrong.delayed_until.saturating_duration_since(now));
        if !left.is_zero() {
            return Err(Refusal::TooMany { seconds: whole_seconds(left) });
        }
        let times = before.map_or(0, |wrong| wrong.times).saturating_add(1);
        let lasts = length(times);
        known.put(name.to_owned(), Wrong { times, last: now, delayed_until: now + lasts });
        Ok((!lasts.is_zero()).then_some(Delay { wrong: times, lasts }))
    }

    /// The password was right: nothing is held against the name.
    pub(super) fn right(&self, name: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).pop(name);
    }
}

/// How long a name waits after so many wrong passwords in a row.
fn length(times: u32) -> Duration {
    let Some(doublings) = times.checked_sub(FREE + 1) else { return Duration::ZERO };
    let factor = 2_u32.checked_pow(doublings).unwrap_or(u32::MAX);
    SHORTEST.saturating_mul(factor).min(LONGEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The seconds that a name has to wait after each of many attempts, when each is made as soon as it may be.
    fn waits(delays: &Delays, name: &str, mut now: Instant, count: usize) -> Vec<u64> {
        let mut waits = Vec::new();
        for _ in 0..count {
            let lasts = delays.begin(name, now).unwrap().map_or(Duration::ZERO, |delay| delay.lasts);
            if !lasts.is_zero() {
                let seconds = lasts.as_secs();
                assert_eq!(delays.begin(name, now), Err(Refusal::TooMany { seconds }));
                assert!(delays.begin(name, now + lasts - Duration::from_millis(1)).is_err());
            }
            now += lasts;
            waits.push(lasts.as_secs());
        }
        waits
    }

    #[test]
    fn delays_double_from_the_tenth_wrong_password_in_a_row_up_to_five_minutes() {
        let (delays, now) = (Delays::default(), Instant::now());
        let waits = waits(&delays, "a", now, 20);
        assert_eq!(waits[..9], [0; 9]);
        assert_eq!(waits[9..], [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]);
        assert_eq!(length(u32::MAX), LONGEST);
    }

    #[test]
    fn a_right_password_ends_it_and_other_names_have_nothing_to_do_with_it() {
        let (delays, now) = (Delays::default(), Instant::now());
        for _ in 0..=FREE {
            delays.begin("a", now).unwrap();
        }
        assert!(delays.begin("a", now).is_err());
        assert_eq!(delays.begin("b", now), Ok(None));
        delays.right("a");
        assert_eq!(delays.begin("a", now), Ok(None));
    }

    #[test]
    fn after_an_hour_counting_begins_anew() {
        let (delays, now) = (Delays::default(), Instant::now());
        for _ in 0..=FREE {
            delays.begin("a", now).unwrap();
        }
        let (before, after) = (now + FORGOTTEN_AFTER - Duration::from_secs(1), now + FORGOTTEN_AFTER);
        assert_eq!(delays.begin("a", after), Ok(None));
        let again = Delays::default();
        for _ in 0..=FREE {
            again.begin("a", now).unwrap();
        }
        assert_eq!(again.begin("a", before), Ok(Some(Delay { wrong: FREE + 2, lasts: Duration::from_secs(2) })));
    }

    #[test]
    fn no_more_names_are_known_than_there_may_be() {
        let (delays, now) = (Delays::default(), Instant::now());
        for number in 0..=MAX_NAMES.get() {
            delays.begin(&number.to_string(), now).unwrap();
        }
        assert_eq!(delays.0.into_inner().unwrap().len(), MAX_NAMES.get());
    }
}
