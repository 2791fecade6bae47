//! A chunk: rows that were committed together and are not sealed yet, in memory in columns and on disk as one value.

use std::sync::Arc;

use roaring::RoaringBitmap;

use crate::coded::{Coded, CodedRows};
use crate::codes::Codes;
use crate::dictionary::Epochs;
use crate::numbers::Numbers;
use crate::row::{self, RowNumber};
use crate::side_by_side::{both, each};
use crate::slices::Slices;
use crate::{Error, Schema, frame};

const WHAT: &str = "a chunk";
const IDS: &str = "a column of ids";
const TEXTS: &str = "a column of texts";
const ROWS: &str = "rows";

/// Rows in columns, ordered by time and id.
///
/// They hold no more memory than they need: with many accounts, most of what is in memory are chunks.
#[derive(Debug)]
pub(crate) struct Columns {
    pub(crate) times: Arc<Vec<i64>>,
    pub(crate) ids: Arc<Slices>,
    pub(crate) codes: Vec<Arc<Codes>>,
    pub(crate) present: Vec<RoaringBitmap>,
    pub(crate) numbers: Vec<Arc<Numbers>>,
    pub(crate) texts: Vec<Arc<Slices>>,
    /// What it takes to show each row: codes and rest.
    pub(crate) rows: Slices,
}

impl Columns {
    /// From rows that are in order.
    pub(crate) fn new(schema: &Schema, rows: &CodedRows, order: &[RowNumber]) -> Result<Self, Error> {
        /// Of each code in a row most take one or two.
        const CODE_BYTES: usize = 2;
        let bytes = |of: &dyn Fn(RowNumber) -> usize| order.iter().map(|row| of(*row)).sum::<usize>();
        let shown = || {
            let mut ids = Slices::with_capacity(order.len(), bytes(&|row| rows.id(row).len()));
            let encoded_bytes = bytes(&|row| rows.rest(row).len() + CODE_BYTES * schema.symbols.len());
            let mut encoded = Slices::with_capacity(order.len(), encoded_bytes);
            let mut buffer = Vec::new();
            for row in order {
                ids.push(rows.id(*row), IDS)?;
                buffer.clear();
                row::encode(rows.codes(*row), rows.rest(*row), &mut buffer);
                encoded.push(&buffer, ROWS)?;
            }
            // It stays in memory for as long as the chunk.
            encoded.shrink();
            Ok::<_, Error>((ids, encoded))
        };
        let codes = |column: usize| {
            let codes = Codes::new(order.iter().map(|row| rows.codes(*row)[column]));
            let present = codes.present();
            (Arc::new(codes), present)
        };
        let numbers = |column: usize| {
            let numbers: Vec<u64> = order.iter().map(|row| rows.number(*row, column)).collect();
            Arc::new(Numbers::new(&numbers))
        };
        let texts = |column: usize| {
            let mut texts = Slices::with_capacity(order.len(), bytes(&|row| rows.text(row, column).len()));
            for row in order {
                texts.push(rows.text(*row, column), TEXTS)?;
            }
            Ok(Arc::new(texts))
        };
        let of_columns = || {
            let symbols = each(order.len(), schema.symbols.len(), codes);
            (symbols, each(order.len(), schema.numbers, numbers), each(order.len(), schema.texts, texts))
        };
        let (shown, (symbols, numbers, texts)) = both(order.len(), shown, of_columns);
        let ((ids, rows_shown), texts) = (shown?, texts.into_iter().collect::<Result<_, Error>>()?);
        let (codes, present) = symbols.into_iter().unzip();
        let times = Arc::new(order.iter().map(|row| rows.time(*row)).collect());
        Ok(Self { times, ids: Arc::new(ids), codes, present, numbers, texts, rows: rows_shown })
    }

    /// How many bytes the rows have.
    fn bytes(&self) -> usize {
        let texts = self.texts.iter().map(|texts| texts.bytes().len()).sum::<usize>();
        self.ids.bytes().len() + texts + self.rows.bytes().len()
    }

    /// About how many bytes of memory they take.
    fn weight(&self) -> usize {
        /// A column of codes and the bitmap of those that are present: themselves, a container, their allocations.
        const COLUMN: usize = 192;
        let codes = self.codes.iter().map(|codes| codes.weight()).sum::<usize>();
        let present = self.present.iter().map(RoaringBitmap::serialized_size).sum::<usize>();
        let texts = self.texts.iter().map(|texts| 96 + texts.weight()).sum::<usize>();
        let numbers = self.numbers.iter().map(|numbers| 96 + numbers.weight()).sum::<usize>();
        8 * self.times.capacity()
            + self.ids.weight()
            + self.rows.weight()
            + texts
            + numbers
            + codes
            + present
            + COLUMN * self.codes.len()
    }

    /// Takes one row apart, and puts it into others.
    pub(crate) fn take_apart(&self, index: usize, into: &mut CodedRows) -> Result<(), Error> {
        let mut codes = vec![0; self.codes.len()];
        let rest = row::decode(self.rows.get(index), &mut codes)?;
        let numbers = self.numbers.iter().map(|numbers| numbers.get(index));
        let texts = self.texts.iter().map(|texts| texts.get(index));
        let (time, id) = (self.times[index], self.ids.get(index));
        into.push(Coded { time, id, codes: &codes, numbers, texts, rest })?;
        Ok(())
    }
}

/// Some of the newest rows of a table.
#[derive(Debug)]
pub(crate) struct Chunk {
    pub(crate) number: u32,
    pub(crate) epochs: Epochs,
    pub(crate) columns: Columns,
    /// How many bytes its rows have, as [`CodedRows::bytes`] counts them.
    pub(crate) bytes: usize,
    /// About how many bytes of memory it takes.
    pub(crate) weight: usize,
}

impl Chunk {
    pub(crate) fn new(number: u32, epochs: Epochs, columns: Columns) -> Self {
        let (bytes, weight) = (columns.bytes(), size_of::<Self>() + columns.weight());
        Self { number, epochs, columns, bytes, weight }
    }

    pub(crate) fn len(&self) -> usize {
        self.columns.times.len()
    }

    /// The value that makes it durable.
    pub(crate) fn encode(&self) -> Result<Vec<u8>, Error> {
        let times: Vec<u8> = self.columns.times.iter().flat_map(|time| time.to_le_bytes()).collect();
        let mut parts = Slices::default();
        let epochs: Vec<u8> = self.epochs.iter().flat_map(|epoch| epoch.to_le_bytes()).collect();
        parts.push(&epochs, WHAT)?;
        parts.push(&times, WHAT)?;
        parts.push(&self.columns.ids.encode(WHAT)?, WHAT)?;
        parts.push(&self.columns.rows.encode(WHAT)?, WHAT)?;
        for texts in &self.columns.texts {
            parts.push(&texts.encode(WHAT)?, WHAT)?;
        }
        for numbers in &self.columns.numbers {
            parts.push(&numbers.encode(), WHAT)?;
        }
        frame::close(&parts.encode(WHAT)?, WHAT)
    }

    /// What [`Self::encode`] wrote.
    pub(crate) fn decode(number: u32, value: &[u8], schema: &Schema) -> Result<Self, Error> {
        let damaged = || Error::Damaged(WHAT);
        let parts = Slices::decode(&frame::open(value, WHAT)?, WHAT)?;
        if parts.len() != 4 + schema.texts + schema.numbers {
            return Err(damaged());
        }
        let epochs: Epochs = parts.get(0).as_chunks().0.iter().map(|epoch| u32::from_le_bytes(*epoch)).collect();
        let times: Vec<i64> = parts.get(1).as_chunks().0.iter().map(|time| i64::from_le_bytes(*time)).collect();
        let ids = Slices::decode(parts.get(2), WHAT)?;
        let rows = Slices::decode(parts.get(3), WHAT)?;
        let texts: Result<Vec<Arc<Slices>>, Error> =
            (0..schema.texts).map(|number| Slices::decode(parts.get(4 + number), WHAT).map(Arc::new)).collect();
        let texts = texts?;
        let length = times.len();
        let numbers: Result<Vec<Arc<Numbers>>, Error> = (4 + schema.texts..parts.len())
            .map(|number| Numbers::decode(parts.get(number), length).map(Arc::new))
            .collect();
        if ids.len() != length || rows.len() != length || texts.iter().any(|texts| texts.len() != length) {
            return Err(damaged());
        }
        let mut columns = vec![Vec::with_capacity(length); schema.symbols.len()];
        let mut codes = vec![0; columns.len()];
        for index in 0..length {
            row::decode(rows.get(index), &mut codes)?;
            for (column, code) in columns.iter_mut().zip(&codes) {
                column.push(*code);
            }
        }
        let codes: Vec<Arc<Codes>> =
            columns.into_iter().map(|column| Arc::new(Codes::new(column.into_iter()))).collect();
        let present = codes.iter().map(|codes| codes.present()).collect();
        let (times, ids, numbers) = (Arc::new(times), Arc::new(ids), numbers?);
        let columns = Columns { times, ids, codes, present, numbers, texts, rows };
        Ok(Self::new(number, epochs, columns))
    }
}
