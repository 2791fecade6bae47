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

use crate::render::json::JSON;
use crate::render::refusal::Refusal;

/// How long a piece is, and at most a row more. A page of 50 rows is one.
const PIECE_BYTES: usize = 128 << 10;
/// What most rows take less than.
const USUAL_ROW_BYTES: usize = 1500;

/// Writes a row as JSON behind what is there already.
pub(crate) trait WriteRow<R>: FnMut(&R, &mut Vec<u8>) -> io::Result<()> + Send + 'static {}

impl<R, W: FnMut(&R, &mut Vec<u8>) -> io::Result<()> + Send + 'static> WriteRow<R> for W {}

/// A 200 with an array of rows.
///
/// # Errors
/// When one of the first rows cannot be written. Where that happens later, the answer breaks off.
pub(crate) fn array<R: Send + 'static>(rows: Vec<R>, write: impl WriteRow<R>) -> Result<Response, Refusal> {
    answer(b"[".to_vec(), rows, write, b"]".to_vec())
}

/// A 200 with an object: an array of rows under `name`, then the members of `others`, of which there are some.
///
/// # Errors
/// When one of the first rows cannot be written. Where that happens later, the answer breaks off.
pub(crate) fn object<R: Send + 'static>(
    name: &'static str,
    rows: Vec<R>,
    others: &impl Serialize,
    write: impl WriteRow<R>,
) -> Result<Response, Refusal> {
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
) -> Result<Response, Refusal> {
    let mut pieces = Pieces { before, rows: rows.into_iter(), write, has_begun: false, after: Some(after) };
    // Made before the answer begins: a row that cannot be written can still be a 500 here, later only break it off.
    let first = pieces.next().transpose().map_err(|error| failed(&error))?.unwrap_or_default();
    let body = if pieces.after.is_none() {
        // All of it, so its length is known and HTTP needs no chunks.
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

fn failed(error: &io::Error) -> Refusal {
    error!(%error, "a list cannot be written");
    Refusal::Internal
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
        let mut piece = Vec::with_capacity(PIECE_BYTES.min(USUAL_ROW_BYTES * (self.rows.len() + 1)));
        // Appending leaves it empty, so it is there once.
        piece.append(&mut self.before);
        while piece.len() < PIECE_BYTES {
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

#[cfg(test)]
mod tests {
    use axum::body::HttpBody;
    use axum::http::StatusCode;
    use futures_util::StreamExt;
    use http_body_util::BodyExt;
    use serde_json::{Value, json};

    use super::*;

    /// A row of so many bytes, which is its number again and again.
    fn write(row: &usize, text: &mut Vec<u8>) -> io::Result<()> {
        Ok(serde_json::to_writer(text, &row.to_string().repeat(500))?)
    }

    async fn pieces(response: Response) -> Vec<Result<Bytes, axum::Error>> {
        StreamExt::collect(response.into_body().into_data_stream()).await
    }

    #[tokio::test]
    async fn a_short_list_is_one_piece_whose_length_is_known() {
        let response = object("rows", vec![1, 2], &json!({"total": 2}), write).unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        let body = response.into_body();
        let length = body.size_hint().exact().unwrap();
        let text = body.collect().await.unwrap().to_bytes();
        assert_eq!(text.len() as u64, length);
        let rows = [1, 2].map(|row| row.to_string().repeat(500));
        assert_eq!(serde_json::from_slice::<Value>(&text).unwrap(), json!({"rows": rows, "total": 2}));
    }

    #[tokio::test]
    async fn a_long_list_comes_in_pieces_of_bounded_size() {
        let rows: Vec<usize> = (1000..2000).collect();
        let expected: Vec<String> = rows.iter().map(|row| row.to_string().repeat(500)).collect();
        let pieces = pieces(array(rows, write).unwrap()).await;
        let pieces: Vec<Bytes> = pieces.into_iter().collect::<Result<_, _>>().unwrap();
        assert!(pieces.len() > 10);
        assert!(pieces.iter().all(|piece| piece.len() < PIECE_BYTES + 2010));
        assert_eq!(serde_json::from_slice::<Vec<String>>(&pieces.concat()).unwrap(), expected);
    }

    #[tokio::test]
    async fn without_rows_the_list_is_empty() {
        let text = array(Vec::<usize>::new(), write).unwrap().into_body().collect().await.unwrap().to_bytes();
        assert_eq!(text, "[]");
    }

    #[tokio::test]
    async fn a_row_that_cannot_be_written_is_an_error_at_first_and_breaks_the_answer_off_later() {
        let failing_at = |failing: usize| {
            move |row: &usize, text: &mut Vec<u8>| {
                if *row == failing { Err(io::Error::other("it is damaged")) } else { write(row, text) }
            }
        };
        assert!(matches!(array((0..1000).collect(), failing_at(0)), Err(Refusal::Internal)));
        let mut pieces = pieces(array((0..1000).collect(), failing_at(900)).unwrap()).await;
        assert!(pieces.pop().unwrap().is_err());
        assert!(!pieces.is_empty() && pieces.iter().all(Result::is_ok));
    }
}
