//! What the views could not take in is listed with its reason, and is driven again once the cause is mended.

use std::future::ready;

use bus::{Access, Bus, Endpoint, Options, Outgoing, Refusal, ServiceInfo};
use bytes::Bytes;
use feed::write::{NewEvent, write};
use model::dead_letter::{DeadLetter, RECORDED};
use model::log::{AccountId, LogPosition, Stream, Subject};
use model::time::Timestamp;
use serde_json::{Value, json};
use testkit::eventually;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use views::store::{Batch, Checkpoint};
use views::{View, Views};

use crate::flowtrail::{Flowtrail, Topology};

const LIST: &str = "/flowtrail/v1/dead-letters";

fn main() -> AccountId {
    AccountId::parse("main").unwrap()
}

async fn bus(flowtrail: &Flowtrail) -> Bus {
    let name = "operator".to_owned();
    Bus::connect(&Options { url: flowtrail.nats_url.clone(), access: Access::default(), name }).await.unwrap()
}

fn outgoing(subject: Subject, payload: &Value) -> Outgoing {
    Outgoing {
        subject,
        message_id: None,
        headers: Vec::new(),
        payload: payload.to_string().into(),
        expected_last: None,
    }
}

fn audit_event(id: &str, data: &Value) -> Value {
    json!({ "specversion": "1.0", "id": id, "source": "/test", "type": "flowtrail.audit.recorded.v1", "data": data })
}

fn traffic_report(id: &str) -> Value {
    let data = json!({ "flow_id": "f-1", "protocol": 6, "tx_bytes": 7 });
    json!({ "specversion": "1.0", "id": id, "source": "/test", "type": "flowtrail.traffic.reported.v1", "data": data })
}

/// Runs `redrive`; gives its exit code and what it printed.
fn redrive(flowtrail: &Flowtrail) -> (Option<i32>, String) {
    let output = flowtrail.run(["redrive"]);
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    (output.status.code(), String::from_utf8(output.stdout).unwrap())
}

/// The letters of everybody, as the command line lists them.
fn listed(flowtrail: &Flowtrail, arguments: &[&str]) -> Vec<Value> {
    let lines = flowtrail.succeed([&["dead-letters", "--json"], arguments].concat());
    lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Messages in the stream of dead letters.
async fn stored(flowtrail: &Flowtrail) -> u64 {
    bus(flowtrail).await.state(Stream::DeadLetter).await.unwrap().messages
}

async fn an_account_sees_its_own(topology: Topology) {
    let flowtrail = Flowtrail::start(topology).await;
    let jetstream = async_nats::jetstream::new(flowtrail.nats().await);
    let bad = audit_event("bad-1", &json!({ "actor_id": "alice\u{7}" })).to_string();
    for subject in ["audit.main.billing", "audit.other.billing", "audit.m%n.billing"] {
        let subject = format!("flowtrail.v1.{subject}");
        jetstream.publish(subject, bad.clone().into()).await.unwrap().await.unwrap();
    }
    eventually("each has its letter", async || (listed(&flowtrail, &[]).len() == 3).then_some(())).await;

    let page = flowtrail.get(LIST).await;
    assert_eq!((page["total"].as_u64(), &page["next"]), (Some(1), &Value::Null), "{page}");
    let letter = &page["items"][0];
    assert_eq!(letter["position"].as_str().unwrap().split(':').next(), Some("FLOWTRAIL_AUDIT"));
    assert_eq!(letter["subject"], "flowtrail.v1.audit.main.billing");
    assert_eq!((letter["event_id"].as_str(), letter["index"].as_u64()), (Some("bad-1"), Some(0)));
    assert_eq!(letter["reason"], "data.event_type: is missing (or activity_code, its other name)");
    assert!(Timestamp::parse(letter["time"].as_str().unwrap()).is_ok(), "{letter}");
    assert_eq!(listed(&flowtrail, &["--account", "other"]).len(), 1);
    let lines = flowtrail.succeed(["dead-letters"]);
    assert!(lines.contains("\tflowtrail.v1.audit.m%n.billing\t"), "{lines}");

    // Nothing was mended: each is refused again, and however often that is tried, nothing grows.
    let before = stored(&flowtrail).await;
    for _ in 0..3 {
        let (code, said) = redrive(&flowtrail);
        assert_eq!(code, Some(1), "{said}");
        assert!(said.contains("\tbad-1\trefused again: data.event_type: is missing"), "{said}");
        assert!(said.ends_with("0 accepted, 0 known already, 0 gone from the log, 3 refused again\n"), "{said}");
    }
    assert_eq!(stored(&flowtrail).await, before);
    assert_eq!(flowtrail.get(LIST).await, page);
}

#[tokio::test]
async fn an_account_sees_its_own_dead_letters_and_the_operator_all() {
    for topology in Topology::BOTH {
        an_account_sees_its_own(topology).await;
    }
}

#[tokio::test]
async fn dead_letters_are_listed_and_driven_again_with_the_least_privileges() {
    an_account_sees_its_own(Topology::LeastPrivilege).await;
}

/// Publishes events that the views pass over, with the letters that a Flowtrail which could not read them wrote.
async fn as_an_older_flowtrail_left_them(flowtrail: &Flowtrail, events: &[(View, Subject, Value)]) -> Vec<LogPosition> {
    let bus = bus(flowtrail).await;
    let views = Views::open(&flowtrail.views(), 64 << 20).unwrap();
    let mut positions = Vec::new();
    for (view, subject, event) in events {
        let position = bus.publish(outgoing(subject.clone(), event)).await.unwrap().position;
        let fingerprint = bus.fingerprint_at(position).await.unwrap().unwrap();
        let stream_created = bus.state(position.stream).await.unwrap().created;
        let checkpoint = Checkpoint { sequence: position.sequence, fingerprint, stream_created };
        Batch::new(views.slot(*view).store()).commit(position.stream, &checkpoint).unwrap();
        let data = letter(*view, subject, position, event);
        publish_letter(&bus, &data).await;
        positions.push(position);
    }
    positions
}

fn letter(view: View, subject: &Subject, position: LogPosition, event: &Value) -> DeadLetter {
    DeadLetter {
        view: view.name().to_owned(),
        stream: position.stream.name().to_owned(),
        sequence: position.sequence,
        index: 0,
        subject: subject.to_string(),
        event_id: event["id"].as_str().map(str::to_owned),
        reason: "an older one could not read it".to_owned(),
    }
}

async fn publish_letter(bus: &Bus, data: &DeadLetter) {
    let (subject, time) = (Subject::dead_letter(&data.view, &main()), Timestamp::from_micros(5).unwrap());
    let id = format!("{}:{}:{}", data.view, data.stream, data.sequence);
    let event = NewEvent { subject, id: &id, source: "test", event_type: RECORDED, time, data };
    bus.publish(write(event).unwrap()).await.unwrap();
}

/// The records, but for when the view first had each: a rebuild reads the first message too.
async fn traffic_records(flowtrail: &Flowtrail) -> Value {
    let mut list = flowtrail.get("/api/events/network-traffic").await;
    for record in list["data"].as_array_mut().unwrap() {
        record.as_object_mut().unwrap().remove("receive_timestamp");
    }
    list
}

#[tokio::test]
async fn what_can_be_read_now_comes_in_once_as_what_it_was() {
    let mut flowtrail = Flowtrail::start(Topology::Split).await;
    flowtrail.stop();
    let (audit, traffic) = (Subject::audit(&main(), "billing"), Subject::traffic(&main(), "gw"));
    let event = audit_event("late-1", &json!({ "event_type": "door.open", "meta": { "n": 1 } }));
    let events = [(views::audit::VIEW, audit.clone(), event), (views::traffic::VIEW, traffic, traffic_report("r-1"))];
    let positions = as_an_older_flowtrail_left_them(&flowtrail, &events).await;
    flowtrail.start_processes();
    assert_eq!(flowtrail.get(LIST).await["total"], 2);
    assert!(!flowtrail.succeed(["dump", "audit"]).contains("late-1"));

    let (code, said) = redrive(&flowtrail);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains(&format!("{}:0\tlate-1\taccepted: it is FLOWTRAIL_AUDIT:", positions[0])), "{said}");
    assert!(said.ends_with("2 accepted, 0 known already, 0 gone from the log, 0 refused again\n"), "{said}");
    let once = |dump: String| dump.lines().filter(|line| line.contains("late-1")).count();
    assert_eq!(once(flowtrail.succeed(["dump", "audit"])), 1);
    flowtrail.has_traffic(1).await;

    // Nothing is left to do, and the list of all says what became of each.
    assert_eq!(
        redrive(&flowtrail),
        (Some(0), format!("{}\n", "0 accepted, 0 known already, 0 gone from the log, 0 refused again"))
    );
    assert_eq!(flowtrail.get(LIST).await["total"], 0);
    let all = flowtrail.get(&format!("{LIST}?state=all")).await;
    let outcomes: Vec<&str> =
        all["items"].as_array().unwrap().iter().map(|letter| letter["outcome"].as_str().unwrap()).collect();
    assert_eq!(outcomes, ["accepted", "accepted"]);
    assert_eq!(listed(&flowtrail, &["--all"]).len(), 2);

    // A rebuild reads both messages, and finds one event whose time is when the log received it first.
    let times = |flowtrail: &Flowtrail| {
        let dump = flowtrail.succeed(["dump", "audit"]);
        let rows = dump.lines().filter(|line| line.contains("late-1"));
        rows.map(|line| serde_json::from_str::<Value>(line).unwrap()["time"].clone()).collect::<Vec<_>>()
    };
    let (before, records) = (times(&flowtrail), traffic_records(&flowtrail).await);
    flowtrail.succeed(["rebuild", "--all"]);
    assert_eq!(times(&flowtrail), before);
    assert_eq!(traffic_records(&flowtrail).await, records);
    assert_eq!(flowtrail.get(LIST).await["total"], 0, "the event that came again is the one that it was");
}

#[tokio::test]
async fn what_came_in_by_another_way_or_is_gone_is_not_published_again() {
    let flowtrail = Flowtrail::start(Topology::Together).await;
    let bus = bus(&flowtrail).await;
    let subject = Subject::audit(&main(), "billing");
    let event = audit_event("known-1", &json!({ "event_type": "door.open" }));
    let other = audit_event("known-1", &json!({ "event_type": "door.shut" }));
    let first = bus.publish(outgoing(subject.clone(), &event)).await.unwrap().position;
    bus.publish(outgoing(subject.clone(), &other)).await.unwrap();
    eventually("the other one is refused", async || (listed(&flowtrail, &[]).len() == 1).then_some(())).await;
    publish_letter(&bus, &letter(views::audit::VIEW, &subject, first, &event)).await;
    let gone = LogPosition { stream: Stream::Traffic, sequence: 99 };
    publish_letter(&bus, &letter(views::traffic::VIEW, &Subject::traffic(&main(), "gw"), gone, &json!({}))).await;
    let (last, rows) = (bus.state(Stream::Audit).await.unwrap().last_sequence, flowtrail.succeed(["dump", "audit"]));

    let (code, said) = redrive(&flowtrail);
    assert_eq!(code, Some(1), "{said}");
    for became in [
        "\tknown-1\tknown already\n",
        "\tknown-1\trefused again: id: is known already, with other content; the first stands\n",
        "FLOWTRAIL_TRAFFIC:99:0\t-\tgone: the log holds its message no longer\n",
        "0 accepted, 1 known already, 1 gone from the log, 1 refused again\n",
    ] {
        assert!(said.contains(became), "{said}");
    }
    let (code, said) = redrive(&flowtrail);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.ends_with("0 accepted, 0 known already, 0 gone from the log, 1 refused again\n"), "{said}");
    assert_eq!(bus.state(Stream::Audit).await.unwrap().last_sequence, last, "nothing was published again");
    assert_eq!(flowtrail.succeed(["dump", "audit"]), rows);
}

/// Answers as a projector that is older than this `redrive`: it lists the letter, knows no event, and refuses what comes
/// behind `taken`.
async fn an_older_projector(bus: Bus, open: Value, taken: LogPosition, stop: CancellationToken) -> JoinSet<()> {
    let answer = |subject: &str, answer: Value| {
        Endpoint::new(subject, move |_: Bytes| ready(Ok::<_, Refusal>(Bytes::from(answer.to_string()))))
    };
    let reply = |answer: Value| json!({ "answer": answer, "freshness": { "as_of": [], "lag_ms": 0, "stale": false } });
    let (client, said) = (bus.clone(), reply(json!([])));
    let refuses = Endpoint::new("flowtrail.query.status", move |_: Bytes| {
        let (bus, said) = (client.clone(), said.clone());
        async move {
            let sequence = bus.state(taken.stream).await.unwrap().last_sequence;
            assert!(sequence > taken.sequence, "it was published before the views are asked how far they are");
            let (subject, place) = (Subject::audit(&main(), "billing"), LogPosition { sequence, ..taken });
            publish_letter(&bus, &letter(views::audit::VIEW, &subject, place, &json!({ "id": "late-1" }))).await;
            Ok(Bytes::from(said.to_string()))
        }
    });
    let listed = json!({ "total": 1, "letters": [open], "more": false, "as_of": 0 });
    let endpoints = vec![
        answer(model::dead_letter::LIST, listed),
        answer("flowtrail.query.audit.by_id", reply(Value::Null)),
        refuses,
    ];
    let (name, version) = ("older".to_owned(), "0.0.1".to_owned());
    let answering = bus.answer(&ServiceInfo { name, version, description: String::new() }, endpoints).await.unwrap();
    let mut tasks = JoinSet::new();
    tasks.spawn(answering.run(stop));
    tasks
}

// The program is waited for on one thread, and its questions answered on another.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_where_it_was_published_again_has_moved_to_the_letter_about_that() {
    let mut flowtrail = Flowtrail::start(Topology::Split).await;
    flowtrail.stop();
    let event = audit_event("late-1", &json!({ "event_type": "door.open" }));
    let events = [(views::audit::VIEW, Subject::audit(&main(), "billing"), event)];
    let positions = as_an_older_flowtrail_left_them(&flowtrail, &events).await;
    flowtrail.start_processes();
    let [open] = listed(&flowtrail, &[]).try_into().unwrap();
    flowtrail.stop();

    let stop = CancellationToken::new();
    let older = an_older_projector(bus(&flowtrail).await, open, positions[0], stop.clone()).await;
    let (code, said) = redrive(&flowtrail);
    stop.cancel();
    older.join_all().await;
    let moved = LogPosition { sequence: positions[0].sequence + 1, ..positions[0] };
    assert_eq!(code, Some(1), "{said}");
    let became = format!("\tlate-1\trefused again, as {moved}: an older one could not read it\n");
    assert!(said.contains(&became), "{said}");
    assert!(said.ends_with("0 accepted, 0 known already, 0 gone from the log, 1 refused again\n"), "{said}");

    // The letter about the new place is the one that is open now. Flowtrail has read the message there by itself.
    flowtrail.start_processes();
    let shown = |letter: &Value| (letter["position"].clone(), letter["outcome"].clone());
    let expected = [(json!(moved.to_string()), Value::Null), (json!(positions[0].to_string()), json!("moved"))];
    assert_eq!(listed(&flowtrail, &["--all"]).iter().map(shown).collect::<Vec<_>>(), expected);
    assert_eq!(flowtrail.get(LIST).await["total"], 1);
    eventually("the event is in the view", async || {
        (flowtrail.succeed(["dump", "audit"]).matches("late-1").count() == 1).then_some(())
    })
    .await;
    let (code, said) = redrive(&flowtrail);
    assert_eq!(
        (code, said.ends_with("0 accepted, 1 known already, 0 gone from the log, 0 refused again\n")),
        (Some(0), true),
        "{said}"
    );
    assert_eq!(flowtrail.get(LIST).await["total"], 0);
}

#[tokio::test]
async fn an_event_of_an_integration_is_read_again_by_a_rebuild_alone() {
    let flowtrail = Flowtrail::start(Topology::Together).await;
    let bus = bus(&flowtrail).await;
    // An event of an integration stands on its predecessors: it is never published again.
    let subject = Subject::integration(&main(), 77);
    let position = bus.publish(outgoing(subject.clone(), &json!({ "id": "broken" }))).await.unwrap().position;
    eventually("it is refused", async || (listed(&flowtrail, &[]).len() == 1).then_some(())).await;
    let (code, said) = redrive(&flowtrail);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("only `flowtrail rebuild integrations` reads them again"), "{said}");
    assert_eq!(bus.state(Stream::Integration).await.unwrap().last_sequence, position.sequence);
}
