//! A column store for lists that are appended to, rarely amended, and read newest first under a filter with an
//! exact total.
//!
//! A [`Store`] holds tables; a table holds rows of one [`Schema`], ordered by time and id. New rows arrive in
//! *chunks*, small and in memory as well as on disk; the oldest of them are *sealed* into immutable *segments*, whose
//! columns are read from disk one by one and kept in a [`Cache`] with a byte budget. Values of columns are symbols: bytes
//! that stand in a dictionary once, and in the columns as codes. A filter is resolved to codes once, then compared
//! with columns of integers; only the rows of the page are ever decoded.
//!
//! Invariants:
//! - A row is in the table once, under its id: putting a row with a known id replaces it.
//! - What is read is a state that was committed as a whole. A reader never waits for a seal.
//! - Chunks and segments never change. A row that was replaced is marked as superseded beside them.
//! - The store knows bytes, columns and predicates; events, accounts and times of day are deliberately unknown here.

mod cache;
mod chunk;
mod codes;
mod dictionary;
mod frame;
mod key;
mod list;
mod membership;
mod part;
mod pieces;
mod predicate;
mod row;
mod seal;
mod segment;
mod slices;
mod statistics;
mod store;
mod table;
mod writer;

pub use cache::Cache;
pub use list::{Page, Position, Rows, Start};
pub use predicate::{Predicate, Wanted, Wants};
pub use row::{NewRow, Row, Schema, Searched, Symbol};
pub use store::{Options, Store};
pub use writer::{Change, Found, Prepared, Writer};

/// Why the store has no answer.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The storage failed.
    #[error("the storage failed")]
    Storage(#[from] sled::Error),
    /// A stored value is not what was written, or is missing.
    #[error("{0} is damaged")]
    Damaged(&'static str),
}
