//! A person is erased: out of every answer at once, out of the views' files with the rebuild, and whatever comes later.

use std::path::Path;

use serde_json::{Value, json};
use testkit::eventually;

use crate::flowtrail::{Flowtrail, Topology};
use crate::receiver::{Receiver, Reply};

const ID: &str = "qz7-wxkvjy";
/// What of the person must be nowhere.
const KNOWN: [&str; 4] = [ID, "xqwilma", "xq.wilma@example.com", "203.0.113.77"];
/// What names the person to whoever may not be named.
const PSEUDONYM: &str = "erased:";

/// An event of the person, who is called differently in each of its fields.
fn by_them(id: &str) -> Value {
    json!({
        "id": id, "event_type": "door.open", "actor_id": ID, "actor_name": "Xqwilma", "actor_email": "Xq.Wilma@example.com",
        "ip_address": "203.0.113.77", "path": format!("/users/{ID}"), "resource_id": "door-1",
        "event_payload": { "who": "xqwilma", "from": "203.0.113.77" },
    })
}

async fn publish(flowtrail: &Flowtrail, path: &str, events: &Value) {
    let answer = flowtrail.request("POST", path).json(events).send().await.unwrap();
    assert_eq!(answer.status(), 202);
}

/// Publishes what there is of the person: by them, about them, from them, and their name.
async fn publish_all(flowtrail: &Flowtrail) {
    let about = json!({ "id": "about", "event_type": "user.block", "actor_id": "bob", "actor_name": "Bob", "resource_id": ID,
        "meta": { "name": "Xqwilma" } });
    let mention =
        json!({ "id": "mention", "event_type": "mail.sent", "actor_id": "bob", "value": "to xq.wilma@example.com" });
    publish(flowtrail, "/api/events/audit", &json!([by_them("own"), about, mention])).await;
    let report = json!({ "flow_id": "f1", "type": "TYPE_START", "reporter_id": "gw", "user": { "id": ID, "name": "Xqwilma" },
        "source": { "id": "p1", "name": "xqwilma laptop", "address": "203.0.113.77:443" } });
    publish(flowtrail, "/api/events/network-traffic", &report).await;
    flowtrail.has_traffic(1).await;
    let entry = json!({ "specversion": "1.0", "id": "d1", "source": "/test", "type": "flowtrail.directory.user.v1",
        "data": { "id": ID, "name": "Xqwilma", "email": "xq.wilma@example.com" } });
    let nats = flowtrail.nats().await;
    nats.request(format!("flowtrail.v1.directory.main.user.{ID}"), entry.to_string().into()).await.unwrap();
    eventually("the name is in the view", async || flowtrail.succeed(["dump", "directory"]).contains(ID).then_some(()))
        .await;
}

/// All views, in their canonical form.
fn dumped(flowtrail: &Flowtrail) -> String {
    ["audit", "traffic", "directory"].map(|view| flowtrail.succeed(["dump", view])).concat()
}

fn named_in(text: &str) -> Vec<&'static str> {
    let text = text.to_lowercase();
    KNOWN.into_iter().filter(|known| text.contains(known)).collect()
}

/// What of the person stands in the files of a folder, as it is.
fn in_files(folder: &Path) -> Vec<&'static str> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap().map_while(Result::ok) {
        let path = entry.path();
        if path.is_dir() {
            found.extend(in_files(&path));
        } else if let Ok(bytes) = std::fs::read(&path) {
            found.extend(named_in(&String::from_utf8_lossy(&bytes)));
        }
    }
    found
}

async fn is_erased(topology: Topology) {
    let mut flowtrail = Flowtrail::start(topology).await;
    publish_all(&flowtrail).await;
    let before = dumped(&flowtrail);
    assert_eq!(named_in(&before), KNOWN);
    eventually("they are found in files", async || (!in_files(&flowtrail.views()).is_empty()).then_some(())).await;

    // What would be done is told, and nothing is done unasked.
    let told = flowtrail.succeed(["erase", "--actor", ID, "--dry-run"]);
    for line in ["1  audit events by them", "1  audit events about them", "1  traffic records", "1  entries"] {
        assert!(told.contains(line), "{told}");
    }
    let refused = flowtrail.run(["erase", "--actor", ID]);
    assert!(String::from_utf8_lossy(&refused.stderr).contains("add --yes"));
    let user = flowtrail.run(["erase", "--actor", "admin@local", "--yes"]);
    assert!(String::from_utf8_lossy(&user.stderr).contains("user delete admin@local"));
    assert_eq!(dumped(&flowtrail), before);

    // They are in no answer as soon as the command is done, and nothing else has changed.
    let told = flowtrail.succeed(["erase", "--actor", ID, "--yes", "--no-rebuild"]);
    assert!(told.contains("FLOWTRAIL_AUDIT: until 20") && told.contains("out of reach"), "{told}");
    assert_eq!(named_in(&told.replace(&format!("of {ID} in"), "")), Vec::<&str>::new(), "{told}");
    let live = dumped(&flowtrail);
    assert_eq!(named_in(&live), Vec::<&str>::new(), "{live}");
    for path in [
        "/api/events/audit?limit=100",
        "/flowtrail/v1/audit?limit=100",
        "/flowtrail/v1/traffic?limit=100",
        "/api/events/network-traffic",
        "/flowtrail/v1/audit/facets?field=actor,resource_id,ip_address",
        "/flowtrail/v1/audit/values?field=actor&prefix=",
        "/flowtrail/v1/audit/values?field=actor&prefix=qz7",
        "/flowtrail/v1/traffic/facets?field=user,src",
    ] {
        let answer = flowtrail.get(path).await.to_string();
        assert_eq!(named_in(&answer), Vec::<&str>::new(), "{path}: {answer}");
    }
    for search in KNOWN {
        assert_eq!(flowtrail.get(&format!("/api/events/audit?search={search}")).await, json!([]), "{search}");
        assert_eq!(flowtrail.traffic_total(&format!("&search={search}")).await, 0, "{search}");
    }
    let own = flowtrail.get("/flowtrail/v1/audit/own").await.to_string();
    assert!(own.contains(PSEUDONYM) && own.contains("door-1") && own.contains("door.open"), "{own}");
    let done = flowtrail.get("/api/events/audit?activity_code=person.erased").await;
    assert_eq!(done[0]["initiator_id"], "operator", "{done}");
    let directory = format!("flowtrail.v1.directory.main.user.{ID}");
    let jetstream = async_nats::jetstream::new(flowtrail.nats().await);
    let stream = jetstream.get_stream("FLOWTRAIL_DIRECTORY").await.unwrap();
    assert!(stream.get_last_raw_message_by_subject(&directory).await.is_err(), "the log has forgotten the name");

    // The views that are computed again are the same, and so they are after the next start.
    flowtrail.succeed(["erase", "--actor", ID, "--yes"]);
    let again = dumped(&flowtrail);
    let without_second = |dump: &str| -> Vec<String> {
        dump.lines().filter(|line| !line.contains("person.erased")).map(str::to_owned).collect()
    };
    assert_eq!(without_second(&again), without_second(&live));
    eventually("the files of the old generations are gone", async || {
        in_files(&flowtrail.views()).is_empty().then_some(())
    })
    .await;
    flowtrail.stop();
    flowtrail.start_processes();
    assert_eq!(dumped(&flowtrail), again);

    // Who is erased stays erased, also in what is said of them later, and in what comes again.
    publish(&flowtrail, "/api/events/audit", &json!([by_them("later"), by_them("own")])).await;
    let later = flowtrail.get("/flowtrail/v1/audit/later").await.to_string();
    assert!(later.contains(PSEUDONYM) && named_in(&later).is_empty(), "{later}");
    let letters = flowtrail.succeed(["dead-letters"]);
    assert!(letters.is_empty(), "what is known already is the same: {letters}");
    flowtrail.stop();
}

#[tokio::test]
async fn a_person_is_erased_in_one_process() {
    is_erased(Topology::Together).await;
}

#[tokio::test]
async fn a_person_is_erased_where_the_roles_are_apart() {
    is_erased(Topology::Split).await;
}

#[tokio::test]
async fn what_waits_for_delivery_or_is_read_from_the_log_is_erased() {
    let flowtrail = Flowtrail::start(Topology::Together).await;
    let receiver = Receiver::start().await;
    let config = json!({ "url": receiver.url(), "events": "audit" });
    let hook = json!({ "platform": "generic_http", "enabled": true, "config": config });
    let made = flowtrail.request("POST", "/api/event-streaming").json(&hook).send().await.unwrap();
    assert_eq!(made.status(), 200);
    let steer = async |verb: &str| {
        let request = flowtrail.request("POST", &format!("/api/event-streaming/1/{verb}")).json(&json!({}));
        assert_eq!(request.send().await.unwrap().status(), 200);
    };
    // One goes as it is, and shows that what follows could.
    publish(&flowtrail, "/api/events/audit", &by_them("delivered")).await;
    eventually("it arrived", async || (receiver.taken("delivered").len() == 1).then_some(())).await;
    assert!(receiver.bodies().contains(ID));
    steer("pause").await;
    receiver.forget();
    receiver.rule(|_| Reply::Status(200));
    publish(&flowtrail, "/api/events/audit", &by_them("waiting")).await;
    flowtrail.succeed(["erase", "--actor", ID, "--yes", "--no-rebuild"]);
    steer("resume").await;
    eventually("it arrived", async || (receiver.taken("waiting").len() == 1).then_some(())).await;
    let bodies = receiver.bodies();
    assert!(named_in(&bodies).is_empty() && bodies.contains(PSEUDONYM), "{bodies}");

    // A tail that is taken up before the erasure is told the same.
    let tail = flowtrail.request("GET", "/flowtrail/v1/audit/tail").header("Last-Event-ID", "1.0-1.0-1.0");
    let mut answer = tail.send().await.unwrap();
    let mut text = String::new();
    while !text.contains("waiting") {
        text += std::str::from_utf8(&answer.chunk().await.unwrap().unwrap()).unwrap();
    }
    assert!(named_in(&text).is_empty() && text.contains(PSEUDONYM), "{text}");
}
