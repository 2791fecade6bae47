mod naive;
mod page;
mod property;
mod sample;

use serde_json::json;

use self::sample::{audit_event, traffic_record};
use super::*;
use crate::time::Timestamp;

fn now() -> Timestamp {
    Timestamp::parse("2026-01-31T12:00:00Z").unwrap()
}

fn parsed(text: &str) -> Expression {
    text.parse().unwrap_or_else(|mistake| panic!("{text}: {mistake}"))
}

/// Which of an audit event's questions are answered with yes.
fn audit_answers(event: &serde_json::Value, questions: &[&str]) -> Vec<bool> {
    let event = audit_event(event);
    let filter =
        |text: &&str| Filter::<Audit>::new(&parsed(text), Some(now())).unwrap_or_else(|no| panic!("{text}: {no}"));
    questions.iter().map(|text| filter(text).matches(&event)).collect()
}

fn assert_audit(event: &serde_json::Value, yes: &[&str], no: &[&str]) {
    for (text, is) in yes.iter().zip(audit_answers(event, yes)) {
        assert!(is, "{text}");
    }
    for (text, is) in no.iter().zip(audit_answers(event, no)) {
        assert!(!is, "{text}");
    }
}

fn assert_traffic(record: &serde_json::Value, yes: &[&str], no: &[&str]) {
    let record = traffic_record(record);
    for (text, expected) in yes.iter().map(|text| (text, true)).chain(no.iter().map(|text| (text, false))) {
        let filter = Filter::<Traffic>::new(&parsed(text), Some(now())).unwrap_or_else(|no| panic!("{text}: {no}"));
        assert_eq!(filter.matches(&record), expected, "{text}");
    }
}

/// The column, the word and what is said of it.
fn mistake(text: &str) -> (usize, String, String) {
    let read = text.parse::<Expression>();
    let mistake = read.and_then(|read| Filter::<Audit>::new(&read, Some(now()))).expect_err(text);
    (mistake.column, mistake.word.clone(), mistake.problem.to_string())
}

#[test]
fn a_field_has_a_value_in_any_case_and_an_id_only_as_it_is_written() {
    let event =
        json!({ "event_type": "route.delete", "actor_id": "u-Alice", "actor_name": "Alice Ähre", "status": "failure" });
    assert_audit(
        &event,
        &[
            "activity:route.delete",
            "activity:ROUTE.Delete",
            "activity_code:route.delete",
            r#"activity:"route deleted""#,
            "status:Failure",
            r#"actor:"alice ähre""#,
            "actor:u-Alice",
            "initiator_id:u-Alice",
            "group:route",
            "response:failure",
        ],
        &["activity:route", "actor:u-alice", "initiator_id:u-alice", "status:success", "actor_name:alice"],
    );
}

#[test]
fn a_wildcard_stands_for_any_characters_unless_it_is_escaped_or_quoted() {
    let event = json!({ "event_type": "route.delete", "actor_name": "prod*web", "resource_id": "r1" });
    assert_audit(
        &event,
        &["activity:route.*", "name:*PROD*", r"name:prod\*web", r#"name:"prod*web""#, "name:prod?web", "target:r?"],
        &["activity:rout?", r"name:prod\*", r#"name:"prod*""#, "target:R?"],
    );
}

#[test]
fn an_address_is_exact_and_a_network_holds_its_addresses() {
    let event = json!({ "event_type": "a.b", "ip_address": "10.0.0.4", "node_ip": "2001:DB8:0::5" });
    assert_audit(
        &event,
        &[
            "ip:10.0.0.4",
            "ip:10.0.0.0/8",
            "ip:10.9.9.9/8",
            "ip_address:10.0.0.4/32",
            "ip:2001:db8::5",
            "ip:2001:db8::/32",
            "ip:2001:0db8:0:0::5",
            "ip:::ffff:10.0.0.4",
            "ip:::ffff:10.0.0.0/104",
            "ip:10.0.*",
            "ip:10.0.0.4 ip:(2001:db8::5)",
        ],
        &["ip:110.0.0.4", "ip:0.0.0.4", "ip:11.0.0.0/8", "ip_address:2001:db8::5", "ip:2001:db9::/32", "ip:host"],
    );
}

#[test]
fn ends_of_a_flow_are_asked_for_by_address_port_and_name() {
    let record = json!({
        "source": { "id": "p1", "name": "Laptop", "address": "10.0.0.4:50123" },
        "destination": { "id": "r1", "type": "HOST_RESOURCE", "address": "[2001:DB8::5]:53", "geo_location": { "country_code": "DE" } },
        "protocol": 17, "reporter_id": "p1", "direction": "EGRESS",
    });
    assert_traffic(
        &record,
        &[
            "src:10.0.0.4",
            "src:10.0.0.0/24",
            "dst:2001:db8::5",
            "dst:2001:db8::/32",
            "dport:53",
            "sport:[1024 TO 65535]",
            "port:53",
            "protocol:udp",
            "protocol:17",
            "proto:UDP",
            "src:10.0.0.4:50123",
            r#"dst:"[2001:db8::5]:53""#,
            "source:laptop",
            "source:p1",
            "source:10.0.0.4",
            "destination.type:host_resource",
            "connection:p2p",
            "direction:egress",
            "dst.country:de",
            "ip:10.0.0.4 ip:2001:db8::5",
            "source_id:p1",
            "laptop",
            "10.0.0.4:501",
            "2001:db8:0::5",
            "src:*:50123",
        ],
        &[
            "dst:10.0.0.4",
            "src:10.0.0.4:53",
            "sport:{50123 TO 65535]",
            "sport:[1 TO 50123}",
            "dport:5",
            "protocol:tcp",
            "source:P1",
            "connection:routed",
            "0.0.0.5",
            "egress",
        ],
    );
}

#[test]
fn numbers_have_units_and_are_compared() {
    let record = json!({ "rx_bytes": 600_000, "tx_bytes": 500_000, "num_of_drops": 2 });
    assert_traffic(
        &record,
        &[
            "bytes:>1MB",
            "bytes:>=1.1M",
            "bytes:1100k",
            "bytes:[1M TO *]",
            "bytes:<2Mi",
            "drops:>0",
            "type:drop",
            "num_of_drops:2",
            "rx_bytes:(600000 OR 7)",
            "drops:{1 TO 2]",
        ],
        &["bytes:>1.1M", "bytes:>2Gi", "drops:{2 TO *]", "drops:[* TO 2}", "starts:>0", "type:TYPE_START"],
    );
    assert_audit(
        &json!({ "event_type": "a", "latency_ms": 250.5 }),
        &["latency_ms:>=250", "latency_ms:250.5"],
        &["latency_ms:<250.5"],
    );
}

#[test]
fn a_time_stands_for_all_that_it_names() {
    let event = json!({ "event_type": "a", "time": "2026-01-31T11:30:00Z" });
    assert_audit(
        &event,
        &[
            "time:>now-1h",
            "time:2026-01-31",
            "time:[2026-01-01 TO 2026-02-01}",
            "time:<=2026-01-31",
            "time:2026-01-31T11:30",
            "time:>=2026-01-31T13:30+02:00",
            "timestamp:now/d",
            r#"time:"2026-01-31 11:30""#,
        ],
        &[
            "time:>2026-01-31",
            "time:{2026-01-31 TO *]",
            "time:[2026-01-01 TO 2026-01-31}",
            "time:<now-1h",
            "time:>2026-01-31T11:30:00Z",
        ],
    );
}

#[test]
fn a_path_leads_into_nested_data_and_through_every_element_of_an_array() {
    let payload = json!({ "request": { "bucketName": "Logs", "size": 5 }, "tags": ["a", { "k": "v" }], "none": null, "a.b": true });
    let event = json!({ "event_type": "a", "meta": { "owner": "bob" }, "event_payload": payload });
    assert_audit(
        &event,
        &[
            "meta.owner:bob",
            "payload.request.bucketName:logs",
            "event_payload.request.size:>=5",
            "payload.request.size:5",
            "payload.tags:A",
            "payload.tags.k:v",
            r"payload.a\.b:true",
            "payload.request:*",
            "meta:*bob*",
            "-payload.none:*",
            "bob",
        ],
        &[
            "meta.owner:bo",
            "payload.owner:bob",
            "payload.request.bucketname:logs",
            "payload.a.b:true",
            "payload.request.size:>5",
            "payload.request.bucketName:>1",
        ],
    );
}

#[test]
fn a_field_is_there_or_it_is_not() {
    let event = json!({ "event_type": "a.b", "actor_id": "u" });
    assert_audit(
        &event,
        &["actor:*", "-resource_id:*", "status:*", "NOT resource_id:*", "*", "", "-(a.b resource_id:*)"],
        &["-actor:*", "resource_id:*", "resource_id:\"\"", "-*"],
    );
}

#[test]
fn parts_are_joined_by_and_before_or() {
    let event = json!({ "event_type": "a.b", "actor_id": "u", "resource_id": "r" });
    assert_audit(
        &event,
        &[
            "actor:u target:r",
            "actor:u AND target:r",
            "actor:x OR target:r",
            "actor:x target:x OR target:r",
            "-actor:x",
            "NOT actor:x",
            "actor:(x OR u)",
            "actor:(NOT x)",
            "actor:(-x -y)",
            "-(actor:x OR target:x)",
            "--actor:u",
            "actor:(u OR (x y))",
        ],
        &[
            "actor:u target:x",
            "actor:u (target:x OR target:y)",
            "-actor:u",
            "actor:(x y)",
            "actor:(u x)",
            "NOT NOT actor:x",
        ],
    );
}

#[test]
fn a_word_is_looked_for_as_lists_are_searched() {
    let event = json!({
        "event_type": "route.delete", "actor_id": "U7", "actor_email": "Alice@example.com", "resource_id": "net-9",
        "meta": { "Owner": "Bob B" }, "ip_address": "10.0.0.4", "user_agent": "curl",
    });
    assert_audit(
        &event,
        &[
            "alice@EXAMPLE.com",
            "route",
            "deleted",
            "u7",
            "NET-9",
            "owner",
            r#""bob b""#,
            "ali*com",
            "alice route",
            r#""Route deleted""#,
            "10.0.0.4",
        ],
        &["curl", "alice\\*", "bob?b?x", r#""b bob""#],
    );
}

#[test]
fn a_mistake_says_where_it_is_and_what_was_meant() {
    let cases = [
        ("status:failure actr:bob", (16, "actr", r#""actr" is no field: is actor meant?"#)),
        ("ä statsu:x", (3, "statsu", r#""statsu" is no field: is status meant?"#)),
        ("xyzzy.y:1", (1, "xyzzy.y", r#""xyzzy.y" is no field"#)),
        (
            "http_status:abc",
            (13, "abc", r#""abc" is no value of http_status, which takes a number such as 250, 1.5k or 2Gi"#),
        ),
        (
            "ip:10.0.0.256",
            (
                4,
                "10.0.0.256",
                r#""10.0.0.256" is no value of ip, which takes an address, a network such as 10.0.0.0/8, or a host's name"#,
            ),
        ),
        (
            "ip:10.0.0.0/33",
            (
                4,
                "10.0.0.0/33",
                r#""10.0.0.0/33" is no value of ip, which takes an address, a network such as 10.0.0.0/8, or a host's name"#,
            ),
        ),
        ("actor:>5", (7, ">5", r#"">5" is no value of actor, which takes a text, which may have wildcards"#)),
        ("actor:", (7, "", "a value is expected")),
        ("a AND", (6, "", "a word, a field or a parenthesis is expected")),
        ("OR a", (1, "OR", r#""OR" is not expected here: a word, a field or a parenthesis is expected"#)),
        ("(a", (3, "", "AND, OR or a closing parenthesis is expected")),
        ("a )", (3, ")", r#"")" is not expected here: AND, OR or the end is expected"#)),
        ("\"a", (2, "a", r#""a" is not expected here: a closing quote is expected"#)),
        ("a\"b\"", (2, "\"b", r#""\"b" is not expected here: a blank, or quotes around the whole word, is expected"#)),
        ("http_status:[1 5]", (16, "5", r#""5" is not expected here: TO is expected"#)),
        ("http_status:[1 TO 5", (20, "", "] or } is expected")),
        ("()", (2, ")", r#"")" is not expected here: a word, a field or a parenthesis is expected"#)),
    ];
    for (text, (column, word, problem)) in cases {
        assert_eq!(mistake(text), (column, word.to_owned(), problem.to_owned()), "{text}");
    }
}

#[test]
fn an_expression_writes_itself_so_that_it_reads_as_the_same() {
    let cases = [
        ("a AND b  OR NOT c", "(a b) OR -c"),
        ("actor:(a OR -b)", "actor:a OR -actor:b"),
        (r#"name:"AND" "x\" y""#, r#"name:\AND x\"\ y"#),
        ("time:{* TO 2026-01-01]", r"time:{* TO 2026\-01\-01]"),
        (r"\0:0 10.0.0.4:53", r"\0:0 10\.0\.0\.4\:53"),
    ];
    for (text, written) in cases {
        assert_eq!(parsed(text).to_string(), written);
        assert_eq!(parsed(written).to_string(), written);
    }
}

#[test]
fn bounds_are_checked_while_a_text_is_read() {
    let problem = |text: &str| text.parse::<Expression>().err().map(|mistake| mistake.problem);
    let nested = |depth: usize| format!("{}a{}", "(".repeat(depth), ")".repeat(depth));
    assert_eq!(problem(&nested(MAX_DEPTH)), None);
    assert_eq!(problem(&nested(MAX_DEPTH + 1)), Some(Problem::TooDeep));
    assert_eq!(problem(&format!("{}a", "-".repeat(MAX_DEPTH + 1))), Some(Problem::TooDeep));
    assert_eq!(problem(&"(".repeat(MAX_BYTES)), Some(Problem::TooDeep));
    assert_eq!(problem(&"a ".repeat(MAX_TERMS)), None);
    assert_eq!(problem(&"a ".repeat(MAX_TERMS + 1)), Some(Problem::TooManyTerms));
    assert_eq!(problem(&"a".repeat(MAX_BYTES)), None);
    assert_eq!(problem(&"a".repeat(MAX_BYTES + 1)), Some(Problem::TooLong));
}

#[test]
fn every_name_of_a_dialect_means_the_field_of_that_name() {
    fn kind<F: Family>(name: &str) -> Option<&'static str> {
        F::field(name).map(|field| F::describe(field).name)
    }
    let audit = [
        ("activity_code", "event_type"),
        ("initiator_id", "actor_id"),
        ("initiator_name", "actor_name"),
        ("initiator_email", "actor_email"),
        ("target_id", "resource_id"),
        ("timestamp", "time"),
        ("created_at", "time"),
        ("entity_type", "resource_type"),
        ("entity_id", "resource_id"),
        ("username", "user_name"),
        ("event_payload", "payload"),
        ("event_group", "event_group"),
        ("session_id", "session"),
        ("vm_id", "vm"),
    ];
    for (name, field) in audit {
        assert_eq!(kind::<Audit>(name), Some(field), "{name}");
    }
    let traffic = [
        ("receive_timestamp", "received"),
        ("flow_id", "flow"),
        ("reporter_id", "reporter"),
        ("source_id", "source.id"),
        ("destination_id", "destination.id"),
        ("user_id", "user.id"),
        ("connection_type", "connection"),
        ("source.address", "src"),
        ("source.geo_location.city_name", "source.city"),
        ("num_of_drops", "drops"),
        ("policy.name", "policy.name"),
    ];
    for (name, field) in traffic {
        assert_eq!(kind::<Traffic>(name), Some(field), "{name}");
    }
}

#[test]
fn no_two_fields_share_a_name() {
    fn names<F: Family>() -> Vec<&'static str> {
        let described = F::fields().into_iter().map(F::describe);
        described.flat_map(|field| [field.name].into_iter().chain(field.other_names.iter().copied())).collect()
    }
    for mut names in [names::<Audit>(), names::<Traffic>()] {
        names.sort_unstable();
        assert_eq!(names.windows(2).find(|pair| pair[0] == pair[1]), None);
    }
}

#[test]
fn every_field_of_the_tables_has_a_name_in_the_language() {
    for field in crate::audit::fields::FIELDS {
        for name in [field.name].iter().chain(field.other_names) {
            assert!(Audit::field(name).is_some(), "{name}");
        }
    }
    for path in sample::paths_of_reports() {
        // A record's own form of it is asked for part by part.
        let is_icmp = path == "icmp";
        assert!(is_icmp || Traffic::field(&path).is_some(), "{path}");
    }
}

#[test]
fn a_stream_of_both_families_takes_what_either_can_be_asked() {
    let event = audit_event(&json!({ "event_type": "route.add", "actor_id": "u" }));
    let judge = |text: &str| StreamFilter::new(text, true, true).map(|filter| filter.matches_audit(&event));
    assert_eq!(judge("type:route.add"), Ok(true));
    assert_eq!(judge("dst:10.0.0.4"), Ok(false));
    assert_eq!(judge("dst:10.0.0.4 OR actor:u"), Ok(true));
    assert_eq!(judge("-dst:10.0.0.4"), Ok(true));
    let mistake = |text: &str, traffic| StreamFilter::new(text, true, traffic).unwrap_err().to_string();
    assert_eq!(mistake("dst:10.0.0.4", false), r#"column 1: "dst" is no field"#);
    assert_eq!(mistake("xyzzy:1", true), r#"column 1: "xyzzy" is no field"#);
    assert!(mistake("dport:x", true).contains("dport, which takes a number"));
    assert!(mistake("time:>now-1h", true).contains("no time relative to now here"));
}

#[test]
fn a_query_goes_as_its_text_and_is_read_again() {
    let query = Query::<Audit>::new("time:>now-1h actor:alice".to_owned(), now()).unwrap();
    let json = serde_json::to_value(&query).unwrap();
    assert_eq!(json, json!({ "text": "time:>now-1h actor:alice", "now": "2026-01-31T12:00:00Z" }));
    assert_eq!(serde_json::from_value::<Query<Audit>>(json).unwrap(), query);
    let mistake = serde_json::from_value::<Query<Traffic>>(json!({ "text": "actr:alice", "now": now() })).unwrap_err();
    assert_eq!(mistake.to_string(), "column 1: \"actr\" is no field: is actor meant?");
}
