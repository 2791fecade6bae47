//! Answers larger than one message: split into numbered parts on one reply subject, and put together again.
//!
//! Invariant: an answer is whole or it is an error. NATS keeps the order of what one connection sends, so a part out
//! of turn means that one is lost.

use std::str::FromStr;

use async_nats::{HeaderMap, HeaderValue};
use bytes::{Bytes, BytesMut};

/// `<number>/<count>`, numbers from 1 on. An answer that fits in one message has none of these headers.
const PART: &str = "Flowtrail-Part";
/// The bytes of the whole answer.
const LENGTH: &str = "Flowtrail-Length";

/// The largest answer.
pub(crate) const MAX_ANSWER_BYTES: usize = 256 << 20;
/// The largest part, however much a message may hold: the server buffers by message.
const MAX_PART_BYTES: usize = 1 << 20;
/// What headers may take of a message.
const HEADER_ROOM_BYTES: usize = 1024;

/// Why parts do not make an answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Broken {
    #[error("an answer of {0} bytes is over the limit of {MAX_ANSWER_BYTES}")]
    TooLarge(usize),
    #[error("a part of an answer is missing or out of turn")]
    OutOfTurn,
    #[error("the parts of an answer do not have its length")]
    WrongLength,
}

/// Splits an answer into messages of at most `max_payload` bytes.
pub(crate) fn split(answer: &Bytes, max_payload: usize) -> Result<Vec<(HeaderMap, Bytes)>, Broken> {
    if answer.len() > MAX_ANSWER_BYTES {
        return Err(Broken::TooLarge(answer.len()));
    }
    let size = max_payload.saturating_sub(HEADER_ROOM_BYTES).clamp(1, MAX_PART_BYTES);
    if answer.len() <= size {
        return Ok(vec![(HeaderMap::new(), answer.clone())]);
    }
    let count = answer.len().div_ceil(size);
    let part = |index: usize| {
        let mut headers = HeaderMap::new();
        headers.insert(PART, format!("{}/{count}", index + 1));
        headers.insert(LENGTH, HeaderValue::from(answer.len()));
        (headers, answer.slice(index * size..answer.len().min((index + 1) * size)))
    };
    Ok((0..count).map(part).collect())
}

/// An answer that is arriving.
#[derive(Debug, Default)]
pub(crate) struct Assembly {
    bytes: BytesMut,
    taken: usize,
}

impl Assembly {
    /// Takes the next message; the answer when it was the last one.
    pub(crate) fn take(&mut self, headers: Option<&HeaderMap>, payload: Bytes) -> Result<Option<Bytes>, Broken> {
        let Some(part) = headers.and_then(|headers| headers.get(PART)) else {
            return if self.taken == 0 { Ok(Some(payload)) } else { Err(Broken::OutOfTurn) };
        };
        let (number, count) = part.as_str().split_once('/').ok_or(Broken::OutOfTurn)?;
        let (number, count) = (parsed(number)?, parsed(count)?);
        let length = headers.and_then(|headers| headers.get(LENGTH)).ok_or(Broken::OutOfTurn)?;
        let length = parsed(length.as_str())?;
        if length > MAX_ANSWER_BYTES {
            return Err(Broken::TooLarge(length));
        }
        if number != self.taken + 1 || number > count {
            return Err(Broken::OutOfTurn);
        }
        if self.bytes.len() + payload.len() > length {
            return Err(Broken::WrongLength);
        }
        self.bytes.reserve(length - self.bytes.len());
        self.bytes.extend_from_slice(&payload);
        self.taken = number;
        if number < count {
            return Ok(None);
        }
        let whole = std::mem::take(&mut self.bytes).freeze();
        if whole.len() == length { Ok(Some(whole)) } else { Err(Broken::WrongLength) }
    }
}

fn parsed(number: &str) -> Result<usize, Broken> {
    usize::from_str(number).map_err(|_| Broken::OutOfTurn)
}

#[cfg(test)]
mod tests;
