//! Stretches of time of a round length, of which few cover a period.

use std::num::NonZeroU64;

use model::time::Timestamp;
use segments::Times;

const MICROS_PER_MILLI: NonZeroU64 = NonZeroU64::new(1000).unwrap();
const SECOND: u64 = 1000;
const MINUTE: u64 = 60 * SECOND;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// Round lengths, in milliseconds: parts of a second, of a minute, of an hour, of a day. Beyond are days.
const WITHIN_A_DAY: [u64; 26] = [
    1,
    2,
    5,
    10,
    20,
    50,
    100,
    200,
    500,
    SECOND,
    2 * SECOND,
    5 * SECOND,
    10 * SECOND,
    15 * SECOND,
    30 * SECOND,
    MINUTE,
    2 * MINUTE,
    5 * MINUTE,
    10 * MINUTE,
    15 * MINUTE,
    30 * MINUTE,
    HOUR,
    2 * HOUR,
    3 * HOUR,
    6 * HOUR,
    12 * HOUR,
];

/// The fewest stretches that can be asked for: one cannot cover a period around 1970, where one always begins.
pub const MIN_BUCKETS: usize = 2;

/// No stretch at all.
pub(crate) const NOTHING: Times = Times { first: 0, width: NonZeroU64::MIN, count: 0 };

/// How long each stretch is, in milliseconds.
pub(crate) fn millis(times: &Times) -> u64 {
    times.width.get() / MICROS_PER_MILLI
}

/// When each stretch begins. One that begins before the first time that can be written is named by that.
pub(crate) fn starts(times: &Times) -> impl Iterator<Item = Timestamp> {
    let Times { first, width, count } = *times;
    let start = move |place: u64| {
        let micros = first.saturating_add_unsigned(width.get().saturating_mul(place));
        Timestamp::from_micros(micros).unwrap_or(Timestamp::FIRST)
    };
    (0..count as u64).map(start)
}

/// The shortest stretches of a round length of which at most so many, and no fewer than two, cover all from one time to
/// another. They begin at multiples of that length since 1970.
pub(crate) fn cover(from: Timestamp, to: Timestamp, most: usize) -> Times {
    let mut times = covered_by(NonZeroU64::MIN, from, to);
    for millis in widths() {
        if times.count <= most.max(MIN_BUCKETS) {
            break;
        }
        times = covered_by(millis, from, to);
    }
    times
}

/// The stretches of so many milliseconds.
fn covered_by(millis: NonZeroU64, from: Timestamp, to: Timestamp) -> Times {
    let width = millis.saturating_mul(MICROS_PER_MILLI);
    let length = i64::try_from(width.get()).unwrap_or(i64::MAX);
    let (first, last) = (from.micros().div_euclid(length), to.micros().div_euclid(length));
    let count = usize::try_from(last.abs_diff(first)).unwrap_or(usize::MAX).saturating_add(1);
    Times { first: first.saturating_mul(length), width, count }
}

/// Round lengths, in milliseconds, the shortest first; of the last, two cover all times that can be written.
fn widths() -> impl Iterator<Item = NonZeroU64> {
    let days =
        (0..7).flat_map(|zeros| [1, 2, 5].map(|digit| DAY.saturating_mul(digit).saturating_mul(10_u64.pow(zeros))));
    WITHIN_A_DAY.into_iter().chain(days).filter_map(NonZeroU64::new)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR_MICROS: i64 = 3_600_000_000;

    #[test]
    fn a_period_is_covered_by_few_stretches_of_a_round_length() {
        for (from, to, most, millis, count) in [
            (0, 0, 120, 1, 1),
            (0, HOUR_MICROS - 1, 120, 30 * SECOND, 120),
            (0, HOUR_MICROS, 120, MINUTE, 61),
            (-1, 1, 2, 1, 2),
            (-HOUR_MICROS, HOUR_MICROS, 2, 2 * HOUR, 2),
            (5 * HOUR_MICROS / 2, 24 * HOUR_MICROS, 10, 3 * HOUR, 9),
            (0, 30 * 24 * HOUR_MICROS - 1, 120, 6 * HOUR, 120),
            (0, 365 * 24 * HOUR_MICROS, 120, 5 * DAY, 74),
        ] {
            let at = |micros| Timestamp::from_micros(micros).unwrap();
            let times = cover(at(from), at(to), most);
            assert_eq!((times.width.get(), times.count), (millis * 1000, count), "{from} {to} {most}");
            assert!(times.first <= from);
        }
    }

    #[test]
    fn all_of_time_is_covered_by_two() {
        for most in [0, 1, 2, 1000] {
            assert!((2..=most.max(2)).contains(&cover(Timestamp::FIRST, Timestamp::LAST, most).count));
        }
    }
}
