//! One connection, from its first byte to its last: TLS where it is spoken here, then HTTP/1.1 or HTTP/2.

use std::net::IpAddr;
use std::pin::pin;

use axum::Router;
use axum::http::HeaderValue;
use axum::http::header::CONNECTION;
use axum::response::Response;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tracing::debug;

use super::bounds::{HEADERS_WITHIN, MAX_HEADER_BYTES, PACE, TAKEN_WITHIN_MILLIS};
use super::ending::Ending;
use super::multiplexed;
use super::paced::Paced;
use crate::http::origin::{OverTls, Peer};
use crate::http::proxies::Proxies;
use crate::http::tls::{HTTP_2, Tls};

/// Answers the requests of a connection until it ends, or `ending`.
pub(super) async fn serve(
    stream: TcpStream,
    (connected, proxies): (IpAddr, Proxies),
    (router, tls): (Router, Option<Tls>),
    ending: Ending,
) {
    // Answers go out when they are written; without it a small one may wait for the client's acknowledgement.
    if let Err(error) = stream.set_nodelay(true) {
        debug!(%error, "a connection is gone already");
    }
    bound_sending(&stream);
    let router = TowerToHyperService::new(router);
    let is_tls_here = tls.is_some();
    let router = service_fn(move |mut request: Request<Incoming>| {
        let client = Peer(proxies.client(connected, request.headers()));
        let over_tls = OverTls(is_tls_here || proxies.say_tls(connected, request.headers()));
        request.extensions_mut().insert(client);
        request.extensions_mut().insert(over_tls);
        router.call(request)
    });
    // Below TLS, so that what an agreement on a cipher sends has to be taken, too.
    let stream = Paced::new(stream, PACE, forget);
    let Some(tls) = tls else { return one_by_one(stream, router, ending).await };
    let agreed = tokio::select! {
        agreed = timeout(HEADERS_WITHIN, tls.acceptor().accept(stream)) => agreed,
        () = ending.closes_idle() => return,
    };
    match agreed {
        Ok(Ok(stream)) if stream.get_ref().1.alpn_protocol() == Some(HTTP_2) => {
            multiplexed::serve(stream, router, ending).await;
        }
        Ok(Ok(stream)) => one_by_one(stream, router, ending).await,
        Ok(Err(error)) => debug!(%error, "a client did not agree on TLS"),
        Err(_) => debug!("a client took too long to agree on TLS"),
    }
}

/// HTTP/1.1.
async fn one_by_one<S, R>(stream: S, router: R, ending: Ending)
where
    S: AsyncRead + AsyncWrite + Unpin,
    R: Service<Request<Incoming>, Response = Response>,
    R::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let router = service_fn(|request: Request<Incoming>| {
        let answering = router.call(request);
        async {
            let mut answer = answering.await?;
            if ending.is_leaving() {
                // So the client sends its next request over another connection, and none over one that is being closed.
                answer.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
            }
            Ok::<_, R::Error>(answer)
        }
    });
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEADERS_WITHIN).max_buf_size(MAX_HEADER_BYTES);
    let mut connection = pin!(http.serve_connection(TokioIo::new(stream), router));
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = ending.closes_idle() => {
            // Ends at once where no request is under way, else after its answer.
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        debug!(%error, "a connection broke off");
    }
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
