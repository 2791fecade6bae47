//! Amazon Data Firehose: `PutRecordBatch`, one record an event, and only those that failed are worth another attempt.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reqwest::Client;
use reqwest::header::CONTENT_TYPE;
use serde::{Deserialize, Serialize};

use super::aws::{self, Service, Signer};
use super::document::{Document, json_bytes};
use super::http::{self, Answer};
use crate::guard::Guard;
use crate::opened::{ConfigError, Opened};
use crate::sink::{Failure, Item, Limits, Outcome};

/// A delivery stream.
#[derive(Debug)]
pub(super) struct Firehose {
    client: Client,
    signer: Signer,
    url: String,
    stream: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Put<'a> {
    delivery_stream_name: &'a str,
    records: Vec<Record>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Record {
    data: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Put200 {
    failed_put_count: usize,
    #[serde(default)]
    request_responses: Vec<RecordAnswer>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RecordAnswer {
    error_code: Option<String>,
}

#[derive(Deserialize)]
struct Error {
    #[serde(rename = "__type", alias = "code")]
    name: String,
    #[serde(alias = "Message", default)]
    message: String,
}

/// Before base64.
const RECORD_BYTES: usize = 1_024_000;

/// `{"Data":""},`
const RECORD_FRAME: usize = 12;

/// An answer names every record, so it is larger than most: 500 times an id and a message.
const ANSWER_BYTES: usize = 1 << 20;

impl Firehose {
    /// 500 records and 4 MiB; what is left of those is for the frame.
    pub(super) const LIMITS: Limits = Limits { items: 500, bytes: 4_190_000, wait: Duration::from_secs(5) };

    pub(super) fn new(config: &Opened, guard: &Guard) -> Result<Self, ConfigError> {
        let signer = Signer::new(config, Service::Firehose)?;
        let endpoint = config.text("endpoint").map(|endpoint| ("endpoint", endpoint.to_owned()));
        let (key, url) = endpoint.unwrap_or_else(|| ("region", format!("https://{}/", signer.host())));
        let stream = config.required("stream_name")?.to_owned();
        Ok(Self { client: guard.client(key, &url)?, signer, url, stream })
    }

    pub(super) fn size(item: &Item) -> usize {
        (Document::new(item).to_json().len() + 1).div_ceil(3) * 4 + RECORD_FRAME
    }

    pub(super) async fn deliver(&self, items: &[Item]) -> Outcome {
        let mut failures = Vec::new();
        let mut sent = Vec::new();
        let mut records = Vec::new();
        for (index, item) in items.iter().enumerate() {
            let mut data = Document::new(item).to_json();
            // Firehose puts nothing between records.
            data.push(b'\n');
            if data.len() > RECORD_BYTES {
                failures.push((index, Failure::refused("the event is larger than a record may be (1,000 KiB)")));
            } else {
                sent.push(index);
                records.push(Record { data: STANDARD.encode(data) });
            }
        }
        if !records.is_empty() {
            match self.put(records).await {
                Ok(failed) => failures.extend(failed.into_iter().map(|(at, failure)| (sent[at], failure))),
                // The records that are too large fail the same way the next time.
                Err(failure) => return Outcome::Failed(failure),
            }
        }
        Outcome::partly(failures)
    }

    async fn put(&self, records: Vec<Record>) -> Result<Vec<(usize, Failure)>, Failure> {
        let count = records.len();
        let body = json_bytes(&Put { delivery_stream_name: &self.stream, records });
        if count > Self::LIMITS.items || body.len() > 4 << 20 {
            return Err(Failure::TooLarge);
        }
        let request = self.client.post(&self.url).header(CONTENT_TYPE, "application/x-amz-json-1.1");
        let request = request.header("x-amz-target", "Firehose_20150804.PutRecordBatch").body(body);
        let answer = http::send_for(self.signer.sign(&self.client, request)?, ANSWER_BYTES).await?;
        self.judge(&answer, count)
    }

    fn judge(&self, answer: &Answer, count: usize) -> Result<Vec<(usize, Failure)>, Failure> {
        let code = answer.status.as_u16();
        if code != 200 {
            return Err(self.failure(answer));
        }
        let unclear = || answer.retry("the receiver answered 200, and not what became of the records".to_owned());
        let put: Put200 = serde_json::from_slice(&answer.body).map_err(|_| unclear())?;
        if put.failed_put_count == 0 {
            return Ok(Vec::new());
        }
        if put.request_responses.len() != count {
            return Err(unclear());
        }
        let failed = |(at, record): (usize, RecordAnswer)| {
            let name = record.error_code?;
            let name = aws::error_name(&name).unwrap_or("an error");
            Some((at, answer.retry(format!("the receiver answered {name} for the record"))))
        };
        Ok(put.request_responses.into_iter().enumerate().filter_map(failed).collect())
    }

    fn failure(&self, answer: &Answer) -> Failure {
        let code = answer.status.as_u16();
        let status = Some(code);
        let header = answer.headers.get("x-amzn-errortype").and_then(|value| value.to_str().ok());
        let body: Option<Error> = serde_json::from_slice(&answer.body).ok();
        let named = header.or(body.as_ref().map(|error| error.name.as_str())).and_then(aws::error_name);
        // What stands before the service, such as a gateway, answers in XML.
        let name = named.or_else(|| aws::error_code(&answer.body)).unwrap_or_default();
        let stream = &self.stream;
        if let Some(problem) = aws::credentials_problem(name) {
            let reason = format!("the delivery stream {stream} refused the events: {problem} ({name})");
            return Failure::Stop { status, reason };
        }
        match name {
            "ResourceNotFoundException" => {
                let region = self.signer.region();
                Failure::Stop { status, reason: format!("there is no delivery stream {stream} in {region}") }
            }
            "InvalidKMSResourceException" | "InvalidSourceException" => {
                Failure::Stop { status, reason: format!("the delivery stream {stream} takes no records ({name})") }
            }
            "ThrottlingException" | "ServiceUnavailableException" | "LimitExceededException" => {
                answer.retry(format!("the receiver answered {name}"))
            }
            _ => match answer.judge() {
                Err(failure) => {
                    let said = body.as_ref().and_then(|error| http::quoted(&error.message));
                    let why = said.or_else(|| aws::error_message(&answer.body)).map(|why| format!(": {why}"));
                    failure.explained(&format!(" {name}{}", why.unwrap_or_default()))
                }
                Ok(()) => answer.retry(format!("the receiver answered {code}, which says nothing about the records")),
            },
        }
    }
}
