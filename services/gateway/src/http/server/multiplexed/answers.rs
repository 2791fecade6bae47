//! What the answers of a connection wait for: us, or a client that leaves them lying.
//!
//! Over HTTP/2 a client takes each answer at its own pace, so that one which it leaves lying is not seen by the
//! connection's writes waiting, as with HTTP/1.1: its body is not asked for more.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};

use axum::body::{Body, Bytes, HttpBody};
use hyper::body::{Frame, SizeHint};
use tokio::time::{Instant, sleep_until};

use crate::http::server::bounds::{HEADERS_WITHIN, PACE};

/// The answers of one connection. Clones share them.
#[derive(Clone, Debug)]
pub(super) struct Answers(Arc<Mutex<UnderWay>>);

#[derive(Debug)]
struct UnderWay {
    /// The requests so far, each of which has its number.
    begun: u64,
    /// The requests that are not answered whole.
    open: usize,
    /// Since when none is open.
    idle_since: Instant,
    /// Since when the client could take more of these.
    lying_since: HashMap<u64, Instant>,
}

/// Why a connection is to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Over {
    /// For as long as a connection may idle there was no request.
    Idle,
    /// The client does not take an answer.
    LeftLying,
}

/// The answer to one request, from the request on. It counts until it is dropped.
#[derive(Debug)]
pub(super) struct Answer {
    answers: Answers,
    number: u64,
}

impl Default for Answers {
    fn default() -> Self {
        let (idle_since, lying_since) = (Instant::now(), HashMap::new());
        Self(Arc::new(Mutex::new(UnderWay { begun: 0, open: 0, idle_since, lying_since })))
    }
}

impl Answers {
    /// Counts a request.
    pub(super) fn begin(&self) -> Answer {
        let mut under_way = self.lock();
        under_way.begun += 1;
        under_way.open += 1;
        Answer { answers: self.clone(), number: under_way.begun }
    }

    /// Lets the time that the connection may idle begin now, or with the end of the last request.
    pub(super) fn idle_from_now(&self) {
        self.lock().idle_since = Instant::now();
    }

    /// Waits until the connection is to end.
    pub(super) async fn over(&self) -> Over {
        loop {
            // Whatever happens while it sleeps makes for a later moment than this one.
            let (moment, over) = self.lock().next_end();
            if moment <= Instant::now() {
                return over;
            }
            sleep_until(moment).await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, UnderWay> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl UnderWay {
    /// When the connection is to end if nothing happens until then, and why; when to look again, where nothing is waited
    /// for that the client has to do.
    fn next_end(&self) -> (Instant, Over) {
        if self.open == 0 {
            return (self.idle_since + HEADERS_WITHIN, Over::Idle);
        }
        let longest = self.lying_since.values().min().copied().unwrap_or_else(Instant::now);
        (longest + PACE.within, Over::LeftLying)
    }
}

impl Answer {
    /// The body of the answer, which tells whether it is taken.
    pub(super) fn of(self, body: Body) -> Watched {
        self.lies();
        Watched { body, rest: Bytes::new(), answer: self }
    }

    /// From now on it is the client that has to do something.
    fn lies(&self) {
        self.answers.lock().lying_since.insert(self.number, Instant::now());
    }

    fn is_taken(&self) {
        self.answers.lock().lying_since.remove(&self.number);
    }
}

impl Drop for Answer {
    fn drop(&mut self) {
        self.is_taken();
        let mut under_way = self.answers.lock();
        under_way.open -= 1;
        under_way.idle_since = Instant::now();
    }
}

/// A body that is handed out in pieces which must be taken in the time of [`PACE`], each.
#[derive(Debug)]
pub(super) struct Watched {
    body: Body,
    /// What is left of the last piece of the body.
    rest: Bytes,
    answer: Answer,
}

impl HttpBody for Watched {
    type Data = Bytes;
    type Error = axum::Error;

    /// Asked only when there is room for more, so until then the client is waited for.
    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        self.answer.is_taken();
        if self.rest.is_empty() {
            let Some(frame) = ready!(Pin::new(&mut self.body).poll_frame(context)) else { return Poll::Ready(None) };
            match frame?.into_data() {
                Ok(data) => self.rest = data,
                Err(other) => return Poll::Ready(Some(Ok(other))),
            }
        }
        let piece = PACE.bytes.min(self.rest.len());
        let piece = self.rest.split_to(piece);
        self.answer.lies();
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let (body, rest) = (self.body.size_hint(), self.rest.len() as u64);
        let mut hint = SizeHint::new();
        hint.set_lower(body.lower() + rest);
        if let Some(upper) = body.upper() {
            hint.set_upper(upper + rest);
        }
        hint
    }
}
