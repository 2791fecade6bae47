//! The canonical form of a view, which is the same for the same log whatever the rows are stored like.

use model::audit;
use model::event::Event;
use model::log::Stream;
use views::dump::Dump;

use super::{account, answer, at, open, project, report};

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
            let data = model::json::read(data.as_bytes()).unwrap();
            (account("main"), Event::Audit(audit::Event::new(context, data).unwrap()))
        });
    project(&views, views::audit::VIEW, Stream::Audit, 1, &events);
    let dump = |after, limit| answer(&views, Dump { view: views::audit::VIEW, after, limit });
    let lines = dump(None, 9).lines;
    let catalog = [r#"{"account":"main","row":["a","a.b"]}"#, r#"{"account":"main","row":["vm","vm.boot"]}"#];
    assert_eq!(lines, [OF_WHOLE, OF_BARE].into_iter().chain(catalog).collect::<Vec<_>>());
    // In parts it is the same.
    let first = dump(None, 1);
    let rest = dump(first.next, 9).lines;
    assert_eq!([first.lines, rest].concat(), lines);
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
    let data = model::json::read(data.as_bytes()).unwrap();
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
