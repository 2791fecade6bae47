//! What the gateway counts: requests, and the events that they brought.
//!
//! Invariant: the number of series is bounded by the routes, whatever clients ask for.

use std::time::Duration;

use axum::extract::{MatchedPath, Request};
use axum::http::{Method, StatusCode};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};
use runtime::metrics::{Source, Whose, durations};

/// The numbers of a gateway. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Numbers {
    requests: Family<Answered, Counter>,
    durations: Family<Asked, Histogram, fn() -> Histogram>,
    ingested: Family<Ingested, Counter>,
}

/// What was asked for: where, as the table of routes has it, and how.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct Asked {
    route: String,
    method: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answered {
    route: String,
    method: &'static str,
    status: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Ingested {
    family: &'static str,
}

impl Default for Numbers {
    fn default() -> Self {
        Self {
            requests: Family::default(),
            durations: Family::new_with_constructor(durations),
            ingested: Family::default(),
        }
    }
}

impl Asked {
    /// What a request asks for.
    pub(crate) fn of(request: &Request) -> Self {
        let route = request.extensions().get::<MatchedPath>().map_or("other", MatchedPath::as_str).to_owned();
        let known = [Method::GET, Method::HEAD, Method::POST, Method::PUT, Method::DELETE, Method::OPTIONS];
        let names = ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"];
        let method = known.iter().zip(names).find(|(method, _)| *method == request.method());
        Self { route, method: method.map_or("other", |(_, name)| name) }
    }
}

impl Numbers {
    /// Counts a request that was answered.
    pub(crate) fn answered(&self, asked: Asked, status: StatusCode, took: Duration) {
        self.durations.get_or_create(&asked).observe(took.as_secs_f64());
        let Asked { route, method } = asked;
        self.requests.get_or_create(&Answered { route, method, status: status.as_u16() }).inc();
    }

    /// Counts events of a family that were published.
    pub(crate) fn ingested(&self, family: &'static str, events: usize) {
        self.ingested.get_or_create(&Ingested { family }).inc_by(events as u64);
    }
}

impl Source for Numbers {
    fn add_to(&self, registry: &mut Registry, _: Whose<'_>) {
        registry.register("http_requests", "Requests that were answered", self.requests.clone());
        let help = "How long answers took to begin";
        registry.register_with_unit("http_request_duration", help, Unit::Seconds, self.durations.clone());
        registry.register("ingest_events", "Events that were published over HTTP", self.ingested.clone());
    }
}
