//! Events of many hours in one backlog: each is in an object of its own hour, once.

use std::collections::BTreeMap;
use std::io::Read;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{Method, StatusCode, Uri};
use flate2::read::GzDecoder;
use model::integration::Platform;
use serde_json::{Value, json};
use testkit::{HttpServer, eventually};

use crate::world::World;

/// A bucket that is busy from time to time: its objects, and how many requests it was sent.
#[derive(Default)]
struct Bucket {
    objects: BTreeMap<String, Vec<Value>>,
    requests: usize,
}

async fn put(State(bucket): State<Arc<Mutex<Bucket>>>, method: Method, uri: Uri, body: Bytes) -> StatusCode {
    if method == Method::HEAD {
        return StatusCode::OK;
    }
    let mut bucket = bucket.lock().unwrap();
    bucket.requests += 1;
    if bucket.requests.is_multiple_of(7) {
        return StatusCode::SERVICE_UNAVAILABLE;
    }
    let path = uri.path().replace("%3D", "=");
    if bucket.objects.contains_key(&path) {
        return StatusCode::PRECONDITION_FAILED;
    }
    let mut text = String::new();
    GzDecoder::new(body.as_ref()).read_to_string(&mut text).unwrap();
    bucket.objects.insert(path, text.lines().map(|line| serde_json::from_str(line).unwrap()).collect());
    StatusCode::OK
}

#[tokio::test]
async fn events_of_many_hours_are_each_in_an_object_of_their_hour_once() {
    let bucket: Arc<Mutex<Bucket>> = Arc::default();
    let server = HttpServer::start(Router::new().fallback(put).with_state(bucket.clone())).await;
    let mut world = World::start().await;
    let url = server.url("");
    let texts = [
        ("bucket_name", "lake"),
        ("region", "eu-central-1"),
        ("endpoint", url.as_str()),
        ("access_key", "a"),
        ("batch_seconds", "1"),
        ("events", "audit"),
    ];
    world.integrate_with(1, Platform::S3, &texts, &[("secret_key", "s")]).await;
    // 60 hours, mixed.
    let time = |number: usize| format!("2024-02-{:02}T{:02}:30:00Z", 1 + number % 5, number % 12);
    let events: Vec<(String, String, Value)> =
        (0..300).map(|number| (format!("p{number}"), time(number), json!({ "event_type": "door.open" }))).collect();
    world.publish_at(&events).await;
    world.stream(Duration::from_secs(3600)).await;
    eventually("all have arrived", async || {
        world.simulated.advance(Duration::from_secs(60));
        (world.status(1).await["delivered"].as_u64() >= Some(300)).then_some(())
    })
    .await;
    assert_eq!(world.status(1).await["guarantee"], "exactly once");
    let bucket = bucket.lock().unwrap();
    let mut times: BTreeMap<&str, usize> = BTreeMap::new();
    for (path, rows) in bucket.objects.iter().filter(|(path, _)| path.contains("/event_kind=audit/")) {
        for row in rows.iter().filter(|row| row["id"].as_str().unwrap().starts_with('p')) {
            let time = row["timestamp"].as_str().unwrap();
            assert!(path.contains(&format!("/dt={}/hr={}/", &time[..10], &time[11..13])), "{path}: {time}");
            *times.entry(row["id"].as_str().unwrap()).or_default() += 1;
        }
    }
    assert_eq!((times.len(), times.values().max()), (300, Some(&1)));
}
