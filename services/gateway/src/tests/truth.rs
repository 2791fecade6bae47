//! What was published comes back: by value, and every number to its last digit.

use std::collections::BTreeMap;

use axum::http::Method;
use model::access::Scope;
use model::json::as_text;
use serde::Deserialize;
use serde_json::json;
use serde_json::value::RawValue;
use testkit::json::{Sample, samples};

use super::world::World;

/// How many values are tried.
const VALUES: usize = 1000;

#[derive(Deserialize)]
struct InstaVm {
    event_payload: Box<RawValue>,
    latency_ms: Box<RawValue>,
}

#[derive(Deserialize)]
struct NetBird {
    id: String,
    meta: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct Vrni {
    results: Vec<Log>,
}

#[derive(Deserialize)]
struct Log {
    value: String,
}

#[derive(Deserialize)]
struct Own {
    items: Vec<OwnItem>,
}

#[derive(Deserialize)]
struct OwnItem {
    id: String,
    event_payload: Box<RawValue>,
    latency_ms: Box<RawValue>,
    meta: Box<RawValue>,
}

impl OwnItem {
    fn check(&self, (sample, number): &(Sample, String)) {
        let expected = &sample.expected;
        assert_eq!(self.event_payload.get(), format!("[{expected}]"), "{}", self.id);
        assert_eq!(self.meta.get(), format!(r#"{{"of_no_field":[{expected}],"v":{expected}}}"#), "{}", self.id);
        assert_eq!(self.latency_ms.get(), number, "{}", self.id);
    }
}

type Samples = BTreeMap<String, (Sample, String)>;

/// Events with values of every kind, and the views that have them.
async fn published() -> (World, Samples) {
    let world = World::start().await;
    let samples: Samples =
        samples(VALUES).into_iter().enumerate().map(|(n, sample)| (format!("t{n}"), sample)).collect();
    for (id, (sample, number)) in &samples {
        let written = &sample.written;
        world.event_as_written(
            "main",
            &format!(
                r#"{{"specversion":"1.0","id":"{id}","source":"/t","type":"flowtrail.audit.recorded.v1","data":{{
                "event_type":"truth.told","event_payload":[{written}],"latency_ms":{number},"meta":{{"v":{written}}},
                "of_no_field":[{written}]}}}}"#
            ),
        );
    }
    (world, samples)
}

#[tokio::test]
async fn any_value_comes_back_as_it_was_written() {
    let (world, samples) = published().await;
    let token = world.token("main", &[Scope::AuditRead]);
    for (id, (sample, number)) in &samples {
        let answer = world.get(&token, &format!("/v1/audit/events/{id}")).await;
        let shown: InstaVm = serde_json::from_slice(&answer.bytes).unwrap();
        assert_eq!(shown.event_payload.get(), format!("[{}]", sample.expected), "{id}");
        assert_eq!(shown.latency_ms.get(), number, "{id}");
    }
    let answer = world.get(&token, "/api/events/audit?activity_code=truth.told").await;
    let rows: Vec<NetBird> = serde_json::from_slice(&answer.bytes).unwrap();
    assert_eq!(rows.len(), VALUES);
    for row in rows {
        let expected = &samples[&row.id].0.expected;
        assert_eq!(row.meta["v"], as_text(expected), "{}", row.id);
        assert_eq!(row.meta["of_no_field"], format!("[{expected}]"), "{}", row.id);
    }
    let answer = world.put(Method::POST, &token, "/api/ni/logs/audit", r#"{"size":1000}"#).await;
    let logs: Vrni = serde_json::from_slice(&answer.bytes).unwrap();
    // They have no ids.
    let mut shown: Vec<String> = logs.results.into_iter().map(|log| log.value).collect();
    let mut expected: Vec<String> = samples.values().map(|(sample, _)| format!("[{}]", sample.expected)).collect();
    shown.sort_unstable();
    expected.sort_unstable();
    assert!(shown == expected, "vRNI's values are not those that were published");
}

#[tokio::test]
async fn any_value_comes_back_in_flowtrails_own_lists_as_it_was_written() {
    let (world, samples) = published().await;
    let token = world.token("main", &[Scope::AuditRead]);
    for (id, sample) in &samples {
        let answer = world.get(&token, &format!("/flowtrail/v1/audit/{id}")).await;
        serde_json::from_slice::<OwnItem>(&answer.bytes).unwrap().check(sample);
    }
    let answer = world.get(&token, "/flowtrail/v1/audit?limit=1000").await;
    let list: Own = serde_json::from_slice(&answer.bytes).unwrap();
    assert_eq!(list.items.len(), VALUES);
    for item in list.items {
        item.check(&samples[&item.id]);
    }
}

#[tokio::test]
async fn an_ipv6_address_is_found_in_any_spelling() {
    let world = World::start().await;
    let token = world.token("main", &[Scope::AuditRead, Scope::TrafficRead]);
    let source = json!({ "address": "[2001:0db8:0:0:0:0:0:5]:443" });
    world.traffic("main", "r1", 1, &json!({ "flow_id": "f", "reporter_id": "r", "source": source }));
    world.audit("main", "a1", 1, &json!({ "event_type": "a.b", "ip_address": "2001:0DB8::0:5" }));
    for spelling in ["2001:db8::5", "2001:0db8:0:0:0:0:0:5", "2001:DB8::5", "[2001:DB8::5]:443"] {
        let answer = world.get(&token, &format!("/api/events/network-traffic?search={spelling}")).await.json();
        assert_eq!(
            (&answer["total_records"], &answer["data"][0]["source"]["address"]),
            (&json!(1), &json!("[2001:db8::5]:443"))
        );
        let body = json!({ "ip_address": spelling.trim_start_matches('[').trim_end_matches("]:443") });
        let answer = world.put(Method::POST, &token, "/api/ni/logs/audit", &body.to_string()).await.json();
        assert_eq!(answer["total_count"], 1, "{spelling}: {answer}");
        let search = body["ip_address"].as_str().unwrap();
        let answer = world.get(&token, &format!("/api/events/audit?search={search}")).await;
        assert_eq!(answer.all("id"), ["a1"], "{spelling}");
    }
}
