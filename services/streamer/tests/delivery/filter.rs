//! Delivery of what is wanted: what arrives is what the matcher says of what was published, records of reads only where
//! they are asked for, and the rest is passed over and counted.

use std::time::Duration;

use model::access::Actor;
use model::audit;
use model::filter::StreamFilter;
use model::integration::{Event, Origin, Platform, ReplayRequested, Steered};
use model::log::Stream;
use model::time::Timestamp;
use model::traffic::Report;
use serde_json::{Value, json};
use testkit::{Chance, eventually};

use crate::world::World;

const HOUR: Duration = Duration::from_secs(60 * 60);
const FILTER: &str = "status:failure OR actor:(alice OR bob*) -meta.noise:true OR dst:10.0.0.0/8 bytes:>1k";

fn steered() -> Steered {
    Steered { platform: Platform::GenericHttp, by: Actor::system() }
}

fn one_of<'a>(chance: &mut Chance, of: &[&'a str]) -> &'a str {
    of[chance.below(of.len())]
}

fn any_audit(chance: &mut Chance) -> Value {
    let status = one_of(chance, &["success", "Failure", "denied", "success"]);
    let actor = one_of(chance, &["alice", "Alice", "bobby", "carol", "dave"]);
    json!({ "event_type": "door.open", "status": status, "actor_name": actor, "meta": { "noise": chance.below(2) == 0 } })
}

fn any_report(chance: &mut Chance) -> Value {
    let address = one_of(chance, &["10.0.0.4:53", "110.0.0.4:53", "10.9.9.9:22", "host:1"]);
    json!({ "destination": { "address": address }, "rx_bytes": chance.below(1500), "tx_bytes": chance.below(1500) })
}

/// Published events: all ids, and those that the matcher wants, both in order.
#[derive(Default)]
struct Published {
    all: Vec<String>,
    wanted: Vec<String>,
}

impl Published {
    fn note(&mut self, id: &str, is_wanted: bool) {
        self.all.push(id.to_owned());
        if is_wanted {
            self.wanted.push(id.to_owned());
        }
    }

    fn passed_over(&self) -> usize {
        self.all.len() - self.wanted.len()
    }
}

/// Publishes so many messages of several audit events each.
async fn publish_audit(world: &World, chance: &mut Chance, published: &mut Published, messages: usize) {
    let filter = StreamFilter::new(FILTER, true, true).unwrap();
    let now = Timestamp::from_micros(world.clock.now_micros()).unwrap();
    for _ in 0..messages {
        let mut events = Vec::new();
        for _ in 0..=chance.below(5) {
            let (id, data) = (format!("audit{}", published.all.len()), any_audit(chance));
            let context = audit::Context { id: &id, source: "/test", time: Some(now), received_at: now };
            let fields: audit::Fields = serde_json::from_value(data.clone()).unwrap();
            let event = audit::Event::new(context, fields).unwrap();
            published.note(&id, filter.matches_audit(&event));
            events.push((id, data));
        }
        world.publish_together(&events).await;
    }
}

async fn publish_reports(world: &World, chance: &mut Chance, published: &mut Published, count: usize) {
    let filter = StreamFilter::new(FILTER, true, true).unwrap();
    let time = Timestamp::from_micros(world.clock.now_micros()).unwrap();
    for _ in 0..count {
        let (id, data) = (format!("flow{}", published.all.len()), any_report(chance));
        let subject_reporter = "test".to_owned();
        let reported = serde_json::from_value(data.clone()).unwrap();
        let report = Report { id: id.clone(), time, received_at: time, subject_reporter, data: Box::new(reported) };
        published.note(&id, filter.matches_traffic(&report));
        world.report_one(&id, &data).await;
    }
}

/// Waits until everything was looked at, and so many of it were passed over.
async fn is_done(world: &World, passed_over: usize) {
    is_done_by(world, 1, passed_over).await;
}

/// The same for one of several integrations.
async fn is_done_by(world: &World, id: u64, passed_over: usize) {
    eventually("everything was delivered or passed over", async || {
        let status = world.status(id).await;
        let is_it = status["lag_events"] == 0 && status["passed_over"].as_u64() == Some(passed_over as u64);
        is_it.then_some(())
    })
    .await;
}

#[tokio::test]
async fn what_arrives_is_what_the_matcher_wants_of_what_was_published() {
    let mut world = World::start().await;
    world.integrate_filtered(1, FILTER).await;
    world.stream(HOUR).await;
    let mut chance = Chance::new(7);
    let (mut audit, mut traffic) = (Published::default(), Published::default());
    publish_audit(&world, &mut chance, &mut audit, 40).await;
    publish_reports(&world, &mut chance, &mut traffic, 60).await;
    is_done(&world, audit.passed_over() + traffic.passed_over()).await;
    assert!(audit.wanted.len() > 20 && audit.passed_over() > 20 && traffic.wanted.len() > 5, "chance brings both");
    assert_eq!((world.taken("audit"), world.taken("flow")), (audit.wanted.clone(), traffic.wanted.clone()));

    // A restart goes on from the place, and counts on.
    world.stop().await;
    publish_audit(&world, &mut chance, &mut audit, 20).await;
    world.stream(HOUR).await;
    publish_reports(&world, &mut chance, &mut traffic, 20).await;
    is_done(&world, audit.passed_over() + traffic.passed_over()).await;
    assert_eq!((world.taken("audit"), world.taken("flow")), (audit.wanted.clone(), traffic.wanted.clone()));
    let status = world.status(1).await;
    assert_eq!(status["delivered"].as_u64(), Some((audit.wanted.len() + traffic.wanted.len()) as u64), "{status}");
    assert_eq!((&status["dead_lettered"], &status["missing"]), (&json!(0), &json!([])), "{status}");
}

#[tokio::test]
async fn what_was_passed_over_is_recorded_so_that_retention_does_not_take_it() {
    let mut world = World::start().await;
    world.integrate_filtered(1, "drops:>0").await;
    world.stream(HOUR).await;
    world.report("noise", 0..9).await;
    is_done(&world, 9).await;
    world.happen(1, &Event::Paused(steered())).await;
    eventually("it is paused", async || (world.status(1).await["state"] == "paused").then_some(())).await;
    // What it has written is what the next one finds.
    world.stop().await;
    world.forget(Stream::Traffic, 10).await;
    world.stream(HOUR).await;
    world.happen(1, &Event::Resumed(steered())).await;
    world.report_one("dropped0", &json!({ "num_of_drops": 1 })).await;
    world.receives("dropped", 1).await;
    // Pausing and resuming are audit events that nobody wants, too.
    is_done(&world, 11).await;
    assert_eq!(world.status(1).await["missing"], json!([]));
}

#[tokio::test]
async fn a_replay_brings_what_is_wanted_again_and_counts_the_rest_again() {
    let mut world = World::start().await;
    world.integrate_filtered(1, "status:failure").await;
    world.stream(HOUR).await;
    let event = |id: &str, status: &str| (id.to_owned(), json!({ "event_type": "a", "status": status }));
    world.publish_together(&[event("x0", "success"), event("failed0", "failure"), event("x1", "success")]).await;
    world.publish_together(&[event("x2", "success"), event("failed1", "failure")]).await;
    world.receives("failed", 2).await;
    is_done(&world, 3).await;
    let from = Origin::Position { stream: Stream::Audit, sequence: 1 };
    let replay = ReplayRequested { platform: Platform::GenericHttp, from, by: Actor::system() };
    world.happen(1, &Event::ReplayRequested(replay)).await;
    // The event that asks for it is an audit event that nobody wants, too.
    is_done(&world, 7).await;
    assert_eq!(world.taken("failed"), ["failed0", "failed1", "failed0", "failed1"]);
}

#[tokio::test]
async fn a_receiver_that_fails_holds_up_what_is_wanted_and_what_is_passed_over_behind_it() {
    let mut world = World::start().await;
    world.integrate_filtered(1, "status:failure").await;
    world.stream(24 * HOUR).await;
    world.answer(503);
    world.publish("noise", 0..3).await;
    world.publish_together(&[("failed0".to_owned(), json!({ "event_type": "a", "status": "failure" }))]).await;
    eventually("an attempt was made", async || (world.requests() > 0).then_some(())).await;
    world.publish("more", 0..4).await;
    world.stop().await;
    world.answer(200);
    world.stream(HOUR).await;
    world.receives("failed", 1).await;
    is_done(&world, 7).await;
    let position = world.status(1).await["position"]["FLOWTRAIL_AUDIT"].clone();
    assert_eq!((&position["sequence"], &position["index"]), (&json!(9), &json!(0)), "{position}");
}

#[tokio::test]
async fn records_of_reads_are_delivered_where_they_are_asked_for() {
    let mut world = World::start().await;
    let event = |id: &str, kind: &str| (id.to_owned(), json!({ "event_type": kind }));
    world.integrate(1, "audit").await;
    world.stream(HOUR).await;
    world.publish_together(&[event("open0", "door.open"), event("read0", "audit.read")]).await;
    world.publish_together(&[event("read1", "traffic.read"), event("open1", "file.read")]).await;
    is_done_by(&world, 1, 2).await;
    assert_eq!((world.taken("open"), world.taken("read")), (["open0", "open1"].map(str::to_owned).into(), Vec::new()));

    world.integrate(2, "reads").await;
    world.publish_together(&[event("read2", "audit.read"), event("open2", "door.open")]).await;
    is_done_by(&world, 1, 3).await;
    is_done_by(&world, 2, 1).await;
    let reads: Vec<String> = world.taken("read");
    assert_eq!((world.taken("open").len(), reads), (3, vec!["read2".to_owned()]));
}

#[tokio::test]
async fn a_filter_that_this_version_cannot_read_suspends_and_says_why() {
    let mut world = World::start().await;
    world.integrate_filtered(1, "later:field").await;
    world.stream(HOUR).await;
    world.publish("a", 0..2).await;
    let status = eventually("it is suspended", async || {
        Some(world.status(1).await).filter(|status| status["state"] == "suspended")
    })
    .await;
    let reason = status["last_error"]["reason"].as_str().unwrap();
    assert!(reason.contains(r#"config.filter: column 1: "later" is no field"#), "{reason}");
    assert_eq!(world.taken("a"), Vec::<String>::new());
}
