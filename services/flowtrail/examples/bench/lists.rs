//! The lists: how long an answer takes.

use std::time::Instant;

use serde::Serialize;

use crate::Bench;
use crate::client::{ALIVE, Client};
use crate::questions::{self, List};
use crate::statistics::{Latency, count};
use crate::system::System;
use crate::table::Table;

/// Even where one answer takes longer than all of them should.
const FEWEST_REQUESTS: usize = 5;

#[derive(Serialize)]
pub(crate) struct Row {
    list: String,
    /// How many rows match the first of its variants.
    matching: Option<u64>,
    answer: Latency,
}

/// The lists of a system of a given size.
#[derive(Serialize)]
pub(crate) struct Lists {
    records: u64,
    rows: Vec<Row>,
}

pub(crate) async fn measure(bench: &Bench, system: &System<'_>, records: u64) -> anyhow::Result<Lists> {
    let client = system.client()?;
    let mut rows = Vec::new();
    for list in questions::all(&bench.world, records) {
        bench.progress.begin(&format!("{} at {records} records", list.name), bench.plan.list_requests as u64);
        rows.push(measure_one(bench, &client, list).await?);
    }
    Ok(Lists { records, rows })
}

/// One request after the other, the variants in turn.
async fn measure_one(Bench { plan, progress, .. }: &Bench, client: &Client, list: List) -> anyhow::Result<Row> {
    let List { name, path, variants } = list;
    let mut parameters = variants.iter().cycle();
    let mut ask = async || client.get(path, parameters.next().map_or(&[], Vec::as_slice)).await;
    // Not counted: it warms the caches up.
    let first = ask().await?;
    let matching = if path == ALIVE { None } else { Some(first.total()?) };
    let mut times = Vec::new();
    let started = Instant::now();
    while times.len() < plan.list_requests && (times.len() < FEWEST_REQUESTS || started.elapsed() < plan.list_time) {
        times.push(ask().await?.took);
        progress.advance(1);
    }
    Ok(Row { list: name, matching, answer: Latency::of(&times) })
}

pub(crate) fn table(lists: &Lists) -> Table {
    let records = count(lists.records as f64);
    let title = format!(
        "Lists at {records} traffic records and as many audit events: from the request until the last byte, one connection,\n\
         one request after the other, the variants of a question in turn. Below 100 repetitions p99 is the slowest"
    );
    let columns = [["list", "matching"].as_slice(), &Latency::COLUMNS].concat();
    let mut table = Table::new(title, &columns);
    for row in &lists.rows {
        let matching = row.matching.map(|matching| count(matching as f64)).unwrap_or_default();
        table.row([row.list.clone(), matching].into_iter().chain(row.answer.cells()));
    }
    table
}
