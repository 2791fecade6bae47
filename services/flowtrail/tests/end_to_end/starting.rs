//! Starting and stopping: what cannot work is one clear line and a non-zero exit.

use std::net::TcpListener;
use std::path::Path;

use testkit::free_port;

use crate::flowtrail::{Flowtrail, Topology, flowtrail};

/// The line that a start which must fail ends with.
fn refusal(data: &Path, arguments: &[&str]) -> String {
    let output = flowtrail(data).arg("up").args(["--listen", "127.0.0.1:0"]).args(arguments).output().unwrap();
    assert!(!output.status.success());
    let errors = String::from_utf8(output.stderr).unwrap();
    let line = errors.lines().find(|line| line.starts_with("error: "));
    line.unwrap_or_else(|| panic!("no clear line in {errors}")).to_owned()
}

#[test]
fn a_taken_port_is_named_with_the_ways_out() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let data = tempfile::tempdir().unwrap();
    let line = refusal(data.path(), &["--nats-port", &port]);
    assert!(line.contains(&format!("port {port} is taken")) && line.contains("FLOWTRAIL_NATS_PORT"), "{line}");
}

#[test]
fn a_missing_nats_server_is_named_with_the_ways_out() {
    let data = tempfile::tempdir().unwrap();
    let line = refusal(data.path(), &["--nats-server", "/nowhere/nats-server"]);
    assert!(line.contains("no nats-server found") && line.contains("FLOWTRAIL_NATS_URL"), "{line}");
}

#[cfg(unix)]
#[test]
fn a_nats_server_that_is_too_old_or_ends_at_once_is_refused() {
    use std::os::unix::fs::PermissionsExt;
    let data = tempfile::tempdir().unwrap();
    let program = data.path().join("nats-server");
    let pretend = |script: &str| {
        std::fs::write(&program, format!("#!/bin/sh\n{script}\n")).unwrap();
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
        let port = free_port().to_string();
        refusal(data.path(), &["--nats-server", program.to_str().unwrap(), "--nats-port", &port])
    };
    let line = pretend("echo nats-server: v2.10.26");
    assert!(line.contains("is version 2.10.26; Flowtrail needs 2.14.0 or newer"), "{line}");
    // What a server without room for its store does.
    let full = "if [ \"$1\" = --version ]; then echo nats-server: v2.15.1; exit; fi
        while [ $# -gt 0 ]; do if [ \"$1\" = --log ]; then echo '[FTL] no space left on device' > \"$2\"; fi; shift; done
        exit 1";
    let line = pretend(full);
    assert!(line.contains("ended at once") && line.contains("no space left on device"), "{line}");
}

#[test]
fn nobody_at_the_given_nats_url_is_one_clear_line() {
    let data = tempfile::tempdir().unwrap();
    let url = format!("nats://127.0.0.1:{}", free_port());
    let line = refusal(data.path(), &["--nats-url", &url]);
    assert!(line.contains(&format!("connect to nats at {url}")), "{line}");
}

#[tokio::test]
async fn it_stops_on_sigterm_and_starts_again_with_everything() {
    let mut flowtrail = Flowtrail::start(Topology::Together).await;
    let event = serde_json::json!({"id": "e1", "event_type": "door.open"});
    let answer = flowtrail.request("POST", "/api/events/audit").json(&event).send().await.unwrap();
    assert_eq!(answer.status(), 202);
    flowtrail.stop();
    assert!(!flowtrail.data().join("nats/server.pid").exists(), "the own nats-server ended with it");
    flowtrail.start_processes();
    assert_eq!(flowtrail.get("/api/events/audit?activity_code=door.open").await.as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_nats_server_left_behind_by_a_killed_run_is_replaced() {
    let mut flowtrail = Flowtrail::start(Topology::Together).await;
    flowtrail.kill_ourselves_only();
    flowtrail.start_processes();
    flowtrail.get("/api/events/audit").await;
}
