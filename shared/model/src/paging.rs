//! Lists and pages, the same for every view. Lists are newest first, where nothing else is asked for; equal times are
//! ordered by id, in the same direction.

use serde::{Deserialize, Serialize};

use crate::time::Timestamp;

/// Where a row stands in a list: what a cursor holds.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RowPosition {
    /// What lists are ordered by.
    pub time: Timestamp,
    /// What breaks the tie between equal times: the row's id, and where rows of several streams may share one, what
    /// tells them apart. Only the view that gave it knows how to read it.
    pub id: String,
}

/// Where a page starts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Start {
    /// After so many rows. Shifts while rows are being added.
    Offset(u64),
    /// After this row. Neither repeats nor skips a row while rows are being added.
    After(RowPosition),
}

/// In which order a list comes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// The latest time first.
    #[default]
    NewestFirst,
    /// The earliest time first.
    OldestFirst,
}

/// Which part of a list is wanted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Page {
    /// An offset where a client counts, a row where it holds a cursor.
    pub start: Start,
    /// At most this many rows.
    pub limit: usize,
    /// Which rows come first.
    #[serde(default)]
    pub order: Order,
}

impl Page {
    /// The newest `limit` rows.
    #[must_use]
    pub fn newest(limit: usize) -> Self {
        Self { start: Start::Offset(0), limit, order: Order::NewestFirst }
    }
}

/// One page of a list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rows<T> {
    /// The rows, in the order of the page.
    pub rows: Vec<T>,
    /// How many rows match on all pages together: exact, but where `judged` says otherwise.
    pub total: u64,
    /// The position after which more rows follow: the last row's, but where `judged` says otherwise.
    pub next: Option<RowPosition>,
    /// How rows were judged, where that had to be done one by one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub judged: Option<Judged>,
}

/// What was judged one by one of the rows that a list leaves open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Judged {
    /// How many were looked at.
    pub scanned: u64,
    /// Whether all were. Where not, the total is of those that are known to match, and a page may have fewer rows than
    /// there is room for although more follow.
    pub complete: bool,
}

/// A range of time, both ends included; an end that is not given is open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Period {
    /// The earliest time in it.
    pub from: Option<Timestamp>,
    /// The latest time in it.
    pub to: Option<Timestamp>,
}

impl Period {
    /// Whether it is all of time.
    #[must_use]
    pub fn is_open(self) -> bool {
        self.from.is_none() && self.to.is_none()
    }
}
