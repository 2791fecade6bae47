//! The README's examples work as printed.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use crate::flowtrail::{Flowtrail, Topology};

fn example(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples").join(name)
}

#[test]
fn the_readme_prints_the_examples_as_they_are() {
    let readme = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../README.md")).unwrap();
    for name in ["publish.py", "publish.rs"] {
        let text = std::fs::read_to_string(example(name)).unwrap();
        assert!(readme.contains(&text), "README.md does not print services/flowtrail/examples/{name} as it is");
    }
}

/// Runs an example against a fresh Flowtrail, then looks for what it published.
async fn publishes(mut command: Command, audit_event: &str) {
    let flowtrail = Flowtrail::start(Topology::Together).await;
    let output = command.arg(&flowtrail.nats_url).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    testkit::eventually("its event is in the view", async || {
        let events = flowtrail.get("/api/events/audit?activity_code=invoice.pay").await;
        (events[0]["id"] == audit_event).then_some(())
    })
    .await;
}

#[tokio::test]
async fn the_python_example_publishes() {
    let python = std::env::var_os("FLOWTRAIL_TEST_PYTHON").expect("run ./just test: it installs the Python clients");
    let mut command = Command::new(python);
    command.arg(example("publish.py"));
    publishes(command, "invoice-43-paid").await;
}

#[tokio::test]
async fn the_rust_example_publishes() {
    // Cargo builds the examples beside the tests: <profile>/examples and <profile>/deps.
    let test = std::env::current_exe().unwrap();
    publishes(Command::new(test.parent().unwrap().with_file_name("examples").join("publish")), "invoice-42-paid").await;
}

/// The canonical fields of the table, each with the names that the dialects give it; a dialect that has none: `""`.
const DIALECTS: [(&str, [&str; 3]); 14] = [
    ("event id", ["id", "id", ""]),
    ("time", ["timestamp", "created_at", "timestamp"]),
    ("`event_type`", ["activity_code", "event_type", ""]),
    ("`activity`", ["activity", "", ""]),
    ("`event_group`", ["", "event_group", ""]),
    ("`status`", ["", "status", "response"]),
    ("`actor_id`", ["initiator_id", "actor_id", ""]),
    ("`actor_email`", ["initiator_email", "", "user_name"]),
    ("`actor_type`", ["", "actor_type", ""]),
    ("`resource_type`", ["", "resource_type", "entity_type"]),
    ("`resource_id`", ["target_id", "resource_id", "entity_id"]),
    ("`ip_address`", ["", "ip_address", "ip_address"]),
    ("`operation`", ["", "", "operation"]),
    ("`meta`", ["meta", "event_payload", "value"]),
];

#[tokio::test]
async fn one_event_is_in_all_dialects_as_the_readme_shows() {
    let flowtrail = Flowtrail::start(Topology::Together).await;
    let event = json!({
        "id": "e-42", "time": "2024-01-31T12:00:00Z", "event_type": "route.add", "actor_id": "u1",
        "actor_email": "alice@example.com", "resource_type": "route", "resource_id": "r1", "ip_address": "203.0.113.7",
        "meta": {"range": "10.64.0.0/24"},
    });
    let answer = flowtrail.request("POST", "/api/events/audit").json(&event).send().await.unwrap();
    assert_eq!(answer.status(), 202);
    let netbird = flowtrail.get("/api/events/audit?activity_code=route.add").await[0].take();
    let instavm = flowtrail.get("/v1/audit/events?event_type=route.add").await["items"][0].take();
    let logs = flowtrail.request("POST", "/api/ni/logs/audit").json(&json!({"entity_id": "r1"})).send().await.unwrap();
    let vrni = serde_json::from_str::<Value>(&logs.text().await.unwrap()).unwrap()["results"][0].take();

    let mut table = "| | NetBird | InstaVM | vRNI |\n|---|---|---|---|\n".to_owned();
    for (field, names) in DIALECTS {
        let cell = |(shown, name): (&Value, &str)| match name {
            "" => "–".to_owned(),
            name => format!("`{name}`: `{}`", shown[name]),
        };
        let cells = [&netbird, &instavm, &vrni].into_iter().zip(names).map(cell);
        table += &format!("| {field} | {} |\n", cells.collect::<Vec<_>>().join(" | "));
    }
    let readme = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../README.md")).unwrap();
    assert!(readme.contains(&table), "README.md does not show this table:\n{table}");
}
