//! What drills share: numbers from the recipe, chance, and a publisher that goes on while everything is killed.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::flowtrail::Flowtrail;

/// How many events are published at once, as one message of the log.
const AT_ONCE: usize = 500;

/// What a recipe asks for, or what the test suite does.
pub(crate) fn number(variable: &str, default: usize) -> usize {
    std::env::var_os(variable).map_or(default, |text| text.to_str().unwrap().parse().unwrap())
}

/// Different at each call; a test of chance needs no better.
pub(crate) fn random_below(bound: u64) -> u64 {
    use std::hash::{BuildHasher, RandomState};
    RandomState::new().hash_one(0) % bound
}

/// Publishes audit events `<prefix>0`, `<prefix>1`, ... over HTTP, each until it is acknowledged.
pub(crate) struct Publisher {
    orders: watch::Sender<Orders>,
    acknowledged: watch::Receiver<usize>,
    _task: JoinSet<()>,
}

#[derive(Clone, Debug)]
struct Orders {
    url: String,
    /// How many it may publish.
    until: usize,
}

impl Publisher {
    pub(crate) fn start(flowtrail: &Flowtrail, prefix: &'static str) -> Self {
        let (orders, ordered) = watch::channel(Orders { url: flowtrail.url.clone(), until: 0 });
        let (acknowledges, acknowledged) = watch::channel(0);
        let mut task = JoinSet::new();
        let token = flowtrail.token.clone();
        task.spawn(publish(prefix, token, ordered, acknowledges));
        Self { orders, acknowledged, _task: task }
    }

    /// Lets it publish as many, at this place.
    pub(crate) fn order(&self, flowtrail: &Flowtrail, until: usize) {
        self.orders.send_replace(Orders { url: flowtrail.url.clone(), until });
    }

    /// How many are acknowledged.
    pub(crate) fn published(&self) -> usize {
        *self.acknowledged.borrow()
    }

    /// Waits until so many are acknowledged.
    pub(crate) async fn has_published(&mut self, count: usize) {
        let published = self.acknowledged.wait_for(|acknowledged| *acknowledged >= count);
        tokio::time::timeout(Duration::from_secs(120), published).await.expect("they are published in time").unwrap();
    }
}

async fn publish(
    prefix: &str,
    token: String,
    mut ordered: watch::Receiver<Orders>,
    acknowledges: watch::Sender<usize>,
) {
    let http = reqwest::Client::builder().timeout(Duration::from_secs(30)).build().unwrap();
    let mut next = 0;
    loop {
        let Ok(orders) = ordered.wait_for(|orders| orders.until > next).await.map(|orders| orders.clone()) else {
            return;
        };
        let end = orders.until.min(next + AT_ONCE);
        let events: Vec<Value> = (next..end).map(|number| event(prefix, number)).collect();
        let request = http.post(format!("{}/api/events/audit", orders.url)).json(&events);
        match request.header("authorization", format!("Token {token}")).send().await {
            Ok(answer) if answer.status() == 202 => {
                next = end;
                acknowledges.send_replace(next);
                // Not all at once, so that events come while others are on their way.
                tokio::time::sleep(Duration::from_millis(random_below(120))).await;
            }
            // It may have been stored: the same events again are the same message, which is stored once.
            Ok(answer) if answer.status() == 503 => tokio::time::sleep(Duration::from_millis(20)).await,
            Ok(answer) => panic!("{}: {}", answer.status(), answer.text().await.unwrap()),
            Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    }
}

/// With a time, so that it is the same whenever it is published again.
fn event(prefix: &str, number: usize) -> Value {
    let time = format!("2024-01-31T{:02}:{:02}:{:02}Z", number / 3600 % 24, number / 60 % 60, number % 60);
    let meta = json!({ "number": number, "text": "x".repeat(number % 90) });
    json!({
        "id": format!("{prefix}{number}"), "time": time, "event_type": "door.open", "actor_id": format!("u{}", number % 97),
        "resource_id": format!("r{}", number % 1009), "meta": meta,
    })
}

/// Publishes so many events while everything is killed so many times, each time at a random moment: after `killed` it
/// is started again.
pub(crate) async fn publish_under_fire(
    flowtrail: &mut Flowtrail,
    prefix: &'static str,
    [kills, events]: [usize; 2],
    mut killed: impl AsyncFnMut(),
) {
    let mut publisher = Publisher::start(flowtrail, prefix);
    for kill in 0..kills {
        // Each life begins with events to publish, so that all phases of a delivery are met.
        publisher.order(flowtrail, events * (kill + 1) / (kills + 1));
        tokio::time::sleep(Duration::from_millis(random_below(3500))).await;
        flowtrail.kill().await;
        killed().await;
        flowtrail.start_processes();
    }
    publisher.order(flowtrail, events);
    publisher.has_published(events).await;
}
