//! A column store for lists that are appended to, rarely amended, and read by time under a filter with an
//! exact total.
//!
//! A [`Store`] holds tables; a table holds rows of one [`Schema`], ordered by time and id. New rows arrive in
//! *chunks*, small and in memory as well as on disk; the oldest of them are *sealed* into immutable *segments*, whose
//! columns are read from disk one by one. Values of columns are symbols: bytes that stand in a dictionary once, and in
//! the columns as codes; there are columns of numbers besides. A filter is resolved to codes once, then compared with columns of integers; only the rows of
//! the page are ever decoded.
//!
//! Invariants:
//! - A row is in the table once, under its id: putting a row with a known id replaces it.
//! - What is read is a state that was committed as a whole. A reader never waits for a seal. Who reads on for long holds
//!   on to the segments that there are: none goes until they are done.
//! - Chunks and segments never change. A row that was replaced is marked as superseded next to them.
//! - What is in memory, of tables as well as of columns, is within the budget of a [`Cache`], whatever is on disk.
//! - What is damaged is an error, never another answer.
//! - The store knows bytes, columns and predicates; events, accounts and times of day are deliberately unknown here.
//!
//! Layers, of which each knows those before it: how bytes stand on disk (`frame`, `pieces`, `slices`, `codes`,
//! `numbers`, `bitmap`, `trigrams`; `side_by_side`), and where they are read from (`cache`, `source`); which symbols codes stand for
//! (`wanted`, `searched`, `points`, `dictionary`, `buckets`, `closed`); rows on their way (`row`, `row_bytes`, `coded`, `new_rows`); parts of a table (`chunk`, `segment_values`, `segment`, `part`); what is
//! wanted of them (`predicate`, `select`); a table (`state`, `update`, `removal`, `table`, `snapshot`); which tables are in
//! memory (`memory`, `tables`); answers (`order`, `list`, `judged`, `merge`, `scan`), and counts (`amount`, `selected`, `classes`,
//! `pairs`, `times`, `matching`); changes (`seal`, `pending`, `writer`); and [`Store`].

mod amount;
mod bitmap;
mod buckets;
mod cache;
mod chunk;
mod classes;
mod closed;
mod coded;
mod codes;
mod dictionary;
mod error;
mod frame;
mod head_index;
mod id_index;
mod judged;
mod key;
mod list;
mod manifest;
mod matching;
mod membership;
mod memory;
mod merge;
mod new_rows;
mod numbers;
mod options;
mod order;
mod pairs;
mod part;
mod pending;
mod pieces;
mod points;
mod predicate;
mod removal;
mod row;
mod row_bytes;
mod scan;
mod seal;
mod searched;
mod segment;
mod segment_values;
mod select;
mod selected;
mod side_by_side;
mod slices;
mod snapshot;
mod source;
mod state;
mod store;
mod table;
mod tables;
mod time_range;
mod times;
mod trigrams;
mod update;
mod wanted;
mod writer;

pub use amount::Amount;
pub use classes::{Classify, Facet};
pub use error::Error;
pub use judged::{Bounds, Instead, Judge, JudgedRows};
pub use list::{Page, Rows, SortKey, Start};
pub use matching::{Condition, Matching};
pub use memory::Cache;
pub use new_rows::NewRows;
pub use numbers::Measure;
pub use options::Options;
pub use order::Order;
pub use pairs::Pairs;
pub use pieces::Change;
pub use points::Points;
pub use predicate::Predicate;
pub use row::{NewRow, Row, Schema, Symbol, Texts};
pub use scan::Scan;
pub use store::Store;
pub use time_range::TimeRange;
pub use times::Times;
pub use wanted::{Wanted, Wants};
pub use writer::{Found, Prepared, Writer};
