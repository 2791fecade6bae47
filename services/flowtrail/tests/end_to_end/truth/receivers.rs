//! A receiver of each platform on loopback, and what events it got.

use std::collections::BTreeMap;
use std::io::Read;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Uri};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::read::GzDecoder;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Deserializer, Value, json};
use testkit::HttpServer;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::any_value::{AnyValue, Attribute};
use super::{as_text, in_one_form};
use crate::flowtrail::Flowtrail;

pub(super) const PLATFORMS: [&str; 7] = ["generic_http", "s3", "syslog", "otlp", "splunk_hec", "datadog", "firehose"];

/// What came of an event.
pub(super) enum Came {
    /// Its fields as JSON.
    Document(Box<Document>),
    /// Its `meta.v`, as text: what NetBird's body has room for.
    Text(String),
    /// Its fields as OTLP has them.
    AnyValue(Box<AnyValue>),
}

#[derive(Deserialize)]
pub(super) struct Document {
    id: String,
    #[serde(default)]
    event: Option<Fields>,
}

#[derive(Deserialize)]
struct Fields {
    event_payload: Option<Box<RawValue>>,
    latency_ms: Option<Box<RawValue>>,
    meta: Option<Box<RawValue>>,
}

impl Came {
    /// Whether it is this payload, this number, and this meta.
    pub(super) fn is(&self, payload: &str, number: &str, meta: &str) -> Result<(), String> {
        let same = |what: &str, came: &str, published: &str| {
            let problem = || format!("{what} came as {came}, published was {published}");
            (came == published).then_some(()).ok_or_else(problem)
        };
        match self {
            Self::Document(document) => {
                let fields = document.event.as_ref().ok_or("it has no fields")?;
                let text = |value: &Option<Box<RawValue>>| value.as_ref().map_or("", |raw| raw.get()).to_owned();
                same("the payload", &in_one_form(&text(&fields.event_payload)), payload)?;
                same("the meta", &in_one_form(&text(&fields.meta)), meta)?;
                same("the number", &text(&fields.latency_ms), number)
            }
            Self::Text(came) => {
                let value: BTreeMap<&str, &RawValue> = serde_json::from_str(payload).unwrap();
                same("the value", came, &as_text(value["v"].get()))
            }
            Self::AnyValue(came) => {
                let says = |name: &str, json: &str| came.member(name).is_some_and(|member| member.says(json));
                if says("event_payload", payload) && says("latency_ms", number) && says("meta", meta) {
                    return Ok(());
                }
                Err(format!("{came:?} came, published were {payload}, {number} and {meta}"))
            }
        }
    }
}

type Got = Arc<Mutex<Vec<(String, Bytes)>>>;

/// The receivers. They end with their owner.
pub(super) struct Receivers {
    http: HttpServer,
    requests: Got,
    syslog: String,
    messages: Got,
    _tasks: JoinSet<()>,
}

impl Receivers {
    pub(super) async fn start() -> Self {
        let (requests, messages) = (Got::default(), Got::default());
        let http = HttpServer::start(Router::new().fallback(take).with_state(requests.clone())).await;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let syslog = listener.local_addr().unwrap().to_string();
        let mut tasks = JoinSet::new();
        tasks.spawn(take_messages(listener, messages.clone()));
        Self { http, requests, syslog, messages, _tasks: tasks }
    }

    /// Makes an integration for each.
    pub(super) async fn integrate(&self, flowtrail: &Flowtrail) {
        let url = |path: &str| self.http.url(path);
        let aws = |endpoint: String| json!({ "region": "eu-central-1", "access_key": "AKIAX", "secret_key": "s", "endpoint": endpoint });
        let with = |mut config: Value, more: Value| {
            config.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            config
        };
        for (platform, config) in [
            ("generic_http", json!({ "url": url("/generic_http"), "batch": "array" })),
            ("s3", with(aws(url("")), json!({ "bucket_name": "s3", "batch_seconds": "1" }))),
            ("syslog", json!({ "address": self.syslog, "tls": "false", "max_message_bytes": "1048576" })),
            ("otlp", json!({ "url": url("/otlp") })),
            ("splunk_hec", json!({ "url": url("/splunk_hec/services/collector/event"), "token": "t" })),
            ("datadog", json!({ "api_url": url("/datadog"), "api_key": "k" })),
            ("firehose", with(aws(url("/firehose")), json!({ "stream_name": "events" }))),
        ] {
            let body = json!({ "platform": platform, "enabled": true, "config": config });
            let answer = flowtrail.request("POST", "/api/event-streaming").json(&body).send().await.unwrap();
            assert_eq!(answer.status(), 200, "{platform}: {}", answer.text().await.unwrap());
        }
    }

    /// The events that a platform got, by their ids; tests and what Flowtrail records of itself are none.
    pub(super) fn events(&self, platform: &str) -> BTreeMap<String, Came> {
        let got = if platform == "syslog" { &self.messages } else { &self.requests };
        let got = got.lock().unwrap();
        let of_platform = got.iter().filter(|(place, _)| place.trim_start_matches('/').starts_with(platform));
        of_platform.flat_map(|(_, body)| read(platform, body)).filter(|(id, _)| id.starts_with('t')).collect()
    }
}

async fn take(State(requests): State<Got>, uri: Uri, headers: HeaderMap, body: Bytes) -> &'static str {
    let is_packed =
        headers.get("content-encoding").is_some_and(|encoding| encoding == "gzip") || uri.path().ends_with(".gz");
    let mut opened = Vec::new();
    match is_packed {
        true => GzDecoder::new(body.as_ref()).read_to_end(&mut opened).map(|_| ()).unwrap(),
        false => opened.extend_from_slice(&body),
    }
    requests.lock().unwrap().push((uri.path().to_owned(), opened.into()));
    match uri.path().split('/').nth(1) {
        Some("firehose") => r#"{"FailedPutCount":0}"#,
        Some("splunk_hec") => r#"{"text":"Success","code":0}"#,
        _ => "{}",
    }
}

/// Reads messages that say their length first (RFC 6587).
async fn take_messages(listener: TcpListener, messages: Got) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let messages = messages.clone();
        connections.spawn(async move {
            let mut stream = BufReader::new(stream);
            let mut length = Vec::new();
            while stream.read_until(b' ', &mut length).await.is_ok_and(|read| read > 0) {
                let mut message = vec![0; str::from_utf8(&length).unwrap().trim_end().parse().unwrap()];
                stream.read_exact(&mut message).await.unwrap();
                messages.lock().unwrap().push(("syslog".to_owned(), message.into()));
                length.clear();
            }
        });
    }
}

#[derive(Deserialize)]
struct Posted {
    #[serde(rename = "ID")]
    id: String,
    #[serde(default)]
    meta: BTreeMap<String, Value>,
}

#[derive(Deserialize)]
struct Collected {
    event: Document,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Logs {
    resource_logs: Vec<ResourceLogs>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ResourceLogs {
    scope_logs: Vec<ScopeLogs>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ScopeLogs {
    log_records: Vec<LogRecord>,
}

#[derive(Deserialize)]
struct LogRecord {
    attributes: Vec<Attribute>,
}

fn read(platform: &str, body: &[u8]) -> Vec<(String, Came)> {
    let document = |document: Document| (document.id.clone(), Came::Document(Box::new(document)));
    match platform {
        "generic_http" => {
            // The test event comes alone.
            let posted: Vec<Posted> =
                serde_json::from_slice(body).unwrap_or_else(|_| vec![serde_json::from_slice(body).unwrap()]);
            let text = |posted: &Posted| posted.meta.get("v").and_then(Value::as_str).unwrap_or_default().to_owned();
            posted.iter().map(|posted| (posted.id.clone(), Came::Text(text(posted)))).collect()
        }
        "datadog" => serde_json::from_slice::<Vec<Document>>(body).unwrap().into_iter().map(document).collect(),
        "s3" => Deserializer::from_slice(body).into_iter().map(Result::unwrap).map(document).collect(),
        "splunk_hec" => {
            let collected = Deserializer::from_slice(body).into_iter::<Collected>();
            collected.map(|collected| document(collected.unwrap().event)).collect()
        }
        "firehose" => {
            let put: Value = serde_json::from_slice(body).unwrap();
            let records = put["Records"].as_array().unwrap().iter();
            let opened = records.map(|record| STANDARD.decode(record["Data"].as_str().unwrap()).unwrap());
            opened.map(|record| document(serde_json::from_slice(&record).unwrap())).collect()
        }
        "syslog" => vec![document(of_message(str::from_utf8(body).unwrap()))],
        _ => otlp(body),
    }
}

fn otlp(body: &[u8]) -> Vec<(String, Came)> {
    let logs: Logs = serde_json::from_slice(body).unwrap();
    let scopes = logs.resource_logs.into_iter().flat_map(|logs| logs.scope_logs);
    let records = scopes.flat_map(|logs| logs.log_records);
    let event = |record: LogRecord| {
        let (mut id, mut event) = (String::new(), AnyValue::default());
        for Attribute { key, value } in record.attributes {
            match key.as_str() {
                "flowtrail.id" => value.text().unwrap().clone_into(&mut id),
                "flowtrail.event" => event = value,
                _ => {}
            }
        }
        (id, Came::AnyValue(Box::new(event)))
    };
    records.map(event).collect()
}

/// The document in a message's structured data: RFC 5424, 6.3.
fn of_message(message: &str) -> Document {
    let parameter = |name: &str| {
        let (_, rest) = message.split_once(&format!(" {name}=\""))?;
        let mut value = String::new();
        let mut characters = rest.chars();
        while let Some(character) = characters.next() {
            match character {
                '"' => break,
                '\\' => value.extend(characters.next()),
                _ => value.push(character),
            }
        }
        Some(value)
    };
    let event = parameter("event").map(|event| serde_json::from_str(&event).unwrap());
    Document { id: parameter("id").unwrap(), event }
}
