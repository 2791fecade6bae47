//! Rows that were made ahead, by whoever did not know yet what the table holds.

use crate::row::{NewRow, Schema};
use crate::row_bytes::RowBytes;

/// Rows to be written, by the numbers in which they were put.
#[derive(Clone, Debug)]
pub struct NewRows {
    schema: Schema,
    times: Vec<i64>,
    numbers: Vec<u64>,
    /// Of each row its id, its rest, its symbols, its texts.
    bytes: RowBytes,
}

const ID: usize = 0;
const REST: usize = 1;
const FIRST_SYMBOL: usize = 2;

impl NewRows {
    /// None yet.
    #[must_use]
    pub fn new(schema: Schema) -> Self {
        let columns = FIRST_SYMBOL + schema.symbols.len() + schema.texts;
        Self { schema, times: Vec::new(), numbers: Vec::new(), bytes: RowBytes::new(columns) }
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.bytes.rows()
    }

    /// Puts a row behind the others. It has a value for each column of its schema.
    pub fn push(&mut self, row: NewRow<'_>) {
        self.times.push(row.time);
        self.numbers.extend_from_slice(row.numbers);
        self.numbers.resize(self.times.len() * self.schema.numbers, 0);
        self.bytes.push([row.id, row.rest].into_iter().chain(row.symbols.iter().chain(row.texts).copied()));
    }

    /// The id of a row.
    #[must_use]
    pub fn id(&self, row: usize) -> &[u8] {
        self.bytes.get(row, ID)
    }

    /// Gives a row to `put`.
    pub fn with<T>(&self, row: usize, put: impl FnOnce(NewRow<'_>) -> T) -> T {
        let symbols = self.schema.symbols.len();
        let columns: Vec<&[u8]> = (FIRST_SYMBOL..FIRST_SYMBOL + symbols + self.schema.texts)
            .map(|column| self.bytes.get(row, column))
            .collect();
        let (symbols, texts) = columns.split_at(symbols);
        put(NewRow {
            time: self.times[row],
            id: self.bytes.get(row, ID),
            symbols,
            numbers: &self.numbers[row * self.schema.numbers..][..self.schema.numbers],
            texts,
            rest: self.bytes.get(row, REST),
        })
    }
}
