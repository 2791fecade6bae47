//! What is told of values: the most frequent, and how many others there are.

use segments::Amount;
use serde::{Deserialize, Serialize};

/// The most frequent values, or those that measure the most, and how many others there are.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Top {
    /// The greatest first, equal ones by value.
    pub values: Vec<Counted>,
    /// All others together.
    pub others: Others,
    /// The rows that have no value, or lack one of them where there are several fields.
    pub without: Amount,
}

/// Values, and the rows that have them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counted {
    /// One of each field.
    pub values: Vec<String>,
    /// How many rows, and how much they measure.
    pub amount: Amount,
}

/// Values that are not told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Others {
    /// How many there are.
    pub values: u64,
    /// The rows that have them.
    pub amount: Amount,
}
