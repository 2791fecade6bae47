//! The projector against a real nats-server and real sled.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::Path;
use std::time::Duration;

use bus::{Access, Bus, Options, Outgoing};
use model::dead_letter::DeadLetter;
use model::envelope::{BATCH, STRUCTURED};
use model::log::{AccountId, LogPosition, Stream, Subject};
use model::paging::Page;
use projector::rebuild::{Order, PROGRESS, Progress, START};
use projector::troubles::{Kind, LIST, Trouble};
use runtime::metrics::Metrics;
use serde_json::{Value, json};
use testkit::{NatsServer, eventually};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use views::dump::Dump;
use views::{Ask, View, Views};

/// A projector with its views, stopped when dropped or told to.
struct Running {
    views: Views,
    stop: CancellationToken,
    task: JoinHandle<Result<(), projector::Error>>,
}

impl Running {
    async fn start(server: &NatsServer, directory: &Path) -> Self {
        let bus = connect(server).await;
        bus.ensure_streams().await.unwrap();
        let views = Views::open(directory, 64 << 20).unwrap();
        let stop = CancellationToken::new();
        #[expect(clippy::disallowed_methods, reason = "the test owns the task and ends it")]
        let task = tokio::spawn(projector::run(views.clone(), bus, Metrics::default(), stop.clone()));
        Self { views, stop, task }
    }

    async fn stop(self) {
        self.stop.cancel();
        self.task.await.unwrap().unwrap();
    }

    async fn audit_total(&self) -> u64 {
        let question =
            views::audit::List { account: main(), filter: Default::default(), q: None, page: Page::newest(0) };
        self.views.ask(Ask { at_least: Vec::new(), question }).await.unwrap().answer.total
    }

    async fn has_audit_events(&self, total: u64) {
        eventually("the audit events are in the view", async || (self.audit_total().await == total).then_some(()))
            .await;
    }

    async fn has_traffic(&self, total: u64) {
        eventually("the records are in the view", async || {
            let question =
                views::traffic::List { account: main(), filter: Default::default(), q: None, page: Page::newest(0) };
            let reply = self.views.ask(Ask { at_least: Vec::new(), question }).await.unwrap();
            (reply.answer.total == total).then_some(())
        })
        .await;
    }

    async fn dump(&self, view: View) -> Vec<String> {
        let question = Dump { view, after: None, limit: usize::MAX };
        self.views.ask(Ask { at_least: Vec::new(), question }).await.unwrap().answer.lines
    }
}

async fn connect(server: &NatsServer) -> Bus {
    Bus::connect(&Options { url: server.url(), access: Access::default(), name: "test".into() }).await.unwrap()
}

fn main() -> AccountId {
    AccountId::parse("main").unwrap()
}

fn audit_event(id: &str, event_type: &str) -> Value {
    json!({
        "specversion": "1.0", "id": id, "source": "/test", "type": "flowtrail.audit.recorded.v1",
        "time": "2024-01-01T00:00:00Z", "data": { "event_type": event_type },
    })
}

fn message(subject: Subject, content_type: &str, payload: String) -> Outgoing {
    let headers = vec![("Content-Type".to_owned(), content_type.to_owned())];
    Outgoing { subject, message_id: None, headers, payload: payload.into(), expected_last: None }
}

async fn publish_audit(bus: &Bus, payload: &Value) {
    let (content_type, subject) =
        (if payload.is_array() { BATCH } else { STRUCTURED }, Subject::audit(&main(), "test"));
    bus.publish(message(subject, content_type, payload.to_string())).await.unwrap();
}

/// The dead letters there are, oldest first.
async fn dead_letters(bus: &Bus) -> Vec<DeadLetter> {
    let messages = bus.load(&Subject::dead_letter("audit", &main())).await.unwrap();
    let read = |payload: &[u8]| serde_json::from_slice::<Value>(payload).unwrap()["data"].take();
    messages.iter().map(|message| serde_json::from_value(read(&message.payload)).unwrap()).collect()
}

#[tokio::test]
async fn an_event_published_again_much_later_is_in_the_view_once() {
    let server = NatsServer::start().await;
    let directory = tempfile::tempdir().unwrap();
    let running = Running::start(&server, directory.path()).await;
    let bus = connect(&server).await;
    // Without a message id the broker does not know it again, as after its window.
    publish_audit(&bus, &audit_event("e1", "a.b")).await;
    publish_audit(&bus, &audit_event("e1", "a.b")).await;
    publish_audit(&bus, &json!([audit_event("e1", "a.b"), audit_event("e2", "a.b")])).await;
    running.has_audit_events(2).await;
    assert_eq!(dead_letters(&bus).await, []);
    running.stop().await;
}

#[tokio::test]
async fn what_cannot_be_read_is_a_dead_letter_and_the_next_event_is_in_the_view() {
    let server = NatsServer::start().await;
    let directory = tempfile::tempdir().unwrap();
    let running = Running::start(&server, directory.path()).await;
    let bus = connect(&server).await;
    let subject = || Subject::audit(&main(), "test");
    let deep = format!("{}{}", "[".repeat(70), "]".repeat(70));
    for (content_type, payload) in [
        (STRUCTURED, "not json".to_owned()),
        (STRUCTURED, "\u{0}\u{1}".to_owned()),
        ("text/plain", "hello".to_owned()),
        (STRUCTURED, audit_event("e9", "a.b").to_string().replace("audit.recorded", "audit.invented")),
        (STRUCTURED, audit_event("e8", "a.b").to_string().replace("\"a.b\"", &deep)),
        (BATCH, json!([audit_event("ok1", "a.b"), { "id": 1 }, audit_event("ok2", "a.b")]).to_string()),
    ] {
        bus.publish(message(subject(), content_type, payload)).await.unwrap();
    }
    publish_audit(&bus, &audit_event("ok3", "a.b")).await;
    publish_audit(&bus, &audit_event("ok3", "other.content")).await;
    running.has_audit_events(3).await;
    let letters = eventually("all dead letters are there", async || {
        let letters = dead_letters(&bus).await;
        (letters.len() == 7).then_some(letters)
    })
    .await;
    let reasons: Vec<&str> = letters.iter().map(|letter| letter.reason.as_str()).collect();
    assert!(reasons[0].starts_with("not JSON"), "{reasons:?}");
    assert!(reasons[2].starts_with("no cloudevent"), "{reasons:?}");
    assert!(reasons[3].starts_with("type: "), "{reasons:?}");
    assert_eq!(reasons[4], "more than 64 levels deep");
    assert_eq!((letters[5].sequence, letters[5].index), (6, 1));
    assert_eq!(letters[6].event_id.as_deref(), Some("ok3"));
    running.stop().await;
}

#[tokio::test]
async fn it_resumes_from_its_own_checkpoint() {
    let server = NatsServer::start().await;
    let directory = tempfile::tempdir().unwrap();
    let bus = connect(&server).await;
    let running = Running::start(&server, directory.path()).await;
    publish_audit(&bus, &audit_event("e1", "a.b")).await;
    running.has_audit_events(1).await;
    running.stop().await;
    publish_audit(&bus, &audit_event("e2", "a.b")).await;
    let running = Running::start(&server, directory.path()).await;
    running.has_audit_events(2).await;
    running.stop().await;
}

#[tokio::test]
async fn a_rebuilt_view_equals_the_live_one_while_events_come_in() {
    let server = NatsServer::start().await;
    let directory = tempfile::tempdir().unwrap();
    let running = Running::start(&server, directory.path()).await;
    let bus = connect(&server).await;
    for part in 0..20 {
        let events: Vec<Value> = (0..100).map(|n| audit_event(&format!("e{part}-{n}"), "a.b")).collect();
        publish_audit(&bus, &Value::Array(events)).await;
    }
    running.has_audit_events(2000).await;
    let before = running.dump(views::audit::VIEW).await;
    rebuild(&bus, views::audit::VIEW).await;
    assert_eq!(running.dump(views::audit::VIEW).await, before);
    // It still follows the log.
    publish_audit(&bus, &audit_event("after", "a.b")).await;
    running.has_audit_events(2001).await;
    running.stop().await;
}

async fn rebuild(bus: &Bus, view: View) -> Progress {
    let request = serde_json::to_vec(&Order { view, accept_loss: false }).unwrap();
    let ask = async |subject: &str| -> Progress {
        let answer = bus.ask(subject, request.clone().into(), Duration::from_secs(5)).await.unwrap();
        serde_json::from_slice(&answer).unwrap()
    };
    let before = ask(START).await;
    eventually("the rebuild is over", async || {
        let progress = ask(PROGRESS).await;
        (progress.finished > before.finished).then_some(progress)
    })
    .await
}

fn report(id: u64) -> Value {
    json!({
        "specversion": "1.0", "id": id.to_string(), "source": "/test", "type": "flowtrail.traffic.reported.v1",
        "time": "2024-01-01T00:00:00Z", "data": {},
    })
}

async fn publish_reports(bus: &Bus, ids: std::ops::RangeInclusive<u64>) {
    for id in ids {
        let message = message(Subject::traffic(&main(), "gw"), STRUCTURED, report(id).to_string());
        bus.publish(message).await.unwrap();
    }
}

async fn traffic_stream(server: &NatsServer) -> async_nats::jetstream::stream::Stream {
    let jetstream = async_nats::jetstream::new(async_nats::connect(server.url()).await.unwrap());
    jetstream.get_stream(Stream::Traffic.name()).await.unwrap()
}

/// Whether the view has a position of the traffic stream, as far as it says so within the time that a question waits.
async fn has_position(running: &Running, sequence: u64) -> bool {
    running.views.wait_for(views::traffic::VIEW, LogPosition { stream: Stream::Traffic, sequence }).await
}

#[tokio::test]
async fn a_rebuild_ends_though_the_last_messages_were_deleted_and_what_is_waited_for_is_there() {
    let server = NatsServer::start().await;
    let directory = tempfile::tempdir().unwrap();
    let running = Running::start(&server, directory.path()).await;
    let bus = connect(&server).await;
    publish_reports(&bus, 1..=4).await;
    running.has_traffic(4).await;
    let stream = traffic_stream(&server).await;
    for sequence in [2, 4] {
        stream.delete_message(sequence).await.unwrap();
    }
    let progress = rebuild(&bus, views::traffic::VIEW).await;
    assert_eq!((progress.failure, progress.messages, progress.messages_done), (None, 2, 2));
    running.has_traffic(2).await;
    eventually("what was deleted is not waited for", async || has_position(&running, 4).await.then_some(())).await;
    let slot = running.views.slot(views::traffic::VIEW).clone();
    eventually("the view is fresh", async || (slot.freshness().lag_ms == 0).then_some(())).await;
    assert_eq!(slot.freshness().as_of, [LogPosition { stream: Stream::Traffic, sequence: 4 }]);
    publish_reports(&bus, 5..=5).await;
    running.has_traffic(3).await;
    running.stop().await;
}

#[tokio::test]
async fn a_view_that_never_read_what_was_purged_is_complete_and_a_rebuild_of_it_ends() {
    let server = NatsServer::start().await;
    let bus = connect(&server).await;
    bus.ensure_streams().await.unwrap();
    publish_reports(&bus, 1..=3).await;
    traffic_stream(&server).await.purge().await.unwrap();
    let directory = tempfile::tempdir().unwrap();
    let running = Running::start(&server, directory.path()).await;
    let slot = running.views.slot(views::traffic::VIEW).clone();
    slot.reached(&[LogPosition { stream: Stream::Traffic, sequence: 3 }]).await;
    slot.caught_up().await;
    assert_eq!(slot.freshness().as_of, [LogPosition { stream: Stream::Traffic, sequence: 3 }]);
    assert_eq!(rebuild(&bus, views::traffic::VIEW).await.failure, None);
    publish_reports(&bus, 4..=4).await;
    running.has_traffic(1).await;
    assert!(has_position(&running, 4).await);
    running.stop().await;
}

#[tokio::test]
async fn the_reason_of_a_dead_letter_is_short_however_long_what_it_quotes_is() {
    let server = NatsServer::start().await;
    let directory = tempfile::tempdir().unwrap();
    let running = Running::start(&server, directory.path()).await;
    let bus = connect(&server).await;
    let mut hostile = audit_event("e1", "a.b");
    // Each of these characters takes four in the letter, which could then not be stored.
    hostile["type"] = Value::String(format!("flowtrail.{}", "\"".repeat(3 << 20)));
    publish_audit(&bus, &hostile).await;
    publish_audit(&bus, &audit_event("e2", "a.b")).await;
    running.has_audit_events(1).await;
    let letters = dead_letters(&bus).await;
    assert!(letters[0].reason.starts_with("type: "), "{}", letters[0].reason.len());
    assert!(letters[0].reason.len() < 5000, "{}", letters[0].reason.len());
    running.stop().await;
}

#[tokio::test]
async fn a_rebuild_that_fails_leaves_no_generation_behind() {
    let server = NatsServer::start().await;
    let directory = tempfile::tempdir().unwrap();
    let running = Running::start(&server, directory.path()).await;
    let bus = connect(&server).await;
    publish_audit(&bus, &audit_event("e1", "a.b")).await;
    running.has_audit_events(1).await;
    let jetstream = async_nats::jetstream::new(async_nats::connect(server.url()).await.unwrap());
    jetstream.delete_stream(Stream::Integration.name()).await.unwrap();
    for _ in 0..2 {
        let progress = rebuild(&bus, views::audit::VIEW).await;
        assert!(progress.failure.is_some(), "{progress:?}");
    }
    let entries = std::fs::read_dir(directory.path().join("audit")).unwrap().map(Result::unwrap);
    let generations: Vec<_> = entries.filter(|entry| entry.path().is_dir()).map(|entry| entry.file_name()).collect();
    assert_eq!(generations, ["1"]);
    assert_eq!(running.audit_total().await, 1);
    running.stop().await;
}

#[tokio::test]
async fn a_log_that_was_lost_is_noticed_and_the_view_is_rebuilt() {
    let server = NatsServer::start().await;
    let other = NatsServer::start().await;
    let directory = tempfile::tempdir().unwrap();
    let running = Running::start(&server, directory.path()).await;
    let bus = connect(&server).await;
    publish_audit(&bus, &audit_event("lost", "a.b")).await;
    running.has_audit_events(1).await;
    running.stop().await;
    // The same place, another log.
    let bus = connect(&other).await;
    bus.ensure_streams().await.unwrap();
    publish_audit(&bus, &audit_event("kept1", "a.b")).await;
    publish_audit(&bus, &audit_event("kept2", "a.b")).await;
    let running = Running::start(&other, directory.path()).await;
    running.has_audit_events(2).await;
    assert!(running.dump(views::audit::VIEW).await.iter().all(|line| !line.contains("lost")));
    running.stop().await;
}

#[tokio::test]
async fn a_log_that_is_restored_while_it_is_read_is_noticed_though_it_has_grown_since() {
    const AUDIT: &str = "FLOWTRAIL_AUDIT";
    let server = NatsServer::start().await;
    let directory = tempfile::tempdir().unwrap();
    let running = Running::start(&server, directory.path()).await;
    let bus = connect(&server).await;
    let publish = async |name: &str, count: u64| {
        for number in 0..count {
            publish_audit(&bus, &audit_event(&format!("{name}{number}"), "a.b")).await;
        }
    };
    publish("kept", 5).await;
    let mut snapshot = bus.snapshot(AUDIT).await.unwrap();
    let mut chunks = Vec::new();
    while let Some(chunk) = snapshot.next().await.unwrap() {
        chunks.push(chunk);
    }
    publish("lost", 5).await;
    running.has_audit_events(10).await;

    let jetstream = async_nats::jetstream::new(async_nats::connect(server.url()).await.unwrap());
    jetstream.delete_stream(AUDIT).await.unwrap();
    let at = bus.state(Stream::Access).await.unwrap().created + 1_000_000;
    let mut restoring = bus.begin_restore(AUDIT, &snapshot.configuration, &snapshot.state, at).await.unwrap();
    for chunk in chunks {
        restoring.send(chunk).await.unwrap();
    }
    restoring.finish().await.unwrap();
    bus.open_restored(AUDIT, &snapshot.configuration, at).await.unwrap();
    // Publishers go on at once, and past what the view had read.
    publish("new", 10).await;
    eventually("the view is of the log that was restored", async || {
        let dump = running.dump(views::audit::VIEW).await;
        let count = |name: &str| dump.iter().filter(|line| line.contains(name)).count();
        ((count("\"kept"), count("\"lost"), count("\"new")) == (5, 0, 10)).then_some(())
    })
    .await;
    running.stop().await;
}

#[tokio::test]
async fn reads_go_on_marked_stale_while_the_log_is_away_and_catch_up_alone() {
    let mut server = NatsServer::start().await;
    let directory = tempfile::tempdir().unwrap();
    let running = Running::start(&server, directory.path()).await;
    let bus = connect(&server).await;
    publish_audit(&bus, &audit_event("e1", "a.b")).await;
    running.has_audit_events(1).await;
    server.kill().await;
    let slot = running.views.slot(views::audit::VIEW).clone();
    eventually("the view knows that it is stale", async || slot.freshness().stale.then_some(())).await;
    assert_eq!(running.audit_total().await, 1);
    server.restart().await;
    eventually("the publisher is back", async || {
        let message = message(Subject::audit(&main(), "test"), STRUCTURED, audit_event("e2", "a.b").to_string());
        bus.publish(message).await.ok()
    })
    .await;
    running.has_audit_events(2).await;
    eventually("the view is fresh again", async || (!slot.freshness().stale).then_some(())).await;
    let state = bus.state(Stream::Audit).await.unwrap();
    assert_eq!(slot.freshness().as_of[0].sequence, state.last_sequence);
    running.stop().await;
}

#[tokio::test]
async fn a_view_that_is_found_damaged_comes_back_from_the_log() {
    let server = NatsServer::start().await;
    let directory = tempfile::tempdir().unwrap();
    let running = Running::start(&server, directory.path()).await;
    let bus = connect(&server).await;
    publish_audit(&bus, &json!([audit_event("e1", "a.b"), audit_event("e2", "a.b")])).await;
    running.has_audit_events(2).await;
    let before = running.dump(views::audit::VIEW).await;
    running.stop().await;
    damage_rows(&directory.path().join("audit/1")).await;

    let running = Running::start(&server, directory.path()).await;
    // Never a wrong answer: an error, until the view has come back.
    let question =
        || views::audit::List { account: main(), filter: Default::default(), q: None, page: Page::newest(9) };
    eventually("the view came back", async || {
        let asked = running.views.ask(Ask { at_least: Vec::new(), question: question() }).await;
        let total = asked.ok().map(|reply| reply.answer.total);
        assert!(total.is_none_or(|total| total == 2), "{total:?}");
        total
    })
    .await;
    assert_eq!(running.dump(views::audit::VIEW).await, before);
    assert!(directory.path().join("audit/2").exists(), "a new generation");
    publish_audit(&bus, &audit_event("e3", "a.b")).await;
    running.has_audit_events(3).await;
    running.stop().await;
}

/// Rows of a segment.
const SEGMENT: u64 = 65_536;
/// As many events as make one segment, and some that stay unsealed.
const SEALED_ONCE: u64 = 82_000;

/// Publishes so many events, which `event` makes of their numbers.
async fn publish_many(bus: &Bus, subject: &Subject, event: impl Fn(u64) -> Value) {
    for first in (0..SEALED_ONCE).step_by(1000) {
        let batch: Value = (first..first + 1000).map(&event).collect();
        bus.publish(message(subject.clone(), BATCH, batch.to_string())).await.unwrap();
    }
}

#[tokio::test]
async fn traffic_that_the_log_has_forgotten_goes_from_its_view_segment_by_segment() {
    let server = NatsServer::start().await;
    let directory = tempfile::tempdir().unwrap();
    let running = Running::start(&server, directory.path()).await;
    let bus = connect(&server).await;
    let subject = Subject::traffic(&main(), "gw");
    publish_many(&bus, &subject, report).await;
    running.has_traffic(SEALED_ONCE).await;
    running.stop().await;
    traffic_stream(&server).await.purge().await.unwrap();

    for _ in 0..2 {
        let running = Running::start(&server, directory.path()).await;
        running.has_traffic(SEALED_ONCE - SEGMENT).await;
        assert_eq!(running.dump(views::traffic::VIEW).await.len() as u64, SEALED_ONCE - SEGMENT);
        running.stop().await;
    }
    let running = Running::start(&server, directory.path()).await;
    // A flow that was forgotten is a new one.
    bus.publish(message(subject, STRUCTURED, report(0).to_string())).await.unwrap();
    running.has_traffic(SEALED_ONCE - SEGMENT + 1).await;
    running.stop().await;
}

#[tokio::test]
async fn audit_events_that_the_log_has_forgotten_go_and_those_of_streams_that_are_kept_stay() {
    let server = NatsServer::start().await;
    let directory = tempfile::tempdir().unwrap();
    let running = Running::start(&server, directory.path()).await;
    let bus = connect(&server).await;
    let created = json!({
        "specversion": "1.0", "id": "a1", "source": "/test", "type": "flowtrail.access.account.created.v1",
        "time": "2023-01-01T00:00:00Z",
        "data": { "name": "Main", "by": { "id": "u1", "name": "Alice", "email": null } },
    });
    bus.publish(message(Subject::access(&main(), "account", "a1"), STRUCTURED, created.to_string())).await.unwrap();
    running.has_audit_events(1).await;
    publish_many(&bus, &Subject::audit(&main(), "test"), |n| audit_event(&n.to_string(), "a.b")).await;
    running.has_audit_events(SEALED_ONCE + 1).await;
    running.stop().await;
    // What goes from this stream goes by its age alone.
    let jetstream = async_nats::jetstream::new(async_nats::connect(server.url()).await.unwrap());
    let mut stream = jetstream.get_stream(Stream::Audit.name()).await.unwrap();
    let mut config = stream.info().await.unwrap().config.clone();
    (config.max_age, config.duplicate_window) = (Duration::from_secs(1), Duration::from_secs(1));
    jetstream.update_stream(config).await.unwrap();
    eventually("the log has forgotten", async || (stream.info().await.unwrap().state.messages == 0).then_some(()))
        .await;

    // The oldest is the only one of the segment that stays.
    let left = SEALED_ONCE + 1 - (SEGMENT - 1);
    for _ in 0..2 {
        let running = Running::start(&server, directory.path()).await;
        running.has_audit_events(left).await;
        assert_eq!(running.dump(views::audit::VIEW).await.iter().filter(|line| line.contains("2023-01-01")).count(), 1);
        running.stop().await;
    }
}

/// Flips a bit in every value that holds rows which are not sealed yet.
async fn damage_rows(generation: &Path) {
    let config = sled::Config::new().path(generation);
    let tree = eventually("the projector let the view go", async || config.open().ok()).await;
    let mut damaged = 0;
    for entry in tree.scan_prefix(b"main\0rh") {
        let (key, value) = entry.unwrap();
        let mut value = value.to_vec();
        *value.last_mut().unwrap() ^= 1;
        tree.insert(key, value).unwrap();
        damaged += 1;
    }
    assert!(damaged > 0);
    tree.flush().unwrap();
}

/// What is wrong, by what it is about.
async fn troubles(bus: &Bus) -> Vec<(String, Kind)> {
    let answer = bus.ask(LIST, "null".into(), Duration::from_secs(5)).await.unwrap();
    let troubles: Vec<Trouble> = serde_json::from_slice(&answer).unwrap();
    troubles.into_iter().map(|trouble| (trouble.about, trouble.trouble)).collect()
}

#[tokio::test]
async fn what_is_gone_from_the_log_is_named_for_what_it_is() {
    let server = NatsServer::start().await;
    let directory = tempfile::tempdir().unwrap();
    let running = Running::start(&server, directory.path()).await;
    let bus = connect(&server).await;
    let delivery = Subject::parse("flowtrail.v1.delivery.main.1").unwrap();
    bus.publish(message(delivery, STRUCTURED, "{}".to_owned())).await.unwrap();
    let are = async |expected: &[(&str, Kind)]| {
        let expected: Vec<(String, Kind)> = expected.iter().map(|(about, kind)| ((*about).to_owned(), *kind)).collect();
        eventually("the troubles are known", async || (troubles(&bus).await == expected).then_some(())).await;
    };
    // It has looked at what there is before something goes: a second stream that is gone tells that a round is over.
    let jetstream = async_nats::jetstream::new(async_nats::connect(server.url()).await.unwrap());
    jetstream.delete_stream(Stream::Search.name()).await.unwrap();
    are(&[("FLOWTRAIL_SEARCH", Kind::Gone)]).await;
    bus.ensure_streams().await.unwrap();
    are(&[]).await;

    jetstream.delete_stream(bus::KEYS_STREAM).await.unwrap();
    are(&[("KV_FLOWTRAIL_KEYS", Kind::Gone)]).await;
    jetstream.get_stream(Stream::Delivery.name()).await.unwrap().purge().await.unwrap();
    are(&[("FLOWTRAIL_DELIVERY", Kind::Purged), ("KV_FLOWTRAIL_KEYS", Kind::Gone)]).await;
    running.stop().await;
}
