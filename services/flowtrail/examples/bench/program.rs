//! The program's process.
//!
//! Invariant: what is started here is ended here, by its process id, however the measurement ends.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, bail};
use rustix::process::{Pid, Signal, kill_process};
use tokio::process::{Child, Command};
use tokio_util::sync::CancellationToken;

use crate::ports::Ports;

const STOPS_WITHIN: Duration = Duration::from_secs(60);

/// What to start, and where.
pub(crate) struct Program {
    pub(crate) flowtrail: PathBuf,
    pub(crate) nats_server: PathBuf,
    /// Where data directories are made.
    pub(crate) directory: PathBuf,
    /// Cancelled by Ctrl-C or SIGTERM.
    pub(crate) stop: CancellationToken,
}

impl Program {
    /// The flowtrail that was built together with this example, which lies one directory deeper.
    pub(crate) fn built_with_this() -> anyhow::Result<PathBuf> {
        let this = std::env::current_exe().context("find this program")?;
        let flowtrail = this.ancestors().nth(2).map(|directory| directory.join("flowtrail"));
        let flowtrail = flowtrail.filter(|path| path.is_file());
        flowtrail.context("find the flowtrail binary: `just bench` builds it")
    }

    /// The program with no settings but these: those around us are meant for another one.
    pub(crate) fn command(&self, data: &Path, ports: &Ports) -> Command {
        let mut command = Command::new(&self.flowtrail);
        command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.env("FLOWTRAIL_NATS_SERVER", &self.nats_server);
        command.env("FLOWTRAIL_NATS_PORT", ports.nats.to_string());
        command.env("FLOWTRAIL_DATA_DIR", data);
        // It counts the events that it publishes.
        command.env("FLOWTRAIL_AUDIT_READS", "false");
        // Receivers are part of this program.
        command.env("FLOWTRAIL_EGRESS_ALLOW", "127.0.0.0/8");
        // What one client can do is what is measured.
        for limit in ["READS", "WRITES", "ADDRESS"] {
            command.env(format!("FLOWTRAIL_RATE_{limit}"), "0");
        }
        command.stdin(Stdio::null());
        command
    }
}

/// `flowtrail up`, which runs a nats-server of its own.
pub(crate) struct Running {
    child: Child,
    data: PathBuf,
}

impl Running {
    pub(crate) fn start(program: &Program, data: &Path, ports: &Ports, log: &Path) -> anyhow::Result<Self> {
        let log = File::create(log).context("make the log file")?;
        let mut command = program.command(data, ports);
        command.args(["up", "--listen", &format!("127.0.0.1:{}", ports.http)]);
        command.stderr(log.try_clone().context("share the log file")?).stdout(log);
        // Ctrl-C in a terminal is for this program, which then ends that one.
        command.process_group(0);
        let child = command.spawn().with_context(|| format!("start {}", program.flowtrail.display()))?;
        Ok(Self { child, data: data.to_owned() })
    }

    /// Its process id.
    pub(crate) fn id(&self) -> Option<u32> {
        self.child.id()
    }

    /// Waits until it ends by itself.
    pub(crate) async fn ended(&mut self) -> String {
        self.child.wait().await.map_or_else(|error| error.to_string(), |status| status.to_string())
    }

    /// Ends it, and with it its nats-server.
    pub(crate) async fn end(mut self) -> anyhow::Result<()> {
        self.ask_to_end();
        let in_time = tokio::time::timeout(STOPS_WITHIN, self.child.wait()).await.is_ok();
        if !in_time {
            self.child.kill().await.context("kill flowtrail")?;
        }
        end_nats_server(&self.data);
        if !in_time {
            bail!("flowtrail did not end within {STOPS_WITHIN:?} and was killed");
        }
        Ok(())
    }

    fn ask_to_end(&self) {
        if let Some(pid) = self.child.id().and_then(|id| Pid::from_raw(id.cast_signed())) {
            // It may have ended in this moment.
            let _ = kill_process(pid, Signal::TERM);
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.ask_to_end();
    }
}

/// One that crashed or was killed leaves its nats-server behind, and the file that names its process.
fn end_nats_server(data: &Path) {
    let pid = fs::read_to_string(data.join("nats/server.pid")).unwrap_or_default();
    let pid = pid.trim().parse().ok().and_then(Pid::from_raw);
    let Some(pid) = pid.filter(|pid| serves(*pid, data)) else { return };
    // It may have ended in this moment.
    let _ = kill_process(pid, Signal::TERM);
}

/// Whether the process is the nats-server on this data: a process id may have been given to another program since.
fn serves(pid: Pid, data: &Path) -> bool {
    let command_line = fs::read(format!("/proc/{}/cmdline", pid.as_raw_nonzero())).unwrap_or_default();
    String::from_utf8_lossy(&command_line).contains(&*data.to_string_lossy())
}
