//! `flowtrail rebuild | dump | status`: looking after the views of a running Flowtrail.

use std::io::{BufWriter, Write, stdout};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use bus::Bus;
use indicatif::{ProgressBar, ProgressStyle};
use projector::rebuild::{Order, PROGRESS, Progress, START};
use runtime::settings::Settings;
use views::View;
use views::dump::Dump;
use views::status::Status;

use crate::cli::Which;
use crate::client;
use crate::output::Output;

/// How often a rebuild is asked how far it is.
const POLL_EVERY: Duration = Duration::from_millis(100);
/// Rows of a dump per request: some 4 MB of traffic records.
const ROWS_PER_REQUEST: usize = 4000;

pub(crate) async fn rebuild(settings: &Settings, which: &Which) -> anyhow::Result<()> {
    let bus = client::connect(settings).await?;
    let views = if which.all { View::ALL.to_vec() } else { which.view.into_iter().collect() };
    for view in views {
        rebuild_one(&bus, view).await.with_context(|| format!("rebuild the {view} view"))?;
    }
    Ok(())
}

async fn rebuild_one(bus: &Bus, view: View) -> anyhow::Result<()> {
    let order = Order { view };
    let started = Instant::now();
    let before: Progress = client::request(bus, START, &order).await?;
    // One that is under way already is not ours, but it gives what was asked for.
    let awaited = if before.is_running() { before.started } else { before.started + 1 };
    let bar = ProgressBar::new(0).with_style(
        ProgressStyle::with_template("{prefix:>12} [{bar:32}] {percent:>3} % {msg} {eta} left")?.progress_chars("=> "),
    );
    bar.set_prefix(view.name());
    let last = loop {
        let progress: Progress = client::request(bus, PROGRESS, &order).await?;
        if progress.started >= awaited {
            bar.set_length(progress.messages);
            bar.set_position(progress.messages_done.min(progress.messages));
            bar.set_message(format!("{} events, {}", progress.events_done, rate(progress.events_done, started)));
        }
        if progress.finished >= awaited {
            break progress;
        }
        tokio::time::sleep(POLL_EVERY).await;
    };
    bar.finish_and_clear();
    if let Some(failure) = last.failure {
        bail!(failure);
    }
    let seconds = started.elapsed().as_secs_f64();
    writeln!(stdout(), "{view}: {} events in {seconds:.1} s, {}", last.events_done, rate(last.events_done, started))
        .context("print the answer")?;
    Ok(())
}

fn rate(events: u64, since: Instant) -> String {
    #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
    let rate = events as f64 / since.elapsed().as_secs_f64().max(0.001);
    format!("{rate:.0} events/s")
}

pub(crate) async fn dump(settings: &Settings, view: View) -> anyhow::Result<()> {
    let bus = client::connect(settings).await?;
    let mut out = BufWriter::new(stdout().lock());
    let mut after = None;
    loop {
        let part = client::ask(&bus, Dump { view, after, limit: ROWS_PER_REQUEST }).await?;
        for line in part.lines {
            writeln!(out, "{line}").context("write the dump")?;
        }
        if part.next.is_none() {
            return out.flush().context("write the dump");
        }
        after = part.next;
    }
}

pub(crate) async fn status(settings: &Settings, output: Output) -> anyhow::Result<()> {
    let bus = client::connect(settings).await?;
    if output.json {
        for status in client::ask(&bus, Status).await? {
            writeln!(stdout(), "{}", serde_json::to_string(&status)?).context("print the answer")?;
        }
        return Ok(());
    }
    writeln!(
        stdout(),
        "{:<14}{:<26}{:>12}{:>12}{:>10}{:>12}",
        "view",
        "stream",
        "sequence",
        "waiting",
        "lag ms",
        "disk MB"
    )
    .context("print the answer")?;
    for status in client::ask(&bus, Status).await? {
        for (stream, sequence, waiting) in &status.streams {
            let waiting = if *waiting == u64::MAX { "?".to_owned() } else { waiting.to_string() };
            let (lag, megabytes) = (status.freshness.lag_ms, status.bytes_on_disk >> 20);
            writeln!(
                stdout(),
                "{:<14}{:<26}{sequence:>12}{waiting:>12}{lag:>10}{megabytes:>12}",
                status.view.name(),
                stream.name()
            )
            .context("print the answer")?;
        }
    }
    Ok(())
}
