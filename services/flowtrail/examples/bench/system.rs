//! The system under measurement: the release binary, `up` on free loopback ports with a data directory of its own.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow, bail, ensure};
use bus::{Access, Bus, Options};
use reqwest::Url;

use crate::client::{Client, READY};
use crate::ports::Ports;
use crate::program::{Program, Running};

const STARTS_WITHIN: Duration = Duration::from_secs(60);
/// Linux tells programs processor time in hundredths of a second, whatever it counts in itself.
const TICKS_PER_SECOND: f64 = 100.0;
const POLL_EVERY: Duration = Duration::from_millis(50);

/// The system, ready.
pub(crate) struct System<'a> {
    program: &'a Program,
    data: &'a Path,
    ports: Ports,
    process: u32,
    url: Url,
    token: String,
    pub(crate) bus: Bus,
}

/// Starts the system on empty data, lets `measure` use it, and ends it.
pub(crate) async fn run<T>(
    program: &Program,
    measure: impl AsyncFnOnce(&System<'_>) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    let parent = &program.directory;
    let directory = tempfile::Builder::new().prefix("flowtrail-bench-").tempdir_in(parent);
    let directory = directory.with_context(|| format!("make a directory in {}", parent.display()))?;
    let log = directory.path().join("flowtrail.log");
    let data = directory.path().join("data");
    let ports = Ports::free()?;
    let mut running = Running::start(program, &data, &ports, &log)?;
    let process = running.id().context("look after flowtrail")?;
    let work = async {
        let system = System::connect(program, &data, (ports, process)).await?;
        measure(&system).await
    };
    let with_log = |error: anyhow::Error| anyhow!("{error:#}\nthe end of flowtrail's log:\n{}", last_words(&log));
    let outcome = tokio::select! {
        outcome = work => outcome.map_err(with_log),
        status = running.ended() => Err(with_log(anyhow!("flowtrail ended by itself: {status}"))),
        () = program.stop.cancelled() => Err(anyhow!("interrupted")),
    };
    let ended = running.end().await;
    let measured = outcome?;
    ended?;
    Ok(measured)
}

impl<'a> System<'a> {
    async fn connect(program: &'a Program, data: &'a Path, (ports, process): (Ports, u32)) -> anyhow::Result<Self> {
        let url = Url::parse(&format!("http://127.0.0.1:{}", ports.http)).context("make the URL")?;
        let started = Instant::now();
        let token = loop {
            let token = fs::read_to_string(data.join("admin.token")).unwrap_or_default().trim().to_owned();
            if !token.is_empty() && Client::new(&url, &token)?.get(READY, &[]).await.is_ok() {
                break token;
            }
            ensure!(started.elapsed() < STARTS_WITHIN, "flowtrail is not ready after {STARTS_WITHIN:?}");
            tokio::time::sleep(POLL_EVERY).await;
        };
        let nats = fs::read_to_string(data.join("nats.url")).context("read the URL of its nats-server")?;
        let bus =
            Bus::connect(&Options { url: nats.trim().to_owned(), access: Access::default(), name: "bench".to_owned() })
                .await?;
        Ok(Self { program, data, ports, process, url, token, bus })
    }

    /// A client with a connection of its own.
    pub(crate) fn client(&self) -> anyhow::Result<Client> {
        Client::new(&self.url, &self.token)
    }

    /// Runs another command of the program against this system; gives what it prints and how long it took.
    pub(crate) async fn tool(&self, arguments: &[&str]) -> anyhow::Result<(String, Duration)> {
        let mut command = self.program.command(self.data, &self.ports);
        command.args(arguments).kill_on_drop(true);
        let started = Instant::now();
        let output = command.output().await.context("start flowtrail")?;
        let took = started.elapsed();
        if !output.status.success() {
            bail!("flowtrail {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        }
        Ok((String::from_utf8_lossy(&output.stdout).into_owned(), took))
    }

    /// The processor time that the process, without its nats-server, has taken so far, in seconds.
    pub(crate) fn processor_seconds(&self) -> anyhow::Result<f64> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.process)).context("read the processor time")?;
        // Its name stands in brackets and may hold anything; user and system time are the 14th and 15th field.
        let fields = stat.rsplit_once(')').map(|(_, fields)| fields).unwrap_or_default();
        let times: Vec<f64> = fields.split_whitespace().skip(11).take(2).filter_map(|time| time.parse().ok()).collect();
        ensure!(times.len() == 2, "the processor time cannot be read");
        Ok(times.iter().sum::<f64>() / TICKS_PER_SECOND)
    }

    /// The most memory that the process, without its nats-server, has had so far; 0 where nobody knows.
    pub(crate) fn peak_memory_bytes(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process)).unwrap_or_default();
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kibibytes = peak.and_then(|text| text.trim().trim_end_matches(" kB").parse::<u64>().ok());
        kibibytes.unwrap_or_default() << 10
    }

    /// Bytes on disk below a part of the data directory.
    pub(crate) fn bytes_on_disk(&self, part: &str) -> u64 {
        bytes_below(&self.data.join(part))
    }
}

fn last_words(log: &Path) -> String {
    let text = fs::read_to_string(log).unwrap_or_default();
    let mut lines: Vec<&str> = text.lines().rev().filter(|line| !line.trim().is_empty()).take(5).collect();
    lines.reverse();
    lines.join("\n")
}

/// What the disk holds, not how long the files are: they may have holes.
fn bytes_below(path: &Path) -> u64 {
    let entries = fs::read_dir(path).into_iter().flatten().flatten();
    let size = |entry: fs::DirEntry| match entry.metadata() {
        Ok(metadata) if metadata.is_dir() => bytes_below(&entry.path()),
        Ok(metadata) => metadata.blocks() * 512,
        // Removed in this moment.
        Err(_) => 0,
    };
    entries.map(size).sum()
}
