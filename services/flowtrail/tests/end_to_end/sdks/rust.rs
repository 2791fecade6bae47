//! The Rust SDK of CloudEvents, with async-nats.

use axum::http::Request;
use cloudevents::{AttributesReader, Data, Event, EventBuilder, EventBuilderV10};
use serde_json::Value;

use super::{Published, TIME, Wire, data, own_data};
use crate::flowtrail::Flowtrail;

/// That of `Cargo.toml`, which the compiler does not tell.
const VERSION: &str = "0.9.0";

pub(super) async fn publish(flowtrail: &Flowtrail) -> Published {
    let lock = include_str!("../../../../../Cargo.lock");
    assert!(
        lock.contains(&format!("name = \"cloudevents-sdk\"\nversion = \"{VERSION}\"")),
        "the SDK is another one now"
    );
    let jetstream = async_nats::jetstream::new(flowtrail.nats().await);
    let mut published = Published::new("Rust `cloudevents-sdk`", VERSION);
    for transport in ["NATS", "HTTP"] {
        for (mode, ids, wire) in messages(transport) {
            match transport {
                "NATS" => wire.over_nats(&jetstream).await,
                _ => wire.over_http(flowtrail).await,
            }
            for id in ids {
                published.add(mode, transport, &id);
            }
        }
    }
    published
}

fn messages(transport: &str) -> Vec<(&'static str, Vec<String>, Wire)> {
    let id = |mode: &str| format!("rust-{transport}-{mode}");
    let ids = ["batch-1", "batch-2"].map(id);
    let batch = serde_json::to_vec(&ids.clone().map(|id| event(&id))).unwrap();
    let batch = Wire::new(&[("content-type", "application/cloudevents-batch+json")], batch);
    vec![
        ("structured", vec![id("structured")], structured(&event(&id("structured")))),
        ("binary", vec![id("binary")], binary(event(&id("binary")))),
        ("batch", ids.to_vec(), batch),
        ("data_base64", vec![id("base64")], structured(&with_bytes(&id("base64")))),
    ]
}

fn event(id: &str) -> Event {
    built(id, "com.example.order.paid", data().into())
}

fn with_bytes(id: &str) -> Event {
    let event = built(id, "flowtrail.audit.recorded.v1", Data::Binary(own_data().to_string().into_bytes()));
    let written: Value = serde_json::to_value(&event).unwrap();
    assert!(written["data_base64"].is_string(), "{written}");
    event
}

fn built(id: &str, kind: &str, data: Data) -> Event {
    let builder = EventBuilderV10::new().id(id).source("/shop").ty(kind).subject("order 7").time(TIME);
    let event = builder.data("application/json", data).build().unwrap();
    assert_eq!(event.id(), id);
    event
}

fn structured(event: &Event) -> Wire {
    Wire::new(&[("content-type", "application/cloudevents+json")], serde_json::to_vec(event).unwrap())
}

fn binary(event: Event) -> Wire {
    let request: Request<Option<Vec<u8>>> = event.try_into().unwrap();
    let (parts, body) = request.into_parts();
    let headers: Vec<(&str, &str)> =
        parts.headers.iter().map(|(name, value)| (name.as_str(), value.to_str().unwrap())).collect();
    Wire::new(&headers, body.unwrap())
}
