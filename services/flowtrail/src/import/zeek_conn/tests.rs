use model::time::Timestamp;
use model::traffic::{Direction, EventType, IcmpData, Reported, SubEvent};
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

fn draft_of(line: &str, reporter: Option<&str>) -> Draft<'static> {
    map(line, &mut Header::default(), reporter).unwrap().event()
}

fn mapped(members: &Value) -> Reported {
    serde_json::from_str(&draft_of(&line(members), None).data).unwrap()
}

fn rejected(members: &Value) -> String {
    map(&line(members), &mut Header::default(), None).unwrap_err().to_string()
}

fn time(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

#[test]
fn a_connection_is_a_start_and_an_end() {
    let line = line(&json!({}));
    let draft = draft_of(&line, None);
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
    assert_eq!(draft_of(&text, None).data, draft_of(&line(&json!({})), None).data);
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
    let reporter = |line: &str, asked| -> Reported { serde_json::from_str(&draft_of(line, asked).data).unwrap() };
    assert_eq!(reporter(&in_log, Some("x")).reporter_id.as_deref(), Some("x"));
    assert_eq!(reporter(&in_log, None).reporter_id.as_deref(), Some("tap1"));
    assert_eq!(mapped(&json!({ "_system_name": "tap2" })).reporter_id.as_deref(), Some("tap2"));
    assert_eq!(mapped(&json!({})).reporter_id.as_deref(), Some("zeek"));
}

#[test]
fn times_may_be_texts() {
    let text = line(&json!({ "ts": "2020-04-30T00:06:39.824370Z" }));
    assert_eq!(draft_of(&text, None).time, Some(time("2020-04-30T00:06:39.824370Z")));
    assert!(rejected(&json!({ "ts": "yesterday" })).starts_with("ts: must be seconds since 1970"));
    assert!(rejected(&json!({ "ts": 1e300 })).starts_with("ts: must be an RFC 3339 time"));
}

#[test]
fn a_line_without_uid_has_the_id_of_its_text() {
    let without = line(&json!({ "uid": null }));
    let draft = draft_of(&without, None);
    assert_eq!(draft.id, draft_of(&without, None).id);
    assert_ne!(draft.id, draft_of(&line(&json!({ "uid": null, "ts": 1 })), None).id);
    assert_eq!(mapped(&json!({ "uid": null })).flow_id, None);
}

#[test]
fn what_does_not_fit_is_named() {
    assert!(rejected(&json!({ "id.orig_h": "here" })).starts_with("id.orig_h: "));
    assert!(rejected(&json!({ "orig_bytes": "many" })).starts_with("orig_bytes: "));
    assert_eq!(rejected(&json!({ "id.orig_h": null })), "id.orig_h: is missing");
    assert_eq!(rejected(&json!({ "proto": null })), "proto: is missing");
    assert_eq!(rejected(&json!({ "ts": null })), "ts: is missing");
}

#[test]
fn every_form_of_a_time_is_the_same_time() {
    let expected = time("2024-01-31T12:00:00.250000Z");
    let forms = [
        json!(1_706_702_400.25),
        json!(1_706_702_400_250_u64),
        json!("1706702400.250000"),
        json!("2024-01-31T12:00:00.250000Z"),
        json!("2024-01-31T12:00:00.250+0000"),
        json!("2024-01-31T13:00:00.250000+0100"),
        json!("2024-01-31T13:00:00.25+01:00"),
    ];
    for ts in forms {
        assert_eq!(draft_of(&line(&json!({ "ts": ts })), None).time, Some(expected), "{ts}");
    }
}

#[test]
fn the_endpoints_may_stand_in_an_object_of_their_own() {
    let mut nested: Value = serde_json::from_str(&line(&json!({}))).unwrap();
    let object = nested.as_object_mut().unwrap();
    for name in ["orig_h", "orig_p", "resp_h", "resp_p"] {
        let value = object.remove(&format!("id.{name}")).unwrap();
        object.entry("id").or_insert_with(|| json!({}))[name] = value;
    }
    assert_eq!(draft_of(&nested.to_string(), None).data, draft_of(&line(&json!({})), None).data);
}

#[test]
fn ipv6_is_written_in_one_form_however_it_was_spelled() {
    let data = mapped(&json!({ "id.orig_h": "2001:0DB8:0:0:0:0:0:5", "id.resp_h": "::ffff:192.0.2.1" }));
    assert_eq!(data.source.address.as_deref(), Some("[2001:db8::5]:54243"));
    assert_eq!(data.destination.address.as_deref(), Some("[::ffff:192.0.2.1]:53"));
}

#[test]
fn a_record_of_another_log_is_skipped_by_its_name_or_refused_without_one() {
    let skipped =
        |name: &str, log: &str| map(&line(&json!({ name: log })), &mut Header::default(), None).unwrap().skipped();
    for name in ["_path", "@stream", "@path"] {
        assert_eq!(skipped(name, "dns"), Skipped::OtherLog("dns".into()), "{name}");
        assert_eq!(draft_of(&line(&json!({ name: "conn" })), None).id, "zeek:C1", "{name}");
    }
    // In a log of its own, a field of this name is something else.
    let other = line(&json!({ "_path": "smb", "duration": "long" }));
    assert_eq!(map(&other, &mut Header::default(), None).unwrap().skipped(), Skipped::OtherLog("smb".into()));
    let dns = r#"{"ts":1,"uid":"C","id.orig_h":"10.0.0.1","id.orig_p":1,"id.resp_h":"10.0.0.2","id.resp_p":53,"proto":"udp","query":"a"}"#;
    let why = map(dns, &mut Header::default(), None).unwrap_err().to_string();
    assert!(why.starts_with("record: has none of conn_state, orig_pkts and history"), "{why}");
    let named = dns.replace('{', r#"{"_path":"conn","#);
    assert_eq!(draft_of(&named, None).id, "zeek:C");
}

/// A header as Zeek writes it, for the fields that are named.
fn header(fields: &str) -> String {
    let lines = [
        r"#separator \x09",
        "#set_separator\t,",
        "#empty_field\t(empty)",
        "#unset_field\t-",
        "#path\tconn",
        "#open\t2024-01-31-12-00-00",
    ];
    format!("{}\n#fields\t{}\n#types\tnone", lines.join("\n"), fields.replace(' ', "\t"))
}

/// What becomes of lines that follow one another in a file.
fn mapped_lines(text: &str) -> Vec<Result<Mapped<'static>, String>> {
    let mut header = Header::default();
    text.lines().map(|line| map(line, &mut header, None).map_err(|error| error.to_string())).collect()
}

fn events(text: &str) -> Vec<Draft<'static>> {
    let event = |mapped| if let Mapped::Event(draft) = mapped { Some(draft) } else { None };
    mapped_lines(text).into_iter().filter_map(|mapped| event(mapped.unwrap())).collect()
}

const FIELDS: &str = "ts uid id.orig_h id.orig_p id.resp_h id.resp_p proto duration orig_bytes resp_bytes conn_state \
                      local_orig local_resp orig_pkts orig_ip_bytes resp_pkts resp_ip_bytes tunnel_parents";

#[test]
fn a_line_of_zeeks_own_form_is_the_event_that_its_json_is() {
    let values = "1588205199.824370 C1 10.0.1.6 54243 10.0.0.4 53 udp 0.500000 39 55 SF - - 1 67 2 83 (empty)";
    let text = format!("{}\n{}\n#close\t2024-01-31-12-00-30", header(FIELDS), values.replace(' ', "\t"));
    assert_eq!(events(&text), [draft_of(&line(&json!({})), None)]);
    let skipped = mapped_lines(&text)
        .into_iter()
        .filter_map(Result::ok)
        .filter(|mapped| *mapped == Mapped::Skipped(Skipped::Header));
    assert_eq!(skipped.count(), 9);
}

#[test]
fn what_is_unset_is_left_out_and_truth_is_t_or_f() {
    let values = "1588205199 C1 10.0.1.6 54243 10.0.0.4 53 udp - - - S0 T F 0 67 0 0 -";
    let draft = events(&format!("{}\n{}", header(FIELDS), values.replace(' ', "\t"))).remove(0);
    let data: Reported = serde_json::from_str(&draft.data).unwrap();
    assert_eq!((data.tx_bytes, data.rx_bytes, data.direction), (67, 0, Direction::Egress));
    assert_eq!(data.events.len(), 1);
}

#[test]
fn a_header_that_comes_again_names_other_fields_from_there_on() {
    let first = format!(
        "{}\n{}",
        header("ts uid id.orig_h id.orig_p id.resp_h id.resp_p proto conn_state"),
        "1 C1 ::1 1 ::2 2 tcp SF".replace(' ', "\t")
    );
    let second = format!(
        "{}\n{}",
        header("uid ts proto history id.resp_p id.resp_h id.orig_p id.orig_h"),
        "C2 1 tcp S 2 ::2 1 ::1".replace(' ', "\t")
    );
    let both = events(&format!("{first}\n#close\tx\n{second}"));
    assert_eq!(both.iter().map(|draft| draft.id.as_str()).collect::<Vec<_>>(), ["zeek:C1", "zeek:C2"]);
    assert_eq!(both[0].data.replace("C1", ""), both[1].data.replace("C2", ""));
}

#[test]
fn separators_and_markers_are_those_that_the_header_names() {
    let text = "#separator \\x2c\n#unset_field,NIL\n#empty_field,NONE\n#path,conn\n\
                #fields,ts,uid,id.orig_h,id.orig_p,id.resp_h,id.resp_p,proto,duration,service,conn_state\n\
                1,C\\x2c1,::1,1,::2,2,tcp,NIL,NONE,S0";
    let draft = events(text).remove(0);
    assert_eq!(draft.id, "zeek:C,1");
    // Where nothing stands for what is not set, it is cut off at the end of a line.
    let unset = "#unset_field\t\n#path\tconn\n#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\tx\ty\n1\tC\t::1\t1\t::2\t2\ttcp";
    assert_eq!(events(unset)[0].id, "zeek:C");
}

#[test]
fn another_log_in_zeeks_own_form_is_skipped_as_a_whole() {
    let dns = header("ts uid id.orig_h id.orig_p id.resp_h id.resp_p proto query").replace("#path\tconn", "#path\tdns");
    let row = "1 C1 10.0.0.1 1 10.0.0.2 53 udp a".replace(' ', "\t");
    let mapped = mapped_lines(&format!("{dns}\n{row}")).pop().unwrap();
    assert_eq!(mapped.unwrap().skipped(), Skipped::OtherLog("dns".into()));
    // Without its name it is told once, at the fields.
    let nameless = mapped_lines(&format!("{}\n{row}\n{row}", dns.replace("#path\tdns", "#open\tx")));
    let refused: Vec<&String> = nameless.iter().filter_map(|mapped| mapped.as_ref().err()).collect();
    assert_eq!(refused.len(), 1, "{nameless:?}");
    assert!(refused[0].starts_with("#fields: has none of conn_state"), "{refused:?}");
}

#[test]
fn a_line_that_does_not_fit_its_header_is_named() {
    let why = |row: &str| {
        let text = format!(
            "{}\n{}",
            header("ts uid id.orig_h id.orig_p id.resp_h id.resp_p proto conn_state"),
            row.replace(' ', "\t")
        );
        mapped_lines(&text).pop().unwrap().unwrap_err()
    };
    assert_eq!(why("1 C1"), "line: has 2 fields, but #fields names 8");
    assert_eq!(why("1 C1 ::1 1 ::2 2 tcp SF x"), "line: has 9 fields, but #fields names 8");
    assert_eq!(why("1 C1 here 1 ::2 2 tcp SF"), "id.orig_h: must be an address, not \"here\"");
    assert_eq!(why("1 C1 ::1 99999 ::2 2 tcp SF"), "id.orig_p: must be a port, not \"99999\"");
    assert!(why("x C1 ::1 1 ::2 2 tcp SF").starts_with("ts: must be seconds since 1970"));
    assert!(why("1 C1 ::1 1 ::2 2 pigeon SF").starts_with("proto: must be tcp, udp, icmp"));
    assert_eq!(why("1 C1 - 1 ::2 2 tcp SF"), "id.orig_h: is missing");
    // Without a header there is nothing that says what the values are.
    assert_eq!(mapped_lines("1\tC1"), [Err("line: is no JSON, and no line with #fields stands before it".to_owned())]);
}
