//! A webhook receiver that fails in every way there is, and verifies each request with the reference library.
//!
//! `just drill-webhook` does the same with more requests.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};
use testkit::{StandIn, within};

use crate::drill::{Publisher, number, random_below};
use crate::flowtrail::{Flowtrail, Topology};

/// The ids of published events begin with it, and no other id does.
const PREFIX: &str = "hook-";
const SECRET: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
/// How many events are published before the receiver has nearly all of those before.
const AT_ONCE: usize = 25;
/// From so many requests on, every kind of failure is met.
const DRILL_EVENTS: usize = 10_000;
/// How long some events may take; one request without an answer takes half a minute.
const PATIENCE: Duration = Duration::from_secs(300);

/// A request, as the receiver tells it.
#[derive(Debug, Deserialize)]
struct Request {
    path: String,
    webhook_id: String,
    ids: Vec<String>,
    fault: String,
    after: Option<f64>,
    verified: bool,
}

/// An integration that is resumed each time it is suspended.
struct Resumed {
    path: String,
    /// The suspension that it was resumed from.
    suspended_since: Value,
    times: usize,
}

impl Resumed {
    async fn make(flowtrail: &Flowtrail, url: &str, more: &Value) -> Self {
        let mut config = json!({ "url": url, "signing_secret": SECRET, "events": "audit" });
        config.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let body = json!({ "platform": "generic_http", "enabled": true, "config": config });
        let answer = flowtrail.request("POST", "/api/event-streaming").json(&body).send().await.unwrap();
        let (status, made) = (answer.status(), answer.text().await.unwrap());
        assert_eq!(status, 200, "{made}");
        let made: Value = serde_json::from_str(&made).unwrap();
        Self { path: format!("/api/event-streaming/{}", made["id"]), suspended_since: Value::Null, times: 0 }
    }

    /// How many events wait; resumes what is suspended.
    async fn waiting(&mut self, flowtrail: &Flowtrail) -> u64 {
        let status = flowtrail.get(&format!("{}/status", self.path)).await;
        if status["state"] == "suspended" && status["since"] != self.suspended_since {
            assert_eq!(status["last_error"]["status"], 410, "{status}");
            self.suspended_since = status["since"].clone();
            let resume = flowtrail.request("POST", &format!("{}/resume", self.path)).json(&json!({}));
            assert_eq!(resume.send().await.unwrap().status(), 200);
            self.times += 1;
        }
        assert_eq!(status["dead_lettered"], 0, "{status}");
        status["lag_events"].as_u64().unwrap()
    }
}

/// How often which fault was met, and how late the requests after a `Retry-After` came at most.
#[derive(Debug, Default)]
struct Told {
    faults: BTreeMap<String, usize>,
    latest: f64,
}

/// What holds for one receiver, whatever it did.
fn hold(requests: &[Request], ids: &[String], resumed: usize) -> Told {
    let mut told = Told::default();
    let mut order = Vec::new();
    let mut seen = BTreeSet::new();
    let mut taken = BTreeMap::<&str, usize>::new();
    let mut names = BTreeMap::<&str, &Vec<String>>::new();
    for request in requests {
        assert!(request.verified, "{request:?}");
        *told.faults.entry(request.fault.clone()).or_default() += 1;
        if let Some(after) = request.after {
            assert!(after >= 0.0, "{after} s after the moment that was named: {request:?}");
            told.latest = told.latest.max(after);
        }
        assert_eq!(*names.entry(&request.webhook_id).or_insert(&request.ids), &request.ids, "one name, one content");
        let ours = request.ids.iter().filter(|id| id.starts_with(PREFIX));
        match request.fault.as_str() {
            "ok" | "reset" => {
                for id in ours {
                    if seen.insert(id) {
                        order.push(id.clone());
                    }
                    *taken.entry(id).or_default() += usize::from(request.fault == "ok");
                }
            }
            _ => {}
        }
    }
    assert!(order == ids, "complete, and in the order of the log: {} of {}", order.len(), ids.len());
    let doubled: Vec<_> = taken.iter().filter(|(_, times)| **times != 1).collect();
    assert!(doubled.is_empty(), "what was acknowledged is not sent again: {doubled:?}");
    assert_eq!(told.faults.get("gone").copied().unwrap_or_default(), resumed, "one that is gone is asked no more");
    told
}

async fn start_receiver(journal: &Path, count: usize, seed: u64) -> StandIn {
    let journal = journal.to_str().unwrap().to_owned();
    // With few requests, failures are as many as can be.
    let [timeouts, good] = if count < DRILL_EVENTS { ["1", "280"] } else { ["5", "930"] };
    let arguments = [journal, seed.to_string(), SECRET.into(), timeouts.into(), good.into()];
    StandIn::start_program("webhook_receiver.py", |port| [&[port.to_string()], &arguments[..]].concat()).await
}

#[tokio::test]
async fn a_receiver_that_fails_in_every_way_gets_everything_in_order_when_it_wants_it() {
    let count = number("FLOWTRAIL_DRILL_REQUESTS", 150);
    let mut flowtrail = Flowtrail::start(Topology::Together).await;
    let journal = flowtrail.directory.path().join("webhook");
    let seed = random_below(u64::MAX);
    println!("seed {seed}");
    let receiver = start_receiver(&journal, count, seed).await;
    let url = receiver.url();
    let mut single = Resumed::make(&flowtrail, &format!("{url}/single"), &json!({})).await;
    let mut batched = Resumed::make(&flowtrail, &format!("{url}/batch"), &json!({ "batch": "array" })).await;
    let publisher = Publisher::start(&flowtrail, PREFIX);
    for until in (0..count).step_by(AT_ONCE).map(|before| count.min(before + AT_ONCE)) {
        publisher.order(&flowtrail, until);
        within(PATIENCE, "nearly all is delivered", async || {
            // Batches wait for more to come; nobody waits for them.
            batched.waiting(&flowtrail).await;
            let waiting = single.waiting(&flowtrail).await;
            (publisher.published() == until && waiting < AT_ONCE as u64).then_some(())
        })
        .await;
    }
    within(PATIENCE, "everything is delivered", async || {
        (single.waiting(&flowtrail).await + batched.waiting(&flowtrail).await == 0).then_some(())
    })
    .await;
    flowtrail.stop();

    let lines = std::fs::read_to_string(&journal).unwrap();
    let requests = lines.lines().map(|line| serde_json::from_str::<Request>(line).unwrap());
    let (singles, rest): (Vec<_>, Vec<_>) = requests.partition(|request| request.path == "/single");
    let (batches, elsewhere): (Vec<_>, Vec<_>) = rest.into_iter().partition(|request| request.path == "/batch");
    assert!(elsewhere.is_empty(), "a redirect was followed: {elsewhere:?}");
    let ids: Vec<String> = (0..count).map(|number| format!("{PREFIX}{number}")).collect();
    assert!(singles.iter().all(|request| request.ids.len() == 1 && request.webhook_id == request.ids[0]));
    let [of_singles, of_batches] = [hold(&singles, &ids, single.times), hold(&batches, &ids, batched.times)];
    if count >= DRILL_EVENTS {
        assert_eq!(of_singles.faults.len(), 8, "every kind of failure was met: {of_singles:?}");
    }
    println!("{count} events: {} requests one by one, {of_singles:?}", singles.len());
    println!("{} requests with batches, {of_batches:?}", batches.len());
}
