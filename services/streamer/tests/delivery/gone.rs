//! What deliveries need is taken out of the log: each loss is told for what it is, and nothing is delivered twice for it.

use std::time::Duration;

use model::log::Stream;
use serde_json::Value;
use testkit::eventually;

use crate::world::World;

const HOUR: Duration = Duration::from_secs(60 * 60);

async fn is(world: &World, state: &str) -> Value {
    eventually(&format!("it is {state}"), async || {
        let status = world.status(1).await;
        (status["state"] == state).then_some(status)
    })
    .await
}

#[tokio::test]
async fn where_a_delivery_stands_is_written_again_when_it_is_purged_and_nothing_comes_twice() {
    let mut world = World::start().await;
    world.integrate(1, "audit").await;
    world.stream(HOUR).await;
    world.publish("before", 0..3).await;
    world.receives("before", 3).await;
    is(&world, "active").await;
    world.purge(Stream::Delivery).await;
    world.publish("after", 0..3).await;
    world.receives("after", 3).await;
    assert_eq!(world.taken("before").len(), 3, "nothing came twice");
    // It is in the log again, so that the next streamer goes on there, too.
    eventually("all is recorded", async || (world.status(1).await["delivered"] == 6).then_some(())).await;
    world.stop().await;
    world.stream(HOUR).await;
    world.publish("later", 0..1).await;
    world.receives("later", 1).await;
    let counts = ["before", "after", "later"].map(|prefix| world.taken(prefix).len());
    assert_eq!(counts, [3, 3, 1], "nothing came twice");
}

#[tokio::test]
async fn a_bucket_of_keys_that_is_gone_is_what_the_status_says() {
    let mut world = World::start().await;
    world.integrate(1, "audit").await;
    world.stream(HOUR).await;
    world.publish("before", 0..1).await;
    world.receives("before", 1).await;
    world.stop().await;
    world.remove_stream(bus::KEYS_STREAM).await;
    world.stream(HOUR).await;
    world.publish("after", 0..1).await;
    let status = is(&world, "failing").await;
    assert_eq!(status["last_error"]["reason"], "the bucket of keys is gone from the log", "{status}");
    assert!(status["since"].is_string() && status["delivered"] == 1, "{status}");
    // A bucket without the key is another thing.
    world.make_streams().await;
    eventually("the key is missed", async || {
        (world.status(1).await["last_error"]["reason"] == "the integration's key is gone").then_some(())
    })
    .await;
    assert!(world.taken("after").is_empty());
}
