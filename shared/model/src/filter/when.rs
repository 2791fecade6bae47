//! Times as people write them: `2026-01-31`, `2026-01-31T12:00+02:00`, `now-1h`.

use std::ops::Range;

use chrono::{FixedOffset, NaiveDate, NaiveTime};
use winnow::combinator::{alt, eof, opt, preceded, repeat, terminated};
use winnow::token::take_while;
use winnow::{ModalResult, Parser};

use crate::time::Timestamp;

const SECOND: i64 = 1_000_000;
const MINUTE: i64 = 60 * SECOND;
const DAY: i64 = 24 * 60 * MINUTE;

const UNITS: [(char, i64); 5] = [('s', SECOND), ('m', MINUTE), ('h', 60 * MINUTE), ('d', DAY), ('w', 7 * DAY)];

/// What is said of what a time may be.
pub(super) const TAKES: &str =
    "a date, a date and time such as 2026-01-31T12:00:00Z, or a time relative to now such as now-1h";

/// A time as it is written stands for all of the day, minute or second that it names; in microseconds since 1970.
pub(super) type Span = Range<i64>;

/// Whether a text names a time relative to now.
pub(super) fn is_relative(text: &str) -> bool {
    text.starts_with("now")
}

/// What a text names. None: it is no time, or names one relative to a time that is not given.
pub(super) fn parse(text: &str, now: Option<Timestamp>) -> Option<Span> {
    if is_relative(text) { relative(text, now?) } else { absolute(text) }
}

/// The first and the last time of what a text names, which may be relative to now. None: it is no time.
#[must_use]
pub fn ends_of_time(text: &str, now: Timestamp) -> Option<(Timestamp, Timestamp)> {
    let span = parse(text, Some(now))?;
    let time = |micros| Timestamp::from_micros(micros).ok();
    Some((time(span.start)?, time(span.end - 1)?))
}

/// `now`, then steps such as `-1h`, then `/d` for all of that day.
fn relative(text: &str, now: Timestamp) -> Option<Span> {
    let (steps, whole) = terminated(steps, eof).parse(text).ok()?;
    let add = |at: i64, (sign, count, unit): (char, i64, i64)| {
        let step = count.checked_mul(unit)?;
        if sign == '-' { at.checked_sub(step) } else { at.checked_add(step) }
    };
    let at = steps.into_iter().try_fold(now.micros(), add)?;
    let Some(unit) = whole else { return Some(at..at.checked_add(1)?) };
    // 1970 began on a Thursday, and a week begins on a Monday.
    let first = if unit == 7 * DAY { -3 * DAY } else { 0 };
    let start = at.checked_sub(at.checked_sub(first)?.rem_euclid(unit))?;
    Some(start..start.checked_add(unit)?)
}

type Steps = (Vec<(char, i64, i64)>, Option<i64>);

fn steps(input: &mut &str) -> ModalResult<Steps> {
    let [s, m, h, d, w] = UNITS.map(|(name, length)| name.value(length));
    let mut unit = alt((s, m, h, d, w));
    "now".parse_next(input)?;
    let count = take_while(1.., |one: char| one.is_ascii_digit()).try_map(str::parse);
    let steps = repeat(0.., (alt(('-', '+')), count, unit.by_ref())).parse_next(input)?;
    let whole = opt(preceded('/', unit)).parse_next(input)?;
    Ok((steps, whole))
}

/// A date, which may have a time, which may have a zone; without one it is in UTC.
fn absolute(text: &str) -> Option<Span> {
    let (text, offset) = without_zone(text);
    let (date, time) = text.split_at_checked(10)?;
    let is_date = date
        .bytes()
        .enumerate()
        .all(|(at, byte)| if matches!(at, 4 | 7) { byte == b'-' } else { byte.is_ascii_digit() });
    let date = is_date.then(|| NaiveDate::parse_from_str(date, "%Y-%m-%d").ok()).flatten()?;
    let (time, length) = match time.strip_prefix(['T', 't', ' ']) {
        Some(time) => time_of_day(time)?,
        None if time.is_empty() => (NaiveTime::MIN, DAY),
        None => return None,
    };
    let start = date.and_time(time).and_utc().timestamp_micros().checked_sub(offset)?;
    Some(start..start + length)
}

/// A time of day, and how long what it names takes.
fn time_of_day(text: &str) -> Option<(NaiveTime, i64)> {
    let is_digit_where = |at: usize, byte: u8| match at {
        2 | 5 => byte == b':',
        8 => byte == b'.',
        _ => byte.is_ascii_digit(),
    };
    if !text.bytes().enumerate().all(|(at, byte)| is_digit_where(at, byte)) {
        return None;
    }
    let (form, length) = match text.len() {
        5 => ("%H:%M", MINUTE),
        8 => ("%H:%M:%S", SECOND),
        10..=18 => ("%H:%M:%S%.f", 1),
        _ => return None,
    };
    Some((NaiveTime::parse_from_str(text, form).ok()?, length))
}

/// The text up to its zone, and how many microseconds that is ahead of UTC.
fn without_zone(text: &str) -> (&str, i64) {
    if let Some(text) = text.strip_suffix(['Z', 'z']) {
        return (text, 0);
    }
    // What follows a date alone may be the rest of it.
    let split = text.len().checked_sub(6).filter(|at| *at >= 10).and_then(|at| text.split_at_checked(at));
    let zone = split.and_then(|(text, zone)| Some((text, zone.parse::<FixedOffset>().ok()?)));
    zone.map_or((text, 0), |(text, zone)| (text, i64::from(zone.local_minus_utc()) * SECOND))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(text: &str) -> i64 {
        Timestamp::parse(text).unwrap().micros()
    }

    #[test]
    fn a_time_stands_for_all_that_it_names() {
        let cases = [
            ("2026-01-31", "2026-01-31T00:00:00Z", DAY),
            ("2026-01-31Z", "2026-01-31T00:00:00Z", DAY),
            ("2026-01-31+02:00", "2026-01-30T22:00:00Z", DAY),
            ("2026-01-31T12:30", "2026-01-31T12:30:00Z", MINUTE),
            ("2026-01-31 12:30:15", "2026-01-31T12:30:15Z", SECOND),
            ("2026-01-31T12:30:15-05:30", "2026-01-31T18:00:15Z", SECOND),
            ("2026-01-31T12:30:15.123456Z", "2026-01-31T12:30:15.123456Z", 1),
        ];
        for (text, start, length) in cases {
            assert_eq!(parse(text, None), Some(time(start)..time(start) + length), "{text}");
        }
    }

    #[test]
    fn a_relative_time_is_counted_from_now() {
        let now = Timestamp::parse("2026-01-31T12:34:56.5Z").unwrap();
        let cases = [
            ("now", "2026-01-31T12:34:56.5Z", 1),
            ("now-1h", "2026-01-31T11:34:56.5Z", 1),
            ("now-1d+30m", "2026-01-30T13:04:56.5Z", 1),
            ("now/d", "2026-01-31T00:00:00Z", DAY),
            ("now-1d/d", "2026-01-30T00:00:00Z", DAY),
            ("now/w", "2026-01-26T00:00:00Z", 7 * DAY),
        ];
        for (text, start, length) in cases {
            assert_eq!(parse(text, Some(now)), Some(time(start)..time(start) + length), "{text}");
        }
        assert_eq!(parse("now-1h", None), None);
        assert_eq!(parse("now-9223372036854775807w", Some(now)), None);
    }

    #[test]
    fn what_a_time_names_has_a_first_and_a_last_moment() {
        let ends =
            |text| ends_of_time(text, Timestamp::EPOCH).map(|(first, last)| (first.to_string(), last.to_string()));
        let day = ("2026-01-31T00:00:00Z".to_owned(), "2026-01-31T23:59:59.999999Z".to_owned());
        assert_eq!(ends("2026-01-31"), Some(day));
        assert_eq!(ends("now-1h"), Some(["1969-12-31T23:00:00Z"; 2].map(str::to_owned).into()));
        assert_eq!(ends("yesterday"), None);
    }

    #[test]
    fn what_is_no_time_is_none() {
        let now = Some(Timestamp::EPOCH);
        for text in [
            "",
            "x",
            "2026",
            "2026-01",
            "2026-13-01",
            "2026-02-30",
            "2026-1-1",
            "2026-01-31T",
            "2026-01-31T1",
            "2026-01-31T12",
            "2026-01-31T25:00",
            "2026-01-31x12:00",
            "2026-01-31T12:30:15.",
            "+026-01-31",
            "now-",
            "now-1",
            "now-1y",
            "nowish",
            "now/x",
            "now-1h ",
            "2026-01-31T12:30+2",
            "2026-01-3é",
            "１２３",
        ] {
            assert_eq!(parse(text, now), None, "{text}");
        }
    }
}
