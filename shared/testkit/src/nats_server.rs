//! A real nats-server for one test: a free loopback port, a temporary store, the configuration that is shipped.
//!
//! Invariant: only the process started here is ever signalled, by its id, and none outlives its [`NatsServer`].

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;
use tokio::process::{Child, Command};

use crate::eventually;

/// The configuration that `flowtrail up` gives its own server.
const CONFIGURATION: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../nats/server.conf");

/// How long a server may take to start again.
const STARTS_WITHIN: Duration = Duration::from_secs(60);
/// How long a server may take to end by itself after SIGTERM.
const STOPS_WITHIN: Duration = Duration::from_secs(60);

/// A running (or stopped) nats-server. Dropping it kills the server and removes the store.
#[derive(Debug)]
pub struct NatsServer {
    // Dropped in this order: a server that still runs would make its store again.
    process: Option<Child>,
    directory: TempDir,
    configuration: PathBuf,
    port: Option<u16>,
}

impl NatsServer {
    /// Starts a server with `nats/server.conf` on a port of its own.
    ///
    /// # Panics
    /// Without a nats-server binary, or when it does not come up in time.
    pub async fn start() -> Self {
        Self::start_with(Path::new(CONFIGURATION)).await
    }

    /// Starts a server with another configuration file; its port and store are overridden.
    ///
    /// # Panics
    /// Like [`NatsServer::start`].
    pub async fn start_with(configuration: &Path) -> Self {
        let directory = tempfile::tempdir().expect("make a directory for the nats-server");
        let mut server = Self { directory, configuration: configuration.to_owned(), port: None, process: None };
        server.restart().await;
        server
    }

    /// The URL for clients. It stays the same over restarts.
    #[must_use]
    pub fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port.unwrap_or_default())
    }

    /// Where the server keeps its streams.
    #[must_use]
    pub fn store(&self) -> PathBuf {
        self.directory.path().join("store")
    }

    /// Ends the server the friendly way (SIGTERM) and waits for it; store and port stay.
    ///
    /// # Panics
    /// When it does not end.
    pub async fn stop(&mut self) {
        let Some(mut process) = self.process.take() else { return };
        let id = process.id().and_then(|id| Pid::from_raw(id.cast_signed()));
        kill_process(id.expect("the server is running"), Signal::TERM).expect("signal the nats-server");
        let ended = tokio::time::timeout(STOPS_WITHIN, process.wait()).await;
        ended.expect("the nats-server ends in time").expect("wait for the nats-server");
    }

    /// Ends the server as a power cut of its process would (SIGKILL); store and port stay.
    ///
    /// # Panics
    /// When it cannot be killed.
    pub async fn kill(&mut self) {
        let Some(mut process) = self.process.take() else { return };
        process.kill().await.expect("kill the nats-server");
    }

    /// Starts the server again on the same store and port, after stopping it where it still runs.
    ///
    /// # Panics
    /// Like [`NatsServer::start`].
    #[expect(clippy::panic, reason = "a test fails by panicking")]
    pub async fn restart(&mut self) {
        self.stop().await;
        let started = Instant::now();
        loop {
            let mut process = self.spawn();
            if let Some(port) = port_of(&mut process, self.directory.path()).await {
                self.port = Some(port);
                self.process = Some(process);
                return;
            }
            // On the port from before, another program can be for a moment; on a port of its own nothing can.
            if self.port.is_none() || started.elapsed() > STARTS_WITHIN {
                let log = std::fs::read_to_string(self.log()).unwrap_or_default();
                panic!("the nats-server does not start:\n{log}");
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    fn log(&self) -> PathBuf {
        self.directory.path().join("log")
    }

    fn spawn(&self) -> Child {
        let log = std::fs::File::options().create(true).append(true).open(self.log());
        Command::new(binary())
            .arg("--config")
            .arg(&self.configuration)
            .arg("--store_dir")
            .arg(self.store())
            .arg("--ports_file_dir")
            .arg(self.directory.path())
            // -1: the server takes a free port itself, so that parallel tests cannot race for one.
            .arg("--port")
            .arg(self.port.map_or("-1".to_owned(), |port| port.to_string()))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log.expect("make the nats-server's log"))
            .kill_on_drop(true)
            .spawn()
            .expect("start the nats-server")
    }
}

/// The port the process listens on, once it does; `None` when it has ended instead.
async fn port_of(process: &mut Child, directory: &Path) -> Option<u16> {
    let file = directory.join(format!("nats-server_{}.ports", process.id()?));
    let port = eventually("the nats-server listens or has ended", async || {
        if process.try_wait().expect("look after the nats-server").is_some() {
            return Some(None);
        }
        let ports: serde_json::Value = serde_json::from_slice(&std::fs::read(&file).ok()?).ok()?;
        let url = ports["nats"][0].as_str()?;
        Some(url.rsplit_once(':').and_then(|(_, port)| port.parse().ok()))
    })
    .await;
    // A killed server leaves its file behind, and process ids come again.
    let _ = std::fs::remove_file(&file);
    port
}

/// `FLOWTRAIL_NATS_SERVER`, else `.tools/bin/nats-server` of the checkout, else the one on PATH.
#[expect(clippy::panic, reason = "a test fails by panicking")]
fn binary() -> PathBuf {
    if let Some(named) = std::env::var_os("FLOWTRAIL_NATS_SERVER") {
        return named.into();
    }
    let installed = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().map(|up| up.join(".tools/bin/nats-server"));
    let path = std::env::var_os("PATH").unwrap_or_default();
    let on_path = std::env::split_paths(&path).map(|directory| directory.join("nats-server"));
    let found = installed.chain(on_path).find(|candidate| candidate.is_file());
    found.unwrap_or_else(|| panic!("no nats-server found: run ./just test, which installs one"))
}
