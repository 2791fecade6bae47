//! `flowtrail export` writes what the API answers, and a file only where that is whole.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::flowtrail::{Flowtrail, Topology, UNLIMITED, flowtrail as program};
use crate::scripted::{Scripted, answer};
use crate::terminal::on_terminal;

const EVENTS: usize = 6000;

async fn with_events(topology: Topology) -> Flowtrail {
    let flowtrail = Flowtrail::start_with(topology, UNLIMITED).await;
    for first in (0..EVENTS).step_by(2000) {
        let event = |number: usize| {
            json!({ "id": format!("e{number}"), "event_type": "door.open", "actor_id": "alice", "error_message": "=1+1",
                    "task_id": 9_007_199_254_740_993_u64, "meta": { "text": "a, \"b\"\nc".repeat(20) } })
        };
        let events: Vec<Value> = (first..first + 2000).map(event).collect();
        let sent = flowtrail.request("POST", "/api/events/audit").json(&events).send().await.unwrap();
        assert_eq!(sent.status(), 202);
    }
    testkit::eventually("all are listed", async || {
        (flowtrail.get("/flowtrail/v1/audit?limit=1&q=actor:alice").await["total"] == EVENTS).then_some(())
    })
    .await;
    flowtrail
}

fn names(directory: &Path) -> Vec<String> {
    let names = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.collect()
}

async fn exports(topology: Topology) {
    let flowtrail = with_events(topology).await;
    let directory = tempfile::tempdir().unwrap();
    for format in ["ndjson", "csv", "parquet"] {
        let path = format!("/flowtrail/v1/audit/export?q=actor:alice&format={format}");
        let answered = flowtrail.request("GET", &path).send().await.unwrap().bytes().await.unwrap();
        let file = directory.path().join(format!("events.{format}"));
        fs::write(&file, "of yesterday").unwrap();
        let words = ["export", "audit", "actor:alice", "--url", &flowtrail.url];
        let said = flowtrail.succeed([words.as_slice(), &["--output", file.to_str().unwrap()]].concat());
        assert_eq!(said, "");
        assert!(fs::read(&file).unwrap() == answered, "{format}");
        let piped = flowtrail.run([words.as_slice(), &["--format", format]].concat());
        assert!(piped.status.success() && piped.stdout == answered, "{format}");
    }
    assert_eq!(names(directory.path()).len(), 3);
    let file = directory.path().join("events.ndjson");
    let lines = fs::read_to_string(&file).unwrap();
    assert_eq!(lines.lines().count(), EVENTS + 1);
    assert!(lines.lines().last().unwrap().contains(r#""complete":true"#));
    // A period, and none of another family.
    let none = ["export", "audit", "--url", &flowtrail.url, "--to", "2020-01-01", "--format", "csv"];
    assert_eq!(flowtrail.succeed(none).lines().count(), 1);
    assert_eq!(flowtrail.succeed(["export", "traffic", "--url", &flowtrail.url]).lines().count(), 1);
}

#[tokio::test]
async fn an_export_is_what_the_api_answers_in_every_form() {
    exports(Topology::Together).await;
}

#[tokio::test]
async fn an_export_is_what_the_api_answers_with_split_roles() {
    exports(Topology::Split).await;
}

#[tokio::test]
async fn of_an_export_that_is_not_whole_there_is_no_file() {
    let directory = tempfile::tempdir().unwrap();
    let end = r#"{"flowtrail":{"as_of":"FLOWTRAIL_AUDIT:1","complete":true,"count":1}}"#.to_owned() + "\n";
    let (item, row, whole) =
        ("{\"id\":\"1\"}\n", "id\r\n1\r\n", "flowtrail-complete: true\r\nflowtrail-count: 1\r\n\r\n");
    for (file, pieces, ending, told) in [
        // It breaks off.
        ("a.ndjson", vec![item], None, "the answer broke off"),
        ("a.ndjson", vec![item, &end], None, "the answer broke off"),
        ("a.csv", vec![row], None, "the answer broke off"),
        ("a.parquet", vec!["PAR1rows"], None, "the answer broke off"),
        // It ends well, as what stands in between may make it end, and its own mark is missing.
        ("a.ndjson", vec![item], Some("\r\n"), "no last line that says"),
        ("a.ndjson", vec![item, item, &end], Some("\r\n"), "says that it has 1 rows, and it has 2"),
        ("a.csv", vec![row], Some("\r\n"), "no trailer that says"),
        ("a.parquet", vec!["PAR1rows"], Some("\r\n"), "no footer of Parquet"),
        // It is whole.
        ("a.ndjson", vec![item, &end], Some("\r\n"), ""),
        ("a.csv", vec![row], Some(whole), ""),
    ] {
        let server = Scripted::start(vec![answer("text/plain", &pieces, ending)]).await;
        let (place, text) = (directory.path().join(file), pieces.concat());
        let mut command = program(directory.path());
        command.args(["export", "audit", "--url", &server.url, "--token", "t", "--output"]).arg(&place);
        let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        if told.is_empty() {
            assert_eq!((output.status.code(), said.as_str()), (Some(0), ""), "{file}");
            assert_eq!(fs::read_to_string(&place).unwrap(), text);
            fs::remove_file(&place).unwrap();
        } else {
            assert_eq!(output.status.code(), Some(1), "{file}: {said}");
            assert!(said.contains(told) && said.contains("a.") && said.contains("was not written"), "{file}: {said}");
        }
        assert_eq!(names(directory.path()), Vec::<String>::new(), "{file}");
        assert!(server.requests()[0].contains("\r\nte: trailers\r\n"), "{:?}", server.requests());
    }
}

#[tokio::test]
async fn parquet_is_not_for_a_terminal_and_a_written_file_is_told_there() {
    let flowtrail = Flowtrail::start(Topology::Together).await;
    let run = |words: &[&str]| {
        let mut command = program(&flowtrail.data());
        command.env("FLOWTRAIL_URL", &flowtrail.url).args(words);
        on_terminal(command)
    };
    let (status, seen) = run(&["export", "audit", "--format", "parquet"]);
    assert_eq!(status.code(), Some(2), "{seen}");
    assert!(seen.contains("name a file with --output") && !seen.contains("PAR1"), "{seen}");
    let file = flowtrail.directory.path().join("a.ndjson");
    let (status, seen) = run(&["export", "audit", "--output", file.to_str().unwrap()]);
    let rows = fs::read_to_string(&file).unwrap().lines().count() - 1;
    assert!(status.success() && seen.contains(&format!("a.ndjson: {rows} rows, as of FLOWTRAIL_")), "{seen}");
}
