//! HTTP/2: many requests over one connection.
//!
//! Invariants: what a request runs on ends with its connection; a connection without a request ends as soon as one of
//! HTTP/1.1 does, and so does one whose client leaves an answer lying.

mod answers;

use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};

use axum::response::Response;
use hyper::Request;
use hyper::body::Incoming;
use hyper::rt::Executor;
use hyper::server::conn::http2;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::task::JoinSet;
use tracing::debug;

use self::answers::{Answers, Over};
use super::bounds::{MAX_HEADER_BYTES, PACE};
use super::ending::Ending;

/// Requests at a time over one connection; a client with more waits.
const MAX_REQUESTS: u32 = 100;

/// Answers the requests of a connection until it ends, or `ending`.
pub(super) async fn serve<S, R>(stream: S, router: R, ending: Ending)
where
    S: AsyncRead + AsyncWrite + Unpin,
    R: Service<Request<Incoming>, Response = Response>,
    R::Future: Send + 'static,
    R::Error: Into<Box<dyn std::error::Error + Send + Sync>> + 'static,
{
    let answers = Answers::default();
    let router = service_fn(|request: Request<Incoming>| {
        let (answer, answering) = (answers.begin(), router.call(request));
        async move { Ok::<_, R::Error>(answering.await?.map(|body| answer.of(body))) }
    });
    let mut http = http2::Builder::new(Requests::default());
    http.timer(TokioTimer::new())
        .max_header_list_size(u32::try_from(MAX_HEADER_BYTES).unwrap_or(u32::MAX))
        .max_concurrent_streams(MAX_REQUESTS)
        .max_send_buf_size(PACE.bytes);
    let mut connection = pin!(http.serve_connection(TokioIo::new(stream), router));
    let ended = tokio::select! {
        ended = connection.as_mut() => Some(ended),
        over = answers.over() => match over {
            Over::Idle => None,
            Over::LeftLying => return debug!("a client does not read its answer"),
        },
        () = ending.closes() => None,
    };
    let ended = match ended {
        Some(ended) => ended,
        None => {
            // Ends after the answers under way, and at once where there is none; a client that does not say that it knows
            // is waited for as long as one that asks nothing.
            connection.as_mut().graceful_shutdown();
            answers.idle_from_now();
            tokio::select! {
                ended = connection => ended,
                _ = answers.over() => return debug!("a client does not end its connection"),
            }
        }
    };
    if let Err(error) = ended {
        debug!(%error, "a connection broke off");
    }
}

/// What the requests of a connection run on. They end when it is dropped.
#[derive(Clone, Debug, Default)]
struct Requests(Arc<Mutex<JoinSet<()>>>);

impl<F: Future<Output = ()> + Send + 'static> Executor<F> for Requests {
    fn execute(&self, request: F) {
        let mut running = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Those that have ended are let go of.
        while running.try_join_next().is_some() {}
        running.spawn(request);
    }
}
