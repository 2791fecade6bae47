//! `flowtrail doctor` finds nothing where all is well, and names what is wrong with what to do.

use std::os::unix::fs::PermissionsExt;

use serde_json::Value;
use testkit::eventually;

use crate::flowtrail::{Flowtrail, Topology};

/// What it finds, by what it is about.
fn findings(flowtrail: &Flowtrail, code: i32) -> Vec<(String, String, Value)> {
    let output = flowtrail.run(["doctor", "--json"]);
    let told = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(code), "{told}{}", String::from_utf8_lossy(&output.stderr));
    let read = |line: &str| {
        let finding: Value = serde_json::from_str(line).unwrap();
        let text = |name: &str| finding[name].as_str().unwrap().to_owned();
        (text("about"), text("verdict"), finding)
    };
    told.lines().map(read).collect()
}

#[tokio::test]
async fn what_is_well_is_called_well_and_what_is_not_comes_with_a_remedy() {
    let mut flowtrail = Flowtrail::start(Topology::Together).await;
    let found = findings(&flowtrail, 0);
    let about: Vec<&str> = found.iter().map(|(about, _, _)| about.as_str()).collect();
    assert_eq!(about, ["data folder", "disk", "log", "streams", "clock", "master key", "views", "dead letters"]);
    for (about, verdict, finding) in &found {
        // Where the tests run there may be little room.
        assert!(verdict == "well" || about == "disk", "{finding}");
    }

    // A file that others can read, a stream that was changed, an event that no view takes.
    let key = flowtrail.data().join("master.key");
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).unwrap();
    let jetstream = async_nats::jetstream::new(flowtrail.nats().await);
    let mut config = jetstream.get_stream("FLOWTRAIL_TRAFFIC").await.unwrap().cached_info().config.clone();
    config.duplicate_window /= 2;
    jetstream.update_stream(&config).await.unwrap();
    jetstream.publish("flowtrail.v1.audit.main.x", "no event".into()).await.unwrap().await.unwrap();
    let found = eventually("the dead letter is found", async || {
        let found = findings(&flowtrail, 1);
        found.iter().any(|(about, verdict, _)| about == "dead letters" && verdict == "warning").then_some(found)
    })
    .await;
    for (about, verdict, told) in [
        ("data folder", "broken", "master.key"),
        ("streams", "broken", "FLOWTRAIL_TRAFFIC: duplicate_window"),
        ("dead letters", "warning", "events that are in no view: 1"),
    ] {
        let (_, found_verdict, finding) = found.iter().find(|(own, _, _)| own == about).unwrap();
        assert_eq!(found_verdict, verdict, "{finding}");
        assert!(finding["said"].as_str().unwrap().contains(told) && finding["remedy"].is_string(), "{finding}");
    }

    // Nobody is there: it says so, on a line that a person reads.
    flowtrail.stop();
    let output = flowtrail.run(["doctor"]);
    let told = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1), "{told}");
    let line = told.lines().find(|line| line.starts_with("BROKEN   log ")).unwrap_or_else(|| panic!("{told}"));
    assert!(line.contains("start Flowtrail"), "{line}");
}
