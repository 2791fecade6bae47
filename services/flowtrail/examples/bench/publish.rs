//! Publishing over NATS: how many reports a second come into the view.

use anyhow::ensure;
use bus::Outgoing;
use model::traffic::REPORTED;
use serde::Serialize;

use crate::Bench;
use crate::events;
use crate::statistics::{Spread, count, per_second};
use crate::system::System;
use crate::table::Table;
use crate::target::Target;
use crate::traffic::Reports;

/// How many messages of one report each may be unacknowledged.
const SINGLES_IN_FLIGHT: usize = 256;
/// How many batches may be.
pub(crate) const BATCHES_IN_FLIGHT: usize = 16;
/// Events in the largest batches: as many as the program itself puts into one.
pub(crate) const LARGEST_BATCH: usize = 500;

/// How reports are published.
#[derive(Clone, Copy, Serialize)]
struct Manner {
    reports_per_message: usize,
    messages_in_flight: usize,
    reports: u64,
}

#[derive(Serialize)]
pub(crate) struct Row {
    #[serde(flatten)]
    manner: Manner,
    acknowledged_per_second: Spread,
    visible_per_second: Spread,
}

pub(crate) async fn measure(bench: &Bench, system: &System<'_>, reports: &mut Reports<'_>) -> anyhow::Result<Vec<Row>> {
    let manner =
        |reports_per_message, messages_in_flight, reports| Manner { reports_per_message, messages_in_flight, reports };
    let plan = &bench.plan;
    let manners = [
        manner(1, 1, plan.awaited_reports),
        manner(1, SINGLES_IN_FLIGHT, plan.single_reports),
        manner(100, BATCHES_IN_FLIGHT, plan.batched_reports),
        manner(LARGEST_BATCH, BATCHES_IN_FLIGHT, plan.batched_reports),
    ];
    let mut rows = Vec::new();
    for manner in manners {
        rows.push(measure_one(bench, system, reports, manner).await?);
    }
    Ok(rows)
}

async fn measure_one(
    Bench { plan, progress, .. }: &Bench,
    system: &System<'_>,
    reports: &mut Reports<'_>,
    manner: Manner,
) -> anyhow::Result<Row> {
    let Manner { reports_per_message, messages_in_flight, reports: count } = manner;
    let what = format!("NATS publish, {reports_per_message} a message, {messages_in_flight} in flight");
    progress.begin(&what, count * plan.runs as u64);
    let target = Target::traffic()?;
    let (mut acknowledged, mut visible) = (Vec::new(), Vec::new());
    for _ in 0..plan.runs {
        let written = reports.by_ref().take(count as usize).map(|report| report.write(REPORTED));
        // Made before the clock starts.
        let messages: Vec<Outgoing> = events::messages(&target.subject, reports_per_message, written).collect();
        let messages = messages.into_iter().inspect(|_| progress.advance(reports_per_message as u64));
        let arrived = target.publish(system, messages_in_flight, messages).await?;
        ensure!(arrived.events == count, "{count} reports were published, {} came into the view", arrived.events);
        acknowledged.push(per_second(count, arrived.acknowledged));
        visible.push(per_second(count, arrived.visible));
    }
    let (acknowledged_per_second, visible_per_second) = (Spread::of(acknowledged), Spread::of(visible));
    Ok(Row { manner, acknowledged_per_second, visible_per_second })
}

pub(crate) fn table(rows: &[Row]) -> Table {
    let title = "NATS publish: CloudEvents to flowtrail.v1.traffic.*. Reports a second from the first publish until the log has\n\
                 acknowledged the last message, and until the list over HTTP has the last report";
    let columns =
        ["reports/message", "in flight", "reports", "acknowledged/s (min..max)", "visible/s (min..max)", "runs"];
    let mut table = Table::new(title, &columns);
    for Row { manner, acknowledged_per_second, visible_per_second } in rows {
        table.row([
            manner.reports_per_message.to_string(),
            manner.messages_in_flight.to_string(),
            count(manner.reports as f64),
            acknowledged_per_second.text(),
            visible_per_second.text(),
            visible_per_second.runs.to_string(),
        ]);
    }
    table
}
