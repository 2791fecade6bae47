//! A row as its dump shows it: compact JSON with sorted members.
//!
//! Invariant: numbers keep the digits they were written with, so that two dumps differ where two rows do.

use model::json::Json;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::Error;

/// A row.
///
/// # Errors
/// Never: every row type is a plain struct, which serializes.
pub(crate) fn of<T: Serialize>(row: &T) -> Result<Json, Error> {
    // By way of text: a tree of values would hold doubles.
    let text = serde_json::to_string(row).ok();
    text.and_then(|text| Json::parse(&text)).ok_or(Error::Damaged("a row"))
}

/// The row that a key's value is.
///
/// # Errors
/// When it is none.
pub(crate) fn of_value<T: DeserializeOwned + Serialize>(value: &[u8]) -> Result<Option<Json>, Error> {
    of(&postcard::from_bytes::<T>(value)?).map(Some)
}
