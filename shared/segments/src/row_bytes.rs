//! The byte strings of many rows, as many of each row, end to end.

use std::ops::Range;

/// Byte strings of rows, which are numbered as they come.
#[derive(Clone, Debug)]
pub(crate) struct RowBytes {
    bytes: Vec<u8>,
    /// Where each ends.
    ends: Vec<usize>,
    /// How many of them a row has.
    columns: usize,
}

impl RowBytes {
    /// Of no row yet. A row has at least one of them.
    pub(crate) fn new(columns: usize) -> Self {
        Self { bytes: Vec::new(), ends: Vec::new(), columns }
    }

    /// How many rows there are.
    pub(crate) fn rows(&self) -> usize {
        self.ends.len() / self.columns
    }

    /// Puts those of a row behind the others. What it has too few of is empty, what it has too many of is left out.
    pub(crate) fn push<'a>(&mut self, columns: impl IntoIterator<Item = &'a [u8]>) {
        let end = self.ends.len() + self.columns;
        for bytes in columns.into_iter().take(self.columns) {
            self.bytes.extend_from_slice(bytes);
            self.ends.push(self.bytes.len());
        }
        self.ends.resize(end, self.bytes.len());
    }

    pub(crate) fn get(&self, row: usize, column: usize) -> &[u8] {
        &self.bytes[self.between(row, column..column + 1)]
    }

    /// How many bytes those of a row have.
    pub(crate) fn length(&self, row: usize) -> usize {
        self.between(row, 0..self.columns).len()
    }

    /// How many bytes all have.
    pub(crate) fn total(&self) -> usize {
        self.bytes.len()
    }

    fn between(&self, row: usize, columns: Range<usize>) -> Range<usize> {
        let end = |number: usize| if number == 0 { 0 } else { self.ends[number - 1] };
        let first = row * self.columns;
        end(first + columns.start)..end(first + columns.end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_come_back_as_they_were_put() {
        let mut rows = RowBytes::new(3);
        let put: [&[&[u8]]; 4] = [&[b"id", b"text", b"rest"], &[b"", b"", b""], &[b"id"], &[b"1", b"2", b"3", b"4"]];
        put.iter().for_each(|columns| rows.push(columns.iter().copied()));
        let read = |row: usize| (0..3).map(|column| rows.get(row, column)).collect::<Vec<_>>();
        let expected: [&[&[u8]]; 4] =
            [&[b"id", b"text", b"rest"], &[b"", b"", b""], &[b"id", b"", b""], &[b"1", b"2", b"3"]];
        assert_eq!(rows.rows(), 4);
        for (row, expected) in expected.iter().enumerate() {
            assert_eq!(read(row), *expected);
            assert_eq!(rows.length(row), expected.concat().len());
        }
        assert_eq!(rows.total(), 10 + 2 + 3);
    }
}
