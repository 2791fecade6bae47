//! Programs that stand in for receivers, from the pinned Python environment.

use std::ffi::OsString;
use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use tempfile::NamedTempFile;
use tokio::net::TcpStream;

use crate::eventually;

/// How often a stand-in is started whose port another program was faster to take.
const ATTEMPTS: usize = 3;

/// A server on loopback. It ends with its owner.
#[derive(Debug)]
pub struct StandIn {
    /// On loopback, on a free port.
    pub address: SocketAddr,
    child: Child,
    log: NamedTempFile,
}

impl StandIn {
    /// Starts a Python module; `arguments` are told the port.
    ///
    /// # Panics
    /// Without the Python environment, or when it does not listen in time.
    pub async fn start(module: &str, arguments: impl Fn(u16) -> Vec<String>) -> Self {
        Self::python(["-m".into(), module.into()], arguments).await
    }

    /// Starts a program of `standins/`; `arguments` are told the port.
    ///
    /// # Panics
    /// Like [`StandIn::start`].
    pub async fn start_program(program: &str, arguments: impl Fn(u16) -> Vec<String>) -> Self {
        Self::python([path_of(program).into()], arguments).await
    }

    async fn python<const N: usize>(what: [OsString; N], arguments: impl Fn(u16) -> Vec<String>) -> Self {
        let command = |port| {
            let mut command = python();
            command.args(&what).args(arguments(port));
            command
        };
        Self::start_command(command).await
    }

    /// Starts whatever command listens on the port that it is told.
    ///
    /// # Panics
    /// When it does not listen in time.
    #[expect(clippy::panic, reason = "a test fails by panicking")]
    pub async fn start_command(command: impl Fn(u16) -> Command) -> Self {
        for _ in 0..ATTEMPTS {
            let port = free_port();
            let mut command = command(port);
            let log = NamedTempFile::new().expect("make a file");
            let errors = log.reopen().expect("open the file");
            command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(errors);
            let child = command.spawn().expect("start the stand-in");
            let mut stand_in = Self { address: SocketAddr::from((Ipv4Addr::LOCALHOST, port)), child, log };
            if stand_in.listens().await {
                return stand_in;
            }
        }
        panic!("it ends whenever it is started");
    }

    /// Waits until it listens. False: it has ended, as one does whose port was taken in the meantime.
    async fn listens(&mut self) -> bool {
        // Python reads a lot before it listens.
        eventually("the stand-in listens", async || {
            if self.child.try_wait().expect("look after it").is_some() {
                return Some(false);
            }
            TcpStream::connect(self.address).await.ok().map(|_| true)
        })
        .await
    }

    /// What it wrote to its standard error.
    ///
    /// # Panics
    /// When it cannot be read.
    #[must_use]
    pub fn log(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(self.log.path()).expect("read the log")).into_owned()
    }

    /// `http://` and its address.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for StandIn {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Free a moment ago; where another program is faster, the one it was for fails to start.
///
/// # Panics
/// When there is none.
#[must_use]
pub fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("find a port");
    listener.local_addr().expect("have an address").port()
}

fn python() -> Command {
    let python = std::env::var_os("FLOWTRAIL_TEST_PYTHON").expect("run ./just test: it installs the stand-ins");
    let mut command = Command::new(python);
    command.env("PYTHONDONTWRITEBYTECODE", "1");
    command
}

fn path_of(program: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("standins").join(program)
}

/// Runs a program of `standins/` to its end, with `input`, and gives what it says.
///
/// # Panics
/// When it fails; the message is its own.
pub async fn run_stand_in(program: &str, arguments: &[&str], input: String) -> String {
    run(python(), program, arguments, input).await
}

/// Runs a program of `standins/` that needs query engines, and gives what it says. None where there are none.
///
/// # Panics
/// When it fails; the message is its own.
pub async fn run_reader(program: &str, arguments: &[&str]) -> Option<String> {
    let python = std::env::var_os("FLOWTRAIL_TEST_READERS").filter(|path| !path.is_empty())?;
    Some(run(Command::new(python), program, arguments, String::new()).await)
}

async fn run(mut command: Command, program: &str, arguments: &[&str], input: String) -> String {
    command.arg(path_of(program)).args(arguments);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let to_its_end = move || {
        let mut child = command.spawn().expect("start Python");
        let mut stdin = child.stdin.take().expect("it has an input");
        // One that needs no input may have ended.
        let _ = stdin.write_all(input.as_bytes());
        drop(stdin);
        child.wait_with_output().expect("wait for it")
    };
    let output = tokio::task::spawn_blocking(to_its_end).await.expect("it runs");
    assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("it says text")
}
