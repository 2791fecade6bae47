//! What a process counts, in the texts that Prometheus reads.
//!
//! Invariant: what is shown to one account holds nothing of another's.

use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use prometheus_client::encoding::text;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use crate::exposition::Exposition;
use crate::process;

/// How long a source may look for numbers before the others are shown without what it has not found by then.
const LOOKS_WITHIN: Duration = Duration::from_secs(3);

/// Who the numbers are for. What is no account's is shown to everybody.
#[derive(Clone, Copy, Debug)]
pub enum Audience<'a> {
    /// Sees all accounts' numbers.
    Operator,
    /// Sees this account's numbers, and no other's.
    Account(&'a str),
}

/// What has numbers to show.
pub trait Source: Send + Sync {
    /// Finds out what has to be asked for. May be dropped half-way.
    fn look(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(std::future::ready(()))
    }

    /// Adds its numbers to those that are shown.
    fn add_to(&self, registry: &mut Registry, audience: Audience<'_>);
}

/// The numbers of a process. Cheap to clone.
#[derive(Clone, Default)]
pub struct Metrics(Arc<Mutex<Vec<Arc<dyn Source>>>>);

impl Metrics {
    /// Shows the numbers of a source, too.
    pub fn add(&self, source: Arc<dyn Source>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(source);
    }

    /// All numbers, as they are now, in this text.
    ///
    /// # Errors
    /// When a source cannot write its own.
    pub async fn text(&self, audience: Audience<'_>, exposition: Exposition) -> Result<String, fmt::Error> {
        let sources = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let (mut registry, mut unprefixed) = (Registry::with_prefix("flowtrail"), Registry::default());
        process::register_build(&mut registry);
        process::register(&mut unprefixed);
        for source in sources {
            // What it has not found by then is not shown.
            let _ = tokio::time::timeout(LOOKS_WITHIN, source.look()).await;
            source.add_to(&mut registry, audience);
        }
        let mut out = String::new();
        text::encode_registry(&mut out, &registry)?;
        text::encode_registry(&mut out, &unprefixed)?;
        text::encode_eof(&mut out)?;
        Ok(exposition.of(out))
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Metrics").finish_non_exhaustive()
    }
}

impl Audience<'_> {
    /// Whether they see an account's numbers.
    #[must_use]
    pub fn includes(self, account: &str) -> bool {
        match self {
            Self::Operator => true,
            Self::Account(own) => own == account,
        }
    }
}

/// How long things took, in seconds: from a millisecond to half a minute.
#[must_use]
pub fn durations() -> Histogram {
    Histogram::new([0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0])
}
