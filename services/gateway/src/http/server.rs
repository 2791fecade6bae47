//! The listening side: takes in connections, bounds them, and ends them in good order.
//!
//! Invariant: whatever a client does or leaves undone, each thing it may do has an end: headers, a body (see
//! [`crate::http::body`]), taking the answer, and doing nothing.

mod bounds;
mod connection;
mod ending;
mod multiplexed;
mod paced;
mod seats;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use std::{io, iter};

use axum::Router;
use runtime::settings::LimitSettings;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tracing::{debug, warn};

pub(crate) use self::ending::Ending;
use self::seats::Seats;
use crate::http::at_once::AtOnce;
use crate::http::proxies::Proxies;
use crate::http::tls::Tls;

/// How long requests under way may still take when the gateway stops.
const ENDS_WITHIN: Duration = Duration::from_secs(10);
/// The pause after a connection could not be taken in: too many files are open, mostly.
const PAUSE: Duration = Duration::from_millis(100);

/// How many connections there may be. Cheap to clone; clones change together.
#[derive(Clone, Debug)]
pub(crate) struct Room {
    connections: Arc<AtomicUsize>,
    of_address: AtOnce,
}

impl Room {
    pub(crate) fn new(limits: &LimitSettings) -> Self {
        let connections = Arc::new(limits.connections.into());
        Self { connections, of_address: AtOnce::new(limits.connections_address) }
    }

    /// Changes that. Connections that there are stay.
    pub(crate) fn set(&self, limits: &LimitSettings) {
        self.connections.store(limits.connections, Ordering::Relaxed);
        self.of_address.set_most(limits.connections_address);
    }

    fn is_left_beside(&self, connections: usize) -> bool {
        connections < self.connections.load(Ordering::Relaxed)
    }
}

/// Where connections come in, and how.
pub(crate) struct Entrance {
    pub(crate) listener: TcpListener,
    pub(crate) room: Room,
    /// None: without TLS.
    pub(crate) tls: Option<Tls>,
    pub(crate) proxies: Proxies,
}

/// Answers until `ending`, and ends in good order. The router is gone afterwards.
pub(crate) async fn answer(entrance: Entrance, router: Router, ending: Ending) {
    let Entrance { listener, room, tls, proxies } = entrance;
    let seats = Seats::new(room.of_address.clone(), proxies.clone());
    let mut connections = JoinSet::new();
    let take_in = |connections: &mut JoinSet<()>, stream: TcpStream, from: SocketAddr| {
        // One that came over IPv4 is written as such, whatever the listener is.
        let address = from.ip().to_canonical();
        match seats.take(address) {
            Some(seat) => {
                let origin = (address, proxies.clone());
                let serving = connection::serve(stream, origin, (router.clone(), tls.clone()), ending.clone());
                connections.spawn(async move {
                    serving.await;
                    drop(seat);
                });
            }
            // Closed without an answer: an answer would cost what the bound is there to save.
            None => debug!(%address, "an address has as many connections as it may have"),
        }
    };
    loop {
        tokio::select! {
            // In this order, so that clients who keep connecting cannot hold up the end, nor connections that have
            // ended be counted as open.
            biased;
            () = ending.closes() => break,
            Some(_) = connections.join_next() => {}
            // With all connections taken, the others wait in the system's queue: better late than refused.
            accepted = listener.accept(), if room.is_left_beside(connections.len()) => match accepted {
                Ok((stream, from)) => take_in(&mut connections, stream, from),
                Err(error) => pause_after(&error).await,
            },
        }
    }
    // Those that wait in the system's queue are there for their clients, and would be cut off with it.
    for (stream, from) in waiting(listener) {
        take_in(&mut connections, stream, from);
    }
    // From now on new connections are refused by the system, so that a balancer in front tries another gateway.
    let drain = async { while connections.join_next().await.is_some() {} };
    if timeout(ENDS_WITHIN, drain).await.is_err() {
        warn!("requests were cut off: they took too long to end");
        connections.shutdown().await;
    }
}

/// The connections that wait to be taken in; nobody listens any more afterwards.
fn waiting(listener: TcpListener) -> Vec<(TcpStream, SocketAddr)> {
    // Asked as the system has it: what tokio knows of a listener may be older.
    let Ok(listener) = listener.into_std() else { return Vec::new() };
    let accept = || {
        let (stream, from) = listener.accept().ok()?;
        stream.set_nonblocking(true).ok()?;
        Some((TcpStream::from_std(stream).ok()?, from))
    };
    iter::from_fn(accept).collect()
}

async fn pause_after(error: &io::Error) {
    warn!(%error, "a connection cannot be taken in");
    sleep(PAUSE).await;
}
