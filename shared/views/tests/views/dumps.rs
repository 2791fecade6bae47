//! The canonical form of a view, which is the same for the same log whatever the rows are stored like.

use model::audit::fields::FIELDS;
use model::event::Event;
use model::log::{LogPosition, Stream};
use model::{audit, traffic};
use serde_json::Value;
use views::dump::Dump;

use super::{account, answer, at, audit_event, open, project, project_with, report};

const WHOLE: &str = r#"{"activity":"Booted","event_group":"vm","status":"denied","actor_type":"user","actor_id":"u1",
    "actor_name":"Alice","actor_email":"a@x.org","user_id":-7,"resource_type":"vm","resource_id":"v1","meta":{"b":1,"a":[]},
    "session_id":"s","vm_id":"v1","task_id":4,"request_id":"q","correlation_id":"c","http_method":"GET","path":"/v1",
    "http_status":200,"latency_ms":0.5,"ip_address":"10.0.0.1","user_agent":"curl","node_ip":"10.0.0.2","worker_id":"w",
    "event_payload":[1,{"b":null}],"error_message":"no","user_name":"alice","operation":"BOOT","response":"FAILURE",
    "value":"x","event_type":"vm.boot","source":"api"}"#;
const OF_WHOLE: &str = r#"{"account":"main","row":{"event_type":"vm.boot","given":{"activity":"Booted","actor_email":"a@x.org","actor_id":"u1","actor_name":"Alice","actor_type":"user","correlation_id":"c","error_message":"no","event_group":"vm","event_payload":[1,{"b":null}],"http_method":"GET","http_status":200,"ip_address":"10.0.0.1","latency_ms":0.5,"meta":{"a":[],"b":1},"node_ip":"10.0.0.2","operation":"BOOT","path":"/v1","request_id":"q","resource_id":"v1","resource_type":"vm","response":"FAILURE","session_id":"s","status":"denied","task_id":4,"user_agent":"curl","user_id":-7,"user_name":"alice","value":"x","vm_id":"v1","worker_id":"w"},"id":"whole","source":"api","time":"1970-01-01T00:00:02Z","time_given":true}}"#;
const OF_BARE: &str = r#"{"account":"main","row":{"event_type":"a.b","given":{"activity":null,"actor_email":null,"actor_id":null,"actor_name":null,"actor_type":null,"correlation_id":null,"error_message":null,"event_group":null,"event_payload":null,"http_method":null,"http_status":null,"ip_address":null,"latency_ms":null,"meta":null,"node_ip":null,"operation":null,"path":null,"request_id":null,"resource_id":null,"resource_type":null,"response":null,"session_id":null,"status":null,"task_id":null,"user_agent":null,"user_id":null,"user_name":null,"value":null,"vm_id":null,"worker_id":null},"id":"bare","source":"/test","time":"1970-01-01T00:00:01Z","time_given":true}}"#;

#[test]
fn an_audit_event_is_dumped_with_every_field_also_those_that_it_does_not_have() {
    let directory = tempfile::tempdir().unwrap();
    let views = open(directory.path());
    let events =
        [("bare", 1, r#"{"activity_code":"a.b","meta":{}}"#), ("whole", 2, WHOLE)].map(|(id, second, data)| {
            let context = audit::Context { id, source: "/test", time: Some(at(second)), received_at: at(0) };
            let data = model::json::read::<audit::Fields>(data.as_bytes()).unwrap();
            (account("main"), Event::Audit(audit::Event::new(context, data).unwrap()))
        });
    project(&views, views::audit::VIEW, Stream::Audit, 1, &events);
    let dump = |after, limit| answer(&views, Dump { view: views::audit::VIEW, after, limit });
    let lines = dump(None, 9).lines;
    let catalog = [r#"{"account":"main","row":["a","a.b"]}"#, r#"{"account":"main","row":["vm","vm.boot"]}"#];
    // Of a field that is newer than these lines, neither event has anything.
    let with_newer_fields = |line: &str| {
        let mut line: Value = serde_json::from_str(line).unwrap();
        let given = line["row"]["given"].as_object_mut().unwrap();
        for field in &FIELDS {
            given.entry(field.name).or_insert(Value::Null);
        }
        line.to_string()
    };
    let rows = [OF_WHOLE, OF_BARE].map(with_newer_fields);
    assert_eq!(lines, rows.iter().map(String::as_str).chain(catalog).collect::<Vec<_>>());
    // In parts it is the same.
    let first = dump(None, 1);
    let rest = dump(first.next, 9).lines;
    assert_eq!([first.lines, rest].concat(), lines);
}

const WHOLE_REPORT: &str = r#"{"flow_id":"f1","type":"TYPE_END","reporter_id":"p1","source":{"id":"p1","type":"PEER",
    "name":"laptop","geo_location":{"city_name":"Berlin","country_code":"DE"},"os":"Linux","address":"100.64.0.1:51820",
    "dns_label":"laptop.mesh"},"destination":{"id":"r1","type":"HOST_RESOURCE","name":"db","geo_location":{"city_name":
    "Paris","country_code":"FR"},"os":"BSD","address":":443","dns_label":"db.mesh"},"user":{"id":"u1","email":"a@x.org",
    "name":"Alice"},"policy":{"id":"po1","name":"All"},"icmp":{"type":8,"code":1},"protocol":6,"direction":"EGRESS",
    "rx_bytes":1,"rx_packets":2,"tx_bytes":3,"tx_packets":4,"num_of_starts":5,"num_of_ends":6,"num_of_drops":7,
    "window_start":"1970-01-01T00:00:01Z","window_end":"1970-01-01T00:00:09Z","events":[{"timestamp":
    "1970-01-01T00:00:02.5Z","type":"TYPE_START"}],"account_id":"main"}"#;
const OF_WHOLE_REPORT: &str = r#"{"account":"main","row":{"destination":{"address":":443","dns_label":"db.mesh","geo_location":{"city_name":"Paris","country_code":"FR"},"id":"r1","name":"db","os":"BSD","type":"HOST_RESOURCE"},"direction":"EGRESS","events":[{"timestamp":"1970-01-01T00:00:02.500Z","type":"TYPE_START"},{"timestamp":"1970-01-01T00:00:08Z","type":"TYPE_END"}],"given_drops":7,"given_ends":6,"given_starts":5,"given_window_end":"1970-01-01T00:00:09Z","icmp":{"code":1,"icmp_type":8},"key":{"flow_id":"f1","reporter_id":"p1","window_start":"1970-01-01T00:00:01Z"},"policy":{"id":"po1","name":"All"},"protocol":6,"received_at":"1970-01-01T00:00:07Z","rx_bytes":1,"rx_packets":2,"source":{"address":"100.64.0.1:51820","dns_label":"laptop.mesh","geo_location":{"city_name":"Berlin","country_code":"DE"},"id":"p1","name":"laptop","os":"Linux","type":"PEER"},"tx_bytes":3,"tx_packets":4,"user":{"email":"a@x.org","id":"u1","name":"Alice"}}}"#;
const OF_BARE_REPORT: &str = r#"{"account":"main","row":{"destination":{"address":null,"dns_label":null,"geo_location":{"city_name":null,"country_code":null},"id":null,"name":null,"os":null,"type":"UNKNOWN"},"direction":"DIRECTION_UNKNOWN","events":[{"timestamp":"1970-01-01T00:00:01Z","type":"TYPE_UNKNOWN"}],"given_drops":0,"given_ends":0,"given_starts":0,"given_window_end":null,"icmp":null,"key":{"flow_id":"bare","reporter_id":"gw","window_start":null},"policy":{"id":null,"name":null},"protocol":null,"received_at":"1970-01-01T00:00:07Z","rx_bytes":0,"rx_packets":0,"source":{"address":null,"dns_label":null,"geo_location":{"city_name":null,"country_code":null},"id":null,"name":null,"os":null,"type":"UNKNOWN"},"tx_bytes":0,"tx_packets":0,"user":{"email":null,"id":null,"name":null}}}"#;

/// Projects an event of each kind into views with columns, with drafts or without; gives what these hold then.
fn dumps_of(is_drafted: bool) -> Vec<Vec<String>> {
    let directory = tempfile::tempdir().unwrap();
    let views = open(directory.path());
    let context = audit::Context { id: "whole", source: "/test", time: Some(at(2)), received_at: at(0) };
    let data = model::json::read::<audit::Fields>(WHOLE.as_bytes()).unwrap();
    let event = Event::Audit(audit::Event::new(context, data).unwrap());
    let reports = ["f1", "f2", "f1"].map(|flow| report(flow, 3, |data| data.rx_bytes = 7));
    let streams = [
        (views::audit::VIEW, Stream::Audit, vec![event]),
        (views::traffic::VIEW, Stream::Traffic, reports.into()),
        (views::audit::VIEW, Stream::Access, vec![audit_event("other", 1, "a.b")]),
    ];
    for (view, stream, events) in streams {
        let events: Vec<_> = events.into_iter().map(|event| (account("main"), event)).collect();
        let reasons = if is_drafted {
            project(&views, view, stream, 1, &events)
        } else {
            project_with(&views, view, LogPosition { stream, sequence: 1 }, &events, None)
        };
        assert!(reasons.is_empty(), "{reasons:?}");
    }
    let dump = |view| answer(&views, Dump { view, after: None, limit: 9 }).lines;
    [views::audit::VIEW, views::traffic::VIEW].map(dump).into()
}

#[test]
fn a_row_is_the_same_whether_it_was_drafted_or_not() {
    let drafted = dumps_of(true);
    assert_eq!(drafted.iter().map(Vec::len).collect::<Vec<_>>(), [4, 2]);
    assert_eq!(drafted, dumps_of(false));
}

#[test]
fn a_traffic_record_is_dumped_with_every_field_also_those_that_it_does_not_have() {
    let directory = tempfile::tempdir().unwrap();
    let views = open(directory.path());
    let events = [("bare", 1, "{}"), ("whole", 8, WHOLE_REPORT)].map(|(id, second, data)| {
        let (time, received_at) = (at(second), at(7));
        let (id, subject_reporter) = (id.to_owned(), "gw".to_owned());
        let data = model::json::read(data.as_bytes()).unwrap();
        (
            account("main"),
            Event::Traffic(traffic::Report { id, time, received_at, subject_reporter, data: Box::new(data) }),
        )
    });
    project(&views, views::traffic::VIEW, Stream::Traffic, 1, &events);
    let lines = answer(&views, Dump { view: views::traffic::VIEW, after: None, limit: 9 }).lines;
    assert_eq!(lines, [OF_WHOLE_REPORT, OF_BARE_REPORT]);
}

#[test]
fn every_number_is_dumped_to_the_digit() {
    let directory = tempfile::tempdir().unwrap();
    let views = open(directory.path());
    let numbers = r#"[12345678901234567890123,1.10,-0.0,1e3,0.1234567890123456789,18446744073709551615,1E-7]"#;
    // No double holds the last one: it stands as a text in every answer.
    let data = format!(
        r#"{{"event_type":"a.b","latency_ms":1.10,"meta":{{"n":{numbers},"beyond":1e400}},"event_payload":{{"n":{numbers}}}}}"#
    );
    let context = audit::Context { id: "exact", source: "/test", time: Some(at(1)), received_at: at(0) };
    let data = model::json::read::<audit::Fields>(data.as_bytes()).unwrap();
    let event = Event::Audit(audit::Event::new(context, data).unwrap());
    project(&views, views::audit::VIEW, Stream::Audit, 1, &[(account("main"), event)]);
    let [line, _catalog] =
        answer(&views, Dump { view: views::audit::VIEW, after: None, limit: 9 }).lines.try_into().unwrap();
    for expected in [
        format!(r#""event_payload":{{"n":{numbers}}}"#),
        format!(r#""meta":{{"beyond":"1e400","n":{numbers}}}"#),
        r#""latency_ms":1.10,"#.to_owned(),
    ] {
        assert!(line.contains(&expected), "{expected} is not in {line}");
    }

    let counted = report("f", 1, |data| (data.tx_bytes, data.rx_bytes) = (u64::MAX, (1 << 53) + 1));
    project(&views, views::traffic::VIEW, Stream::Traffic, 1, &[(account("main"), counted)]);
    let [line] = answer(&views, Dump { view: views::traffic::VIEW, after: None, limit: 9 }).lines.try_into().unwrap();
    for expected in [r#""tx_bytes":18446744073709551615"#, r#""rx_bytes":9007199254740993"#] {
        assert!(line.contains(expected), "{expected} is not in {line}");
    }
}
