use serde_json::{Value, json};

use super::*;

/// A line of the given members over those that every line has.
fn line(members: &Value) -> String {
    let mut line = json!({
        "ts": 1_588_205_199.824_37, "uid": "C1", "id.orig_h": "10.0.1.6", "id.orig_p": 54243, "id.resp_h": "10.0.0.4",
        "id.resp_p": 53, "proto": "udp", "duration": 0.5, "conn_state": "SF", "orig_bytes": 39, "orig_ip_bytes": 67,
        "resp_bytes": 55, "resp_ip_bytes": 83, "orig_pkts": 1, "resp_pkts": 2,
    });
    let object = line.as_object_mut().unwrap();
    for (name, value) in members.as_object().unwrap() {
        object.insert(name.clone(), value.clone());
    }
    line.to_string()
}

fn mapped(members: &Value) -> Reported {
    let line = line(members);
    serde_json::from_str(&map(&line, None).unwrap().data).unwrap()
}

fn rejected(members: &Value) -> String {
    map(&line(members), None).unwrap_err().to_string()
}

fn time(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

#[test]
fn a_connection_is_a_start_and_an_end() {
    let line = line(&json!({}));
    let draft = map(&line, None).unwrap();
    assert_eq!(draft.id, "zeek:C1");
    assert_eq!(draft.time, Some(time("2020-04-30T00:06:39.824370Z")));
    let data = mapped(&json!({}));
    assert_eq!(data.flow_id.as_deref(), Some("C1"));
    assert_eq!(data.source.address.as_deref(), Some("10.0.1.6:54243"));
    assert_eq!(data.destination.address.as_deref(), Some("10.0.0.4:53"));
    assert_eq!((data.tx_bytes, data.tx_packets, data.rx_bytes, data.rx_packets), (39, 1, 55, 2));
    let event = |text, event_type| SubEvent { timestamp: time(text), event_type };
    let start = event("2020-04-30T00:06:39.824370Z", EventType::Start);
    assert_eq!(data.events, [start, event("2020-04-30T00:06:40.324370Z", EventType::End)]);
}

#[test]
fn without_a_duration_there_is_no_end() {
    let events = mapped(&json!({ "duration": null, "conn_state": "S0" })).events;
    assert_eq!(events.iter().map(|event| event.event_type).collect::<Vec<_>>(), [EventType::Start]);
}

#[test]
fn a_rejected_connection_is_a_drop() {
    let events = mapped(&json!({ "conn_state": "REJ" })).events;
    assert_eq!(events.iter().map(|event| event.event_type).collect::<Vec<_>>(), [EventType::Drop]);
}

#[test]
fn bytes_with_headers_stand_in_where_the_payload_was_not_seen() {
    let data = mapped(&json!({ "orig_bytes": null, "resp_bytes": null }));
    assert_eq!((data.tx_bytes, data.rx_bytes), (67, 83));
}

#[test]
fn both_spellings_of_the_endpoints_are_read() {
    let text = line(&json!({})).replace("id.", "id_");
    assert_eq!(map(&text, None).unwrap().data, map(&line(&json!({})), None).unwrap().data);
}

#[test]
fn an_icmp_connection_has_type_and_code_instead_of_ports() {
    let icmp = |orig_p: u16, resp_p: u16| mapped(&json!({ "proto": "icmp", "id.orig_p": orig_p, "id.resp_p": resp_p }));
    let unreachable = icmp(3, 13);
    assert_eq!(unreachable.icmp, Some(IcmpData { icmp_type: 3, code: 13 }));
    assert_eq!(unreachable.source.address.as_deref(), Some("10.0.1.6:0"));
    assert_eq!(unreachable.protocol, Some(1));
    assert_eq!(mapped(&json!({})).icmp, None);
}

#[test]
fn of_an_answered_icmp_message_the_second_port_is_no_code() {
    let echo = mapped(&json!({ "proto": "icmp", "id.orig_p": 8, "id.resp_p": 0 }));
    assert_eq!(echo.icmp, Some(IcmpData { icmp_type: 8, code: 0 }));
    let over_ipv6 = mapped(&json!({
        "proto": "icmp", "id.orig_h": "fe80::1", "id.resp_h": "ff02::1", "id.orig_p": 128, "id.resp_p": 129,
    }));
    assert_eq!(over_ipv6.icmp, Some(IcmpData { icmp_type: 128, code: 0 }));
    assert_eq!(over_ipv6.protocol, Some(58));
    assert!(rejected(&json!({ "proto": "icmp", "id.orig_p": 3, "id.resp_p": 256 })).starts_with("id.resp_p: "));
}

#[test]
fn an_ipv6_address_has_brackets() {
    assert_eq!(mapped(&json!({ "id.orig_h": "::1" })).source.address.as_deref(), Some("[::1]:54243"));
}

#[test]
fn protocols_have_their_numbers() {
    let number = |members: Value| mapped(&members).protocol;
    assert_eq!(number(json!({ "proto": "tcp" })), Some(6));
    assert_eq!(number(json!({ "proto": "udp" })), Some(17));
    assert_eq!(number(json!({ "proto": "unknown_transport" })), Some(0));
    assert_eq!(number(json!({ "proto": "unknown_transport", "ip_proto": 47 })), Some(47));
    assert!(rejected(&json!({ "proto": "carrier pigeon" })).starts_with("proto: must be one of"));
}

#[test]
fn the_direction_is_known_where_one_side_is_local() {
    let direction = |orig: bool, resp: bool| mapped(&json!({ "local_orig": orig, "local_resp": resp })).direction;
    assert_eq!(direction(true, false), Direction::Egress);
    assert_eq!(direction(false, true), Direction::Ingress);
    assert_eq!(direction(true, true), Direction::Unknown);
    assert_eq!(mapped(&json!({})).direction, Direction::Unknown);
}

#[test]
fn the_reporter_is_the_one_asked_for_or_the_logs_or_zeek() {
    let in_log = line(&json!({ "@system": "tap1" }));
    let reporter = |line: &str, asked| -> Reported { serde_json::from_str(&map(line, asked).unwrap().data).unwrap() };
    assert_eq!(reporter(&in_log, Some("x")).reporter_id.as_deref(), Some("x"));
    assert_eq!(reporter(&in_log, None).reporter_id.as_deref(), Some("tap1"));
    assert_eq!(mapped(&json!({ "_system_name": "tap2" })).reporter_id.as_deref(), Some("tap2"));
    assert_eq!(mapped(&json!({})).reporter_id.as_deref(), Some("zeek"));
}

#[test]
fn times_may_be_texts() {
    let text = line(&json!({ "ts": "2020-04-30T00:06:39.824370Z" }));
    assert_eq!(map(&text, None).unwrap().time, Some(time("2020-04-30T00:06:39.824370Z")));
    assert!(rejected(&json!({ "ts": "yesterday" })).starts_with("ts: must be seconds since 1970"));
    assert!(rejected(&json!({ "ts": 1e300 })).starts_with("ts: must be an RFC 3339 time"));
}

#[test]
fn a_line_without_uid_has_the_id_of_its_text() {
    let without = line(&json!({ "uid": null }));
    let draft = map(&without, None).unwrap();
    assert_eq!(draft.id, map(&without, None).unwrap().id);
    assert_ne!(draft.id, map(&line(&json!({ "uid": null, "ts": 1 })), None).unwrap().id);
    assert_eq!(mapped(&json!({ "uid": null })).flow_id, None);
}

#[test]
fn what_does_not_fit_is_named() {
    assert!(rejected(&json!({ "id.orig_h": "here" })).starts_with("id.orig_h: "));
    assert!(rejected(&json!({ "orig_bytes": "many" })).starts_with("orig_bytes: "));
    assert!(map(r#"{"ts":1}"#, None).unwrap_err().to_string().contains("id.orig_h: is missing"));
}
