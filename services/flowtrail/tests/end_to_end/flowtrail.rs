//! A running Flowtrail for one test, in one process or split over several. Everything it starts ends with it.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Output, Stdio};
use std::time::Duration;

use reqwest::header::AUTHORIZATION;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;
use testkit::{NatsServer, eventually, free_port};

/// How the roles are laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Topology {
    /// `flowtrail up`: one process with a nats-server of its own.
    Together,
    /// `run --roles projector,commands,streamer` and `run --roles gateway` on one NATS.
    Split,
    /// One process per role, each with the NATS user of `nats/permissions.conf` that is meant for it.
    LeastPrivilege,
}

impl Topology {
    /// The two that every promise holds in.
    pub(crate) const BOTH: [Self; 2] = [Self::Together, Self::Split];
}

/// Settings for tests that ask more, and faster, than anybody should.
pub(crate) const UNLIMITED: &[(&str, &str)] = &[
    ("FLOWTRAIL_AUDIT_READS", "false"),
    ("FLOWTRAIL_RATE_READS", "0"),
    ("FLOWTRAIL_RATE_WRITES", "0"),
    ("FLOWTRAIL_RATE_ADDRESS", "0"),
    ("FLOWTRAIL_RATE_UNKNOWN", "0"),
    ("FLOWTRAIL_RATE_SIGN_INS", "0"),
    ("FLOWTRAIL_RATE_SIGN_INS_NAME", "0"),
];

pub(crate) struct Flowtrail {
    pub(crate) directory: TempDir,
    pub(crate) nats_url: String,
    pub(crate) url: String,
    pub(crate) token: String,
    topology: Topology,
    /// What else the processes are told, as environment variables.
    settings: Vec<(String, String)>,
    /// MiB of the disk that the views are on, where they have one of their own.
    disk: Option<usize>,
    processes: Vec<Process>,
    /// The nats-server of the split topologies.
    nats: Option<NatsServer>,
    http: reqwest::Client,
}

impl Flowtrail {
    /// Reads are not recorded, as most tests count the events that they publish.
    pub(crate) async fn start(topology: Topology) -> Self {
        Self::start_with(topology, &[("FLOWTRAIL_AUDIT_READS", "false")]).await
    }

    /// Starts with the usual settings but for these.
    pub(crate) async fn start_with(topology: Topology, settings: &[(&str, &str)]) -> Self {
        Self::start_on(None, topology, settings).await
    }

    /// Starts in one process, with the views on a disk of so many MiB.
    pub(crate) async fn start_on_small_disk(disk: usize) -> Self {
        Self::start_on(Some(disk), Topology::Together, &[("FLOWTRAIL_AUDIT_READS", "false")]).await
    }

    async fn start_on(disk: Option<usize>, topology: Topology, settings: &[(&str, &str)]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let nats = match topology {
            Topology::Together => None,
            Topology::Split => Some(NatsServer::start().await),
            Topology::LeastPrivilege => Some(NatsServer::start_with(&guarded_configuration(directory.path())).await),
        };
        let nats_url = match (&nats, topology) {
            (Some(nats), Topology::LeastPrivilege) => as_user(&nats.url(), "operator"),
            (Some(nats), _) => nats.url(),
            // Until the first start makes one with a password.
            (None, _) => format!("nats://127.0.0.1:{}", free_port()),
        };
        // The streamer's build of the library has TLS without a provider of cryptography.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = http_client();
        let (url, token) = (String::new(), String::new());
        let settings = settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let processes = Vec::new();
        let mut flowtrail = Self { directory, nats_url, url, token, topology, settings, disk, processes, nats, http };
        flowtrail.start_processes();
        flowtrail.token = std::fs::read_to_string(flowtrail.data().join("admin.token")).unwrap().trim().to_owned();
        flowtrail
    }

    /// Starts the processes, again after [`Self::kill`].
    pub(crate) fn start_processes(&mut self) {
        match self.topology {
            Topology::Together => self.start_together(),
            Topology::Split => {
                self.processes.push(Process::start(
                    self.command(["run", "--roles", "projector,commands,streamer"]),
                    &self.logs(),
                ));
                self.url = self.add_gateway();
            }
            Topology::LeastPrivilege => {
                // Only the operator may make streams.
                self.succeed(["streams"]);
                for role in ["streamer", "commands", "projector", "gateway"] {
                    let mut command = self.command(["run", "--roles", role, "--listen", "127.0.0.1:0"]);
                    command.env("FLOWTRAIL_NATS_URL", as_user(self.nats.as_ref().unwrap().url().as_str(), role));
                    let process = Process::start(command, &self.logs());
                    self.url.clone_from(&process.url);
                    self.processes.push(process);
                }
            }
        }
    }

    fn start_together(&mut self) {
        let port = self.nats_url.rsplit(':').next().unwrap().to_owned();
        let mut command = self.command(["up", "--listen", "127.0.0.1:0", "--nats-port", &port]);
        if let Some(mib) = self.disk {
            command = on_disk_of_its_own(&command, &self.views(), mib, &self.logs());
        }
        let process = Process::start(command, &self.logs());
        self.url.clone_from(&process.url);
        self.processes.push(process);
        self.nats_url = std::fs::read_to_string(self.data().join("nats.url")).unwrap().trim().to_owned();
    }

    /// Starts one more gateway that asks over NATS, and gives its URL.
    pub(crate) fn add_gateway(&mut self) -> String {
        let process =
            Process::start(self.command(["run", "--roles", "gateway", "--listen", "127.0.0.1:0"]), &self.logs());
        let url = process.url.clone();
        self.processes.push(process);
        url
    }

    /// What else the processes were told.
    pub(crate) fn setting(&self, name: &str) -> Option<&str> {
        self.settings.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The id of the first process.
    pub(crate) fn id(&self) -> u32 {
        self.processes[0].child.id()
    }

    /// The id of the last process that was started.
    pub(crate) fn last_id(&self) -> u32 {
        self.processes.last().unwrap().child.id()
    }

    /// Where the views are.
    pub(crate) fn views(&self) -> PathBuf {
        self.data().join("views")
    }

    /// A path on the disk of the views that only the process itself has mounted.
    pub(crate) fn on_its_disk(&self, name: &str) -> PathBuf {
        let inside = self.views().join(name);
        Path::new("/proc").join(self.id().to_string()).join("root").join(inside.strip_prefix("/").unwrap())
    }

    /// Where each process that was told to shows its metrics.
    pub(crate) fn metrics_urls(&self) -> impl Iterator<Item = &str> {
        self.processes.iter().filter_map(|process| process.metrics_url.as_deref())
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.directory.path().join("data")
    }

    /// Where the processes' log lines are.
    pub(crate) fn logs(&self) -> PathBuf {
        self.directory.path().join("logs")
    }

    /// The nats-server's files.
    pub(crate) fn nats_store(&self) -> PathBuf {
        self.nats.as_ref().map_or_else(|| self.data().join("nats"), NatsServer::store)
    }

    fn command<S: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> Command {
        let mut command = flowtrail(&self.data());
        // Receivers are on loopback.
        command.env("FLOWTRAIL_EGRESS_ALLOW", "127.0.0.0/8");
        if self.nats.is_some() {
            command.env("FLOWTRAIL_NATS_URL", &self.nats_url);
        }
        command.args(arguments);
        command.envs(self.settings.iter().map(|(name, value)| (name, value)));
        let log = std::fs::File::options().create(true).append(true).open(self.logs()).unwrap();
        command.stderr(log);
        command
    }

    /// Runs a command of the binary to its end.
    pub(crate) fn run<S: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> Output {
        self.command(arguments).stderr(Stdio::piped()).stdin(Stdio::null()).output().unwrap()
    }

    /// Runs a command that must succeed, and gives what it printed.
    pub(crate) fn succeed<S: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> String {
        let output = self.run(arguments);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// A client of NATS that may do everything.
    pub(crate) async fn nats(&self) -> async_nats::Client {
        let server: async_nats::ServerAddr = self.nats_url.parse().unwrap();
        let options = match (server.username(), server.password()) {
            (Some(name), Some(password)) => {
                async_nats::ConnectOptions::with_user_and_password(name.to_owned(), password.to_owned())
            }
            (_, _) => async_nats::ConnectOptions::new(),
        };
        options.connect(server).await.unwrap()
    }

    /// A request with the admin's token.
    pub(crate) fn request(&self, method: &str, path: &str) -> reqwest::RequestBuilder {
        let method = method.parse().unwrap();
        let request = self.http.request(method, format!("{}{path}", self.url));
        request.header(AUTHORIZATION, format!("Token {}", self.token))
    }

    /// Sends a request as it is.
    pub(crate) async fn execute(&self, request: reqwest::Request) -> reqwest::Response {
        self.http.execute(request).await.unwrap()
    }

    /// The JSON answer to a GET that must succeed.
    pub(crate) async fn get(&self, path: &str) -> Value {
        let answer = self.request("GET", path).send().await.unwrap();
        let status = answer.status();
        let text = answer.text().await.unwrap();
        assert_eq!(status, 200, "{path}: {text}");
        serde_json::from_str(&text).unwrap()
    }

    /// The exact total of traffic records under a query.
    pub(crate) async fn traffic_total(&self, query: &str) -> u64 {
        let answer = self.get(&format!("/api/events/network-traffic?page_size=1{query}")).await;
        answer["total_records"].as_u64().unwrap()
    }

    /// Waits until there are so many traffic records.
    pub(crate) async fn has_traffic(&self, total: u64) {
        eventually("the traffic records are in the view", async || {
            (self.traffic_total("").await == total).then_some(())
        })
        .await;
    }

    /// Ends everything with SIGKILL, the own nats-server included.
    pub(crate) async fn kill(&mut self) {
        for process in self.processes.drain(..) {
            process.kill();
        }
        let pid = std::fs::read_to_string(self.data().join("nats/server.pid")).unwrap_or_default();
        if let Some(pid) = pid.trim().parse().ok().and_then(Pid::from_raw) {
            let _ = kill_process(pid, Signal::KILL);
        }
        if let Some(nats) = &mut self.nats {
            nats.kill().await;
            nats.restart().await;
        }
    }

    /// Ends our process with SIGKILL and leaves its nats-server running.
    pub(crate) fn kill_ourselves_only(&mut self) {
        for process in self.processes.drain(..) {
            process.kill();
        }
    }

    /// Ends projector and commands of the split topology, and keeps the gateway.
    pub(crate) fn kill_all_but_the_gateway(&mut self) {
        self.processes.remove(0).kill();
    }

    /// Loses the log of what has ended, as when its disk is gone. The data folder keeps everything else.
    pub(crate) async fn lose_the_log(&mut self) {
        assert!(self.processes.is_empty(), "it runs");
        if let Some(nats) = &mut self.nats {
            nats.stop().await;
        }
        std::fs::remove_dir_all(self.nats_store()).unwrap();
        if let Some(nats) = &mut self.nats {
            nats.restart().await;
        }
    }

    /// Ends the nats-server of a split topology, does something to its files, and starts it again.
    pub(crate) async fn while_nats_is_down(&mut self, harm: impl FnOnce(&Path)) {
        let nats = self.nats.as_mut().unwrap();
        nats.stop().await;
        harm(&nats.store());
        nats.restart().await;
    }

    /// Restores a backup into the log that was lost.
    pub(crate) fn restore(&self, backup: &Path) -> Output {
        let port = self.nats_url.rsplit(':').next().unwrap();
        self.run(["restore".as_ref(), backup.as_os_str(), "--nats-port".as_ref(), port.as_ref()])
    }

    /// Ends everything the friendly way and checks that it ended well.
    pub(crate) fn stop(&mut self) {
        for mut process in self.processes.drain(..).rev() {
            let pid = Pid::from_child(&process.child);
            kill_process(pid, Signal::TERM).unwrap();
            let status = process.child.wait().unwrap();
            let logs = std::fs::read_to_string(self.directory.path().join("logs")).unwrap_or_default();
            assert!(status.success(), "{status}:\n{logs}");
        }
    }
}

impl Drop for Flowtrail {
    fn drop(&mut self) {
        for process in self.processes.drain(..) {
            let mut child = process.child;
            // The friendly way, so that the nats-server goes with it.
            let _ = kill_process(Pid::from_child(&child), Signal::TERM);
            let _ = child.wait();
        }
    }
}

/// A process of ours, which has said that it is ready.
pub(crate) struct Process {
    pub(crate) child: Child,
    pub(crate) url: String,
    pub(crate) metrics_url: Option<String>,
    /// Kept open, as a terminal would be.
    _output: BufReader<ChildStdout>,
}

impl Process {
    pub(crate) fn start(mut command: Command, log: &Path) -> Self {
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let mut lines = output.by_ref().lines();
        let ready = lines.by_ref().find(|line| line.as_ref().is_ok_and(|line| line.contains("ready")));
        assert!(ready.is_some(), "it ended before it was ready: {:?}, {}", child.wait(), last_lines(log));
        let ready = ready.unwrap().unwrap();
        let mut said = ready.clone();
        if ready.ends_with("is ready.") {
            // `up` names the addresses in the lines after.
            for line in lines.map_while(Result::ok).take_while(|line| !line.starts_with("Try")) {
                said = format!("{said} {line}");
            }
        }
        let urls =
            said.split_whitespace().map(|word| word.trim_end_matches(',')).filter(|word| word.starts_with("http"));
        let (metrics, api): (Vec<&str>, Vec<&str>) = urls.partition(|url| url.ends_with("/metrics"));
        let url = api.first().copied().unwrap_or_default().to_owned();
        let metrics_url = metrics.first().map(|url| (*url).to_owned());
        Self { child, url, metrics_url, _output: output }
    }

    fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

/// What the system says of a process's memory, in KiB: `VmRSS` is what it has, `VmHWM` the most that it had.
pub(crate) fn memory_of(process: u32, name: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    line.unwrap().trim().trim_end_matches(" kB").parse().unwrap()
}

fn last_lines(log: &Path) -> String {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(20)..].join("\n")
}

/// A client of the gateway. It lets go of connections before the gateway ends them, which it does after 8 s without a
/// request: a client that asks just then is not answered.
pub(crate) fn http_client() -> reqwest::Client {
    reqwest::Client::builder().pool_idle_timeout(Duration::from_secs(3)).build().unwrap()
}

/// The binary under test, with nothing from the environment but the nats-server to use.
pub(crate) fn flowtrail(data: &Path) -> Command {
    let mut command = without_settings(Path::new(env!("CARGO_BIN_EXE_flowtrail")));
    command.env("FLOWTRAIL_DATA_DIR", data);
    command
}

/// A flowtrail with nothing from the environment but the nats-server to use.
pub(crate) fn without_settings(program: &Path) -> Command {
    let mut command = Command::new(program);
    for (name, _) in std::env::vars_os() {
        let is_setting = name.to_string_lossy().starts_with("FLOWTRAIL_") && name != "FLOWTRAIL_NATS_SERVER";
        if is_setting {
            command.env_remove(name);
        }
    }
    command
}

/// Says in the log of the tests that one was not run, and why.
#[expect(clippy::print_stderr, reason = "the log of the tests must say which were not run")]
pub(crate) fn not_run(why: &str) {
    eprintln!("NOT RUN: {why}");
}

/// Whether [`Flowtrail::start_on_small_disk`] is possible here.
pub(crate) fn can_mount() -> bool {
    let tried = Command::new(UNSHARE[0]).args(&UNSHARE[1..]).args(["mount", "-t", "tmpfs", "tmpfs", "/mnt"]).output();
    tried.is_ok_and(|output| output.status.success())
}

/// Gives a process mounts of its own, which end with it.
const UNSHARE: [&str; 3] = ["unshare", "--map-root-user", "--mount"];

/// The same command with an empty disk of so many MiB at `place`.
fn on_disk_of_its_own(command: &Command, place: &Path, mib: usize, log: &Path) -> Command {
    std::fs::create_dir_all(place).unwrap();
    let mut inside = Command::new(UNSHARE[0]);
    inside.args(&UNSHARE[1..]).args(["sh", "-c", r#"mount -t tmpfs -o "size=$2m" tmpfs "$1" && shift 2 && exec "$@""#]);
    inside.arg("sh").arg(place).arg(mib.to_string()).arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => inside.env(name, value),
            None => inside.env_remove(name),
        };
    }
    inside.stderr(std::fs::File::options().create(true).append(true).open(log).unwrap());
    inside
}

/// The shipped configuration with the users of the shipped example, all with the same password.
fn guarded_configuration(directory: &Path) -> PathBuf {
    let nats = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../nats");
    let read = |name| std::fs::read_to_string(nats.join(name)).unwrap();
    let mut configuration = read("server.conf") + &read("permissions.conf");
    for role in ["PUBLISHER", "PROJECTOR", "COMMANDS", "GATEWAY", "STREAMER", "OPERATOR"] {
        configuration = configuration.replace(&format!("$FLOWTRAIL_{role}_PASSWORD"), "secret");
    }
    let path = directory.join("guarded.conf");
    std::fs::write(&path, configuration).unwrap();
    path
}

fn as_user(url: &str, user: &str) -> String {
    url.replace("nats://", &format!("nats://{user}:secret@"))
}

/// A file of `samples/`.
pub(crate) fn sample(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("samples").join(name)
}
