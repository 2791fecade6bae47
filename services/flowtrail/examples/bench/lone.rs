//! A single event over NATS: how long until it is visible.

use std::time::Instant;

use anyhow::{Context, ensure};
use model::traffic::REPORTED;
use serde::Serialize;

use crate::Bench;
use crate::events;
use crate::statistics::Latency;
use crate::system::System;
use crate::table::Table;
use crate::target::Target;
use crate::traffic::Reports;

#[derive(Serialize)]
pub(crate) struct Lone {
    acknowledged: Latency,
    visible: Latency,
}

/// Each event is published when the one before is visible.
pub(crate) async fn measure(
    Bench { plan, progress, .. }: &Bench,
    system: &System<'_>,
    reports: &mut Reports<'_>,
) -> anyhow::Result<Lone> {
    progress.begin("NATS publish, single events", plan.lone_events);
    let (target, client) = (Target::traffic()?, system.client()?);
    let mut total = target.visible(&system.bus, &client).await?;
    let (mut acknowledged, mut visible) = (Vec::new(), Vec::new());
    for report in reports.take(plan.lone_events as usize) {
        let message = events::messages(&target.subject, 1, std::iter::once(report.write(REPORTED))).next();
        let message = message.context("make a message")?;
        let started = Instant::now();
        let receipt = system.bus.publish(message).await?;
        acknowledged.push(started.elapsed());
        let answer = client.get_at_least(target.list, receipt.position).await?;
        visible.push(started.elapsed());
        total += 1;
        ensure!(answer.total()? == total, "an event was not visible after its position was reached");
        progress.advance(1);
    }
    Ok(Lone { acknowledged: Latency::of(&acknowledged), visible: Latency::of(&visible) })
}

pub(crate) fn table(lone: &Lone) -> Table {
    let title = "A single event over NATS: from its publish until the log has acknowledged it on disk, and until an answer of the\n\
                 list over HTTP has it (one GET, which waits for it)";
    let columns = [["until"].as_slice(), &Latency::COLUMNS].concat();
    let mut table = Table::new(title, &columns);
    for (until, latency) in [("acknowledged", &lone.acknowledged), ("visible", &lone.visible)] {
        table.row(std::iter::once(until.to_owned()).chain(latency.cells()));
    }
    table
}
