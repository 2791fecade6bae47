//! Answering: a NATS micro service (`$SRV.PING`, `INFO` and `STATS` work) whose endpoints are async functions.
//!
//! Invariant: every request that was taken in is answered, also while stopping; a handler that panics answers 500.

use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use async_nats::service::{self, Request, Service, ServiceExt};
use bytes::Bytes;
use futures_util::stream::{BoxStream, SelectAll};
use futures_util::{FutureExt, StreamExt};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::{error, warn};

use crate::{Bus, parts};

/// How many requests a service works on at once; more wait in the subscription.
const REQUESTS_AT_ONCE: usize = 64;
/// How long requests under way may still take when the service stops.
const ENDS_WITHIN: Duration = Duration::from_secs(10);

type Answer = Pin<Box<dyn Future<Output = Result<Bytes, Refusal>> + Send>>;
type Handler = Arc<dyn Fn(Bytes) -> Answer + Send + Sync>;

/// How a service introduces itself.
#[derive(Clone, Debug)]
pub struct ServiceInfo {
    /// Its name: `A-Z a-z 0-9 _ -`.
    pub name: String,
    /// Its version, as semver has it.
    pub version: String,
    /// What it is for, as `$SRV.INFO` tells it.
    pub description: String,
}

/// A subject and the function that answers requests to it. Instances of a service share the requests.
#[derive(Clone)]
pub struct Endpoint {
    subject: String,
    handler: Handler,
}

/// A "no" to one request; the other side gets it as [`AskError::Refused`](crate::AskError::Refused).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// A code in the manner of HTTP.
    pub code: u16,
    /// A text for people; line breaks become spaces.
    pub message: String,
}

/// Why a service could not start.
#[derive(Debug, thiserror::Error)]
#[error("start the service {name}")]
pub struct AnswerError {
    name: String,
    #[source]
    cause: crate::Cause,
}

/// A service that receives requests. They are worked on in [`Answering::run`].
pub struct Answering {
    bus: Bus,
    service: Service,
    requests: SelectAll<BoxStream<'static, (Request, Handler)>>,
}

impl Endpoint {
    /// Answers requests to `subject` with `handler`.
    pub fn new<F, A>(subject: impl Into<String>, handler: F) -> Self
    where
        F: Fn(Bytes) -> A + Send + Sync + 'static,
        A: Future<Output = Result<Bytes, Refusal>> + Send + 'static,
    {
        Self { subject: subject.into(), handler: Arc::new(move |request| Box::pin(handler(request))) }
    }
}

impl Bus {
    /// Starts a service: when this returns, its subscriptions are on their way to the server. Who asks on another
    /// connection at that very moment can still hear that nobody answers.
    ///
    /// # Errors
    /// When the name or version has not the right form, or the connection is gone.
    pub async fn answer(&self, service: &ServiceInfo, endpoints: Vec<Endpoint>) -> Result<Answering, AnswerError> {
        let failed = |cause| AnswerError { name: service.name.clone(), cause };
        let builder = self.client.service_builder().description(&service.description);
        let started = builder.start(&service.name, &service.version).await.map_err(failed)?;
        let mut requests = SelectAll::new();
        for Endpoint { subject, handler } in endpoints {
            let endpoint = started.endpoint(subject).await.map_err(failed)?;
            requests.push(endpoint.map(move |request| (request, handler.clone())).boxed());
        }
        self.client.flush().await.map_err(|error| failed(error.into()))?;
        Ok(Answering { bus: self.clone(), service: started, requests })
    }
}

impl Answering {
    /// Answers requests, up to 64 at once, until `stop`; then takes in no more, and ends when those that were taken in
    /// are answered, or after 10 seconds.
    pub async fn run(mut self, stop: CancellationToken) {
        let mut under_way = JoinSet::new();
        loop {
            tokio::select! {
                biased;
                () = stop.cancelled() => break,
                Some(_) = under_way.join_next() => {}
                request = self.requests.next(), if under_way.len() < REQUESTS_AT_ONCE => match request {
                    Some((request, handler)) => { under_way.spawn(reply(self.bus.clone(), request, handler)); }
                    None => break,
                },
            }
        }
        // Endpoints end when what has already arrived is read.
        if let Err(cause) = self.service.stop().await {
            warn!(%cause, "the service did not stop cleanly");
        }
        let drain = async {
            while let Some((request, handler)) = self.requests.next().await {
                under_way.spawn(reply(self.bus.clone(), request, handler));
            }
            while under_way.join_next().await.is_some() {}
        };
        if tokio::time::timeout(ENDS_WITHIN, drain).await.is_err() {
            warn!("requests were left unanswered: they took too long to end");
        }
        // An answer that waits in the connection's buffer is lost when the process ends.
        if tokio::time::timeout(ENDS_WITHIN, self.bus.client.flush()).await.is_err() {
            warn!("answers were left unsent: no connection");
        }
    }
}

async fn reply(bus: Bus, request: Request, handler: Handler) {
    let subject = request.message.subject.clone();
    let payload = request.message.payload.clone();
    let handled = AssertUnwindSafe(async { handler(payload).await }).catch_unwind().await;
    let answer = handled.unwrap_or_else(|_| {
        error!(%subject, "the handler of a request panicked");
        Err(Refusal { code: 500, message: "internal error".to_owned() })
    });
    if let Err(cause) = send(&bus, &request, answer).await {
        warn!(%subject, %cause, "could not send an answer");
    }
}

async fn send(bus: &Bus, request: &Request, answer: Result<Bytes, Refusal>) -> Result<(), crate::Cause> {
    let mut parts =
        match answer.and_then(|bytes| parts::split(&bytes, bus.max_payload()).map_err(|broken| too_large(&broken))) {
            Ok(parts) => parts,
            Err(refusal) => {
                let status = refusal.message.replace(['\r', '\n'], " ");
                let refusal = service::error::Error { status, code: usize::from(refusal.code) };
                return Ok(request.respond(Err(refusal)).await?);
            }
        };
    // The last part goes through the service, which counts the request then.
    let (headers, last) = parts.pop().unwrap_or_default();
    let Some(reply_to) = &request.message.reply else { return Err("the request names no reply subject".into()) };
    for (headers, part) in parts {
        bus.client.publish_with_headers(reply_to.clone(), headers, part).await?;
    }
    Ok(request.respond_with_headers(Ok(last), headers).await?)
}

fn too_large(broken: &parts::Broken) -> Refusal {
    Refusal { code: 500, message: broken.to_string() }
}
