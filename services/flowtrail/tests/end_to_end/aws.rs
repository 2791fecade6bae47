//! S3 and Firehose, as moto stands in for them with signatures and policies checked, while everything is killed.
//!
//! `just drill-s3` and `just drill-firehose` do the same with more kills and events.

mod firehose;
mod s3;

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};
use testkit::{Moto, S3rver, S3sFs, User, within};

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

/// Creates an integration, or asks something of one; gives the status and the answer.
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
async fn creating_testing_and_the_status_say_what_a_store_guarantees() {
    let (moto, s3s_fs, s3rver) = (Moto::start().await, S3sFs::start().await, S3rver::start().await);
    let mut stores = vec![
        (s3(&moto.url, &moto.writer), "exactly once"),
        (s3(&s3s_fs.url(), &s3s_fs.user), "exactly once"),
        (firehose(&moto.url, &moto.writer), "at least once"),
    ];
    match &s3rver {
        Some(s3rver) => {
            let [access_key, secret_key] = S3rver::KEYS.map(str::to_owned);
            stores.push((s3(&s3rver.url(), &User { access_key, secret_key }), "at least once"));
        }
        None => eprintln!("not run with a store that overwrites: there is no s3rver here"),
    }
    for topology in Topology::BOTH {
        let flowtrail = Flowtrail::start(topology).await;
        for (body, guarantee) in &stores {
            let made = flowtrail.request("POST", "/api/event-streaming").json(body).send().await.unwrap();
            assert_eq!(made.headers().get("flowtrail-guarantee").unwrap(), guarantee, "{body}");
            let made: Value = serde_json::from_str(&made.text().await.unwrap()).unwrap();
            let integration = format!("/api/event-streaming/{}", made["id"]);
            let tested = create(&flowtrail, &format!("{integration}/test"), &json!({})).await;
            assert_eq!(tested, (200, json!({ "delivered": true, "guarantee": guarantee })), "{body}");
            within(PATIENCE, "delivery has begun", async || {
                let shown = flowtrail.get(&format!("{integration}/status")).await["guarantee"].clone();
                (!shown.is_null()).then(|| assert_eq!(shown, *guarantee, "{body}"))
            })
            .await;
        }
        // Nobody is contacted for one that is not enabled.
        let mut body = stores[0].0.clone();
        body["enabled"] = json!(false);
        let made = flowtrail.request("POST", "/api/event-streaming").json(&body).send().await.unwrap();
        assert_eq!((made.status().as_u16(), made.headers().get("flowtrail-guarantee")), (200, None));
        has_delivered(&flowtrail, "/api/event-streaming/2").await;
    }
    let delivered = s3s_fs.objects("logs").await;
    let audit = delivered.iter().filter(|object| object["key"].as_str().unwrap().contains("/event_kind=audit/"));
    let lines: Vec<Value> = audit
        .flat_map(|object| object["text"].as_str().unwrap().lines())
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    // Of each topology, those that were made after this one.
    let made = lines.iter().filter(|line| line["event_type"] == "integration.create").count();
    assert_eq!(made, Topology::BOTH.len() * (stores.len() - 1), "{lines:?}");
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
