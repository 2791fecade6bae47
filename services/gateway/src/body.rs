//! Request bodies: never more of them in memory than they may have, never waited for longer than they may take.

use std::error::Error;
use std::time::Duration;

use axum::body::{Body, HttpBody};
use axum::extract::Request;
use axum::http::header::EXPECT;
use bytes::Bytes;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use tokio::time::timeout;

use crate::refused::Refused;

/// How large a body may be, and how long it may take to arrive.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limit {
    /// Bytes, as they arrive and, where they are compressed, as they are meant.
    pub(crate) bytes: usize,
    within: Duration,
}

/// Bodies that say what to do.
pub(crate) const REQUEST: Limit = Limit { bytes: 1 << 20, within: Duration::from_secs(10) };
/// Bodies that bring events.
pub(crate) const INGEST: Limit = Limit { bytes: 8 << 20, within: Duration::from_secs(30) };

/// What is read of a refused body, and for how long, before the answer.
const DISCARDED: usize = 32 << 20;
const DISCARDED_WITHIN: Duration = Duration::from_secs(1);

/// The whole body.
///
/// # Errors
/// When it is too large, which its declared length says before anything is read; too slow; or breaks off.
pub(crate) async fn read(request: Request, limit: Limit) -> Result<Bytes, Refused> {
    let too_large = Refused::TooLarge { limit: limit.bytes };
    if request.body().size_hint().lower() > limit.bytes as u64 {
        discard(request).await;
        return Err(too_large);
    }
    let mut body = Limited::new(request.into_body(), limit.bytes);
    let Ok(collected) = timeout(limit.within, (&mut body).collect()).await else { return Err(Refused::SlowBody) };
    match collected {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if is_length_limit(error.as_ref()) => Err(too_large),
        Err(_) => Err(Refused::field("body", "did not arrive whole")),
    }
}

fn is_length_limit(error: &(dyn Error + 'static)) -> bool {
    error.is::<LengthLimitError>() || error.source().is_some_and(is_length_limit)
}

/// Takes in what a client is already sending, and forgets it, up to a bound: a connection that closes while bytes are
/// still coming takes the answer with it. A client that waits for "100 Continue" is sending nothing.
pub(crate) async fn discard(request: Request) {
    if request.headers().contains_key(EXPECT) {
        return;
    }
    let mut body: Body = request.into_body();
    let mut discarded = 0;
    let reading = async {
        while let Some(Ok(frame)) = body.frame().await {
            discarded += frame.data_ref().map_or(0, Bytes::len);
            if discarded > DISCARDED {
                return;
            }
        }
    };
    // Out of time or not: the answer is the same.
    let _ = timeout(DISCARDED_WITHIN, reading).await;
}
