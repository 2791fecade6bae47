//! Real logs go in by `flowtrail import` and come back over REST.

use serde_json::Value;

use crate::flowtrail::{Flowtrail, Topology, sample};

const NASHUA: &str = "zeek-conn-nashua.ndjson";
const SCRANTON: &str = "zeek-conn-scranton.ndjson";

/// The lines of both Zeek logs, read without any of our code.
fn zeek_lines() -> Vec<Value> {
    let texts = [NASHUA, SCRANTON].map(|name| std::fs::read_to_string(sample(name)).unwrap());
    texts.iter().flat_map(|text| text.lines()).map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn count(wanted: impl Fn(&Value) -> bool) -> u64 {
    zeek_lines().iter().filter(|line| wanted(line)).count() as u64
}

fn address(line: &Value, side: &str) -> String {
    format!("{}:{}", line[format!("id_{side}_h")].as_str().unwrap(), line[format!("id_{side}_p")])
}

async fn zeek_logs_are_found(topology: Topology) {
    let flowtrail = Flowtrail::start(topology).await;
    let import = || flowtrail.succeed(["import".into(), "zeek-conn".into(), sample(NASHUA), sample(SCRANTON)]);
    import();
    flowtrail.has_traffic(613).await;
    assert_eq!(zeek_lines().len(), 613);

    for (name, number) in [("tcp", 6), ("udp", 17), ("icmp", 1)] {
        let expected = count(|line| line["proto"] == name);
        assert_eq!(flowtrail.traffic_total(&format!("&protocol={number}")).await, expected, "{name}");
    }
    for text in ["10.0.0.4:53", "10.0.1.4", "192.168."] {
        let is_icmp = |line: &Value| line["proto"] == "icmp";
        let found =
            count(|line| !is_icmp(line) && ["orig", "resp"].iter().any(|side| address(line, side).contains(text)));
        assert_eq!(
            count(|line| is_icmp(line) && line.to_string().contains(text)),
            0,
            "the samples' pings are elsewhere"
        );
        assert_eq!(flowtrail.traffic_total(&format!("&search={text}")).await, found, "{text}");
    }
    // The hour that starts with the first connection; both ends are inside.
    let first = zeek_lines().iter().map(|line| line["ts"].as_f64().unwrap()).fold(f64::MAX, f64::min).floor();
    #[expect(clippy::cast_possible_truncation, reason = "whole seconds of this century")]
    let time = |second: f64| model::time::Timestamp::from_micros(second as i64 * 1_000_000).unwrap();
    let query = format!("&start_date={}&end_date={}", time(first), time(first + 3600.0));
    let within = count(|line| (first..=first + 3600.0).contains(&line["ts"].as_f64().unwrap()));
    assert!(within > 0);
    assert_eq!(flowtrail.traffic_total(&query).await, within);

    let before = flowtrail.succeed(["dump", "traffic"]);
    import();
    flowtrail.succeed(["import".into(), "zeek-conn".into(), sample(SCRANTON), sample(NASHUA)]);
    assert_eq!(flowtrail.traffic_total("").await, 613);
    assert_eq!(flowtrail.succeed(["dump", "traffic"]), before);
}

#[tokio::test]
async fn zeek_logs_are_found_by_address_protocol_and_hour_and_importing_twice_changes_nothing() {
    zeek_logs_are_found(Topology::Together).await;
}

#[tokio::test]
async fn zeek_logs_are_found_with_split_roles_too() {
    zeek_logs_are_found(Topology::Split).await;
}

#[tokio::test]
async fn cloudtrail_records_are_audit_events_with_actor_address_status_and_payload() {
    for topology in Topology::BOTH {
        let flowtrail = Flowtrail::start(topology).await;
        let file = sample("aws-cloudtrail-s3-exfiltration.ndjson");
        flowtrail.succeed(["import".into(), "aws-cloudtrail".into(), file.clone()]);
        let events = testkit::eventually("all records are in the view", async || {
            let events = flowtrail.get("/api/events/audit").await;
            let of_aws = |event: &&Value| event["meta"]["event_source"].is_string();
            let events: Vec<Value> = events.as_array().unwrap().iter().filter(of_aws).cloned().collect();
            (events.len() == 103).then_some(events)
        })
        .await;
        assert!(events.iter().all(|event| !event["initiator_id"].as_str().unwrap().is_empty()));
        // Address, status and payload are of the other dialects; the dump shows the canonical event.
        let dump = flowtrail.succeed(["dump", "audit"]);
        let rows = dump.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        let of_aws: Vec<Value> = rows.filter(|line| line["row"]["given"]["event_payload"].is_object()).collect();
        assert_eq!(of_aws.len(), 103);
        for row in of_aws {
            let given = &row["row"]["given"];
            assert!(
                given["ip_address"].is_string() && given["status"].is_string() && given["actor_id"].is_string(),
                "{row}"
            );
        }
    }
}

#[tokio::test]
async fn a_history_moves_over_by_the_answers_of_the_list_endpoints() {
    for topology in Topology::BOTH {
        let old = Flowtrail::start(topology).await;
        let new = Flowtrail::start(topology).await;
        old.succeed(["import".into(), "zeek-conn".into(), sample(NASHUA)]);
        old.has_traffic(479).await;
        let list = old.get("/api/events/network-traffic").await;
        let file = old.directory.path().join("list.json");
        std::fs::write(&file, list.to_string()).unwrap();
        for flowtrail in [&new, &old] {
            flowtrail.succeed(["import".into(), "traffic".into(), file.clone()]);
        }
        new.has_traffic(479).await;
        let without_receipt = |mut list: Value| {
            for record in list["data"].as_array_mut().unwrap() {
                record.as_object_mut().unwrap().remove("receive_timestamp");
            }
            list
        };
        let moved = new.get("/api/events/network-traffic").await;
        assert_eq!(without_receipt(moved), without_receipt(list.clone()));
        // Where it came from, nothing changes.
        assert_eq!(old.get("/api/events/network-traffic").await, list);
    }
}

#[tokio::test]
async fn a_bad_line_is_named_and_the_rest_is_imported() {
    for topology in Topology::BOTH {
        let flowtrail = Flowtrail::start(topology).await;
        let good = |id: u32| format!(r#"{{"id":"e{id}","time":"2024-01-01T00:00:00Z","event_type":"door.open"}}"#);
        let file = flowtrail.directory.path().join("events.ndjson");
        std::fs::write(&file, format!("{}\nnonsense\n{}\n{{\"id\":\"x\"}}\n", good(1), good(2))).unwrap();
        let output = flowtrail.run(["import".into(), "audit".into(), file]);
        assert_eq!(output.status.code(), Some(1));
        let errors = String::from_utf8(output.stderr).unwrap();
        assert!(errors.contains("events.ndjson:2: ") && errors.contains("events.ndjson:4: "), "{errors}");
        testkit::eventually("both good events are in the view", async || {
            let events = flowtrail.get("/api/events/audit?activity_code=door.open").await;
            (events.as_array().unwrap().len() == 2).then_some(())
        })
        .await;
    }
}
