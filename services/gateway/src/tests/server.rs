use std::io::ErrorKind;
use std::time::{Duration, Instant};

use model::log::Subject;
use model::paging::RowPosition;
use runtime::metrics::Metrics;
use runtime::settings::LimitSettings;
use serde_json::json;
use testkit::eventually;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::world::{World, account_id, at};
use crate::http::cors::Origins;
use crate::lists::cursor;
use crate::{Adjustable, Error, Proxies, Reader, Settings, serve};

pub(super) struct Serving {
    pub(super) world: World,
    pub(super) address: String,
    pub(super) stop: CancellationToken,
    pub(super) tasks: JoinSet<Result<(), Error>>,
}

async fn serving() -> Serving {
    serving_with(settings()).await
}

/// A gateway without limits that nobody is told of.
pub(super) fn settings() -> Settings {
    Settings {
        records_reads: false,
        provider: None,
        tls: None,
        metrics: Metrics::default(),
        leaves_for: Duration::ZERO,
        adjustable: watch::channel(adjustable()).1,
    }
}

fn adjustable() -> Adjustable {
    Adjustable { limits: LimitSettings::NONE, origins: Origins::Any, proxies: Proxies::default() }
}

/// The same, of which this is different from the start.
fn adjusted(adjustable: Adjustable) -> Settings {
    Settings { adjustable: watch::channel(adjustable).1, ..settings() }
}

pub(super) async fn serving_with(settings: Settings) -> Serving {
    let world = World::start().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let stop = CancellationToken::new();
    let mut tasks = JoinSet::new();
    let reader = Reader::Local(world.views.clone());
    tasks.spawn(serve(listener, reader, world.bus.clone(), settings, stop.clone()));
    Serving { world, address, stop, tasks }
}

impl Serving {
    pub(super) async fn connect(&self, text: &str) -> TcpStream {
        let mut stream = TcpStream::connect(&self.address).await.unwrap();
        stream.write_all(text.as_bytes()).await.unwrap();
        stream
    }
}

/// Reads until the answer holds `end`, or until the server closes.
pub(super) async fn read(stream: &mut (impl AsyncRead + Unpin), end: &str) -> String {
    let mut answer = Vec::new();
    let mut buffer = [0; 4096];
    while !String::from_utf8_lossy(&answer).contains(end) {
        match stream.read(&mut buffer).await.unwrap() {
            0 => break,
            count => answer.extend_from_slice(&buffer[..count]),
        }
    }
    String::from_utf8(answer).unwrap()
}

#[tokio::test]
async fn requests_are_answered_on_one_connection_until_the_server_stops() {
    let mut serving = serving().await;
    let mut stream = serving.connect("GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n").await;
    assert!(read(&mut stream, "alive").await.starts_with("HTTP/1.1 200 OK\r\n"));
    stream.write_all(b"GET /nowhere HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    assert!(read(&mut stream, "nothing").await.starts_with("HTTP/1.1 404 Not Found\r\n"));
    serving.stop.cancel();
    serving.tasks.join_next().await.unwrap().unwrap().unwrap();
    // An idle connection is closed, and no new one is taken in.
    assert_eq!(read(&mut stream, "\0").await, "");
    assert!(TcpStream::connect(&serving.address).await.is_err());
}

#[tokio::test]
async fn a_gateway_that_leaves_says_so_and_answers_on_and_every_answer_is_the_last_of_its_connection() {
    let serving = serving_with(Settings { leaves_for: Duration::from_secs(3600), ..settings() }).await;
    let asked = async |path: &str| {
        let mut stream = serving.connect(&format!("GET {path} HTTP/1.1\r\nhost: x\r\n\r\n")).await;
        // To its end, where the server closes; else to that of the answer.
        let end = if serving.stop.is_cancelled() { "\0" } else { "\"}" };
        read(&mut stream, end).await
    };
    let ready = asked("/readyz").await;
    assert!(ready.starts_with("HTTP/1.1 200 OK\r\n") && !ready.contains("connection: close"), "{ready}");
    let mut idle = serving.connect("GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n").await;
    assert!(!read(&mut idle, "alive\"}").await.contains("connection: close"));

    serving.stop.cancel();
    let ready = asked("/readyz").await;
    assert!(ready.starts_with("HTTP/1.1 503 "), "{ready}");
    assert!(ready.contains("this gateway is about to end") && ready.contains("connection: close"), "{ready}");
    let alive = asked("/healthz").await;
    assert!(alive.starts_with("HTTP/1.1 200 OK\r\n") && alive.contains("connection: close"), "{alive}");
    // So does one that was idle, once more.
    idle.write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    assert!(read(&mut idle, "\0").await.contains("connection: close"));
}

#[tokio::test]
async fn a_request_under_way_is_answered_while_the_server_stops() {
    let mut serving = serving().await;
    let token = serving.world.admin();
    let head = format!("POST /api/event-streaming HTTP/1.1\r\nhost: x\r\nx-api-key: {token}\r\ncontent-length: 2\r\n");
    let mut stream = serving.connect(&format!("{head}expect: 100-continue\r\n\r\n")).await;
    // The body is asked for, so the request is under way.
    assert!(read(&mut stream, "100 Continue").await.contains("100 Continue"));
    serving.stop.cancel();
    stream.write_all(b"{}").await.unwrap();
    let answer = read(&mut stream, "is required").await;
    assert!(answer.contains("400 Bad Request") && answer.contains("platform: is required"), "{answer}");
    serving.tasks.join_next().await.unwrap().unwrap().unwrap();
}

#[tokio::test]
async fn a_client_that_waits_for_leave_is_told_413_before_it_sends_anything() {
    let serving = serving().await;
    let token = serving.world.admin();
    let head =
        format!("POST /api/events/audit HTTP/1.1\r\nhost: x\r\nx-api-key: {token}\r\ncontent-length: 99999999\r\n");
    let mut stream = serving.connect(&format!("{head}expect: 100-continue\r\n\r\n")).await;
    assert!(read(&mut stream, "\r\n\r\n").await.starts_with("HTTP/1.1 413 Payload Too Large\r\n"));
}

#[tokio::test]
async fn a_client_that_sends_too_much_still_gets_its_413() {
    let serving = serving().await;
    let token = serving.world.admin();
    let head = format!("POST /api/events/audit HTTP/1.1\r\nhost: x\r\nx-api-key: {token}\r\n");
    let megabyte = "x".repeat(1 << 20);
    for length in ["content-length: 16777216\r\n\r\n", "transfer-encoding: chunked\r\n\r\n"] {
        let mut stream = serving.connect(&format!("{head}{length}")).await;
        for _ in 0..16 {
            let frame = if length.starts_with('c') { megabyte.clone() } else { format!("100000\r\n{megabyte}\r\n") };
            stream.write_all(frame.as_bytes()).await.unwrap();
        }
        if length.starts_with('t') {
            stream.write_all(b"0\r\n\r\n").await.unwrap();
        }
        assert!(read(&mut stream, "\r\n\r\n").await.starts_with("HTTP/1.1 413 Payload Too Large\r\n"), "{length}");
    }
}

#[tokio::test]
async fn headers_that_drip_are_cut_off_after_eight_seconds() {
    let serving = serving().await;
    let started = Instant::now();
    let mut stream = serving.connect("GET /healthz HTTP/1.1\r\n").await;
    let mut buffer = [0; 1];
    // Dripping does not start the clock again.
    while tokio::time::timeout(Duration::from_secs(1), stream.read(&mut buffer)).await.is_err() {
        if stream.write_all(b"x: y\r\n").await.is_err() {
            break;
        }
    }
    let took = started.elapsed();
    assert!((Duration::from_secs(7)..Duration::from_secs(11)).contains(&took), "{took:?}");
}

/// The address that a sign-in is recorded with which says that it is forwarded.
async fn recorded_address(serving: &Serving) -> serde_json::Value {
    serving.world.user("main", "a@x", "p");
    let body = r#"{"username":"a@x","password":"wrong"}"#;
    let head = "POST /api/ni/auth/token HTTP/1.1\r\nhost: x\r\nx-forwarded-for: 198.51.100.1, 192.0.2.1\r\n";
    let mut stream = serving.connect(&format!("{head}content-length: {}\r\n\r\n{body}", body.len())).await;
    assert!(read(&mut stream, "is wrong").await.starts_with("HTTP/1.1 401 Unauthorized\r\n"));
    let recorded = serving.world.bus.load(&Subject::audit(&account_id("main"), "flowtrail")).await.unwrap();
    let event: serde_json::Value = serde_json::from_slice(&recorded[0].payload).unwrap();
    event["data"]["ip_address"].clone()
}

#[tokio::test]
async fn a_sign_in_is_recorded_with_the_address_of_its_connection() {
    assert_eq!(recorded_address(&serving().await).await, "127.0.0.1");
}

#[tokio::test]
async fn behind_a_trusted_proxy_a_sign_in_is_recorded_with_the_address_that_the_proxy_was_asked_from() {
    let proxies = "127.0.0.0/8".parse().unwrap();
    let serving = serving_with(adjusted(Adjustable { proxies, ..adjustable() })).await;
    assert_eq!(recorded_address(&serving).await, "192.0.2.1");
}

#[tokio::test]
async fn limits_count_by_the_address_that_a_trusted_proxy_was_asked_from() {
    let limits = LimitSettings { rate_sign_ins: 2, ..LimitSettings::NONE };
    let proxies = "127.0.0.0/8".parse().unwrap();
    let trusting = serving_with(adjusted(Adjustable { limits, proxies, ..adjustable() })).await;
    let not_trusting = serving_with(adjusted(Adjustable { limits, ..adjustable() })).await;
    let status = async |serving: &Serving, forwarded: &str| {
        let body = r#"{"username":"a@x","password":"wrong"}"#;
        let head = "POST /api/ni/auth/token HTTP/1.1\r\nhost: x\r\nconnection: close\r\n";
        let length = body.len();
        let mut stream = serving
            .connect(&format!("{head}x-forwarded-for: {forwarded}\r\ncontent-length: {length}\r\n\r\n{body}"))
            .await;
        read(&mut stream, "\r\n\r\n").await.split(' ').nth(1).unwrap().to_owned()
    };
    // What a client says of itself stands before what the proxy says of it.
    for (forwarded, expected) in [
        ("192.0.2.1", "401"),
        ("198.51.100.1, 192.0.2.1", "401"),
        ("198.51.100.2, 192.0.2.1", "429"),
        ("192.0.2.2", "401"),
    ] {
        assert_eq!(status(&trusting, forwarded).await, expected, "{forwarded}");
    }
    for (forwarded, expected) in [("192.0.2.1", "401"), ("192.0.2.2", "401"), ("192.0.2.3", "429")] {
        assert_eq!(status(&not_trusting, forwarded).await, expected, "{forwarded}");
    }
}

#[tokio::test]
async fn every_gateway_signs_cursors_with_the_same_key() {
    let world = World::start().await;
    let (one, other) = tokio::join!(cursor::Key::load(&world.bus), cursor::Key::load(&world.bus));
    let scope = cursor::Binding::new("audit", &account_id("main"), &()).unwrap();
    let place = RowPosition { time: at(1), id: "e1".to_owned() };
    let cursor = one.unwrap().seal(&scope, &place);
    assert_eq!(other.unwrap().open(&scope, &cursor).unwrap(), place);
    let later = cursor::Key::load(&world.bus).await.unwrap();
    assert_eq!(later.open(&scope, &cursor).unwrap(), place);
}

#[tokio::test]
async fn a_key_for_cursors_that_is_damaged_is_refused_with_what_to_do() {
    let world = World::start().await;
    world.bus.keys().create("gateway-cursor", "too short".into()).await.unwrap();
    let refused = cursor::Key::load(&world.bus).await.unwrap_err().to_string();
    assert!(refused.contains("gateway-cursor") && refused.contains("delete it"), "{refused}");
}

#[tokio::test]
async fn headers_that_are_too_large_or_too_many_are_refused() {
    let serving = serving().await;
    let large = format!("x: {}\r\n", "y".repeat(200_000));
    let many = "x: y\r\n".repeat(101);
    for headers in [large, many] {
        let mut stream = serving.connect("GET /healthz HTTP/1.1\r\n").await;
        // It may answer and close before it has read everything.
        let _ = stream.write_all(format!("{headers}\r\n").as_bytes()).await;
        let answer = read(&mut stream, "\r\n\r\n").await;
        assert!(answer.starts_with("HTTP/1.1 431 Request Header Fields Too Large\r\n"), "{answer}");
    }
}

#[tokio::test]
async fn an_address_has_so_many_connections_and_the_next_one_is_closed() {
    let limits = LimitSettings { connections_address: 2, ..LimitSettings::NONE };
    let serving = serving_with(adjusted(Adjustable { limits, ..adjustable() })).await;
    let alive = "GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n";
    let mut first = serving.connect(alive).await;
    let mut second = serving.connect(alive).await;
    for stream in [&mut first, &mut second] {
        assert!(read(stream, "alive").await.starts_with("HTTP/1.1 200 OK\r\n"));
    }
    let mut third = TcpStream::connect(&serving.address).await.unwrap();
    assert!(matches!(third.read(&mut [0; 1]).await, Ok(0) | Err(_)), "it is closed");
    drop(first);
    eventually("a connection that ended makes room", async || {
        let mut stream = TcpStream::connect(&serving.address).await.ok()?;
        stream.write_all(alive.as_bytes()).await.ok()?;
        let mut status = [0; 12];
        stream.read_exact(&mut status).await.ok()?;
        (&status == b"HTTP/1.1 200").then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_client_that_never_reads_its_answers_is_cut_off() {
    let serving = serving().await;
    let text = "x".repeat(100_000);
    for number in 0..10 {
        serving.world.audit("main", &format!("e{number}"), number, &json!({"event_type": "a", "actor_id": text}));
    }
    // More than the system takes off our hands: a hundred answers of a megabyte.
    let token = serving.world.admin();
    let requests = format!("GET /api/events/audit HTTP/1.1\r\nhost: x\r\nx-api-key: {token}\r\n\r\n").repeat(100);
    let stream = serving.connect(&requests).await;
    let cut_off = async {
        // The system says so to a program that sends to a connection that is gone.
        while !stream.try_write(b"x").is_err_and(|error| error.kind() != ErrorKind::WouldBlock) {
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), cut_off).await.unwrap();
}
