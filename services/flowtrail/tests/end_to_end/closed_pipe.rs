//! Commands whose reader has gone away end quietly.

use std::process::Stdio;

use crate::flowtrail::{Flowtrail, Topology, flowtrail as program};

#[tokio::test]
async fn a_command_that_nobody_reads_ends_without_a_word() {
    let flowtrail = Flowtrail::start(Topology::Together).await;
    let file = flowtrail.directory.path().join("event.ndjson");
    std::fs::write(&file, r#"{"id":"1","event_type":"door.open","time":"2024-01-31T12:00:00Z"}"#).unwrap();
    let import = format!("import audit {}", file.display());
    let own = ["config", "completions zsh", "doctor", "retention", "status", "account list", "user list", "token list"];
    let asking = ["query audit", "tail audit", "export audit", "facets audit", "top traffic"];
    for command in own.into_iter().chain(["dump access", "rebuild access", &import]).chain(asking) {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut started = program(&flowtrail.data());
        started.env("FLOWTRAIL_NATS_URL", &flowtrail.nats_url).env("FLOWTRAIL_URL", &flowtrail.url);
        started.args(command.split(' '));
        let ended = started.stdin(Stdio::null()).stdout(writer).stderr(Stdio::piped()).output().unwrap();
        let said = String::from_utf8_lossy(&ended.stderr);
        assert_eq!((ended.status.code(), said.as_ref()), (Some(0), ""), "{command}");
    }
}
