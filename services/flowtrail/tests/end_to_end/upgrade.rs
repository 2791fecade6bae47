//! The data folder of an older version goes on with this one: `tests/upgrade` has one, and how it was made.

use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use testkit::eventually;

use crate::flowtrail::{Flowtrail, Topology};
use crate::receiver::Receiver;

/// The folder of commit 48bafc7, packed.
const PACKED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/upgrade/48bafc7.tar.zst");
/// What is in it, as its README says.
const EVENTS: usize = 50;
const SECRET: &str = "Kq2-of-the-older-receiver";

/// Makes the folder what it was when the older version had stopped.
pub(crate) fn unpack(folder: &Path) {
    std::fs::create_dir_all(folder).unwrap();
    let packed = std::fs::File::open(PACKED).unwrap();
    let mut tar = Command::new("tar").arg("--extract").current_dir(folder).stdin(Stdio::piped()).spawn().unwrap();
    zstd::stream::copy_decode(packed, tar.stdin.take().unwrap()).unwrap();
    assert!(tar.wait().unwrap().success());
}

/// Whether a list has all audit events of the folder.
pub(crate) fn check(events: &Value) {
    let codes = events.as_array().unwrap().iter().map(|event| event["activity_code"].as_str().unwrap());
    assert_eq!(codes.filter(|code| *code == "door.open").count(), EVENTS, "{events}");
}

#[tokio::test]
async fn the_data_folder_of_an_older_version_goes_on_with_all_that_it_had() {
    let settings = [("FLOWTRAIL_AUDIT_READS", "false")];
    let mut flowtrail = Flowtrail::start_with(Topology::Together, &settings).await;
    flowtrail.stop();
    std::fs::remove_dir_all(flowtrail.data()).unwrap();
    unpack(&flowtrail.data());
    flowtrail.token = std::fs::read_to_string(flowtrail.data().join("admin.token")).unwrap().trim().to_owned();
    flowtrail.start_processes();
    check(&flowtrail.get("/api/events/audit?limit=1000").await);
    assert_eq!(flowtrail.traffic_total("").await, 10);
    assert_eq!(flowtrail.succeed(["user", "list"]).lines().count(), 2, "admin@local and the one that was made");

    // Its integration was made disabled, for a receiver that is no more. The secret is kept as it is, and opens.
    let receiver = Receiver::start().await;
    let headers = json!({ "x-config": "****" }).to_string();
    let change = json!({ "enabled": true, "config": { "url": receiver.url(), "headers": headers } });
    let answer = flowtrail.request("PUT", "/api/event-streaming/1").json(&change).send().await.unwrap();
    assert_eq!(answer.status(), 200, "{}", answer.text().await.unwrap());
    let event = json!({ "id": "new", "event_type": "door.open" });
    let answer = flowtrail.request("POST", "/api/events/audit").json(&event).send().await.unwrap();
    assert_eq!(answer.status(), 202);
    eventually("what comes now is delivered", async || (receiver.taken("new").len() == 1).then_some(())).await;
    assert!(receiver.got().iter().all(|got| got.config == SECRET));
    // Computed again from the older version's log, the views are what they are.
    for view in ["audit", "traffic", "access", "integrations", "directory"] {
        let live = flowtrail.succeed(["dump", view]);
        flowtrail.succeed(["rebuild", view]);
        assert_eq!(flowtrail.succeed(["dump", view]), live, "{view}");
    }
    flowtrail.stop();
}
