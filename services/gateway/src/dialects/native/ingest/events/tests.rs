use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderName, HeaderValue};
use model::envelope::{BATCH, STRUCTURED};
use model::log::AccountId;
use serde_json::{Value, json};

use super::*;
use crate::http::budget::Budget;

fn account() -> AccountId {
    AccountId::parse("main").unwrap()
}

fn sent(family: Family, content_type: &'static str, body: &str) -> Result<Vec<Value>, String> {
    let headers = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static(content_type))]);
    sent_with(family, &headers, body.as_bytes())
}

fn sent_with(family: Family, headers: &HeaderMap, body: &[u8]) -> Result<Vec<Value>, String> {
    let (texts, _) = texts(family, headers, body).map_err(|refused| refused.to_string())?;
    Ok(texts.iter().map(|text| serde_json::from_str(text).unwrap()).collect())
}

/// The events of a body as their texts, and what is ignored of them.
fn texts(family: Family, headers: &HeaderMap, bytes: &[u8]) -> Result<(Vec<String>, BTreeSet<String>), Refusal> {
    let (subject, mut share) = (family.subject(&account()), Budget::of_mib(1).share(&account()));
    let mut texts = Vec::new();
    let read = read(Body { family, subject: &subject, headers, bytes }, &mut share, |text| {
        texts.push(text);
        Ok(())
    })?;
    assert_eq!(read.events, texts.len());
    Ok((texts, read.ignored))
}

fn audit(body: &str) -> Result<Vec<Value>, String> {
    sent(Family::Audit, "application/json", body)
}

fn traffic(body: &str) -> Result<Vec<Value>, String> {
    sent(Family::Traffic, "application/json", body)
}

fn cloud_event(data: &str) -> String {
    let kind = Family::Audit.kind();
    format!(r#"{{"specversion":"1.0","id":"e1","source":"/s","type":"{kind}","tracestate":"t","data":{data}}}"#)
}

#[test]
fn a_plain_event_becomes_a_cloudevent() {
    let body = r#" {"id":"e1","time":"2024-01-01T01:00:00+01:00","event_type":"a.b","meta":{"n":1.50},"new":[null]} "#;
    let event = json!({
        "specversion": "1.0",
        "id": "e1",
        "source": "http",
        "type": "flowtrail.audit.recorded.v1",
        "time": "2024-01-01T00:00:00Z",
        "datacontenttype": "application/json",
        "data": { "event_type": "a.b", "meta": { "n": 1.5 }, "new": [null] },
    });
    assert_eq!(audit(body), Ok(vec![event]));
}

#[test]
fn the_same_plain_event_is_the_same_cloudevent_again() {
    let body = r#"[{"id":"e1","event_type":"a.b"},{"id":"e2","event_type":"a.b"}]"#;
    assert_eq!(audit(body), audit(body));
    assert_eq!(audit(body).unwrap()[0].get("time"), None);
}

#[test]
fn a_plain_event_without_an_id_gets_one() {
    let events = audit(r#"[{"event_type":"a"},{"id":null,"event_type":"a"}]"#).unwrap();
    let ids: Vec<&str> = events.iter().map(|event| event["id"].as_str().unwrap()).collect();
    assert!(ids[0].len() == 26 && ids[1].len() == 26 && ids[0] != ids[1], "{ids:?}");
}

#[test]
fn lines_are_events_and_empty_lines_are_none() {
    let body = "\n{\"event_type\":\"a\"}\r\n\n{\"event_type\":\"b\"}";
    for content_type in ["application/x-ndjson", "application/ndjson; charset=utf-8", "Application/JSONL"] {
        let events = sent(Family::Audit, content_type, body).unwrap();
        let types: Vec<_> = events.iter().map(|event| event["data"]["event_type"].clone()).collect();
        assert_eq!(types, ["a", "b"], "{content_type}");
    }
}

#[test]
fn cloudevents_go_into_the_log_as_they_are() {
    let event = cloud_event(r#"{"event_type":"a"}"#);
    let value: Value = serde_json::from_str(&event).unwrap();
    assert_eq!(sent(Family::Audit, "application/cloudevents+json; charset=utf-8", &event), Ok(vec![value.clone()]));
    let batch = format!("[{event},{event}]");
    assert_eq!(sent(Family::Audit, "application/cloudevents-batch+json", &batch), Ok(vec![value.clone(), value]));
}

#[test]
fn attributes_may_stand_in_headers() {
    let attributes = [
        ("content-type", "application/json"),
        ("ce-specversion", "1.0"),
        ("ce-id", "e%201"),
        ("ce-source", "/s"),
        ("ce-type", "flowtrail.audit.recorded.v1"),
        ("ce-time", "2024-01-01T00:00:00Z"),
    ];
    let mut headers = HeaderMap::new();
    for (name, value) in attributes {
        headers.insert(name, HeaderValue::from_static(value));
    }
    let event = sent_with(Family::Audit, &headers, br#"{"event_type":"a"}"#).unwrap().remove(0);
    assert_eq!((event["id"].as_str(), event["time"].as_str()), (Some("e 1"), Some("2024-01-01T00:00:00Z")));
    assert_eq!(event["data"], json!({ "event_type": "a" }));
    headers.remove("ce-id");
    assert!(sent_with(Family::Audit, &headers, b"{}").unwrap_err().starts_with("events[0]: no cloudevent"));
}

#[test]
fn a_bad_event_is_named_by_its_place_and_field() {
    let third = |event: &str| audit(&format!(r#"[{{"event_type":"a"}},{{"event_type":"b"}},{event}]"#)).unwrap_err();
    assert_eq!(
        third(r#"{"event_type":"a","latency_ms":"slow"}"#),
        "events[2].latency_ms: must be a number, not a string"
    );
    assert_eq!(third("{}"), "events[2].event_type: is missing (or activity_code, its other name)");
    assert_eq!(third(r#"{"id":7,"event_type":"a"}"#), "events[2].id: must be a string");
    assert_eq!(third(r#"{"id":"","event_type":"a"}"#), "events[2].id: must not be empty");
    assert_eq!(third(r#"{"id":"a\u0000","event_type":"a"}"#), "events[2].id: must not hold control characters");
    assert_eq!(third(r#"{"id":"\u00e9\u0085","event_type":"a"}"#), "events[2].id: must not hold control characters");
    assert!(third(r#"{"time":"now","event_type":"a"}"#).starts_with("events[2].time: must be an RFC 3339 time"));
    assert_eq!(third(r#"{"time":1700000000,"event_type":"a"}"#), "events[2].time: must be a string");
    assert_eq!(third("7"), "events[2]: must be an object, not an integer");
    let foreign = third(r#"{"event_type":"a","account_id":"other"}"#);
    assert_eq!(foreign, "events[2].account_id: \"other\" is not the account that the token belongs to");
}

#[test]
fn a_bad_line_and_a_bad_cloudevent_are_named_too() {
    let lines = "{\"event_type\":\"a\"}\n\n{\"event_type\"";
    assert!(sent(Family::Audit, "application/x-ndjson", lines).unwrap_err().starts_with("events[1]: not JSON: "));
    let batch = |event: &str| sent(Family::Audit, BATCH, &format!("[{event}]")).unwrap_err();
    assert_eq!(batch(&cloud_event("{}")), "events[0].data.event_type: is missing (or activity_code, its other name)");
    assert!(batch(&cloud_event("{}").replace("audit", "other")).starts_with("events[0].type: "));
    assert_eq!(batch(&cloud_event("{}").replace("1.0", "0.3")), "events[0].specversion: must be 1.0");
    assert_eq!(batch("{}"), "events[0].specversion: is missing");
}

#[test]
fn a_traffic_report_names_its_reporter() {
    assert_eq!(traffic(r#"{"flow_id":"f"}"#).unwrap_err(), "events[0].reporter_id: is required");
    assert_eq!(traffic(r#"{"flow_id":"f","reporter_id":""}"#).unwrap_err(), "events[0].reporter_id: is required");
    let wrong = traffic(r#"[{"reporter_id":"r","source":{"geo_location":7}}]"#).unwrap_err();
    assert!(wrong.starts_with("events[0].source.geo_location: "), "{wrong}");
    assert_eq!(traffic(r#"{"reporter_id":"r"}"#).unwrap()[0]["type"], "flowtrail.traffic.reported.v1");
}

#[test]
fn a_body_without_events_is_refused() {
    assert_eq!(audit("[]").unwrap_err(), "no events");
    assert_eq!(sent(Family::Audit, "application/x-ndjson", " \n\n").unwrap_err(), "no events");
    assert_eq!(sent(Family::Audit, BATCH, "[]").unwrap_err(), "no events");
    assert!(audit("").unwrap_err().starts_with("events[0]: not JSON: "));
}

#[test]
fn what_is_no_json_is_refused() {
    for body in ["[", "[{]", "[{}] []", "{} {}", "event_type=a"] {
        let refused = audit(body).unwrap_err();
        assert!(refused.contains("not JSON: "), "{body}: {refused}");
    }
    let broken = sent_with(Family::Audit, &HeaderMap::new(), b"{\"event_type\":\"\xff\"}");
    assert!(broken.is_err(), "{broken:?}");
}

#[test]
fn what_a_view_would_find_too_deep_is_refused() {
    let nested = |levels: usize| format!(r#"{{"event_type":"a","x":{}{}}}"#, "[".repeat(levels), "]".repeat(levels));
    // The array of a message, the envelope and the data are three levels.
    assert!(audit(&nested(61)).is_ok());
    assert_eq!(audit(&nested(62)).unwrap_err(), "events[0]: more than 64 levels deep");
    assert_eq!(audit(&nested(100_000)).unwrap_err(), "body: more than 64 levels deep");
}

/// The only event of a body, as the views read it.
fn viewed(family: Family, headers: &HeaderMap, body: &[u8]) -> Event {
    let (events, _) = texts(family, headers, body).unwrap();
    let part = Part::in_batch(events[0].as_bytes());
    event::decode_part(&family.subject(&account()), part, Timestamp::EPOCH).event.unwrap()
}

fn viewed_audit(body: &str) -> model::audit::Event {
    match viewed(Family::Audit, &HeaderMap::new(), body.as_bytes()) {
        Event::Audit(event) => event,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_record_that_a_dialect_shows_can_be_posted_back() {
    let netbird = r#"{"id":"r2","timestamp":"2024-01-31T12:00:00Z","activity":"Opened","activity_code":"door.open",
        "initiator_id":"alice","initiator_name":"","initiator_email":"a@b.c","target_id":"lab","meta":{"floor":"2"}}"#;
    let instavm = r#"{"id":"r2","created_at":"2024-01-31T12:00:00.000000Z","event_type":"door.open","actor_id":"alice",
        "resource_id":"lab","user_id":null,"status":"success"}"#;
    let vrni = r#"{"id":"r2","timestamp":1706702400,"event_type":"door.open","actor_id":"alice","entity_id":"lab"}"#;
    for body in [netbird, instavm, vrni] {
        let event = viewed_audit(body);
        assert_eq!((event.time.to_string().as_str(), event.event_type.as_str()), ("2024-01-31T12:00:00Z", "door.open"));
        assert_eq!((event.given.actor_id.as_deref(), event.given.resource_id.as_deref()), (Some("alice"), Some("lab")));
    }
    assert_eq!(viewed_audit(netbird).given.meta.unwrap().as_str(), r#"{"floor":"2"}"#);
}

#[test]
fn of_two_times_flowtrail_s_own_stands_and_a_wrong_one_is_named() {
    let event =
        viewed_audit(r#"{"id":"1","event_type":"a","timestamp":"x","time":"2024-01-01T00:00:00Z","created_at":null}"#);
    assert_eq!(event.time.to_string(), "2024-01-01T00:00:00Z");
    assert_eq!(event.given.meta.unwrap().as_str(), r#"{"timestamp":"x"}"#);
    let refused = audit(r#"{"event_type":"a","timestamp":"yesterday"}"#).unwrap_err();
    assert_eq!(refused, "events[0].timestamp: must be an RFC 3339 time such as 2024-01-31T23:59:59Z");
    assert_eq!(audit(r#"{"event_type":"a","created_at":7}"#).unwrap_err(), "events[0].created_at: must be a string");
}

#[test]
fn half_a_surrogate_pair_refuses_nothing_but_an_id() {
    let event = viewed_audit(r#"{"id":"1","event_type":"a","user_agent":"M \ud83d","\ud83d":1}"#);
    assert_eq!(event.given.user_agent.as_deref(), Some("M \u{fffd}"));
    assert_eq!(event.given.meta.unwrap().as_str(), "{\"\u{fffd}\":1}");
    let id = "events[0].id: must be a string";
    assert!(audit(r#"{"id":"a\ud83d","event_type":"a"}"#).unwrap_err().starts_with(id));
    assert!(audit(r#"{"id":"a\ud83d","event_type":"a","\ud83d":1}"#).unwrap_err().starts_with(id));
    let body = r#"{"id":"1","flow_id":"f \ud83d","reporter_id":"r","source":{"name":"\ude00"},"\ud83d":1e400}"#;
    let Event::Traffic(report) = viewed(Family::Traffic, &HeaderMap::new(), body.as_bytes()) else {
        panic!("a report");
    };
    assert_eq!(report.data.flow_id.as_deref(), Some("f \u{fffd}"));
    assert_eq!(report.data.source.name.as_deref(), Some("\u{fffd}"));
    assert!(traffic(r#"{"id":"a\ud83d","reporter_id":"r"}"#).unwrap_err().starts_with(id));
}

#[test]
fn numbers_go_into_the_log_as_they_were_written() {
    let body =
        r#"{"id":"1","event_type":"a","event_payload":{"v":[1.50,18446744073709551616,1e400]},"latency_ms":0.10}"#;
    let (events, _) = texts(Family::Audit, &HeaderMap::new(), body.as_bytes()).unwrap();
    assert!(events[0].contains("[1.50,18446744073709551616,1e400]") && events[0].contains("0.10"), "{events:?}");
}

#[test]
fn a_cloudevent_is_known_by_its_specversion_in_any_body() {
    let event = cloud_event(r#"{"event_type":"a"}"#);
    let value: Value = serde_json::from_str(&event).unwrap();
    for (content_type, body) in [
        ("application/json", event.clone()),
        ("application/json", format!("[{event}]")),
        ("application/x-ndjson", format!("{event}\n")),
        ("application/cloudevents", event.clone()),
        ("Application/CloudEvents-Batch; charset=utf-8", format!("[{event}]")),
    ] {
        assert_eq!(sent(Family::Audit, content_type, &body), Ok(vec![value.clone()]), "{content_type}");
    }
    let xml = sent(Family::Audit, "application/cloudevents+xml", &event).unwrap_err();
    assert_eq!(xml, "content-type: cloudevents are read as JSON only, application/cloudevents+json");
}

#[test]
fn a_foreign_event_in_headers_keeps_all_it_says() {
    let mut headers = HeaderMap::new();
    for (name, value) in [
        ("content-type", "Text/Plain"),
        ("ce-specversion", "1.0"),
        ("ce-id", "\"f 1\""),
        ("ce-source", "/shop"),
        ("ce-type", "com.example.paid"),
        ("ce-subject", "caf%C3%A9"),
        ("ce-correlationid", "c1"),
        ("ce-traceparent", "00-1"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    let Event::Audit(event) = viewed(Family::Audit, &headers, b"paid") else { panic!("an audit event") };
    assert_eq!(
        (event.id.as_str(), event.event_type.as_str(), event.source.as_str()),
        ("f 1", "com.example.paid", "/shop")
    );
    assert_eq!((event.given.resource_id.as_deref(), event.given.correlation_id.as_deref()), (Some("café"), Some("c1")));
    assert_eq!(event.given.event_payload.unwrap().as_str(), r#""paid""#);
    assert_eq!(event.given.meta.unwrap().as_str(), r#"{"datacontenttype":"Text/Plain","traceparent":"00-1"}"#);
    headers.insert("ce-id", HeaderValue::from_static("a%FF"));
    let refused = sent_with(Family::Audit, &headers, b"paid").unwrap_err();
    assert_eq!(refused, "events[0].id: must be UTF-8 behind its percent-encoding");
    headers.insert("ce-id", HeaderValue::from_static("f1"));
    headers.append("ce-subject", HeaderValue::from_static("tea"));
    let refused = sent_with(Family::Audit, &headers, b"paid").unwrap_err();
    assert_eq!(refused, "events[0].subject: must stand there once");
}

#[test]
fn bytes_of_which_nothing_says_what_they_are_are_kept_in_base64() {
    let mut headers = HeaderMap::new();
    for (name, value) in
        [("ce-specversion", "1.0"), ("ce-id", "f1"), ("ce-source", "/shop"), ("ce-type", "com.example.paid")]
    {
        headers.insert(name, HeaderValue::from_static(value));
    }
    let Event::Audit(event) = viewed(Family::Audit, &headers, b"\xff") else { panic!("an audit event") };
    assert_eq!(event.given.event_payload.unwrap().as_str(), r#""/w==""#);
}

#[test]
fn a_header_of_an_event_that_is_no_utf_8_is_named_and_others_say_nothing_of_it() {
    let latin = || HeaderValue::from_bytes(b"caf\xe9").unwrap();
    for name in ["ce-subject", "ce-tenant", "ce-id", "ce-specversion"] {
        let mut headers = HeaderMap::new();
        for (name, value) in
            [("ce-specversion", "1.0"), ("ce-id", "1"), ("ce-source", "/shop"), ("ce-type", "com.example.paid")]
        {
            headers.insert(name, HeaderValue::from_static(value));
        }
        headers.insert("x-shop", latin());
        assert!(sent_with(Family::Audit, &headers, b"{}").is_ok());
        headers.insert(name, latin());
        let refused = sent_with(Family::Audit, &headers, b"{}").unwrap_err();
        assert_eq!(refused, format!("{name}: must be UTF-8"));
        // Bytes of UTF-8 may stand there as they are.
        headers.insert(name, HeaderValue::from_bytes("1.0".as_bytes()).unwrap());
        assert!(sent_with(Family::Audit, &headers, b"{}").is_ok(), "{name}");
    }
}

#[test]
fn what_is_wrong_is_said_without_types_and_libraries() {
    for (family, body) in [
        (Family::Audit, r#"{"event_type":"a.b","user_id":"12"}"#),
        (Family::Audit, r#"{"event_type":"a.b","meta":[]}"#),
        (Family::Traffic, r#"{"flow_id":"f","reporter_id":"r","user":7}"#),
        (Family::Traffic, r#"{"flow_id":"f","reporter_id":"r","rx_bytes":-1}"#),
        (Family::Traffic, r#"{"flow_id":"f","reporter_id":"r","type":"END"}"#),
        (Family::Audit, r#"{"event_type":}"#),
        (Family::Audit, "["),
    ] {
        let refused = sent(family, "application/json", body).unwrap_err();
        for word in ["struct", "i64", "u64", "variant", "a map", "a sequence", "invalid type", "expected"] {
            assert!(!refused.contains(word), "{refused}");
        }
    }
}

#[test]
fn every_member_that_no_field_of_a_report_holds_is_told_once() {
    let report = r#"{"flow_id":"f","reporter_id":"r","protcol":6,"user":{"mail":1}}"#;
    let told = |family: Family, body: String| texts(family, &HeaderMap::new(), body.as_bytes()).unwrap().1;
    let ignored = told(Family::Traffic, format!("[{report},{report}]"));
    assert_eq!(ignored.iter().map(String::as_str).collect::<Vec<_>>(), ["protcol", "user.mail"]);
    // What an audit event says is kept in its meta.
    assert!(told(Family::Audit, r#"[{"event_type":"a","more":1}]"#.to_owned()).is_empty());
}

#[test]
fn an_event_that_takes_more_to_read_than_there_is_is_refused() {
    let members: Vec<String> = (0..10_000).map(|number| format!(r#""m{number}":1"#)).collect();
    let event = format!(r#"[{{"event_type":"a"}},{{"event_type":"a",{}}}]"#, members.join(","));
    assert_eq!(audit(&event).unwrap_err(), "body: takes more than 786432 bytes to be read; send it in parts");
}

#[test]
fn that_a_body_is_no_array_counts_more_than_an_event_that_is_none() {
    assert_eq!(audit(r#"[{"event_type":1},"#).unwrap_err(), "body: not JSON: it ends too early");
    assert_eq!(
        audit(r#"[{"event_type":1},{}]"#).unwrap_err(),
        "events[0].event_type: must be a string, not an integer"
    );
}

#[test]
fn what_would_be_taken_for_flowtrails_own_is_refused_by_its_member_in_every_form() {
    let forged = [
        (r#""event_type":"a.b","source":"flowtrail""#, r#"source: "flowtrail" is reserved"#),
        (r#""activity_code":"a.b","source":"Flowtrail/commands""#, r#"source: "Flowtrail/commands" is reserved"#),
        (r#""event_type":"audit.read""#, r#"event_type: "audit.read" is reserved"#),
        (r#""activity_code":"integration.delete","initiator_id":"sys""#, r#"actor_id: "sys" is reserved"#),
    ];
    let binary = HeaderMap::from_iter(
        [
            ("content-type", "application/json"),
            ("ce-specversion", "1.0"),
            ("ce-id", "e1"),
            ("ce-source", "/s"),
            ("ce-type", "flowtrail.audit.recorded.v1"),
        ]
        .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value))),
    );
    for (members, expected) in forged {
        let data = format!("{{{members}}}");
        let event = cloud_event(&data);
        let answers = [
            audit(&data),
            audit(&format!("[{data}]")),
            sent(Family::Audit, "application/x-ndjson", &data),
            sent(Family::Audit, "application/json", &event),
            sent(Family::Audit, STRUCTURED, &event),
            sent(Family::Audit, BATCH, &format!("[{event}]")),
            sent_with(Family::Audit, &binary, data.as_bytes()),
        ];
        for answer in answers {
            let refused = answer.unwrap_err();
            assert!(refused.starts_with(&format!("events[0].{expected}")), "{refused}");
        }
    }
}

#[test]
fn a_foreign_cloudevent_is_refused_by_the_source_and_type_of_its_envelope() {
    let sent = |source: &str, kind: &str| {
        let event = format!(r#"{{"specversion":"1.0","id":"e1","source":"{source}","type":"{kind}"}}"#);
        sent(Family::Audit, STRUCTURED, &event)
    };
    assert!(sent("flowtrail", "door.open").unwrap_err().starts_with(r#"events[0].source: "flowtrail" is reserved"#));
    assert!(sent("/s", "traffic.read").unwrap_err().starts_with(r#"events[0].event_type: "traffic.read" is reserved"#));
    assert_eq!(sent("/s", "door.open").unwrap().len(), 1);
}
