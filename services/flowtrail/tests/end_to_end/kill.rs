//! Killed at any moment, nothing acknowledged is lost and nothing is doubled.
//!
//! `just drill` runs the same with more rounds and records: see the two variables below.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::drill::{number, random_below};
use crate::flowtrail::{Flowtrail, Topology};

/// Reports of distinct flows: a start and an end for each, far apart in the file.
fn reports(directory: &Path, records: u64) -> PathBuf {
    let line = |record: u64, kind: &str, second: u64| {
        format!(
            r#"{{"id":"{kind}-{record}","time":"2024-01-01T{:02}:{:02}:{second:02}Z","flow_id":"flow-{record}","type":"TYPE_{kind}","reporter_id":"gw-{}","protocol":6,"direction":"EGRESS","source":{{"address":"10.0.0.{}:1000"}},"destination":{{"address":"10.1.0.1:443"}}}}"#,
            record / 3600 % 24,
            record / 60 % 60,
            record % 7,
            record % 200,
        )
    };
    let starts = (0..records).map(|record| line(record, "START", 1));
    let ends = (0..records).map(|record| line(record, "END", 30));
    let file = directory.join("reports.ndjson");
    std::fs::write(&file, starts.chain(ends).collect::<Vec<_>>().join("\n")).unwrap();
    file
}

#[tokio::test]
async fn killed_during_an_import_everything_is_there_once_after_the_import_is_repeated() {
    let records = number("FLOWTRAIL_DRILL_RECORDS", 10_000) as u64;
    for round in 0..number("FLOWTRAIL_DRILL_ROUNDS", 4) {
        let topology = if round % 2 == 0 { Topology::Together } else { Topology::Split };
        let mut flowtrail = Flowtrail::start(topology).await;
        let file = reports(flowtrail.directory.path(), records);
        let mut import = Command::new(env!("CARGO_BIN_EXE_flowtrail"));
        import.args(["import", "traffic"]).arg(&file).env("FLOWTRAIL_NATS_URL", &flowtrail.nats_url);
        let mut import = import.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        // About the time that the import takes, so that any phase of it is met.
        let moment = Duration::from_millis(random_below(records / 40 + 300));
        tokio::time::sleep(moment).await;
        import.kill().unwrap();
        import.wait().unwrap();
        flowtrail.kill().await;

        flowtrail.start_processes();
        let before = flowtrail.traffic_total("").await;
        flowtrail.succeed(["import".into(), "traffic".into(), file]);
        let patience = std::time::Instant::now();
        loop {
            let total = flowtrail.traffic_total("").await;
            let ends = flowtrail.traffic_total("&type=TYPE_END").await;
            assert!(total <= records, "a record is there twice");
            if total == records && ends == records {
                break;
            }
            assert!(patience.elapsed() < Duration::from_secs(120), "{total} records, {ends} ends of {records}");
        }
        let live = flowtrail.succeed(["dump", "traffic"]);
        let said = flowtrail.succeed(["rebuild", "traffic"]);
        assert_eq!(flowtrail.succeed(["dump", "traffic"]), live, "the rebuilt view equals the live one");
        println!(
            "round {round}, {topology:?}: killed after {moment:?} with {before} of {records} records; {}",
            said.trim()
        );
        flowtrail.stop();
    }
}
