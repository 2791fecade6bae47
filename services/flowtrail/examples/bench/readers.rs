//! Many readers at once, first alone, then while reports come in.
//!
//! Each reader also checks what it reads: a total never goes down, and following the cursors from page to page shows no
//! record twice. A reader that finds otherwise fails the benchmark.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use model::traffic::REPORTED;
use serde::{Deserialize, Serialize};
use tokio::time::{MissedTickBehavior, interval};

use crate::Bench;
use crate::client::{Client, TRAFFIC, limit_of};
use crate::events;
use crate::publish::LARGEST_BATCH;
use crate::questions::{self, List};
use crate::statistics::{Latency, count};
use crate::system::System;
use crate::table::Table;
use crate::target::Target;
use crate::traffic::Reports;

const READERS: usize = 20;
/// Reports a second that come in while readers read.
const RATE: u64 = 20_000;
/// How many pages a reader follows from the newest on.
const PAGES: usize = 5;
const ROWS: u32 = 50;

#[derive(Serialize)]
pub(crate) struct Row {
    /// Reports a second that came into the view in this time.
    came_in_per_second: f64,
    answers_per_second: f64,
    answer: Latency,
}

/// So many readers of a system of a given size.
#[derive(Serialize)]
pub(crate) struct Readers {
    records: u64,
    readers: usize,
    rows: Vec<Row>,
}

pub(crate) async fn measure(bench: &Bench, system: &System<'_>, records: u64) -> anyhow::Result<Readers> {
    let target = Target::traffic()?;
    let client = system.client()?;
    let mut rows = Vec::new();
    for rate in [0, RATE] {
        let time = bench.plan.readers_time;
        bench.progress.begin(&format!("{READERS} readers, {rate} reports a second come in"), 1);
        let before = target.visible(&system.bus, &client).await?;
        let started = Instant::now();
        let reading = read(bench, system, records, started + time);
        let (times, ()) = tokio::try_join!(reading, publish(bench, system, &target, (rate, records), time))?;
        let answers_per_second = times.len() as f64 / started.elapsed().as_secs_f64();
        // Until the last of them is visible, so that nothing is put off.
        let came_in = target.visible(&system.bus, &client).await? - before;
        let came_in_per_second = came_in as f64 / started.elapsed().as_secs_f64();
        rows.push(Row { came_in_per_second, answers_per_second, answer: Latency::of(&times) });
    }
    Ok(Readers { records, readers: READERS, rows })
}

/// Publishes so many reports a second, in batches, for so long.
async fn publish(
    Bench { world, .. }: &Bench,
    system: &System<'_>,
    target: &Target,
    (rate, records): (u64, u64),
    time: Duration,
) -> anyhow::Result<()> {
    if rate == 0 {
        return Ok(());
    }
    let batches = rate * time.as_secs() / LARGEST_BATCH as u64;
    let reports = Reports::after(world, records).map(|report| report.write(REPORTED));
    let mut messages = events::messages(&target.subject, LARGEST_BATCH, reports);
    let mut beat = interval(Duration::from_secs(1) * LARGEST_BATCH as u32 / rate as u32);
    beat.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let mut publisher = system.bus.publisher(READERS);
    for _ in 0..batches {
        beat.tick().await;
        publisher.publish(messages.next().context("reports without end")?).await?;
    }
    publisher.finish().await?;
    Ok(())
}

/// Lets all readers read until a moment; gives how long each answer took.
async fn read(bench: &Bench, system: &System<'_>, records: u64, until: Instant) -> anyhow::Result<Vec<Duration>> {
    let lists: Vec<List> =
        questions::all(&bench.world, records).into_iter().filter(|list| list.path == TRAFFIC).collect();
    let mut readers = Vec::new();
    for number in 0..READERS {
        let client = system.client()?;
        let lists = &lists;
        readers.push(async move {
            let mut times = Vec::new();
            let mut totals = vec![0; lists.len()];
            let mut turn = number;
            while Instant::now() < until {
                let place = turn % lists.len();
                let List { name, variants, .. } = &lists[place];
                // Always the same variant, whose total can be compared.
                let parameters = &variants[number % variants.len()];
                let (page, took) = ask(&client, parameters).await?;
                ensure!(page.total_records >= totals[place], "{name}: the total went down from {}", totals[place]);
                totals[place] = page.total_records;
                times.push(took);
                if place == 0 {
                    times.extend(follow(&client).await?);
                }
                turn += 1;
            }
            anyhow::Ok(times)
        });
    }
    Ok(futures_util::future::try_join_all(readers).await?.concat())
}

#[derive(Deserialize)]
struct Page {
    data: Vec<Shown>,
    total_records: u64,
}

#[derive(Deserialize)]
struct Shown {
    id: String,
}

async fn ask(client: &Client, parameters: &[(&str, String)]) -> anyhow::Result<(Page, Duration)> {
    let answer = client.get(TRAFFIC, parameters).await?;
    Ok((answer.read()?, answer.took))
}

/// Follows the cursors from the newest page on.
async fn follow(client: &Client) -> anyhow::Result<Vec<Duration>> {
    let (mut seen, mut times) = (HashSet::new(), Vec::new());
    let mut parameters = vec![limit_of(TRAFFIC, ROWS)];
    for _ in 0..PAGES {
        let answer = client.get(TRAFFIC, &parameters).await?;
        times.push(answer.took);
        let page: Page = answer.read()?;
        for Shown { id } in page.data {
            if !seen.insert(id.clone()) {
                bail!("the record {id} is on two pages");
            }
        }
        let Some(cursor) = answer.next_cursor() else { break };
        parameters = vec![limit_of(TRAFFIC, ROWS), ("cursor", cursor)];
    }
    Ok(times)
}

pub(crate) fn table(readers: &Readers) -> Table {
    let title = format!(
        "{} readers at once at {} traffic records, each asking again as soon as it is answered: alone, and while reports come\n\
         in (500 a message). The readers take their share of this machine, which is in the times",
        readers.readers,
        count(readers.records as f64)
    );
    let columns = [["came in/s", "answers/s"].as_slice(), &Latency::COLUMNS].concat();
    let mut table = Table::new(title, &columns);
    for row in &readers.rows {
        table.row([count(row.came_in_per_second), count(row.answers_per_second)].into_iter().chain(row.answer.cells()));
    }
    table
}
