//! `flowtrail rebuild | dump | status`: looking after the views of a running Flowtrail.

use std::io::{BufWriter, Write, stdout};

use anyhow::Context;
use bus::Bus;
use projector::rebuild::Order;
use projector::troubles::{self, Trouble};
use runtime::settings::Settings;
use views::View;
use views::dump::Dump;
use views::status::Status;

use crate::cli::Rebuild;
use crate::output::Output;
use crate::{client, rebuild};

/// Rows of a dump per request: some 4 MB of traffic records.
const ROWS_PER_REQUEST: usize = 4000;

pub(crate) async fn rebuild(settings: &Settings, args: &Rebuild) -> anyhow::Result<()> {
    let bus = client::connect(settings).await?;
    let which = &args.which;
    let views = if which.all { View::ALL.to_vec() } else { which.view.into_iter().collect() };
    for view in views {
        let ordered = Order { view, accept_loss: args.accept_loss };
        // One that is under way would not accept it.
        let rebuilt = match args.accept_loss {
            true => rebuild::order_anew(&bus, ordered).await,
            false => rebuild::order(&bus, ordered).await,
        };
        rebuilt.with_context(|| format!("rebuild the {view} view"))?;
    }
    Ok(())
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
        for trouble in troubles(&bus).await? {
            writeln!(stdout(), "{}", serde_json::to_string(&trouble)?).context("print the answer")?;
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
    for Trouble { about, said, .. } in troubles(&bus).await? {
        writeln!(stdout(), "{about}: {said}").context("print the answer")?;
    }
    Ok(())
}

/// What is wrong with the log, and with the views for it.
pub(crate) async fn troubles(bus: &Bus) -> anyhow::Result<Vec<Trouble>> {
    client::request(bus, troubles::LIST, &()).await
}
