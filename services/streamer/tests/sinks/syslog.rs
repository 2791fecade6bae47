//! Syslog: messages as RFC 5424 writes them, counted in octets, over TCP and TLS.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use model::integration::Platform;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{RootCertStore, ServerConfig};
use serde_json::json;
use streamer::guard::Guard;
use streamer::sink::{Failure, Item, Kind, Outcome};
use streamer::sinks::Sink;
use testkit::eventually;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use crate::support::{audit, audits, connect, opened, traffic};

/// A server that keeps what it is sent, byte by byte, connection by connection.
struct Server {
    address: SocketAddr,
    received: Arc<Mutex<Vec<Vec<u8>>>>,
    accepting: JoinSet<()>,
}

impl Server {
    async fn start(tls: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let received: Arc<Mutex<Vec<Vec<u8>>>> = Arc::default();
        let kept = Arc::clone(&received);
        let mut accepting = JoinSet::new();
        accepting.spawn(async move {
            let mut readers = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let (tls, kept) = (tls.clone(), Arc::clone(&kept));
                readers.spawn(read_one(stream, tls, kept));
            }
        });
        Self { address, received, accepting }
    }

    fn everything(&self) -> Vec<u8> {
        self.received.lock().unwrap().concat()
    }
}

async fn read_one(stream: TcpStream, tls: Option<TlsAcceptor>, kept: Arc<Mutex<Vec<Vec<u8>>>>) {
    match tls {
        None => keep(stream, kept).await,
        Some(tls) => {
            if let Ok(stream) = tls.accept(stream).await {
                keep(stream, kept).await;
            }
        }
    }
}

async fn keep(mut stream: impl AsyncRead + Unpin, kept: Arc<Mutex<Vec<Vec<u8>>>>) {
    let index = {
        let mut kept = kept.lock().unwrap();
        kept.push(Vec::new());
        kept.len() - 1
    };
    let mut buffer = [0; 4096];
    while let Ok(length @ 1..) = stream.read(&mut buffer).await {
        kept.lock().unwrap()[index].extend_from_slice(&buffer[..length]);
    }
}

/// A message, taken apart by the grammar of RFC 5424; `None` when it does not follow it.
#[derive(Debug)]
struct Message {
    /// In bytes, without its frame.
    length: usize,
    priority: String,
    time: String,
    host: String,
    app: String,
    kind: String,
    data: BTreeMap<String, String>,
    text: String,
}

/// Takes frames apart: a length, a blank, so many octets.
fn frames(mut bytes: &[u8]) -> Option<Vec<Message>> {
    let mut messages = Vec::new();
    while !bytes.is_empty() {
        let blank = bytes.iter().position(|byte| *byte == b' ')?;
        let length: usize = std::str::from_utf8(&bytes[..blank]).ok()?.parse().ok()?;
        let frame = bytes.get(blank + 1..blank + 1 + length)?;
        messages.push(message(std::str::from_utf8(frame).ok()?)?);
        bytes = &bytes[blank + 1 + length..];
    }
    Some(messages)
}

fn message(text: &str) -> Option<Message> {
    let length = text.len();
    let (priority, rest) = text.strip_prefix('<')?.split_once(">1 ")?;
    let mut header = rest.splitn(6, ' ');
    let mut next = || header.next().map(str::to_owned);
    let (time, host, app, process, kind) = (next()?, next()?, next()?, next()?, next()?);
    assert!(
        [&host, &app, &kind].iter().all(|word| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_graphic()))
    );
    assert_eq!(process, "-");
    let rest = header.next()?.strip_prefix("[flowtrail@32473")?;
    let (data, rest) = parameters(rest)?;
    let text = rest.strip_prefix(' ')?;
    let unmarked = text.strip_prefix('\u{feff}');
    assert_eq!(unmarked.is_some(), !text.is_ascii(), "the mark of UTF-8 stands before what needs it");
    let text = unmarked.unwrap_or(text).to_owned();
    Some(Message { length, priority: priority.to_owned(), time, host, app, kind, data, text })
}

fn parameters(mut rest: &str) -> Option<(BTreeMap<String, String>, &str)> {
    let mut data = BTreeMap::new();
    while let Some(parameter) = rest.strip_prefix(' ') {
        let (name, value) = parameter.split_once("=\"")?;
        let mut text = String::new();
        let mut characters = value.char_indices();
        rest = loop {
            match characters.next()? {
                (at, '"') => break &value[at + 1..],
                (_, '\\') => text.push(characters.next().filter(|(_, next)| "\"\\]".contains(*next))?.1),
                (_, ']') => return None,
                (_, other) => text.push(other),
            }
        };
        data.insert(name.to_owned(), text);
    }
    Some((data, rest.strip_prefix(']')?))
}

fn odd() -> Vec<Item> {
    let words = "a \"b\" ]c[ \\ é\r\nd\u{1b}[31m";
    let event = json!({
        "event_type": "route.add", "activity": words, "actor_id": words, "resource_id": "r1", "meta": {"k\"]": words},
        "status": "failure",
    });
    vec![audit(1, &event), traffic(2, &json!({"flow_id": "f", "type": "TYPE_END", "reporter_id": "gw 1"}))]
}

/// An event with a text and a payload of these sizes.
fn sized(sequence: u64, text: &str, payload: usize) -> Item {
    let payload = json!({"note": "a \"note\" ".repeat(payload / 10)});
    audit(
        sequence,
        &json!({"event_type": "policy.update", "activity": text, "actor_id": "alice", "event_payload": payload}),
    )
}

async fn received(server: &Server, count: usize) -> Vec<Message> {
    eventually("all messages have arrived", async || frames(&server.everything()).filter(|all| all.len() >= count))
        .await
}

#[tokio::test]
async fn every_field_is_read_back_over_tcp() {
    let server = Server::start(None).await;
    let sink = connect(Platform::Syslog, &[("address", &server.address.to_string()), ("tls", "false")]);
    let items = odd();
    assert_eq!(sink.deliver(&items).await, Outcome::Delivered);
    let [audit, flow] = received(&server, 2).await.try_into().unwrap();
    assert_eq!((audit.priority.as_str(), audit.time.as_str()), ("110", "2024-01-31T12:00:00.250000Z"));
    assert_eq!((audit.host.as_str(), audit.app.as_str(), audit.kind.as_str()), ("/test", "flowtrail", "route.add"));
    assert_eq!(audit.text, "a \"b\" ]c[ \\ é  d [31m");
    let data = |name: &str| audit.data[name].as_str();
    assert_eq!((data("id"), data("account"), data("kind")), ("e-1", "main", "audit"));
    assert_eq!((data("initiator"), data("target")), ("a \"b\" ]c[ \\ é  d [31m", "r1"));
    assert_eq!((data("position"), data("index")), ("FLOWTRAIL_AUDIT:1", "0"));
    let meta: serde_json::Value = serde_json::from_str(data("meta")).unwrap();
    assert_eq!(meta["k\"]"], "a \"b\" ]c[ \\ é\r\nd\u{1b}[31m");
    assert_eq!(
        serde_json::from_str::<serde_json::Value>(data("event")).unwrap(),
        json!({"status": "failure", "source": "/test"})
    );
    assert_eq!((flow.host.as_str(), flow.kind.as_str(), flow.text.as_str()), ("gw_1", "TYPE_END", "TYPE_END"));
}

#[tokio::test]
async fn a_connection_is_kept_and_a_closed_one_is_made_anew() {
    let mut server = Server::start(None).await;
    let address = server.address;
    let sink = connect(Platform::Syslog, &[("address", &address.to_string()), ("tls", "false")]);
    for batch in [audits(1..3), audits(3..5)] {
        assert_eq!(sink.deliver(&batch).await, Outcome::Delivered);
    }
    received(&server, 4).await;
    assert_eq!(server.received.lock().unwrap().len(), 1, "the connection was not kept");

    server.accepting.shutdown().await;
    let batch = audits(5..6);
    let failed = eventually("the broken connection is noticed", async || {
        let outcome = sink.deliver(&batch).await;
        matches!(&outcome, Outcome::Failed(Failure::Retry { .. })).then_some(outcome)
    });
    let Outcome::Failed(failure) = failed.await else { panic!("it failed") };
    assert!(failure.to_string().contains("connection"), "{failure}");
}

#[tokio::test]
async fn over_tls_only_a_server_that_is_trusted_gets_anything() {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned(), "127.0.0.1".to_owned()]).unwrap();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let tls = tls.with_no_client_auth().with_single_cert(vec![made.cert.der().clone()], key).unwrap();
    let server = Server::start(Some(TlsAcceptor::from(Arc::new(tls)))).await;
    let address = server.address.to_string();
    let items = odd();
    let mut roots = RootCertStore::empty();
    for is_trusted in [false, true] {
        if is_trusted {
            roots.add(made.cert.der().clone()).unwrap();
        }
        let guard = Guard::trusting("127.0.0.0/8".parse().unwrap(), roots.clone()).unwrap();
        let config = opened(Platform::Syslog, &[("address", &address)]);
        let sink = Sink::connect(Platform::Syslog, &config, &guard).unwrap();
        let outcome = sink.deliver(&items).await;
        if is_trusted {
            assert_eq!(outcome, Outcome::Delivered);
            assert_eq!(received(&server, 2).await.len(), 2);
        } else {
            assert!(
                matches!(&outcome, Outcome::Failed(Failure::Retry { reason, .. }) if reason.contains("no TLS")),
                "{outcome:?}"
            );
            assert!(server.everything().is_empty());
        }
    }
}

#[tokio::test]
async fn a_message_that_would_be_too_long_keeps_its_text_and_names_what_is_missing() {
    let server = Server::start(None).await;
    let sink = connect(Platform::Syslog, &[("address", &server.address.to_string()), ("tls", "false")]);
    let items = [sized(1, "Policy updated", 18_000), sized(2, "Policy \"é\" updated", 18_000), sized(3, "Small", 10)];
    assert_eq!(sink.deliver(&items).await, Outcome::Delivered);
    let messages = received(&server, 3).await;
    let texts: Vec<&str> = messages.iter().map(|message| message.text.as_str()).collect();
    assert_eq!(texts, ["Policy updated", "Policy \"é\" updated", "Small"]);
    for (message, missing) in messages.iter().zip([Some("event"), Some("event"), None]) {
        assert_eq!(message.data.get("truncated").map(String::as_str), missing);
        assert_eq!(message.data.contains_key("event"), missing.is_none());
        assert_eq!((message.data["initiator"].as_str(), message.data["meta"].as_str()), ("alice", "{}"));
    }
    let sizes: usize = items.iter().map(|item| sink.size(item)).sum();
    assert_eq!(server.everything().len(), sizes);
}

#[tokio::test]
async fn no_message_is_longer_than_the_server_takes_whatever_is_in_it() {
    let server = Server::start(None).await;
    let address = server.address.to_string();
    let long = ["x".repeat(5000), "é\"]".repeat(2000), String::new(), "y".repeat(200)];
    let mut items = Vec::new();
    for (sequence, text) in (1..).zip(&long) {
        for (id, actor) in [("i".to_owned(), "a"), ("\"".repeat(900), text.as_str())] {
            let event = json!({
                "event_type": "policy.update.".repeat(20), "activity": text, "actor_id": actor, "source": "h".repeat(400),
                "meta": {"k": text},
            });
            items.push(Item { id, ..audit(sequence, &event) });
        }
    }
    for most in [1024, 1100, 2048, 8192] {
        let before = server.everything().len();
        let config = [("address", address.as_str()), ("tls", "false"), ("max_message_bytes", &most.to_string())];
        assert_eq!(connect(Platform::Syslog, &config).deliver(&items).await, Outcome::Delivered);
        let messages = eventually("all messages have arrived", async || {
            frames(&server.everything()[before..]).filter(|all| all.len() == items.len())
        })
        .await;
        assert!(messages.iter().all(|message| message.length <= most), "{most}");
        for (message, item) in messages.iter().zip(&items) {
            let Kind::Audit(event) = &item.kind else { panic!("it is one") };
            assert!(message.text == event.activity() || event.activity().len() > 300, "{most}: {}", message.text);
            assert!(most > 1024 || message.data["truncated"].contains("event"));
            assert!(message.data.contains_key("id") || item.id.len() > 1);
        }
    }
}

#[tokio::test]
async fn one_message_a_line_where_the_server_wants_lines() {
    let server = Server::start(None).await;
    let address = server.address.to_string();
    let config = [("address", address.as_str()), ("tls", "false"), ("framing", "newline")];
    let items = odd();
    assert_eq!(connect(Platform::Syslog, &config).deliver(&items).await, Outcome::Delivered);
    let lines = eventually("both have arrived", async || {
        let text = String::from_utf8(server.everything()).unwrap();
        (text.matches('\n').count() == 2 && text.ends_with('\n')).then_some(text)
    })
    .await;
    let messages: Vec<Message> = lines.lines().map(|line| message(line).unwrap()).collect();
    assert_eq!(messages[0].text, "a \"b\" ]c[ \\ é  d [31m");
    assert_eq!(messages[1].data["id"], "r-2");
}

#[tokio::test]
async fn a_connection_that_is_closed_over_a_batch_has_not_delivered_it() {
    for read_first in [false, true] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let mut accepting = JoinSet::new();
        accepting.spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                // Some of it is read, or nothing at all.
                stream.readable().await.unwrap();
                let mut buffer = [0; 100];
                if read_first {
                    stream.read_exact(&mut buffer).await.unwrap();
                }
            }
        });
        let sink = connect(Platform::Syslog, &[("address", &address), ("tls", "false")]);
        for _ in 0..2 {
            let outcome = sink.deliver(&audits(1..28)).await;
            let Outcome::Failed(Failure::Retry { reason, .. }) = outcome else { panic!("{outcome:?}") };
            assert!(reason.contains("connection"), "{reason}");
        }
    }
}

#[test]
fn what_is_no_bound_or_framing_is_named() {
    for (key, values) in [("max_message_bytes", ["0", "1023", "many"]), ("framing", ["lines", "LF", "nul"])] {
        for value in values {
            let config = [("address", "10.0.0.1:514"), (key, value)];
            let config = config.map(|(key, value)| (key.to_owned(), value.to_owned())).into();
            let rejected = Platform::Syslog.read_config(config).unwrap_err();
            assert!(rejected.to_string().starts_with(&format!("config.{key}: must be")), "{rejected}");
        }
    }
}
