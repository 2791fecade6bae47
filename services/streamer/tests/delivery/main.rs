//! Delivery against a real nats-server, a receiver on loopback and a clock that a test moves.
#![expect(clippy::unwrap_used, reason = "a failed test is a panic")]

mod datadog;
mod filter;
mod gone;
mod refused;
mod s3;
mod world;

use std::time::Duration;

use model::access::Actor;
use model::integration::{Event, Origin, Platform, ReplayRequested, Steered};
use model::log::Stream;
use model::time::Timestamp;
use testkit::eventually;

use crate::world::World;

const HOUR: Duration = Duration::from_secs(60 * 60);

fn steered() -> Steered {
    Steered { platform: Platform::GenericHttp, by: Actor::system() }
}

#[tokio::test]
async fn after_a_days_outage_and_a_suspension_everything_arrives_in_order() {
    let mut world = World::start().await;
    world.integrate(1, "audit").await;
    world.stream(24 * HOUR).await;
    world.publish("before", 0..3).await;
    world.receives("before", 3).await;

    world.answer(503);
    world.publish("during", 0..50).await;
    let failed_at = world.clock.now_micros();
    let mut hours = 0;
    loop {
        // One hour at a time, as soon as one more attempt was made and the next is waited for.
        let is_over = eventually("it was tried and waits, or has given up", async || {
            let is_over = world.status(1).await["state"] == "suspended";
            let waits = world.simulated.sleepers() == 1;
            (world.requests() > hours && (is_over || waits)).then_some(is_over)
        })
        .await;
        if is_over {
            break;
        }
        if hours == 1 {
            let status = world.status(1).await;
            assert_eq!(
                (&status["state"], &status["last_error"]["status"]),
                (&"failing".into(), &503.into()),
                "{status}"
            );
            assert!(status["next_retry"].is_string() && status["lag_events"].as_u64() >= Some(1), "{status}");
        }
        world.simulated.advance(HOUR);
        hours += 1;
        assert!(hours < 30, "it never gives up");
    }
    assert_eq!(hours, 24, "it is suspended after a day");
    let attempts = world.requests();
    assert_eq!(attempts, 25, "one at once and one after each wait");
    let status = world.status(1).await;
    assert!(status["since"].is_string() && status["next_retry"].is_null(), "{status}");
    // Nothing is tried any more, however long it takes.
    world.publish("after", 0..5).await;
    world.simulated.advance(100 * HOUR);
    assert_eq!((world.requests(), world.simulated.sleepers()), (attempts, 0));
    assert!(world.clock.now_micros() - failed_at > 100 * 3_600_000_000);

    world.answer(200);
    world.happen(1, &Event::Resumed(steered())).await;
    world.receives("during", 50).await;
    world.receives("after", 5).await;
    assert_eq!(world.status(1).await["state"], "active");
}

#[tokio::test]
async fn what_was_suspended_for_a_wrong_master_key_goes_on_with_the_right_one() {
    let mut world = World::start().await;
    world.integrate(1, "audit").await;
    world.put_master_key_away();
    world.stream(HOUR).await;
    world.publish("e", 0..3).await;
    eventually("nothing can be opened", async || (world.status(1).await["state"] == "suspended").then_some(())).await;
    let status = world.status(1).await;
    assert!(status["last_error"]["reason"].as_str().unwrap().contains("the master key is another one"), "{status}");
    world.stop().await;
    world.put_master_key_back();
    world.stream(HOUR).await;
    world.receives("e", 3).await;
    assert_eq!(world.status(1).await["state"], "active");
}

#[tokio::test]
async fn what_the_logs_retention_took_is_named_and_the_rest_is_delivered() {
    let mut world = World::start().await;
    world.integrate(1, "traffic").await;
    world.stream(HOUR).await;
    world.report("flow", 0..10).await;
    world.receives("flow", 10).await;
    world.happen(1, &Event::Paused(steered())).await;
    eventually("it is paused", async || (world.status(1).await["state"] == "paused").then_some(())).await;
    world.report("lost", 0..4).await;
    world.forget(Stream::Traffic, 13).await;
    world.happen(1, &Event::Resumed(steered())).await;
    eventually("the rest has arrived", async || (world.taken("lost").len() == 2).then_some(())).await;
    let missing = world.status(1).await["missing"].clone();
    assert_eq!(missing, serde_json::json!([{ "stream": "FLOWTRAIL_TRAFFIC", "first": 11, "last": 12 }]));
}

#[tokio::test]
async fn what_retention_took_before_the_first_start_is_named_too() {
    let mut world = World::start().await;
    world.report("before", 0..3).await;
    world.integrate(1, "traffic").await;
    world.integrate(2, "audit").await;
    world.report("since", 0..4).await;
    // The streamer comes only when the log has forgotten two of those.
    world.forget(Stream::Traffic, 6).await;
    world.simulated.advance(2 * HOUR);
    world.stream(HOUR).await;
    eventually("the rest has arrived", async || (world.taken("since") == ["since2", "since3"]).then_some(())).await;
    let missing = world.status(1).await["missing"].clone();
    assert_eq!(missing, serde_json::json!([{ "stream": "FLOWTRAIL_TRAFFIC", "first": 1, "last": 5 }]));
    eventually("the other has started too", async || {
        (world.status(2).await["position"]["FLOWTRAIL_AUDIT"].is_object()).then_some(())
    })
    .await;
    assert_eq!(world.status(2).await["missing"], serde_json::json!([]), "nothing of its stream is gone");
}

#[tokio::test]
async fn what_retention_took_before_an_integration_was_made_is_not_missing() {
    let mut world = World::start().await;
    world.report("before", 0..3).await;
    world.forget(Stream::Traffic, 3).await;
    world.integrate(1, "traffic").await;
    world.report("since", 0..2).await;
    world.simulated.advance(2 * HOUR);
    world.stream(HOUR).await;
    world.receives("since", 2).await;
    assert_eq!(world.status(1).await["missing"], serde_json::json!([]));
}

#[tokio::test]
async fn a_replay_from_a_time_brings_the_past_again_and_goes_on() {
    let mut world = World::start().await;
    world.integrate(1, "audit").await;
    world.stream(HOUR).await;
    world.publish("a", 0..3).await;
    world.receives("a", 3).await;
    let time = Timestamp::from_micros(runtime::clock::now_micros()).unwrap();
    world.publish("b", 0..3).await;
    world.receives("b", 3).await;
    let replay = ReplayRequested { platform: Platform::GenericHttp, from: Origin::Time(time), by: Actor::system() };
    world.happen(1, &Event::ReplayRequested(replay)).await;
    eventually("it came again", async || (world.taken("b").len() == 6).then_some(())).await;
    world.publish("c", 0..3).await;
    world.receives("c", 3).await;
    assert_eq!((world.taken("a").len(), world.taken("b").len()), (3, 6), "what is older did not come again");
}

#[tokio::test]
async fn after_a_restart_the_unfinished_batch_is_sent_again_and_nothing_before_it() {
    let mut world = World::start().await;
    world.integrate(1, "audit").await;
    world.stream(HOUR).await;
    world.publish("a", 0..5).await;
    world.receives("a", 5).await;
    world.answer(503);
    world.publish("b", 0..5).await;
    eventually("an attempt was made", async || (world.requests() > 0).then_some(())).await;
    world.stop().await;
    world.answer(200);
    world.stream(HOUR).await;
    world.receives("b", 5).await;
    assert_eq!(world.taken("a").len(), 5, "what was done is not done again");
}
