//! A receiver that never answers holds up nobody else, and the streamer's memory does not grow with what is delivered.
//!
//! `just drill-fair` runs the same in release with more events and prints the rates; the suite asserts no time.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use serde_json::json;
use testkit::{HttpServer, eventually};
use tokio::task::JoinSet;

use crate::flowtrail::{Flowtrail, Topology};

const FAST: usize = 9;
/// Without the black hole and with it, so that what a log costs that gets longer is in both alike.
const WITH_HOLE: [bool; 4] = [false, true, true, false];
const PHASES: usize = WITH_HOLE.len();
/// How many events a request brings.
const AT_ONCE: usize = 2000;
/// How much the streamer may grow from the first phase to the last, in KiB: what ten deliveries may hold, and the same for
/// any number of events.
const MAY_GROW: u64 = 128 << 10;

/// Receives batches, and knows which events have come. It ends with its owner.
struct Fast {
    server: HttpServer,
    came: Arc<Came>,
}

/// A bit for each event.
struct Came {
    bits: Vec<AtomicU64>,
    different: AtomicU64,
    repeated: AtomicU64,
}

impl Fast {
    async fn start(events: usize) -> Self {
        let bits = (0..events.div_ceil(64)).map(|_| AtomicU64::new(0)).collect();
        let came = Arc::new(Came { bits, different: AtomicU64::new(0), repeated: AtomicU64::new(0) });
        let server = HttpServer::start(Router::new().fallback(take).with_state(came.clone())).await;
        Self { server, came }
    }

    fn different(&self) -> u64 {
        self.came.different.load(Ordering::Relaxed)
    }
}

async fn take(State(came): State<Arc<Came>>, body: Bytes) {
    for line in body.split(|byte| *byte == b'\n') {
        // {"ID":"fair-17", ...
        let Some(digits) = line.strip_prefix(br#"{"ID":"fair-"#) else { continue };
        let digits = digits.split(|byte| *byte == b'"').next().unwrap();
        let number: usize = std::str::from_utf8(digits).unwrap().parse().unwrap();
        let bit = 1 << (number % 64);
        let before = came.bits[number / 64].fetch_or(bit, Ordering::Relaxed);
        let counter = if before & bit == 0 { &came.different } else { &came.repeated };
        counter.fetch_add(1, Ordering::Relaxed);
    }
}

/// Takes connections and requests, and answers the test event and nothing else.
struct BlackHole {
    server: HttpServer,
    swallowed: Arc<AtomicU64>,
}

impl BlackHole {
    async fn start() -> Self {
        let swallowed = Arc::<AtomicU64>::default();
        let swallow = async |State(swallowed): State<Arc<AtomicU64>>, body: Bytes| {
            if !body.starts_with(br#"{"ID":"flowtrail-test-"#) {
                swallowed.fetch_add(1, Ordering::Relaxed);
                std::future::pending::<()>().await;
            }
        };
        let server = HttpServer::start(Router::new().fallback(swallow).with_state(swallowed.clone())).await;
        Self { server, swallowed }
    }

    fn has_swallowed(&self) -> bool {
        self.swallowed.load(Ordering::Relaxed) > 0
    }
}

async fn integrate(flowtrail: &Flowtrail, server: &HttpServer) -> u64 {
    let config = json!({ "url": server.url("/hook"), "events": "audit", "batch": "ndjson" });
    let body = json!({ "platform": "generic_http", "enabled": true, "config": config });
    let answer = flowtrail.request("POST", "/api/event-streaming").json(&body).send().await.unwrap();
    let status = answer.status();
    let text = answer.text().await.unwrap();
    assert_eq!(status, 200, "{text}");
    serde_json::from_str::<serde_json::Value>(&text).unwrap()["id"].as_u64().unwrap()
}

async fn publish(flowtrail: &Flowtrail, numbers: std::ops::Range<usize>) {
    for start in numbers.clone().step_by(AT_ONCE) {
        let event =
            |number: usize| json!({ "id": format!("fair-{number}"), "event_type": "door.open", "actor_id": "a" });
        let events: Vec<_> = (start..numbers.end.min(start + AT_ONCE)).map(event).collect();
        let answer = flowtrail.request("POST", "/api/events/audit").json(&events).send().await.unwrap();
        assert_eq!(answer.status(), 202);
    }
}

/// Publishes, and waits until every fast receiver has everything; gives the rate of one.
async fn phase(flowtrail: &Flowtrail, fast: &[Fast], numbers: std::ops::Range<usize>) -> f64 {
    let (wanted, count) = (numbers.end as u64, numbers.len());
    let began = Instant::now();
    let receive = async {
        // Nothing has to come in time, but something has to come.
        let (mut heard, mut all) = (Instant::now(), 0);
        while fast.iter().any(|receiver| receiver.different() < wanted) {
            let now = fast.iter().map(Fast::different).sum();
            if now > all {
                (heard, all) = (Instant::now(), now);
            }
            assert!(heard.elapsed() < Duration::from_secs(120), "nothing came for long: {all} of {wanted} for each");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::join!(publish(flowtrail, numbers), receive);
    count as f64 / began.elapsed().as_secs_f64()
}

/// How much memory a process has, in KiB.
fn memory(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

fn median(mut values: Vec<u64>) -> u64 {
    values.sort_unstable();
    values.get(values.len() / 2).copied().unwrap_or_default()
}

#[tokio::test]
async fn a_black_hole_slows_nobody_and_memory_is_flat() {
    let events =
        std::env::var_os("FLOWTRAIL_DRILL_EVENTS").map_or(8000, |text| text.to_str().unwrap().parse().unwrap());
    // The streamer is a process of its own here, so that its memory is its own.
    let settings = [("FLOWTRAIL_AUDIT_READS", "false"), ("FLOWTRAIL_CACHE_MB", "64")];
    let flowtrail = Flowtrail::start_with(Topology::LeastPrivilege, &settings).await;
    let streamer = flowtrail.id();
    let mut fast = Vec::new();
    for _ in 0..FAST {
        let receiver = Fast::start(events).await;
        integrate(&flowtrail, &receiver.server).await;
        fast.push(receiver);
    }
    let hole = BlackHole::start().await;
    let hole_id = integrate(&flowtrail, &hole.server).await;
    let steer = async |verb: &str| {
        let path = format!("/api/event-streaming/{hole_id}/{verb}");
        assert_eq!(flowtrail.request("POST", &path).json(&json!({})).send().await.unwrap().status(), 200);
    };
    steer("pause").await;
    // Not counted: connections are made, caches filled.
    let warm = events / 10;
    phase(&flowtrail, &fast, 0..warm).await;

    let samples = Arc::new(Mutex::new(Vec::new()));
    let mut sampler = JoinSet::new();
    let kept = samples.clone();
    sampler.spawn(async move {
        loop {
            kept.lock().unwrap().push(memory(streamer));
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    });
    let (mut rates, mut medians) = ([Vec::new(), Vec::new()], Vec::new());
    let bounds: Vec<usize> = (0..=PHASES).map(|phase| warm + (events - warm) * phase / PHASES).collect();
    for (has_hole, bounds) in WITH_HOLE.into_iter().zip(bounds.windows(2)) {
        steer(if has_hole { "resume" } else { "pause" }).await;
        if has_hole {
            // Measured is how it hangs, not how it comes to that.
            eventually("the black hole has swallowed a batch", async || hole.has_swallowed().then_some(())).await;
        }
        let rate = phase(&flowtrail, &fast, bounds[0]..bounds[1]).await;
        let sampled = std::mem::take(&mut *samples.lock().unwrap());
        let memory = median(if sampled.is_empty() { vec![memory(streamer)] } else { sampled });
        println!(
            "{} the black hole: {rate:.0} events/s to each of {FAST}, the streamer has {memory} KiB after {} events",
            if has_hole { "with" } else { "without" },
            bounds[1],
        );
        rates[usize::from(has_hole)].push(rate);
        medians.push(memory);
    }
    sampler.shutdown().await;
    let mean = |rates: &[f64]| rates.iter().sum::<f64>() / rates.len() as f64;
    let (without, with) = (mean(&rates[0]), mean(&rates[1]));
    let repeated: u64 = fast.iter().map(|receiver| receiver.came.repeated.load(Ordering::Relaxed)).sum();
    println!(
        "without {without:.0}, with {with:.0} events/s to each: {:.1} %; {repeated} repeated",
        100.0 * with / without
    );

    let stuck = flowtrail.get(&format!("/api/event-streaming/{hole_id}/status")).await;
    assert_eq!(stuck["dead_lettered"], 0, "what the black hole swallowed is not given up: {stuck}");
    let (first, last) = (medians[0], medians[PHASES - 1]);
    assert!(last <= first + MAY_GROW, "the streamer grew from {first} to {last} KiB");
}
