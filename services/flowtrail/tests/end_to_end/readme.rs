//! The README's examples work as printed.

use std::path::{Path, PathBuf};
use std::process::Command;

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
