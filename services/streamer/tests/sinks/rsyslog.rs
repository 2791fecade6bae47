//! Syslog as rsyslog reads it: what it writes of our messages, field by field.

use std::process::Command;

use model::integration::Platform;
use rcgen::{CertifiedKey, KeyPair, generate_simple_self_signed};
use rustls::RootCertStore;
use serde_json::{Value, json};
use streamer::guard::Guard;
use streamer::sink::{Item, Outcome};
use streamer::sinks::Sink;
use testkit::eventually;

use crate::daemon::{Daemon, program};
use crate::support::{audit, guard, opened, traffic};

/// Writes every property that it has of a message as one line of JSON; `data` is the structured data as its own module
/// takes it apart.
const CONFIGURATION: &str = r#"
global(workDirectory="DIRECTORY" LARGEST net.enableDNS="off" TLS)
module(load="mmpstrucdata")
module(load="imtcp" DRIVER)
template(name="fields" type="list" option.jsonf="on") {
  property(outname="priority" name="pri" format="jsonf")
  property(outname="facility" name="syslogfacility-text" format="jsonf")
  property(outname="severity" name="syslogseverity-text" format="jsonf")
  property(outname="version" name="protocol-version" format="jsonf")
  property(outname="time" name="timereported" dateFormat="rfc3339" format="jsonf")
  property(outname="host" name="hostname" format="jsonf")
  property(outname="app" name="app-name" format="jsonf")
  property(outname="process" name="procid" format="jsonf")
  property(outname="kind" name="msgid" format="jsonf")
  property(outname="data" name="$!rfc5424-sd" format="jsonf")
  property(outname="text" name="msg" format="jsonf")
}
ruleset(name="write") {
  action(type="mmpstrucdata" sd_name.lowercase="off")
  action(type="omfile" file="DIRECTORY/written" template="fields")
}
input(type="imtcp" address="127.0.0.1" port="0" listenPortFileName="DIRECTORY/port" ruleset="write")
"#;

/// rsyslogd.
pub(crate) struct Rsyslog {
    daemon: Daemon,
    port: u16,
}

impl Rsyslog {
    /// None: it cannot be had on this machine.
    pub(crate) async fn start(largest: &str, certificate: Option<&CertifiedKey<KeyPair>>) -> Option<Self> {
        let program = program("rsyslog", "FLOWTRAIL_TEST_RSYSLOG", "-v")?;
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path();
        let (mut tls, mut driver) = (String::new(), "");
        if let Some(CertifiedKey { cert, signing_key }) = certificate {
            std::fs::write(path.join("certificate"), cert.pem()).unwrap();
            std::fs::write(path.join("key"), signing_key.serialize_pem()).unwrap();
            tls = [("CA", "certificate"), ("Cert", "certificate"), ("Key", "key")]
                .map(|(of, file)| format!(r#" defaultNetstreamDriver{of}File="DIRECTORY/{file}""#))
                .concat();
            driver = r#"streamDriver.name="ossl" streamDriver.mode="1" streamDriver.authMode="anon""#;
        }
        let configuration = CONFIGURATION.replace("LARGEST", largest).replace("TLS", &tls).replace("DRIVER", driver);
        let mut command = Command::new(program);
        command.args(["-n", "-i", "NONE", "-f"]);
        let daemon = Daemon::start("rsyslog", command, directory, &configuration);
        let port = eventually("rsyslog listens", async || daemon.read("port").trim().parse().ok()).await;
        Some(Self { daemon, port })
    }

    pub(crate) fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// What it wrote, once there are so many messages.
    pub(crate) async fn written(&self, count: usize) -> Vec<Value> {
        let lines = eventually("rsyslog has written all messages", async || {
            let text = self.daemon.read("written");
            (text.lines().count() >= count && text.ends_with('\n')).then_some(text)
        })
        .await;
        lines.lines().map(|line| serde_json::from_str(line).unwrap()).map(unfolded).collect()
    }
}

/// It writes the structured data, and we the event and its meta data, as JSON in a text.
fn unfolded(mut message: Value) -> Value {
    let unfold = |value: &mut Value| *value = serde_json::from_str(value.as_str().unwrap()).unwrap();
    unfold(&mut message["data"]);
    for field in ["meta", "event"] {
        let data = message["data"]["flowtrail@32473"].as_object_mut().unwrap();
        if let Some(value) = data.get_mut(field) {
            unfold(value);
        }
    }
    message
}

const ODD: &str = "a \"b\" ]c[ \\ é日 = '%$!";

/// One event with every field that there is and signs that mean something to syslog, one report of traffic, and an
/// event with as little as there can be.
fn events() -> Vec<Item> {
    let full = json!({
        "event_type": "route.add", "activity": ODD, "event_group": "routes", "status": "failure", "source": "billing",
        "actor_type": "user", "actor_id": ODD, "actor_name": "Alice", "actor_email": "alice@example.com", "user_id": 7,
        "resource_type": "route", "resource_id": "r\"1]", "meta": {"k\"]": ODD, "line": "one\r\ntwo"},
        "session_id": "s", "vm_id": "v", "task_id": 8, "request_id": "q", "correlation_id": "c-1",
        "http_method": "POST", "path": "/a?b=c", "http_status": 201, "latency_ms": 12.5, "ip_address": "203.0.113.7",
        "user_agent": ODD, "node_ip": "10.0.0.9", "worker_id": "w", "event_payload": {"deep": [1, {"er": ODD}]},
        "error_message": "no \u{1b}[31mway", "user_name": "alice", "operation": "ADD", "response": "SUCCESS",
        "value": "x",
    });
    let report = json!({
        "flow_id": "f", "type": "TYPE_END", "reporter_id": "gw 1", "protocol": 6, "direction": "EGRESS",
        "source": {"id": "p1", "type": "PEER", "name": "laptop", "address": "10.0.0.1:51820"},
        "destination": {"id": "p2", "name": "server", "address": "10.0.0.2:443"}, "user": {"id": "u1"},
        "policy": {"name": "all"}, "rx_bytes": 1, "rx_packets": 2, "tx_bytes": 3, "tx_packets": 4,
    });
    vec![audit(1, &full), traffic(2, &report), audit(3, &json!({"event_type": "door.open"}))]
}

/// What rsyslog is to write of [`events`].
fn expected() -> [Value; 3] {
    let message = |time: &str, host: &str, kind: &str, text: &str, data: Value| {
        json!({
            "priority": "110", "facility": "audit", "severity": "info", "version": "1", "time": time, "host": host,
            "app": "flowtrail", "process": "-", "kind": kind, "text": if text.is_ascii() { text.to_owned() } else { format!("\u{feff}{text}") },
            "data": {"flowtrail@32473": data},
        })
    };
    let full = json!({
        "id": "e-1", "account": "main", "kind": "audit", "type": "route.add", "initiator": ODD, "target": "r\"1]",
        "reference": "c-1", "position": "FLOWTRAIL_AUDIT:1", "index": "0",
        "meta": {"k\"]": ODD, "line": "one\r\ntwo"},
        "event": {
            "event_group": "routes", "status": "failure", "source": "billing", "actor_type": "user",
            "actor_name": "Alice", "actor_email": "alice@example.com", "user_id": 7, "resource_type": "route",
            "session_id": "s", "vm_id": "v", "task_id": 8, "request_id": "q", "correlation_id": "c-1",
            "http_method": "POST", "path": "/a?b=c", "http_status": 201, "latency_ms": 12.5,
            "ip_address": "203.0.113.7", "user_agent": ODD, "node_ip": "10.0.0.9", "worker_id": "w",
            "event_payload": {"deep": [1, {"er": ODD}]}, "error_message": "no \u{1b}[31mway", "user_name": "alice",
            "operation": "ADD", "response": "SUCCESS", "value": "x",
        },
    });
    let flow = json!({
        "id": "r-2", "account": "main", "kind": "traffic", "type": "TYPE_END", "initiator": "u1", "target": "p2",
        "reference": "f", "position": "FLOWTRAIL_TRAFFIC:2", "index": "0",
        "meta": {
            "flow_id": "f", "direction": "EGRESS", "source_addr": "10.0.0.1:51820", "source_name": "laptop",
            "source_type": "PEER", "destination_addr": "10.0.0.2:443", "destination_name": "server",
            "destination_type": "UNKNOWN", "protocol": 6, "tx_bytes": 3, "tx_packets": 4, "rx_bytes": 1,
            "rx_packets": 2, "policy_name": "all", "reporter_id": "gw 1", "user_id": "u1",
        },
        "event": {
            "flow_id": "f", "type": "TYPE_END", "reporter_id": "gw 1", "protocol": 6, "direction": "EGRESS",
            "source": {"id": "p1", "type": "PEER", "name": "laptop", "address": "10.0.0.1:51820"},
            "destination": {"id": "p2", "type": "UNKNOWN", "name": "server", "address": "10.0.0.2:443"},
            "user": {"id": "u1"}, "policy": {"name": "all"}, "rx_bytes": 1, "rx_packets": 2, "tx_bytes": 3,
            "tx_packets": 4, "num_of_starts": 0, "num_of_ends": 0, "num_of_drops": 0,
        },
    });
    let least = json!({
        "id": "e-3", "account": "main", "kind": "audit", "type": "door.open", "initiator": "", "target": "",
        "reference": "", "position": "FLOWTRAIL_AUDIT:3", "index": "0", "meta": {},
        "event": {"source": "/test"},
    });
    let (time, later) = ("2024-01-31T12:00:00.000000Z", "2024-01-31T12:00:00.250000Z");
    [
        message(later, "10.0.0.9", "route.add", ODD, full),
        message(time, "gw_1", "TYPE_END", "TYPE_END", flow),
        message(later, "/test", "door.open", "door.open", least),
    ]
}

#[tokio::test]
async fn every_field_is_written_by_rsyslog() {
    let Some(rsyslog) = Rsyslog::start("", None).await else { return };
    let config = opened(Platform::Syslog, &[("address", &rsyslog.address()), ("tls", "false")]);
    let sink = Sink::connect(Platform::Syslog, &config, &guard()).unwrap();
    let items = events();
    // The second batch goes over the connection of the first one.
    for _ in 0..2 {
        assert_eq!(sink.deliver(&items).await, Outcome::Delivered);
    }
    let written = rsyslog.written(6).await;
    assert_eq!((&written[..3], &written[3..]), (&expected()[..], &expected()[..]));
}

#[tokio::test]
async fn every_field_is_written_by_rsyslog_over_tls() {
    let made = generate_simple_self_signed(["localhost".to_owned(), "127.0.0.1".to_owned()]).unwrap();
    let Some(rsyslog) = Rsyslog::start("", Some(&made)).await else { return };
    let mut roots = RootCertStore::empty();
    roots.add(made.cert.der().clone()).unwrap();
    let guard = Guard::trusting("127.0.0.0/8".parse().unwrap(), roots).unwrap();
    let config = opened(Platform::Syslog, &[("address", &rsyslog.address())]);
    let sink = Sink::connect(Platform::Syslog, &config, &guard).unwrap();
    let items = events();
    assert_eq!(sink.deliver(&items).await, Outcome::Delivered);
    assert_eq!(rsyslog.written(3).await, expected());
}

#[tokio::test]
async fn of_a_large_event_rsyslog_writes_one_message_with_its_text() {
    // Its own default, and what lets through more.
    for (largest, config) in [("", None), (r#"maxMessageSize="64k""#, Some(("max_message_bytes", "65000")))] {
        let Some(rsyslog) = Rsyslog::start(largest, None).await else { return };
        let address = rsyslog.address();
        let base = [("address", address.as_str()), ("tls", "false")];
        let config: Vec<(&str, &str)> = base.into_iter().chain(config).collect();
        let sink = Sink::connect(Platform::Syslog, &opened(Platform::Syslog, &config), &guard()).unwrap();
        let large = |sequence, size| {
            let note = "a long note about the policy. ".repeat(size);
            let activity = format!("Policy {sequence} updated");
            audit(sequence, &json!({"event_type": "p.u", "activity": activity, "event_payload": {"note": note}}))
        };
        let items = [large(1, 1), large(2, 620), large(3, 5000), large(4, 1)];
        assert_eq!(sink.deliver(&items).await, Outcome::Delivered);
        let written = rsyslog.written(4).await;
        let texts: Vec<&str> = written.iter().map(|message| message["text"].as_str().unwrap()).collect();
        assert_eq!(texts, [1, 2, 3, 4].map(|number| format!("Policy {number} updated")));
        let truncated = |message: &Value| message["data"]["flowtrail@32473"]["truncated"].as_str().map(str::to_owned);
        let cut = Some("event".to_owned());
        let second = if largest.is_empty() { cut.clone() } else { None };
        assert_eq!(written.iter().map(truncated).collect::<Vec<_>>(), [None, second, cut, None]);
    }
}
