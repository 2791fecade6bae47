//! Any HTTP receiver: one POST for each event, as NetBird sends it, or batches.

use std::time::Duration;

use model::template::{BadTemplate, Template};
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use reqwest::{Client, Url};

use super::http;
use super::netbird::Body;
use super::webhook::{Signer, webhook_id};
use crate::guard::Guard;
use crate::opened::{ConfigError, Opened};
use crate::sink::{Failure, Item, Limits, Outcome};

/// Any HTTP receiver.
#[derive(Debug)]
pub(super) struct GenericHttp {
    client: Client,
    url: Url,
    headers: HeaderMap,
    format: Format,
    template: Option<Template>,
    signer: Option<Signer>,
}

/// How events become requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    /// One request an event, one after the other.
    Single,
    /// One request a batch: one JSON object a line.
    Ndjson,
    /// One request a batch: a JSON array.
    Array,
}

impl GenericHttp {
    pub(super) fn new(config: &Opened, guard: &Guard) -> Result<Self, ConfigError> {
        let url = config.required("url")?;
        let client = guard.client("url", url)?;
        let url = Url::parse(url).map_err(|error| ConfigError::new("url", error.to_string()))?;
        let format = match config.text("batch") {
            None => Format::Single,
            Some("ndjson") => Format::Ndjson,
            Some("array") => Format::Array,
            Some(_) => return Err(ConfigError::new("batch", "must be ndjson or array, or absent")),
        };
        let content_type = match format {
            Format::Single | Format::Array => "application/json",
            Format::Ndjson => "application/x-ndjson",
        };
        let mut headers = http::own_headers(config)?;
        headers.entry(CONTENT_TYPE).or_insert(HeaderValue::from_static(content_type));
        Ok(Self { client, url, headers, format, template: template(config, format)?, signer: Signer::new(config)? })
    }

    pub(super) fn limits(&self) -> Limits {
        match self.format {
            Format::Single => Limits { items: 100, bytes: 1 << 20, wait: Duration::ZERO },
            Format::Ndjson | Format::Array => Limits { items: 1000, bytes: 1 << 20, wait: Duration::from_secs(1) },
        }
    }

    pub(super) fn size(&self, item: &Item) -> usize {
        self.body(item).len() + 1
    }

    pub(super) async fn deliver(&self, items: &[Item]) -> Outcome {
        match self.format {
            Format::Single => self.deliver_singly(items).await,
            Format::Ndjson => {
                let lines = items.iter().flat_map(|item| [self.body(item), b"\n".to_vec()]);
                Outcome::of(self.post(&batch_id(items), lines.collect::<Vec<_>>().concat()).await)
            }
            Format::Array => {
                let elements: Vec<Vec<u8>> = items.iter().map(|item| self.body(item)).collect();
                let body = [b"[".as_slice(), &elements.join(&b','), b"]"].concat();
                Outcome::of(self.post(&batch_id(items), body).await)
            }
        }
    }

    /// One after the other, so that the receiver gets them in order. What the receiver refuses for good does not
    /// hold up the rest; anything else does, as it will hit the next one as well.
    async fn deliver_singly(&self, items: &[Item]) -> Outcome {
        let mut failures = Vec::new();
        for (index, item) in items.iter().enumerate() {
            let Err(failure) = self.post(&webhook_id(&item.id), self.body(item)).await else { continue };
            let goes_on = matches!(failure, Failure::Refused { .. } | Failure::TooLarge);
            failures.push((index, failure));
            if !goes_on {
                failures.extend((index + 1..items.len()).map(|index| (index, Failure::Untried)));
                break;
            }
        }
        Outcome::partly(failures)
    }

    async fn post(&self, id: &str, body: Vec<u8>) -> Result<(), Failure> {
        let mut request = self.client.post(self.url.clone()).headers(self.headers.clone());
        // Without a signature, too: it is what a receiver tells a repetition by.
        request = request.header("webhook-id", id);
        if let Some(signer) = &self.signer {
            let seconds = runtime::clock::now_micros() / 1_000_000;
            request = request.header("webhook-timestamp", seconds);
            request = request.header("webhook-signature", signer.sign(id, seconds, &body));
        }
        http::send(request.body(body)).await?.judge()
    }

    fn body(&self, item: &Item) -> Vec<u8> {
        let body = Body::new(item);
        match &self.template {
            None => body.to_json(),
            Some(template) => template.render(|field| body.field(field)),
        }
    }
}

fn template(config: &Opened, format: Format) -> Result<Option<Template>, ConfigError> {
    let Some(text) = config.text("body_template") else { return Ok(None) };
    let template: Template =
        text.parse().map_err(|error: BadTemplate| ConfigError::new("body_template", error.to_string()))?;
    Ok(Some(if format == Format::Ndjson { template.on_one_line() } else { template }))
}

/// The same for every attempt at the same batch, and no other batch's: batches of a stream do not overlap.
fn batch_id(items: &[Item]) -> String {
    let (Some(first), Some(last)) = (items.first(), items.last()) else { return String::new() };
    let family = first.stream.family();
    format!("{family}-{}_{}-{}_{}", first.sequence, first.index, last.sequence, last.index)
}
