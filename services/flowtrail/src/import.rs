//! `flowtrail import`: reads logs of public formats, and histories of Flowtrail's own, into the log.
//!
//! One blocking thread reads, maps and checks; its batches go over a bounded channel to the pipeline that publishes
//! them. Each record has an event id that is the same at every import, so an import that was interrupted is simply run
//! again. What each format's fields become stands at the top of its module.

mod addresses;
mod archive;
mod archive_table;
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
mod mending;
mod netbird;
mod netbird_api;
mod pages;
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

pub(crate) use format::{Format, Source};
pub(crate) use netbird_api::Service;
pub(crate) use summary::Summary;

use batch::Packer;
use pages::Pages;
use publish::Published;
use read::{Counts, Reader};
use rejects::Rejects;

use crate::progress::Progress;
use crate::terminal::visible;

/// How many batches wait between reading and publishing.
const WAITING: usize = 8;

/// Publish the events in files of a public log format, or a history of events.
#[derive(Clone, Debug, clap::Args)]
#[command(after_long_help = help::MORE)]
pub(crate) struct Args {
    /// What the files hold, or whose lists are fetched
    #[arg(value_enum)]
    pub(crate) source: Source,

    /// The files; `-` is standard input
    #[arg(required_unless_present = "url", conflicts_with = "url", value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,

    #[command(flatten)]
    pub(crate) service: Service,

    #[command(flatten)]
    pub(crate) options: Options,
}

/// What is done with the events.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Options {
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

/// Imports, and prints a summary of each format to standard output; tells whether something was rejected.
///
/// # Errors
/// Like [`import`]; when there is no such account; when a service does not give its lists.
pub(crate) async fn run(args: &Args, bus: &Bus) -> anyhow::Result<bool> {
    ensure_account(&args.options.account, bus).await?;
    let fetched = tempfile::tempdir().context("make a folder for what is fetched")?;
    let files = match args.source {
        Source::Files(format) => {
            anyhow::ensure!(args.service.url.is_none(), "--url is for netbird only");
            vec![(format, args.files.clone())]
        }
        Source::Netbird => netbird_api::fetch(&args.service, fetched.path()).await?,
    };
    let mut has_rejects = false;
    for (format, files) in files {
        let summary = import(format, &files, &args.options, bus).await?;
        writeln!(io::stdout(), "{summary}").context("print the summary")?;
        has_rejects |= summary.has_rejects();
    }
    Ok(has_rejects)
}

/// Imports. Rejected records are no error.
///
/// # Errors
/// When a file is not there, or the log cannot take the events. What was published until then stays.
pub(crate) async fn import(format: Format, files: &[PathBuf], options: &Options, bus: &Bus) -> anyhow::Result<Summary> {
    anyhow::ensure!(options.reporter.is_none() || format.is_traffic(), "--reporter is for traffic only");
    for file in files.iter().filter(|file| !input::is_standard_input(file)) {
        std::fs::File::open(file).with_context(|| format!("open {}", visible(&file.display().to_string())))?;
    }
    let progress = Progress::new(input::total_length(files.iter().map(PathBuf::as_path)));
    let (sender, batches) = mpsc::channel(WAITING);
    let rejects = Rejects::new(progress.clone(), options.rejects.as_deref()).context("make the file for rejects")?;
    let packer = Packer::new(bus.max_payload(), format.may_say_less());
    let subject = format.subject(&options.account);
    let reading = {
        let (files, reporter, progress) = (files.to_vec(), options.reporter.clone(), progress.clone());
        let sealer = format.sealer(&options.account);
        tokio::task::spawn_blocking(move || {
            let reporter = reporter.as_deref();
            let pages = Pages::default();
            let reader = Reader { format, reporter, progress, sealer, packer, rejects, pages, batches: sender };
            reader.read_all(files.iter().map(AsRef::<Path>::as_ref))
        })
    };
    let published = publish::publish(bus, &subject, batches, &progress).await;
    let counts = reading.await.context("read the files")?;
    progress.finish();
    let published =
        published.context("publish the events (run the same import again: what is in already stays once)")?;
    Ok(summarized(files.len(), counts?, published, &progress))
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

fn summarized(files: usize, counts: Counts, published: Published, progress: &Progress) -> Summary {
    Summary {
        files,
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
