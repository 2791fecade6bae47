//! Event streaming: how many events a second reach a receiver, and what processor time that takes.
//!
//! The receivers are part of this program: they read a request to its end, count its events and answer 200, so that
//! the delivery is measured and not the receiver. They share the machine with it all the same.

use std::io::Read;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::HeaderMap;
use axum::http::header::CONTENT_ENCODING;
use model::audit::RECORDED;
use serde::Serialize;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::Bench;
use crate::audit;
use crate::client::Client;
use crate::events;
use crate::publish::{BATCHES_IN_FLIGHT, LARGEST_BATCH};
use crate::statistics::{Spread, count, per_second};
use crate::system::System;
use crate::table::Table;
use crate::target::Target;

const STREAMING: &str = "/api/event-streaming";
/// However slow the machine is, something is wrong when nothing has come for so long.
const SOMETHING_WITHIN: Duration = Duration::from_secs(60);
const POLL_EVERY: Duration = Duration::from_millis(1);

/// A form that events are delivered in.
struct Form {
    receiver: &'static str,
    events: u64,
    /// Of a receiver at a URL.
    integration: fn(&str) -> Value,
}

#[derive(Serialize)]
pub(crate) struct Row {
    receiver: &'static str,
    events: u64,
    events_per_second: Spread,
    processor_seconds_per_1000: Spread,
    requests: u64,
}

/// Takes what comes. It ends with its owner.
struct Receiver {
    url: String,
    came: Arc<Came>,
    _server: JoinSet<()>,
}

#[derive(Default)]
struct Came {
    requests: AtomicU64,
    events: AtomicU64,
}

pub(crate) async fn measure(bench: &Bench, system: &System<'_>) -> anyhow::Result<Vec<Row>> {
    let plan = &bench.plan;
    let form = |receiver, events, integration| Form { receiver, events, integration };
    let forms = [
        form("S3: objects of NDJSON, gzip", plan.delivered_events, s3),
        form("webhook: batches of NDJSON", plan.delivered_events, batches),
        form("webhook: a POST an event", plan.singly_delivered_events, singly),
    ];
    let all: u64 = forms.iter().map(|form| form.events * plan.runs as u64).sum();
    // None comes twice, as nobody would be sent it again.
    let mut made = audit::events(&bench.world, all);
    let mut rows = Vec::new();
    for Form { receiver: name, events, integration } in forms {
        bench.progress.begin(&format!("event streaming, {name}"), plan.runs as u64);
        let receiver = Receiver::start().await?;
        let client = system.client()?;
        let created = client.order("POST", STREAMING, &integration(&receiver.url)).await?;
        let id = created["id"].as_u64().context("the integration has no id")?;
        let (mut rates, mut costs) = (Vec::new(), Vec::new());
        for _ in 0..plan.runs {
            let of_run = made.by_ref().take(usize::try_from(events)?).map(|event| event.write(RECORDED));
            let (took, cost) = one(system, &client, (&receiver, id), (events, of_run)).await?;
            rates.push(per_second(events, took));
            costs.push(cost * 1000.0 / events as f64);
            bench.progress.advance(1);
        }
        client.order("DELETE", &format!("{STREAMING}/{id}"), &json!({})).await?;
        let requests = receiver.came.requests.load(Ordering::Relaxed);
        let (events_per_second, processor_seconds_per_1000) = (Spread::of(rates), Spread::of(costs));
        rows.push(Row { receiver: name, events, events_per_second, processor_seconds_per_1000, requests });
    }
    Ok(rows)
}

/// Publishes while the delivery is paused; then gives how long it takes to deliver, and the processor time of it.
async fn one(
    system: &System<'_>,
    client: &Client,
    (receiver, id): (&Receiver, u64),
    (events, made): (u64, impl Iterator<Item = events::Written>),
) -> anyhow::Result<(Duration, f64)> {
    let target = Target::audit()?;
    client.order("POST", &format!("{STREAMING}/{id}/pause"), &json!({})).await?;
    let messages = events::messages(&target.subject, LARGEST_BATCH, made);
    target.publish(system, BATCHES_IN_FLIGHT, messages).await?;
    let wanted = receiver.came.events.load(Ordering::Relaxed) + events;
    let (began, processor) = (Instant::now(), system.processor_seconds()?);
    client.order("POST", &format!("{STREAMING}/{id}/resume"), &json!({})).await?;
    let (mut heard, mut before) = (Instant::now(), 0);
    loop {
        let came = receiver.came.events.load(Ordering::Relaxed);
        if came >= wanted {
            ensure!(came == wanted, "{} events came more often than once", came - wanted);
            return Ok((began.elapsed(), system.processor_seconds()? - processor));
        }
        if came > before {
            (heard, before) = (Instant::now(), came);
        }
        ensure!(heard.elapsed() < SOMETHING_WITHIN, "nothing came for {SOMETHING_WITHIN:?}: {came} of {wanted}");
        tokio::time::sleep(POLL_EVERY).await;
    }
}

fn s3(url: &str) -> Value {
    let config = json!({
        "bucket_name": "bench", "region": "eu-central-1", "access_key": "bench", "secret_key": "bench",
        "endpoint": url, "path_style": "true", "batch_seconds": "1", "events": "audit",
    });
    json!({ "platform": "s3", "enabled": true, "config": config })
}

fn batches(url: &str) -> Value {
    let config = json!({ "url": url, "batch": "ndjson", "events": "audit" });
    json!({ "platform": "generic_http", "enabled": true, "config": config })
}

fn singly(url: &str) -> Value {
    json!({ "platform": "generic_http", "enabled": true, "config": { "url": url, "events": "audit" } })
}

impl Receiver {
    async fn start() -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await.context("listen for events")?;
        let url = format!("http://{}", listener.local_addr()?);
        let came = Arc::new(Came::default());
        let app = Router::new().fallback(take).layer(DefaultBodyLimit::disable()).with_state(came.clone());
        let mut server = JoinSet::new();
        server.spawn(async move {
            // It ends with its owner.
            let _ = axum::serve(listener, app).await;
        });
        Ok(Self { url, came, _server: server })
    }
}

async fn take(State(came): State<Arc<Came>>, headers: HeaderMap, body: Bytes) {
    let mut inflated = Vec::new();
    let text = if headers.contains_key(CONTENT_ENCODING) {
        // What cannot be inflated is not counted, and then missed.
        let _ = flate2::read::MultiGzDecoder::new(body.as_ref()).read_to_end(&mut inflated);
        inflated.as_slice()
    } else {
        body.as_ref()
    };
    let events = text.split(|byte| *byte == b'\n').filter(|line| is_ours(line)).count();
    came.events.fetch_add(events as u64, Ordering::Relaxed);
    came.requests.fetch_add(1, Ordering::Relaxed);
}

/// Whether it is one of the events that are published here: that an integration is paused is an event too. Its id is
/// among the first things.
fn is_ours(line: &[u8]) -> bool {
    line[..line.len().min(200)].windows(7).any(|part| part == b"\"audit-")
}

pub(crate) fn table(rows: &[Row]) -> Table {
    let title = "Event streaming of audit events that wait in the log, to a receiver in this program that reads, counts and answers 200\n\
                 (its time is in the rates, not in the processor time, which is flowtrail's without its nats-server)";
    let columns = ["receiver", "events", "events/s (min..max)", "CPU s/1,000 events (min..max)", "requests", "runs"];
    let mut table = Table::new(title, &columns);
    for Row { receiver, events, events_per_second, processor_seconds_per_1000: cost, requests } in rows {
        table.row([
            (*receiver).to_owned(),
            count(*events as f64),
            events_per_second.text(),
            format!("{:.3} ({:.3}..{:.3})", cost.median, cost.min, cost.max),
            count(*requests as f64),
            events_per_second.runs.to_string(),
        ]);
    }
    table
}
