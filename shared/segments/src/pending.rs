//! The changes of one table that a writer has collected.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::BuildHasher;
use std::sync::Arc;

use foldhash::fast::RandomState;
use hashbrown::HashTable;
use roaring::RoaringBitmap;

use crate::Error;
use crate::bitmap::serialize;
use crate::chunk::{Chunk, Columns};
use crate::coded::{Coded, CodedRows};
use crate::dictionary::NewSymbols;
use crate::frame;
use crate::key::{Kind, key};
use crate::memory::Lease;
use crate::options::Options;
use crate::part::{Body, Part};
use crate::pieces;
use crate::removal::Removing;
use crate::row::{NewRow, Row, RowNumber, Schema};
use crate::seal::{KEPT, Target};
use crate::segment::{SUPERSEDED, Segment};
use crate::state::State;
use crate::update::{RowPlace, Update};

/// A chunk with fewer rows is small.
const SMALL_CHUNK_ROWS: usize = 512;
/// So many small chunks become one.
const MAX_SMALL_CHUNKS: usize = 32;

/// The changes of one table. It stays in memory until they are published, so that nobody reads it from a tree that holds
/// only some of them.
#[derive(Debug)]
pub(crate) struct Pending {
    pub(crate) table: Lease,
    rows: CodedRows,
    by_id: ById,
    /// Rows that others replace which came after them.
    replaced: RoaringBitmap,
    symbols: NewSymbols,
    /// Those of the row that is being put.
    codes: Vec<u32>,
    superseded_in_chunks: BTreeSet<(u32, RowNumber)>,
    superseded_in_segments: BTreeMap<u32, RoaringBitmap>,
    /// Segments that go.
    removed: Vec<u32>,
    /// Given where some do.
    removing: Option<Removing>,
    /// Those of their rows that stay.
    kept: CodedRows,
}

/// Rows by their ids, which stand in the rows.
#[derive(Debug, Default)]
struct ById {
    hasher: RandomState,
    rows: HashTable<RowNumber>,
}

impl ById {
    fn get(&self, rows: &CodedRows, id: &[u8]) -> Option<RowNumber> {
        self.rows.find(self.hasher.hash_one(id), |row| rows.id(*row) == id).copied()
    }

    /// Notes the number of a row in the place of that of an earlier one with its id.
    fn insert(&mut self, rows: &CodedRows, row: RowNumber) {
        let Self { hasher, rows: by_hash } = self;
        let id = rows.id(row);
        let entry =
            by_hash.entry(hasher.hash_one(id), |other| rows.id(*other) == id, |other| hasher.hash_one(rows.id(*other)));
        entry.insert(row);
    }
}

/// What is forgotten.
#[derive(Clone, Copy)]
pub(crate) struct Forgetting {
    /// The rows of segments with a lower mark.
    pub(crate) mark: u64,
    /// Of these, rows stay whose id this says yes to.
    pub(crate) stays: Option<fn(&[u8]) -> bool>,
}

/// Where a row is that is replaced.
#[derive(Clone, Debug)]
pub(crate) enum Spot {
    Pending(RowNumber),
    Committed(RowPlace),
}

impl Pending {
    pub(crate) fn new(table: Lease, schema: &Schema) -> Self {
        // Codes go on where the committed ones end. Nobody else gives out codes of this table, as it has one writer, so they
        // are still free when they are committed.
        let symbols = NewSymbols::beyond(&table.state.read().dictionaries);
        Self {
            table,
            rows: CodedRows::new(schema),
            by_id: ById::default(),
            replaced: RoaringBitmap::new(),
            symbols,
            codes: Vec::new(),
            superseded_in_chunks: BTreeSet::new(),
            superseded_in_segments: BTreeMap::new(),
            removed: Vec::new(),
            removing: None,
            kept: CodedRows::new(schema),
        }
    }

    /// The row with an id, and where it is.
    pub(crate) fn find(&self, schema: &Schema, id: &[u8]) -> Result<Option<(Row, Spot)>, Error> {
        if let Some(row) = self.by_id.get(&self.rows, id) {
            return Ok(Some((self.read(schema, row)?, Spot::Pending(row))));
        }
        let Some(place) = self.table.place(id)? else { return Ok(None) };
        let row = self.table.row(schema, &place)?;
        Ok(Some((row, Spot::Committed(place))))
    }

    /// Puts a row in the place of another.
    pub(crate) fn put(&mut self, schema: &Schema, row: NewRow<'_>, replaced: Option<&Spot>) -> Result<(), Error> {
        let number = self.code(schema, row)?;
        match replaced {
            Some(Spot::Pending(earlier)) => {
                self.replaced.insert(earlier.bits());
            }
            Some(Spot::Committed(RowPlace { part, row })) => match &part.body {
                Body::Chunk(chunk) => {
                    self.superseded_in_chunks.insert((chunk.number, *row));
                }
                Body::Segment(segment) => {
                    self.superseded_in_segments.entry(segment.number).or_default().insert(row.bits());
                }
            },
            None => {}
        }
        self.by_id.insert(&self.rows, number);
        Ok(())
    }

    /// Drops rows. `full` is how many a segment has at most.
    pub(crate) fn forget(
        &mut self,
        schema: &Schema,
        full: usize,
        Forgetting { mark, stays }: Forgetting,
    ) -> Result<(), Error> {
        // Who reads on holds on to all of them: they are forgotten another time.
        let Some(removing) = self.table.removal.begin() else { return Ok(()) };
        self.removing = Some(removing);
        // The writer is the only one who changes the state, so these are still all segments when it is done.
        let segments = self.table.state.read().segments.clone();
        let marked = |wanted: fn(u64, u64) -> bool| {
            let is_wanted = move |part: &&Part| part.segment().is_some_and(|segment| wanted(segment.mark, mark));
            segments.iter().filter(is_wanted)
        };
        for part in marked(|own, mark| own < mark) {
            self.removed.push(part.number());
            if let Some(stays) = stays {
                self.keep(schema, part, stays)?;
            }
        }
        if self.kept.len() == 0 {
            return Ok(());
        }
        // Little by little they would become many small segments.
        for part in marked(|own, _| own == KEPT) {
            if part.live() + self.kept.len() as u64 <= full as u64 {
                self.removed.push(part.number());
                self.keep(schema, part, |_| true)?;
            }
        }
        Ok(())
    }

    /// Keeps the rows of a segment that stay, in the codes of the open dictionaries.
    fn keep(&mut self, schema: &Schema, part: &Part, stays: fn(&[u8]) -> bool) -> Result<(), Error> {
        let ids = part.ids()?;
        if !ids.iter().any(stays) {
            return Ok(());
        }
        let before = self.kept.len();
        part.take_apart(schema, stays, &mut self.kept)?;
        let open = self.table.state.read().dictionaries.epochs().clone();
        for (column, dictionary) in schema.symbols.iter().enumerate() {
            let key = (usize::from(*dictionary), part.epochs()[usize::from(*dictionary)]);
            if open[key.0] == key.1 {
                continue;
            }
            let rows = || self.kept.all().skip(before);
            let codes: Vec<u32> = rows().map(|row| self.kept.codes(row)[column]).collect();
            let symbols = self.table.symbols(schema, key, &codes)?;
            let state = self.table.state.read();
            for (row, symbol) in rows().zip(symbols) {
                *self.kept.code_mut(row, column) = match state.dictionaries.code(key.0, &symbol) {
                    Some(known) => known,
                    None => self.symbols.code(key.0, &symbol)?,
                };
            }
        }
        Ok(())
    }

    /// Puts a row, in codes, behind the others.
    fn code(&mut self, schema: &Schema, row: NewRow<'_>) -> Result<RowNumber, Error> {
        let state = self.table.state.read();
        self.codes.clear();
        for (dictionary, symbol) in schema.symbols.iter().zip(row.symbols) {
            let dictionary = usize::from(*dictionary);
            self.codes.push(match state.dictionaries.code(dictionary, symbol) {
                Some(known) => known,
                None => self.symbols.code(dictionary, symbol)?,
            });
        }
        let NewRow { time, id, numbers, texts, rest, .. } = row;
        let (numbers, texts) = (numbers.iter().copied(), texts.iter().copied());
        self.rows.push(Coded { time, id, codes: &self.codes, numbers, texts, rest })
    }

    fn read(&self, schema: &Schema, row: RowNumber) -> Result<Row, Error> {
        let state = self.table.state.read();
        let symbol = |(dictionary, code): (&u8, &u32)| {
            let dictionary = usize::from(*dictionary);
            let new = self.symbols.symbol(dictionary, *code);
            new.map_or_else(|| state.dictionaries.symbol(dictionary, *code), Ok)
        };
        let symbols: Result<Vec<_>, Error> = schema.symbols.iter().zip(self.rows.codes(row)).map(symbol).collect();
        Ok(Row { symbols: symbols?, rest: self.rows.rest(row).to_vec() })
    }

    /// Whether rows will be sealed when the changes are made ready.
    pub(crate) fn is_full(&self, options: &Options) -> bool {
        let state = self.table.state.read();
        let in_chunks = state.chunks.iter().map(Part::live).sum::<u64>();
        let committed = in_chunks.saturating_sub(self.superseded_in_chunks.len() as u64);
        let own = self.rows.len() as u64 - self.replaced.len();
        let rows = usize::try_from(committed + own).unwrap_or(usize::MAX);
        let in_chunks: usize = state.chunks.iter().filter_map(Part::chunk).map(|chunk| chunk.bytes).sum();
        let symbols: usize = state.dictionaries.sizes().chain(self.symbols.sizes()).map(|(_, bytes)| bytes).sum();
        options.is_full(rows, symbols.max(in_chunks + self.rows.bytes()))
    }

    /// Makes the changes ready to be written; segments that are sealed get `mark`.
    pub(crate) fn prepare(mut self, schema: &Schema, options: &Options, mark: u64) -> Result<(Lease, Update), Error> {
        let is_full = self.is_full(options);
        let nothing = || CodedRows::new(schema);
        let (rows, kept) = (std::mem::replace(&mut self.rows, nothing()), std::mem::replace(&mut self.kept, nothing()));
        let (by_id, in_chunks) = (std::mem::take(&mut self.by_id), std::mem::take(&mut self.superseded_in_chunks));
        let replaced = std::mem::take(&mut self.replaced);
        let (table, mut update) = self.begin(schema)?;
        {
            // The writer is the only one who changes the state, so what it reads here stays as it is.
            let state = table.state.read();
            let target = Target { table: &table, state: &state, schema, options };
            // What was written since is newer.
            let stays = kept.all().filter(|row| by_id.get(&rows, kept.id(*row)).is_none());
            target.seal_kept(&kept, &kept.sorted(stays), &mut update)?;
            if rows.len() > 0 {
                let head = Head { rows, replaced, superseded: in_chunks, is_full };
                head.write(target, mark, &mut update)?;
            }
            target.finish(&mut update)?;
        }
        Ok((table, update))
    }

    /// The update as far as it is about rows that are there: new symbols, segments that go, rows that are superseded.
    fn begin(self, schema: &Schema) -> Result<(Lease, Update), Error> {
        let Self { table, symbols, superseded_in_segments, removed, removing, .. } = self;
        let mut changes = Vec::new();
        let mut superseded = Vec::new();
        let manifest = {
            let state = table.state.read();
            let prefix = &table.source.prefix;
            for (dictionary, first, value) in symbols.values()? {
                let epoch = state.dictionaries.epochs()[dictionary as usize];
                let key = key(prefix, Kind::Symbols, &[dictionary, epoch, first]);
                pieces::put(&mut changes, &key, &value);
            }
            for segment in removed.iter().filter_map(|number| state.segment(*number)?.segment()) {
                Segment::remove(segment, schema, &mut changes)?;
            }
            for (number, rows) in superseded_in_segments {
                let Some(part) = state.segment(number).filter(|_| !removed.contains(&number)) else { continue };
                let all = &*part.superseded | rows;
                let value = frame::close(&serialize(&all), SUPERSEDED)?;
                changes.push((key(prefix, Kind::Superseded, &[number]), Some(value)));
                superseded.push((number, Arc::new(all)));
            }
            state.manifest.clone()
        };
        let update = Update {
            changes,
            symbols,
            superseded_in_segments: superseded,
            removed,
            removing,
            forgotten: Vec::new(),
            sealed: Vec::new(),
            manifest,
            merged_chunks: Vec::new(),
            chunk: None,
            seal: None,
        };
        Ok((table, update))
    }
}

/// New rows, and those of chunks that they replace.
struct Head {
    rows: CodedRows,
    replaced: RoaringBitmap,
    superseded: BTreeSet<(u32, RowNumber)>,
    is_full: bool,
}

impl Head {
    /// Makes a chunk of the rows; together with the chunks that are there, where those are many and small, or of what is
    /// left after sealing, where all are too many.
    fn write(self, target: Target<'_>, mark: u64, update: &mut Update) -> Result<(), Error> {
        let Target { table, state, schema, .. } = target;
        let (source, is_full) = (&table.source, self.is_full);
        let merged = if is_full { state.chunks.clone() } else { small_chunks(state) };
        for chunk in &merged {
            let prefix = key(&source.prefix, Kind::Chunk, &[chunk.number()]);
            pieces::remove(&mut update.changes, &source.tree, &prefix)?;
        }
        let (rows, order) = self.gather(&merged, schema)?;
        if is_full {
            target.seal(rows, &order, mark, update)?;
        } else {
            update.merged_chunks = merged.iter().map(Part::number).collect();
            let columns = Columns::new(schema, &rows, &order)?;
            update.chunk = Some(Arc::new(Chunk::new(state.next_chunk, state.dictionaries.epochs().clone(), columns)));
        }
        if let Some(chunk) = &update.chunk {
            let value = chunk.encode()?;
            pieces::put_chunk(&mut update.changes, &key(&source.prefix, Kind::Chunk, &[chunk.number]), &value);
        }
        Ok(())
    }

    /// The rows of chunks that are not superseded, and the new ones, in order.
    fn gather(self, chunks: &[Part], schema: &Schema) -> Result<(CodedRows, Vec<RowNumber>), Error> {
        let Self { mut rows, replaced, superseded, .. } = self;
        let new = rows.len();
        for chunk in chunks {
            let number = chunk.number();
            let of_chunk = superseded.range((number, RowNumber::FIRST)..=(number, RowNumber::LAST));
            let mut chunk = chunk.clone();
            Arc::make_mut(&mut chunk.superseded).extend(of_chunk.map(|(_, row)| row.bits()));
            chunk.take_apart(schema, |_| true, &mut rows)?;
        }
        let live = rows.all().take(new).filter(|row| !replaced.contains(row.bits()));
        // Those of chunks first, which are older.
        let order = rows.sorted(rows.all().skip(new).chain(live));
        Ok((rows, order))
    }
}

/// The last chunks, when they are small and there are many of them.
fn small_chunks(state: &State) -> Vec<Part> {
    let small = state.chunks.iter().rev().take_while(|chunk| chunk.len() < SMALL_CHUNK_ROWS).count();
    let first = state.chunks.len() - if small >= MAX_SMALL_CHUNKS { small } else { 0 };
    state.chunks[first..].to_vec()
}
