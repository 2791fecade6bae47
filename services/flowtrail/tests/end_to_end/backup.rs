//! What was backed up comes back, whole, and everything goes on; what is damaged or would replace a log is refused.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use async_nats::jetstream;
use serde_json::{Value, json};
use testkit::{NatsServer, eventually, free_port};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use views::View;

use crate::flowtrail::{Flowtrail, Topology, flowtrail, sample};
use crate::receiver::Receiver;

const SECRET: &str = "Zq7-of-the-receiver";

/// Publishes an event straight to the log.
async fn publish(log: &jetstream::Context, family: &str, event: &Value) {
    let subject = format!("flowtrail.v1.{family}");
    log.publish(subject, event.to_string().into()).await.unwrap().await.unwrap();
}

fn opened(id: &str) -> Value {
    json!({ "specversion": "1.0", "id": id, "source": "/door", "type": "flowtrail.audit.recorded.v1",
            "data": { "event_type": "door.open" } })
}

/// The ids of the events of doors that a dump of the audit view has.
fn doors(dump: &str) -> BTreeSet<String> {
    let rows = dump.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let doors = rows.filter(|row| row["row"]["event_type"] == "door.open");
    doors.map(|row| row["row"]["id"].as_str().unwrap().to_owned()).collect()
}

fn ids(name: &str, numbers: std::ops::Range<usize>) -> BTreeSet<String> {
    numbers.map(|number| format!("{name}{number}")).collect()
}

fn dumps(flowtrail: &Flowtrail) -> Vec<(View, String)> {
    View::ALL.map(|view| (view, flowtrail.succeed(["dump", view.name()]))).into()
}

/// An integration that sends the secret with each event.
async fn integrate(flowtrail: &Flowtrail, receiver: &Receiver) {
    let headers = json!({ "x-config": SECRET }).to_string();
    let config = json!({ "url": receiver.url(), "events": "audit", "headers": headers });
    let integration = json!({ "platform": "generic_http", "enabled": true, "config": config });
    let answer = flowtrail.request("POST", "/api/event-streaming").json(&integration).send().await.unwrap();
    assert_eq!(answer.status(), 200, "{}", answer.text().await.unwrap());
}

/// Backs up into a folder beside the data folder.
fn back_up(flowtrail: &Flowtrail, name: &str) -> PathBuf {
    let path = flowtrail.directory.path().join(name);
    let said = flowtrail.succeed(["backup".as_ref(), path.as_os_str()]);
    assert!(said.contains("FLOWTRAIL_AUDIT") && said.contains("The master key is not in it"), "{said}");
    path
}

fn succeeded(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// The line that a command which must fail ends with.
fn refusal(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stderr.clone()).unwrap();
    said.lines().last().unwrap_or_default().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_backed_up_while_events_came_in_comes_back_in_a_fresh_data_folder() {
    let mut flowtrail = Flowtrail::start(Topology::Together).await;
    let log = jetstream::new(flowtrail.nats().await);
    let receiver = Receiver::start().await;
    integrate(&flowtrail, &receiver).await;
    let token = flowtrail.succeed(["token", "create", "--name", "ci", "--scopes", "audit:read"]).trim().to_owned();
    flowtrail.succeed(["import".into(), "zeek-conn".into(), sample("zeek-conn-scranton.ndjson")]);
    flowtrail.has_traffic(134).await;
    let peer = json!({ "specversion": "1.0", "id": "d1", "source": "/mesh", "type": "flowtrail.directory.peer.v1",
                       "data": { "id": "p1", "name": "laptop" } });
    publish(&log, "directory.main.peer.p1", &peer).await;
    publish(&log, "audit.main.door", &json!("no event")).await;
    for number in 0..100 {
        publish(&log, "audit.main.door", &opened(&format!("e{number}"))).await;
    }
    let letters = eventually("what is no event is a dead letter", async || {
        let letters = flowtrail.succeed(["dead-letters", "--json"]);
        (letters.lines().count() == 1).then_some(letters)
    })
    .await;

    // Publishers go on meanwhile.
    let stop = CancellationToken::new();
    let mut publisher = JoinSet::new();
    publisher.spawn({
        let (log, stop) = (log.clone(), stop.clone());
        async move {
            let mut number = 100;
            while !stop.is_cancelled() {
                publish(&log, "audit.main.door", &opened(&format!("e{number}"))).await;
                number += 1;
            }
            number
        }
    });
    let backup = back_up(&flowtrail, "backup");
    stop.cancel();
    let published = publisher.join_next().await.unwrap().unwrap();
    let before = eventually("the views have everything", async || {
        let dumps = dumps(&flowtrail);
        let (_, audit) = dumps.iter().find(|(view, _)| *view == views::audit::VIEW).unwrap();
        (doors(audit).len() == published).then_some(dumps)
    })
    .await;
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&backup), 0o700);
    for entry in fs::read_dir(&backup).unwrap() {
        assert_eq!(mode(&entry.unwrap().path()), 0o600);
    }

    flowtrail.stop();
    let key = flowtrail.directory.path().join("kept.key");
    fs::rename(flowtrail.data().join("master.key"), &key).unwrap();
    fs::remove_dir_all(flowtrail.data()).unwrap();
    let said = succeeded(&flowtrail.restore(&backup));
    assert!(
        said.contains("The master key of this log is needed") && said.contains("master.key is not there"),
        "{said}"
    );
    fs::rename(key, flowtrail.data().join("master.key")).unwrap();
    flowtrail.start_processes();

    let after = dumps(&flowtrail);
    for ((view, before), (_, after)) in before.iter().zip(&after) {
        if *view != views::audit::VIEW {
            assert_eq!(after, before, "{view:?}");
            continue;
        }
        // Everything up to some event, and each as it was.
        let found = doors(after);
        assert!(found.len() >= 100, "{}", found.len());
        assert_eq!(found, ids("e", 0..found.len()));
        let lines: BTreeSet<&str> = before.lines().collect();
        assert!(after.lines().all(|line| lines.contains(line)));
        assert_eq!(before.lines().count() - after.lines().count(), published - found.len());
    }
    assert_eq!(flowtrail.succeed(["dead-letters", "--json"]), letters);
    flowtrail.get("/api/events/audit?limit=1").await;
    flowtrail.token = token;
    flowtrail.get("/api/events/audit?limit=1").await;
    // Secrets open, and what comes now arrives.
    let log = jetstream::new(flowtrail.nats().await);
    for number in 0..20 {
        publish(&log, "audit.main.door", &opened(&format!("new{number}"))).await;
    }
    eventually("the receiver has what came after", async || {
        let taken: BTreeSet<String> = receiver.taken("new").into_iter().collect();
        (taken == ids("new", 0..20)).then_some(())
    })
    .await;
    assert!(receiver.got().iter().filter(|got| got.id.starts_with("new")).all(|got| got.config == SECRET));
    flowtrail.stop();
}

#[tokio::test]
async fn a_backup_goes_into_a_nats_without_a_log_and_views_of_another_one_are_rebuilt() {
    let mut flowtrail = Flowtrail::start(Topology::Split).await;
    let receiver = Receiver::start().await;
    integrate(&flowtrail, &receiver).await;
    let log = jetstream::new(flowtrail.nats().await);
    for number in 0..10 {
        publish(&log, "audit.main.door", &opened(&format!("kept{number}"))).await;
    }
    eventually("all is delivered", async || (receiver.taken("kept").len() == 10).then_some(())).await;
    let backup = back_up(&flowtrail, "backup");
    for number in 0..10 {
        publish(&log, "audit.main.door", &opened(&format!("lost{number}"))).await;
    }
    eventually("these too", async || (receiver.taken("lost").len() == 10).then_some(())).await;
    eventually("the view has them", async || (doors(&flowtrail.succeed(["dump", "audit"])).len() == 20).then_some(()))
        .await;

    let line = refusal(&flowtrail.restore(&backup));
    assert!(line.contains("Flowtrail runs on this NATS server (flowtrail-query answers)"), "{line}");
    flowtrail.stop();
    let line = refusal(&flowtrail.restore(&backup));
    assert!(
        line.contains("there is a log already, and nothing was changed: ") && line.contains("FLOWTRAIL_AUDIT ("),
        "{line}"
    );
    assert!(line.contains("A NATS server is needed that has none of these streams"), "{line}");
    flowtrail.lose_the_log().await;
    // Streams that were made and never used are none that would be lost.
    flowtrail.succeed(["streams"]);
    let said = succeeded(&flowtrail.restore(&backup));
    assert!(said.contains("The log is restored as of") && !said.contains("master key"), "{said}");

    // Publishers first, and past what the views had read; then the roles.
    let log = jetstream::new(flowtrail.nats().await);
    for number in 0..30 {
        publish(&log, "audit.main.door", &opened(&format!("new{number}"))).await;
    }
    flowtrail.start_processes();
    let wanted = &ids("kept", 0..10) | &ids("new", 0..30);
    eventually("the view is of the log that was restored", async || {
        (doors(&flowtrail.succeed(["dump", "audit"])) == wanted).then_some(())
    })
    .await;
    let live = flowtrail.succeed(["dump", "audit"]);
    flowtrail.succeed(["rebuild", "audit"]);
    assert_eq!(flowtrail.succeed(["dump", "audit"]), live);
    eventually("everything that is new is delivered", async || {
        let taken: BTreeSet<String> = receiver.taken("new").into_iter().collect();
        (taken == ids("new", 0..30)).then_some(())
    })
    .await;
}

#[tokio::test]
async fn damage_is_named_without_a_server_and_keeps_a_backup_from_being_restored() {
    let mut flowtrail = Flowtrail::start(Topology::Together).await;
    let backup = back_up(&flowtrail, "backup");
    let verify = |flowtrail: &Flowtrail| flowtrail.run(["backup".as_ref(), "--verify".as_ref(), backup.as_os_str()]);
    let again = refusal(&flowtrail.run(["backup".as_ref(), backup.as_os_str()]));
    assert!(again.contains("is there already"), "{again}");
    flowtrail.stop();
    assert!(succeeded(&verify(&flowtrail)).contains("is whole"));
    let sums = Command::new("sha256sum").args(["--check", "--quiet", "SHA256SUMS"]).current_dir(&backup).output();
    if let Ok(sums) = sums {
        assert!(sums.status.success(), "{}", String::from_utf8_lossy(&sums.stdout));
    }

    let file = backup.join("FLOWTRAIL_ACCESS.snapshot");
    let whole = fs::read(&file).unwrap();
    let mut damaged = whole.clone();
    let middle = damaged.len() / 2;
    damaged[middle] ^= 0x20;
    fs::write(&file, damaged).unwrap();
    let output = verify(&flowtrail);
    assert_eq!(output.status.code(), Some(1));
    let told = "FLOWTRAIL_ACCESS.snapshot: its SHA-256 is another one than when the backup was made";
    assert_eq!(String::from_utf8(output.stdout).unwrap().trim(), told);
    fs::remove_dir_all(flowtrail.data()).unwrap();
    let line = refusal(&flowtrail.restore(&backup));
    assert!(line.contains("the backup is damaged, and nothing was changed") && line.contains(told), "{line}");
    assert!(!flowtrail.data().exists());

    // Into a folder that something runs on it goes not, nor into one that has a log.
    fs::write(&file, whole).unwrap();
    succeeded(&flowtrail.restore(&backup));
    let line = refusal(&flowtrail.restore(&backup));
    assert!(line.contains("there is a log already") && line.contains("data/nats away first"), "{line}");
}

#[tokio::test]
async fn a_backup_that_breaks_off_leaves_nothing() {
    let server = NatsServer::start().await;
    let directory = tempfile::tempdir().unwrap();
    let folder = directory.path().join("backups");
    fs::create_dir(&folder).unwrap();
    let mut command = flowtrail(&directory.path().join("data"));
    command.env("FLOWTRAIL_NATS_URL", server.url()).arg("backup").arg(folder.join("today"));
    let line = refusal(&command.output().unwrap());
    assert!(line.contains("FLOWTRAIL_DELIVERY") && line.contains("stream not found"), "{line}");
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 0);

    let mut command = flowtrail(&directory.path().join("data"));
    command
        .env("FLOWTRAIL_NATS_URL", format!("nats://127.0.0.1:{}", free_port()))
        .arg("backup")
        .arg(folder.join("today"));
    assert!(refusal(&command.output().unwrap()).contains("connect to the log"));
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 0);
}
