//! A damaged log is noticed and named, and a view that still has what the log lost stays, until a person accepts the loss.

use std::fs::{self, File};
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use testkit::eventually;

use crate::drill::random_below;
use crate::flowtrail::{Flowtrail, Topology};

/// Events of which a few fill a file of the server.
const LARGE: usize = 24;
/// Bytes of each of them.
const LARGE_BYTES: usize = 800_000;
const SMALL: usize = 100;

/// The server's files of a stream, in order.
fn files_of(store: &Path, stream: &str) -> Vec<PathBuf> {
    let directory = store.join("jetstream/$G/streams").join(stream).join("msgs");
    let mut files: Vec<(u64, PathBuf)> = fs::read_dir(&directory)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "blk"))
        .map(|path| (path.file_stem().unwrap().to_str().unwrap().parse().unwrap(), path))
        .collect();
    files.sort();
    files.into_iter().map(|(_, path)| path).collect()
}

/// Overwrites 4 KiB in the middle of a file, as a bad sector does.
fn overwrite_middle(path: &Path) {
    let length = fs::metadata(path).unwrap().len();
    let mut file = File::options().write(true).open(path).unwrap();
    file.seek(SeekFrom::Start(length / 2)).unwrap();
    file.write_all(&[0x5a; 4096]).unwrap();
}

/// A text of so many bytes that nothing makes much shorter: batches are compressed on their way into the log.
fn text(bytes: usize) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";
    (0..bytes).map(|_| char::from(LETTERS[usize::try_from(random_below(64)).unwrap()])).collect()
}

/// Publishes events one by one, each of so many bytes.
async fn publish(flowtrail: &Flowtrail, prefix: &str, count: usize, bytes: usize) {
    for number in 0..count {
        let id = format!("{prefix}{number}");
        let event = json!({ "id": id, "event_type": "door.open", "meta": { "text": text(bytes) } });
        let answer = flowtrail.request("POST", "/api/events/audit").json(&event).send().await.unwrap();
        assert_eq!(answer.status(), 202);
    }
}

async fn has_events(flowtrail: &Flowtrail, count: usize) {
    eventually("the events are in the view", async || (events(flowtrail).await == count).then_some(())).await;
}

async fn events(flowtrail: &Flowtrail) -> usize {
    let answer = flowtrail.request("GET", "/api/events/audit?activity_code=door.open&limit=1").send().await.unwrap();
    answer.headers()["x-total-count"].to_str().unwrap().parse().unwrap()
}

/// What `flowtrail status` names as wrong with a stream or a view.
fn troubles(flowtrail: &Flowtrail, about: &str) -> Vec<String> {
    let told = flowtrail.succeed(["status", "--json"]);
    let lines = told.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let kinds = lines.filter(|line| line["about"] == about).map(|line| line["trouble"].as_str().unwrap().to_owned());
    kinds.collect()
}

/// Waits until the projector has found the server again.
async fn is_back(flowtrail: &Flowtrail) {
    eventually("the projector is back", async || flowtrail.run(["status"]).status.success().then_some(())).await;
}

fn refused(flowtrail: &Flowtrail) -> String {
    let output = flowtrail.run(["rebuild", "audit"]);
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(told.contains("--accept-loss"), "{told}");
    told
}

#[tokio::test]
async fn a_view_is_not_replaced_by_what_a_log_with_a_hole_still_has() {
    let settings = [("FLOWTRAIL_AUDIT_READS", "false"), ("FLOWTRAIL_METRICS_LISTEN", "127.0.0.1:0")];
    let mut flowtrail = Flowtrail::start_with(Topology::Split, &settings).await;
    publish(&flowtrail, "large", LARGE, LARGE_BYTES).await;
    has_events(&flowtrail, LARGE).await;
    assert!(troubles(&flowtrail, "FLOWTRAIL_AUDIT").is_empty());
    let before = flowtrail.succeed(["dump", "audit"]);

    flowtrail
        .while_nats_is_down(|store| {
            let files = files_of(store, "FLOWTRAIL_AUDIT");
            assert!(files.len() > 1, "what comes after the damage is whole");
            overwrite_middle(&files[0]);
        })
        .await;
    is_back(&flowtrail).await;
    // The server itself finds out when somebody reads there.
    let told = refused(&flowtrail);
    assert!(told.contains("missing from the stream"), "{told}");
    assert_eq!(flowtrail.succeed(["dump", "audit"]), before, "the last good view stays");
    assert_eq!(troubles(&flowtrail, "audit"), ["would_lose"]);
    eventually("the hole is named", async || (troubles(&flowtrail, "FLOWTRAIL_AUDIT") == ["damaged"]).then_some(()))
        .await;
    let logs = fs::read_to_string(flowtrail.logs()).unwrap();
    assert!(logs.contains("ERROR") && logs.contains("messages are missing from the stream"), "{logs}");
    let metrics_url = flowtrail.metrics_urls().next().unwrap().to_owned();
    let metrics = reqwest::get(metrics_url).await.unwrap().text().await.unwrap();
    assert!(metrics.contains(r#"flowtrail_troubles{about="FLOWTRAIL_AUDIT",trouble="damaged"} 1"#), "{metrics}");

    // It is kept up with what comes.
    publish(&flowtrail, "after", 1, 1).await;
    has_events(&flowtrail, LARGE + 1).await;

    flowtrail.succeed(["rebuild", "audit", "--accept-loss"]);
    let left = events(&flowtrail).await;
    assert!(left > 1 && left <= LARGE, "{left}");
    assert!(troubles(&flowtrail, "audit").is_empty());
    // What is accepted is not asked about again, though the log is as it is.
    flowtrail.succeed(["rebuild", "audit"]);
    assert_eq!(troubles(&flowtrail, "FLOWTRAIL_AUDIT"), ["damaged"]);
}

#[tokio::test]
async fn a_view_of_a_log_that_was_cut_off_answers_on_until_the_loss_is_accepted() {
    let mut flowtrail = Flowtrail::start(Topology::Split).await;
    publish(&flowtrail, "small", SMALL, 300).await;
    has_events(&flowtrail, SMALL).await;
    let before = flowtrail.succeed(["dump", "audit"]);
    flowtrail.while_nats_is_down(|store| overwrite_middle(&files_of(store, "FLOWTRAIL_AUDIT")[0])).await;
    is_back(&flowtrail).await;
    eventually("it is not rebuilt", async || (troubles(&flowtrail, "audit") == ["would_lose"]).then_some(())).await;
    assert_eq!(flowtrail.succeed(["dump", "audit"]), before, "the last good view stays");
    assert_eq!(events(&flowtrail).await, SMALL);
    refused(&flowtrail);
    assert_eq!(flowtrail.succeed(["dump", "audit"]), before, "also over an order");

    flowtrail.succeed(["rebuild", "audit", "--accept-loss"]);
    let left = events(&flowtrail).await;
    assert!(left > 0 && left < SMALL, "{left}");
    publish(&flowtrail, "after", 1, 1).await;
    has_events(&flowtrail, left + 1).await;
}

#[tokio::test]
async fn what_was_forgotten_or_deleted_on_purpose_is_no_damage() {
    let flowtrail = Flowtrail::start(Topology::Split).await;
    publish(&flowtrail, "old", 3, 1).await;
    has_events(&flowtrail, 3).await;
    let report = |n: u64| json!({ "id": format!("r{n}"), "reporter_id": "gw", "flow_id": format!("f{n}"), "type": "TYPE_START" });
    for number in 0..3 {
        let sent = flowtrail.request("POST", "/api/events/network-traffic").json(&report(number)).send().await.unwrap();
        assert_eq!(sent.status(), 202);
    }
    flowtrail.has_traffic(3).await;
    // By an operator, and by time.
    let jetstream = async_nats::jetstream::new(flowtrail.nats().await);
    jetstream.get_stream("FLOWTRAIL_TRAFFIC").await.unwrap().delete_message(2).await.unwrap();
    flowtrail.succeed(["retention", "audit", "--age", "1s", "--yes"]);
    let mut audit = jetstream.get_stream("FLOWTRAIL_AUDIT").await.unwrap();
    eventually("the log has forgotten", async || (audit.info().await.unwrap().state.messages == 0).then_some(())).await;
    flowtrail.succeed(["rebuild", "audit"]);
    flowtrail.succeed(["rebuild", "traffic"]);
    assert_eq!((events(&flowtrail).await, flowtrail.traffic_total("").await), (0, 2));
    for about in ["FLOWTRAIL_AUDIT", "FLOWTRAIL_TRAFFIC", "audit", "traffic"] {
        assert!(troubles(&flowtrail, about).is_empty(), "{about}");
    }
}
