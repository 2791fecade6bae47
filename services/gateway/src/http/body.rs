//! Request bodies: never more of them in memory than they may have, never waited for longer than they may take.

use std::time::Duration;

use axum::body::{Body, HttpBody};
use axum::extract::Request;
use axum::http::header::EXPECT;
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use tokio::time::{Instant, timeout, timeout_at};

use crate::render::refusal::Refusal;

/// How large a body may be, and how long it may take to arrive.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BodyLimit {
    /// Bytes, as they arrive and, where they are compressed, as they are meant.
    pub(crate) bytes: usize,
    within: Duration,
}

/// For bodies that say what to do.
pub(crate) const REQUEST: BodyLimit = BodyLimit { bytes: 1 << 20, within: Duration::from_secs(10) };
/// For bodies that bring events.
pub(crate) const INGEST: BodyLimit = BodyLimit { bytes: 8 << 20, within: Duration::from_secs(30) };

/// While a body is on its way, at least so many bytes of it must come in every [`PROGRESS_WITHIN`]. Without that, a
/// client that sends a byte now and then would hold its connection, and what it has sent, for the whole time.
const MIN_PROGRESS_BYTES: usize = 64 << 10;
const PROGRESS_WITHIN: Duration = Duration::from_secs(8);
/// How long a refused body is still taken in before the answer.
const DISCARDED_WITHIN: Duration = Duration::from_secs(1);

/// Reads a body to its end.
///
/// # Errors
/// When it is too large, which its declared length says before anything is read; too slow; or breaks off.
pub(crate) async fn read(request: Request, limit: BodyLimit) -> Result<Bytes, Refusal> {
    read_counted(request, limit, |_| Ok(())).await
}

/// Reads a body to its end, and tells `count` how many bytes will be kept, before they are.
///
/// # Errors
/// As [`read`], and what `count` refuses with.
pub(crate) async fn read_counted(
    mut request: Request,
    limit: BodyLimit,
    count: impl FnMut(usize) -> Result<(), Refusal>,
) -> Result<Bytes, Refusal> {
    // With a Content-Length the least there will be is all there will be.
    if request.body().size_hint().lower() > limit.bytes as u64 {
        discard(request).await;
        return Err(Refusal::TooLarge { limit: limit.bytes });
    }
    let reading = timeout(limit.within, collected(request.body_mut(), limit.bytes, count));
    let body = reading.await.unwrap_or(Err(Refusal::SlowBody));
    if !matches!(body, Ok(_) | Err(Refusal::SlowBody)) {
        discard(request).await;
    }
    body
}

async fn collected(
    body: &mut Body,
    limit: usize,
    mut count: impl FnMut(usize) -> Result<(), Refusal>,
) -> Result<Bytes, Refusal> {
    // Made as large as it will be, where that is said: growing copies, and holds both copies for a moment.
    let mut bytes = BytesMut::with_capacity(usize::try_from(body.size_hint().lower()).unwrap_or(limit).min(limit));
    let (mut deadline, mut goal) = (Instant::now() + PROGRESS_WITHIN, MIN_PROGRESS_BYTES);
    while let Some(frame) = timeout_at(deadline, body.frame()).await.map_err(|_| Refusal::SlowBody)? {
        let frame = frame.map_err(|_| Refusal::field("body", "did not arrive whole"))?;
        // What is no data is a trailer, which says nothing here.
        let Ok(data) = frame.into_data() else { continue };
        // Before it is kept: a body without a length is held to the limit byte by byte.
        if bytes.len() + data.len() > limit {
            return Err(Refusal::TooLarge { limit });
        }
        count(data.len())?;
        bytes.extend_from_slice(&data);
        if bytes.len() >= goal {
            (deadline, goal) = (Instant::now() + PROGRESS_WITHIN, bytes.len() + MIN_PROGRESS_BYTES);
        }
    }
    Ok(bytes.freeze())
}

/// Takes in what a client is already sending, and forgets it, for a moment: a connection that closes while bytes are
/// still coming takes the answer with it. A client that waits for "100 Continue" is sending nothing.
pub(crate) async fn discard(mut request: Request) {
    if request.headers().contains_key(EXPECT) {
        return;
    }
    let discarding = async { while let Some(Ok(_)) = request.body_mut().frame().await {} };
    // Out of time or not: the answer is the same.
    let _ = timeout(DISCARDED_WITHIN, discarding).await;
}

#[cfg(test)]
mod tests {
    use std::io;

    use futures_util::stream;

    use super::*;

    const FOUR_BYTES: BodyLimit = BodyLimit { bytes: 4, within: Duration::from_millis(200) };

    /// A body that does not say how long it is.
    fn chunked(chunks: &'static [&'static str]) -> Request {
        Request::new(Body::from_stream(stream::iter(chunks.iter().map(|chunk| Ok::<_, io::Error>(*chunk)))))
    }

    #[tokio::test]
    async fn a_body_within_the_limit_is_read() {
        assert_eq!(read(Request::new(Body::empty()), FOUR_BYTES).await.unwrap(), "");
        assert_eq!(read(Request::new(Body::from("1234")), FOUR_BYTES).await.unwrap(), "1234");
        assert_eq!(read(chunked(&["12", "", "34"]), FOUR_BYTES).await.unwrap(), "1234");
    }

    #[tokio::test]
    async fn a_body_over_the_limit_is_refused_whether_it_says_its_length_or_not() {
        let refused = Err(Refusal::TooLarge { limit: 4 });
        assert_eq!(read(Request::new(Body::from("12345")), FOUR_BYTES).await, refused);
        assert_eq!(read(chunked(&["1234", "5"]), FOUR_BYTES).await, refused);
    }

    #[tokio::test]
    async fn what_is_kept_is_counted_before_and_may_be_refused() {
        let full = Refusal::Unavailable("full");
        let mut counted = Vec::new();
        let mut count = |bytes| {
            counted.push(bytes);
            if counted.len() < 2 { Ok(()) } else { Err(full.clone()) }
        };
        assert_eq!(read_counted(chunked(&["12", "3", "4"]), FOUR_BYTES, &mut count).await, Err(full.clone()));
        assert_eq!(counted, [2, 1]);
    }

    #[tokio::test]
    async fn a_body_that_does_not_come_or_breaks_off_is_refused() {
        let never = Body::from_stream(stream::pending::<io::Result<Bytes>>());
        assert_eq!(read(Request::new(never), FOUR_BYTES).await, Err(Refusal::SlowBody));
        let broken = Body::from_stream(stream::iter([Ok("1"), Err(io::Error::other("gone"))]));
        assert!(matches!(read(Request::new(broken), FOUR_BYTES).await, Err(Refusal::Invalid(_))));
    }
}
