//! What is told of values: the most frequent, and how many others there are.

use serde::{Deserialize, Serialize};

/// The most frequent values, and how many others there are.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Top {
    /// The most frequent first, equally frequent ones by value.
    pub values: Vec<Counted>,
    /// All others together.
    pub others: Others,
    /// How many rows have no value, or lack one of them where there are several fields.
    pub without: u64,
}

/// Values, and how many rows have them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counted {
    /// One of each field.
    pub values: Vec<String>,
    /// How many rows.
    pub count: u64,
}

/// Values that are not told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Others {
    /// How many there are.
    pub values: u64,
    /// How many rows have them.
    pub count: u64,
}
