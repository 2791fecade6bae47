//! Rebuilds of views, as who orders them sees them.

use std::io::{Write, stdout};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use bus::Bus;
use indicatif::{ProgressBar, ProgressStyle};
use projector::rebuild::{Order, PROGRESS, Progress, START};

use crate::client;

/// How often a rebuild is asked how far it is.
const POLL_EVERY: Duration = Duration::from_millis(100);

/// Orders one that begins now, and follows it: one that is under way may have read what is to be forgotten.
///
/// # Errors
/// As [`order`].
pub(crate) async fn order_anew(bus: &Bus, ordered: Order) -> anyhow::Result<()> {
    while client::request::<Progress>(bus, PROGRESS, &ordered).await?.is_running() {
        tokio::time::sleep(POLL_EVERY).await;
    }
    order(bus, ordered).await
}

/// Orders one, or takes the one that is under way, and follows it to its end.
///
/// # Errors
/// When nobody answers for the views, or it failed.
pub(crate) async fn order(bus: &Bus, ordered: Order) -> anyhow::Result<()> {
    let view = ordered.view;
    let started = Instant::now();
    let before: Progress = client::request(bus, START, &ordered).await?;
    // One that is under way already is not ours, but it gives what was asked for.
    let awaited = if before.is_running() { before.started } else { before.started + 1 };
    let bar = ProgressBar::new(0).with_style(
        ProgressStyle::with_template("{prefix:>12} [{bar:32}] {percent:>3} % {msg} {eta} left")?.progress_chars("=> "),
    );
    bar.set_prefix(view.name());
    let last = loop {
        let progress: Progress = client::request(bus, PROGRESS, &ordered).await?;
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
