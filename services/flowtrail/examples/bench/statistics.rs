//! Medians and percentiles, and how they are written.

use std::time::Duration;

use serde::Serialize;

/// Several measurements of one thing.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Spread {
    pub(crate) median: f64,
    pub(crate) min: f64,
    pub(crate) max: f64,
    pub(crate) runs: usize,
}

impl Spread {
    pub(crate) fn of(mut values: Vec<f64>) -> Self {
        values.sort_by(f64::total_cmp);
        let (low, high) = (rank(&values, 0.5), values.get(values.len() / 2).copied().unwrap_or(f64::NAN));
        Self { median: f64::midpoint(low, high), min: rank(&values, 0.0), max: rank(&values, 1.0), runs: values.len() }
    }

    /// `12,345 (11,000..13,000)`
    pub(crate) fn text(&self) -> String {
        format!("{} ({}..{})", count(self.median), count(self.min), count(self.max))
    }
}

/// Times of many repetitions of one thing, in milliseconds.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Latency {
    pub(crate) p50_ms: f64,
    pub(crate) p99_ms: f64,
    pub(crate) min_ms: f64,
    pub(crate) max_ms: f64,
    pub(crate) repetitions: usize,
}

impl Latency {
    pub(crate) const COLUMNS: [&str; 4] = ["p50 ms", "p99 ms", "min..max ms", "repetitions"];

    pub(crate) fn of(times: &[Duration]) -> Self {
        let mut values: Vec<f64> = times.iter().map(|time| time.as_secs_f64() * 1000.0).collect();
        values.sort_by(f64::total_cmp);
        Self {
            p50_ms: rank(&values, 0.5),
            p99_ms: rank(&values, 0.99),
            min_ms: rank(&values, 0.0),
            max_ms: rank(&values, 1.0),
            repetitions: values.len(),
        }
    }

    pub(crate) fn cells(&self) -> [String; 4] {
        let range = format!("{}..{}", millis(self.min_ms), millis(self.max_ms));
        [millis(self.p50_ms), millis(self.p99_ms), range, self.repetitions.to_string()]
    }
}

/// So many a second.
pub(crate) fn per_second(count: u64, took: Duration) -> f64 {
    count as f64 / took.as_secs_f64()
}

/// The nearest rank among sorted values.
fn rank(sorted: &[f64], part: f64) -> f64 {
    let index = (part * sorted.len() as f64).ceil() as usize;
    sorted.get(index.max(1) - 1).copied().unwrap_or(f64::NAN)
}

/// A count or a rate, rounded: `1,234,567`.
pub(crate) fn count(value: f64) -> String {
    let digits = format!("{value:.0}");
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

fn millis(value: f64) -> String {
    match value {
        0.0..10.0 => format!("{value:.2}"),
        10.0..100.0 => format!("{value:.1}"),
        _ => count(value),
    }
}
