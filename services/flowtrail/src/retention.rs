//! `flowtrail retention`: how much the log keeps, how soon that is reached, and changing it.

use std::cmp::min;
use std::io::{Write, stdout};
use std::num::NonZeroU64;
use std::time::Duration;

use anyhow::{Context, bail};
use bus::{Bus, Retention, StreamState};
use bytesize::ByteSize;
use clap::ValueEnum;
use model::log::Stream;
use model::time::Timestamp;
use runtime::clock::now_micros;
use runtime::settings::Settings;
use serde_json::{Value, json};

use crate::client;
use crate::output::Output;

const DAY: Duration = Duration::from_secs(86_400);
/// What says that there is no limit.
const UNLIMITED: &str = "unlimited";

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Of which stream; default: all, and nothing is changed
    stream: Option<Kept>,

    /// Keep messages for so long, such as 90days, or unlimited
    #[arg(long, value_parser = age, requires = "stream", value_name = "DURATION")]
    age: Option<Age>,

    /// Keep so many bytes of them, such as 50GiB, or unlimited
    #[arg(long, value_parser = bytes, requires = "stream", value_name = "SIZE")]
    bytes: Option<Bytes>,

    #[command(flatten)]
    output: Output,

    /// Do it, also where that forgets what is kept today
    #[arg(long)]
    yes: bool,
}

/// Streams that need not be kept whole. Integrations, accounts and names are what their events say, so these are.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Kept {
    /// Audit events. With a limit in bytes, new ones are refused once it is reached
    Audit,
    /// Traffic reports
    Traffic,
    /// What became of deliveries
    Delivery,
    /// What could not be projected or delivered
    DeadLetters,
}

#[derive(Clone, Copy, Debug)]
struct Age(Option<Duration>);

#[derive(Clone, Copy, Debug)]
struct Bytes(Option<NonZeroU64>);

impl Kept {
    fn stream(self) -> Stream {
        match self {
            Self::Audit => Stream::Audit,
            Self::Traffic => Stream::Traffic,
            Self::Delivery => Stream::Delivery,
            Self::DeadLetters => Stream::DeadLetter,
        }
    }

    /// What it is called on the command line.
    fn name(self) -> String {
        self.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
    }
}

/// Shows or changes how much the log keeps.
///
/// # Errors
/// When the log cannot be reached, or what is asked for would forget something and was not confirmed.
pub(crate) async fn run(settings: &Settings, args: &Args) -> anyhow::Result<()> {
    let bus = client::connect(settings).await?;
    if let Some(kept) = args.stream {
        change(&bus, kept, args).await?;
    }
    let shown = args.stream.map_or_else(|| Kept::value_variants().to_vec(), |kept| vec![kept]);
    let mut found = Vec::new();
    for kept in shown {
        let stream = kept.stream();
        found.push((kept.name(), bus.retention(stream).await?, bus.state(stream).await?));
    }
    if args.output.json {
        for (name, retention, state) in &found {
            writeln!(stdout(), "{}", object(name, retention, state, now_micros())).context("print the answer")?;
        }
        return Ok(());
    }
    let mut lines =
        vec![["stream", "messages", "size", "oldest", "kept for", "at most", "first limit reached"].map(str::to_owned)];
    lines.extend(found.iter().map(|(name, retention, state)| line(name, retention, state, now_micros())));
    for [stream, messages, size, oldest, age, bytes, reached] in lines {
        writeln!(stdout(), "{stream:<14}{messages:>12}{size:>12}  {oldest:<22}{age:<12}{bytes:<12}{reached}")
            .context("print the answer")?;
    }
    Ok(())
}

/// What a program is told of a stream; no limit is null.
fn object(name: &str, retention: &Retention, state: &StreamState, now: i64) -> Value {
    let time = |micros| Timestamp::from_micros(micros).ok();
    json!({
        "stream": name,
        "messages": state.messages,
        "bytes": state.bytes,
        "oldest": (state.messages > 0).then_some(state.first_at).and_then(time),
        "max_age_seconds": retention.age.map(|age| age.as_secs_f64()),
        "max_bytes": retention.bytes,
        "first_limit_reached": reached(retention, state, now).and_then(time),
    })
}

async fn change(bus: &Bus, kept: Kept, args: &Args) -> anyhow::Result<()> {
    let stream = kept.stream();
    let now = bus.retention(stream).await?;
    let wanted = Retention {
        age: args.age.map_or(now.age, |Age(age)| age),
        bytes: args.bytes.map_or(now.bytes, |Bytes(bytes)| bytes),
    };
    if wanted == now {
        return Ok(());
    }
    if wanted.keeps_less_than(&now) && !args.yes {
        let state = bus.state(stream).await?;
        bail!("{}; add --yes to do it", forgets(bus, stream, &wanted, &state).await?);
    }
    bus.set_retention(stream, wanted).await.context("change how much is kept")
}

/// What a stream would forget.
async fn forgets(bus: &Bus, stream: Stream, wanted: &Retention, state: &StreamState) -> anyhow::Result<String> {
    let kept_from = match wanted.age {
        None => state.first_sequence,
        Some(age) => {
            let since = Timestamp::from_micros(now_micros().saturating_sub_unsigned(micros(age)));
            let first = bus.first_since(stream, ">", since.unwrap_or(Timestamp::FIRST)).await?;
            first.map_or(state.last_sequence + 1, |message| message.position.sequence)
        }
    };
    let too_old = kept_from.saturating_sub(state.first_sequence);
    let mut told = format!("this would forget {too_old} of {} messages for their age, for good", state.messages);
    if let Some(bytes) = wanted.bytes.filter(|bytes| bytes.get() < state.bytes) {
        let (size, limit) = (size(state.bytes), size(bytes.get()));
        told += &match stream {
            Stream::Audit => format!(", and refuse new ones, for {size} are more than {limit}"),
            _ => format!(", and the oldest until {size} are {limit}"),
        };
    }
    Ok(told)
}

/// What is shown of a stream.
fn line(name: &str, retention: &Retention, state: &StreamState, now: i64) -> [String; 7] {
    let oldest = if state.messages == 0 { "-".to_owned() } else { second(state.first_at) };
    let reached = reached(retention, state, now);
    [
        name.to_owned(),
        state.messages.to_string(),
        size(state.bytes),
        oldest,
        retention.age.map_or_else(|| UNLIMITED.to_owned(), span),
        retention.bytes.map_or_else(|| UNLIMITED.to_owned(), |bytes| size(bytes.get())),
        reached.map_or_else(|| "-".to_owned(), |at| if at <= now { "now".to_owned() } else { second(at) }),
    ]
}

/// When the first of the limits is reached, in microseconds since 1970, should the stream grow as it did.
fn reached(retention: &Retention, state: &StreamState, now: i64) -> Option<i64> {
    if state.messages == 0 {
        return None;
    }
    let by_age = retention.age.map(|age| state.first_at.saturating_add_unsigned(micros(age)));
    let by_bytes = retention.bytes.and_then(|limit| {
        let left = limit.get().saturating_sub(state.bytes);
        let grown_for = u128::from(now.abs_diff(state.first_at));
        let until = grown_for.saturating_mul(left.into()).checked_div(state.bytes.into())?;
        Some(now.saturating_add_unsigned(u64::try_from(until).unwrap_or(u64::MAX)))
    });
    match (by_age, by_bytes) {
        (Some(age), Some(bytes)) => Some(min(age, bytes)),
        (age, bytes) => age.or(bytes),
    }
}

/// A time, to the second.
fn second(micros: i64) -> String {
    let second = micros - micros.rem_euclid(1_000_000);
    Timestamp::from_micros(second).map(|time| time.to_string()).unwrap_or_default()
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

fn size(bytes: u64) -> String {
    ByteSize::b(bytes).display().iec().to_string()
}

/// In days where it is days, as people count how long things are kept.
fn span(duration: Duration) -> String {
    let (days, rest) = (duration.as_secs() / DAY.as_secs(), duration.as_secs() % DAY.as_secs());
    match (days, rest) {
        (1, 0) => "1 day".to_owned(),
        (days, 0) if days > 0 => format!("{days} days"),
        _ => humantime::format_duration(duration).to_string(),
    }
}

fn age(text: &str) -> Result<Age, String> {
    if text == UNLIMITED {
        return Ok(Age(None));
    }
    let age = humantime::parse_duration(text).map_err(|error| error.to_string())?;
    // Less is what an operator who means minutes writes for months: and the server takes no less than this.
    if age < Duration::from_secs(1) {
        return Err("a second is the least".to_owned());
    }
    Ok(Age(Some(age)))
}

fn bytes(text: &str) -> Result<Bytes, String> {
    if text == UNLIMITED {
        return Ok(Bytes(None));
    }
    let size: ByteSize = text.parse()?;
    NonZeroU64::new(size.as_u64()).map(|bytes| Bytes(Some(bytes))).ok_or_else(|| "a byte is the least".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 3_600_000_000;

    fn state(bytes: u64, first_at: i64) -> StreamState {
        StreamState {
            created: 0,
            first_sequence: 1,
            last_sequence: 10,
            messages: 10,
            bytes,
            first_at,
            last_at: first_at,
            retention: Retention::default(),
        }
    }

    #[test]
    fn the_first_limit_is_told() {
        let (hours, limit) = (|hours: u64| Some(Duration::from_secs(hours * 3600)), NonZeroU64::new);
        let limit_reached = |age, bytes| reached(&Retention { age, bytes }, &state(100, 0), 10 * HOUR);
        assert_eq!(limit_reached(None, None), None);
        assert_eq!(limit_reached(hours(24), None), Some(24 * HOUR));
        assert_eq!(limit_reached(None, limit(200)), Some(20 * HOUR));
        assert_eq!(limit_reached(hours(24), limit(200)), Some(20 * HOUR));
        assert_eq!(limit_reached(hours(15), limit(200)), Some(15 * HOUR));
        assert_eq!(limit_reached(None, limit(50)), Some(10 * HOUR), "it is reached already");
    }

    #[test]
    fn times_and_sizes_are_read_and_shown_as_people_write_them() {
        assert_eq!(age("90days").unwrap().0, Some(DAY * 90));
        assert_eq!(bytes("50GiB").unwrap().0, NonZeroU64::new(50 << 30));
        assert!(age("unlimited").unwrap().0.is_none() && bytes("unlimited").unwrap().0.is_none());
        for bad in ["", "0s", "-1d", "90 parsecs"] {
            assert!(age(bad).is_err(), "{bad}");
        }
        for bad in ["", "0", "fifty"] {
            assert!(bytes(bad).is_err(), "{bad}");
        }
        assert_eq!(span(DAY * 400), "400 days");
        assert_eq!(span(Duration::from_secs(90)), "1m 30s");
    }
}
