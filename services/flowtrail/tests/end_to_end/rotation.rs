//! Another master key takes the place of the first, and what was sealed before opens.

use std::fs;

use async_nats::jetstream;
use serde_json::json;
use testkit::eventually;

use crate::flowtrail::{Flowtrail, Topology};
use crate::receiver::Receiver;

const SECRET: &str = "Rk5-of-the-receiver";

fn port(flowtrail: &Flowtrail) -> &str {
    flowtrail.nats_url.rsplit(':').next().unwrap()
}

/// Rotates to a key beside the first; gives what it said, or why not.
fn rotate(flowtrail: &Flowtrail) -> Result<String, String> {
    let new = flowtrail.data().join("master.key.new");
    let output = flowtrail.run(["rotate-master-key", new.to_str().unwrap(), "--nats-port", port(flowtrail)]);
    let [told, why] = [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap());
    if output.status.success() { Ok(told) } else { Err(why) }
}

/// What a start says that must not get further.
fn refusal(flowtrail: &Flowtrail) -> String {
    let output = flowtrail.run(["up", "--listen", "127.0.0.1:0", "--nats-port", port(flowtrail)]);
    assert!(!output.status.success());
    let said = String::from_utf8(output.stderr).unwrap();
    said.lines().last().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn secrets_open_by_the_new_master_key_and_by_no_other() {
    let mut flowtrail = Flowtrail::start(Topology::Together).await;
    let receiver = Receiver::start().await;
    let headers = json!({ "x-config": SECRET }).to_string();
    let config = json!({ "url": receiver.url(), "events": "audit", "headers": headers });
    let integration = json!({ "platform": "generic_http", "enabled": true, "config": config });
    let answer = flowtrail.request("POST", "/api/event-streaming").json(&integration).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    let (key, new) = (flowtrail.data().join("master.key"), flowtrail.data().join("master.key.new"));
    let said = rotate(&flowtrail).unwrap_err();
    assert!(said.contains("already runs on"), "{said}");
    flowtrail.stop();
    let said = rotate(&flowtrail).unwrap();
    assert!(said.contains("of 1 integrations"), "{said}");
    // Again, it has nothing left to do.
    rotate(&flowtrail).unwrap();

    let told = "is another master key than the one that secrets in the log are sealed with";
    assert!(refusal(&flowtrail).ends_with(told), "{}", refusal(&flowtrail));
    fs::rename(&new, &key).unwrap();
    flowtrail.start_processes();
    receiver.forget();
    let event = json!({ "id": "e1", "event_type": "door.open" });
    assert_eq!(flowtrail.request("POST", "/api/events/audit").json(&event).send().await.unwrap().status(), 202);
    eventually("it is delivered", async || (receiver.taken("e1").len() == 1).then_some(())).await;
    assert!(receiver.got().iter().all(|got| got.config == SECRET));
    flowtrail.stop();
}

#[tokio::test]
async fn while_a_rotation_is_not_over_nothing_starts_and_no_other_begins() {
    let mut flowtrail = Flowtrail::start(Topology::Together).await;
    let log = jetstream::new(flowtrail.nats().await);
    // As an attempt with a third key leaves it that ends at its beginning.
    log.publish("$KV.FLOWTRAIL_KEYS.master-rotation", "of a third key".into()).await.unwrap().await.unwrap();
    flowtrail.stop();
    assert!(refusal(&flowtrail).contains("is being rotated"), "{}", refusal(&flowtrail));
    let said = rotate(&flowtrail).unwrap_err();
    assert!(said.contains("a rotation to another master key has begun"), "{said}");
}
