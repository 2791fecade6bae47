//! OpenTelemetry logs over HTTP, in JSON: one log record an event.

use std::time::Duration;

use reqwest::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderValue};
use reqwest::{Client, Url};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::any_value::{AnyValue, Attribute};
use super::document::{Document, json_bytes};
use super::http::{self, Answer};
use super::packing::gzip;
use crate::guard::Guard;
use crate::opened::{ConfigError, Opened};
use crate::sink::{Failure, Item, Kind, Limits, Outcome};

/// A collector.
#[derive(Debug)]
pub(super) struct Otlp {
    client: Client,
    url: Url,
    headers: HeaderMap,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct LogRecord<'a> {
    time_unix_nano: &'a str,
    observed_time_unix_nano: &'a str,
    severity_number: u8,
    severity_text: &'static str,
    event_name: &'a str,
    body: AnyValue<'a>,
    attributes: [Attribute<'a>; 9],
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Accepted {
    partial_success: PartialSuccess,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct PartialSuccess {
    /// A number, which this JSON writes as a text.
    rejected_log_records: Value,
    error_message: Value,
}

/// An answer repeats what it rejects in words, so it is larger than most.
const ANSWER_BYTES: usize = 64 << 10;

impl Otlp {
    pub(super) const LIMITS: Limits = Limits { items: 1000, bytes: 2 << 20, wait: Duration::from_secs(1) };

    pub(super) fn new(config: &Opened, guard: &Guard) -> Result<Self, ConfigError> {
        let given = config.web_hook("url")?;
        let client = guard.client("url", given)?;
        let mut url = Url::parse(given).map_err(|error| ConfigError::new("url", error.to_string()))?;
        if !url.path().ends_with("/v1/logs") {
            let path = format!("{}/v1/logs", url.path().trim_end_matches('/'));
            url.set_path(&path);
        }
        let mut headers = http::own_headers(config)?;
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        Ok(Self { client, url, headers })
    }

    pub(super) fn size(item: &Item) -> usize {
        record(item).len() + 1
    }

    pub(super) async fn deliver(&self, items: &[Item]) -> Outcome {
        match self.post(items).await {
            Ok(outcome) => outcome,
            Err(failure) => Outcome::Failed(failure),
        }
    }

    async fn post(&self, items: &[Item]) -> Result<Outcome, Failure> {
        // A batch is of one account.
        let account = items.first().map_or("", |item| item.account.as_str());
        let resource = json!({ "attributes": [
            { "key": "service.name", "value": { "stringValue": "flowtrail" } },
            { "key": "flowtrail.account", "value": { "stringValue": account } },
        ] });
        let mut body = format!(
            r#"{{"resourceLogs":[{{"resource":{resource},"scopeLogs":[{{"scope":{{"name":"flowtrail"}},"logRecords":["#
        )
        .into_bytes();
        for (index, item) in items.iter().enumerate() {
            if index > 0 {
                body.push(b',');
            }
            body.extend_from_slice(&record(item));
        }
        body.extend_from_slice(b"]}]}]}");
        let request = self.client.post(self.url.clone()).headers(self.headers.clone());
        let answer = http::send_for(request.body(gzip(body).await?), ANSWER_BYTES).await?;
        answer.judge()?;
        Ok(judge(&answer, items.len()))
    }
}

/// A 200 is final, whatever part of it was rejected: a client MUST NOT send any of it again (OTLP 1.x, "Partial
/// Success"). The protocol counts what was rejected and does not name it.
fn judge(answer: &Answer, count: usize) -> Outcome {
    let accepted: Accepted = serde_json::from_slice(&answer.body).unwrap_or_default();
    let PartialSuccess { rejected_log_records, error_message } = accepted.partial_success;
    let rejected: usize = match rejected_log_records {
        Value::String(text) => text.parse().unwrap_or(0),
        Value::Number(number) => number.as_u64().and_then(|number| number.try_into().ok()).unwrap_or(0),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => 0,
    };
    // A message without a number is a warning.
    if rejected == 0 {
        return Outcome::Delivered;
    }
    let status = Some(answer.status.as_u16());
    let why =
        http::quoted(error_message.as_str().unwrap_or_default()).map(|why| format!(": {why}")).unwrap_or_default();
    if rejected >= count {
        let reason = format!("the receiver rejected the record{why}");
        return Outcome::partly(
            (0..count).map(|index| (index, Failure::Refused { status, reason: reason.clone() })).collect(),
        );
    }
    let reason = format!("the receiver rejected {rejected} of {count} records, and does not say which{why}");
    Outcome::SomeRefused { count: rejected, status, reason }
}

/// A record, as JSON.
fn record(item: &Item) -> Vec<u8> {
    let Document { message, details, time: _ } = Document::new(item);
    let nanos = (i128::from(item.time.micros()) * 1000).max(0).to_string();
    let (severity_number, severity_text) = severity(item);
    let (meta, event) = (Value::Object(details.meta).to_string(), details.event.to_json());
    let attributes = [
        ("flowtrail.event", AnyValue::Json(&event)),
        ("flowtrail.id", AnyValue::Text(details.id)),
        ("flowtrail.index", AnyValue::Integer(details.index.into())),
        ("flowtrail.initiator_id", AnyValue::Text(details.initiator_id)),
        ("flowtrail.kind", AnyValue::Text(details.kind)),
        ("flowtrail.meta", AnyValue::Json(&meta)),
        ("flowtrail.position", AnyValue::Text(&details.position)),
        ("flowtrail.reference", AnyValue::Text(details.reference)),
        ("flowtrail.target_id", AnyValue::Text(details.target_id)),
    ];
    json_bytes(&LogRecord {
        time_unix_nano: &nanos,
        observed_time_unix_nano: &nanos,
        severity_number,
        severity_text,
        event_name: details.event_type,
        body: AnyValue::Text(message),
        attributes: attributes.map(|(key, value)| Attribute { key, value }),
    })
}

fn severity(item: &Item) -> (u8, &'static str) {
    match &item.kind {
        Kind::Audit(event) => match event.status() {
            "failure" | "error" | "denied" => (13, "WARN"),
            _ => (9, "INFO"),
        },
        Kind::Traffic(_) => (9, "INFO"),
    }
}
