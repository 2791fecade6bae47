//! Clients that are slow on purpose are cut off, and hold up nobody.
//!
//! `just drill-slow` does it with 500 of them and looks at the clock: see the variable below.

use std::io::ErrorKind;
use std::time::{Duration, Instant};

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::task::JoinSet;

use crate::flowtrail::{Flowtrail, Topology};

/// How many slow clients there are. When it is set, times are printed, and must be good.
const SOCKETS: &str = "FLOWTRAIL_DRILL_SOCKETS";
/// Headers, a body that makes no progress, an answer that nobody takes: after so long, each must have ended.
const CLOSED_WITHIN: Duration = Duration::from_secs(10);
/// Longer than that, a connection counts as never closed.
const PATIENCE: Duration = Duration::from_secs(120);

#[derive(Clone, Copy, Debug)]
enum Slow {
    /// Sends a byte of a header each second.
    Headers,
    /// Sends a byte of a body each second.
    Body,
    /// Asks for a page and does not read it.
    Reader,
}

impl Slow {
    const ALL: [Self; 3] = [Self::Headers, Self::Body, Self::Reader];

    fn request(self, token: &str) -> String {
        let head = |line: &str| format!("{line} HTTP/1.1\r\nhost: x\r\nx-api-key: {token}\r\n");
        match self {
            Self::Headers => head("GET /api/events/audit"),
            Self::Body => head("POST /api/events/audit") + "content-length: 1000000\r\n\r\n[",
            Self::Reader => head("GET /api/events/audit?limit=500") + "\r\n",
        }
    }

    /// Stays as long as the server lets it, and says how long that was.
    async fn stay(self, address: String, token: String) -> Duration {
        let started = Instant::now();
        let socket = TcpSocket::new_v4().unwrap();
        // So that an answer does not fit into what the system keeps for a client that does not read.
        socket.set_recv_buffer_size(4096).unwrap();
        let mut stream = socket.connect(address.parse().unwrap()).await.unwrap();
        stream.write_all(self.request(&token).as_bytes()).await.unwrap();
        let staying = async {
            match self {
                Self::Headers => assert_eq!(drip(&mut stream).await, ""),
                Self::Body => {
                    let answer = drip(&mut stream).await;
                    assert!(answer.starts_with("HTTP/1.1 408 Request Timeout\r\n"), "{answer:?}");
                }
                Self::Reader => while !is_broken(&stream).await {},
            }
        };
        tokio::time::timeout(PATIENCE, staying).await.unwrap_or_else(|_| panic!("{self:?} is never cut off"));
        started.elapsed()
    }
}

/// So many slow clients, on a thread of their own: what they do must not delay the client that looks at the clock.
fn stay_all(sockets: usize, address: &str, token: &str) -> Vec<Duration> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut slow = JoinSet::new();
        for kind in Slow::ALL.into_iter().cycle().take(sockets) {
            slow.spawn(kind.stay(address.to_owned(), token.to_owned()));
        }
        slow.join_all().await
    })
}

/// Sends a byte each second until the server closes; gives what it said.
async fn drip(stream: &mut TcpStream) -> String {
    let mut said = Vec::new();
    let mut buffer = [0; 1024];
    loop {
        match tokio::time::timeout(Duration::from_secs(1), stream.read(&mut buffer)).await {
            Ok(Ok(0) | Err(_)) => return String::from_utf8(said).unwrap(),
            Ok(Ok(count)) => said.extend_from_slice(&buffer[..count]),
            Err(_) => {
                // What is wrong with the connection, reading says.
                let _ = stream.write_all(b"x").await;
            }
        }
    }
}

/// Looks four times a second, without reading: what is sent to a connection that the other end has given up breaks it.
async fn is_broken(stream: &TcpStream) -> bool {
    tokio::time::sleep(Duration::from_millis(250)).await;
    stream.try_write(b"x").is_err_and(|error| error.kind() != ErrorKind::WouldBlock)
}

/// How long a client that is not slow waits for each answer, asking until `done`.
async fn read_until(flowtrail: &Flowtrail, done: impl Fn(usize) -> bool) -> Vec<Duration> {
    let mut took = Vec::new();
    while !done(took.len()) {
        let started = Instant::now();
        flowtrail.get("/api/events/audit?limit=50").await;
        took.push(started.elapsed());
    }
    took.sort();
    took
}

fn p99(sorted: &[Duration]) -> Duration {
    sorted[(sorted.len() * 99).div_ceil(100) - 1]
}

#[tokio::test]
async fn slow_clients_are_cut_off_while_others_are_answered() {
    let given = std::env::var_os(SOCKETS).map(|text| text.to_str().unwrap().parse().unwrap());
    let sockets: usize = given.unwrap_or(60);
    // The client that looks at the clock asks as fast as it is answered.
    let unlimited = [("FLOWTRAIL_RATE_READS", "0"), ("FLOWTRAIL_RATE_ADDRESS", "0")];
    let flowtrail = Flowtrail::start_with(Topology::Together, &unlimited).await;
    let events: Vec<_> = (0..2000).map(|n| json!({"event_type": "door.open", "resource_id": n.to_string()})).collect();
    let stored = flowtrail.request("POST", "/api/events/audit").json(&events).send().await.unwrap();
    assert_eq!(stored.status(), 202);
    let before = read_until(&flowtrail, |count| count == 2000).await;

    let address = flowtrail.url.strip_prefix("http://").unwrap().to_owned();
    let token = flowtrail.token.clone();
    let slow = std::thread::spawn(move || stay_all(sockets, &address, &token));
    let ends = Instant::now() + CLOSED_WITHIN;
    let during = read_until(&flowtrail, |_| Instant::now() > ends).await;
    let mut stayed = slow.join().unwrap();
    stayed.sort();
    let (longest, before, during) =
        (stayed.last().unwrap(), (before.len(), p99(&before)), (during.len(), p99(&during)));
    assert!(during.0 > 0);
    println!("{sockets} slow clients, the last one cut off after {longest:?}");
    println!("reads before: {}, p99 {:?}; during: {}, p99 {:?}", before.0, before.1, during.0, during.1);
    if given.is_some() {
        assert!(*longest < CLOSED_WITHIN);
        assert!(during.1 < before.1 * 2, "slow clients hold up others");
    }
}
