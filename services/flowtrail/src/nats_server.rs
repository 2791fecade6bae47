//! The own nats-server: found, checked, started, supervised and stopped.
//!
//! It runs in a process group of its own, so that Ctrl-C in a terminal ends Flowtrail first and the server after
//! everything is drained. One that an earlier, killed Flowtrail left behind on the same data is ended first.

use std::fs::{self, File};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use runtime::private_file;
use runtime::settings::Settings;
use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use semver::Version;
use tokio::process::{Child, Command};
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use crate::nats_url::Credentials;

const CONFIGURATION: &str = include_str!("../../../nats/server.conf");
/// What makes the server wait for the disk before each acknowledgement, and what does not.
const SYNCING: &str = "sync_interval: always";
const NOT_SYNCING: &str = "sync_interval: \"1m\"";
const OLDEST: Version = Version::new(2, 14, 0);
/// How long the server may take to end by itself.
const STOPS_WITHIN: Duration = Duration::from_secs(20);
/// How long the server may take to read its streams from disk.
const STARTS_WITHIN: Duration = Duration::from_secs(120);
/// How long a process that was killed may hold its port.
const FREES_PORT_WITHIN: Duration = Duration::from_secs(2);
const POLL_EVERY: Duration = Duration::from_millis(20);
/// The pause before a server that ended by itself is started again.
const RESTART_PAUSE: Duration = Duration::from_secs(1);

/// A running nats-server of our own.
pub(crate) struct NatsServer {
    files: Files,
    program: PathBuf,
    port: u16,
    credentials: Credentials,
    child: Child,
}

/// What the server has on disk.
struct Files {
    configuration: PathBuf,
    store: PathBuf,
    log: PathBuf,
    pid: PathBuf,
}

impl Files {
    /// Makes what the server needs. Its configuration is its owner's alone: what it asks of clients is in it.
    fn below(data_dir: &Path, configuration: &str, credentials: &Credentials) -> anyhow::Result<Self> {
        let directory = data_dir.join("nats");
        fs::create_dir_all(&directory).with_context(|| format!("make {}", directory.display()))?;
        let directory = directory.canonicalize().with_context(|| format!("find {}", directory.display()))?;
        let text = format!("{configuration}\n{}", credentials.configuration()?);
        let configuration = directory.join("server.conf");
        private_file::write(&configuration, &text).with_context(|| format!("write {}", configuration.display()))?;
        let (store, log, pid) = (directory.join("store"), directory.join("server.log"), directory.join("server.pid"));
        Ok(Self { configuration, store, log, pid })
    }
}

impl NatsServer {
    /// Starts the server and waits until it accepts connections.
    ///
    /// # Errors
    /// With one clear line when the program is missing or too old, the port is taken, or the server ends by itself.
    pub(crate) async fn start(settings: &Settings) -> anyhow::Result<Self> {
        Self::start_with(settings, CONFIGURATION).await
    }

    /// Starts the server for as long as a backup is restored into it. It does not wait for the disk at each message, as it would
    /// give up where a few thousand of them take long; [`sync`] does that for all, once the server has ended.
    ///
    /// # Errors
    /// Like [`NatsServer::start`].
    pub(crate) async fn start_to_restore(settings: &Settings) -> anyhow::Result<Self> {
        Self::start_with(settings, &CONFIGURATION.replace(SYNCING, NOT_SYNCING)).await
    }

    async fn start_with(settings: &Settings, configuration: &str) -> anyhow::Result<Self> {
        check_version(&settings.nats_server).await?;
        let credentials = Credentials::keep(&settings.data_dir, settings.nats_port)?;
        let files = Files::below(&settings.data_dir, configuration, &credentials)?;
        end_leftover(&files).await?;
        check_port(settings.nats_port).await?;
        let child = spawn(&settings.nats_server, &files, settings.nats_port)?;
        let (program, port) = (settings.nats_server.clone(), settings.nats_port);
        let mut server = Self { files, program, port, credentials, child };
        server.wait_until_up().await?;
        Ok(server)
    }

    /// Where the server is, with what it asks of clients.
    pub(crate) fn url(&self) -> String {
        self.credentials.url(self.port)
    }

    /// The server's process id, while it runs.
    pub(crate) fn pid(&self) -> Option<u32> {
        self.child.id()
    }

    async fn wait_until_up(&mut self) -> anyhow::Result<()> {
        let started = Instant::now();
        while tokio::net::TcpStream::connect(("127.0.0.1", self.port)).await.is_err() {
            if let Some(status) = self.child.try_wait().context("look after the nats-server")? {
                bail!("the nats-server ended at once ({status}): {}", last_words(&self.files.log));
            }
            if started.elapsed() > STARTS_WITHIN {
                bail!("the nats-server does not answer after {STARTS_WITHIN:?}; see {}", self.files.log.display());
            }
            tokio::time::sleep(POLL_EVERY).await;
        }
        Ok(())
    }

    /// Keeps the server running until `stop`, then ends it.
    pub(crate) async fn supervise(mut self, stop: CancellationToken) {
        loop {
            tokio::select! {
                () = stop.cancelled() => break,
                ended = self.child.wait() => {
                    let status = ended.map_or_else(|error| error.to_string(), |status| status.to_string());
                    error!(%status, last_words = last_words(&self.files.log), "the nats-server ended and is started again");
                }
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(RESTART_PAUSE) => {}
            }
            match spawn(&self.program, &self.files, self.port) {
                Ok(child) => self.child = child,
                Err(error) => error!(error = format!("{error:#}"), "the nats-server cannot be started"),
            }
        }
        self.end().await;
    }

    async fn end(&mut self) {
        if let Some(pid) = self.child.id().and_then(|id| Pid::from_raw(id.cast_signed())) {
            // It may have ended on its own in this moment.
            let _ = kill_process(pid, Signal::TERM);
        }
        if tokio::time::timeout(STOPS_WITHIN, self.child.wait()).await.is_err() {
            warn!("the nats-server does not end and is killed");
            if let Err(error) = self.child.kill().await {
                error!(%error, "the nats-server cannot be killed");
            }
        }
        // Missing it does no harm: it is only looked at with the process it names.
        let _ = fs::remove_file(&self.files.pid);
    }
}

/// Waits until all that the server of a data folder has stored is on the disk.
///
/// # Errors
/// When it cannot be written.
pub(crate) fn sync(data_dir: &Path) -> anyhow::Result<()> {
    let mut folders = vec![data_dir.join("nats")];
    while let Some(folder) = folders.pop() {
        let synced = sync_files(&folder, &mut folders);
        synced.with_context(|| format!("write {} to the disk", folder.display()))?;
    }
    Ok(())
}

/// Syncs a folder and the files in it, and notes the folders.
fn sync_files(folder: &Path, folders: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        match entry.file_type()? {
            kind if kind.is_dir() => folders.push(entry.path()),
            kind if kind.is_file() => File::open(entry.path())?.sync_all()?,
            _ => {}
        }
    }
    File::open(folder)?.sync_all()
}

fn spawn(program: &Path, files: &Files, port: u16) -> anyhow::Result<Child> {
    let mut command = Command::new(program);
    command.arg("--config").arg(&files.configuration);
    command.arg("--store_dir").arg(&files.store);
    command.arg("--log").arg(&files.log);
    command.arg("--pid").arg(&files.pid);
    command.args(["--addr", "127.0.0.1", "--port", &port.to_string()]);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.process_group(0);
    command.kill_on_drop(true);
    command.spawn().with_context(|| format!("start {}", program.display()))
}

/// Older servers accept stream settings silently and then do not honour them.
async fn check_version(program: &Path) -> anyhow::Result<()> {
    let hint = "no nats-server found: install one (2.14 or newer), name it by FLOWTRAIL_NATS_SERVER, \
                or use a running one by FLOWTRAIL_NATS_URL";
    let output = Command::new(program).arg("--version").output().await.context(hint)?;
    let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    let version = text.rsplit('v').next().and_then(|version| Version::parse(version).ok());
    match version {
        Some(version) if version >= OLDEST => Ok(()),
        Some(version) => bail!("{} is version {version}; Flowtrail needs {OLDEST} or newer", program.display()),
        None => bail!("{} calls itself {text:?}, which is no nats-server", program.display()),
    }
}

/// A server that was killed a moment ago may hold the port a little longer.
async fn check_port(port: u16) -> anyhow::Result<()> {
    let started = Instant::now();
    loop {
        let Err(error) = TcpListener::bind(("127.0.0.1", port)) else { return Ok(()) };
        if started.elapsed() > FREES_PORT_WITHIN {
            return Err(error).with_context(|| {
                format!(
                    "port {port} is taken: choose another for the own nats-server by FLOWTRAIL_NATS_PORT, \
                     or use the server that runs there by FLOWTRAIL_NATS_URL=nats://127.0.0.1:{port}"
                )
            });
        }
        tokio::time::sleep(POLL_EVERY).await;
    }
}

/// Ends the server that a killed Flowtrail left running on the same store.
async fn end_leftover(files: &Files) -> anyhow::Result<()> {
    let text = fs::read_to_string(&files.pid).unwrap_or_default();
    let Some(pid) = text.trim().parse().ok().and_then(Pid::from_raw) else { return Ok(()) };
    if test_kill_process(pid).is_err() || !serves(pid, &files.store) {
        return Ok(());
    }
    info!(pid = pid.as_raw_nonzero().get(), "ending the nats-server that an earlier run left behind");
    kill_process(pid, Signal::TERM).context("end the nats-server of an earlier run")?;
    let started = Instant::now();
    while test_kill_process(pid).is_ok() {
        if started.elapsed() > STOPS_WITHIN {
            bail!("the nats-server of an earlier run (pid {}) does not end", pid.as_raw_nonzero());
        }
        tokio::time::sleep(POLL_EVERY).await;
    }
    Ok(())
}

/// Whether the process is a nats-server on this store: a process id may have been given to another program since.
fn serves(pid: Pid, store: &Path) -> bool {
    let command_line = fs::read(format!("/proc/{}/cmdline", pid.as_raw_nonzero())).unwrap_or_default();
    command_line.split(|byte| *byte == 0).any(|argument| argument == store.as_os_str().as_encoded_bytes())
}

/// The last line of the server's log that says why it ended.
fn last_words(log: &Path) -> String {
    let text = fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let lines = text.lines().rev().take(50);
    let telling =
        lines.clone().find(|line| line.contains("[FTL]")).or_else(|| lines.clone().find(|line| line.contains("[ERR]")));
    telling.unwrap_or("it left no message").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_server_waits_for_the_disk_but_while_a_backup_is_restored() {
        let lines = |text: &str| text.lines().filter(|line| line.trim() == SYNCING).count();
        assert_eq!(lines(CONFIGURATION), 1);
        assert_eq!(lines(&CONFIGURATION.replace(SYNCING, NOT_SYNCING)), 0);
    }
}
