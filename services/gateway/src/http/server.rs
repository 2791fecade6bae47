//! The listening side: takes in connections, bounds them, and ends them in good order.
//!
//! Invariant: whatever a client does or leaves undone, each thing it may do has an end: headers, a body (see
//! [`crate::http::body`]), taking the answer, and doing nothing.

mod paced;
mod seats;

use std::io;
use std::pin::pin;
use std::time::Duration;

use axum::Router;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use runtime::settings::LimitSettings;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

use self::paced::{Pace, Paced};
use self::seats::Seats;
use crate::http::origin::Peer;

/// How long a client may take over the headers of a request, and how long a connection may idle between two.
///
/// Less than ten seconds, so that after ten the connection is gone.
const HEADERS_WITHIN: Duration = Duration::from_secs(8);
/// How long requests under way may still take when the gateway stops.
const ENDS_WITHIN: Duration = Duration::from_secs(10);
/// A request's line and headers may have at least so many bytes; soon after, they are a 431, as over 100 headers are.
const MAX_HEADER_BYTES: usize = 64 << 10;
/// How fast answers must be taken.
const PACE: Pace = Pace { bytes: 64 << 10, within: Duration::from_millis(TAKEN_WITHIN_MILLIS as u64) };
/// The time of [`PACE`], as the system wants it.
const TAKEN_WITHIN_MILLIS: u32 = 8000;
/// The pause after a connection could not be taken in: too many files are open, mostly.
const PAUSE: Duration = Duration::from_millis(100);

/// Answers until `stop`, and ends in good order. The router is gone afterwards.
pub(crate) async fn answer(listener: TcpListener, router: Router, limits: LimitSettings, stop: CancellationToken) {
    let seats = Seats::new(limits.connections_address);
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            // In this order, so that clients who keep connecting cannot hold up the end, nor connections that have
            // ended be counted as open.
            biased;
            () = stop.cancelled() => break,
            Some(_) = connections.join_next() => {}
            // With all connections taken, the others wait in the system's queue: better late than refused.
            accepted = listener.accept(), if connections.len() < limits.connections => match accepted {
                Ok((stream, from)) => {
                    // One that came over IPv4 is written as such, whatever the listener is.
                    let address = from.ip().to_canonical();
                    match seats.take(address) {
                        Some(seat) => {
                            let serving = serve_connection(stream, Peer(address), router.clone(), stop.clone());
                            connections.spawn(async move { serving.await; drop(seat); });
                        }
                        // Closed without an answer: an answer would cost what the bound is there to save.
                        None => debug!(%address, "an address has as many connections as it may have"),
                    }
                }
                Err(error) => pause_after(&error).await,
            },
        }
    }
    // From now on new connections are refused by the system, so that a balancer in front tries another gateway.
    drop(listener);
    let drain = async { while connections.join_next().await.is_some() {} };
    if timeout(ENDS_WITHIN, drain).await.is_err() {
        warn!("requests were cut off: they took too long to end");
        connections.shutdown().await;
    }
}

async fn pause_after(error: &io::Error) {
    warn!(%error, "a connection cannot be taken in");
    sleep(PAUSE).await;
}

/// Bounds how long the system itself keeps what a client does not take: an answer that fits into its buffers is gone
/// for us, and so may the connection be.
#[cfg(target_os = "linux")]
fn bound_sending(stream: &TcpStream) {
    if let Err(error) = rustix::net::sockopt::set_tcp_user_timeout(stream, TAKEN_WITHIN_MILLIS) {
        debug!(%error, "a connection is gone already");
    }
}

/// Elsewhere the system has bounds of its own.
#[cfg(not(target_os = "linux"))]
fn bound_sending(_: &TcpStream) {}

/// Lets the system drop what is still to be sent. It would otherwise keep that, and try on, for minutes.
fn forget(stream: &TcpStream) {
    if let Err(error) = stream.set_zero_linger() {
        debug!(%error, "a connection is gone already");
    }
}

async fn serve_connection(stream: TcpStream, peer: Peer, router: Router, stop: CancellationToken) {
    // Answers go out when they are written; without it a small one may wait for the client's acknowledgement.
    if let Err(error) = stream.set_nodelay(true) {
        debug!(%error, "a connection is gone already");
    }
    bound_sending(&stream);
    let router = TowerToHyperService::new(router);
    let router = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(peer);
        router.call(request)
    });
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEADERS_WITHIN).max_buf_size(MAX_HEADER_BYTES);
    let stream = TokioIo::new(Paced::new(stream, PACE, forget));
    let mut connection = pin!(http.serve_connection(stream, router));
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stop.cancelled() => {
            // Ends at once where no request is under way, else after its answer.
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        debug!(%error, "a connection broke off");
    }
}
