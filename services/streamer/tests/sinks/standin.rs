//! Programs of others that stand in for receivers, from the pinned Python environment.

use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::{interval, timeout};

/// A server on loopback. It ends with its owner.
pub(crate) struct StandIn {
    pub(crate) address: SocketAddr,
    child: Child,
}

impl StandIn {
    /// Starts a Python module; `arguments` are told the port.
    pub(crate) async fn start(module: &str, arguments: impl Fn(u16) -> Vec<String>) -> Self {
        let port = free_port();
        let mut command = python();
        command.args(["-m", module]).args(arguments(port)).stdin(Stdio::null());
        let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let stand_in = Self { address, child };
        // Python reads a lot before it listens, and the machine may be busy.
        let mut ticks = interval(Duration::from_millis(50));
        let listens = async {
            while TcpStream::connect(address).await.is_err() {
                ticks.tick().await;
            }
        };
        timeout(Duration::from_secs(60), listens).await.expect("the stand-in listens");
        stand_in
    }
}

/// Free a moment ago; where another program was faster, whoever wanted it fails to start.
pub(crate) fn free_port() -> u16 {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port()
}

impl Drop for StandIn {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn python() -> Command {
    let python = std::env::var_os("FLOWTRAIL_TEST_PYTHON").expect("run ./just test: it installs the stand-ins");
    let mut command = Command::new(python);
    command.env("PYTHONDONTWRITEBYTECODE", "1");
    command
}

/// Runs a program of `tests/standins` to its end, with `input`, and gives what it says.
pub(crate) async fn run(program: &str, arguments: &[&str], input: String) -> String {
    let mut command = python();
    command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/standins").join(program)).args(arguments);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let run = move || {
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        child.wait_with_output().unwrap()
    };
    let output = tokio::task::spawn_blocking(run).await.unwrap();
    assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}
