//! Views of a given size: how fast they are filled, and computed again from the log.

use std::time::Instant;

use anyhow::ensure;
use model::audit::RECORDED;
use model::traffic::REPORTED;
use serde::Serialize;

use crate::Bench;
use crate::audit;
use crate::events::{self, Written};
use crate::publish::{BATCHES_IN_FLIGHT, LARGEST_BATCH};
use crate::statistics::{Spread, count, per_second};
use crate::system::System;
use crate::table::Table;
use crate::target::Target;
use crate::traffic::Reports;

/// A system that holds so many traffic records and as many audit events.
#[derive(Serialize)]
pub(crate) struct Filled {
    pub(crate) records: u64,
    traffic_per_second: f64,
    audit_per_second: f64,
    log_bytes: u64,
    traffic_view_bytes: u64,
}

/// Publishes the records and waits until they are visible.
pub(crate) async fn fill(bench: &Bench, system: &System<'_>, records: u64) -> anyhow::Result<Filled> {
    let Bench { world, progress, .. } = bench;
    let traffic_per_second = fill_traffic(bench, system, records).await?;
    progress.begin(&format!("fill the audit view with {records} events"), records);
    let events = audit::events(world, records).map(|event| event.write(RECORDED));
    let events = events.inspect(|_| progress.advance(1));
    let audit_per_second = fill_one(system, &Target::audit()?, records, events).await?;
    let (log_bytes, traffic_view_bytes) = (system.bytes_on_disk("nats"), system.bytes_on_disk("views/traffic"));
    Ok(Filled { records, traffic_per_second, audit_per_second, log_bytes, traffic_view_bytes })
}

/// The same for the traffic view alone; gives the records a second.
pub(crate) async fn fill_traffic(
    Bench { world, progress, .. }: &Bench,
    system: &System<'_>,
    records: u64,
) -> anyhow::Result<f64> {
    progress.begin(&format!("fill the traffic view with {records} reports"), records);
    let reports = Reports::new(world, records).take(records as usize).map(|report| report.write(REPORTED));
    fill_one(system, &Target::traffic()?, records, reports.inspect(|_| progress.advance(1))).await
}

async fn fill_one(
    system: &System<'_>,
    target: &Target,
    count: u64,
    events: impl Iterator<Item = Written>,
) -> anyhow::Result<f64> {
    let messages = events::messages(&target.subject, LARGEST_BATCH, events);
    let arrived = target.publish(system, BATCHES_IN_FLIGHT, messages).await?;
    ensure!(arrived.events == count, "{count} events were published, {} came into the view", arrived.events);
    Ok(per_second(count, arrived.visible))
}

#[derive(Serialize)]
pub(crate) struct Replayed {
    #[serde(flatten)]
    filled: Filled,
    replayed_per_second: Spread,
    peak_memory_bytes: u64,
}

/// `flowtrail rebuild traffic`, while nothing else happens.
pub(crate) async fn measure(
    Bench { plan, progress, .. }: &Bench,
    system: &System<'_>,
    filled: Filled,
) -> anyhow::Result<Replayed> {
    let records = filled.records;
    progress.begin(&format!("rebuild the traffic view of {records} records"), plan.runs as u64);
    let mut rates = Vec::new();
    let started = Instant::now();
    while rates.len() < plan.runs && (rates.is_empty() || started.elapsed() < plan.rebuild_time) {
        let (said, took) = system.tool(&["rebuild", "traffic"]).await?;
        let all = format!("traffic: {records} events ");
        ensure!(said.starts_with(&all), "a rebuild of {records} events says: {said}");
        rates.push(per_second(records, took));
        progress.advance(1);
    }
    let replayed_per_second = Spread::of(rates);
    Ok(Replayed { filled, replayed_per_second, peak_memory_bytes: system.peak_memory_bytes() })
}

pub(crate) fn table(rows: &[Replayed]) -> Table {
    let title = format!(
        "Replay: events a second of `flowtrail rebuild traffic`, from its start to its end. Before: events a second from the\n\
         first publish ({LARGEST_BATCH} a message) until the last is visible, while the empty view is filled;\n\
         the disk that log and traffic view take then, and the most memory that flowtrail (without nats-server) ever took"
    );
    let columns = [
        "records",
        "replay/s (min..max)",
        "runs",
        "traffic filled/s",
        "audit filled/s",
        "log MiB",
        "view MiB",
        "memory MiB",
    ];
    let mut table = Table::new(title, &columns);
    for Replayed { filled, replayed_per_second, peak_memory_bytes } in rows {
        table.row([
            count(filled.records as f64),
            replayed_per_second.text(),
            replayed_per_second.runs.to_string(),
            count(filled.traffic_per_second),
            count(filled.audit_per_second),
            count((filled.log_bytes >> 20) as f64),
            count((filled.traffic_view_bytes >> 20) as f64),
            count((peak_memory_bytes >> 20) as f64),
        ]);
    }
    table
}
