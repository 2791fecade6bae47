//! Answers that are long lists: written piece by piece, as the client takes them.
//!
//! Invariant: what waits for a client is the rows as they were found and one piece of their text, never all of it.

use std::io;
use std::vec;

use axum::body::{Body, Bytes};
use axum::http::header::CONTENT_TYPE;
use axum::response::Response;
use futures_util::stream;
use serde::Serialize;
use tracing::error;

use crate::json::JSON;
use crate::refused::Refused;

/// How long a piece is, and at most a row more. A page of 50 rows is one.
const PIECE: usize = 128 << 10;
/// What most rows take less than.
const USUAL_ROW: usize = 1500;

/// Writes a row as JSON behind what is there already.
pub(crate) trait WriteRow<R>: FnMut(&R, &mut Vec<u8>) -> io::Result<()> + Send + 'static {}

impl<R, W: FnMut(&R, &mut Vec<u8>) -> io::Result<()> + Send + 'static> WriteRow<R> for W {}

/// A 200 with an array of rows.
///
/// # Errors
/// When one of the first rows can not be written. Where that happens later, the answer breaks off.
pub(crate) fn array<R: Send + 'static>(rows: Vec<R>, write: impl WriteRow<R>) -> Result<Response, Refused> {
    answer(b"[".to_vec(), rows, write, b"]".to_vec())
}

/// A 200 with an object: an array of rows under `name`, then the members of `others`, of which there are some.
///
/// # Errors
/// When one of the first rows can not be written. Where that happens later, the answer breaks off.
pub(crate) fn object<R: Send + 'static>(
    (name, rows): (&'static str, Vec<R>),
    others: &impl Serialize,
    write: impl WriteRow<R>,
) -> Result<Response, Refused> {
    let mut after = b"]".to_vec();
    serde_json::to_writer(&mut after, others).map_err(|error| failed(&error.into()))?;
    // The members go on where the other object began.
    if let Some(brace) = after.get_mut(1) {
        *brace = b',';
    }
    answer(format!("{{\"{name}\":[").into_bytes(), rows, write, after)
}

fn answer<R: Send + 'static>(
    before: Vec<u8>,
    rows: Vec<R>,
    write: impl WriteRow<R>,
    after: Vec<u8>,
) -> Result<Response, Refused> {
    let mut pieces = Pieces { before, rows: rows.into_iter(), write, has_begun: false, after: Some(after) };
    let first = pieces.next().transpose().map_err(|error| failed(&error))?.unwrap_or_default();
    let body = if pieces.after.is_none() {
        Body::from(first)
    } else {
        let later = pieces.inspect(|piece| {
            if let Err(error) = piece {
                failed(error);
            }
        });
        Body::from_stream(stream::iter(std::iter::once(Ok(first)).chain(later)))
    };
    let mut response = Response::new(body);
    response.headers_mut().insert(CONTENT_TYPE, JSON);
    Ok(response)
}

fn failed(error: &io::Error) -> Refused {
    error!(%error, "a list can not be written");
    Refused::Internal
}

/// The text of a list.
struct Pieces<R, W> {
    /// What comes before the first row; empty once it was given.
    before: Vec<u8>,
    rows: vec::IntoIter<R>,
    write: W,
    has_begun: bool,
    /// What comes after the last row; none once it was given.
    after: Option<Vec<u8>>,
}

impl<R, W: WriteRow<R>> Iterator for Pieces<R, W> {
    type Item = io::Result<Bytes>;

    fn next(&mut self) -> Option<io::Result<Bytes>> {
        self.after.as_ref()?;
        let mut piece = Vec::with_capacity(PIECE.min(USUAL_ROW * (self.rows.len() + 1)));
        piece.append(&mut self.before);
        while piece.len() < PIECE {
            let Some(row) = self.rows.next() else {
                piece.extend(self.after.take().into_iter().flatten());
                break;
            };
            if std::mem::replace(&mut self.has_begun, true) {
                piece.push(b',');
            }
            if let Err(error) = (self.write)(&row, &mut piece) {
                self.after = None;
                return Some(Err(error));
            }
        }
        Some(Ok(piece.into()))
    }
}
