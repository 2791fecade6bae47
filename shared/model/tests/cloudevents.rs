//! What CloudEvents demands of who receives an event, demand by demand: the core specification 1.0.2, its JSON format,
//! and its bindings to HTTP and to NATS, whose demands on headers are the same.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use model::envelope::Message;
use model::event::{Event, decode};
use model::log::{AccountId, Subject};
use model::time::Timestamp;
use serde_json::{Value, json};

const JSON: (&str, &str) = ("Content-Type", "application/cloudevents+json");
/// The four attributes of a binary event.
const ID: (&str, &str) = ("ce-id", "e1");
const SOURCE: (&str, &str) = ("ce-source", "/shop");
const KIND: (&str, &str) = ("ce-type", "com.example.paid");
const VERSION: (&str, &str) = ("ce-specversion", "1.0");

/// What is demanded: headers beside those four, the payload, and what is to come of it.
type OfHeaders<'a> = (&'a str, &'a [(&'a str, &'a str)], &'a str, Value);

/// What becomes of the events of a message: each as far as the specification speaks of it, or why it is refused.
fn received(headers: &[(&str, &str)], payload: &[u8]) -> Vec<Value> {
    let account = AccountId::parse("main").unwrap();
    let now = Timestamp::parse("2024-05-05T00:00:00Z").unwrap();
    let contents = decode(&Subject::audit(&account, "shop"), Message { headers, payload }, now);
    let value =
        |json: Option<model::json::Json>| json.map(|json| serde_json::from_str::<Value>(json.as_str()).unwrap());
    let shown = |event: Event| {
        let Event::Audit(event) = event else { panic!("no audit event") };
        json!({
            "id": event.id,
            "source": event.source,
            "type": event.event_type,
            "time": event.time_given.then(|| event.time.to_string()),
            "subject": event.given.resource_id,
            "more": value(event.given.meta),
            "data": value(event.given.event_payload),
        })
    };
    let outcome = |event: Result<Event, model::event::Unreadable>| match event {
        Ok(event) => shown(event),
        Err(refused) => json!({ "refused": refused.to_string() }),
    };
    contents.events.into_iter().map(|decoded| outcome(decoded.event)).collect()
}

/// Whether all that is expected is there; the rest is not looked at.
#[track_caller]
fn assert_holds(demand: &str, found: &[Value], expected: &Value) {
    let [found] = found else { panic!("{demand}: {} events", found.len()) };
    for (name, value) in expected.as_object().unwrap() {
        assert_eq!(found.get(name), Some(value), "{demand}: {name} of {found}");
    }
}

/// A structured event of a foreign type, with these members beside the four that each must have.
fn structured(more: &str) -> String {
    let comma = if more.is_empty() { "" } else { "," };
    format!(r#"{{"specversion":"1.0","id":"e1","source":"/shop","type":"com.example.paid"{comma}{more}}}"#)
}

#[test]
fn the_attributes_are_as_the_core_specification_demands() {
    let demands: &[(&str, &str, Value)] = &[
        (
            "2: id, source, type, specversion make an event",
            "",
            json!({"id":"e1","source":"/shop","type":"com.example.paid"}),
        ),
        ("2: an attribute stands there once", r#""id":"e2""#, json!({"refused":"document: has id twice"})),
        ("2: an extension too", r#""tenant":1,"tenant":2"#, json!({"refused":"tenant: must stand there once"})),
        ("2.1: extensions may have any name of a-z and 0-9", r#""x9":"a""#, json!({"more":{"x9":"a"}})),
        (
            "2.2: booleans, integers, texts, URIs, binary in base64, times",
            r#""a":true,"b":-7,"c":"t","d":"urn:x","e":"/w==","f":"2024-01-01T00:00:00Z""#,
            json!({"more":{"a":true,"b":-7,"c":"t","d":"urn:x","e":"/w==","f":"2024-01-01T00:00:00Z"}}),
        ),
        (
            "3.2.1: the type of data has no case",
            r#""datacontenttype":"APPLICATION/JSON; charset=utf-8","data":{"a":1}"#,
            json!({"data":{"a":1},"more":null}),
        ),
        (
            "3.2.2: the schema of data is kept",
            r#""dataschema":"https://example.com/s""#,
            json!({"more":{"dataschema":"https://example.com/s"}}),
        ),
        ("3.2.3: the subject is what it is about", r#""subject":"order-7""#, json!({"subject":"order-7"})),
        (
            "3.2.4: time is RFC 3339",
            r#""time":"2024-01-01T01:30:00.5+01:30""#,
            json!({"time":"2024-01-01T00:00:00.500Z"}),
        ),
        (
            "3.2.4: nothing else",
            r#""time":"yesterday""#,
            json!({"refused":"time: must be an RFC 3339 time such as 2024-01-31T23:59:59Z"}),
        ),
        (
            "JSON 2.2: null is an attribute that is not there",
            r#""subject":null,"time":null,"tenant":null"#,
            json!({"subject":null,"time":null,"more":null}),
        ),
    ];
    for (demand, more, expected) in demands {
        assert_holds(demand, &received(&[JSON], structured(more).as_bytes()), expected);
    }
    for (attribute, missing) in
        [("specversion", "\"1.0\""), ("id", "\"e1\""), ("source", "\"/shop\""), ("type", "\"com.example.paid\"")]
    {
        let without = structured("").replace(&format!("\"{attribute}\":{missing}"), "\"other\":1");
        let refused = json!({ "refused": format!("{attribute}: is missing") });
        assert_holds("2: each must be there", &received(&[JSON], without.as_bytes()), &refused);
        if attribute != "specversion" {
            let empty = structured("").replace(missing, "\"\"");
            let refused = json!({ "refused": format!("{attribute}: must not be empty") });
            assert_holds("3.1: none of them may be empty", &received(&[JSON], empty.as_bytes()), &refused);
        }
    }
    let other = structured("").replace("\"1.0\"", "\"2.0\"");
    let refused = json!({ "refused": "specversion: must be 1.0" });
    assert_holds("3.1.3: of this version", &received(&[JSON], other.as_bytes()), &refused);
    let large = "x".repeat(64 * 1024);
    let payload = structured(&format!(r#""data":"{large}""#));
    assert_holds("5: 64 KiB are passed on", &received(&[JSON], payload.as_bytes()), &json!({ "data": large }));
}

#[test]
fn data_is_as_the_json_format_demands() {
    let demands: &[(&str, &str, Value)] = &[
        ("3.1.2: data_base64 is bytes", r#""datacontenttype":"text/plain","data_base64":"aGk=""#, json!({"data":"hi"})),
        (
            "3.1.2: which are read by their type",
            r#""datacontenttype":"text/json","data_base64":"eyJhIjoxfQ==""#,
            json!({"data":{"a":1}}),
        ),
        ("3.1.2: and are no JSON where none is named", r#""data_base64":"eyJhIjoxfQ==""#, json!({"data":"{\"a\":1}"})),
        ("3.1.2: nor text where they are none", r#""data_base64":"/w==""#, json!({"data":"/w=="})),
        (
            "3.1.2: data is JSON by its type",
            r#""datacontenttype":"application/vnd.shop+json","data":[1]"#,
            json!({"data":[1]}),
        ),
        (
            "3.1.2: a string is not read again",
            r#""datacontenttype":"application/json","data":"{\"a\":1}""#,
            json!({"data":"{\"a\":1}"}),
        ),
        (
            "3.1.2: of no JSON type, data is a text",
            r#""datacontenttype":"text/xml","data":"<a/>""#,
            json!({"data":"<a/>","more":{"datacontenttype":"text/xml"}}),
        ),
        ("3.1.2: without a type data is JSON", r#""data":{"a":1.50}"#, json!({"data":{"a":1.5}})),
        (
            "3.1: not both",
            r#""data":1,"data_base64":"aGk=""#,
            json!({"refused":"data_base64: must not be there together with data"}),
        ),
    ];
    for (demand, more, expected) in demands {
        assert_holds(demand, &received(&[JSON], structured(more).as_bytes()), expected);
    }
    let batch = ("Content-Type", "application/cloudevents-batch+json");
    let two = format!("[{},{}]", structured(r#""data":1"#), structured(r#""data":2"#));
    let data: Vec<Value> = received(&[batch], two.as_bytes()).iter().map(|event| event["data"].clone()).collect();
    assert_eq!(data, [1, 2], "4: an array is a batch");
    assert!(received(&[batch], b"[]").is_empty(), "4.1: which may be empty");
}

#[test]
fn the_form_is_told_as_the_bindings_demand() {
    let event = structured(r#""data":"structured""#);
    let binary = [VERSION, ID, SOURCE, KIND];
    for media_type in
        ["application/cloudevents+json; charset=UTF-8", "Application/CloudEvents+JSON", "application/cloudevents"]
    {
        let headers = [&[("content-type", media_type)][..], &binary].concat();
        assert_holds(
            "3: structured by its media type",
            &received(&headers, event.as_bytes()),
            &json!({"data":"structured"}),
        );
    }
    let headers = [&[("Content-Type", "application/json")][..], &binary].concat();
    let data: Value = serde_json::from_str(&event).unwrap();
    assert_holds("3: binary by every other", &received(&headers, event.as_bytes()), &json!({ "data": data }));
    assert_holds(
        "NATS 1.0.2: structured without headers",
        &received(&[], event.as_bytes()),
        &json!({"data":"structured"}),
    );
}

#[test]
fn headers_are_as_the_bindings_demand() {
    let demands: &[OfHeaders<'_>] = &[
        (
            "HTTP 3.1.1: Content-Type is the type of data",
            &[("Content-Type", "text/plain")],
            "paid",
            json!({"data":"paid","more":{"datacontenttype":"text/plain"}}),
        ),
        (
            "NATS 3.1.3.1: ce-datacontenttype is, too",
            &[("ce-datacontenttype", "text/plain")],
            "paid",
            json!({"data":"paid","more":{"datacontenttype":"text/plain"}}),
        ),
        ("3.1.1: data is the body", &[("content-type", "application/json")], r#"{"a":1}"#, json!({"data":{"a":1}})),
        (
            "3.1.2: each attribute has a header of its own",
            &[("ce-subject", "o7"), ("ce-time", "2024-01-01T00:00:00Z"), ("ce-tenant", "7")],
            "{}",
            json!({"subject":"o7","time":"2024-01-01T00:00:00Z","more":{"tenant":"7"}}),
        ),
        (
            "3.1.3.1: names have no case",
            &[("CE-Subject", "o7"), ("Ce-Tenant", "7")],
            "{}",
            json!({"subject":"o7","more":{"tenant":"7"}}),
        ),
        (
            "3.1.3.2: quotes are taken off first",
            &[("ce-subject", r#""a \"b\" \\ c""#)],
            "{}",
            json!({"subject":r#"a "b" \ c"#}),
        ),
        (
            "3.1.3.2: then escapes, once",
            &[("ce-subject", "Euro%20%E2%82%AC%20%F0%9F%98%80 %2525")],
            "{}",
            json!({"subject":"Euro \u{20ac} \u{1f600} %25"}),
        ),
        ("3.1.3.2: in lower case too", &[("ce-subject", "%e2%82%ac")], "{}", json!({"subject":"\u{20ac}"})),
        ("3.1.3.2: also needless ones", &[("ce-subject", "%41%7a")], "{}", json!({"subject":"Az"})),
        (
            "3.1.3.2: what is no UTF-8 is refused",
            &[("ce-subject", "a%C0%A0")],
            "{}",
            json!({"refused":"subject: must be UTF-8 behind its percent-encoding"}),
        ),
        (
            "core 2: an attribute stands there once",
            &[("ce-subject", "a"), ("CE-subject", "b")],
            "{}",
            json!({"refused":"subject: must stand there once"}),
        ),
        (
            "core 2: an extension too",
            &[("ce-tenant", "a"), ("ce-b", "1"), ("ce-tenant", "a")],
            "{}",
            json!({"refused":"tenant: must stand there once"}),
        ),
        (
            "core 3.2.4: time is RFC 3339",
            &[("ce-time", "1704067200")],
            "{}",
            json!({"refused":"time: must be an RFC 3339 time such as 2024-01-31T23:59:59Z"}),
        ),
    ];
    for (demand, more, payload, expected) in demands {
        let headers = [&[VERSION, ID, SOURCE, KIND][..], more].concat();
        assert_holds(demand, &received(&headers, payload.as_bytes()), expected);
    }
    let none = received(&[VERSION, ID, SOURCE, KIND, ("Content-Type", "application/octet-stream")], b"\xff");
    assert_holds("3.1.1: any bytes may be data", &none, &json!({"data":"/w=="}));
}
