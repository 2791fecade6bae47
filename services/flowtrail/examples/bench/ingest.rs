//! HTTP ingest: how many events a second are acknowledged.

use std::time::{Duration, Instant};

use anyhow::ensure;
use bytes::Bytes;
use serde::Serialize;
use tokio::task::JoinSet;

use crate::Bench;
use crate::client::{ALIVE, TRAFFIC};
use crate::events;
use crate::statistics::{Latency, Spread, per_second};
use crate::system::System;
use crate::table::Table;
use crate::target::Target;
use crate::traffic::Reports;

const EVENTS_PER_REQUEST: [usize; 3] = [1, 100, 1000];
const CONNECTIONS: [usize; 2] = [1, 4];

#[derive(Serialize)]
pub(crate) struct Row {
    events_per_request: usize,
    connections: usize,
    events_per_second: Spread,
    request: Latency,
}

/// The requests of one connection, in order.
type Bodies = Vec<Bytes>;

pub(crate) async fn measure(
    Bench { plan, progress, .. }: &Bench,
    system: &System<'_>,
    reports: &mut Reports<'_>,
) -> anyhow::Result<Vec<Row>> {
    let mut rows = Vec::new();
    for (events_per_request, connections) in EVENTS_PER_REQUEST.into_iter().flat_map(with_connections) {
        progress
            .begin(&format!("HTTP ingest, {events_per_request} a request, {connections} at once"), plan.runs as u64);
        let (mut rates, mut times) = (Vec::new(), Vec::new());
        for _ in 0..plan.runs {
            let requests = (plan.ingest_events / events_per_request / connections).max(1);
            let body = |_| events::body(reports.by_ref().take(events_per_request));
            let all: Bodies = (0..requests * connections).map(body).collect();
            let bodies = all.chunks(requests).map(<[Bytes]>::to_vec).collect();
            let run = run(system, bodies, plan.ingest_time).await?;
            rates.push(per_second((run.times.len() * events_per_request) as u64, run.took));
            times.extend(run.times);
            progress.advance(1);
        }
        let (events_per_second, request) = (Spread::of(rates), Latency::of(&times));
        rows.push(Row { events_per_request, connections, events_per_second, request });
    }
    Ok(rows)
}

fn with_connections(events: usize) -> impl Iterator<Item = (usize, usize)> {
    CONNECTIONS.into_iter().map(move |connections| (events, connections))
}

struct Run {
    /// From the first request until the last answer.
    took: Duration,
    /// Of each request.
    times: Vec<Duration>,
}

/// Each connection sends a request when the one before is answered; after `time` none begins.
async fn run(system: &System<'_>, bodies: Vec<Bodies>, time: Duration) -> anyhow::Result<Run> {
    let (target, client) = (Target::traffic()?, system.client()?);
    let before = target.visible(&system.bus, &client).await?;
    let mut clients = Vec::new();
    for _ in &bodies {
        let client = system.client()?;
        // Connects.
        client.get(ALIVE, &[]).await?;
        clients.push(client);
    }
    let started = Instant::now();
    let mut connections = JoinSet::new();
    for (client, bodies) in clients.into_iter().zip(bodies) {
        connections.spawn(async move {
            let (mut times, mut accepted) = (Vec::new(), 0);
            for body in bodies {
                if started.elapsed() > time {
                    break;
                }
                let answer = client.post(TRAFFIC, body).await?;
                times.push(answer.took);
                accepted += answer.accepted()?;
            }
            Ok::<_, anyhow::Error>((times, accepted))
        });
    }
    let (mut times, mut accepted) = (Vec::new(), 0);
    while let Some(connection) = connections.join_next().await {
        let (some_times, some_accepted) = connection??;
        times.extend(some_times);
        accepted += some_accepted;
    }
    let took = started.elapsed();
    let after = target.visible(&system.bus, &client).await?;
    ensure!(after - before == accepted, "{accepted} events were accepted, {} came into the view", after - before);
    Ok(Run { took, times })
}

pub(crate) fn table(rows: &[Row]) -> Table {
    let title = "HTTP ingest: POST /api/events/network-traffic of JSON arrays. Events a second from the first request until the last\n202, \
                 which is given when the log has the events on disk and the view shows them (or after 2 s)";
    let columns = [&["events/request", "connections", "events/s (min..max)"], Latency::COLUMNS.as_slice()].concat();
    let mut table = Table::new(title, &columns);
    for row in rows {
        let cells = [row.events_per_request.to_string(), row.connections.to_string(), row.events_per_second.text()];
        table.row(cells.into_iter().chain(row.request.cells()));
    }
    table
}
