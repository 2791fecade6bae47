//! Splunk's HTTP event collector: a batch is one JSON object after the other.

use std::time::Duration;

use reqwest::header::{AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE, HeaderValue};
use reqwest::{Client, Url};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::document::{Document, host, json_bytes};
use super::http::{self, Answer};
use super::packing::gzip;
use crate::guard::Guard;
use crate::opened::{ConfigError, Opened};
use crate::sink::{Failure, Item, Limits, Outcome};

/// A collector.
#[derive(Debug)]
pub(super) struct SplunkHec {
    client: Client,
    url: Url,
    token: HeaderValue,
    channel: String,
    index: Option<String>,
    source: String,
    sourcetype: Option<String>,
}

#[derive(Serialize)]
struct Event<'a> {
    /// Seconds since 1970; a float tells microseconds apart for some centuries yet.
    time: f64,
    host: &'a str,
    source: &'a str,
    sourcetype: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    index: Option<&'a str>,
    event: Document<'a>,
    fields: Fields<'a>,
}

/// What Splunk finds without looking into the event.
#[derive(Serialize)]
struct Fields<'a> {
    id: &'a str,
    account_id: &'a str,
    event_type: &'a str,
}

#[derive(Deserialize)]
struct Said {
    code: u16,
    /// Which event of the request it cannot read, from 0.
    #[serde(rename = "invalid-event-number")]
    invalid_event: Option<usize>,
}

impl SplunkHec {
    pub(super) const LIMITS: Limits = Limits { items: 1000, bytes: 1_000_000, wait: Duration::from_secs(1) };

    pub(super) fn new(config: &Opened, guard: &Guard) -> Result<Self, ConfigError> {
        let given = config.required("url")?;
        let client = guard.client("url", given)?;
        let mut url = Url::parse(given).map_err(|error| ConfigError::new("url", error.to_string()))?;
        if !url.path().contains("/services/collector") {
            let path = format!("{}/services/collector/event", url.path().trim_end_matches('/'));
            url.set_path(&path);
        }
        let token = config.secret("token").ok_or_else(|| ConfigError::new("token", "is required"))?;
        let text = |key| config.text(key).map(str::to_owned);
        Ok(Self {
            client,
            channel: channel(token.reveal()),
            url,
            token: http::secret_header("token", &format!("Splunk {}", token.reveal()))?,
            index: text("index"),
            source: text("source").unwrap_or_else(|| "flowtrail".to_owned()),
            sourcetype: text("sourcetype"),
        })
    }

    pub(super) fn size(&self, item: &Item) -> usize {
        self.event(item).len()
    }

    pub(super) async fn deliver(&self, items: &[Item]) -> Outcome {
        match self.post(items).await {
            Ok(outcome) => outcome,
            Err(failure) => Outcome::Failed(failure),
        }
    }

    async fn post(&self, items: &[Item]) -> Result<Outcome, Failure> {
        let body: Vec<u8> = items.iter().flat_map(|item| self.event(item)).collect();
        let request = self.client.post(self.url.clone()).header(AUTHORIZATION, self.token.clone());
        let request = request.header("x-splunk-request-channel", &self.channel);
        let request = request.header(CONTENT_TYPE, "application/json").header(CONTENT_ENCODING, "gzip");
        judge(&http::send(request.body(gzip(body).await?)).await?, items.len())
    }

    fn event(&self, item: &Item) -> Vec<u8> {
        let document = Document::new(item);
        let micros = item.time.micros();
        let default_type = || format!("flowtrail:{}", item.kind.name());
        let (id, account_id, event_type) =
            (document.details.id, document.details.account_id, document.details.event_type);
        json_bytes(&Event {
            time: micros as f64 / 1e6,
            host: host(item),
            source: &self.source,
            sourcetype: self.sourcetype.clone().unwrap_or_else(default_type),
            index: self.index.as_deref(),
            event: document,
            fields: Fields { id, account_id, event_type },
        })
    }
}

/// What the collector's own codes mean, where they say more than the status.
fn judge(answer: &Answer, count: usize) -> Result<Outcome, Failure> {
    let status = Some(answer.status.as_u16());
    let said: Option<Said> = serde_json::from_slice(&answer.body).ok();
    let stop = |reason: &str| Err(Failure::Stop { status, reason: reason.to_owned() });
    let invalid = said.as_ref().and_then(|said| said.invalid_event).filter(|index| *index < count);
    match said.map(|said| said.code) {
        Some(0) if answer.status.is_success() => Ok(Outcome::Delivered),
        Some(1) => stop("the collector says that the token is disabled"),
        Some(2..=4) => stop("the collector does not know the token"),
        Some(7) => stop("the collector does not allow the index to the token"),
        Some(8 | 9) => Err(answer.retry("the collector is busy or failing".to_owned())),
        Some(_) | None => match (answer.judge(), invalid) {
            (Ok(()), _) => Ok(Outcome::Delivered),
            // It takes no request with such an event, and names it: the others go again without it, all in one request.
            (Err(Failure::Refused { status, reason }), Some(invalid)) => {
                let failure = |index| match index == invalid {
                    true => Failure::Refused { status, reason: format!("{reason}: it cannot read the event") },
                    false => Failure::Untried,
                };
                Ok(Outcome::partly((0..count).map(|index| (index, failure(index))).collect()))
            }
            (Err(failure), _) => Err(failure),
        },
    }
}

/// The channel that a collector with acknowledgements demands: a UUID that is the same after every start.
fn channel(token: &str) -> String {
    let digest = Sha256::digest(format!("flowtrail channel {token}"));
    let hex: String = digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..32])
}
