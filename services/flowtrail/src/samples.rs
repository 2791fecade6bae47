//! The sample events of `up --demo`: real logs, see `samples/README.md`, moved in time so that the newest has just happened.

use std::fs;
use std::path::Path;

use anyhow::Context;
use bus::Bus;
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use model::log::AccountId;

use crate::import::{self, Format, Options};

const MICROS: i64 = 1_000_000;

/// Logs of one time, in one format.
struct Sample {
    format: Format,
    files: &'static [(&'static str, &'static str)],
    /// What stands before the time in each line.
    before_time: &'static str,
    /// Reads a time that ends where the line goes on, and writes it as it is so much later.
    moved: fn(&str, TimeDelta) -> Option<String>,
    /// When the newest of its events happened, in seconds since 1970.
    newest: i64,
}

const SAMPLES: [Sample; 2] = [
    Sample {
        format: Format::ZeekConn,
        files: &[
            ("zeek-conn-nashua.ndjson", include_str!("../samples/zeek-conn-nashua.ndjson")),
            ("zeek-conn-scranton.ndjson", include_str!("../samples/zeek-conn-scranton.ndjson")),
        ],
        before_time: "\"ts\":",
        moved: seconds,
        newest: 1_588_207_500,
    },
    Sample {
        format: Format::AwsCloudtrail,
        files: &[(
            "aws-cloudtrail-s3-exfiltration.ndjson",
            include_str!("../samples/aws-cloudtrail-s3-exfiltration.ndjson"),
        )],
        before_time: "\"@timestamp\":\"",
        moved: date_and_time,
        newest: 1_600_046_000,
    },
];

/// Imports all samples into the account `main`. They are written to `<data>/samples` first, to be tried by hand; what is
/// there already is imported as it is, so that it is not a second time there when the demo starts again.
pub(crate) async fn import(data_dir: &Path, bus: &Bus, now_micros: i64) -> anyhow::Result<()> {
    let directory = data_dir.join("samples");
    fs::create_dir_all(&directory).with_context(|| format!("make {}", directory.display()))?;
    for sample in SAMPLES {
        let by = TimeDelta::seconds(now_micros / MICROS - sample.newest);
        for (name, text) in sample.files {
            let file = directory.join(name);
            if !file.exists() {
                let moved = sample.moved_by(by, text).with_context(|| format!("{name} has a line without a time"))?;
                fs::write(&file, moved).with_context(|| format!("write {}", file.display()))?;
            }
            let account = AccountId::parse("main")?;
            let options = Options { account, reporter: None, rejects: None };
            let summary = import::import(sample.format, &[file], &options, bus).await?;
            tracing::info!(file = name, events = summary.events, "imported");
        }
    }
    Ok(())
}

impl Sample {
    /// The same lines, each so much later. None where one has no time.
    fn moved_by(&self, by: TimeDelta, text: &str) -> Option<String> {
        let mut all = String::with_capacity(text.len());
        for line in text.lines() {
            let (before, rest) = line.split_once(self.before_time)?;
            let time = rest.split([',', '"', '}']).next()?;
            let later = (self.moved)(time, by)?;
            all.extend([before, self.before_time, &later, &rest[time.len()..], "\n"]);
        }
        Some(all)
    }
}

/// Seconds since 1970 with a fraction, which stays as it is.
fn seconds(time: &str, by: TimeDelta) -> Option<String> {
    let (whole, fraction) = time.split_at(time.find('.').unwrap_or(time.len()));
    let whole: i64 = whole.parse().ok()?;
    Some(format!("{}{fraction}", whole + by.num_seconds()))
}

fn date_and_time(time: &str, by: TimeDelta) -> Option<String> {
    let time: DateTime<Utc> = time.parse().ok()?;
    Some(time.checked_add_signed(by)?.to_rfc3339_opts(SecondsFormat::Millis, true))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_event_of_each_sample_is_as_new_as_it_is_said_to_be() {
        for sample in SAMPLES {
            let times = sample.files.iter().flat_map(|(_, text)| text.lines()).map(|line| {
                let (_, rest) = line.split_once(sample.before_time).unwrap();
                let time = rest.split([',', '"', '}']).next().unwrap();
                time.parse::<f64>()
                    .map_or_else(|_| time.parse::<DateTime<Utc>>().unwrap().timestamp(), |time| time as i64)
            });
            assert_eq!(times.max(), Some(sample.newest));
        }
    }

    #[test]
    fn a_moved_sample_differs_in_its_times_alone() {
        for sample in SAMPLES {
            for (name, text) in sample.files {
                let later = sample.moved_by(TimeDelta::days(2000), text).unwrap();
                assert!(later.lines().zip(text.lines()).all(|(later, line)| later != line), "{name}");
                assert_eq!(
                    sample.moved_by(TimeDelta::days(-2000), &later).unwrap().trim_end(),
                    text.trim_end(),
                    "{name}"
                );
            }
        }
    }
}
