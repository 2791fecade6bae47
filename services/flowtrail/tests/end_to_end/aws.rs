//! S3 and Firehose, as moto stands in for them with signatures and policies checked, while everything is killed.
//!
//! `just drill-s3` and `just drill-firehose` do the same with more kills and events.

mod firehose;
mod s3;

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};
use testkit::{Moto, User, within};

use crate::drill::number;
use crate::flowtrail::{Flowtrail, Topology};

/// The ids of published events begin with it, and no other id does.
const PREFIX: &str = "drill-";
/// How long the last batches may take after everything is published.
const PATIENCE: Duration = Duration::from_secs(300);

fn kills_and_events() -> [usize; 2] {
    [number("FLOWTRAIL_DRILL_KILLS", 2), number("FLOWTRAIL_DRILL_EVENTS", 1500)]
}

fn s3(endpoint: &str, user: &User) -> Value {
    let config = json!({
        "bucket_name": "logs", "region": "eu-central-1", "endpoint": endpoint, "access_key": user.access_key,
        "secret_key": user.secret_key, "batch_seconds": "1", "events": "audit",
    });
    json!({ "platform": "s3", "enabled": true, "config": config })
}

fn firehose(endpoint: &str, user: &User) -> Value {
    let config = json!({
        "stream_name": "events", "region": "eu-central-1", "endpoint": endpoint, "access_key_id": user.access_key,
        "secret_access_key": user.secret_key, "events": "audit",
    });
    json!({ "platform": "firehose", "enabled": true, "config": config })
}

/// Creates an integration; gives the status and the answer.
async fn create(flowtrail: &Flowtrail, path: &str, body: &Value) -> (u16, Value) {
    let answer = flowtrail.request("POST", path).json(body).send().await.unwrap();
    (answer.status().as_u16(), serde_json::from_str(&answer.text().await.unwrap()).unwrap())
}

async fn integrate(flowtrail: &Flowtrail, body: &Value) -> String {
    let (status, made) = create(flowtrail, "/api/event-streaming", body).await;
    assert_eq!(status, 200, "{made}");
    format!("/api/event-streaming/{}", made["id"])
}

/// Waits until everything in the log is delivered.
async fn has_delivered(flowtrail: &Flowtrail, integration: &str) {
    within(PATIENCE, "everything is delivered", async || {
        let answer = flowtrail.request("GET", &format!("{integration}/status")).send().await.unwrap();
        // The streamer, which answers this, may not be back yet so shortly after a kill.
        if answer.status() == 503 {
            return None;
        }
        let status: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
        assert!(status["dead_lettered"] == 0 && status["state"] != "suspended", "{status}");
        (status["state"] == "active" && status["lag_events"] == 0).then_some(())
    })
    .await;
}

fn all_ids(count: usize) -> BTreeSet<String> {
    (0..count).map(|number| format!("{PREFIX}{number}")).collect()
}

#[tokio::test]
async fn a_wrong_secret_is_refused_when_an_integration_is_made_and_nothing_is_stored() {
    let moto = Moto::start().await;
    let flowtrail = Flowtrail::start(Topology::Together).await;
    integrate(&flowtrail, &s3(&moto.url, &moto.writer)).await;
    let before = flowtrail.get("/api/event-streaming").await;
    let objects = moto.objects("logs").await.len();
    let wrong = User { secret_key: "wrong-secret-key".to_owned(), ..moto.writer.clone() };
    let problem = |user: &User| {
        if user.secret_key == wrong.secret_key {
            "the secret key does not belong to the access key"
        } else {
            "the policy of the access key does not allow it"
        }
    };
    for path in ["/api/event-streaming", "/api/integrations/event-streaming"] {
        for user in [&wrong, &moto.stranger] {
            for body in [s3(&moto.url, user), firehose(&moto.url, user)] {
                let (status, answer) = create(&flowtrail, path, &body).await;
                assert_eq!((status, &answer["code"]), (412, &json!(412)), "{answer}");
                let message = answer["message"].as_str().unwrap();
                assert!(message.contains(problem(user)) && !message.contains(&user.secret_key), "{message}");
                assert_eq!(flowtrail.get(path).await, before);
            }
        }
    }
    assert_eq!(moto.objects("logs").await.len(), objects);
    assert!(moto.objects("records").await.is_empty());
    let made = flowtrail.get("/api/events/audit?activity_code=integration.create").await;
    assert_eq!(made.as_array().unwrap().len(), 1, "there is no trace of those that were refused");
    // It was the secret: the right one is taken, and no number was used up.
    let (status, made) =
        create(&flowtrail, "/api/integrations/event-streaming", &firehose(&moto.url, &moto.writer)).await;
    assert_eq!((status, &made["id"]), (200, &json!(2)), "{made}");
    assert_eq!(moto.objects("records").await.len(), 1);
}
