//! How long to wait before the next attempt: full jitter, and longer where the receiver asks for it.
//!
//! Invariant: what a receiver asks for never shortens a wait. `Retry-After: 0`, or a date that has passed on its clock,
//! would otherwise turn every attempt into the next one, as fast as the connection goes.

use std::time::Duration;

use runtime::clock::random_bytes;

/// The most that the first wait may be; it doubles with every attempt.
const FIRST: Duration = Duration::from_millis(250);
/// The most that any wait may be.
const LONGEST: Duration = Duration::from_secs(60);
/// The longest that a receiver is left alone because it asks for it.
const LONGEST_ASKED: Duration = Duration::from_secs(24 * 60 * 60);

/// The wait before another attempt, after `failures` (1 and more) in a row.
pub(crate) fn wait(failures: u32, asked: Option<Duration>) -> Duration {
    // Without randomness everyone waits the longest.
    let chance = random_bytes().map_or(u32::MAX, u32::from_le_bytes);
    between(failures, asked, chance)
}

fn between(failures: u32, asked: Option<Duration>, chance: u32) -> Duration {
    let doublings = failures.saturating_sub(1).min(16);
    let most = (FIRST * 2_u32.pow(doublings)).min(LONGEST);
    let wait = most.mul_f64(f64::from(chance) / f64::from(u32::MAX));
    asked.map_or(wait, |asked| wait.max(asked.min(LONGEST_ASKED)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_are_anywhere_below_a_bound_that_doubles_to_a_minute() {
        let bounds = [1, 2, 3, 8, 9, 10, 1000].map(|failures| between(failures, None, u32::MAX).as_millis());
        assert_eq!(bounds, [250, 500, 1000, 32_000, 60_000, 60_000, 60_000]);
        assert_eq!(between(5, None, 0), Duration::ZERO);
        assert!((0..1000).all(|_| wait(3, None) <= Duration::from_secs(1)));
    }

    #[test]
    fn what_the_receiver_asks_for_is_waited_but_not_for_more_than_a_day() {
        let asked = |seconds| between(1, Some(Duration::from_secs(seconds)), 0).as_secs();
        assert_eq!((asked(0), asked(7), asked(3600), asked(u64::MAX)), (0, 7, 3600, 86_400));
    }

    #[test]
    fn what_the_receiver_asks_for_never_undercuts_the_back_off() {
        for failures in [1, 4, 20] {
            for chance in [0, 1 << 20, u32::MAX] {
                let own = between(failures, None, chance);
                for asked in [Duration::ZERO, Duration::from_nanos(1)] {
                    assert!(between(failures, Some(asked), chance) >= own, "{failures} {chance} {asked:?}");
                }
                assert_eq!(between(failures, Some(Duration::ZERO), chance), own);
            }
        }
    }
}
