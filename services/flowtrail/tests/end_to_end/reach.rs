//! No address that an account can name leads to what only Flowtrail can reach.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};
use testkit::eventually;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::flowtrail::{Flowtrail, Topology};

/// Listens on every address of this machine, and counts who comes.
struct Canary {
    port: u16,
    visits: Arc<AtomicUsize>,
    _server: JoinSet<()>,
}

impl Canary {
    async fn start() -> Self {
        let listener = match TcpListener::bind("[::]:0").await {
            Ok(listener) => listener,
            // Without IPv6 there is nobody to be reached by it.
            Err(_) => TcpListener::bind("0.0.0.0:0").await.unwrap(),
        };
        let port = listener.local_addr().unwrap().port();
        let visits = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&visits);
        let mut server = JoinSet::new();
        server.spawn(async move {
            while listener.accept().await.is_ok() {
                counter.fetch_add(1, Ordering::Relaxed);
            }
        });
        Self { port, visits, _server: server }
    }

    fn visits(&self) -> usize {
        self.visits.load(Ordering::Relaxed)
    }
}

/// Ways to write this machine, most of which some resolver or other takes.
const HERE: [&str; 33] = [
    "127.0.0.1",
    "127.0.0.2",
    "127.255.255.254",
    "0.0.0.0",
    "0",
    "127.1",
    "127.0.1",
    "2130706433",
    "0x7f000001",
    "0x7f.0.0.1",
    "0x7f.1",
    "0177.0.0.1",
    "017700000001",
    "127.0.0.1.",
    "①②⑦.⓪.⓪.①",
    "127。0。0。1",
    "%31%32%37.0.0.1",
    "localhost",
    "LOCALHOST",
    "localhost.",
    "ｌｏｃａｌｈｏｓｔ",
    "local%68ost",
    "[::1]",
    "[::]",
    "[0:0:0:0:0:0:0:1]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[::127.0.0.1]",
    "[64:ff9b::7f00:1]",
    "[2002:7f00:1::]",
    "[::1%25lo]",
    "[fe80::1%25lo]",
    "[::ffff:0:127.0.0.1]",
];

/// Other places that nobody else can reach, and other ways to get here; `{port}` is where the canary is.
const ELSEWHERE: [&str; 32] = [
    "https://example.com@127.0.0.1:{port}/",
    "https://user:password@127.0.0.1:{port}/",
    "https://@127.0.0.1:{port}/",
    "https://127.0.0.1:{port}#@example.com/",
    "https://example.com\\@127.0.0.1:{port}/",
    "https:\\\\127.0.0.1:{port}/",
    "https:/127.0.0.1:{port}/",
    "https:127.0.0.1:{port}",
    "//127.0.0.1:{port}/",
    " https://127.0.0.1:{port}/",
    "https://127.0.0\t.1:{port}/",
    "ht\ntps://127.0.0.1:{port}/",
    "https://127.0.0.1:{port}/\r\nX-Injected: 1",
    "ftp://127.0.0.1:{port}/",
    "gopher://127.0.0.1:{port}/_x",
    "ws://127.0.0.1:{port}/",
    "file:///etc/passwd",
    "javascript:alert(1)",
    "data:text/plain,x",
    "http://169.254.169.254/latest/meta-data/",
    "https://169.254.169.254/latest/meta-data/",
    "https://168.63.129.16/",
    "https://[fd00:ec2::254]/latest/meta-data/",
    "https://10.0.0.1/",
    "https://172.16.0.1/",
    "https://192.168.1.1/",
    "https://100.64.0.1/",
    "https://[fc00::1]/",
    "https://224.0.0.1/",
    "https://255.255.255.255/",
    "https://8.8.8.8:22/",
    "http://8.8.8.8/",
];

/// Every platform that is given a URL, with the key that holds it.
fn platforms(url: &str) -> [(&'static str, &'static str, Value); 6] {
    let keys = json!({ "region": "eu-central-1", "access_key": "a", "secret_key": "s" });
    let with = |more: Value| {
        let mut config = keys.clone();
        config.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        config
    };
    [
        ("generic_http", "url", json!({ "url": url })),
        ("datadog", "api_url", json!({ "api_url": url, "api_key": "k" })),
        ("s3", "endpoint", with(json!({ "endpoint": url, "bucket_name": "logs" }))),
        ("firehose", "endpoint", with(json!({ "endpoint": url, "stream_name": "events" }))),
        ("otlp", "url", json!({ "url": url })),
        ("splunk_hec", "url", json!({ "url": url, "token": "t" })),
    ]
}

async fn is_refused(flowtrail: &Flowtrail, [method, path]: [&str; 2], key: &str, body: &Value) {
    let answer = flowtrail.request(method, path).json(body).send().await.unwrap();
    let (status, text) = (answer.status(), answer.text().await.unwrap());
    assert!(status == 400 && text.contains(key), "{method} {body}: {status} {text}");
}

#[tokio::test]
async fn no_hostile_address_is_stored_or_reached() {
    let canary = Canary::start().await;
    let flowtrail = Flowtrail::start_with(Topology::Together, &[("FLOWTRAIL_EGRESS_ALLOW", "")]).await;
    let path = "/api/event-streaming";
    // A public address, which nobody contacts as it is not enabled.
    let harmless = json!({ "platform": "generic_http", "enabled": false, "config": { "url": "https://8.8.8.8/" } });
    let made = flowtrail.request("POST", path).json(&harmless).send().await.unwrap();
    assert_eq!(made.status(), 200);
    let before = flowtrail.get(path).await;

    let port = canary.port;
    let here = HERE.iter().flat_map(|host| ["http", "https"].map(|scheme| format!("{scheme}://{host}:{port}/")));
    let elsewhere = ELSEWHERE.iter().map(|url| url.replace("{port}", &port.to_string()));
    let urls: Vec<String> = here.chain(elsewhere).collect();
    assert!(urls.len() >= 60);
    for url in &urls {
        for (platform, key, config) in platforms(url) {
            // Enabled, so that it would be tried.
            let body = json!({ "platform": platform, "enabled": true, "config": config });
            is_refused(&flowtrail, ["POST", path], key, &body).await;
        }
        let change = json!({ "config": { "url": url }, "enabled": true });
        is_refused(&flowtrail, ["PUT", "/api/event-streaming/1"], "url", &change).await;
    }
    for host in HERE {
        for tls in ["true", "false"] {
            let config = json!({ "address": format!("{host}:{port}"), "tls": tls });
            let body = json!({ "platform": "syslog", "enabled": true, "config": config });
            is_refused(&flowtrail, ["POST", path], "address", &body).await;
        }
    }
    assert_eq!(flowtrail.get(path).await, before);
    assert_eq!(canary.visits(), 0);
    TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    eventually("a visit is counted", async || (canary.visits() == 1).then_some(())).await;
}
