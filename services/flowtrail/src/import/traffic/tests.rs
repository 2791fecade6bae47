use model::traffic::{Record, Report as Published, Reported};
use serde_json::{Value, json};

use super::*;

const REPORT: &str = r#"{"id":"e1","time":"2025-05-01T00:00:01Z", "flow_id":"f","type":"TYPE_START","reporter_id":"gw","new_field":[1]}"#;

fn time(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

fn record_of(text: &str) -> Record {
    let draft = map(text, None).unwrap();
    let data: Reported = serde_json::from_str(&draft.data).unwrap();
    let received_at = time("2030-01-01T00:00:00Z");
    Published { id: draft.id, time: draft.time.unwrap(), received_at, subject_reporter: "s".into(), data }.into()
}

/// The item that Flowtrail answers with for a record, as far as it matters here.
fn answer(record: &Record) -> String {
    let protocol = record.protocol.unwrap_or_default();
    let icmp = record.icmp.map_or([0, 0], |icmp| [icmp.icmp_type, icmp.code]);
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
    let draft = map(REPORT, None).unwrap();
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
    assert_eq!(map(&of(&json!({ "events": events })), None).unwrap().time, Some(time("2025-05-01T00:00:01Z")));
    let window = of(&json!({ "window_start": "2025-05-01T00:00:00Z" }));
    assert_eq!(map(&window, None).unwrap().time, Some(time("2025-05-01T00:00:00Z")));
}

#[test]
fn a_report_without_any_time_is_rejected() {
    assert_eq!(map(&of(&json!({ "type": "TYPE_DROP" })), None).unwrap_err().to_string(), "time: is missing");
}

#[test]
fn a_report_without_id_has_the_id_of_its_text() {
    let text = of(&json!({ "time": "2025-05-01T00:00:01Z" }));
    assert_eq!(map(&text, None).unwrap().id, map(&text, None).unwrap().id);
    assert_eq!(map(&text, None).unwrap().id.len(), 32);
}

#[test]
fn the_reporter_is_the_one_asked_for_or_the_reports_or_import() {
    let reporter = |text: &str, asked| {
        let draft = map(text, asked).unwrap();
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
fn what_another_system_answers_keeps_its_window() {
    let text = of(&json!({ "id": "e1", "window_start": "2025-05-01T00:00:00Z", "events": [], "protocol": 0 }));
    assert_eq!(map(&text, None).unwrap().data, text);
}

#[test]
fn what_does_not_fit_is_named() {
    assert!(map(&of(&json!({ "time": "now" })), None).unwrap_err().to_string().starts_with("time: "));
    assert!(map("{", None).unwrap_err().to_string().starts_with("not JSON"));
}
