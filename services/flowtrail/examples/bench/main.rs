//! The benchmark: starts the real program on empty data, measures it over HTTP and NATS, and prints the medians.
//!
//! Nothing fails because it is slow. The client runs on the same machine, and its share of it is in every figure.

mod audit;
mod client;
mod delivery;
mod events;
mod ingest;
mod lists;
mod lone;
mod machine;
mod plan;
mod ports;
mod program;
mod progress;
mod publish;
mod questions;
mod random;
mod readers;
mod replay;
mod statistics;
mod system;
mod table;
mod target;
mod traffic;
mod world;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use clap::{Parser, ValueEnum};
use runtime::shutdown;
use serde::Serialize;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::machine::Machine;
use crate::plan::Plan;
use crate::program::Program;
use crate::progress::Progress;
use crate::traffic::Reports;
use crate::world::World;

/// Measures a Flowtrail of its own on this machine: ingest, publish to visible, event streaming, replay, lists.
#[derive(Parser)]
#[command(name = "bench", max_term_width = 110)]
struct Arguments {
    /// How many records the views hold while replay and lists are measured [default: 100000,1000000]
    #[arg(long, value_delimiter = ',', value_name = "N,...", value_parser = clap::value_parser!(u64).range(1..))]
    records: Vec<u64>,
    /// How often a rate is measured; its median counts [default: 3]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    runs: Option<u16>,
    /// Small sizes, below a minute: to see that it works, not to compare
    #[arg(long)]
    quick: bool,
    /// Nothing but this
    #[arg(long, value_name = "PART")]
    only: Option<Part>,
    /// Also write everything to this file as JSON
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Where the temporary data goes: its disk is part of what is measured [default: the system's]
    #[arg(long, value_name = "DIR")]
    directory: Option<PathBuf>,
    /// The nats-server to run; version 2.14 or newer
    #[arg(long, env = "FLOWTRAIL_NATS_SERVER", default_value = "nats-server", value_name = "FILE")]
    nats_server: PathBuf,
}

/// What can be measured alone.
#[derive(Clone, Copy, ValueEnum)]
enum Part {
    /// Event streaming
    Delivery,
    /// The many readers at once, of the traffic view alone
    Readers,
}

/// Everything that was measured.
#[derive(Serialize)]
struct Report {
    machine: Machine,
    report_bytes: usize,
    ingest: Vec<ingest::Row>,
    publish: Vec<publish::Row>,
    single_event: lone::Lone,
    delivery: Vec<delivery::Row>,
    replay: Vec<replay::Replayed>,
    lists: Vec<lists::Lists>,
    readers: Vec<readers::Readers>,
}

fn main() -> ExitCode {
    match run(Arguments::parse_from(without_separator(std::env::args_os()))) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            report(&error);
            ExitCode::FAILURE
        }
    }
}

#[tokio::main]
async fn run(arguments: Arguments) -> anyhow::Result<()> {
    let stop = CancellationToken::new();
    let mut signals = JoinSet::new();
    signals.spawn(shutdown::on_signal(stop.clone()));
    let plan = arguments.plan();
    let program = Program {
        flowtrail: Program::built_with_this()?,
        nats_server: arguments.nats_server,
        directory: arguments.directory.unwrap_or_else(std::env::temp_dir),
        stop,
    };
    let bench = Bench { plan, world: World::new(), progress: Progress::new() };
    let report = match arguments.only {
        None => serde_json::to_value(measure(&bench, &program).await?),
        Some(Part::Delivery) => serde_json::to_value(measure_delivery(&bench, &program).await?),
        Some(Part::Readers) => serde_json::to_value(measure_readers(&bench, &program).await?),
    };
    if let Some(file) = &arguments.json {
        let json = serde_json::to_vec_pretty(&report?).context("write the report as JSON")?;
        std::fs::write(file, json).with_context(|| format!("write {}", file.display()))?;
    }
    Ok(())
}

#[expect(clippy::print_stderr, reason = "this is the program's last word to the person who ran it")]
fn report(error: &anyhow::Error) {
    eprintln!("error: {error:#}");
}

/// `just bench -- --quick` hands the `--` on.
fn without_separator(arguments: impl Iterator<Item = OsString>) -> impl Iterator<Item = OsString> {
    arguments.enumerate().filter(|(index, text)| !(*index == 1 && text == "--")).map(|(_, text)| text)
}

impl Arguments {
    fn plan(&self) -> Plan {
        let mut plan = if self.quick { Plan::quick() } else { Plan::full() };
        if !self.records.is_empty() {
            plan.records.clone_from(&self.records);
        }
        if let Some(runs) = self.runs {
            plan.runs = runs.into();
        }
        plan
    }
}

/// What every measurement needs.
struct Bench {
    plan: Plan,
    world: World,
    progress: Progress,
}

/// Each result is printed as soon as it is there.
async fn measure(bench: &Bench, program: &Program) -> anyhow::Result<Report> {
    let progress = &bench.progress;
    let machine = Machine::this(&program.directory);
    let report_bytes = events::body(Reports::new(&bench.world, 1000).take(1000)).len() / 1000;
    progress.print(&machine);
    progress.print(&format!("A traffic report has {report_bytes} bytes of JSON on average. Rates are medians.\n"));

    let arrival = system::run(program, async |system| {
        let mut reports = Reports::new(&bench.world, 1_000_000);
        let ingest = ingest::measure(bench, system, &mut reports).await?;
        progress.print(&ingest::table(&ingest));
        let publish = publish::measure(bench, system, &mut reports).await?;
        progress.print(&publish::table(&publish));
        let lone = lone::measure(bench, system, &mut reports).await?;
        progress.print(&lone::table(&lone));
        Ok((ingest, publish, lone))
    });
    let (ingest, publish, single_event) = arrival.await?;
    let delivery = measure_delivery(bench, program).await?;

    let (mut replay, mut lists, mut readers) = (Vec::new(), Vec::new(), Vec::new());
    for &records in &bench.plan.records {
        let sized = system::run(program, async |system| {
            let filled = replay::fill(bench, system, records).await?;
            let lists = lists::measure(bench, system, records).await?;
            progress.print(&lists::table(&lists));
            let replayed = replay::measure(bench, system, filled).await?;
            // The last, as the view grows by it.
            let readers = readers::measure(bench, system, records).await?;
            progress.print(&readers::table(&readers));
            Ok((replayed, lists, readers))
        });
        let (replayed, listed, read) = sized.await?;
        replay.push(replayed);
        lists.push(listed);
        readers.push(read);
    }
    progress.print(&replay::table(&replay));
    Ok(Report { machine, report_bytes, ingest, publish, single_event, delivery, replay, lists, readers })
}

async fn measure_delivery(bench: &Bench, program: &Program) -> anyhow::Result<Vec<delivery::Row>> {
    let delivery = system::run(program, async |system| delivery::measure(bench, system).await).await?;
    bench.progress.print(&delivery::table(&delivery));
    Ok(delivery)
}

async fn measure_readers(bench: &Bench, program: &Program) -> anyhow::Result<Vec<readers::Readers>> {
    bench.progress.print(&Machine::this(&program.directory));
    let mut all = Vec::new();
    for &records in &bench.plan.records {
        let sized = system::run(program, async |system| {
            replay::fill_traffic(bench, system, records).await?;
            readers::measure(bench, system, records).await
        });
        let readers = sized.await?;
        bench.progress.print(&readers::table(&readers));
        all.push(readers);
    }
    Ok(all)
}
