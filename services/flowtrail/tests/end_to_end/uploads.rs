//! However much is sent at once: events on their way in take no more memory than the operator gave them.

use std::io::Write;

use reqwest::StatusCode;
use reqwest::header::RETRY_AFTER;
use serde_json::json;
use testkit::eventually;
use tokio::task::JoinSet;

use crate::flowtrail::{Flowtrail, Topology, UNLIMITED, memory_of};

/// How many bodies are sent at once.
const UPLOADS: usize = 64;
/// What they may take together, in MiB.
const BUDGET: u64 = 128;
/// What the process may take in addition, in MiB: itself, and what stands in its connections.
const BESIDE: u64 = 100;
/// The most bytes of a body, unpacked.
const LIMIT: usize = 8 << 20;

/// Bodies that are small as they are sent and take much to be read.
fn shapes() -> Vec<Vec<u8>> {
    let line = "{\"event_type\":\"a\"},".repeat(60_000);
    let members: String = (0..200_000).map(|number| format!(",\"m{number}\":1")).collect();
    let deep = format!("{{\"event_type\":\"a\",\"meta\":{{\"m\":{}1{}}}}},", "[".repeat(60), "]".repeat(60));
    let bodies = [
        // Nothing but blanks, and what is no event, as often as it fits in.
        " ".repeat(LIMIT),
        format!("[{}1]", "1,".repeat(LIMIT / 2 - 2)),
        // Many small events, deep ones, and one with many members.
        format!("[{line}{{\"event_type\":\"a\"}}]"),
        format!("[{}{{\"event_type\":\"a\"}}]", deep.repeat(10_000)),
        format!("{{\"event_type\":\"a\"{members}}}"),
        // One that is as long as it may be, in its envelope.
        format!("{{\"event_type\":\"a\",\"meta\":{{\"long\":\"{}\"}}}}", "x".repeat(LIMIT - 1000)),
    ];
    bodies.map(String::into_bytes).into()
}

/// A body as it is sent, with its encoding.
fn packed(body: &[u8]) -> [(&'static str, Vec<u8>); 2] {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(body).unwrap();
    [("gzip", gzip.finish().unwrap()), ("zstd", zstd::encode_all(body, 3).unwrap())]
}

#[tokio::test]
async fn many_bodies_that_unpack_to_much_take_no_more_memory_than_events_may() {
    let budget = BUDGET.to_string();
    let settings = [UNLIMITED, &[("FLOWTRAIL_INGEST_MB", budget.as_str())]].concat();
    let mut flowtrail = Flowtrail::start_with(Topology::Split, &settings).await;
    let gateway = flowtrail.last_id();
    let bodies: Vec<(&str, Vec<u8>)> = shapes().iter().flat_map(|body| packed(body)).collect();
    let mut sending = JoinSet::new();
    for (encoding, body) in bodies.iter().cycle().take(UPLOADS) {
        let request = flowtrail.request("POST", "/api/events/audit").header("content-encoding", *encoding);
        sending.spawn(request.body(body.clone()).send());
    }
    let mut answers = Vec::new();
    while let Some(answer) = sending.join_next().await {
        let answer = answer.unwrap().unwrap();
        let (status, again) = (answer.status(), answer.headers().contains_key(RETRY_AFTER));
        let text = answer.text().await.unwrap();
        match status {
            StatusCode::ACCEPTED | StatusCode::BAD_REQUEST => {}
            StatusCode::SERVICE_UNAVAILABLE => assert!(again, "{text}"),
            _ => panic!("{status}: {text}"),
        }
        answers.push(status);
    }
    let peak = memory_of(gateway, "VmHWM") >> 10;
    let count = |status| answers.iter().filter(|answer| **answer == status).count();
    let [taken, told_to_come_again] = [StatusCode::ACCEPTED, StatusCode::SERVICE_UNAVAILABLE].map(count);
    println!("{peak} MiB at most; {taken} of {UPLOADS} taken in, {told_to_come_again} told to come again");
    assert!(peak < BUDGET + BESIDE, "{peak} MiB");
    assert!(taken > 0, "{answers:?}");
    // What was taken is given back.
    let event = json!({ "id": "after", "event_type": "a" });
    eventually("events are taken in again", async || {
        let answer = flowtrail.request("POST", "/api/events/audit").json(&event).send().await.unwrap();
        (answer.status() == StatusCode::ACCEPTED).then_some(())
    })
    .await;
    flowtrail.stop();
}
