//! `flowtrail import`: reads logs of public formats, and histories of Flowtrail's own, into the log.
//!
//! One blocking thread reads, maps and checks; its batches go over a bounded channel to the pipeline that publishes
//! them. Each record has an event id that is the same at every import, so an import that was interrupted is simply run
//! again. What each format's fields become stands at the top of its module.

mod addresses;
mod archive;
mod audit;
mod aws_cloudtrail;
mod aws_vpc_flow;
mod batch;
mod cloudwatch;
mod draft;
mod format;
mod help;
mod input;
mod item;
mod known;
mod lookahead;
mod netbird;
mod pages;
mod progress;
mod publish;
mod read;
mod rejects;
mod scan;
mod seal;
mod skipped;
mod summary;
mod times;
mod traffic;
mod vrni;
mod window;
mod zeek_conn;

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::Context;
use bus::Bus;
use model::log::{AccountId, Subject};
use tokio::sync::mpsc;

pub(crate) use format::Format;
pub(crate) use summary::Summary;

use batch::{Batch, Packer};
use pages::Pages;
use progress::Progress;
use publish::Published;
use read::{Counts, Reader};
use rejects::Rejects;

/// How many batches wait between reading and publishing.
const WAITING: usize = 8;

/// Publish the events in files of a public log format, or a history of events.
#[derive(Clone, Debug, clap::Args)]
#[command(after_long_help = help::MORE)]
pub(crate) struct Args {
    /// What the files hold
    #[arg(value_enum)]
    pub(crate) format: Format,

    /// The files; `-` is standard input
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,

    /// The account that the events belong to
    #[arg(long, default_value = "main")]
    pub(crate) account: AccountId,

    /// Who reported the flows, whatever the files say [default: as the files say, else zeek, aws-vpc-flow or import]
    #[arg(long, value_name = "NAME")]
    pub(crate) reporter: Option<String>,

    /// Write all rejected records' places and reasons to this file
    #[arg(long, value_name = "FILE")]
    pub(crate) rejects: Option<PathBuf>,
}

/// Imports, and prints the summary to standard output. The exit code is for the caller: see [`Summary::has_rejects`].
///
/// # Errors
/// Like [`import`]; and when there is no such account.
pub(crate) async fn run(args: &Args, bus: &Bus) -> anyhow::Result<Summary> {
    ensure_account(&args.account, bus).await?;
    let summary = import(args, bus).await?;
    writeln!(io::stdout(), "{summary}").context("print the summary")?;
    Ok(summary)
}

/// Imports. Rejected records are no error.
///
/// # Errors
/// When a file is not there, or the log cannot take the events. What was published until then stays.
pub(crate) async fn import(args: &Args, bus: &Bus) -> anyhow::Result<Summary> {
    anyhow::ensure!(args.reporter.is_none() || args.format.is_traffic(), "--reporter is for traffic only");
    for file in args.files.iter().filter(|file| !input::is_standard_input(file)) {
        std::fs::File::open(file).with_context(|| format!("open {}", file.display()))?;
    }
    let progress = Progress::new(input::total_length(args.files.iter().map(PathBuf::as_path)));
    let (sender, batches) = mpsc::channel(WAITING);
    let reading = read_in_background(args, bus.max_payload(), &progress, sender)?;
    let subject = args.format.subject(&args.account);
    let published = publish::publish(bus, &subject, batches, &progress).await;
    let counts = reading.await.context("read the files")?;
    progress.finish();
    let published =
        published.context("publish the events (run the same import again: what is in already stays once)")?;
    Ok(summarized(args, counts?, published, &progress))
}

/// Nobody could read what is published into an account that was never made.
async fn ensure_account(account: &AccountId, bus: &Bus) -> anyhow::Result<()> {
    // The log says it, so that an import needs no other part of Flowtrail to run.
    let created = bus.last_on(&Subject::access(account, "account", account.as_str())).await;
    anyhow::ensure!(
        created.context("look for the account")?.is_some(),
        "there is no account {account}; `flowtrail account list` shows all, `flowtrail account create {account}` makes it"
    );
    Ok(())
}

type Reading = tokio::task::JoinHandle<Result<Counts, read::Stopped>>;

fn read_in_background(
    args: &Args,
    max_payload: usize,
    progress: &Progress,
    batches: mpsc::Sender<Batch>,
) -> anyhow::Result<Reading> {
    let args = args.clone();
    let progress = progress.clone();
    let rejects = Rejects::new(progress.clone(), args.rejects.as_deref()).context("make the file for rejects")?;
    Ok(tokio::task::spawn_blocking(move || {
        let reader = Reader {
            format: args.format,
            reporter: args.reporter.as_deref(),
            progress,
            sealer: args.format.sealer(&args.account),
            packer: Packer::new(max_payload, args.format.may_say_less()),
            rejects,
            pages: Pages::default(),
            batches,
        };
        reader.read_all(args.files.iter().map(AsRef::<Path>::as_ref))
    }))
}

fn summarized(args: &Args, counts: Counts, published: Published, progress: &Progress) -> Summary {
    Summary {
        files: args.files.len(),
        records: counts.records,
        skipped: counts.skipped,
        rejected: counts.rejected,
        events: published.events,
        messages: published.messages,
        known_messages: published.known_messages,
        known_events: published.known_events,
        elapsed: progress.elapsed(),
    }
}
