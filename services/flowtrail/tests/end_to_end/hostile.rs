//! Whatever a stranger or a customer sends: no 5xx, no panic, and no memory that stays taken.
//!
//! `just drill-hostile` does it for longer: see the variable below.

use std::io::Write;
use std::time::Duration;

use serde_json::json;
use testkit::Chance;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::flowtrail::{Flowtrail, Topology, UNLIMITED, memory_of};

/// How often everything is sent.
const ROUNDS: &str = "FLOWTRAIL_DRILL_ROUNDS";
/// By how much the process may be larger after all rounds than after the first half of them, in KiB.
const MAY_GROW: u64 = 64 << 10;
const PATIENCE: Duration = Duration::from_secs(60);

/// Whatever is read by parameters, and what it knows of them.
const LISTS: [(&str, &[&str]); 3] = [
    (
        "/api/events/audit",
        &[
            "activity_code",
            "initiator_id",
            "user_id",
            "target_id",
            "start_date",
            "end_date",
            "search",
            "reads",
            "limit",
            "cursor",
        ],
    ),
    (
        "/api/events/network-traffic",
        &[
            "page",
            "page_size",
            "user_id",
            "reporter_id",
            "source_id",
            "destination_id",
            "protocol",
            "type",
            "connection_type",
            "direction",
            "search",
            "start_date",
            "end_date",
            "cursor",
        ],
    ),
    (
        "/v1/audit/events",
        &["event_group", "event_type", "status", "user_id", "vm_id", "session_id", "reads", "cursor", "limit"],
    ),
];
/// Whatever has an id in its path.
const ONES: [(&str, &[&str]); 4] = [
    ("/v1/audit/events/", &["GET"]),
    ("/api/event-streaming/", &["GET", "PUT", "DELETE"]),
    ("/api/integrations/event-streaming/", &["GET", "PUT", "DELETE"]),
    ("/flowtrail/v1/searches/", &["GET", "PUT", "DELETE"]),
];
/// Whatever takes a body.
const BODIES: [(&str, &str); 9] = [
    ("POST", "/api/events/audit"),
    ("POST", "/api/events/network-traffic"),
    ("POST", "/api/event-streaming"),
    ("PUT", "/api/event-streaming/1"),
    ("POST", "/api/ni/logs/audit"),
    ("POST", "/api/ni/auth/token"),
    ("POST", "/flowtrail/v1/searches"),
    ("POST", "/flowtrail/v1/session"),
    ("GET", "/api/events/audit"),
];

/// Values of parameters and parts of paths, as they stand in a request line.
fn values(chance: &mut Chance) -> Vec<Vec<u8>> {
    let mut values: Vec<Vec<u8>> = [
        "",
        "%00",
        "%ff%fe",
        "%c3%28",
        "%ed%a0%80",
        "%",
        "%zz",
        "+",
        "..%2f..%2fetc%2fpasswd",
        "%f0%9f%98%80",
        "-0",
        "1e999",
        "NaN",
        "0x10",
        "9999-12-31T23:59:59.999999999Z",
        "0000-01-01T00:00:00%2B23:59",
        "2024-02-30T00:00:00Z",
        "%7b%7d",
        "%5B%5D",
        "null",
        "'%20OR%201=1--",
        "a%0d%0aSet-Cookie:%20x=y",
        "18446744073709551616",
        "-9223372036854775809",
    ]
    .map(|text| text.as_bytes().to_vec())
    .into();
    values.push(b"9".repeat(5000));
    values.push([b"-".as_slice(), &b"1".repeat(5000)].concat());
    values.push(b"0".repeat(5000));
    values.push(b"s".repeat(10_000));
    values.push(b"%F0%9F%98%80".repeat(2500));
    values.push(b"%00".repeat(3000));
    // As they are, which no URL may have.
    values.push(vec![0xff, 0xfe, 0x80]);
    values.push("\u{e4}\u{1f600}".as_bytes().to_vec());
    for _ in 0..4 {
        values.push(
            (0..64).map(|_| chance.byte()).filter(|byte| *byte > b' ' && *byte != b'#' && *byte != 127).collect(),
        );
    }
    values
}

fn bodies(chance: &mut Chance) -> Vec<Vec<u8>> {
    let mut bodies: Vec<Vec<u8>> = [
        "",
        "null",
        "[]",
        "{}",
        "[{}]",
        "\"\"",
        "{",
        "[1,",
        "\u{feff}{}",
        "{\"a\":1e999}",
        "{\"size\":1e400}",
        r#"{"event_type":"\ud800"}"#,
        r#"{"event_type":"a\u0000b","id":"\u0000"}"#,
        r#"{"event_type":"a","id":"same","id":"other"}"#,
        r#"{"event_type":{"a":[]},"meta":"x"}"#,
        r#"{"event_type":"a","user_id":99999999999999999999,"latency_ms":-1e308}"#,
        r#"{"reporter_id":"r","protocol":70000,"rx_bytes":-1}"#,
        r#"{"platform":"datadog","config":{"api_key":"\u0000","site":"\ud83d"},"enabled":"yes"}"#,
        r#"{"platform":"generic_http","config":{"url":"http://[::1"},"enabled":false}"#,
        r#"{"username":"admin@local","password":"\u0000"}"#,
        r#"{"time_range":{"start_time":-9223372036854775808,"end_time":9223372036854775807},"size":0}"#,
        r#"{"time_range":{"start_time":99999999999999999999}}"#,
    ]
    .map(|text| text.as_bytes().to_vec())
    .into();
    bodies.push(b"[".repeat(100_000));
    bodies.push(b"{\"a\":".repeat(100_000));
    bodies.push([b"[".repeat(64), b"]".repeat(64)].concat());
    bodies.push([b"{\"event_type\":".as_slice(), &b"9".repeat(5000), b"}"].concat());
    bodies.push([b"{\"event_type\":\"a\",\"user_id\":".as_slice(), &b"9".repeat(5000), b"}"].concat());
    bodies.push([b"{\"search\":\"".as_slice(), &b"s".repeat(900_000), b"\"}"].concat());
    bodies.push(b"[{\"event_type\":\"a\"},".repeat(2000));
    bodies.push(vec![0; 10_000]);
    bodies.push(vec![0xff; 10_000]);
    bodies.push((0..4096).map(|_| chance.byte()).collect());
    bodies
}

/// Bodies that are more than they seem, with their encoding.
fn packed() -> Vec<(&'static str, Vec<u8>)> {
    let zeros = vec![b' '; 64 << 20];
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    gzip.write_all(&zeros).unwrap();
    let gzip = gzip.finish().unwrap();
    let zstd = zstd::encode_all(zeros.as_slice(), 3).unwrap();
    assert!(gzip.len() < 100_000 && zstd.len() < 100_000);
    let cut = gzip[..gzip.len() / 2].to_vec();
    vec![("gzip", gzip), ("zstd", zstd), ("gzip", cut), ("gzip", b"no gzip".to_vec()), ("br", Vec::new())]
}

/// A Flowtrail under attack.
struct Target {
    flowtrail: Flowtrail,
    address: String,
    sent: usize,
}

impl Target {
    async fn start() -> Self {
        let flowtrail = Flowtrail::start_with(Topology::Together, UNLIMITED).await;
        let address = flowtrail.url.strip_prefix("http://").unwrap().to_owned();
        for (path, event) in [
            ("/api/events/audit", json!({"id": "e1", "event_type": "a.b"})),
            ("/api/events/network-traffic", json!({"id": "t1", "reporter_id": "r"})),
        ] {
            assert_eq!(flowtrail.request("POST", path).json(&event).send().await.unwrap().status(), 202);
        }
        Self { flowtrail, address, sent: 0 }
    }

    /// Sends bytes as they are and gives the answer's status.
    async fn send(&mut self, method: &str, target: &[u8], headers: &str, body: &[u8]) -> u16 {
        self.sent += 1;
        let mut request = format!("{method} ").into_bytes();
        request.extend_from_slice(target);
        let token = &self.flowtrail.token;
        let length = body.len();
        let more = format!(
            " HTTP/1.1\r\nhost: x\r\nconnection: close\r\nx-api-key: {token}\r\ncontent-length: {length}\r\n{headers}\r\n"
        );
        request.extend_from_slice(more.as_bytes());
        request.extend_from_slice(body);
        let (status, answer) = exchange(&self.address, &request).await;
        let target = String::from_utf8_lossy(&target[..target.len().min(100)]);
        assert!((200..500).contains(&status), "{method} {target} {headers}: {status} {answer}");
        assert_ne!(status, 429, "no limit is set");
        status
    }

    async fn round(&mut self, chance: &mut Chance) {
        let values = values(chance);
        for (path, names) in LISTS {
            for name in names {
                for value in &values {
                    let target = [path.as_bytes(), b"?", name.as_bytes(), b"=", value].concat();
                    let status = self.send("GET", &target, "", b"").await;
                    assert!(
                        *name != "cursor" || status != 200 || value.is_empty(),
                        "{path} takes a cursor that nobody made"
                    );
                }
                let repeated = format!("{path}?{}", format!("{name}=1&").repeat(1000));
                self.send("GET", repeated.as_bytes(), "", b"").await;
            }
            let many: String = (0..3000).map(|number| format!("p{number}=&")).collect();
            self.send("GET", format!("{path}?{many}").as_bytes(), "", b"").await;
        }
        for (path, methods) in ONES {
            for value in &values {
                for method in methods {
                    self.send(method, &[path.as_bytes(), value].concat(), "", b"{}").await;
                }
            }
        }
        for (method, path) in BODIES {
            for body in bodies(chance) {
                for content_type in ["application/json", "application/cloudevents+json", "application/x-ndjson"] {
                    self.send(method, path.as_bytes(), &format!("content-type: {content_type}\r\n"), &body).await;
                }
            }
            for (encoding, body) in packed() {
                self.send(method, path.as_bytes(), &format!("content-encoding: {encoding}\r\n"), &body).await;
            }
            self.send_without_end(method, path).await;
        }
        self.send_strange_headers().await;
        self.send_random_cursors(chance).await;
    }

    /// A body that goes on until the server has enough.
    async fn send_without_end(&mut self, method: &str, path: &str) {
        self.sent += 1;
        let token = &self.flowtrail.token;
        let head =
            format!("{method} {path} HTTP/1.1\r\nhost: x\r\nx-api-key: {token}\r\ntransfer-encoding: chunked\r\n\r\n");
        let stream = TcpStream::connect(&self.address).await.unwrap();
        let (mut from, mut to) = stream.into_split();
        let chunk = [b"10000\r\n".as_slice(), &[b' '; 0x10000], b"\r\n"].concat();
        let sending = async {
            let mut sent = to.write_all(head.as_bytes()).await;
            while sent.is_ok() {
                sent = to.write_all(&chunk).await;
            }
            // It was cut; what was said before that is all that matters.
            std::future::pending::<()>().await;
        };
        let mut answer = [0; 12];
        let reading = from.read_exact(&mut answer);
        tokio::select! {
            () = sending => {}
            read = tokio::time::timeout(PATIENCE, reading) => { read.expect("it takes in a body without end").unwrap(); }
        }
        let status: u16 = std::str::from_utf8(&answer[9..]).unwrap().parse().unwrap();
        assert!((200..500).contains(&status), "{method} {path}: {status}");
    }

    async fn send_strange_headers(&mut self) {
        let long = "x".repeat(60_000);
        let many: String = (0..99).map(|number| format!("h{number}: \u{e4}\r\n")).collect();
        for header in [
            format!("authorization: Token {long}\r\n"),
            "authorization: Token \u{e4}\u{0}\r\n".to_owned(),
            "authorization: Bearer a.b.c\r\n".to_owned(),
            "authorization: Bearer eyJhbGciOiJub25lIn0.e30.\r\n".to_owned(),
            "flowtrail-at-least: FLOWTRAIL_AUDIT:18446744073709551615\r\n".to_owned(),
            format!("flowtrail-at-least: {}\r\n", "FLOWTRAIL_AUDIT:1,".repeat(2000)),
            "content-length: 5\r\n".to_owned(),
            "content-length: 99999999999999999999999\r\n".to_owned(),
            "transfer-encoding: chunked\r\n".to_owned(),
            "transfer-encoding: gzip, chunked\r\n".to_owned(),
            "expect: 100-continue\r\n".to_owned(),
            "x-request-id: \u{1f600}\r\n".to_owned(),
            "host: \u{e4}\r\n".to_owned(),
            many,
        ] {
            for path in
                ["/api/events/audit?limit=1", "/v1/audit/events/", "/api/ni/info/version", "/healthz", "*", "\\"]
            {
                self.send("GET", path.as_bytes(), &header, b"").await;
            }
        }
    }

    async fn send_random_cursors(&mut self, chance: &mut Chance) {
        for _ in 0..250 {
            let length = 1 + chance.below(80);
            let cursor: String = (0..length).map(|_| char::from(ALPHABET[chance.below(64)])).collect();
            for (path, _) in LISTS {
                let status = self.send("GET", format!("{path}?cursor={cursor}").as_bytes(), "", b"").await;
                assert_eq!(status, 400, "{path} takes {cursor}");
            }
            let body = json!({ "cursor": cursor }).to_string();
            assert_eq!(self.send("POST", b"/api/ni/logs/audit", "", body.as_bytes()).await, 400, "{cursor}");
        }
    }

    /// How much memory the process has, in KiB.
    fn memory(&self) -> u64 {
        memory_of(self.flowtrail.id(), "VmRSS")
    }
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// Sends a request and reads what comes back, whose status is 0 when it is no answer.
async fn exchange(address: &str, request: &[u8]) -> (u16, String) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    // It may answer and close before it has read everything.
    let _ = stream.write_all(request).await;
    let mut answer = Vec::new();
    let reading = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut answer));
    let _ = reading.await.expect("it answers");
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let status = answer.strip_prefix("HTTP/1.1 ").and_then(|rest| rest.get(..3)?.parse().ok());
    (status.unwrap_or_default(), answer)
}

#[tokio::test]
async fn hostile_input_is_refused_without_a_5xx_a_panic_or_growing_memory() {
    let rounds: usize = std::env::var_os(ROUNDS).map_or(2, |text| text.to_str().unwrap().parse().unwrap());
    let mut target = Target::start().await;
    let mut chance = Chance::new(4);
    let mut before = 0;
    for round in 1..=rounds {
        target.round(&mut chance).await;
        let memory = target.memory();
        println!("round {round}: {} requests so far, {memory} KiB", target.sent);
        if round == rounds.div_ceil(2) {
            before = memory;
        }
    }
    let after = target.memory();
    assert!(after < before + MAY_GROW, "from {before} to {after} KiB");
    let logs = std::fs::read_to_string(target.flowtrail.logs()).unwrap();
    assert!(!logs.contains("panicked") && !logs.contains("ERROR"), "{logs}");
    target.flowtrail.stop();
}
