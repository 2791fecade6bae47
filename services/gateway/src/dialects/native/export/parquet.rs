//! Rows as Parquet: gathered in columns, and written as a group of rows when they are enough.
//!
//! Invariant: what is gathered has a bound in rows and in bytes, but for the last piece that was added.

use std::io;

use archive::{Column, ParquetError, Values, Writer};
use model::time::Timestamp;

use crate::dialects::native::table::{Cell, Row};

/// So many rows are a group.
const GROUP_ROWS: usize = 65_536;
/// So are rows of so many bytes.
const GROUP_BYTES: usize = 16 << 20;

/// A file that is being written.
pub(super) struct Parquet {
    writer: Writer,
    /// Each without a row, by name and type.
    empty: Vec<Column>,
    gathered: Vec<Column>,
    rows: usize,
    bytes: usize,
}

impl Parquet {
    /// A file of rows like this one.
    ///
    /// # Errors
    /// When there cannot be such columns.
    pub(super) fn new(row: &impl Row) -> io::Result<Self> {
        let mut empty = Vec::new();
        row.columns(&mut |name, cell| empty.push(Column { name: name.concat(), values: none_of(cell) }));
        let writer = Writer::new(&empty).map_err(failed)?;
        Ok(Self { writer, gathered: empty.clone(), empty, rows: 0, bytes: 0 })
    }

    /// Adds a row; gives what there is of the file behind what was given before.
    ///
    /// # Errors
    /// When a group cannot be written.
    pub(super) fn add(&mut self, row: &impl Row) -> io::Result<Vec<u8>> {
        let (mut columns, mut bytes) = (self.gathered.iter_mut(), 0);
        row.columns(&mut |_, cell| {
            if let Some(column) = columns.next() {
                bytes += add(&mut column.values, cell);
            }
        });
        self.rows += 1;
        self.bytes += bytes;
        if self.rows < GROUP_ROWS && self.bytes < GROUP_BYTES { Ok(Vec::new()) } else { self.group() }
    }

    /// Ends the file; gives the rest of it.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(super) fn end(mut self) -> io::Result<Vec<u8>> {
        let mut rest = if self.rows > 0 { self.group()? } else { Vec::new() };
        rest.extend(self.writer.finish().map_err(failed)?);
        Ok(rest)
    }

    fn group(&mut self) -> io::Result<Vec<u8>> {
        (self.rows, self.bytes) = (0, 0);
        let columns = std::mem::replace(&mut self.gathered, self.empty.clone());
        self.writer.group(columns).map_err(failed)
    }
}

fn failed(error: ParquetError) -> io::Error {
    io::Error::other(error)
}

/// A column that takes such cells.
fn none_of(cell: Cell<'_>) -> Values {
    match cell {
        Cell::Text(_) => Values::Texts(Vec::new()),
        Cell::Json(_) => Values::Json(Vec::new()),
        Cell::Time(_) => Values::Times(Vec::new()),
        Cell::Integer(_) | Cell::Count(_) => Values::Integers(Vec::new()),
        Cell::Decimal(_) => Values::Decimals(Vec::new()),
    }
}

/// Adds a cell, or nothing where its type cannot hold it; gives about how many bytes that takes.
fn add(values: &mut Values, cell: Cell<'_>) -> usize {
    match (values, cell) {
        (Values::Texts(values), Cell::Text(text)) | (Values::Json(values), Cell::Json(text)) => {
            values.push(text.map(|text| text.as_bytes().to_vec()));
            size_of::<Option<Vec<u8>>>() + text.map_or(0, str::len)
        }
        (Values::Times(values), Cell::Time(time)) => {
            values.push(time.map(Timestamp::micros));
            size_of::<Option<i64>>()
        }
        (Values::Integers(values), Cell::Integer(number)) => {
            values.push(number);
            size_of::<Option<i64>>()
        }
        (Values::Integers(values), Cell::Count(number)) => {
            values.push(number.and_then(|number| i64::try_from(number).ok()));
            size_of::<Option<i64>>()
        }
        (Values::Decimals(values), Cell::Decimal(number)) => {
            values.push(number.map(model::json::Number::to_f64));
            size_of::<Option<f64>>()
        }
        // Columns are always of the same type.
        (
            Values::Texts(_) | Values::Json(_) | Values::Times(_) | Values::Integers(_) | Values::Decimals(_),
            Cell::Text(_) | Cell::Json(_) | Cell::Time(_) | Cell::Integer(_) | Cell::Count(_) | Cell::Decimal(_),
        ) => 0,
    }
}
