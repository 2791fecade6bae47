//! Datadog's limits are kept, whatever the sizes of events.

use std::collections::BTreeSet;
use std::io::Read;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use flate2::read::GzDecoder;
use model::integration::Platform;
use proptest::prop_oneof;
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;
use serde::Deserialize;
use serde_json::json;
use serde_json::value::RawValue;
use testkit::{HttpServer, eventually};

use crate::world::World;

/// The most logs of a request.
const LOGS: usize = 1000;
/// Their most bytes, before compression.
const BYTES: usize = 5_000_000;
/// The most bytes of a log.
const LOG_BYTES: usize = 1_000_000;

/// An intake that keeps its limits.
#[derive(Default)]
struct Intake {
    requests: usize,
    /// The limits that were broken.
    broken: Vec<String>,
    /// The largest request there was, in logs and in bytes.
    largest: (usize, usize),
    ids: Vec<String>,
}

#[derive(Deserialize)]
struct Log {
    id: String,
}

async fn take(State(intake): State<Arc<Mutex<Intake>>>, body: Bytes) -> StatusCode {
    let mut unpacked = Vec::new();
    GzDecoder::new(body.as_ref()).read_to_end(&mut unpacked).unwrap();
    let logs: Vec<&RawValue> = serde_json::from_slice(&unpacked).unwrap();
    let largest = logs.iter().map(|log| log.get().len()).max().unwrap_or_default();
    let mut intake = intake.lock().unwrap();
    intake.requests += 1;
    intake.largest = (intake.largest.0.max(logs.len()), intake.largest.1.max(unpacked.len()));
    if logs.is_empty() || logs.len() > LOGS || unpacked.len() > BYTES || largest > LOG_BYTES {
        let broken = format!("{} logs, {} bytes, the largest log has {largest}", logs.len(), unpacked.len());
        intake.broken.push(broken);
        return StatusCode::PAYLOAD_TOO_LARGE;
    }
    let ids = logs.iter().map(|log| serde_json::from_str::<Log>(log.get()).unwrap().id);
    intake.ids.extend(ids);
    StatusCode::ACCEPTED
}

/// Sizes of events: many small ones, and some about as large as a log may be, or larger.
fn sizes() -> impl Strategy<Value = Vec<usize>> {
    let size = prop_oneof![3000 => 0..1500_usize, 4 => 2_000..400_000_usize, 6 => 995_000..1_003_000_usize];
    proptest::collection::vec(size, 1..2500)
}

/// Events of some sizes on their way to an intake.
struct Delivery {
    world: World,
    intake: Arc<Mutex<Intake>>,
    /// How many were published so far.
    published: usize,
    _server: HttpServer,
}

impl Delivery {
    async fn start() -> Self {
        let intake = Arc::new(Mutex::new(Intake::default()));
        let server = HttpServer::start(Router::new().fallback(take).with_state(intake.clone())).await;
        let url = server.url("/api/v2/logs");
        let world = World::start().await;
        let texts = [("api_url", url.as_str()), ("events", "audit")];
        world.integrate_with(1, Platform::Datadog, &texts, &[("api_key", "key")]).await;
        Self { world, intake, published: 0, _server: server }
    }

    /// Publishes events of these sizes, in as few messages as may be.
    async fn publish(&mut self, prefix: &str, sizes: &[usize]) {
        let mut waiting = Vec::new();
        let mut bytes = 0;
        for (number, &size) in sizes.iter().enumerate() {
            let data = json!({ "event_type": "a.b", "error_message": "é".repeat(size / 2) });
            waiting.push((format!("{prefix}{number}"), data));
            bytes += size + 500;
            if waiting.len() == 500 || bytes > 2_000_000 || number + 1 == sizes.len() {
                self.world.publish_together(&std::mem::take(&mut waiting)).await;
                bytes = 0;
            }
        }
        self.published += sizes.len();
    }

    /// Waits until every event was delivered or is a dead letter.
    async fn is_over(&self) {
        eventually("everything is delivered or never will be", async || {
            let letters = self.world.status(1).await["dead_lettered"].as_u64().unwrap_or_default();
            let intake = self.intake.lock().unwrap();
            assert_eq!(intake.broken, Vec::<String>::new());
            (intake.ids.len() as u64 + letters == self.published as u64).then_some(())
        })
        .await;
    }

    /// What is true of events of these sizes when all is over.
    fn holds_for(&self, prefix: &str, sizes: &[usize]) {
        let intake = self.intake.lock().unwrap();
        let taken: Vec<usize> = intake.ids.iter().filter_map(|id| id.strip_prefix(prefix)?.parse().ok()).collect();
        assert!(taken.is_sorted_by(|one, next| one < next), "once and in order");
        let taken: BTreeSet<usize> = taken.into_iter().collect();
        let missing: Vec<usize> = (0..sizes.len()).filter(|number| !taken.contains(number)).collect();
        // A log is its event and less than a thousand bytes of names.
        let is_too_large = |number: &usize| sizes[*number] > LOG_BYTES - 1000;
        assert!(missing.iter().all(is_too_large), "only what is too large is missing: {missing:?} of {sizes:?}");
    }
}

#[tokio::test]
async fn datadogs_limits_are_kept_whatever_the_sizes_of_events() {
    let mut delivery = Delivery::start().await;
    // Small enough to be many in one request, large enough to be few; all there before the first is sent.
    let (small, large) = ([0; 2100], [990_000; 12]);
    delivery.publish("small-", &small).await;
    delivery.publish("large-", &large).await;
    delivery.world.stream(Duration::from_secs(3600)).await;
    delivery.is_over().await;
    delivery.holds_for("small-", &small);
    delivery.holds_for("large-", &large);
    let largest = delivery.intake.lock().unwrap().largest;
    assert!(largest.0 == LOGS && largest.1 > 4_900_000, "the limits are used: {largest:?}");

    let mut runner = TestRunner::default();
    for case in ["a-", "b-"] {
        let sizes = sizes().new_tree(&mut runner).unwrap().current();
        delivery.publish(case, &sizes).await;
        delivery.is_over().await;
        delivery.holds_for(case, &sizes);
    }
    let intake = delivery.intake.lock().unwrap();
    println!("{} logs in {} requests, the largest {:?}", intake.ids.len(), intake.requests, intake.largest);
}
