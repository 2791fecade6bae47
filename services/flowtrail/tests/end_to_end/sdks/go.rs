//! The Go SDK of CloudEvents, byte by byte as its sources write: where its modules cannot be had, no program of it can be
//! made. Each function names the source that it follows, in github.com/cloudevents/sdk-go.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::{Published, TIME, Wire, data, own_data};
use crate::flowtrail::Flowtrail;

pub(super) async fn publish(flowtrail: &Flowtrail) -> Published {
    let jetstream = async_nats::jetstream::new(flowtrail.nats().await);
    let mut published = Published::new("Go `sdk-go`", "v2, its bytes");
    for (mode, wire) in [
        ("structured", over_nats_structured("go-NATS-structured")),
        ("binary", over_nats_binary("go-NATS-binary")),
        ("batch", Wire::new(&[], array(&["go-NATS-batch"]))),
        ("data_base64", Wire::new(&[], with_bytes("go-NATS-base64"))),
    ] {
        wire.over_nats(&jetstream).await;
        published.add(mode, "NATS", &format!("go-NATS-{}", mode.trim_start_matches("data_")));
    }
    for (mode, wire) in [
        ("structured", over_http_structured(event("go-HTTP-structured"))),
        ("binary", over_http_binary("go-HTTP-binary")),
        ("batch", over_http_batch(&["go-HTTP-batch"])),
        ("data_base64", over_http_structured(with_bytes("go-HTTP-base64"))),
    ] {
        wire.over_http(flowtrail).await;
        published.add(mode, "HTTP", &format!("go-HTTP-{}", mode.trim_start_matches("data_")));
    }
    published
}

/// `v2/event/event_marshal.go`, `WriteJson`: the members in this order, times as RFC 3339 with their fraction, and data
/// of JSON as the bytes it was given.
fn event(id: &str) -> String {
    format!(
        r#"{{"specversion":"1.0","id":"{id}","source":"/shop","type":"com.example.order.paid","subject":"order 7","datacontenttype":"application/json","time":"{TIME}","data":{}}}"#,
        data()
    )
}

/// The same with `DataBase64` set, which `SetData` does for bytes.
fn with_bytes(id: &str) -> String {
    format!(
        r#"{{"specversion":"1.0","id":"{id}","source":"/shop","type":"flowtrail.audit.recorded.v1","datacontenttype":"application/json","time":"{TIME}","data_base64":"{}"}}"#,
        STANDARD.encode(own_data().to_string())
    )
}

fn array(ids: &[&str]) -> String {
    format!("[{}]", ids.iter().map(|id| event(id)).collect::<Vec<_>>().join(","))
}

/// `protocol/nats_jetstream/v3/write_message.go`, `SetStructuredEvent`: the event's JSON alone, and no header.
fn over_nats_structured(id: &str) -> Wire {
    Wire::new(&[], event(id))
}

/// `protocol/nats_jetstream/v3/write_message.go`, `SetAttribute`: `ce-` before each name, `datacontenttype` too, so that
/// there is no `Content-Type`; values as they are.
fn over_nats_binary(id: &str) -> Wire {
    let headers = [
        ("ce-specversion", "1.0"),
        ("ce-id", id),
        ("ce-source", "/shop"),
        ("ce-type", "com.example.order.paid"),
        ("ce-subject", "order 7"),
        ("ce-datacontenttype", "application/json"),
        ("ce-time", TIME),
    ];
    Wire::new(&headers, data().to_string())
}

/// `v2/protocol/http/write_request.go`, `SetStructuredEvent`.
fn over_http_structured(event: String) -> Wire {
    Wire::new(&[("Content-Type", "application/cloudevents+json")], event)
}

/// `v2/protocol/http/write_request.go`, `SetAttribute`: `Ce-` before each name but `datacontenttype`; values as they are.
fn over_http_binary(id: &str) -> Wire {
    let headers = [
        ("Ce-Specversion", "1.0"),
        ("Ce-Id", id),
        ("Ce-Source", "/shop"),
        ("Ce-Type", "com.example.order.paid"),
        ("Ce-Subject", "order 7"),
        ("Content-Type", "application/json"),
        ("Ce-Time", TIME),
    ];
    Wire::new(&headers, data().to_string())
}

/// `v2/protocol/http/utility.go`, `NewHTTPRequestFromEvents`: a JSON array of what `WriteJson` writes for each.
fn over_http_batch(ids: &[&str]) -> Wire {
    Wire::new(&[("Content-Type", "application/cloudevents-batch+json")], array(ids))
}
