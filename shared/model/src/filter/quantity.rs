//! Numbers as people write them: `250`, `1.5k`, `2Gi`, `1MB`.

use std::fmt;

use winnow::combinator::{alt, eof, opt, preceded, terminated};
use winnow::token::take_while;
use winnow::{ModalResult, Parser};

use crate::json::Number;

/// How many digits behind the point are told apart.
const DIGITS: usize = 9;
const PARTS: i128 = 1_000_000_000;

/// A number, to nine digits behind the point.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Quantity(i128);

/// Behind a number, with what it is multiplied by. One that begins like another stands before it.
const UNITS: [(&str, i128); 9] = [
    ("Ki", 1 << 10),
    ("Mi", 1 << 20),
    ("Gi", 1 << 30),
    ("Ti", 1 << 40),
    ("k", 1000),
    ("K", 1000),
    ("M", 1_000_000),
    ("G", 1_000_000_000),
    ("T", 1_000_000_000_000),
];

impl Quantity {
    /// The number that a text says. None: it is none, or has more digits than are told apart.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (sign, whole, fraction, unit) = terminated(parts, eof).parse(text).ok()?;
        let fraction = fraction.unwrap_or_default();
        // Less than all that fits, so that a unit is only ever checked against what is there.
        if whole.len() > 20 || fraction.len() > DIGITS {
            return None;
        }
        let digits = format!("{whole}{fraction:0<DIGITS$}");
        let number = digits.parse::<i128>().ok()?.checked_mul(unit)?;
        Some(Self(if sign.is_some() { -number } else { number }))
    }

    /// The nearest to a decimal number, by the double that it stands for.
    #[must_use]
    pub fn of_number(number: &Number) -> Self {
        let parts = (number.to_f64() * 1e9).round();
        // What is beyond becomes the greatest or least there is, which no text says.
        #[expect(clippy::cast_possible_truncation, reason = "such a cast saturates")]
        Self(parts as i128)
    }

    /// The least whole number that is not less.
    pub(super) fn ceil(self) -> i128 {
        let whole = self.0.div_euclid(PARTS);
        if self.0.rem_euclid(PARTS) == 0 { whole } else { whole + 1 }
    }

    /// The least that is greater.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

impl From<i64> for Quantity {
    fn from(number: i64) -> Self {
        Self(i128::from(number) * PARTS)
    }
}

impl From<u64> for Quantity {
    fn from(number: u64) -> Self {
        Self(i128::from(number) * PARTS)
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, fraction) =
            (self.0.unsigned_abs() / PARTS.unsigned_abs(), self.0.unsigned_abs() % PARTS.unsigned_abs());
        let sign = if self.0 < 0 { "-" } else { "" };
        write!(formatter, "{sign}{whole}")?;
        if fraction == 0 {
            return Ok(());
        }
        let digits = format!("{fraction:0>DIGITS$}");
        write!(formatter, ".{}", digits.trim_end_matches('0'))
    }
}

type Parts<'a> = (Option<char>, &'a str, Option<&'a str>, i128);

fn parts<'a>(input: &mut &'a str) -> ModalResult<Parts<'a>> {
    let digits = |one: char| one.is_ascii_digit();
    let sign = opt('-').parse_next(input)?;
    let whole = take_while(1.., digits).parse_next(input)?;
    let fraction = opt(preceded('.', take_while(1.., digits))).parse_next(input)?;
    let [ki, mi, gi, ti, k, big_k, m, g, t] = UNITS.map(|(name, factor)| name.value(factor));
    let unit = opt(alt((ki, mi, gi, ti, k, big_k, m, g, t))).parse_next(input)?.unwrap_or(1);
    // Bytes are what nearly all that is counted is counted in, and nothing is counted otherwise.
    opt('B').parse_next(input)?;
    Ok((sign, whole, fraction, unit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_unit_multiplies() {
        let cases = [
            ("0", 0),
            ("250", 250),
            ("-5", -5),
            ("1k", 1000),
            ("1K", 1000),
            ("1.5M", 1_500_000),
            ("1MB", 1_000_000),
            ("2Gi", 2 << 30),
            ("1KiB", 1024),
            ("1T", 1_000_000_000_000),
            ("18446744073709551615", i128::from(u64::MAX)),
        ];
        for (text, number) in cases {
            assert_eq!(Quantity::parse(text), Some(Quantity(number * PARTS)), "{text}");
        }
        assert_eq!(Quantity::parse("0.000000001"), Some(Quantity(1)));
    }

    #[test]
    fn a_number_is_written_as_it_is_read() {
        for text in ["0", "-3", "250", "1234567.891", "-0.000000001", "18446744073709551615", "12.5"] {
            assert_eq!(Quantity::parse(text).unwrap().to_string(), text);
        }
    }

    #[test]
    fn what_is_no_number_is_none() {
        for text in ["", "-", "x", "1x", "1 k", ".5", "5.", "1e3", "0x10", "1kk", "1m", "0.0000000001", "+1", "٣"] {
            assert_eq!(Quantity::parse(text), None, "{text}");
        }
        assert_eq!(Quantity::parse(&"9".repeat(21)), None);
    }

    #[test]
    fn a_decimal_is_the_number_that_is_written() {
        for text in ["0.1", "12.5", "-3", "0.000000001", "250", "1234567.891"] {
            let number = Number::parse(text).unwrap();
            assert_eq!(Some(Quantity::of_number(&number)), Quantity::parse(text), "{text}");
        }
    }
}
