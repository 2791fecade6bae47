//! Go's way to describe how a time is written: by how it writes 2006-01-02 15:04:05.

use chrono::{DateTime, Utc};

use crate::time::Timestamp;

/// A layout such as `2006-01-02T15:04:05.999Z07:00`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout(Vec<Part>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    /// As chrono writes it.
    Time(&'static str),
    /// A point or comma and so many digits of the second; zeros at its end may be left out.
    Fraction {
        separator: char,
        digits: usize,
        trimmed: bool,
    },
}

/// What Go's layouts are made of, the longer before what they begin with. All times are UTC.
const PARTS: [(&str, &str); 31] = [
    ("January", "%B"),
    ("Jan", "%b"),
    ("Monday", "%A"),
    ("Mon", "%a"),
    ("MST", "UTC"),
    ("2006", "%Y"),
    ("Z07:00:00", "Z"),
    ("Z070000", "Z"),
    ("Z07:00", "Z"),
    ("Z0700", "Z"),
    ("Z07", "Z"),
    ("-07:00:00", "+00:00:00"),
    ("-070000", "+000000"),
    ("-07:00", "+00:00"),
    ("-0700", "+0000"),
    ("-07", "+00"),
    ("002", "%j"),
    ("01", "%m"),
    ("02", "%d"),
    ("03", "%I"),
    ("04", "%M"),
    ("05", "%S"),
    ("06", "%y"),
    ("15", "%H"),
    ("_2", "%e"),
    ("PM", "%p"),
    ("pm", "%P"),
    ("1", "%-m"),
    ("2", "%-d"),
    ("3", "%-I"),
    ("4", "%-M"),
];

impl Layout {
    /// Reads a layout; what is no part of a time stands for itself, as in Go.
    #[must_use]
    pub fn new(layout: &str) -> Self {
        let mut parts = Vec::new();
        let mut rest = layout;
        while let Some(first) = rest.chars().next() {
            let (part, length) = if let Some((go, chrono)) = PARTS.iter().find(|(go, _)| rest.starts_with(go)) {
                (Part::Time(chrono), go.len())
            } else if rest.starts_with('5') {
                (Part::Time("%-S"), 1)
            } else if let Some((part, length)) = fraction(rest) {
                (part, length)
            } else {
                (Part::Text(first.to_string()), first.len_utf8())
            };
            parts.push(part);
            rest = &rest[length..];
        }
        Self(parts)
    }

    /// A time as the layout says, in UTC.
    #[must_use]
    pub fn format(&self, time: Timestamp) -> String {
        let micros = time.micros();
        let Some(date) = DateTime::<Utc>::from_timestamp_micros(micros) else { return String::new() };
        let mut out = String::new();
        for part in &self.0 {
            match part {
                Part::Text(text) => out.push_str(text),
                Part::Time(format) => out.push_str(&date.format(format).to_string()),
                Part::Fraction { separator, digits, trimmed } => {
                    let nanos = format!("{:06}000", micros.rem_euclid(1_000_000));
                    let shown = &nanos[..*digits];
                    let shown = if *trimmed { shown.trim_end_matches('0') } else { shown };
                    if !shown.is_empty() {
                        out.push(*separator);
                        out.push_str(shown);
                    }
                }
            }
        }
        out
    }
}

/// `.000` or `,999`: up to nine digits, no further digit behind them.
fn fraction(text: &str) -> Option<(Part, usize)> {
    let separator = text.chars().next().filter(|separator| matches!(separator, '.' | ','))?;
    let digit = text[1..].chars().next().filter(|digit| matches!(digit, '0' | '9'))?;
    let digits = text[1..].chars().take_while(|next| *next == digit).count();
    let ends = !text[1 + digits..].starts_with(|next: char| next.is_ascii_digit());
    let part = Part::Fraction { separator, digits, trimmed: digit == '9' };
    (ends && digits <= 9).then_some((part, 1 + digits))
}
