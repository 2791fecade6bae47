//! Rows with codes for their symbols, on their way into a chunk or a segment.
//!
//! They stand end to end in few allocations: there are tens of thousands of them at a time, of some hundred bytes each.

use crate::Error;
use crate::row::{RowNumber, Schema};
use crate::row_bytes::RowBytes;

/// Rows, by the numbers in which they were put.
#[derive(Clone, Debug)]
pub(crate) struct CodedRows {
    times: Vec<i64>,
    /// Of each row those of all columns of symbols.
    codes: Vec<u32>,
    symbol_columns: usize,
    /// Of each row those of all columns of numbers.
    numbers: Vec<u64>,
    number_columns: usize,
    /// Of each row its id, its rest, its texts.
    bytes: RowBytes,
}

/// A row with codes for its symbols. Numbers and texts come one by one, those of each column.
pub(crate) struct Coded<'a, N, T> {
    pub(crate) time: i64,
    pub(crate) id: &'a [u8],
    pub(crate) codes: &'a [u32],
    pub(crate) numbers: N,
    pub(crate) texts: T,
    pub(crate) rest: &'a [u8],
}

const ID: usize = 0;
const REST: usize = 1;
const FIRST_TEXT: usize = 2;

impl CodedRows {
    /// None yet.
    pub(crate) fn new(schema: &Schema) -> Self {
        Self {
            times: Vec::new(),
            codes: Vec::new(),
            symbol_columns: schema.symbols.len(),
            numbers: Vec::new(),
            number_columns: schema.numbers,
            bytes: RowBytes::new(FIRST_TEXT + schema.texts),
        }
    }

    /// Puts a row behind the others; gives its number. Columns that nothing is given for have no number or text in it.
    pub(crate) fn push<'a>(
        &mut self,
        row: Coded<'a, impl IntoIterator<Item = u64>, impl IntoIterator<Item = &'a [u8]>>,
    ) -> Result<RowNumber, Error> {
        let Coded { time, id, codes, numbers, texts, rest } = row;
        let number = RowNumber::new(self.len())?;
        self.times.push(time);
        self.codes.extend_from_slice(codes);
        self.codes.resize(self.times.len() * self.symbol_columns, 0);
        self.numbers.extend(numbers);
        self.numbers.resize(self.times.len() * self.number_columns, 0);
        self.bytes.push([id, rest].into_iter().chain(texts));
        Ok(number)
    }

    pub(crate) fn len(&self) -> usize {
        self.times.len()
    }

    /// The numbers of all rows.
    pub(crate) fn all(&self) -> impl Iterator<Item = RowNumber> + use<> {
        RowNumber::all().take(self.len())
    }

    pub(crate) fn time(&self, row: RowNumber) -> i64 {
        self.times[row.index()]
    }

    pub(crate) fn codes(&self, row: RowNumber) -> &[u32] {
        &self.codes[row.index() * self.symbol_columns..][..self.symbol_columns]
    }

    pub(crate) fn code_mut(&mut self, row: RowNumber, column: usize) -> &mut u32 {
        &mut self.codes[row.index() * self.symbol_columns + column]
    }

    pub(crate) fn number(&self, row: RowNumber, column: usize) -> u64 {
        self.numbers[row.index() * self.number_columns + column]
    }

    pub(crate) fn id(&self, row: RowNumber) -> &[u8] {
        self.bytes.get(row.index(), ID)
    }

    pub(crate) fn text(&self, row: RowNumber, column: usize) -> &[u8] {
        self.bytes.get(row.index(), FIRST_TEXT + column)
    }

    pub(crate) fn rest(&self, row: RowNumber) -> &[u8] {
        self.bytes.get(row.index(), REST)
    }

    /// How many bytes of a row stand in columns and blocks, but for its codes and numbers.
    pub(crate) fn bytes_of(&self, row: RowNumber) -> usize {
        self.bytes.length(row.index())
    }

    /// The same of all rows.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes.total()
    }

    /// Puts rows in the order in which they are listed: by time and id.
    pub(crate) fn sorted(&self, rows: impl Iterator<Item = RowNumber>) -> Vec<RowNumber> {
        let mut sorted: Vec<(i64, RowNumber)> = rows.map(|row| (self.time(row), row)).collect();
        // Most are in order, or nearly so, which a stable sort makes use of.
        sorted.sort_by(|(time, row), (other_time, other)| {
            time.cmp(other_time).then_with(|| self.id(*row).cmp(self.id(*other)))
        });
        sorted.into_iter().map(|(_, row)| row).collect()
    }
}
