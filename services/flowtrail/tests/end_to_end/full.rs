//! A full disk: projection stands still and says so, reads go on, and it goes on alone when there is room.

use std::fs;
use std::io::Write;
use std::path::PathBuf;

use serde_json::{Value, json};
use testkit::eventually;

use crate::flowtrail::{Flowtrail, can_mount, not_run};

/// The views' disk; small, and large enough for what stays free on it.
const DISK_MIB: usize = 192;
const MIB: usize = 1 << 20;

fn reports(from: u64, to: u64) -> Value {
    let report = |n: u64| {
        json!({
            "id": format!("r{n}"), "reporter_id": "gw", "flow_id": format!("f{n}"), "type": "TYPE_START",
            "source": {"address": format!("10.0.{}.{}:1000", n / 250 % 250, n % 250)},
        })
    };
    (from..to).map(report).collect()
}

/// When the disk becomes full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Moment {
    /// Everything was written.
    AtRest,
    /// Something is being written, and cannot be.
    WhileWriting,
}

async fn publish(flowtrail: &Flowtrail, reports: &Value) {
    let answer = flowtrail.request("POST", "/api/events/network-traffic").json(reports).send().await.unwrap();
    assert_eq!(answer.status(), 202);
}

async fn reads_go_on_and_projection_when_there_is_room_again(moment: Moment) {
    if !can_mount() {
        return not_run("no disk can be mounted here, so none can be filled");
    }
    let flowtrail = Flowtrail::start_on_small_disk(DISK_MIB).await;
    publish(&flowtrail, &reports(0, 1000)).await;
    flowtrail.has_traffic(1000).await;

    let ballast = flowtrail.on_its_disk("ballast");
    let filling = tokio::task::spawn_blocking({
        let ballast = ballast.clone();
        move || fill(&ballast)
    });
    let mut published = 1000;
    if moment == Moment::AtRest {
        filling.await.unwrap();
    } else {
        while !filling.is_finished() {
            publish(&flowtrail, &reports(published, published + 500)).await;
            published += 500;
        }
    }
    publish(&flowtrail, &reports(published, published + 1000)).await;
    published += 1000;
    eventually("it says that it stands still", async || {
        let said = fs::read_to_string(flowtrail.logs()).unwrap();
        said.contains("the view cannot be written and stands still").then_some(())
    })
    .await;
    let seen = flowtrail.traffic_total("").await;
    assert!((1000..published).contains(&seen), "{seen} of {published}");
    for _ in 0..20 {
        assert_eq!(flowtrail.traffic_total("").await, seen, "reads go on, of what is there");
    }
    assert_eq!(flowtrail.request("GET", "/healthz").send().await.unwrap().status(), 200);

    fs::remove_file(&ballast).unwrap();
    flowtrail.has_traffic(published).await;
    publish(&flowtrail, &reports(published, published + 1000)).await;
    flowtrail.has_traffic(published + 1000).await;
    let live = flowtrail.succeed(["dump", "traffic"]);
    flowtrail.succeed(["rebuild", "traffic"]);
    assert_eq!(flowtrail.succeed(["dump", "traffic"]), live, "nothing was lost or doubled");
}

#[tokio::test]
async fn on_a_full_disk_reads_go_on_and_projection_when_there_is_room_again() {
    reads_go_on_and_projection_when_there_is_room_again(Moment::AtRest).await;
}

#[tokio::test]
async fn what_cannot_be_written_any_more_comes_back_from_the_log() {
    reads_go_on_and_projection_when_there_is_room_again(Moment::WhileWriting).await;
}

/// Writes until nothing more can be written.
fn fill(path: &PathBuf) {
    let mut file = fs::File::create(path).unwrap();
    let block = vec![1; MIB];
    let mut written = 0;
    while written < DISK_MIB && file.write_all(&block).is_ok() {
        written += 1;
    }
    assert!(written > DISK_MIB / 2, "the disk had no room for {written} MiB");
}
