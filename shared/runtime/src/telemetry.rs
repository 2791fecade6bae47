//! Log lines, on standard error: control characters in fields stay escaped, so an event is always one line.

use std::error::Error;
use std::fmt;
use std::io::IsTerminal;
use std::str::FromStr;

use anyhow::Context;
use tracing_subscriber::filter::{FilterExt, LevelFilter};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, Registry, reload};

use crate::settings::LogFormat;

/// Starts logging. A filter of `trace` is one of `debug`: below it, libraries write whatever they handle, such as the client
/// of NATS its messages, and the signer of requests to Amazon the headers with a session's token.
///
/// # Errors
/// When `filter` is no tracing filter.
pub fn start(filter: &str, format: LogFormat) -> anyhow::Result<LogFilter> {
    let (filter, handle) = reload::Layer::new(read(filter)?);
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_target(false);
    let lines = match format {
        LogFormat::Text => lines.with_ansi(std::io::stderr().is_terminal()).boxed(),
        LogFormat::Json => lines.json().flatten_event(true).boxed(),
    };
    tracing_subscriber::registry().with(lines.with_filter(filter.and(LevelFilter::DEBUG))).init();
    Ok(LogFilter(handle))
}

/// What is logged, to be changed while the process runs. Cheap to clone.
#[derive(Clone, Debug)]
pub struct LogFilter(reload::Handle<EnvFilter, Registry>);

/// A filter that was read.
#[derive(Debug)]
pub struct ReadFilter(EnvFilter);

impl FromStr for ReadFilter {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> anyhow::Result<Self> {
        read(text).map(Self)
    }
}

impl LogFilter {
    /// Logs what this filter lets through from now on.
    ///
    /// # Errors
    /// When nothing is logged any more.
    pub fn set(&self, ReadFilter(filter): ReadFilter) -> anyhow::Result<()> {
        self.0.reload(filter).context("change the log filter")
    }
}

fn read(filter: &str) -> anyhow::Result<EnvFilter> {
    EnvFilter::try_new(filter).with_context(|| format!("read the log filter {filter:?}"))
}

/// An error with everything that led to it, in one line.
#[must_use]
pub fn chain(error: &dyn Error) -> Chain<'_> {
    Chain(error)
}

/// Shows an error and its sources, `: ` between them.
#[derive(Debug)]
pub struct Chain<'a>(&'a dyn Error);

impl fmt::Display for Chain<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.0)?;
        let mut next = self.0.source();
        while let Some(source) = next {
            write!(formatter, ": {source}")?;
            next = source.source();
        }
        Ok(())
    }
}
