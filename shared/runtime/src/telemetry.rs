//! Log lines, on standard error: control characters in fields stay escaped, so an event is always one line.

use std::error::Error;
use std::fmt;
use std::io::IsTerminal;

use anyhow::Context;
use tracing_subscriber::EnvFilter;

use crate::settings::LogFormat;

/// Starts logging.
///
/// # Errors
/// When `filter` is no tracing filter.
pub fn start(filter: &str, format: LogFormat) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(filter).with_context(|| format!("read the log filter {filter:?}"))?;
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_target(false);
    match format {
        LogFormat::Text => lines.with_ansi(std::io::stderr().is_terminal()).init(),
        LogFormat::Json => lines.json().flatten_event(true).init(),
    }
    Ok(())
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
