//! The platforms, one module each, and what they share.

mod any_value;
mod aws;
mod datadog;
mod document;
mod fields;
mod firehose;
mod generic_http;
mod http;
mod netbird;
mod otlp;
mod packing;
mod rfc5424;
mod s3;
mod splunk_hec;
mod syslog;
mod webhook;

use model::delivery::Guarantee;
use model::integration::Platform;
use model::log::AccountId;

use self::datadog::Datadog;
use self::firehose::Firehose;
use self::generic_http::GenericHttp;
use self::otlp::Otlp;
use self::s3::S3;
use self::splunk_hec::SplunkHec;
use self::syslog::Syslog;
use crate::guard::Guard;
use crate::opened::{ConfigError, Opened};
use crate::sink::{Failure, Item, Limits, Outcome, Partition, test_event};

/// A receiver that one integration delivers to, over its platform's protocol.
#[derive(Debug)]
pub struct Sink(Protocol);

#[derive(Debug)]
enum Protocol {
    Datadog(Datadog),
    S3(S3),
    Firehose(Firehose),
    GenericHttp(GenericHttp),
    Otlp(Otlp),
    Syslog(Syslog),
    SplunkHec(SplunkHec),
}

/// What every receiver of a platform guarantees; none: that differs, and is found out of each.
pub(crate) const fn guarantee_of(platform: Platform) -> Option<Guarantee> {
    match platform {
        Platform::S3 => None,
        Platform::Datadog
        | Platform::Firehose
        | Platform::GenericHttp
        | Platform::Otlp
        | Platform::Syslog
        | Platform::SplunkHec => Some(Guarantee::AtLeastOnce),
    }
}

impl Sink {
    /// Reads a configuration. Nothing is sent, no name is resolved.
    ///
    /// # Errors
    /// When a value is wrong, naming its key.
    pub fn connect(platform: Platform, config: &Opened, guard: &Guard) -> Result<Self, ConfigError> {
        let protocol = match platform {
            Platform::Datadog => Protocol::Datadog(Datadog::new(config, guard)?),
            Platform::S3 => Protocol::S3(S3::new(config, guard)?),
            Platform::Firehose => Protocol::Firehose(Firehose::new(config, guard)?),
            Platform::GenericHttp => Protocol::GenericHttp(GenericHttp::new(config, guard)?),
            Platform::Otlp => Protocol::Otlp(Otlp::new(config, guard)?),
            Platform::Syslog => Protocol::Syslog(Syslog::new(config, guard)?),
            Platform::SplunkHec => Protocol::SplunkHec(SplunkHec::new(config, guard)?),
        };
        Ok(Self(protocol))
    }

    /// How batches for it are to be cut.
    #[must_use]
    pub fn limits(&self) -> Limits {
        match &self.0 {
            Protocol::Datadog(_) => Datadog::LIMITS,
            Protocol::S3(sink) => sink.limits(),
            Protocol::Firehose(_) => Firehose::LIMITS,
            Protocol::GenericHttp(sink) => sink.limits(),
            Protocol::Otlp(_) => Otlp::LIMITS,
            Protocol::Syslog(_) => Syslog::LIMITS,
            Protocol::SplunkHec(_) => SplunkHec::LIMITS,
        }
    }

    /// How many bytes of [`Limits::bytes`] an item takes.
    #[must_use]
    pub fn size(&self, item: &Item) -> usize {
        match &self.0 {
            Protocol::Datadog(_) => Datadog::size(item),
            Protocol::S3(_) => S3::size(item),
            Protocol::Firehose(_) => Firehose::size(item),
            Protocol::GenericHttp(sink) => sink.size(item),
            Protocol::Otlp(_) => Otlp::size(item),
            Protocol::Syslog(sink) => sink.size(item),
            Protocol::SplunkHec(sink) => sink.size(item),
        }
    }

    /// Items of different partitions are sent apart. A batch is cut so that there are few of them in it.
    pub(crate) fn partition(&self, item: &Item) -> Partition {
        match &self.0 {
            Protocol::S3(_) => S3::partition(item),
            Protocol::Datadog(_)
            | Protocol::Firehose(_)
            | Protocol::GenericHttp(_)
            | Protocol::Otlp(_)
            | Protocol::Syslog(_)
            | Protocol::SplunkHec(_) => Partition::default(),
        }
    }

    /// Makes one attempt. Ends within a bounded time, whatever the receiver does.
    pub async fn deliver(&self, items: &[Item]) -> Outcome {
        if items.is_empty() {
            return Outcome::Delivered;
        }
        match &self.0 {
            Protocol::Datadog(sink) => sink.deliver(items).await,
            Protocol::S3(sink) => sink.deliver(items).await,
            Protocol::Firehose(sink) => sink.deliver(items).await,
            Protocol::GenericHttp(sink) => sink.deliver(items).await,
            Protocol::Otlp(sink) => sink.deliver(items).await,
            Protocol::Syslog(sink) => sink.deliver(items).await,
            Protocol::SplunkHec(sink) => sink.deliver(items).await,
        }
    }

    /// Delivers a test event, for real: the usual credentials allow nothing but writing. Finds out what the receiver
    /// guarantees.
    ///
    /// # Errors
    /// When the receiver did not take it.
    pub async fn try_out(&self, account: &AccountId) -> Result<Guarantee, Failure> {
        let event = test_event(account);
        if let Protocol::S3(sink) = &self.0 {
            return sink.try_out(&event).await;
        }
        match self.deliver(&[event]).await {
            Outcome::Delivered => Ok(Guarantee::AtLeastOnce),
            Outcome::Failed(failure) => Err(failure),
            Outcome::Partly(failures) => {
                failures.into_iter().next().map_or(Ok(Guarantee::AtLeastOnce), |(_, failure)| Err(failure))
            }
            Outcome::SomeRefused { status, reason, .. } => Err(Failure::Refused { status, reason }),
        }
    }

    /// Whether what it guarantees depends on the receiver.
    pub(crate) const fn has_guarantee_to_find(&self) -> bool {
        matches!(self.0, Protocol::S3(_))
    }
}
