//! A segment: sealed rows, on disk column by column. Nothing but its description is in memory as long as its table is.

use std::sync::Arc;

use roaring::RoaringBitmap;
use serde::{Deserialize, Serialize};

use crate::bitmap::{deserialize, serialize};
use crate::cache::{Key, Value};
use crate::chunk::Columns;
use crate::codes::Codes;
use crate::dictionary::Epochs;
use crate::id_index::IdIndex;
use crate::key::{Kind, key};
use crate::membership::Filter;
use crate::numbers::Numbers;
use crate::pieces::Change;
use crate::row::RowNumber;
use crate::segment_values::{BLOCK_ROWS, BLOCKS, CODES, Encoded, IDS, NUMBERS, TEXTS, TIMES, decode_times, encoded};
use crate::side_by_side::both;
use crate::slices::Slices;
use crate::source::Source;
use crate::trigrams::Trigrams;
use crate::{Error, Schema, frame, pieces, trigrams};

const FILTER: &str = "a membership filter";
const SEGMENT: &str = "a segment";
/// Next to it.
pub(crate) const SUPERSEDED: &str = "a list of superseded rows";
const DAMAGED: Error = Error::Damaged(SEGMENT);

/// What is known of a segment without reading its columns.
#[derive(Debug, Serialize, Deserialize)]
struct Description {
    epochs: Epochs,
    rows: u32,
    first: i64,
    last: i64,
    mark: u64,
    /// For each column of symbols the codes that are there.
    present: Vec<Vec<u8>>,
    /// For each column of symbols how many rows have each of them, in their order; nothing where that is not counted.
    counts: Vec<Box<[u32]>>,
    /// The least and the greatest of each column of numbers.
    ends_of_numbers: Vec<(u64, u64)>,
}

/// What a new segment is told about itself.
#[derive(Clone, Debug)]
pub(crate) struct Label {
    pub(crate) number: u32,
    pub(crate) epochs: Epochs,
    pub(crate) mark: u64,
}

/// What a new segment is made of.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Content<'a> {
    pub(crate) columns: &'a Columns,
    pub(crate) schema: &'a Schema,
    /// How many rows a segment has at most: filters of all are equally long.
    pub(crate) full: usize,
}

/// A segment that was just made.
#[derive(Debug)]
pub(crate) struct NewSegment {
    pub(crate) segment: Arc<Segment>,
    filter: Filter,
    /// What is asked for most of it, for the cache.
    ahead: Vec<(Key, Value)>,
}

/// A sealed segment.
#[derive(Debug)]
pub(crate) struct Segment {
    pub(crate) number: u32,
    pub(crate) epochs: Epochs,
    rows: usize,
    pub(crate) first: i64,
    pub(crate) last: i64,
    /// No row of it was written after this: see [`crate::Writer::mark`].
    pub(crate) mark: u64,
    pub(crate) present: Vec<RoaringBitmap>,
    counts: Vec<Box<[u32]>>,
    pub(crate) ends_of_numbers: Vec<(u64, u64)>,
    /// About how many bytes of memory this description takes.
    pub(crate) weight: usize,
    source: Source,
}

impl NewSegment {
    /// The filter that names its ids. Given once.
    pub(crate) fn take_filter(&mut self) -> Filter {
        std::mem::take(&mut self.filter)
    }

    /// Puts what is asked for most where there is room. To be called once the segment is durable: until then its number
    /// may become another's.
    pub(crate) fn cache(&mut self) {
        for (key, value) in self.ahead.drain(..) {
            if self.segment.source.cache.has_room() {
                self.segment.source.cache.put(key, value);
            }
        }
    }
}

impl Segment {
    /// Makes a segment of rows; puts the values that make it durable into `changes`.
    pub(crate) fn seal(
        source: Source,
        label: Label,
        Content { columns, schema, full }: Content<'_>,
        changes: &mut Vec<Change>,
    ) -> Result<NewSegment, Error> {
        let Label { number, epochs, mark } = label;
        let (Some(first), Some(last)) = (columns.times.first(), columns.times.last()) else { return Err(DAMAGED) };
        let rows = columns.rows.len();
        let filter = || {
            let filter = Filter::of(&columns.ids, full);
            let value = filter.encode()?;
            Ok::<_, Error>((filter, value))
        };
        let (filter, encoded) = both(rows, filter, || encoded(number, columns));
        let (filter, members) = filter?;
        let mut put = |kind: Kind, numbers: &[u32], value: &[u8]| {
            pieces::put(changes, &key(&source.prefix, kind, numbers), value);
        };
        for Encoded { kind, numbers, value } in encoded? {
            put(kind, &numbers, &value);
        }
        put(Kind::Members, &[number], &members);
        let description = Description {
            epochs,
            rows: u32::try_from(rows).map_err(|_| Error::TooLarge(SEGMENT))?,
            first: *first,
            last: *last,
            mark,
            present: columns.present.iter().map(serialize).collect(),
            counts: counts(columns, schema),
            ends_of_numbers: columns.numbers.iter().map(|numbers| numbers.ends()).collect(),
        };
        let described = postcard::to_stdvec(&description).map_err(|_| DAMAGED)?;
        put(Kind::Segment, &[number], &frame::close(&described, SEGMENT)?);
        let times = (Key::new(source.table, Kind::Times, number, 0), Value::Times(columns.times.clone()));
        let codes = schema.filtered.iter().map(|column| {
            (Key::new(source.table, Kind::Codes, number, *column), Value::Codes(columns.codes[*column].clone()))
        });
        let ahead = codes.chain([times]).collect();
        let segment = Self::new(source, number, description, columns.present.clone());
        Ok(NewSegment { segment: Arc::new(segment), filter, ahead })
    }

    /// Reads a description.
    pub(crate) fn open(source: Source, number: u32, value: &[u8]) -> Result<Self, Error> {
        let description: Description = postcard::from_bytes(&frame::open(value, SEGMENT)?).map_err(|_| DAMAGED)?;
        let present: Result<Vec<RoaringBitmap>, Error> =
            description.present.iter().map(|bytes| deserialize(bytes, SEGMENT)).collect();
        Ok(Self::new(source, number, description, present?))
    }

    fn new(source: Source, number: u32, description: Description, present: Vec<RoaringBitmap>) -> Self {
        /// A bitmap, its list of containers, and an allocation for each of both.
        const BITMAP: usize = 96;
        let Description { epochs, rows, first, last, mark, counts, ends_of_numbers, .. } = description;
        let bitmaps: usize = present.iter().map(|bitmap| BITMAP + bitmap.serialized_size()).sum();
        let counted: usize = counts.iter().map(|counts| 32 + 4 * counts.len()).sum();
        let weight = size_of::<Self>() + bitmaps + counted + 16 * ends_of_numbers.len();
        let rows = rows as usize;
        Self { number, epochs, rows, first, last, mark, present, counts, ends_of_numbers, weight, source }
    }

    pub(crate) fn len(&self) -> usize {
        self.rows
    }

    /// How many rows have each of the codes that are present in a column, in their order, where that is known.
    pub(crate) fn counts(&self, column: usize) -> Option<&[u32]> {
        self.counts.get(column).filter(|counts| !counts.is_empty()).map(AsRef::as_ref)
    }

    pub(crate) fn times(&self) -> Result<Arc<Vec<i64>>, Error> {
        let load = |bytes: Vec<u8>| Ok(Value::Times(Arc::new(decode_times(&bytes)?)));
        match self.load(Kind::Times, None, TIMES, load)? {
            Value::Times(times) if times.len() == self.rows => Ok(times),
            _ => Err(DAMAGED),
        }
    }

    /// Whether what is asked for most is in memory: the times and these columns of symbols.
    pub(crate) fn is_read(&self, columns: &[usize]) -> bool {
        let has = |kind, place: usize| self.source.cache.has(Key::new(self.source.table, kind, self.number, place));
        has(Kind::Times, 0) && columns.iter().all(|column| has(Kind::Codes, *column))
    }

    /// Reads that, as long as there is room; says whether there was.
    pub(crate) fn read_ahead(&self, columns: &[usize]) -> Result<bool, Error> {
        for column in columns {
            if !self.source.cache.has_room() {
                return Ok(false);
            }
            self.codes(*column)?;
        }
        if !self.source.cache.has_room() {
            return Ok(false);
        }
        self.times()?;
        Ok(true)
    }

    pub(crate) fn ids(&self) -> Result<Arc<Slices>, Error> {
        self.slices(Kind::Ids, None, IDS, self.rows)
    }

    pub(crate) fn codes(&self, column: usize) -> Result<Arc<Codes>, Error> {
        let load = |bytes: Vec<u8>| Ok(Value::Codes(Arc::new(Codes::decode(&bytes)?)));
        match self.load(Kind::Codes, Some(column), CODES, load)? {
            Value::Codes(codes) if codes.len() == self.rows => Ok(codes),
            _ => Err(DAMAGED),
        }
    }

    pub(crate) fn numbers(&self, column: usize) -> Result<Arc<Numbers>, Error> {
        let load = |bytes: Vec<u8>| Ok(Value::Numbers(Arc::new(Numbers::decode(&bytes, self.rows)?)));
        match self.load(Kind::Numbers, Some(column), NUMBERS, load)? {
            Value::Numbers(numbers) => Ok(numbers),
            _ => Err(DAMAGED),
        }
    }

    pub(crate) fn texts(&self, column: usize) -> Result<Arc<Slices>, Error> {
        self.slices(Kind::Texts, Some(column), TEXTS, self.rows)
    }

    /// What the texts of a column are made of.
    pub(crate) fn trigrams(&self, column: usize) -> Result<Arc<Trigrams>, Error> {
        let load = |bytes: Vec<u8>| Ok(Value::Trigrams(Arc::new(Trigrams::decode(&bytes)?)));
        match self.load(Kind::Trigrams, Some(column), trigrams::WHAT, load)? {
            Value::Trigrams(trigrams) => Ok(trigrams),
            _ => Err(DAMAGED),
        }
    }

    /// Whether the rows of a block are in memory.
    pub(crate) fn has_block(&self, block: usize) -> bool {
        self.source.cache.has(Key::new(self.source.table, Kind::Block, self.number, block))
    }

    /// What it takes to show the rows of a block: [`BLOCK_ROWS`] of them, fewer in the last.
    pub(crate) fn block(&self, block: usize) -> Result<Arc<Slices>, Error> {
        let rows = BLOCK_ROWS.min(self.rows.saturating_sub(block * BLOCK_ROWS));
        let cached = Key::new(self.source.table, Kind::Block, self.number, block);
        let value = self.source.cache.get(cached, || {
            let number = u32::try_from(block).map_err(|_| DAMAGED)?;
            let bytes = self.source.read(Kind::Block, &[self.number, number], BLOCKS)?;
            Ok(Value::Slices(Arc::new(Slices::decode(&bytes, BLOCKS)?)))
        })?;
        match value {
            Value::Slices(slices) if slices.len() == rows => Ok(slices),
            _ => Err(DAMAGED),
        }
    }

    /// The rows that have this id: one at most, but for what is superseded.
    pub(crate) fn rows_with_id(&self, id: &[u8]) -> Result<Vec<RowNumber>, Error> {
        match self.id_index(id)? {
            Some(index) => Ok(index.rows(&*self.ids()?, id)),
            None => Ok(Vec::new()),
        }
    }

    /// Whether all that a look-up of an id reads is in memory.
    pub(crate) fn is_ready_for_id(&self, id: &[u8]) -> bool {
        let Source { cache, table, .. } = &self.source;
        let Some(Value::IdIndex(index)) = cache.peek(Key::id_index(*table, self.number)) else { return false };
        cache.has(Key::new(*table, Kind::Ids, self.number, 0))
            && index.rows_of_hash(id).all(|row| self.has_block(row.index() / BLOCK_ROWS))
    }

    /// The index over the ids; none where an id is not among them and the index not in memory.
    ///
    /// Once in a million times a filter is wrong, which with many segments is often enough for the ids of all to be
    /// read over time. Only where an id was found are they worth their place in the cache.
    fn id_index(&self, id: &[u8]) -> Result<Option<Arc<IdIndex>>, Error> {
        let Source { cache, table, .. } = &self.source;
        let cached = Key::id_index(*table, self.number);
        if let Some(Value::IdIndex(index)) = cache.peek(cached) {
            return Ok(Some(index));
        }
        let ids = Slices::decode(&self.source.read(Kind::Ids, &[self.number], IDS)?, IDS)?;
        if ids.len() != self.rows {
            return Err(DAMAGED);
        }
        if !ids.iter().any(|other| other == id) {
            return Ok(None);
        }
        let index = Arc::new(IdIndex::new(&ids));
        cache.put(cached, Value::IdIndex(index.clone()));
        cache.put(Key::new(*table, Kind::Ids, self.number, 0), Value::Slices(Arc::new(ids)));
        Ok(Some(index))
    }

    /// The filter that names its ids. It is not cached: a table keeps those it has read side by side.
    pub(crate) fn filter(&self, full: usize) -> Result<Filter, Error> {
        let value = pieces::get(&self.source.tree, &key(&self.source.prefix, Kind::Members, &[self.number]))?;
        Filter::decode(&value.ok_or(Error::Damaged(FILTER))?, full)
    }

    /// Removes all its values.
    pub(crate) fn remove(&self, schema: &Schema, changes: &mut Vec<Change>) -> Result<(), Error> {
        let Source { tree, prefix, .. } = &self.source;
        // It may be on its way to the tree.
        changes.push((key(prefix, Kind::Superseded, &[self.number]), None));
        for kind in [Kind::Segment, Kind::Times, Kind::Ids, Kind::Members, Kind::Block] {
            pieces::remove(changes, tree, &key(prefix, kind, &[self.number]))?;
        }
        let (symbols, numbers, texts) = (schema.symbols.len(), schema.numbers, schema.texts);
        for (kind, columns) in
            [(Kind::Codes, symbols), (Kind::Numbers, numbers), (Kind::Texts, texts), (Kind::Trigrams, texts)]
        {
            for column in (0_u32..).take(columns) {
                pieces::remove(changes, tree, &key(prefix, kind, &[column, self.number]))?;
            }
        }
        Ok(())
    }

    fn slices(&self, kind: Kind, column: Option<usize>, what: &'static str, rows: usize) -> Result<Arc<Slices>, Error> {
        let load = |bytes: Vec<u8>| Ok(Value::Slices(Arc::new(Slices::decode(&bytes, what)?)));
        match self.load(kind, column, what, load)? {
            Value::Slices(slices) if slices.len() == rows => Ok(slices),
            _ => Err(DAMAGED),
        }
    }

    fn load(
        &self,
        kind: Kind,
        column: Option<usize>,
        what: &'static str,
        decode: impl FnOnce(Vec<u8>) -> Result<Value, Error>,
    ) -> Result<Value, Error> {
        let cached = Key::new(self.source.table, kind, self.number, column.unwrap_or_default());
        self.source.cache.get(cached, || {
            let bytes = match column {
                Some(column) => {
                    let column = u32::try_from(column).map_err(|_| Error::Damaged(what))?;
                    self.source.read(kind, &[column, self.number], what)?
                }
                None => self.source.read(kind, &[self.number], what)?,
            };
            decode(bytes)
        })
    }
}

/// Counts, for the columns that most filters look at, how many rows have each code, unless there are too many codes:
/// the counts stay in memory.
fn counts(columns: &Columns, schema: &Schema) -> Vec<Box<[u32]>> {
    const TOO_MANY: u64 = 4096;
    let counts = columns.present.iter().zip(&columns.codes).enumerate().map(|(column, (present, codes))| {
        let is_counted = schema.filtered.contains(&column) && present.len() < TOO_MANY;
        if is_counted { codes.counts(present) } else { Box::default() }
    });
    counts.collect()
}
