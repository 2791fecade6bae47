//! What Flowtrail's integrations wrote and its lists answered is imported again: it is what it was, and changes nothing
//! where it came from.

mod fetched;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{Method, Uri};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use testkit::{HttpServer, eventually};

use crate::flowtrail::{Flowtrail, Topology};

type Objects = Arc<Mutex<Vec<(String, Bytes)>>>;

/// A bucket that takes every object.
struct Bucket {
    server: HttpServer,
    objects: Objects,
}

impl Bucket {
    async fn start() -> Self {
        // The answer is Firehose's; the others look at the status alone.
        async fn put(State(objects): State<Objects>, method: Method, uri: Uri, body: Bytes) -> &'static str {
            if method != Method::HEAD {
                objects.lock().unwrap().push((uri.path().to_owned(), body));
            }
            r#"{"FailedPutCount":0}"#
        }
        let objects = Objects::default();
        let server = HttpServer::start(Router::new().fallback(put).with_state(objects.clone())).await;
        Self { server, objects }
    }

    /// Makes an integration of a Flowtrail that writes here.
    async fn integrate(&self, flowtrail: &Flowtrail) {
        let config = json!({
            "bucket_name": "lake", "region": "eu-central-1", "access_key": "AKIAX", "secret_key": "s",
            "endpoint": self.server.url(""), "batch_seconds": "1", "events": "both",
        });
        let body = json!({ "platform": "s3", "enabled": true, "config": config });
        let answer = flowtrail.request("POST", "/api/event-streaming").json(&body).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{}", answer.text().await.unwrap());
    }

    /// All that came, as files of a folder. Of Firehose it is what the stream writes on: its records, one after the other.
    fn files(&self, flowtrail: &Flowtrail, format: &str) -> Vec<PathBuf> {
        let objects = self.objects.lock().unwrap();
        let write = |(index, (_, body)): (usize, &(String, Bytes))| {
            let file = flowtrail.directory.path().join(format!("{format}-{index}"));
            let content = if format == "firehose" { records(body) } else { body.to_vec() };
            std::fs::write(&file, content).unwrap();
            file
        };
        objects.iter().enumerate().map(write).collect()
    }

    /// The objects as files of a folder, once everything is in them.
    async fn files_of_both(&self, flowtrail: &Flowtrail) -> Vec<PathBuf> {
        let has = |kind: &str| {
            let partition = format!("event_kind%3D{kind}/");
            self.objects.lock().unwrap().iter().any(|(path, _)| path.contains(&partition))
        };
        eventually("everything is archived", async || {
            let status = flowtrail.get("/api/event-streaming/1/status").await;
            (status["lag_events"] == 0 && has("audit") && has("flow")).then_some(())
        })
        .await;
        self.files(flowtrail, "object")
    }
}

/// The records of a request to Firehose, which a stream puts one behind the other.
fn records(put: &[u8]) -> Vec<u8> {
    let put: Value = serde_json::from_slice(put).unwrap();
    let records = put["Records"].as_array().unwrap().iter();
    records.flat_map(|record| STANDARD.decode(record["Data"].as_str().unwrap()).unwrap()).collect()
}

async fn publish(flowtrail: &Flowtrail, path: &str, events: &Value) {
    let answer = flowtrail.request("POST", path).json(events).send().await.unwrap();
    assert_eq!(answer.status(), 202, "{}", answer.text().await.unwrap());
}

async fn publish_both(flowtrail: &Flowtrail) {
    let audit = json!([
        {
            "id": "own-1", "time": "2024-01-31T12:00:00Z", "event_type": "door.open", "activity": "Door opened",
            "actor_id": "alice", "actor_email": "alice@example.com", "resource_type": "door", "resource_id": "lab",
            "status": "denied", "error_message": "no badge", "ip_address": "203.0.113.7", "operation": "ENTER",
            "request_id": "q-1", "correlation_id": "c-1", "meta": {"floor": "2"}, "http_status": 403, "latency_ms": 12.5,
            "event_payload": {"n": [1, {"deep": 2}]},
        },
        { "id": "own-2", "time": "2024-01-31T12:00:01.000001Z", "activity_code": "route.add", "initiator_id": "sys" },
    ]);
    publish(flowtrail, "/api/events/audit", &audit).await;
    let traffic = json!([
        {
            "id": "flow-1", "time": "2024-01-31T12:00:00Z", "type": "TYPE_START", "flow_id": "f-1", "reporter_id": "gw",
            "source": {"id": "p-1", "type": "PEER", "name": "laptop", "address": "10.0.0.1:4000", "os": "linux",
                "geo_location": {"city_name": "Berlin", "country_code": "DE"}},
            "destination": {"type": "HOST_RESOURCE", "address": "[2001:db8::5]:443", "dns_label": "db.example"},
            "user": {"id": "u-1", "email": "u@example.com"}, "policy": {"id": "pol", "name": "all"},
            "protocol": 6, "direction": "EGRESS", "tx_bytes": 18_446_744_073_709_551_615_u64, "tx_packets": 3,
        },
        {
            "id": "flow-2", "reporter_id": "gw", "protocol": 1, "icmp": {"type": 8, "code": 0}, "num_of_starts": 7,
            "window_start": "2024-01-31T12:00:00Z", "window_end": "2024-01-31T12:01:00Z",
            "events": [{"type": "TYPE_DROP", "timestamp": "2024-01-31T12:00:30Z"}],
        },
    ]);
    publish(flowtrail, "/api/events/network-traffic", &traffic).await;
}

/// The rows of the events that were published, as the view holds them.
fn audit_rows(flowtrail: &Flowtrail) -> Vec<String> {
    let dump = flowtrail.succeed(["dump", "audit"]);
    dump.lines().filter(|line| line.contains("\"own-")).map(str::to_owned).collect()
}

async fn traffic_records(flowtrail: &Flowtrail) -> Value {
    flowtrail.has_traffic(2).await;
    let mut list = flowtrail.get("/api/events/network-traffic").await;
    for record in list["data"].as_array_mut().unwrap() {
        record.as_object_mut().unwrap().remove("receive_timestamp");
    }
    list
}

fn import(flowtrail: &Flowtrail, format: &str, files: &[PathBuf]) -> String {
    flowtrail.succeed(["import".into(), format.into()].into_iter().chain(files.iter().cloned()))
}

#[tokio::test]
async fn an_archive_is_a_backup_equal_to_what_was_archived() {
    let old = Flowtrail::start(Topology::Together).await;
    let bucket = Bucket::start().await;
    bucket.integrate(&old).await;
    publish_both(&old).await;
    let files = bucket.files_of_both(&old).await;
    let (rows, records) = (audit_rows(&old), traffic_records(&old).await);
    assert_eq!(rows.len(), 2);

    let new = Flowtrail::start(Topology::Split).await;
    let said = import(&new, "audit", &files);
    assert!(said.contains("for `flowtrail import traffic` 2"), "{said}");
    import(&new, "traffic", &files);
    eventually("both events are in the view", async || (audit_rows(&new).len() == 2).then_some(())).await;
    assert_eq!(audit_rows(&new), rows);
    assert_eq!(traffic_records(&new).await, records);

    // Where it came from, everything is known.
    let said = import(&old, "audit", &files);
    assert!(said.contains("0 events published"), "{said}");
    import(&old, "traffic", &files);
    assert_eq!((audit_rows(&old), traffic_records(&old).await), (rows, records));
}

/// Events of every field and kind of value: all of them say when they happened.
async fn publish_varied(flowtrail: &Flowtrail) {
    let audit = r#"[
        {"id": "v-1", "time": "2024-01-31T12:00:00Z", "event_type": "route.add"},
        {"id": "v-2", "time": "2024-01-31T12:00:00.5Z", "event_type": "route.add", "activity": "Route created"},
        {"id": "v-3", "time": "1969-12-31T23:59:59.999999Z", "event_type": "own.code", "activity": "own.code",
         "meta": {"integer": 1, "digits": 12345678901234567890.10, "null": null, "list": [1, {"a": null}], "text": "1"}},
        {"id": "v-4", "time": "2024-01-31T12:00:01+01:00", "event_type": "a.b", "unknown": {"member": [1.0, 1e3]},
         "status": "denied", "error_message": "no \"badge\"\n", "event_payload": [null, 18446744073709551615, {}]},
        {"id": "v-5", "time": "9999-12-31T23:59:59.999999Z", "event_type": "a.b", "activity": "Tür 🚪 \u0000\u2028 <&>",
         "actor_id": "ålice", "meta": {"": "", "ключ": "значение", "data.x": "1"}, "value": "", "event_payload": "text"},
        {"id": "v-6", "time": "2024-01-31T12:00:02Z", "event_type": "a.b", "meta": {}, "event_payload": null},
        {"id": "v-7", "time": "2024-01-31T12:00:03Z", "event_type": "all.fields", "activity": "All", "event_group": "g",
         "status": "error", "source": "src", "actor_type": "robot", "actor_id": "a", "actor_name": "A",
         "actor_email": "a@example.com", "user_id": -9223372036854775808, "resource_type": "t", "resource_id": "r",
         "session_id": "s", "vm_id": "v", "task_id": 9223372036854775807, "request_id": "q", "correlation_id": "c",
         "http_method": "GET", "path": "/x?y", "http_status": 500, "latency_ms": 0.10000000000000000001,
         "ip_address": "2001:DB8:0::1", "user_agent": "ua", "node_ip": "::ffff:192.0.2.1", "worker_id": "w",
         "event_payload": {"deep": [[[[1]]]]}, "user_name": "un", "operation": "OP", "response": "RESP", "value": "val"}
    ]"#;
    let traffic = r#"[
        {"id": "t-1", "time": "2024-01-31T12:00:00Z", "reporter_id": "gw", "type": "TYPE_DROP"},
        {"id": "t-2", "time": "2024-01-31T12:00:00.25Z", "type": "TYPE_START", "flow_id": "f", "reporter_id": "gw",
         "source": {"id": "p", "type": "PEER", "name": "n", "address": "[2001:DB8::0:5]:443", "os": "linux", "dns_label": "d",
                    "geo_location": {"city_name": "Köln", "country_code": "DE"}},
         "destination": {"type": "HOST_RESOURCE", "address": "10.0.0.1"}, "user": {"id": "u", "email": "e", "name": "n"},
         "policy": {"id": "pi", "name": "pn"}, "protocol": 6, "direction": "INGRESS", "rx_bytes": 18446744073709551615},
        {"id": "t-3", "time": "2024-01-31T12:00:09Z", "type": "TYPE_END", "flow_id": "f", "reporter_id": "gw", "tx_bytes": 9},
        {"id": "t-4", "time": "2024-01-31T13:00:00Z", "flow_id": "w", "reporter_id": "r", "protocol": 0, "icmp": {"type": 8, "code": 0},
         "num_of_starts": 3, "num_of_ends": 2, "num_of_drops": 1, "window_start": "2024-01-31T12:00:00Z",
         "window_end": "2024-01-31T13:00:00Z",
         "events": [{"type": "TYPE_START", "timestamp": "2024-01-31T12:10:00.1Z"}, {"type": "TYPE_UNKNOWN", "timestamp": "2024-01-31T12:20:00Z"}]}
    ]"#;
    for (path, events) in [("/api/events/audit", audit), ("/api/events/network-traffic", traffic)] {
        let answer = flowtrail.request("POST", path).body(events).send().await.unwrap();
        assert_eq!(answer.status(), 202, "{}", answer.text().await.unwrap());
    }
}

/// A view's dump as it is written, but for when this log received what it holds: no archive says that of another log.
fn dump(flowtrail: &Flowtrail, view: &str) -> BTreeSet<String> {
    const RECEIPT: &str = r#""received_at":""#;
    // Cut out of the text: in one that is read and written again, numbers would lose digits.
    let without_receipt = |line: &str| {
        let Some((before, after)) = line.split_once(RECEIPT) else { return line.to_owned() };
        let (_, after) = after.split_once('"').unwrap();
        format!("{before}{after}")
    };
    flowtrail.succeed(["dump", view]).lines().map(without_receipt).collect()
}

/// Makes an integration that delivers everything from the first event of the log on, and waits until it has.
async fn archive(flowtrail: &Flowtrail, body: &Value) {
    let answer = flowtrail.request("POST", "/api/event-streaming").json(body).send().await.unwrap();
    let made: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
    let integration = format!("/api/event-streaming/{}", made["id"]);
    let from = json!({ "from": "1970-01-01T00:00:00Z" });
    let answer = flowtrail.request("POST", &format!("{integration}/replay")).json(&from).send().await.unwrap();
    assert_eq!(answer.status(), 200, "{made}");
    let is_done = async || {
        let status = flowtrail.get(&format!("{integration}/status")).await;
        assert_eq!(status["dead_lettered"], 0, "{status}");
        let has_all = status["lag_events"] == 0 && status["delivered"].as_u64() >= Some(14);
        has_all.then_some(())
    };
    eventually("everything is archived", is_done).await;
    let answer = flowtrail.request("POST", &format!("{integration}/pause")).send().await.unwrap();
    assert_eq!(answer.status(), 200);
}

#[tokio::test]
async fn every_archive_gives_the_dump_of_where_it_came_from() {
    let old = Flowtrail::start(Topology::Together).await;
    publish_varied(&old).await;
    old.has_traffic(3).await;
    let dumps = || [dump(&old, "audit"), dump(&old, "traffic")];
    eventually("all events are in the view", async || {
        (dumps()[0].iter().filter(|line| line.contains("\"v-")).count() == 7).then_some(())
    })
    .await;
    let wanted = dumps();
    let digits = ["12345678901234567890.10", "0.10000000000000000001"];
    assert!(digits.iter().all(|number| wanted[0].iter().any(|line| line.contains(number))), "{wanted:?}");
    for format in ["ndjson", "parquet", "document", "firehose"] {
        let bucket = Bucket::start().await;
        let keys = json!({
            "bucket_name": "lake", "region": "eu-central-1", "access_key": "AKIAX", "secret_key": "s", "format": format,
            "endpoint": bucket.server.url(""), "batch_seconds": "1", "events": "both",
        });
        let (platform, config) = match format {
            "document" => {
                ("generic_http", json!({ "url": bucket.server.url("/in"), "format": format, "batch": "array" }))
            }
            "firehose" => {
                let config = json!({
                    "stream_name": "events", "region": "eu-central-1", "access_key": "AKIAX", "secret_key": "s",
                    "endpoint": bucket.server.url(""), "events": "both",
                });
                ("firehose", config)
            }
            _ => ("s3", keys),
        };
        archive(&old, &json!({ "platform": platform, "enabled": true, "config": config })).await;
        let files = bucket.files(&old, format);
        let new = Flowtrail::start(Topology::Together).await;
        for family in ["audit", "traffic"] {
            let said = import(&new, family, &files);
            assert!(said.contains(" 0 rejected"), "{said}");
        }
        for (view, wanted) in ["audit", "traffic"].into_iter().zip(&wanted) {
            // Its own account, token and user are in the audit log of the new one, too.
            let missing = async || {
                let there = dump(&new, view);
                let missing: Vec<_> = wanted.difference(&there).cloned().collect();
                missing.is_empty().then_some(there)
            };
            let there = eventually(&format!("{view} of {format} is as it was"), missing).await;
            assert!(view == "audit" || there == *wanted, "{format}: {there:?}");
        }
    }
}

#[tokio::test]
async fn what_the_audit_lists_answer_changes_nothing_where_it_came_from() {
    for topology in Topology::BOTH {
        let flowtrail = Flowtrail::start(topology).await;
        publish_both(&flowtrail).await;
        let before = flowtrail.succeed(["dump", "audit"]);
        for (path, all) in [("/api/events/audit", "\"timestamp\""), ("/v1/audit/events?limit=200", "\"created_at\"")] {
            let list = flowtrail.get(path).await.to_string();
            let events = list.matches(all).count();
            let file = flowtrail.directory.path().join("list.json");
            std::fs::write(&file, list).unwrap();
            let said = import(&flowtrail, "audit", &[file]);
            assert!(said.contains(&format!("0 events published in 0 messages, {events} known already, ")), "{said}");
        }
        assert_eq!(flowtrail.succeed(["dump", "audit"]), before);
    }
}

#[tokio::test]
async fn an_account_that_does_not_exist_is_refused_by_its_name() {
    let flowtrail = Flowtrail::start(Topology::Together).await;
    let file = flowtrail.directory.path().join("events.ndjson");
    std::fs::write(&file, r#"{"id":"acc-1","event_type":"door.open","time":"2024-01-31T12:00:00Z"}"#).unwrap();
    let import = |account: &str| {
        flowtrail.run(["import".as_ref(), "audit".as_ref(), "--account".as_ref(), account.as_ref(), file.as_os_str()])
    };
    let refused = import("mian");
    assert_eq!(refused.status.code(), Some(1));
    let said = String::from_utf8(refused.stderr).unwrap();
    assert!(said.starts_with("error: there is no account mian; "), "{said}");
    assert_eq!(import("main").status.code(), Some(0));
}

#[tokio::test]
async fn a_page_that_is_not_the_whole_list_is_imported_and_told_of() {
    let flowtrail = Flowtrail::start(Topology::Together).await;
    publish_both(&flowtrail).await;
    flowtrail.has_traffic(2).await;
    let other = Flowtrail::start(Topology::Together).await;
    let pages = [1, 2].map(|page| other.directory.path().join(format!("page-{page}.json")));
    for (page, file) in (1..).zip(&pages) {
        let list = flowtrail.get(&format!("/api/events/network-traffic?page={page}&page_size=1")).await;
        std::fs::write(file, list.to_string()).unwrap();
    }
    let one = other.run(["import".into(), "traffic".into(), pages[1].clone()]);
    assert_eq!(one.status.code(), Some(1));
    let said = String::from_utf8(one.stderr).unwrap();
    assert!(said.contains("page-2.json:1: total_pages: 1 of 2 pages are missing, the first is page 1; "), "{said}");
    other.has_traffic(1).await;
    import(&other, "traffic", &pages);
    assert_eq!(traffic_records(&other).await, traffic_records(&flowtrail).await);
}

#[tokio::test]
async fn the_lists_of_a_running_service_are_fetched_page_by_page() {
    let old = Flowtrail::start(Topology::Together).await;
    publish_both(&old).await;
    let records = traffic_records(&old).await;
    let events = old.get("/api/events/audit").await;
    let new = Flowtrail::start(Topology::Split).await;
    let fetch = |token: &str| new.run(["import", "netbird", "--url", &old.url, "--token", token]);
    let fetched = fetch(&old.token);
    let (said, errors) = (String::from_utf8(fetched.stdout).unwrap(), String::from_utf8(fetched.stderr).unwrap());
    assert_eq!((fetched.status.code(), errors.as_str()), (Some(0), ""), "{said}");
    assert_eq!(said.lines().count(), 2, "{said}");
    assert_eq!(traffic_records(&new).await, records);
    eventually("every event of the old list is in the new one, as it was", async || {
        let there = new.get("/api/events/audit").await;
        let there = there.as_array().unwrap();
        events.as_array().unwrap().iter().all(|event| there.contains(event)).then_some(())
    })
    .await;
    let event = new.get("/v1/audit/events/own-1").await;
    assert_eq!(
        (event["actor_id"].as_str(), event["created_at"].as_str()),
        (Some("alice"), Some("2024-01-31T12:00:00.000000Z"))
    );

    let refused = fetch("ft_wrong");
    let errors = String::from_utf8(refused.stderr).unwrap();
    assert_eq!(refused.status.code(), Some(1));
    assert!(errors.contains("/api/events/audit answered 401"), "{errors}");
    assert!(!errors.contains("ft_wrong"), "{errors}");
}

// The program is waited for on one thread, and its request answered on another.
#[tokio::test(flavor = "multi_thread")]
async fn a_list_that_was_cut_off_is_not_taken_for_the_whole() {
    async fn list() -> String {
        format!("[{}]", vec!["{}"; 10_000].join(","))
    }
    let service = HttpServer::start(Router::new().fallback(list)).await;
    let flowtrail = Flowtrail::start(Topology::Together).await;
    let refused = flowtrail.run(["import", "netbird", "--url", &service.url(""), "--token", "t"]);
    let errors = String::from_utf8(refused.stderr).unwrap();
    assert_eq!(refused.status.code(), Some(1));
    assert!(errors.contains("lists 10000 audit events and no more, so that older ones may be missing"), "{errors}");
}
