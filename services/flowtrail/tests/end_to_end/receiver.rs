//! A receiver of events on loopback, which remembers what it got and answers as it is told. It ends with its owner.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::Value;
use testkit::HttpServer;

/// One event that came, in one request.
#[derive(Clone, Debug)]
pub(crate) struct Got {
    pub(crate) id: String,
    pub(crate) at: Instant,
    /// What it was answered.
    pub(crate) status: u16,
    /// The value of the header `x-config`.
    pub(crate) config: String,
    /// As it came.
    pub(crate) body: String,
}

/// What a receiver does with a request.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Reply {
    Status(u16),
    RetryAfter(u64),
    /// Nothing, ever.
    Silence,
}

type Rule = Box<dyn FnMut(&str) -> Reply + Send>;

struct Shared {
    got: Mutex<Vec<Got>>,
    rule: Mutex<Rule>,
}

pub(crate) struct Receiver {
    server: HttpServer,
    shared: Arc<Shared>,
}

impl Receiver {
    /// Takes everything.
    pub(crate) async fn start() -> Self {
        Self::with(|_| Reply::Status(200)).await
    }

    /// Answers each event's id by a rule.
    pub(crate) async fn with(rule: impl FnMut(&str) -> Reply + Send + 'static) -> Self {
        let shared = Arc::new(Shared { got: Mutex::default(), rule: Mutex::new(Box::new(rule)) });
        let server = HttpServer::start(Router::new().fallback(take).with_state(shared.clone())).await;
        Self { server, shared }
    }

    pub(crate) fn url(&self) -> String {
        self.server.url("/hook")
    }

    /// Answers by another rule from now on.
    pub(crate) fn rule(&self, rule: impl FnMut(&str) -> Reply + Send + 'static) {
        *self.shared.rule.lock().unwrap() = Box::new(rule);
    }

    /// Everything that came, in order.
    pub(crate) fn got(&self) -> Vec<Got> {
        self.shared.got.lock().unwrap().clone()
    }

    /// All bodies that came, in order.
    pub(crate) fn bodies(&self) -> String {
        self.got().into_iter().map(|got| got.body).collect()
    }

    /// The ids, of those that begin with a text, that were taken, in order.
    pub(crate) fn taken(&self, prefix: &str) -> Vec<String> {
        let taken = self.got().into_iter().filter(|got| got.status == 200 && got.id.starts_with(prefix));
        taken.map(|got| got.id).collect()
    }

    pub(crate) fn forget(&self) {
        self.shared.got.lock().unwrap().clear();
    }
}

async fn take(State(shared): State<Arc<Shared>>, headers: HeaderMap, body: Bytes) -> Response {
    let header = |name: &str| headers.get(name).map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default();
    let body = String::from_utf8(body.to_vec()).unwrap();
    let id = serde_json::from_str::<Value>(&body).unwrap()["ID"].as_str().unwrap().to_owned();
    let reply = (shared.rule.lock().unwrap())(&id);
    let status = match reply {
        Reply::Status(status) => status,
        Reply::RetryAfter(_) => 429,
        Reply::Silence => 0,
    };
    shared.got.lock().unwrap().push(Got { id, at: Instant::now(), status, config: header("x-config"), body });
    match reply {
        Reply::Status(status) => StatusCode::from_u16(status).unwrap().into_response(),
        Reply::RetryAfter(seconds) => {
            (StatusCode::TOO_MANY_REQUESTS, [("retry-after", seconds.to_string())]).into_response()
        }
        Reply::Silence => {
            tokio::time::sleep(Duration::from_secs(3600)).await;
            StatusCode::OK.into_response()
        }
    }
}
