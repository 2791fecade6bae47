//! syslog-ng, at its defaults but for where it listens and what it writes.

use std::process::Command;

use serde_json::Value;
use testkit::{eventually, free_port};
use tokio::net::TcpStream;

use crate::daemon::{Daemon, program};

/// Its source for messages that are counted in octets, and the one for a message on each line.
const CONFIGURATION: &str = r#"
@version: 3.38
source counted { syslog(transport("tcp") ip("127.0.0.1") port(COUNTED)); };
source lines { network(transport("tcp") ip("127.0.0.1") port(LINES) flags(syslog-protocol)); };
destination written { file("DIRECTORY/written" template(
  "$(format-json host=$HOST app=$PROGRAM kind=$MSGID text=$MESSAGE data=${.SDATA.flowtrail@32473.id})\n")); };
log { source(counted); source(lines); destination(written); };
"#;

pub(crate) struct SyslogNg {
    daemon: Daemon,
    /// By framing: counted in octets, lines.
    ports: [u16; 2],
}

impl SyslogNg {
    /// None: it cannot be had on this machine.
    pub(crate) async fn start() -> Option<Self> {
        let program = program("syslog-ng", "FLOWTRAIL_TEST_SYSLOG_NG", "--version")?;
        let directory = tempfile::tempdir().unwrap();
        let ports = [free_port(), free_port()];
        let [counted, lines] = ports.map(|port| port.to_string());
        let configuration = CONFIGURATION.replace("COUNTED", &counted).replace("LINES", &lines);
        let mut command = Command::new(program);
        command.args(["--foreground", "--no-caps"]);
        for (option, file) in [("--persist-file", "persist"), ("--pidfile", "pid"), ("--control", "control")] {
            command.arg(option).arg(directory.path().join(file));
        }
        command.arg("--cfgfile");
        let daemon = Daemon::start("syslog-ng", command, directory, &configuration);
        for port in ports {
            eventually("syslog-ng listens", async || TcpStream::connect(("127.0.0.1", port)).await.ok()).await;
        }
        Some(Self { daemon, ports })
    }

    /// Where it listens for a framing.
    pub(crate) fn address(&self, framing: &str) -> String {
        format!("127.0.0.1:{}", self.ports[usize::from(framing == "newline")])
    }

    /// What it wrote, once there are so many messages.
    pub(crate) async fn written(&self, count: usize) -> Vec<Value> {
        let lines = eventually("syslog-ng has written all messages", async || {
            let text = self.daemon.read("written");
            (text.lines().count() >= count && text.ends_with('\n')).then_some(text)
        })
        .await;
        lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}
