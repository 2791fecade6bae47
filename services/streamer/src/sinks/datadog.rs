//! Datadog logs, version 2 of its intake.

use std::borrow::Cow;
use std::time::Duration;

use reqwest::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderValue};
use reqwest::{Client, Url};
use serde::Serialize;

use super::document::{Details, Document, host, json_bytes};
use super::packing::gzip;
use super::{http, netbird};
use crate::guard::Guard;
use crate::opened::{ConfigError, Opened};
use crate::sink::{Failure, Item, Limits, Outcome};

/// An organisation's log intake.
#[derive(Debug)]
pub(super) struct Datadog {
    client: Client,
    url: Url,
    api_key: HeaderValue,
}

/// A log: Datadog's own names, then attributes.
#[derive(Serialize)]
struct Log<'a> {
    ddsource: &'static str,
    ddtags: String,
    hostname: &'a str,
    service: &'static str,
    message: Cow<'a, str>,
    timestamp: i64,
    #[serde(flatten)]
    attributes: Details<'a>,
}

/// Larger ones are cut off by Datadog, without a word.
const LOG_BYTES: usize = 1_000_000;

/// Before compression.
const BODY_BYTES: usize = 5_000_000;

impl Datadog {
    /// 1,000 logs and 5 MB; some of it is left for the frame.
    pub(super) const LIMITS: Limits = Limits { items: 1000, bytes: BODY_BYTES - 2, wait: Duration::from_secs(5) };

    pub(super) fn new(config: &Opened, guard: &Guard) -> Result<Self, ConfigError> {
        let named = config.text("api_url").map(|url| ("api_url", url.to_owned()));
        let (key, url) = match (named, config.text("site")) {
            (Some(named), _) => named,
            (None, Some(site)) => ("site", format!("https://http-intake.logs.{site}/api/v2/logs")),
            (None, None) => return Err(ConfigError::new("site", "is required, or an api_url")),
        };
        let client = guard.client(key, &url)?;
        let url = Url::parse(&url).map_err(|error| ConfigError::new(key, error.to_string()))?;
        let api_key = config.secret("api_key").ok_or_else(|| ConfigError::new("api_key", "is required"))?;
        Ok(Self { client, url, api_key: http::secret_header("api_key", api_key.reveal())? })
    }

    pub(super) fn size(item: &Item) -> usize {
        log(item).len() + 1
    }

    pub(super) async fn deliver(&self, items: &[Item]) -> Outcome {
        let mut failures = Vec::new();
        let mut body = Vec::from(b"[");
        for (index, item) in items.iter().enumerate() {
            let log = log(item);
            if log.len() > LOG_BYTES {
                failures.push((index, Failure::refused("the event is larger than a log may be (1 MB)")));
                continue;
            }
            if body.len() > 1 {
                body.push(b',');
            }
            body.extend_from_slice(&log);
        }
        body.push(b']');
        if failures.len() == items.len() {
            return Outcome::partly(failures);
        }
        if items.len() > Self::LIMITS.items || body.len() > BODY_BYTES {
            return Outcome::Failed(Failure::TooLarge);
        }
        match self.post(body).await {
            Ok(()) => Outcome::partly(failures),
            Err(failure) => Outcome::Failed(failure),
        }
    }

    async fn post(&self, body: Vec<u8>) -> Result<(), Failure> {
        let request = self.client.post(self.url.clone()).header("dd-api-key", self.api_key.clone());
        let request = request.header(CONTENT_TYPE, "application/json").header(CONTENT_ENCODING, "gzip");
        http::send(request.body(gzip(body).await?)).await?.judge()
    }
}

fn log(item: &Item) -> Vec<u8> {
    let details = Document::new(item).details;
    json_bytes(&Log {
        ddsource: "flowtrail",
        ddtags: format!("account:{},kind:{}", item.account, item.kind.name()),
        hostname: host(item),
        // Dashboards and pipelines that were made for NetBird's logs look for its service and texts.
        service: "netbird",
        message: netbird::message(item),
        timestamp: item.time.micros().div_euclid(1000),
        attributes: details,
    })
}
