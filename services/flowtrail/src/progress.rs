//! What a person sees while an import or an export runs: a bar on standard error, and lines that it steps aside for.

use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

const WITH_LENGTH: &str = "{wide_bar} {bytes} of {total_bytes}, {msg}, {eta} left";
const WITHOUT_LENGTH: &str = "{spinner} {bytes}, {msg}, {elapsed}";
const OF_BYTES: &str = "{spinner} {bytes}, {bytes_per_sec}, {elapsed}";

/// The bar. Hidden where standard error is no terminal.
#[derive(Clone)]
pub(crate) struct Progress {
    bar: ProgressBar,
    started: Instant,
}

impl Progress {
    /// Of events in so many bytes, where that is known.
    pub(crate) fn new(length: Option<u64>) -> Self {
        Self::with(length, if length.is_some() { WITH_LENGTH } else { WITHOUT_LENGTH })
    }

    /// Of bytes; nobody knows of how many.
    pub(crate) fn of_bytes() -> Self {
        Self::with(None, OF_BYTES)
    }

    fn with(length: Option<u64>, template: &str) -> Self {
        let target =
            if io::stderr().is_terminal() { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(length, target);
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        Self { bar, started: Instant::now() }
    }

    /// Reads, and counts what is read.
    pub(crate) fn counting<R: io::Read>(&self, reader: R) -> impl io::Read + use<R> {
        self.bar.wrap_read(reader)
    }

    /// Counts bytes that came in.
    pub(crate) fn add(&self, bytes: usize) {
        self.bar.inc(bytes as u64);
    }

    /// Shows how many events went out.
    pub(crate) fn show(&self, events: u64) {
        self.bar.set_message(format!("{events} events, {}/s", rate(events, self.started.elapsed())));
    }

    /// Writes a line to standard error, above the bar.
    pub(crate) fn line(&self, text: &str) -> io::Result<()> {
        self.bar.suspend(|| writeln!(io::stderr(), "{text}"))
    }

    /// Takes the bar away.
    pub(crate) fn finish(&self) {
        self.bar.finish_and_clear();
    }

    pub(crate) fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }
}

/// So many a second.
pub(crate) fn rate(count: u64, elapsed: Duration) -> u128 {
    u128::from(count) * 1000 / elapsed.as_millis().max(1)
}
