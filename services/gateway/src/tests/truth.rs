//! What was published comes back: by value, and every number to its last digit.

use std::collections::BTreeMap;

use axum::http::Method;
use model::access::Scope;
use model::json::as_text;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::world::World;

/// How many values are tried.
const VALUES: usize = 300;

/// A JSON value as some publisher wrote it, and as it is expected back.
#[derive(Clone, Debug)]
struct Sample {
    written: String,
    expected: String,
}

impl Sample {
    fn same(text: String) -> Self {
        Self { expected: text.clone(), written: text }
    }
}

fn any_number() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<f64>()
            .prop_filter("JSON has no others", |number| number.is_finite())
            .prop_map(|number| number.to_string()),
        any::<f64>().prop_filter("the same", |number| number.is_finite()).prop_map(|number| format!("{number:e}")),
        (0.0..1000.0).prop_map(|number: f64| number.to_string()),
        "-?(0|[1-9][0-9]{0,40})",
        "-?(0|[1-9][0-9]{0,20})\\.[0-9]{1,30}",
        "-?[1-9]\\.[0-9]{1,20}[eE][+-]?[0-9]{1,2}",
    ]
}

fn any_sample() -> impl Strategy<Value = Sample> {
    let quoted = |text: String| Value::from(text).to_string();
    let leaf = prop_oneof![
        any_number().prop_map(Sample::same),
        any_number().prop_map(Sample::same),
        any::<String>().prop_map(move |text| Sample::same(quoted(text))),
        prop::sample::select(vec!["null", "true", "false", "{}", "[]"]).prop_map(|word| Sample::same(word.to_owned())),
    ];
    leaf.prop_recursive(4, 24, 4, move |inner| {
        let array = prop::collection::vec(inner.clone(), 0..4).prop_map(|items| {
            let of = |text: fn(&Sample) -> &str| items.iter().map(text).collect::<Vec<_>>();
            Sample {
                written: format!("[ {} ]", of(|item| &item.written).join(" ,\n")),
                expected: format!("[{}]", of(|item| &item.expected).join(",")),
            }
        });
        let object = prop::collection::btree_map(any::<String>(), inner, 0..4).prop_map(move |members| {
            let members: Vec<(String, Sample)> =
                members.into_iter().map(|(name, value)| (Value::from(name).to_string(), value)).collect();
            let written = members.iter().rev().map(|(name, value)| format!("{name} : {}", value.written));
            let expected = members.iter().map(|(name, value)| format!("{name}:{}", value.expected));
            Sample {
                written: format!("{{ {} }}", written.collect::<Vec<_>>().join(" , ")),
                expected: format!("{{{}}}", expected.collect::<Vec<_>>().join(",")),
            }
        });
        prop_oneof![array, object]
    })
}

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

#[tokio::test]
async fn any_value_comes_back_as_it_was_written() {
    let world = World::start().await;
    let token = world.token("main", &[Scope::AuditRead]);
    let mut runner = TestRunner::deterministic();
    let mut samples = BTreeMap::new();
    for n in 0..VALUES {
        let sample = any_sample().new_tree(&mut runner).unwrap().current();
        let number = any_number().new_tree(&mut runner).unwrap().current();
        let id = format!("t{n}");
        let written = &sample.written;
        world.event_as_written(
            "main",
            &format!(
                r#"{{"specversion":"1.0","id":"{id}","source":"/t","type":"flowtrail.audit.recorded.v1","data":{{
                "event_type":"truth.told","event_payload":{written},"latency_ms":{number},"meta":{{"v":{written}}}}}}}"#
            ),
        );
        samples.insert(id, (sample, number));
    }
    for (id, (sample, number)) in &samples {
        let answer = world.get(&token, &format!("/v1/audit/events/{id}")).await;
        let shown: InstaVm = serde_json::from_slice(&answer.bytes).unwrap();
        assert_eq!(shown.event_payload.get(), sample.expected, "{id}");
        assert_eq!(shown.latency_ms.get(), number, "{id}");
    }
    let answer = world.get(&token, "/api/events/audit?activity_code=truth.told").await;
    let rows: Vec<NetBird> = serde_json::from_slice(&answer.bytes).unwrap();
    assert_eq!(rows.len(), VALUES);
    for row in rows {
        assert_eq!(row.meta["v"], as_text(&samples[&row.id].0.expected), "{}", row.id);
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
    }
}
