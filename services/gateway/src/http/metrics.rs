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
use runtime::metrics::{Audience, Source, durations};

/// What a gateway counts. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct HttpMetrics {
    requests: Family<AnswerLabels, Counter>,
    durations: Family<RouteLabels, Histogram, fn() -> Histogram>,
    ingested: Family<FamilyLabels, Counter>,
    log_full: Counter,
}

/// What was asked for: where, as the table of routes has it, and how.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct RouteLabels {
    route: String,
    method: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct AnswerLabels {
    route: String,
    method: &'static str,
    status: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct FamilyLabels {
    family: &'static str,
}

impl Default for HttpMetrics {
    fn default() -> Self {
        Self {
            requests: Family::default(),
            durations: Family::new_with_constructor(durations),
            ingested: Family::default(),
            log_full: Counter::default(),
        }
    }
}

impl RouteLabels {
    /// What a request asks for.
    pub(crate) fn of(request: &Request) -> Self {
        // The route's pattern, not the path: a client could ask for any number of paths.
        let route = request.extensions().get::<MatchedPath>().map_or("other", MatchedPath::as_str).to_owned();
        let known = [Method::GET, Method::HEAD, Method::POST, Method::PUT, Method::DELETE, Method::OPTIONS];
        let names = ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"];
        let method = known.iter().zip(names).find(|(method, _)| *method == request.method());
        Self { route, method: method.map_or("other", |(_, name)| name) }
    }
}

impl HttpMetrics {
    /// Counts a request that was answered.
    pub(crate) fn answered(&self, labels: RouteLabels, status: StatusCode, took: Duration) {
        self.durations.get_or_create(&labels).observe(took.as_secs_f64());
        let RouteLabels { route, method } = labels;
        self.requests.get_or_create(&AnswerLabels { route, method, status: status.as_u16() }).inc();
    }

    /// Counts events of a family that were published.
    pub(crate) fn ingested(&self, family: &'static str, events: usize) {
        self.ingested.get_or_create(&FamilyLabels { family }).inc_by(events as u64);
    }

    /// Counts events that the log had no room for, a request at a time.
    pub(crate) fn log_is_full(&self) {
        self.log_full.inc();
    }
}

impl Source for HttpMetrics {
    fn add_to(&self, registry: &mut Registry, _: Audience<'_>) {
        registry.register("http_requests", "Requests that were answered", self.requests.clone());
        let help = "How long answers took to begin";
        registry.register_with_unit("http_request_duration", help, Unit::Seconds, self.durations.clone());
        registry.register("ingest_events", "Events that were published over HTTP", self.ingested.clone());
        let help = "Requests whose events the log had no room for";
        registry.register("ingest_log_full", help, self.log_full.clone());
    }
}
