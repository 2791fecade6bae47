//! Every format against a plain reading of the same text: lines, columns and members, without any code of an importer.

use std::collections::BTreeMap;

use model::audit;
use model::json::Json;
use model::time::Timestamp;
use model::traffic::{self, EventType};
use serde_json::{Value, json};

use super::{Format, audit_events, imported, micros, reports};

/// The lines of a text as objects.
fn objects(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Microseconds since 1970 of a time in UTC with whole seconds or more, counted by the calendar.
fn micros_of(time: &Value) -> i64 {
    let (date, clock) = time.as_str().unwrap().strip_suffix('Z').unwrap().split_once('T').unwrap();
    let numbers =
        |text: &str, between: char| text.split(between).map(|part| part.parse().unwrap()).collect::<Vec<i64>>();
    let [year, month, day] = numbers(date, '-').try_into().unwrap();
    let (clock, fraction) = clock.split_once('.').unwrap_or((clock, "0"));
    let [hour, minute, second] = numbers(clock, ':').try_into().unwrap();
    let is_leap = |year: i64| (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    let in_month = [31, if is_leap(year) { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let days = (1970..year).map(|year| if is_leap(year) { 366 } else { 365 }).sum::<i64>()
        + in_month.iter().take(usize::try_from(month).unwrap() - 1).sum::<i64>()
        + day
        - 1;
    let fraction: i64 = format!("{fraction:0<6}").parse().unwrap();
    (((days * 24 + hour) * 60 + minute) * 60 + second) * 1_000_000 + fraction
}

/// A member that says something, as text; a number as its digits.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) if text.is_empty() => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

/// The first of some members that says something.
fn first(item: &Value, names: &[&str]) -> Option<String> {
    names.iter().find_map(|name| text(&item[*name]))
}

fn value(json: Option<&Json>) -> Value {
    json.map_or(Value::Null, Json::to_value)
}

/// What is compared of an audit event besides its time.
fn said(event: &audit::Event) -> [Option<String>; 6] {
    let given = &event.given;
    let id = Some(event.id.clone());
    let kind = Some(event.event_type.clone());
    [id, kind, given.actor_id.clone(), given.resource_id.clone(), given.ip_address.clone(), given.status.clone()]
}

fn address(end: &traffic::Endpoint) -> Option<&str> {
    end.address.as_deref()
}

/// As `awk` names columns: from 1.
fn column<'a>(words: &[&'a str], number: usize) -> &'a str {
    words[number - 1]
}

fn seconds(word: &str) -> i64 {
    word.parse::<i64>().unwrap() * 1_000_000
}

#[test]
fn zeeks_own_form_is_read_by_its_columns() {
    let log = "#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\tconn\n#open\t2024-01-31-12-00-00\n\
        #fields\tuid\tts\tproto\tid.resp_h\tid.resp_p\tid.orig_h\tid.orig_p\tresp_bytes\torig_bytes\torig_pkts\tduration\tconn_state\n\
        #types\tstring\ttime\tenum\taddr\tport\taddr\tport\tcount\tcount\tcount\tinterval\tstring\n\
        CHhAvVGS1DHFjwGM9\t1706702400.250000\ttcp\t10.0.0.4\t443\t10.0.1.6\t54243\t9007199254740993\t39\t7\t0.500000\tSF\n\
        C4J4Th3PJpwUYZZ6gc\t1706702401.000001\tudp\t10.0.0.4\t53\t10.0.1.7\t40000\t55\t40\t1\t-\tS0\n\
        CtPZjS20MLrsMUOJi2\t1706702402.000000\ttcp\t10.0.0.9\t22\t10.0.1.8\t40001\t0\t0\t1\t0.000100\tREJ\n\
        #close\t2024-01-31-13-00-00\n";
    let names: Vec<&str> = log.lines().find_map(|line| line.strip_prefix("#fields\t")).unwrap().split('\t').collect();
    let rows: Vec<BTreeMap<&str, &str>> = log
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| names.iter().copied().zip(line.split('\t')).collect())
        .collect();
    let imported = imported(Format::ZeekConn, log.as_bytes());
    assert_eq!((imported.counts.records, imported.counts.rejected), (log.lines().count() as u64, 0));
    let reports = reports(imported);
    assert_eq!(reports.len(), rows.len());
    for (row, report) in rows.iter().zip(&reports) {
        let data = &report.data;
        assert_eq!(data.flow_id.as_deref(), Some(row["uid"]));
        assert_eq!(address(&data.source), Some(format!("{}:{}", row["id.orig_h"], row["id.orig_p"]).as_str()));
        assert_eq!(address(&data.destination), Some(format!("{}:{}", row["id.resp_h"], row["id.resp_p"]).as_str()));
        assert_eq!(data.rx_bytes.to_string(), row["resp_bytes"]);
        assert_eq!(
            (data.tx_bytes.to_string(), data.tx_packets.to_string()),
            (row["orig_bytes"].into(), row["orig_pkts"].into())
        );
        assert_eq!(report.time.micros(), micros(&serde_json::from_str(row["ts"]).unwrap()));
        let is_drop = data.events.iter().any(|event| event.event_type == EventType::Drop);
        let has_end = data.events.iter().any(|event| event.event_type == EventType::End);
        assert_eq!(
            (is_drop, has_end),
            (row["conn_state"] == "REJ", row["conn_state"] != "REJ" && row["duration"] != "-")
        );
    }
}

/// Compares flow logs with their columns: those of the reporter, of both addresses and ports, of the protocol, of packets,
/// bytes, start and end.
fn flows_are_their_columns(log: &str, columns: [usize; 10], is_flow: fn(&[&str]) -> bool) {
    let rows: Vec<Vec<&str>> = log.lines().map(|line| line.split(' ').collect()).collect();
    let rows: Vec<&Vec<&str>> = rows.iter().filter(|words| is_flow(words)).collect();
    let imported = imported(Format::AwsVpcFlow, log.as_bytes());
    assert_eq!((imported.counts.records, imported.counts.rejected), (log.lines().count() as u64, 0));
    let reports = reports(imported);
    assert!(!rows.is_empty() && reports.len() == rows.len(), "{} of {}", reports.len(), rows.len());
    for (words, report) in rows.into_iter().zip(&reports) {
        let [reporter, source, destination, from, to, protocol, packets, bytes, start, end] =
            columns.map(|number| column(words, number));
        let with_port =
            |ip: &str, port: &str| if ip.contains(':') { format!("[{ip}]:{port}") } else { format!("{ip}:{port}") };
        let data = &report.data;
        assert_eq!(data.reporter_id.as_deref(), Some(reporter));
        assert_eq!(address(&data.source), Some(with_port(source, from).as_str()));
        assert_eq!(address(&data.destination), Some(with_port(destination, to).as_str()));
        assert_eq!(data.protocol.map(|number| number.to_string()).as_deref(), Some(protocol));
        assert_eq!((data.tx_packets.to_string(), data.tx_bytes.to_string()), (packets.to_owned(), bytes.to_owned()));
        assert_eq!(report.time.micros(), seconds(start));
        let window = [data.window_start, data.window_end].map(|time| time.map(Timestamp::micros));
        assert_eq!(window, [Some(seconds(start)), Some(seconds(end))]);
        let dropped = data.events.iter().any(|event| event.event_type == EventType::Drop);
        assert_eq!(dropped, words.contains(&"REJECT"));
    }
}

#[test]
fn flow_logs_of_version_2_are_read_by_their_columns() {
    let log = "2 123456789010 eni-1235b8ca 172.31.16.139 172.31.16.21 20641 22 6 20 4249 1418530010 1418530070 ACCEPT OK\n\
        2 123456789010 eni-1235b8ca 172.31.9.69 172.31.9.12 49761 3389 6 20 4249 1418530010 1418530070 REJECT OK\n\
        2 123456789010 eni-1235b8ca - - - - - - - 1431280876 1431280934 - NODATA\n\
        2 123456789010 eni-f41c42bf 2001:db8:1234:a100:8d6e:3477:df66:f105 2001:db8:1234:a102:3304:8879:34cf:4071 34892 22 6 54 8855 1477913708 1477913820 ACCEPT OK\n\
        2 123456789010 eni-0 203.0.113.12 172.31.16.139 0 0 1 4 9007199254740993 1432917027 1432917142 ACCEPT OK\n";
    flows_are_their_columns(log, [3, 4, 5, 6, 7, 8, 9, 10, 11, 12], |words| words[13] == "OK");
}

#[test]
fn flow_logs_of_ones_own_format_are_read_by_their_columns() {
    let log = "end start bytes packets protocol dstport srcport dstaddr srcaddr interface-id action\n\
        1418530070 1418530010 4249 20 6 22 20641 172.31.16.21 172.31.16.139 eni-1 ACCEPT\n\
        1418530071 1418530011 18446744073709551615 1 17 53 40000 10.0.0.4 10.0.1.6 eni-2 REJECT\n";
    flows_are_their_columns(log, [10, 9, 8, 7, 6, 5, 4, 3, 2, 1], |words| words[0] != "end");
}

#[test]
fn flow_logs_of_a_transit_gateway_are_read_by_their_columns() {
    let log = "6 TransitGateway 123456789012 tgw-1 tgw-attach-1 1 2 vpc-1 vpc-2 subnet-1 subnet-2 eni-1 eni-2 a b tgw-attach-2 10.1.0.5 10.2.0.6 33000 443 6 9 1200 1706702400 1706702460 OK IPv4 0 0 0 0 2 us-east-1 egress - -\n\
        6 TransitGateway 123456789012 tgw-2 tgw-attach-1 1 2 vpc-1 vpc-2 subnet-1 subnet-2 eni-1 eni-2 a b tgw-attach-2 10.2.0.6 10.1.0.5 443 33000 17 8 99 1706702401 1706702461 OK IPv4 0 0 0 0 2 us-east-1 ingress - -\n\
        6 TransitGateway 123456789012 tgw-1 - - - - - - - - - - - - - - - - - - - 1706702400 1706702460 NODATA - - - - - - us-east-1 - - -\n";
    flows_are_their_columns(log, [4, 17, 18, 19, 20, 21, 22, 23, 24, 25], |words| words[25] == "OK");
}

#[test]
fn own_audit_events_are_read_by_their_members() {
    let text = r#"{"id":"own-1","time":"2024-01-31T12:00:00.250001Z","event_type":"door.open","actor_id":"ålice","resource_id":"lab","ip_address":"203.0.113.7","status":"denied","meta":{"n":[1,null],"ü":"\"x\""}}
{"id":2,"time":"2024-02-29T23:59:59Z","activity_code":"route.add","initiator_id":"sys","target_id":"r-1","status":null,"meta":{}}
{"id":"own-3","time":"1999-12-31T00:00:00.5Z","event_type":"a.b","actor_id":"","resource_id":"x","event_payload":{"n":18446744073709551615}}"#;
    let (items, events) = (objects(text), audit_events(imported(Format::Audit, text.as_bytes())));
    assert_eq!(events.len(), items.len());
    for (item, event) in items.iter().zip(&events) {
        let expected = [
            text_of(item, "id"),
            first(item, &["event_type", "activity_code"]),
            first(item, &["actor_id", "initiator_id"]),
            first(item, &["resource_id", "target_id"]),
            text_of(item, "ip_address"),
            text_of(item, "status"),
        ];
        assert_eq!((said(event), event.time.micros()), (expected, micros_of(&item["time"])));
        assert_eq!(value(event.given.event_payload.as_ref()), item["event_payload"]);
        let meta = value(event.given.meta.as_ref());
        assert!(meta == item["meta"] || item["meta"] == json!({}) && meta.is_null(), "{meta} {item}");
    }
}

fn text_of(item: &Value, name: &str) -> Option<String> {
    text(&item[name])
}

#[test]
fn netbirds_list_of_audit_events_is_read_by_its_members() {
    let text = r#"[
        {"id": "10", "timestamp": "2023-05-05T10:04:37.473542Z", "activity": "Route created", "activity_code": "route.add", "initiator_id": "google-oauth2|277474792786460067937", "initiator_name": "John Doe", "initiator_email": "demo@netbird.io", "target_id": "chacbco6lnnbn6cg5s90", "meta": {"name": "my route", "network_range": "10.64.0.0/24"}},
        {"id": "11", "timestamp": "2023-05-05T10:05:00Z", "activity": "Peer added", "activity_code": "user.peer.add", "initiator_id": "u-2", "initiator_name": "", "initiator_email": "", "target_id": "p-2", "meta": {"fqdn": "laptop.netbird.cloud", "ip": "100.64.0.2"}},
        {"id": "12", "timestamp": "2023-05-05T10:05:01.000001Z", "activity": "Setup key created", "activity_code": "setupkey.add", "initiator_id": "sys", "initiator_name": "", "initiator_email": "", "target_id": "", "meta": {}}
    ]"#;
    let list: Value = serde_json::from_str(text).unwrap();
    let (items, events) = (list.as_array().unwrap(), audit_events(imported(Format::Audit, text.as_bytes())));
    assert_eq!(events.len(), items.len());
    for (item, event) in items.iter().zip(&events) {
        let expected = ["id", "activity_code", "initiator_id", "target_id", "ip_address", "status"];
        assert_eq!(said(event), expected.map(|name| text_of(item, name)), "{item}");
        assert_eq!(event.time.micros(), micros_of(&item["timestamp"]));
        let names = [&event.given.actor_name, &event.given.actor_email].map(Clone::clone);
        assert_eq!(names, ["initiator_name", "initiator_email"].map(|name| text_of(item, name)));
        assert_eq!(event.activity(), item["activity"].as_str().unwrap());
    }
}

#[test]
fn instavms_list_of_audit_events_is_read_by_its_members() {
    let text = r#"{"items": [
        {"id": "ev1", "created_at": "2024-01-01T00:00:00.001000Z", "user_id": 7, "actor_type": "user", "actor_id": "u7", "source": "api", "event_group": "vm", "event_type": "vm.create", "status": "success", "resource_type": "vm", "resource_id": "vm1", "session_id": null, "ip_address": "198.51.100.7", "latency_ms": 12.5, "http_status": 200, "event_payload": {"a": [1, 2.5]}, "error_message": null},
        {"id": "ev2", "created_at": "2024-02-29T12:00:00.000000Z", "user_id": null, "actor_type": "system", "actor_id": null, "source": "scheduler", "event_group": "vm", "event_type": "vm.kill", "status": "error", "resource_type": "vm", "resource_id": "vm1", "session_id": "s", "ip_address": null, "latency_ms": null, "http_status": null, "event_payload": null, "error_message": "no"}
    ], "next_cursor": null, "has_more": false}"#;
    let list: Value = serde_json::from_str(text).unwrap();
    let (items, events) = (list["items"].as_array().unwrap(), audit_events(imported(Format::Audit, text.as_bytes())));
    assert_eq!(events.len(), items.len());
    for (item, event) in items.iter().zip(&events) {
        let expected = ["id", "event_type", "actor_id", "resource_id", "ip_address", "status"];
        assert_eq!(said(event), expected.map(|name| text_of(item, name)), "{item}");
        assert_eq!(event.time.micros(), micros_of(&item["created_at"]));
        let given = &event.given;
        assert_eq!((given.user_id, given.http_status), (item["user_id"].as_i64(), item["http_status"].as_i64()));
        let latency = given.latency_ms.as_ref().map(|number| number.as_str().to_owned());
        assert_eq!((latency, Some(event.source.clone())), (text_of(item, "latency_ms"), text_of(item, "source")));
        assert_eq!(value(given.event_payload.as_ref()), item["event_payload"]);
        assert_eq!(given.error_message, text_of(item, "error_message"));
    }
}

#[test]
fn vrnis_list_of_audit_logs_is_read_by_its_members() {
    let text = r#"{"results": [
        {"ip_address": "10.2.3.4", "user_name": "admin@local", "entity_type": "User Group", "entity_id": "18230:1", "operation": "CREATE", "response": "SUCCESS", "value": "{\"n\":1}", "timestamp": 1509410056},
        {"ip_address": "", "user_name": "ann@corp.example", "entity_type": "Data Source", "entity_id": "18230:2", "operation": "DELETE", "response": "FAILURE", "value": "", "timestamp": 1509410057}
    ], "cursor": null, "total_count": 2, "start_time": 1509410000, "end_time": 1509420000}"#;
    let list: Value = serde_json::from_str(text).unwrap();
    let (items, events) = (list["results"].as_array().unwrap(), audit_events(imported(Format::Audit, text.as_bytes())));
    assert_eq!(events.len(), items.len());
    for (item, event) in items.iter().zip(&events) {
        let given = &event.given;
        assert_eq!(event.time.micros(), item["timestamp"].as_i64().unwrap() * 1_000_000);
        let found = [
            &given.user_name,
            &given.resource_type,
            &given.resource_id,
            &given.operation,
            &given.response,
            &given.value,
            &given.ip_address,
        ];
        let names = ["user_name", "entity_type", "entity_id", "operation", "response", "value", "ip_address"];
        assert_eq!(found.map(Clone::clone), names.map(|name| text_of(item, name)), "{item}");
    }
}

/// Documents as Flowtrail's integrations write them: audit events and traffic in the same file.
const ARCHIVE: &str = r#"{"timestamp":"2024-01-31T12:00:00.000000Z","message":"Door opened","id":"own-1","initiator_id":"alice","target_id":"lab","meta":{"floor":"2"},"reference":"c-1","account_id":"main","kind":"audit","event_type":"door.open","position":"FLOWTRAIL_AUDIT:7","index":0,"event":{"status":"denied","ip_address":"203.0.113.7","latency_ms":1.5,"event_payload":{"n":[1]}}}
{"timestamp":"2024-01-31T12:00:02.500000Z","message":"TYPE_START","id":"flow-1","initiator_id":"p-1","target_id":"","meta":{"flow_id":"f-1","reporter_id":"gw"},"reference":"f-1","account_id":"main","kind":"traffic","event_type":"TYPE_START","position":"FLOWTRAIL_TRAFFIC:3","index":0,"event":{"flow_id":"f-1","type":"TYPE_START","reporter_id":"gw","source":{"id":"p-1","address":"10.0.0.1:4000"},"destination":{"address":"[2001:db8::5]:443"},"protocol":6,"direction":"EGRESS","tx_bytes":18446744073709551615,"rx_bytes":7,"tx_packets":3}}
{"timestamp":"2024-01-31T12:00:03.000001Z","message":"Route created","id":"own-2","initiator_id":"","target_id":"r-1","meta":{},"reference":"","account_id":"main","kind":"audit","event_type":"route.add","position":"FLOWTRAIL_AUDIT:8","index":1,"event":{}}
{"timestamp":"2024-01-31T12:00:04.000000Z","message":"TYPE_DROP","id":"flow-2","initiator_id":"","target_id":"","meta":{"flow_id":"f-2","reporter_id":"gw-2"},"reference":"f-2","account_id":"main","kind":"traffic","event_type":"TYPE_DROP","position":"FLOWTRAIL_TRAFFIC:4","index":0,"event":{"flow_id":"f-2","type":"TYPE_DROP","reporter_id":"gw-2","protocol":17,"tx_bytes":0,"rx_bytes":0,"tx_packets":1,"source":{"address":"10.0.0.2:1"},"destination":{"address":"10.0.0.3:2"}}}
"#;

fn of_kind(kind: &str) -> Vec<Value> {
    objects(ARCHIVE).into_iter().filter(|document| document["kind"] == kind).collect()
}

#[test]
fn audit_events_of_flowtrails_archives_are_read_by_their_members() {
    let (documents, events) = (of_kind("audit"), audit_events(imported(Format::Audit, ARCHIVE.as_bytes())));
    assert_eq!(events.len(), documents.len());
    for (document, event) in documents.iter().zip(&events) {
        let whole = &document["event"];
        let outside = ["id", "event_type", "initiator_id", "target_id"].map(|name| text_of(document, name));
        let inside = ["ip_address", "status"].map(|name| text_of(whole, name));
        assert_eq!(said(event).to_vec(), [outside.as_slice(), &inside].concat(), "{document}");
        assert_eq!(event.time.micros(), micros_of(&document["timestamp"]));
        assert_eq!(event.activity(), document["message"].as_str().unwrap());
        assert_eq!(event.given.correlation_id, text_of(document, "reference"));
        assert_eq!(value(event.given.event_payload.as_ref()), whole["event_payload"]);
    }
}

#[test]
fn traffic_of_flowtrails_archives_is_read_by_its_members() {
    let (documents, reports) = (of_kind("traffic"), reports(imported(Format::Traffic, ARCHIVE.as_bytes())));
    assert_eq!(reports.len(), documents.len());
    for (document, report) in documents.iter().zip(&reports) {
        assert_eq!(
            (Some(report.id.clone()), report.time.micros()),
            (text_of(document, "id"), micros_of(&document["timestamp"]))
        );
        report_is(&document["event"], report);
    }
}

/// Compares a report with the members of the object that it was read from.
fn report_is(item: &Value, report: &traffic::Report) {
    let data = &report.data;
    assert_eq!(
        [&data.flow_id, &data.reporter_id].map(Clone::clone),
        ["flow_id", "reporter_id"].map(|name| text_of(item, name))
    );
    assert_eq!(data.source.address, text_of(&item["source"], "address"));
    assert_eq!(data.destination.address, text_of(&item["destination"], "address"));
    assert_eq!(data.protocol.map(u64::from), item["protocol"].as_u64());
    let counted = [data.tx_bytes, data.rx_bytes, data.tx_packets];
    assert_eq!(
        counted,
        ["tx_bytes", "rx_bytes", "tx_packets"].map(|name| item[name].as_u64().unwrap_or_default()),
        "{item}"
    );
    let shown = data.event_type.map(|kind| json!(kind));
    assert_eq!(shown.unwrap_or_default(), item["type"]);
}

#[test]
fn own_reports_are_read_by_their_members() {
    let text = r#"{"id":"r-1","time":"2024-01-31T12:00:00.250001Z","flow_id":"f-1","type":"TYPE_START","reporter_id":"gw","source":{"address":"10.0.0.1:4000","name":"läptop"},"destination":{"address":"[2001:db8::5]:443"},"protocol":6,"tx_bytes":18446744073709551615,"rx_bytes":9007199254740993,"tx_packets":3}
{"id":2,"time":"2024-02-29T23:59:59Z","flow_id":"f-2","type":"TYPE_END","reporter_id":"gw-2","source":{},"destination":{"address":"10.0.0.2:53"},"protocol":17,"rx_bytes":1}"#;
    let (items, reports) = (objects(text), reports(imported(Format::Traffic, text.as_bytes())));
    assert_eq!(reports.len(), items.len());
    for (item, report) in items.iter().zip(&reports) {
        assert_eq!((Some(report.id.clone()), report.time.micros()), (text_of(item, "id"), micros_of(&item["time"])));
        report_is(item, report);
    }
}

#[test]
fn netbirds_list_of_traffic_is_read_by_its_members() {
    let text = r#"{"data": [
        {"id": "18e204d6-f7c6-405d-8025-70becb216add", "flow_id": "61092452-b17c-4b14-b7cf-a2158c549826", "reporter_id": "ch8i4ug6lnn4g9hqv7m0", "source": {"id": "ch8i4ug6lnn4g9hqv7m0", "type": "PEER", "name": "My Peer", "address": "100.64.0.10:51820", "dns_label": "*.mydomain.com", "geo_location": {"city_name": "Berlin", "country_code": "DE"}, "os": "Linux"}, "destination": {"id": "p-2", "type": "PEER", "name": "db", "address": "100.64.0.11:22"}, "user": {"id": "u-1", "email": "alice@netbird.io", "name": "Alice Smith"}, "policy": {"id": "pol", "name": "All to All"}, "icmp": {"type": 0, "code": 0}, "protocol": 6, "direction": "INGRESS", "rx_bytes": 1234, "rx_packets": 5, "tx_bytes": 5678, "tx_packets": 10, "events": [{"type": "TYPE_START", "timestamp": "2025-03-20T16:23:58.125397Z"}, {"type": "TYPE_END", "timestamp": "2025-03-20T16:24:00Z"}]},
        {"id": "28e204d6", "flow_id": "f-2", "reporter_id": "p-9", "source": {"address": "100.64.0.12:1"}, "destination": {"address": "100.64.0.13:2"}, "protocol": 17, "rx_bytes": 0, "tx_bytes": 0, "tx_packets": 0, "events": [{"type": "TYPE_DROP", "timestamp": "2025-03-20T16:23:59Z"}]}
    ], "page": 1, "page_size": 1000, "total_records": 2, "total_pages": 1}"#;
    let list: Value = serde_json::from_str(text).unwrap();
    let (items, reports) = (list["data"].as_array().unwrap(), reports(imported(Format::Traffic, text.as_bytes())));
    assert_eq!(reports.len(), items.len());
    for (item, report) in items.iter().zip(&reports) {
        report_is(item, report);
        let events = item["events"].as_array().unwrap();
        assert_eq!(report.time.micros(), micros_of(&events[0]["timestamp"]));
        assert_eq!(json!(report.data.events), item["events"]);
        assert_eq!(report.data.user.email, text_of(&item["user"], "email"));
    }
}

/// Events as NetBird streams them: into an object, and to a web hook.
const STREAMED: &str = r#"{"timestamp":"2024-01-31T12:00:00.5Z","message":"group created","id":"nb-1","initiator_id":"u-1","target_id":"g-1","meta":{"name":"ops"},"reference":"https://netbird.example.com/events/nb-1"}
{"ID":"nb-2","Timestamp":"2024-01-31T12:00:01Z","Message":"Route created","InitiatorID":"u-2","TargetID":"r-1","Meta":{"range":"10.64.0.0/24"},"Reference":""}
{"timestamp":"2024-01-31T12:00:02Z","message":"TYPE_DROP","id":"nb-3","initiator_id":"","target_id":"","reference":"","meta":{"flow_id":"nbf-1","direction":"INGRESS","source_addr":"100.64.0.1:40000","destination_addr":"100.64.0.2:22","protocol":6,"tx_bytes":0,"tx_packets":"4","rx_bytes":"9007199254740993","reporter_id":"peer-2"}}
{"timestamp":"2024-01-31T12:00:03Z","message":"TYPE_END","id":"nb-4","initiator_id":"","target_id":"","reference":"","meta":{"flow_id":"nbf-2","direction":"EGRESS","source_addr":"100.64.0.3:1","destination_addr":"100.64.0.4:2","protocol":"17","tx_bytes":12,"tx_packets":1,"rx_bytes":3,"reporter_id":"peer-3"}}
"#;

/// Those of the streamed events that are of traffic, or those that are not.
fn streamed(is_traffic: bool) -> Vec<Value> {
    let is_wanted =
        |event: &Value| event["message"].as_str().is_some_and(|message| message.starts_with("TYPE_")) == is_traffic;
    objects(STREAMED).into_iter().filter(is_wanted).collect()
}

#[test]
fn audit_events_that_netbird_streams_are_read_by_their_members() {
    let (items, events) = (streamed(false), audit_events(imported(Format::Audit, STREAMED.as_bytes())));
    assert_eq!(events.len(), items.len());
    for (item, event) in items.iter().zip(&events) {
        let given = &event.given;
        assert_eq!(Some(event.id.clone()), first(item, &["id", "ID"]));
        let time = if item["timestamp"].is_string() { &item["timestamp"] } else { &item["Timestamp"] };
        assert_eq!(event.time.micros(), micros_of(time));
        assert_eq!(given.actor_id, first(item, &["initiator_id", "InitiatorID"]));
        assert_eq!(given.resource_id, first(item, &["target_id", "TargetID"]));
        assert_eq!(given.correlation_id, first(item, &["reference", "Reference"]));
        let meta = if item["meta"].is_object() { &item["meta"] } else { &item["Meta"] };
        assert_eq!(value(given.meta.as_ref()), *meta);
        let message = first(item, &["message", "Message"]).unwrap();
        assert_eq!(event.activity().to_lowercase(), message.to_lowercase());
    }
}

#[test]
fn traffic_that_netbird_streams_is_read_by_its_members() {
    let (items, reports) = (streamed(true), reports(imported(Format::Traffic, STREAMED.as_bytes())));
    assert_eq!(reports.len(), items.len());
    for (item, report) in items.iter().zip(&reports) {
        let (meta, data) = (&item["meta"], &report.data);
        assert_eq!(
            (Some(report.id.clone()), report.time.micros()),
            (text_of(item, "id"), micros_of(&item["timestamp"]))
        );
        assert_eq!(
            [&data.flow_id, &data.reporter_id].map(Clone::clone),
            ["flow_id", "reporter_id"].map(|name| text_of(meta, name))
        );
        assert_eq!(data.source.address, text_of(meta, "source_addr"));
        assert_eq!(data.destination.address, text_of(meta, "destination_addr"));
        let counted = [data.protocol.map(u64::from), Some(data.tx_bytes), Some(data.tx_packets), Some(data.rx_bytes)];
        let counted = counted.map(|number| number.map(|number| number.to_string()));
        assert_eq!(counted, ["protocol", "tx_bytes", "tx_packets", "rx_bytes"].map(|name| text_of(meta, name)));
        assert_eq!(json!(data.event_type), item["message"]);
    }
}
