use std::io::Write;

use super::*;
use crate::envelope::{BATCH, MAX_EVENTS, STRUCTURED};

fn main() -> AccountId {
    AccountId::parse("main").unwrap()
}

fn received() -> Timestamp {
    Timestamp::parse("2024-05-05T00:00:00Z").unwrap()
}

fn event(kind: &str, data: &str) -> String {
    format!(r#"{{"specversion":"1.0","id":"e1","source":"/s","type":"{kind}","data":{data}}}"#)
}

fn decoded(subject: &Subject, payload: &str) -> Result<Event, Unreadable> {
    let message = Message { headers: &[("content-type", STRUCTURED)], payload: payload.as_bytes() };
    decode(subject, message, received()).events.remove(0).event
}

#[test]
fn the_reason_says_what_to_mend() {
    let subject = Subject::audit(&main(), "s");
    let reason = |payload: &str| decoded(&subject, payload).unwrap_err().to_string();
    assert_eq!(reason(&event(audit::RECORDED, "{}")), "data.event_type: is missing (or activity_code, its other name)");
    let wrong_field = event(audit::RECORDED, r#"{"event_type":"a","user_id":"x"}"#);
    assert!(reason(&wrong_field).starts_with("data.user_id: must be an integer"), "{}", reason(&wrong_field));
    assert!(
        reason(&event("flowtrail.other.v1", "{}"))
            .starts_with("type: \"flowtrail.other.v1\" is not known on this subject")
    );
    let foreign = event(audit::RECORDED, r#"{"event_type":"a","account_id":"evil"}"#);
    assert_eq!(reason(&foreign), "account: the event names \"evil\", its subject another one");
}

#[test]
fn every_event_of_a_batch_has_its_own_outcome() {
    let text = format!("[{},{}]", event(audit::RECORDED, r#"{"event_type":"a"}"#), event(audit::RECORDED, "7"));
    let message = Message { headers: &[("content-type", BATCH)], payload: text.as_bytes() };
    let outcomes = decode(&Subject::audit(&main(), "s"), message, received()).events;
    assert_eq!(
        outcomes.iter().map(|outcome| (outcome.index, outcome.event.is_ok())).collect::<Vec<_>>(),
        [(0, true), (1, false)]
    );
    assert_eq!(outcomes[1].id.as_deref(), Some("e1"));
}

#[test]
fn a_directory_entry_must_stand_under_its_own_subject() {
    let kind = directory::Kind::Peer.event_type();
    let subject = Subject::directory(&main(), "peer", "p|1");
    assert!(decoded(&subject, &event(kind, r#"{"id":"p|1","name":"laptop"}"#)).is_ok());
    assert!(decoded(&subject, &event(kind, r#"{"id":"p2"}"#)).is_err());
    assert!(decoded(&subject, &event(directory::Kind::User.event_type(), "{}")).is_err());
}

#[test]
fn an_access_event_must_be_of_the_kind_of_its_subject() {
    let data = r#"{"name":"Main","by":{"id":"sys"}}"#;
    let on = |kind| decoded(&Subject::access(&main(), kind, "main"), &event(access::ACCOUNT_CREATED, data));
    assert!(on("account").is_ok());
    assert!(on("user").is_err());
}

fn the_audit_event(payload: &str) -> audit::Event {
    match decoded(&Subject::audit(&main(), "s"), payload) {
        Ok(Event::Audit(event)) => event,
        other => panic!("{other:?}"),
    }
}

fn binary<'a>(kind: &'a str, more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    [&[("ce-specversion", "1.0"), ("ce-id", "b1"), ("ce-source", "/s"), ("ce-type", kind)], more].concat()
}

#[test]
fn half_a_surrogate_pair_keeps_no_event_out() {
    let data = r#"{"event_type":"a","user_agent":"Mozilla \ud83d","event_payload":{"\ude00":["\ud83d"]},"\ud83dx":1}"#;
    let event = the_audit_event(&event(audit::RECORDED, data));
    assert_eq!(event.given.user_agent.as_deref(), Some("Mozilla \u{fffd}"));
    assert_eq!(event.given.event_payload.unwrap().as_str(), "{\"\u{fffd}\":[\"\u{fffd}\"]}");
    assert_eq!(event.given.meta.unwrap().as_str(), "{\"\u{fffd}x\":1}");
    // In the envelope too, but for the id.
    let text = |id: &str| {
        format!(r#"{{"specversion":"1.0","id":"{id}","source":"/\ud83d","type":"{}","data":{data}}}"#, audit::RECORDED)
    };
    assert_eq!(the_audit_event(&text("e1")).source, "/\u{fffd}");
    let refused = decoded(&Subject::audit(&main(), "s"), &text("e\\ud83d")).unwrap_err();
    assert_eq!(refused.to_string(), "id: must be a string without half of a surrogate pair");
}

#[test]
fn half_a_surrogate_pair_keeps_no_report_and_no_directory_entry_out() {
    let data = r#"{"flow_id":"f \ud83d","source":{"address":"h\udE00:1","name":"\ud83d"},"rx_bytes":1,"\ud83d":1e400}"#;
    let (text, batch) = (event(traffic::REPORTED, data), format!("[{}]", event(traffic::REPORTED, data)));
    let headers = binary(traffic::REPORTED, &[]);
    let messages = [
        Message { headers: &[("content-type", STRUCTURED)], payload: text.as_bytes() },
        Message { headers: &[("content-type", BATCH)], payload: batch.as_bytes() },
        Message { headers: &headers, payload: data.as_bytes() },
    ];
    for message in messages {
        let decoded = decode(&Subject::traffic(&main(), "gw"), message, received()).events.remove(0).event;
        let Ok(Event::Traffic(report)) = decoded else { panic!("{decoded:?}") };
        let (flow, source) = (report.data.flow_id.as_deref(), &report.data.source);
        assert_eq!((flow, report.data.rx_bytes), (Some("f \u{fffd}"), 1));
        assert_eq!((source.address.as_deref(), source.name.as_deref()), (Some("h\u{fffd}:1"), Some("\u{fffd}")));
    }
    let subject = Subject::directory(&main(), "peer", "p1");
    let entry = event(directory::Kind::Peer.event_type(), r#"{"name":"lap \ud83d top","\ud83d":-1e999}"#);
    let Ok(Event::Directory { id, entry, .. }) = decoded(&subject, &entry) else { panic!("an entry") };
    assert_eq!((id.as_str(), entry.name.as_deref()), ("p1", Some("lap \u{fffd} top")));
    // Here, too, the id of the event is what it is.
    for (subject, kind) in [
        (Subject::traffic(&main(), "gw"), traffic::REPORTED),
        (Subject::directory(&main(), "peer", "p1"), directory::Kind::Peer.event_type()),
    ] {
        let refused = decoded(&subject, &event(kind, "{}").replace("e1", r"\ud83d")).unwrap_err();
        assert_eq!(refused.to_string(), "id: must be a string without half of a surrogate pair");
    }
}

#[test]
fn a_number_that_no_double_holds_keeps_no_event_out() {
    let data = r#"{"event_type":"a","latency_ms":1e400,"meta":{"n":-1e999},"event_payload":[1e400,1e300]}"#;
    let event = the_audit_event(&event(audit::RECORDED, data));
    assert_eq!(event.given.event_payload.unwrap().as_str(), r#"["1e400",1e300]"#);
    assert_eq!(event.given.meta.unwrap().as_str(), r#"{"latency_ms":"1e400","n":"-1e999"}"#);
    assert_eq!(event.given.latency_ms, None);
}

#[test]
fn an_event_of_a_foreign_type_is_an_audit_event() {
    let text = r#"{"specversion":"1.0","id":"f1","source":"/shop","type":"com.example.order.deleted","subject":"order-7",
        "time":"2024-01-31T12:00:00Z","data":{"items":3.0},"correlationid":"c1","tenant":7}"#;
    let event = the_audit_event(text);
    assert_eq!((event.event_type.as_str(), event.source.as_str()), ("com.example.order.deleted", "/shop"));
    assert_eq!(event.time.to_string(), "2024-01-31T12:00:00Z");
    assert_eq!(event.given.resource_id.as_deref(), Some("order-7"));
    assert_eq!(event.given.event_payload.unwrap().as_str(), r#"{"items":3.0}"#);
    assert_eq!(event.given.correlation_id.as_deref(), Some("c1"));
    assert_eq!(event.given.meta.unwrap().as_str(), r#"{"tenant":7}"#);

    let payload = |headers: &[(&str, &str)], payload: &[u8]| {
        let headers = binary("com.example.paid", headers);
        let message = Message { headers: &headers, payload };
        match decode(&Subject::audit(&main(), "s"), message, received()).events.remove(0).event {
            Ok(Event::Audit(event)) => event.given.event_payload.map(|payload| payload.to_string()),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(payload(&[], br#"{ "a": 1.50 }"#).as_deref(), Some(r#"{"a":1.50}"#));
    assert_eq!(payload(&[("content-type", "text/plain")], b"paid").as_deref(), Some(r#""paid""#));
    assert_eq!(payload(&[], b"paid").as_deref(), Some(r#""paid""#));
    assert_eq!(payload(&[("content-type", "application/pdf")], b"\xff").as_deref(), Some(r#""/w==""#));
    assert_eq!(payload(&[], b""), None);
}

#[test]
fn a_foreign_type_belongs_on_audit_subjects_only() {
    let on = |subject: Subject| decoded(&subject, &event("com.example.paid", "{}"));
    assert!(on(Subject::audit(&main(), "s")).is_ok());
    assert!(matches!(on(Subject::traffic(&main(), "s")), Err(Unreadable::Type { .. })));
    assert!(matches!(on(Subject::directory(&main(), "peer", "p")), Err(Unreadable::Type { .. })));
}

#[test]
fn what_the_envelope_says_beyond_its_fields_is_kept() {
    let text = |data: &str| {
        event(audit::RECORDED, data).replace(
            "\"data\"",
            r#""correlationid":"order-77","causationid":"c-1","traceparent":"00-1","subject":"s1","data""#,
        )
    };
    let meta = r#"{"causationid":"c-1","subject":"s1","traceparent":"00-1"}"#;
    let bare = the_audit_event(&text(r#"{"event_type":"a"}"#));
    assert_eq!(bare.given.correlation_id.as_deref(), Some("order-77"));
    assert_eq!(bare.given.meta.unwrap().as_str(), meta);
    let taken = the_audit_event(&text(r#"{"event_type":"a","correlation_id":"mine","meta":{"traceparent":"x"}}"#));
    assert_eq!(taken.given.correlation_id.as_deref(), Some("mine"));
    assert_eq!(
        taken.given.meta.unwrap().as_str(),
        r#"{"causationid":"c-1","ce.traceparent":"00-1","correlationid":"order-77","subject":"s1","traceparent":"x"}"#
    );

    let batch = format!("[{}]", text(r#"{"event_type":"a"}"#));
    let headers = binary(audit::RECORDED, &[("ce-correlationid", "order-77"), ("CE-CausationId", "c%2D1")]);
    let messages = [
        Message { headers: &[("content-type", BATCH)], payload: batch.as_bytes() },
        Message { headers: &headers, payload: br#"{"event_type":"a"}"# },
    ];
    for message in messages {
        let Ok(Event::Audit(event)) = decode(&Subject::audit(&main(), "s"), message, received()).events.remove(0).event
        else {
            panic!("an audit event");
        };
        assert_eq!(event.given.correlation_id.as_deref(), Some("order-77"));
        assert!(event.given.meta.unwrap().as_str().contains(r#""causationid":"c-1""#));
    }
}

#[test]
fn a_packed_message_is_read_and_a_damaged_one_is_told_of() {
    let text = event(audit::RECORDED, r#"{"event_type":"a"}"#);
    let packed = zstd::encode_all(text.as_bytes(), 1).unwrap();
    let outcome = |encoding: &str, payload: &[u8]| {
        let headers = [("content-type", STRUCTURED), ("Content-Encoding", encoding), ("ce-id", "e1")];
        let decoded =
            decode(&Subject::audit(&main(), "s"), Message { headers: &headers, payload }, received()).events.remove(0);
        (decoded.id.unwrap(), decoded.event.map(drop).map_err(|unreadable| unreadable.to_string()))
    };
    let fails = |text: &str| ("e1".to_owned(), Err(text.to_owned()));
    assert_eq!(outcome("zstd", &packed), ("e1".to_owned(), Ok(())));
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(text.as_bytes()).unwrap();
    let gzip = gzip.finish().unwrap();
    assert_eq!(outcome("gzip", &gzip), ("e1".to_owned(), Ok(())));
    assert_eq!(outcome("GZip", &gzip), ("e1".to_owned(), Ok(())));
    assert_eq!(outcome("gzip", &gzip[..gzip.len() - 1]), fails("payload: is no gzip, or is damaged"));
    assert_eq!(outcome("gzip", &packed), fails("payload: is no gzip, or is damaged"));
    assert_eq!(outcome("zstd", &packed[..packed.len() - 1]), fails("payload: is no zstd, or is damaged"));
    assert_eq!(outcome("br", &packed), fails("content-encoding: must be gzip, zstd or identity"));
    let bomb = zstd::encode_all(vec![b' '; 64 << 20].as_slice(), 1).unwrap();
    assert_eq!(outcome("zstd", &bomb), fails("payload: must have at most 8388608 bytes when it is unpacked"));
}

#[test]
fn a_dead_letter_knows_its_event_where_it_can() {
    let id = |headers: &[(&str, &str)], payload: &str| {
        let message = Message { headers, payload: payload.as_bytes() };
        let decoded = decode(&Subject::audit(&main(), "s"), message, received()).events.remove(0);
        assert!(decoded.event.is_err(), "{payload}");
        decoded.id
    };
    let structured = [("content-type", STRUCTURED)];
    let text = event(audit::RECORDED, "{}");
    assert_eq!(id(&structured, &text.replace("1.0", "0.3")).as_deref(), Some("e1"));
    assert_eq!(id(&structured, &text.replace("\"data\":{}", "\"data\":{")).as_deref(), Some("e1"));
    assert_eq!(id(&structured, &text.replace("\"data\"", "\"time\":1,\"data\"")).as_deref(), Some("e1"));
    assert_eq!(id(&[], r#"{"id":"plain","event_type":"a"}"#).as_deref(), Some("plain"));
    assert_eq!(id(&[("ce-id", "h%201")], "{}").as_deref(), Some("h 1"));
    assert_eq!(id(&structured, "hello"), None);
}

#[test]
fn null_is_nothing_and_an_integral_float_an_integer() {
    let report = r#"{"flow_id":null,"type":null,"source":null,"destination":{"type":null,"geo_location":null},"user":null,
        "policy":null,"icmp":{"type":8.0,"code":null},"protocol":17.0,"direction":null,"rx_bytes":1e3,"rx_packets":null,
        "num_of_starts":2.0,"window_start":null,"events":null,"account_id":null}"#;
    let Ok(Event::Traffic(report)) = decoded(&Subject::traffic(&main(), "r"), &event(traffic::REPORTED, report)) else {
        panic!("a report");
    };
    let data = report.data;
    assert_eq!((data.protocol, data.rx_bytes, data.rx_packets, data.num_of_starts), (Some(17), 1000, 0, 2));
    assert_eq!(data.icmp, Some(traffic::IcmpData { icmp_type: 8, code: 0 }));
    let entry = r#"{"name":null,"type":null,"geo_location":null,"deleted":null}"#;
    let peer = Subject::directory(&main(), "peer", "p1");
    assert!(decoded(&peer, &event(directory::Kind::Peer.event_type(), entry)).is_ok());
    let event = the_audit_event(&event(
        audit::RECORDED,
        r#"{"event_type":"a","user_id":7.0,"task_id":null,"http_status":2e2,"latency_ms":null,"meta":null,"event_payload":null}"#,
    ));
    assert_eq!((event.given.user_id, event.given.http_status, event.given.meta), (Some(7), Some(200), None));
}

#[test]
fn errors_name_the_field_in_words() {
    let audit =
        |data: &str| decoded(&Subject::audit(&main(), "s"), &event(audit::RECORDED, data)).unwrap_err().to_string();
    let traffic =
        |data: &str| decoded(&Subject::traffic(&main(), "s"), &event(traffic::REPORTED, data)).unwrap_err().to_string();
    let i64 = "an integer from -9223372036854775808 to 9223372036854775807";
    let u64 = "an integer from 0 to 18446744073709551615";
    assert_eq!(audit(r#"{"event_type":"a","user_id":"12"}"#), format!("data.user_id: must be {i64}, not a string"));
    assert_eq!(audit(r#"{"event_type":"a","user_id":18446744073709551616}"#), format!("data.user_id: must be {i64}"));
    assert_eq!(audit(r#"{"event_type":"a","http_status":200.5}"#), format!("data.http_status: must be {i64}"));
    assert_eq!(audit(r#"{"event_type":"a","meta":[]}"#), "data.meta: must be an object, not an array");
    assert_eq!(audit(r#"{"event_type":"a","latency_ms":"1"}"#), "data.latency_ms: must be a number, not a string");
    assert_eq!(audit(r#"{"event_type":7}"#), "data.event_type: must be a string, not an integer");
    assert_eq!(audit(r#"{"event_type":"a","event_type":"b"}"#), "data.document: has event_type twice");
    assert_eq!(audit("[]"), "data.document: must be an object, not an array");
    assert_eq!(traffic(r#"{"user":7}"#), "data.user: must be an object, not an integer");
    assert_eq!(traffic(r#"{"rx_bytes":-1}"#), format!("data.rx_bytes: must be {u64}"));
    assert_eq!(traffic(r#"{"rx_bytes":18446744073709551616}"#), format!("data.rx_bytes: must be {u64}"));
    assert_eq!(traffic(r#"{"protocol":70000}"#), "data.protocol: must be an integer from 0 to 65535");
    assert_eq!(
        traffic(r#"{"type":"START"}"#),
        "data.type: must be one of TYPE_UNKNOWN, TYPE_START, TYPE_END, TYPE_DROP"
    );
    assert_eq!(
        traffic(r#"{"source":{"geo_location":"x"}}"#),
        "data.source.geo_location: must be an object, not a string"
    );
    assert_eq!(traffic(r#"{"events":[{"type":"TYPE_END"}]}"#), "data.events[0].timestamp: is missing");
    assert_eq!(
        traffic(r#"{"window_end":1}"#),
        "data.window_end: must be an RFC 3339 time such as 2024-01-31T23:59:59Z, not an integer"
    );
}

#[test]
fn an_ipv6_address_has_one_spelling() {
    let event = the_audit_event(&event(
        audit::RECORDED,
        r#"{"event_type":"a","ip_address":"2001:0DB8:0::5","node_ip":"10.0.0.1"}"#,
    ));
    assert_eq!(event.given.ip_address.as_deref(), Some("2001:db8::5"));
    assert_eq!(event.given.node_ip.as_deref(), Some("10.0.0.1"));
    let text = self::event(traffic::REPORTED, r#"{"source":{"address":"[2001:0db8:0::5]:443"}}"#);
    let Ok(Event::Traffic(report)) = decoded(&Subject::traffic(&main(), "r"), &text) else { panic!("a report") };
    assert_eq!(report.data.source.address.as_deref(), Some("[2001:db8::5]:443"));
}

#[test]
fn what_is_ignored_of_a_report_is_named_in_every_form_and_changes_nothing_else() {
    let subject = Subject::traffic(&main(), "gw");
    let known = event(traffic::REPORTED, r#"{"flow_id":"f","protocol":6,"user":{"id":"u"}}"#);
    let more = event(traffic::REPORTED, r#"{"flow_id":"f","protocol":6,"protcol":7,"user":{"id":"u","mail":"m"}}"#);
    let ignored = |decoded: &Decoded| decoded.ignored.iter().cloned().collect::<Vec<_>>();
    let [single, plain] = [&more, &known].map(|text| {
        let message = Message { headers: &[("content-type", STRUCTURED)], payload: text.as_bytes() };
        decode(&subject, message, received()).events.remove(0)
    });
    assert_eq!((ignored(&single), ignored(&plain)), (vec!["protcol".to_owned(), "user.mail".to_owned()], Vec::new()));
    assert_eq!(single.event, plain.event);

    let batch = format!("[{more},{known},{more}]");
    let message = Message { headers: &[("content-type", BATCH)], payload: batch.as_bytes() };
    let events = decode(&subject, message, received()).events;
    assert_eq!(events.iter().map(ignored).collect::<Vec<_>>(), [ignored(&single), Vec::new(), Vec::new()]);
    assert!(events.iter().all(|decoded| decoded.event == plain.event));

    // Attributes as well, which tell nothing of a flow.
    let attributes = r#""traceparent":"00-1","tenant":7,"correlationid":null,"subject":"s","data""#;
    let [structured, plain_structured] = [&more, &known].map(|text| text.replace("\"data\"", attributes));
    let batch = format!("[{structured},{structured}]");
    let headers = binary(traffic::REPORTED, &[("ce-TraceParent", "00-1"), ("ce-tenant", "7"), ("ce-subject", "s")]);
    let messages = [
        Message { headers: &[("content-type", STRUCTURED)], payload: structured.as_bytes() },
        Message { headers: &[("content-type", BATCH)], payload: batch.as_bytes() },
        Message { headers: &[("content-type", STRUCTURED)], payload: plain_structured.as_bytes() },
        Message { headers: &headers, payload: br#"{"flow_id":"f"}"# },
    ];
    let of_envelope = ["ce.subject", "ce.tenant", "ce.traceparent"];
    let of_both = [&of_envelope[..], &["protcol", "user.mail"]].concat();
    for (message, expected) in messages.into_iter().zip([&of_both[..], &of_both, &of_envelope, &of_envelope]) {
        let events = decode(&subject, message, received()).events;
        assert_eq!(ignored(&events[0]), expected, "{events:?}");
        assert!(events.iter().skip(1).all(|decoded| decoded.ignored.is_empty()));
    }

    // An audit event keeps what no field holds.
    let audit = event(audit::RECORDED, r#"{"event_type":"a","more":1}"#);
    let message = Message { headers: &[("content-type", STRUCTURED)], payload: audit.as_bytes() };
    assert!(decode(&Subject::audit(&main(), "s"), message, received()).events[0].ignored.is_empty());
}

#[test]
fn a_message_of_too_many_events_is_one_dead_letter_however_small_they_are() {
    let subject = Subject::audit(&main(), "s");
    let of = |element: &str, count: usize| {
        let text = format!("[{}]", vec![element; count].join(","));
        let message = Message { headers: &[("content-type", BATCH)], payload: text.as_bytes() };
        decode(&subject, message, received()).events
    };
    let small = r#"{"specversion":"1.0","id":"e","source":"s","type":"x"}"#;
    for element in [small, "1"] {
        assert_eq!(of(element, MAX_EVENTS).len(), MAX_EVENTS);
        let outcomes = of(element, MAX_EVENTS + 1);
        assert_eq!(outcomes.len(), 1);
        let reason = outcomes[0].event.as_ref().unwrap_err().to_string();
        assert_eq!(reason, "payload: must have at most 65536 events");
    }
}
