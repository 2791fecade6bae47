//! The forms in which other systems write times.

use model::time::{BadTimestamp, Timestamp};

/// A number from here on counts milliseconds: as seconds it would be after the year 5138.
const FIRST_MILLISECONDS: f64 = 1e11;
/// A number from here on counts microseconds: as milliseconds it would be after the year 5138.
const FIRST_MICROSECONDS: f64 = 1e14;
/// The length of an offset such as `+0100`.
const OFFSET: usize = 5;

/// Seconds, milliseconds or microseconds since 1970: the size tells which.
///
/// # Errors
/// When no such time can be written.
pub(super) fn of_number(number: f64) -> Result<Timestamp, BadTimestamp> {
    let units_per_second = match number.abs() {
        FIRST_MICROSECONDS.. => 1e6,
        FIRST_MILLISECONDS.. => 1e3,
        _ => 1.0,
    };
    Timestamp::from_seconds(number / units_per_second)
}

/// RFC 3339, the same with an offset such as `+0100`, or a number as above.
pub(super) fn of_text(text: &str) -> Option<Timestamp> {
    Timestamp::parse(text).ok().or_else(|| with_plain_offset(text)).or_else(|| number(text))
}

/// What stands before a record that a shipper passed on: RFC 3339, or the same without an offset, which is UTC.
pub(super) fn begins_line(word: &str) -> bool {
    // Dates and times alone are fields of some logs; together, with a T, they are of none that is read here.
    word.contains('T') && (of_text(word).is_some() || Timestamp::parse(&format!("{word}Z")).is_ok())
}

fn with_plain_offset(text: &str) -> Option<Timestamp> {
    let (time, offset) = text.split_at_checked(text.len().checked_sub(OFFSET)?)?;
    let (hours, minutes) = offset.split_at_checked(3)?;
    if !hours.starts_with(['+', '-']) || !offset.bytes().skip(1).all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    Timestamp::parse(&format!("{time}{hours}:{minutes}")).ok()
}

fn number(text: &str) -> Option<Timestamp> {
    // Rust would also read `inf` and `1e9`, which nobody writes for a time.
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let number: f64 = if is_number { text.parse().ok()? } else { return None };
    of_number(number).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_a_time_is_the_same_time() {
        let expected = Timestamp::parse("2024-01-31T12:00:00.25Z").unwrap();
        for text in [
            "2024-01-31T12:00:00.250000Z",
            "2024-01-31T13:00:00.250+01:00",
            "2024-01-31T13:00:00.250000+0100",
            "2024-01-31T12:00:00.25+0000",
            "1706702400.25",
            "1706702400250",
            "1706702400250000",
        ] {
            assert_eq!(of_text(text), Some(expected), "{text}");
        }
        for number in [1_706_702_400.25, 1_706_702_400_250.0, 1_706_702_400_250_000.0] {
            assert_eq!(of_number(number), Ok(expected), "{number}");
        }
    }

    #[test]
    fn what_is_no_time_is_none() {
        for text in
            ["", "yesterday", "inf", "1e9", "-", "2024-01-31", "2024-01-31T12:00:00", "2024-01-31T12:00:00*0100"]
        {
            assert_eq!(of_text(text), None, "{text}");
        }
        assert_eq!(of_number(f64::NAN), Err(BadTimestamp));
    }

    #[test]
    fn a_line_begins_with_a_time_of_its_shipper() {
        assert!(
            ["2024-01-31T12:00:00.000Z", "2024-01-31T12:00:00+00:00", "2024-01-31T12:00:00"]
                .map(begins_line)
                .iter()
                .all(|is| *is)
        );
        assert!(["2", "1706702400", "ACCEPT", "Traffic", "2024-01-31"].map(begins_line).iter().all(|is| !is));
    }
}
