//! Any HTTP receiver: one POST for each event, as NetBird sends it, or batches.

use std::time::Duration;

use model::template::{BadTemplate, Template};
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use reqwest::{Client, Url};

use super::document::Document;
use super::webhook::{Signer, webhook_id};
use super::{http, netbird};
use crate::guard::Guard;
use crate::opened::{ConfigError, Opened};
use crate::sink::{Failure, Item, Limits, Outcome};

/// Any HTTP receiver.
#[derive(Debug)]
pub(super) struct GenericHttp {
    client: Client,
    url: Url,
    headers: HeaderMap,
    batching: Batching,
    form: Form,
    signer: Option<Signer>,
}

/// How an event becomes a body, or a part of one.
#[derive(Debug)]
enum Form {
    /// As NetBird sends it.
    Netbird,
    /// All of it, as in an object of S3.
    Document,
    /// As the account wants it.
    Template(Template),
}

/// How events become requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Batching {
    /// One request an event, one after the other.
    Single,
    /// One request a batch: one JSON object a line.
    Ndjson,
    /// One request a batch: a JSON array.
    Array,
}

impl GenericHttp {
    pub(super) fn new(config: &Opened, guard: &Guard) -> Result<Self, ConfigError> {
        let url = config.web_hook("url")?;
        let client = guard.client("url", url)?;
        let url = Url::parse(url).map_err(|error| ConfigError::new("url", error.to_string()))?;
        let batching = match config.text("batch") {
            None => Batching::Single,
            Some("ndjson") => Batching::Ndjson,
            Some("array") => Batching::Array,
            Some(_) => return Err(ConfigError::new("batch", "must be ndjson or array, or absent")),
        };
        let content_type = match batching {
            Batching::Single | Batching::Array => "application/json",
            Batching::Ndjson => "application/x-ndjson",
        };
        let mut headers = http::own_headers(config)?;
        headers.entry(CONTENT_TYPE).or_insert(HeaderValue::from_static(content_type));
        Ok(Self { client, url, headers, batching, form: form(config, batching)?, signer: Signer::new(config)? })
    }

    pub(super) fn limits(&self) -> Limits {
        match self.batching {
            Batching::Single => Limits { items: 100, bytes: 1 << 20, wait: Duration::ZERO },
            Batching::Ndjson | Batching::Array => Limits { items: 1000, bytes: 1 << 20, wait: Duration::from_secs(1) },
        }
    }

    pub(super) fn size(&self, item: &Item) -> usize {
        self.body(item).len() + 1
    }

    pub(super) async fn deliver(&self, items: &[Item]) -> Outcome {
        match self.batching {
            Batching::Single => self.deliver_singly(items).await,
            Batching::Ndjson => {
                let lines: Vec<[&[u8]; 2]> = items.iter().map(|item| [self.body(item), b"\n"]).collect();
                Outcome::of(self.post(&batch_id(items), lines.as_flattened().concat()).await)
            }
            Batching::Array => {
                let elements: Vec<&[u8]> = items.iter().map(|item| self.body(item)).collect();
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
            let Err(failure) = self.post(&webhook_id(&item.id), self.body(item).to_vec()).await else { continue };
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

    fn body<'a>(&self, item: &'a Item) -> &'a [u8] {
        item.rendered.get(|| match &self.form {
            Form::Netbird => netbird::Body::new(item).to_json(),
            Form::Document => Document::new(item).to_json(),
            Form::Template(template) => {
                let body = netbird::Body::new(item);
                template.render(|field| body.field(field))
            }
        })
    }
}

fn form(config: &Opened, batching: Batching) -> Result<Form, ConfigError> {
    let Some(text) = config.text("body_template") else {
        return match config.text("format") {
            None | Some("netbird") => Ok(Form::Netbird),
            Some("document") => Ok(Form::Document),
            Some(_) => Err(ConfigError::new("format", "must be netbird or document, or absent")),
        };
    };
    let template: Template =
        text.parse().map_err(|error: BadTemplate| ConfigError::new("body_template", error.to_string()))?;
    Ok(Form::Template(if batching == Batching::Ndjson { template.on_one_line() } else { template }))
}

/// The same for every attempt at the same batch, and no other batch's: batches of a stream do not overlap.
fn batch_id(items: &[Item]) -> String {
    let (Some(first), Some(last)) = (items.first(), items.last()) else { return String::new() };
    let family = first.stream.family();
    format!("{family}-{}_{}-{}_{}", first.sequence, first.index, last.sequence, last.index)
}
