//! How a store is laid out.

/// How a store is laid out. What is written with some options is read with the same.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Rows of a segment, at most.
    pub seal_rows: usize,
    /// The newest rows that are not sealed, so that those that arrive late find their place before it is.
    pub keep_rows: usize,
    /// Bytes of the rows that are not sealed, or of the symbols in a table's dictionaries, before rows are sealed all the
    /// same. A segment has half of that at most. So no value on disk comes near the lengths that cannot be written, and
    /// what is held in memory for a table is bounded, however long its rows are.
    pub seal_bytes: usize,
    /// Symbols that a table's open dictionaries may hold before the largest of them are closed.
    pub open_symbols: usize,
    /// Symbols of a closed dictionary that are compressed together. Few, because a page reads a block for each of its rows.
    pub block_symbols: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            seal_rows: 1 << 16,
            keep_rows: 1 << 14,
            seal_bytes: 128 << 20,
            open_symbols: 1 << 18,
            block_symbols: 256,
        }
    }
}

impl Options {
    /// Whether so many rows, of so many bytes, are more than may stay unsealed.
    pub(crate) fn is_full(&self, rows: usize, bytes: usize) -> bool {
        rows >= self.seal_rows.saturating_add(self.keep_rows) || bytes >= self.seal_bytes
    }
}
