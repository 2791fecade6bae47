//! Events to send, and a receiver that records requests and answers as it is told.

use std::collections::{BTreeMap, VecDeque};
use std::io::Read;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, Uri};
use axum::response::{IntoResponse, Response};
use flate2::read::GzDecoder;
use model::audit::{Context, Event, Fields};
use model::integration::{Ciphertext, Platform, seal};
use model::log::{AccountId, Stream};
use model::secret::Secret;
use model::time::Timestamp;
use model::traffic::{Report, Reported};
use serde_json::{Value, from_value, json};
use streamer::guard::Guard;
use streamer::opened::Opened;
use streamer::sink::{Item, Kind, Rendered};
use streamer::sinks::Sink;
use testkit::HttpServer;

/// What a receiver got.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Request {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).unwrap().to_str().unwrap()
    }
}

/// An HTTP server on loopback. It ends with its owner.
pub(crate) struct Receiver {
    pub(crate) server: HttpServer,
    shared: Arc<Mutex<Shared>>,
}

#[derive(Default)]
struct Shared {
    requests: Vec<Request>,
    answers: VecDeque<Response>,
}

impl Receiver {
    pub(crate) async fn start() -> Self {
        let shared = Arc::new(Mutex::new(Shared::default()));
        let server = HttpServer::start(Router::new().fallback(record).with_state(Arc::clone(&shared))).await;
        Self { server, shared }
    }

    pub(crate) fn url(&self) -> String {
        self.server.url("/in?a=b")
    }

    /// What the next request is answered; 200 where nothing is left.
    pub(crate) fn answer(&self, answer: impl IntoResponse) {
        self.shared.lock().unwrap().answers.push_back(answer.into_response());
    }

    pub(crate) fn requests(&self) -> Vec<Request> {
        self.shared.lock().unwrap().requests.clone()
    }
}

async fn record(
    State(shared): State<Arc<Mutex<Shared>>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let mut shared = shared.lock().unwrap();
    shared.requests.push(Request { method, path: uri.to_string(), headers, body });
    shared.answers.pop_front().unwrap_or_else(|| ().into_response())
}

pub(crate) fn account() -> AccountId {
    AccountId::parse("main").unwrap()
}

pub(crate) fn guard() -> Guard {
    Guard::new("127.0.0.0/8".parse().unwrap()).unwrap()
}

/// A configuration as a client sent it, sealed and opened again.
pub(crate) fn opened(platform: Platform, config: &[(&str, &str)]) -> Opened {
    let config: BTreeMap<String, String> =
        config.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    let patch = platform.read_config(config).unwrap();
    // Like base64, what stands for it holds no blank.
    let seal_one = |_: &str, secret: &Secret| Ok::<_, ()>(Ciphertext(secret.reveal().replace(' ', "\u{1}")));
    let sealed = seal(patch, seal_one).unwrap();
    let stored = model::integration::Integration::Absent.decide(
        model::integration::Command::Create { platform, config: sealed, enabled: true },
        model::access::Actor { id: "u".into(), name: None, email: None },
    );
    let Some(model::integration::Event::Created(created)) = stored.unwrap().pop() else { unreachable!() };
    Opened::open(&created.config, |_, sealed| Ok::<_, ()>(Secret::new(sealed.sealed().replace('\u{1}', " ")))).unwrap()
}

pub(crate) fn connect(platform: Platform, config: &[(&str, &str)]) -> Sink {
    Sink::connect(platform, &opened(platform, config), &guard()).unwrap()
}

/// A sink that sends to a server, with no more than its platform wants to know.
pub(crate) fn connect_to(platform: Platform, url: &str) -> Sink {
    let keys = [("region", "eu-central-1"), ("endpoint", url), ("access_key", "a"), ("secret_key", "s")];
    let config: Vec<(&str, &str)> = match platform {
        Platform::Datadog => vec![("api_url", url), ("api_key", "k")],
        Platform::S3 => [&[("bucket_name", "logs")], &keys[..]].concat(),
        Platform::Firehose => [&[("stream_name", "events")], &keys[..]].concat(),
        Platform::SplunkHec => vec![("url", url), ("token", "t")],
        Platform::Otlp | Platform::GenericHttp => vec![("url", url)],
        Platform::Syslog => panic!("it speaks no HTTP"),
    };
    connect(platform, &config)
}

pub(crate) fn audit(sequence: u64, data: &Value) -> Item {
    audit_of(sequence, from_value(data.clone()).unwrap())
}

/// Of JSON text, whose numbers keep their digits.
pub(crate) fn audit_as_written(sequence: u64, data: &str) -> Item {
    audit_of(sequence, serde_json::from_str(data).unwrap())
}

fn audit_of(sequence: u64, data: Fields) -> Item {
    let time = Timestamp::parse("2024-01-31T12:00:00.25Z").unwrap();
    let id = format!("e-{sequence}");
    let context = Context { id: &id, source: "/test", time: Some(time), received_at: time };
    let event = Event::new(context, data).unwrap();
    let kind = Kind::Audit(Box::new(event));
    Item {
        id,
        stream: Stream::Audit,
        sequence,
        index: 0,
        account: account(),
        time,
        kind,
        rendered: Rendered::default(),
    }
}

pub(crate) fn traffic(sequence: u64, data: &Value) -> Item {
    let time = Timestamp::parse("2024-01-31T12:00:00Z").unwrap();
    let id = format!("r-{sequence}");
    let data: Reported = from_value(data.clone()).unwrap();
    let report =
        Report { id: id.clone(), time, received_at: time, subject_reporter: "gw-1".into(), data: Box::new(data) };
    let kind = Kind::Traffic(Box::new(report));
    Item {
        id,
        stream: Stream::Traffic,
        sequence,
        index: 0,
        account: account(),
        time,
        kind,
        rendered: Rendered::default(),
    }
}

/// What a request holds, where it is compressed.
pub(crate) fn unpacked(request: &Request) -> Vec<u8> {
    let mut body = Vec::new();
    GzDecoder::new(request.body.as_ref()).read_to_end(&mut body).unwrap();
    body
}

/// Audit events with these sequences.
pub(crate) fn audits(sequences: std::ops::Range<u64>) -> Vec<Item> {
    let event = |sequence| {
        let meta = json!({"range": "10.64.0.0/24", "number": sequence});
        audit(sequence, &json!({"event_type": "route.add", "actor_id": "u1", "resource_id": "r1", "meta": meta}))
    };
    sequences.map(event).collect()
}
