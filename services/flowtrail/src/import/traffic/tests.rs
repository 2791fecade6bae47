use model::traffic::{Direction, EndpointType, Record, Report as Published, Reported};
use serde_json::{Value, json};

use super::super::skipped::Skipped;
use super::*;

const REPORT: &str = r#"{"id":"e1","time":"2025-05-01T00:00:01Z", "flow_id":"f","type":"TYPE_START","reporter_id":"gw","new_field":[1]}"#;

fn time(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

fn draft_of(text: &str) -> Draft<'_> {
    map(text, None).unwrap().event()
}

fn record_of(text: &str) -> Record {
    let draft = draft_of(text);
    let data: Box<Reported> = serde_json::from_str(&draft.data).unwrap();
    let received_at = time("2030-01-01T00:00:00Z");
    let published =
        Published { id: draft.id, time: draft.time.unwrap(), received_at, subject_reporter: "s".into(), data };
    Record::from(&published).owned()
}

/// The item that Flowtrail answers with for a record, as far as it matters here.
fn answer(record: &Record) -> String {
    let protocol = record.given.protocol.unwrap_or_default();
    let icmp = record.given.icmp.map_or([0, 0], |icmp| [icmp.icmp_type, icmp.code]);
    json!({
        "id": record.key.id().to_string(), "receive_timestamp": record.received_at, "flow_id": record.key.flow_id,
        "reporter_id": record.key.reporter_id, "source": {"id": "", "type": "UNKNOWN", "address": "10.0.0.1:1"},
        "protocol": protocol, "icmp": {"type": icmp[0], "code": icmp[1]}, "direction": "DIRECTION_UNKNOWN",
        "num_of_starts": record.count(EventType::Start), "num_of_ends": record.count(EventType::End),
        "num_of_drops": record.count(EventType::Drop), "window_start": record.window_start(),
        "window_end": record.window_end(), "events": record.events,
    })
    .to_string()
}

fn of(members: &Value) -> String {
    let mut report = json!({ "flow_id": "f", "reporter_id": "gw", "source": {"address": "10.0.0.1:1"} });
    let object = report.as_object_mut().unwrap();
    for (name, value) in members.as_object().unwrap() {
        object.insert(name.clone(), value.clone());
    }
    report.to_string()
}

#[test]
fn a_report_is_passed_on_as_it_stands() {
    let draft = draft_of(REPORT);
    assert_eq!((draft.id.as_str(), draft.time), ("e1", Some(time("2025-05-01T00:00:01Z"))));
    assert_eq!(draft.data, Cow::Borrowed(REPORT));
    assert!(matches!(draft.data, Cow::Borrowed(_)));
}

#[test]
fn a_folded_report_has_the_time_of_its_first_event() {
    let events = json!([
        {"type": "TYPE_END", "timestamp": "2025-05-01T00:00:09Z"},
        {"type": "TYPE_START", "timestamp": "2025-05-01T00:00:01Z"},
    ]);
    assert_eq!(draft_of(&of(&json!({ "events": events }))).time, Some(time("2025-05-01T00:00:01Z")));
    let window = of(&json!({ "window_start": "2025-05-01T00:00:00Z" }));
    assert_eq!(draft_of(&window).time, Some(time("2025-05-01T00:00:00Z")));
}

#[test]
fn a_report_without_any_time_is_rejected() {
    assert_eq!(map(&of(&json!({ "type": "TYPE_DROP" })), None).unwrap_err().to_string(), "time: is missing");
}

#[test]
fn a_report_without_id_has_the_id_of_its_text() {
    let text = of(&json!({ "time": "2025-05-01T00:00:01Z" }));
    assert_eq!(draft_of(&text).id, draft_of(&text).id);
    assert_eq!(draft_of(&text).id.len(), 32);
}

#[test]
fn the_reporter_is_the_one_asked_for_or_the_reports_or_import() {
    let reporter = |text: &str, asked| {
        let draft = map(text, asked).unwrap().event();
        serde_json::from_str::<Reported>(&draft.data).unwrap().reporter_id.unwrap()
    };
    assert_eq!(reporter(REPORT, Some("x \"y\"")), "x \"y\"");
    assert_eq!(reporter(REPORT, None), "gw");
    assert_eq!(reporter(&REPORT.replace("\"gw\"", "null"), None), "import");
    assert_eq!(reporter(&REPORT.replace("\"gw\"", "\"\""), None), "import");
}

#[test]
fn an_answer_of_flowtrails_makes_the_same_record_again() {
    let events = json!([{"type": "TYPE_START", "timestamp": "2025-05-01T00:00:01Z"}, {"type": "TYPE_END", "timestamp": "2025-05-01T00:00:09Z"}]);
    let originals = [
        of(&json!({ "events": events })),
        of(&json!({ "events": events, "protocol": 6, "num_of_starts": 5 })),
        of(&json!({ "events": events, "window_start": "2025-05-01T00:00:00Z" })),
        of(&json!({ "events": events, "window_start": "2025-05-01T00:00:00Z", "window_end": "2025-05-01T00:01:00Z" })),
        of(&json!({ "events": events, "protocol": 1, "icmp": {"type": 8, "code": 0} })),
    ];
    for original in originals {
        let original = record_of(&original);
        assert_eq!(record_of(&answer(&original)), original);
    }
}

#[test]
fn null_is_nothing_and_an_integral_float_an_integer() {
    let text = r#"{"id":"e1","time":"2025-05-01T00:00:01Z","flow_id":null,"type":null,"source":null,
        "destination":{"type":null,"geo_location":null,"address":null},"user":null,"policy":null,
        "icmp":{"type":8.0,"code":null},"protocol":6.0,"direction":null,"rx_bytes":1e3,"rx_packets":null,
        "num_of_starts":2.0,"num_of_ends":null,"num_of_drops":0.0,"window_start":null,"window_end":null,"events":null,
        "account_id":null}"#;
    let record = record_of(text);
    assert_eq!((record.given.protocol, record.given.rx_bytes, record.given.num_of_starts), (Some(6), 1000, 2));
    assert_eq!(record.given.icmp, Some(IcmpData { icmp_type: 8, code: 0 }));
    // What Flowtrail has computed is known by its value, however that is written.
    let original = record_of(&of(&json!({ "events": [{"type": "TYPE_START", "timestamp": "2025-05-01T00:00:01Z"}] })));
    let as_floats = [("num_of_starts", 1), ("num_of_ends", 0), ("num_of_drops", 0), ("protocol", 0)];
    let answer = as_floats.into_iter().fold(answer(&original), |answer, (name, number)| {
        let (integer, float) = (format!("\"{name}\":{number},"), format!("\"{name}\":{number}.0,"));
        assert!(answer.contains(&integer), "{answer}");
        answer.replace(&integer, &float)
    });
    assert_eq!(record_of(&answer), original);
    let refused = map(r#"{"time":"2025-05-01T00:00:01Z","protocol":6.5}"#, None).unwrap_err().to_string();
    assert_eq!(refused, "protocol: must be an integer from 0 to 65535");
}

#[test]
fn what_another_system_answers_keeps_its_window() {
    let text = of(&json!({ "id": "e1", "window_start": "2025-05-01T00:00:00Z", "events": [], "protocol": 0 }));
    assert_eq!(draft_of(&text).data, text);
}

#[test]
fn what_does_not_fit_is_named() {
    assert!(map(&of(&json!({ "time": "now" })), None).unwrap_err().to_string().starts_with("time: "));
    assert!(map("{", None).unwrap_err().to_string().starts_with("not JSON"));
}

#[test]
fn an_address_of_ipv6_is_written_in_one_form_and_nothing_else_is_touched() {
    let text = r#"{"id":"e1","time":"2025-05-01T00:00:01Z","reporter_id":"gw","tx_bytes":1.0,"source":{"address":"[2001:0DB8:0::5]:443","x":1.10},"destination":{"address":"10.0.0.1:1"}}"#;
    let draft = draft_of(text);
    assert!(draft.data.contains(r#""source":{"address":"[2001:db8::5]:443","x":1.10}"#), "{}", draft.data);
    assert!(
        draft.data.contains(r#""destination":{"address":"10.0.0.1:1"}"#) && draft.data.contains(r#""tx_bytes":1.0"#),
        "{}",
        draft.data
    );
}

#[test]
fn a_traffic_event_that_netbird_archived_is_read() {
    let text = json!({
        "timestamp": "2024-01-31T12:00:02Z", "message": "TYPE_DROP", "id": "nb-3", "initiator_id": "", "target_id": "",
        "reference": "", "meta": {"flow_id": "nbf-1", "direction": "INGRESS", "source_addr": "100.64.0.1:40000",
        "source_name": "laptop", "source_type": "PEER", "destination_addr": "[2001:0db8::2]:22", "destination_name": "db",
        "destination_type": "HOST_RESOURCE", "protocol": 6, "tx_bytes": 0, "tx_packets": "0", "rx_bytes": 60,
        "rx_packets": 1, "policy_name": "", "reporter_id": "peer-2", "user_id": "u-1"},
    });
    let record = record_of(&text.to_string());
    assert_eq!((record.key.reporter_id.as_str(), record.key.flow_id.as_str()), ("peer-2", "nbf-1"));
    assert_eq!(record.given.source.address.as_deref(), Some("100.64.0.1:40000"));
    assert_eq!(record.given.destination.address.as_deref(), Some("[2001:db8::2]:22"));
    assert_eq!(
        (record.given.source.endpoint_type, record.given.destination.endpoint_type),
        (EndpointType::Peer, EndpointType::HostResource)
    );
    assert_eq!(
        (record.given.source.name.as_deref(), record.given.destination.name.as_deref()),
        (Some("laptop"), Some("db"))
    );
    assert_eq!(
        (record.given.protocol, record.given.direction, record.given.rx_bytes, record.given.rx_packets),
        (Some(6), Direction::Ingress, 60, 1)
    );
    assert_eq!((record.given.user.id.as_deref(), record.given.policy.name), (Some("u-1"), None));
    let event = SubEvent { timestamp: time("2024-01-31T12:00:02Z"), event_type: EventType::Drop };
    assert_eq!(record.events.into_iter().collect::<Vec<_>>(), [event]);

    let mut float = text.clone();
    float["meta"]["protocol"] = json!(6.0);
    float["meta"]["rx_bytes"] = json!("60.0");
    assert_eq!(record_of(&float.to_string()), record_of(&text.to_string()));
    let mut wrong = text.clone();
    wrong["meta"]["protocol"] = json!("TCP");
    assert_eq!(map(&wrong.to_string(), None).unwrap_err().to_string(), "meta.protocol: must be a number that fits");
    wrong["message"] = json!("Group created");
    assert_eq!(map(&wrong.to_string(), None).unwrap().skipped(), Skipped::ForFormat("audit"));
}

#[test]
fn what_flowtrail_archived_is_the_report_that_it_was() {
    let event = json!({"type": "TYPE_START", "source": {"address": "10.0.0.1:1", "type": "PEER", "id": "p1"}, "destination": {"type": "UNKNOWN"},
        "direction": "EGRESS", "protocol": 6, "rx_bytes": 0, "rx_packets": 0, "tx_bytes": 7, "tx_packets": 1,
        "num_of_starts": 0, "num_of_ends": 0, "num_of_drops": 0});
    let archived = json!({
        "timestamp": "2024-01-31T12:00:00Z", "message": "TYPE_START", "id": "e1", "initiator_id": "p1", "target_id": "",
        "meta": {"flow_id": "e1", "reporter_id": "gw-1"}, "reference": "e1", "account_id": "main", "kind": "traffic",
        "event_type": "TYPE_START", "position": "FLOWTRAIL_TRAFFIC:3", "index": 0, "event": event,
    });
    let archived = archived.to_string();
    let draft = draft_of(&archived);
    assert_eq!((draft.id.as_str(), draft.time), ("e1", Some(time("2024-01-31T12:00:00Z"))));
    let mut expected: Reported = serde_json::from_value(event).unwrap();
    // The reporter that the subject named.
    expected.reporter_id = Some("gw-1".to_owned());
    assert_eq!(serde_json::from_str::<Reported>(&draft.data).unwrap(), expected);
    let renamed = map(&archived, Some("x")).unwrap().event();
    assert_eq!(serde_json::from_str::<Reported>(&renamed.data).unwrap().reporter_id.as_deref(), Some("x"));
    let audit = archived.replace(r#""kind":"traffic""#, r#""kind":"audit""#);
    assert_eq!(map(&audit, None).unwrap().skipped(), Skipped::ForFormat("audit"));
}
