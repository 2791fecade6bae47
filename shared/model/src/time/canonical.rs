//! The usual form of RFC 3339, `2024-01-31T23:59:59.123456Z`, written and read without detours.
//!
//! Every event has several times and nearly all come in this form. What else RFC 3339 allows (offsets, small letters,
//! leap seconds) is chrono's to read, and so is saying what is wrong.

const MICROS_PER_SECOND: i64 = 1_000_000;
const SECONDS_PER_DAY: i64 = 86_400;
/// Days from 0000-03-01, which counting begins with because leap days then end years, to 1970-01-01.
const DAYS_BEFORE_1970: i64 = 719_468;
/// Days of 400 years, after which the calendar repeats.
const DAYS_PER_ERA: i64 = 146_097;

/// A time as text, on the stack.
pub(super) struct Text {
    bytes: [u8; 27],
    length: usize,
}

impl Text {
    /// Writes microseconds since 1970, in years 0000 to 9999; without a fraction where there is none, else with as many
    /// digits as it takes, in threes.
    pub(super) fn new(micros: i64) -> Self {
        let (seconds, fraction) = (micros.div_euclid(MICROS_PER_SECOND), micros.rem_euclid(MICROS_PER_SECOND));
        let (days, second) = (seconds.div_euclid(SECONDS_PER_DAY), seconds.rem_euclid(SECONDS_PER_DAY));
        let (year, month, day) = civil(days);
        let mut text = Self { bytes: *b"0000-00-00T00:00:00.000000Z", length: 27 };
        text.digits(0..4, year);
        text.digits(5..7, month);
        text.digits(8..10, day);
        text.digits(11..13, second / 3600);
        text.digits(14..16, second / 60 % 60);
        text.digits(17..19, second % 60);
        text.digits(20..26, fraction);
        if fraction == 0 {
            text.end_at(19);
        } else if fraction % 1000 == 0 {
            text.end_at(23);
        }
        text
    }

    pub(super) fn as_str(&self) -> &str {
        // Digits and punctuation only.
        std::str::from_utf8(&self.bytes[..self.length]).unwrap_or_default()
    }

    fn digits(&mut self, place: std::ops::Range<usize>, mut number: i64) {
        for byte in self.bytes[place].iter_mut().rev() {
            *byte = b'0' + u8::try_from(number % 10).unwrap_or_default();
            number /= 10;
        }
    }

    fn end_at(&mut self, place: usize) {
        self.bytes[place] = b'Z';
        self.length = place + 1;
    }
}

/// Reads a time in the usual form as microseconds since 1970. None: it has another form, or is no time.
pub(super) fn read(text: &[u8]) -> Option<i64> {
    let (whole, rest) = text.split_first_chunk::<19>()?;
    let [_, _, _, _, b'-', _, _, b'-', _, _, b'T', _, _, b':', _, _, b':', _, _] = whole else { return None };
    let (year, month, day) = (number(&whole[..4])?, number(&whole[5..7])?, number(&whole[8..10])?);
    let (hour, minute, second) = (number(&whole[11..13])?, number(&whole[14..16])?, number(&whole[17..19])?);
    if !(1..=12).contains(&month) || !(1..=days_in(year, month)).contains(&day) {
        return None;
    }
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let fraction = match rest {
        b"Z" => 0,
        [b'.', digits @ .., b'Z'] if (1..=9).contains(&digits.len()) => {
            number(digits)?;
            (0..6).fold(0, |micros, place| 10 * micros + digits.get(place).map_or(0, |digit| i64::from(digit - b'0')))
        }
        _ => return None,
    };
    let seconds = days(year, month, day) * SECONDS_PER_DAY + hour * 3600 + minute * 60 + second;
    Some(seconds * MICROS_PER_SECOND + fraction)
}

fn number(digits: &[u8]) -> Option<i64> {
    digits.iter().try_fold(0, |number, digit| digit.is_ascii_digit().then(|| 10 * number + i64::from(digit - b'0')))
}

fn days_in(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since 1970 of a date; years begin in March here.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * DAYS_PER_ERA + of_era * 365 + of_era / 4 - of_era / 100 + day_of_year - DAYS_BEFORE_1970
}

/// The date of a day since 1970: year, month, day.
fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + DAYS_BEFORE_1970;
    let (era, of_era) = (days.div_euclid(DAYS_PER_ERA), days.rem_euclid(DAYS_PER_ERA));
    // Leap days are taken out: one in 4 years (1,461 days), none in 100 (36,524), one in 400.
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / (DAYS_PER_ERA - 1)) / 365;
    let day_of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let (month, year) = if month < 10 { (month + 3, year) } else { (month - 9, year + 1) };
    (year + 400 * era, month, day)
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, SecondsFormat, Utc};
    use proptest::prelude::*;

    use super::super::Timestamp;
    use super::*;

    fn by_chrono(micros: i64) -> String {
        DateTime::<Utc>::from_timestamp_micros(micros).unwrap().to_rfc3339_opts(SecondsFormat::AutoSi, true)
    }

    #[test]
    fn days_of_all_years_are_written_and_read_as_by_chrono() {
        let week = 7 * SECONDS_PER_DAY * MICROS_PER_SECOND;
        let mut micros = Timestamp::FIRST.micros();
        while micros <= Timestamp::LAST.micros() {
            let text = Text::new(micros);
            assert_eq!(text.as_str(), by_chrono(micros));
            assert_eq!(read(text.as_str().as_bytes()), Some(micros));
            micros += week;
        }
    }

    #[test]
    fn other_forms_and_no_times_are_left_to_chrono() {
        for text in [
            "",
            "2024-01-31",
            "2024-01-31T23:59:59",
            "2024-01-31t23:59:59z",
            "2024-01-31 23:59:59Z",
            "2024-01-31T23:59:59+00:00",
            "2024-01-31T23:59:60Z",
            "2024-01-31T24:00:00Z",
            "2024-01-31T23:60:00Z",
            "2024-02-30T00:00:00Z",
            "2023-02-29T00:00:00Z",
            "2024-13-01T00:00:00Z",
            "2024-00-01T00:00:00Z",
            "2024-01-00T00:00:00Z",
            "2024-01-31T23:59:59.Z",
            "2024-01-31T23:59:59.1234567890Z",
            "2024-01-31T23:59:59.12a4Z",
            "2024-01-31T23:59:5\u{664}Z",
            "-024-01-31T23:59:59Z",
        ] {
            assert_eq!(read(text.as_bytes()), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_time_is_written_and_read_as_by_chrono(
            micros in Timestamp::FIRST.micros()..=Timestamp::LAST.micros(), unit in prop::sample::select(vec![1, 1000, 1_000_000])
        ) {
            let micros = micros - micros.rem_euclid(unit);
            let text = Text::new(micros);
            prop_assert_eq!(text.as_str(), by_chrono(micros));
            prop_assert_eq!(read(text.as_str().as_bytes()), Some(micros));
        }

        #[test]
        fn what_is_read_is_what_chrono_reads(text in "(19|20|00)[0-9]{2}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-6][0-9]:[0-6][0-9](\\.[0-9]{1,10})?Z") {
            let Some(micros) = read(text.as_bytes()) else { return Ok(()) };
            let expected = DateTime::parse_from_rfc3339(&text).unwrap();
            prop_assert_eq!(micros, expected.timestamp_micros());
        }
    }
}
