//! `flowtrail doctor`: looks at all that Flowtrail needs, and says what to do where something is wrong. It changes nothing.

use std::fmt::Display;
use std::fs;
use std::io::{Write, stdout};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use bus::Bus;
use bytesize::ByteSize;
use model::dead_letter::{LIST, List, Listed};
use runtime::clock::now_micros;
use runtime::settings::Settings;
use runtime::telemetry::chain;
use serde::Serialize;
use views::status::Status;
use views::store::{RESERVED_BYTES, free_bytes};

use crate::output::Output;
use crate::{client, master_key, view_tools};

/// Below this a rebuild, or a busy day, may not fit.
const LITTLE_DISK: u64 = 2 << 30;
/// What clocks may differ by before the times of events say something else than they seem to.
const CLOCKS_DIFFER: Duration = Duration::from_secs(5);
/// A view that is this far behind does not catch up by itself soon.
const FAR_BEHIND: Duration = Duration::from_secs(60);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Verdict {
    Well,
    /// It works, and somebody should look at it.
    Warning,
    /// It does not work.
    Broken,
}

/// What was found out about one thing.
#[derive(Debug, Serialize)]
struct Finding {
    about: &'static str,
    verdict: Verdict,
    said: String,
    /// What to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    remedy: Option<&'static str>,
}

fn well(about: &'static str, said: impl Display) -> Finding {
    Finding { about, verdict: Verdict::Well, said: said.to_string(), remedy: None }
}

fn warning(about: &'static str, said: impl Display, remedy: &'static str) -> Finding {
    Finding { about, verdict: Verdict::Warning, said: said.to_string(), remedy: Some(remedy) }
}

fn broken(about: &'static str, said: impl Display, remedy: &'static str) -> Finding {
    Finding { about, verdict: Verdict::Broken, said: said.to_string(), remedy: Some(remedy) }
}

/// Prints what is found; true: something is broken.
///
/// # Errors
/// When nobody reads it.
pub(crate) async fn run(settings: &Settings, output: Output) -> anyhow::Result<bool> {
    let mut is_broken = false;
    let mut tell = |findings: Vec<Finding>| -> anyhow::Result<()> {
        for finding in findings {
            is_broken |= finding.verdict == Verdict::Broken;
            write(output, &finding).context("print the answer")?;
        }
        Ok(())
    };
    tell(folder(&settings.data_dir))?;
    match client::connect(settings).await {
        Err(error) => {
            let remedy =
                "start Flowtrail or the NATS server; FLOWTRAIL_NATS_URL and FLOWTRAIL_DATA_DIR say where it is";
            tell(vec![broken("log", format!("{error:#}"), remedy)])?;
        }
        Ok(bus) => {
            let version = bus.server_version();
            tell(vec![well("log", format!("nats-server {version} answers"))])?;
            tell(streams(&bus).await)?;
            tell(vec![clock(&bus).await])?;
            tell(vec![key(settings, &bus).await])?;
            tell(views(&bus).await)?;
            tell(troubles(&bus).await)?;
            tell(vec![dead_letters(&bus).await])?;
        }
    }
    Ok(is_broken)
}

fn write(output: Output, finding: &Finding) -> std::io::Result<()> {
    if output.json {
        return writeln!(stdout(), "{}", serde_json::to_string(finding)?);
    }
    let Finding { about, verdict, said, remedy } = finding;
    let verdict = match verdict {
        Verdict::Well => "well",
        Verdict::Warning => "WARNING",
        Verdict::Broken => "BROKEN",
    };
    let remedy = remedy.map(|remedy| format!(": {remedy}")).unwrap_or_default();
    writeln!(stdout(), "{verdict:<8} {about:<13} {said}{remedy}")
}

/// The data folder: whose it is, and how much more fits.
fn folder(data: &Path) -> Vec<Finding> {
    const ABOUT: &str = "data folder";
    if !data.exists() {
        let said = format!("{} is not there", data.display());
        // A role that runs elsewhere needs none here.
        return vec![warning(ABOUT, said, "`flowtrail up` makes it; FLOWTRAIL_DATA_DIR names another one")];
    }
    let mut findings = Vec::new();
    let open_to_others = ["", "master.key", "nats.url", "admin.token", "admin.password"].into_iter().filter(|name| {
        let rights = fs::metadata(data.join(name)).map(|found| found.permissions().mode());
        rights.is_ok_and(|mode| mode & 0o077 != 0)
    });
    let open_to_others: Vec<String> = open_to_others.map(|name| data.join(name).display().to_string()).collect();
    findings.push(if open_to_others.is_empty() {
        well(ABOUT, format!("{} is its owner's alone", data.display()))
    } else {
        let remedy = "take their rights away: chmod go= FILE";
        broken(ABOUT, format!("others may use {}", open_to_others.join(", ")), remedy)
    });
    findings.push(match free_bytes(data) {
        Err(error) => broken("disk", format!("{}: {error}", data.display()), "see to it that it can be read"),
        Ok(free) => {
            let said = format!("{} are free", ByteSize::b(free).display().iec());
            match free {
                ..RESERVED_BYTES => {
                    broken("disk", said, "the views stand still: make room, and they go on by themselves")
                }
                RESERVED_BYTES..LITTLE_DISK => {
                    warning("disk", said, "a rebuild needs room for a second copy of a view")
                }
                LITTLE_DISK.. => well("disk", said),
            }
        }
    });
    findings
}

async fn streams(bus: &Bus) -> Vec<Finding> {
    const ABOUT: &str = "streams";
    let compared = match bus.compare_streams().await {
        Ok(compared) => compared,
        Err(error) => {
            return vec![broken(ABOUT, chain(&error), "JetStream must be on, and this user must be allowed it")];
        }
    };
    let count = compared.len();
    let wrong: Vec<Finding> = compared
        .into_iter()
        .filter_map(|(_, is_right)| is_right.err())
        .map(|error| broken(ABOUT, chain(&error), "`flowtrail streams`, or the next `flowtrail up`, puts it right"))
        .collect();
    if wrong.is_empty() { vec![well(ABOUT, format!("all {count} are as nats/streams.json has them"))] } else { wrong }
}

async fn clock(bus: &Bus) -> Finding {
    const ABOUT: &str = "clock";
    let ours = now_micros();
    match bus.server_time().await {
        Err(error) => warning(ABOUT, chain(&error), "the NATS server's clock was not looked at"),
        Ok(None) => well(ABOUT, "the NATS server does not say what its clock shows"),
        Ok(Some(theirs)) => {
            let apart = Duration::from_micros(ours.abs_diff(theirs));
            let said = format!("the NATS server's differs by {} ms", apart.as_millis());
            match apart > CLOCKS_DIFFER {
                true => warning(ABOUT, said, "set both by NTP: relative times, tokens and retention go by them"),
                false => well(ABOUT, said),
            }
        }
    }
}

async fn key(settings: &Settings, bus: &Bus) -> Finding {
    const ABOUT: &str = "master key";
    let path = settings.master_key_file();
    if !path.exists() {
        let remedy = "the roles commands and streamer need it: put it back from where it is kept, or set \
                      FLOWTRAIL_MASTER_KEY_FILE";
        return warning(ABOUT, format!("{} is not there", path.display()), remedy);
    }
    match master_key::load(settings, bus).await {
        Ok(_) => well(ABOUT, "it is the one that secrets in the log are sealed with"),
        Err(error) => broken(ABOUT, format!("{error:#}"), "put the right one back, or name its file"),
    }
}

async fn views(bus: &Bus) -> Vec<Finding> {
    const ABOUT: &str = "views";
    let views = match client::ask(bus, Status).await {
        Ok(views) => views,
        Err(error) => return vec![broken(ABOUT, format!("{error:#}"), "run the role projector, or `flowtrail up`")],
    };
    let count = views.len();
    let behind = views.into_iter().filter_map(|view| {
        let waiting: u64 = view.streams.iter().map(|(_, _, waiting)| *waiting).fold(0, u64::saturating_add);
        let lag = Duration::from_millis(view.freshness.lag_ms);
        let told = format!("{} has been behind the log for {} s", view.view.name(), lag.as_secs());
        (waiting > 0 && lag > FAR_BEHIND).then(|| warning(ABOUT, told, "its log lines of level ERROR say why"))
    });
    let behind: Vec<Finding> = behind.collect();
    if behind.is_empty() { vec![well(ABOUT, format!("all {count} are even with the log, or nearly"))] } else { behind }
}

/// What the projector found wrong; where nobody can be asked, that is said of the views.
async fn troubles(bus: &Bus) -> Vec<Finding> {
    let found = view_tools::troubles(bus).await.unwrap_or_default();
    let remedy = "\"A damaged log\" in docs/operations.md says more";
    found
        .into_iter()
        .map(|trouble| broken("troubles", format!("{}: {}", trouble.about, trouble.said), remedy))
        .collect()
}

async fn dead_letters(bus: &Bus) -> Finding {
    const ABOUT: &str = "dead letters";
    let open = List { account: None, open: true, before: None, limit: 1 };
    match client::request::<Listed>(bus, LIST, &open).await {
        Err(error) => warning(ABOUT, format!("{error:#}"), "they were not looked at"),
        Ok(Listed { total: 0, .. }) => well(ABOUT, "there are none"),
        Ok(Listed { total, letters, .. }) => {
            let newest = letters.first().map(|letter| format!(", the newest of {}", letter.time)).unwrap_or_default();
            let said = format!("events that are in no view: {total}{newest}");
            warning(ABOUT, said, "`flowtrail dead-letters` says why, `flowtrail redrive` brings them in after a fix")
        }
    }
}
