//! docs/query.md says what the code does.

use serde_json::{Value, json};

use super::super::*;
use super::sample::{audit_event, traffic_record};
use super::{now, parsed};

const PAGE: &str = include_str!("../../../../../docs/query.md");

fn section(heading: &str) -> &'static str {
    let (_, section) = PAGE.split_once(&format!("\n{heading}\n")).unwrap();
    section.split("\n## ").next().unwrap().split("\n### ").next().unwrap()
}

/// The table of a family's fields, as it stands on the page.
fn table<F: Family>() -> String {
    let mut table = "| field | other names | takes | what it is |\n|---|---|---|---|\n".to_owned();
    for field in F::fields() {
        let (described, about) = (F::describe(field), F::about(field));
        assert!(!about.is_empty(), "{} is not described", described.name);
        let others: Vec<String> = described.other_names.iter().map(|name| format!("`{name}`")).collect();
        let kind = match described.kind {
            Kind::Text => "text".to_owned(),
            Kind::Number => "number".to_owned(),
            Kind::Time => "time".to_owned(),
            Kind::Address => "address, network or name".to_owned(),
            Kind::Protocol => "protocol".to_owned(),
            Kind::Choice(choices) => choices.iter().map(|choice| format!("`{choice}`")).collect::<Vec<_>>().join(" "),
            Kind::Json => "JSON, by path".to_owned(),
        };
        table += &format!("| `{}` | {} | {kind} | {about} |\n", described.name, others.join(" "));
    }
    table
}

#[test]
fn the_page_has_the_tables_of_all_fields() {
    let audit = table::<Audit>();
    assert!(section("### Fields of audit events").contains(&audit), "the table is:\n{audit}");
    let traffic = table::<Traffic>();
    assert!(section("### Fields of network traffic").contains(&traffic), "the table is:\n{traffic}");
}

#[test]
fn every_form_on_the_page_is_read() {
    let cells = section("### Forms").lines().filter_map(|line| line.strip_prefix("| `")?.split("` | ").next());
    let mut count = 0;
    for form in cells.flat_map(|cell| cell.split("` `")) {
        let is_asked = |form: &str| {
            let expression = parsed(form);
            // Forms that stand for any part have no fields of their own.
            Filter::<Audit>::new(&expression, Some(now())).is_ok()
                || Filter::<Traffic>::new(&expression, Some(now())).is_ok()
        };
        assert!(form == "( )" || is_asked(form), "{form}");
        count += 1;
    }
    assert!(count > 30);
}

/// Each example with an event that it finds and one that it does not.
fn examples() -> Vec<(&'static str, Value, Value)> {
    let audit = |more: Value| {
        with(json!({ "event_type": "route.delete", "actor_id": "u1", "time": "2026-01-31T11:30:00Z" }), &more)
    };
    let traffic = |more: Value| {
        let base = json!({
            "source": { "id": "p1", "name": "Laptop", "address": "10.0.0.9:50000" },
            "destination": { "id": "d1", "address": "10.0.0.4:53" }, "protocol": 17, "time": "2026-01-31T11:30:00Z",
        });
        with(base, &more)
    };
    let nobody = json!({ "event_type": "a.b", "time": "2026-01-31T11:30:00Z" });
    let alice = "Alice@example.com";
    vec![
        ("activity:route.delete", audit(json!({})), nobody.clone()),
        (r#"activity:"route deleted""#, audit(json!({})), nobody.clone()),
        ("activity:route.* -status:success", audit(json!({ "status": "denied" })), audit(json!({}))),
        ("activity_code:(route.add OR route.delete)", audit(json!({})), nobody.clone()),
        ("actor:alice@example.com", audit(json!({ "actor_email": alice })), audit(json!({}))),
        (
            "actor:alice@example.com target:r1",
            audit(json!({ "actor_email": alice, "resource_id": "r1" })),
            audit(json!({ "actor_email": alice })),
        ),
        ("-actor:*", nobody.clone(), audit(json!({}))),
        ("actor_type:system OR actor:*bot*", audit(json!({ "actor_name": "Robot" })), audit(json!({}))),
        (
            "ip:203.0.113.0/24",
            audit(json!({ "ip_address": "203.0.113.7" })),
            audit(json!({ "ip_address": "203.0.114.7" })),
        ),
        (
            "ip:* -ip:(10.0.0.0/8 OR 192.168.0.0/16 OR 172.16.0.0/12)",
            audit(json!({ "ip_address": "203.0.113.7" })),
            audit(json!({ "ip_address": "172.31.0.1" })),
        ),
        (
            "ip:2001:DB8:0::5",
            audit(json!({ "ip_address": "2001:db8::5" })),
            audit(json!({ "ip_address": "2001:db8::50" })),
        ),
        (
            "http_status:[400 TO 500} latency_ms:>=250",
            audit(json!({ "http_status": 499, "latency_ms": 250 })),
            audit(json!({ "http_status": 500, "latency_ms": 250 })),
        ),
        ("time:[2026-01-01 TO 2026-02-01}", audit(json!({})), audit(json!({ "time": "2026-02-01T00:00:00Z" }))),
        (
            "time:>now-1h status:denied",
            audit(json!({ "status": "denied" })),
            audit(json!({ "status": "denied", "time": "2026-01-31T11:00:00Z" })),
        ),
        ("meta.owner:bob", audit(json!({ "meta": { "owner": "Bob" } })), audit(json!({ "meta": { "other": "bob" } }))),
        (
            "payload.request.bucketName:logs*",
            audit(json!({ "event_payload": { "request": { "bucketName": "logs-1" } } })),
            audit(json!({ "event_payload": { "bucketName": "logs" } })),
        ),
        (
            "payload.items.size:>1Mi",
            audit(json!({ "event_payload": { "items": [{ "size": 1 }, { "size": 1_048_577 }] } })),
            audit(json!({ "event_payload": { "items": [{ "size": 1_048_576 }] } })),
        ),
        (
            "agent:*curl* method:DELETE",
            audit(json!({ "user_agent": "curl/8", "http_method": "DELETE" })),
            audit(json!({ "user_agent": "curl/8", "http_method": "GET" })),
        ),
        (
            "group:user NOT activity:user.login",
            audit(json!({ "event_type": "user.create" })),
            audit(json!({ "event_type": "user.login" })),
        ),
        (
            r#""10.64.0.0/24""#,
            audit(json!({ "meta": { "range": "10.64.0.0/24" } })),
            audit(json!({ "meta": { "range": "10.64.0.0/25" } })),
        ),
        ("dst:10.0.0.4 dport:53", traffic(json!({})), traffic(json!({ "destination": { "address": "110.0.0.4:53" } }))),
        (
            "ip:10.0.0.0/8 -dst:10.0.0.0/8",
            traffic(json!({ "destination": { "address": "1.1.1.1:53" } })),
            traffic(json!({})),
        ),
        ("protocol:udp sport:[1024 TO 65535]", traffic(json!({})), traffic(json!({ "protocol": 6 }))),
        (
            "bytes:>1MB",
            traffic(json!({ "rx_bytes": 600_000, "tx_bytes": 400_001 })),
            traffic(json!({ "rx_bytes": 1_000_000 })),
        ),
        (
            "drops:>0 reporter:gw-1",
            traffic(json!({ "num_of_drops": 1, "reporter_id": "gw-1" })),
            traffic(json!({ "num_of_drops": 1 })),
        ),
        (
            "type:drop time:2026-01-31",
            traffic(json!({ "type": "TYPE_DROP" })),
            traffic(json!({ "type": "TYPE_DROP", "time": "2026-02-01T00:00:00Z" })),
        ),
        (
            "source:laptop direction:egress connection:p2p",
            traffic(json!({ "reporter_id": "p1", "direction": "EGRESS" })),
            traffic(json!({ "direction": "EGRESS" })),
        ),
        (
            "dst.country:(de OR at OR ch)",
            traffic(json!({ "destination": { "geo_location": { "country_code": "AT" } } })),
            traffic(json!({})),
        ),
        (
            "user:alice@example.com policy:*default*",
            traffic(json!({ "user": { "email": alice }, "policy": { "name": "Default" } })),
            traffic(json!({ "user": { "email": alice } })),
        ),
        (
            "destination.type:host_resource name:*prod* OR 10.0.0.4:53",
            traffic(json!({})),
            traffic(json!({ "destination": { "address": "10.0.0.4:5" } })),
        ),
    ]
}

fn with(mut event: Value, more: &Value) -> Value {
    event.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    event
}

#[test]
fn every_example_on_the_page_finds_what_it_says() {
    let rows = section("### Examples").lines().filter_map(|line| line.strip_prefix("| ")?.split_once(" | `"));
    let rows: Vec<(&str, &str)> = rows.map(|(family, rest)| (family, rest.split("` | ").next().unwrap())).collect();
    let examples = examples();
    assert_eq!(rows.iter().map(|row| row.1).collect::<Vec<_>>(), examples.iter().map(|row| row.0).collect::<Vec<_>>());
    assert_eq!(rows.len(), 30);
    for ((family, _), (text, found, other)) in rows.iter().zip(examples) {
        let expression = parsed(text);
        let finds = |event: &Value| match *family {
            "audit" => Filter::<Audit>::new(&expression, Some(now())).unwrap().matches(&audit_event(event)),
            _ => Filter::<Traffic>::new(&expression, Some(now())).unwrap().matches(&traffic_record(event)),
        };
        assert_eq!((finds(&found), finds(&other)), (true, false), "{text}");
    }
}
