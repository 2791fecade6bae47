//! What was published arrives, whole and to the digit, on every platform that is sent more than NetBird's envelope.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use model::integration::Platform;
use serde_json::{Value, json};
use streamer::sink::{Item, Kind, Outcome};

use crate::support::{Receiver, audit, connect, connect_to, traffic, unpacked};

/// Null, what is empty, and numbers that need all their digits say something.
const PAYLOAD: &str = r#"{"after":{"expires":null,"labels":{},"list":[],"none":[null,{}]},"before":null,"n":[5,0.5,18446744073709551615]}"#;

fn item() -> Item {
    let payload: Value = serde_json::from_str(PAYLOAD).unwrap();
    audit(1, &json!({ "event_type": "owner.change", "event_payload": payload, "latency_ms": 5 }))
}

/// The body that a platform is sent of an item.
async fn sent(platform: Platform, item: Item) -> String {
    let receiver = Receiver::start().await;
    let sink = connect_to(platform, &receiver.server.url("/"));
    if platform == Platform::Firehose {
        receiver.answer(r#"{"FailedPutCount":0}"#);
    }
    assert_eq!(sink.deliver(&[item]).await, Outcome::Delivered);
    let request = receiver.requests().remove(0);
    if platform != Platform::Firehose {
        return String::from_utf8(unpacked(&request)).unwrap();
    }
    let data = request.json()["Records"][0]["Data"].as_str().unwrap().to_owned();
    String::from_utf8(STANDARD.decode(data).unwrap()).unwrap()
}

const AS_JSON: [Platform; 4] = [Platform::Datadog, Platform::S3, Platform::Firehose, Platform::SplunkHec];

#[tokio::test]
async fn a_payload_arrives_whole_on_every_platform() {
    for platform in AS_JSON {
        let body = sent(platform, item()).await;
        assert!(body.contains(&format!(r#""event_payload":{PAYLOAD}"#)), "{platform:?}: {body}");
    }
    let empty = audit(1, &json!({ "event_type": "a.b", "event_payload": {} }));
    for platform in AS_JSON {
        let body = sent(platform, empty.clone()).await;
        assert!(body.contains(r#""event_payload":{}"#), "{platform:?}: {body}");
    }
}

#[tokio::test]
async fn nothing_begins_with_a_byte_order_mark_but_a_text_that_was_published_with_one() {
    let marked = audit(1, &json!({ "event_type": "door.open", "activity": "\u{feff}opened" }));
    let judge = |what: &str, body: &str| {
        assert!(body.starts_with(['{', '[']), "{what}: {body:?}");
        assert!(body.lines().all(|line| !line.starts_with('\u{feff}')), "{what}: {body:?}");
        assert!(body.contains("\"\u{feff}opened\""), "{what}: {body:?}");
    };
    for platform in AS_JSON.into_iter().chain([Platform::Otlp]) {
        judge(platform.name(), &sent(platform, marked.clone()).await);
    }
    let receiver = Receiver::start().await;
    let (url, both) = (receiver.url(), [marked.clone(), marked]);
    for more in [&[][..], &[("batch", "ndjson")], &[("batch", "array")], &[("format", "document")]] {
        let sink = connect(Platform::GenericHttp, &[&[("url", url.as_str())], more].concat());
        assert_eq!(sink.deliver(&both).await, Outcome::Delivered);
    }
    for request in receiver.requests() {
        judge("generic_http", std::str::from_utf8(&request.body).unwrap());
    }
    let receiver = Receiver::start().await;
    let url = receiver.server.url("/");
    let keys = [("bucket_name", "logs"), ("region", "eu-central-1"), ("endpoint", url.as_str())];
    let more = [("access_key", "a"), ("secret_key", "s"), ("format", "parquet")];
    assert_eq!(connect(Platform::S3, &[keys, more].concat()).deliver(&both).await, Outcome::Delivered);
    assert!(receiver.requests()[0].body.starts_with(b"PAR1"));
}

#[tokio::test]
async fn a_payload_arrives_whole_at_a_collector() {
    let body: Value = serde_json::from_str(&sent(Platform::Otlp, item()).await).unwrap();
    let record = &body["resourceLogs"][0]["scopeLogs"][0]["logRecords"][0];
    let member = |of: &Value, name: &str| -> Value {
        let attributes = of.as_array().unwrap();
        attributes.iter().find(|attribute| attribute["key"] == name).unwrap()["value"].clone()
    };
    let event = member(&record["attributes"], "flowtrail.event");
    let payload = member(&event["kvlistValue"]["values"], "event_payload")["kvlistValue"]["values"].clone();
    let none = json!({});
    assert_eq!(member(&payload, "before"), none);
    let after = member(&payload, "after")["kvlistValue"]["values"].clone();
    assert_eq!(member(&after, "expires"), none);
    assert_eq!(member(&after, "labels"), json!({ "kvlistValue": { "values": [] } }));
    assert_eq!(member(&after, "list"), json!({ "arrayValue": { "values": [] } }));
    assert_eq!(member(&after, "none")["arrayValue"]["values"], json!([{}, { "kvlistValue": { "values": [] } }]));
    assert_eq!(
        member(&payload, "n")["arrayValue"]["values"],
        json!([{ "intValue": "5" }, { "doubleValue": 0.5 }, { "stringValue": "18446744073709551615" }])
    );
}

#[tokio::test]
async fn numbers_of_an_event_are_written_as_it_holds_them() {
    let item = item();
    let Kind::Audit(event) = &item.kind else { panic!("it is one") };
    let held = serde_json::to_string(&event.given.latency_ms).unwrap();
    for platform in AS_JSON {
        let body = sent(platform, item.clone()).await;
        assert!(body.contains(&format!(r#""latency_ms":{held},"#)), "{platform:?}: {body}");
    }
}

#[tokio::test]
async fn the_counts_and_the_window_of_a_report_are_there() {
    let report = json!({
        "flow_id": "f", "type": "TYPE_END", "num_of_starts": 2, "num_of_ends": 1, "rx_bytes": 7,
        "window_start": "2024-01-31T11:59:00Z", "window_end": "2024-01-31T12:00:00.5Z",
        "events": [{ "type": "TYPE_END", "timestamp": "2024-01-31T12:00:00Z" }],
    });
    let row: Value = serde_json::from_str(&sent(Platform::S3, traffic(1, &report)).await).unwrap();
    // One form of times in all of a file, whether or not they have fractions.
    assert_eq!(row["timestamp"], "2024-01-31T12:00:00.000000Z");
    assert_eq!(row["event"]["window_start"], "2024-01-31T11:59:00.000000Z");
    assert_eq!(row["event"]["window_end"], "2024-01-31T12:00:00.500000Z");
    assert_eq!(row["event"]["events"], json!([{ "type": "TYPE_END", "timestamp": "2024-01-31T12:00:00.000000Z" }]));

    let receiver = Receiver::start().await;
    let sink = connect(Platform::GenericHttp, &[("url", &receiver.url())]);
    assert_eq!(sink.deliver(&[traffic(1, &report)]).await, Outcome::Delivered);
    let meta = receiver.requests()[0].json()["meta"].clone();
    assert_eq!([&meta["num_of_starts"], &meta["num_of_ends"], &meta["rx_bytes"]], [2, 1, 7]);
    assert_eq!(meta["window_start"], "2024-01-31T11:59:00Z");
    assert_eq!(meta["window_end"], "2024-01-31T12:00:00.500Z");
    assert_eq!(meta.get("num_of_drops"), None);
}
