//! The changes of one table that a writer has collected.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use foldhash::fast::RandomState;
use roaring::RoaringBitmap;

use crate::Error;
use crate::bitmap::serialize;
use crate::chunk::{Chunk, Columns};
use crate::dictionary::NewSymbols;
use crate::frame::Framer;
use crate::key::{Kind, key};
use crate::memory::Lease;
use crate::options::Options;
use crate::part::{Body, Part};
use crate::pieces;
use crate::removal::Removing;
use crate::row::{Coded, NewRow, Row, RowNumber, Schema};
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
    rows: Vec<Coded>,
    by_id: HashMap<Box<[u8]>, usize, RandomState>,
    symbols: NewSymbols,
    superseded_in_chunks: BTreeSet<(u32, RowNumber)>,
    superseded_in_segments: BTreeMap<u32, RoaringBitmap>,
    /// Segments that go.
    removed: Vec<u32>,
    /// Given where some do.
    removing: Option<Removing>,
    /// Those of their rows that stay.
    kept: Vec<Coded>,
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
    Pending(usize),
    Committed(RowPlace),
}

impl Pending {
    pub(crate) fn new(table: Lease) -> Self {
        // Codes go on where the committed ones end. Nobody else gives out codes of this table, as it has one writer, so they
        // are still free when they are committed.
        let symbols = NewSymbols::beyond(&table.state.read().dictionaries);
        Self {
            table,
            rows: Vec::new(),
            by_id: HashMap::default(),
            symbols,
            superseded_in_chunks: BTreeSet::new(),
            superseded_in_segments: BTreeMap::new(),
            removed: Vec::new(),
            removing: None,
            kept: Vec::new(),
        }
    }

    /// The row with an id, and where it is.
    pub(crate) fn find(&self, schema: &Schema, id: &[u8]) -> Result<Option<(Row, Spot)>, Error> {
        if let Some(index) = self.by_id.get(id) {
            let row = self.read(schema, &self.rows[*index])?;
            return Ok(Some((row, Spot::Pending(*index))));
        }
        let Some(place) = self.table.place(id)? else { return Ok(None) };
        let row = self.table.row(schema, &place)?;
        Ok(Some((row, Spot::Committed(place))))
    }

    /// Puts a row in the place of another.
    pub(crate) fn put(&mut self, schema: &Schema, row: NewRow<'_>, replaced: Option<&Spot>) -> Result<(), Error> {
        let coded = self.code(schema, row)?;
        match replaced {
            Some(Spot::Pending(index)) => {
                self.rows[*index] = coded;
                return Ok(());
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
        self.by_id.insert(coded.id.clone(), self.rows.len());
        self.rows.push(coded);
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
        if self.kept.is_empty() {
            return Ok(());
        }
        // Little by little they would become many small segments.
        for part in marked(|own, _| own == KEPT) {
            if part.live() + self.kept.len() as u64 <= full as u64 {
                self.removed.push(part.number());
                self.keep(schema, part, |_| true)?;
            }
        }
        self.kept.sort_unstable_by(|one, other| one.order().cmp(&other.order()));
        Ok(())
    }

    /// Keeps the rows of a segment that stay, in the codes of the open dictionaries.
    fn keep(&mut self, schema: &Schema, part: &Part, stays: fn(&[u8]) -> bool) -> Result<(), Error> {
        let ids = part.ids()?;
        if !ids.iter().any(stays) {
            return Ok(());
        }
        let mut rows = part.coded(schema)?;
        rows.retain(|row| stays(&row.id));
        let open = self.table.state.read().dictionaries.epochs().clone();
        for (column, dictionary) in schema.symbols.iter().enumerate() {
            let key = (usize::from(*dictionary), part.epochs()[usize::from(*dictionary)]);
            if open[key.0] == key.1 {
                continue;
            }
            let codes: Vec<u32> = rows.iter().map(|row| row.codes[column]).collect();
            let symbols = self.table.symbols(schema, key, &codes)?;
            let state = self.table.state.read();
            for (row, symbol) in rows.iter_mut().zip(symbols) {
                row.codes[column] = match state.dictionaries.code(key.0, &symbol) {
                    Some(known) => known,
                    None => self.symbols.code(key.0, &symbol)?,
                };
            }
        }
        self.kept.append(&mut rows);
        Ok(())
    }

    fn code(&mut self, schema: &Schema, row: NewRow<'_>) -> Result<Coded, Error> {
        let state = self.table.state.read();
        let mut codes = Vec::with_capacity(schema.symbols.len());
        for (dictionary, symbol) in schema.symbols.iter().zip(row.symbols) {
            let dictionary = usize::from(*dictionary);
            codes.push(match state.dictionaries.code(dictionary, symbol) {
                Some(known) => known,
                None => self.symbols.code(dictionary, symbol)?,
            });
        }
        Ok(Coded {
            time: row.time,
            id: row.id.into(),
            codes: codes.into(),
            numbers: row.numbers.into(),
            texts: row.texts.iter().map(|text| text.to_vec()).collect(),
            rest: row.rest.into(),
        })
    }

    fn read(&self, schema: &Schema, coded: &Coded) -> Result<Row, Error> {
        let state = self.table.state.read();
        let symbol = |(dictionary, code): (&u8, &u32)| {
            let dictionary = usize::from(*dictionary);
            let new = self.symbols.symbol(dictionary, *code);
            new.map_or_else(|| state.dictionaries.symbol(dictionary, *code), Ok)
        };
        let symbols: Result<Vec<_>, Error> = schema.symbols.iter().zip(&coded.codes).map(symbol).collect();
        Ok(Row { symbols: symbols?, rest: coded.rest.to_vec() })
    }

    /// Makes the changes ready to be written; segments that are sealed get `mark`.
    pub(crate) fn prepare(mut self, schema: &Schema, options: &Options, mark: u64) -> Result<(Lease, Update), Error> {
        let (rows, kept) = (std::mem::take(&mut self.rows), std::mem::take(&mut self.kept));
        let (by_id, in_chunks) = (std::mem::take(&mut self.by_id), std::mem::take(&mut self.superseded_in_chunks));
        let (table, mut update) = self.begin(schema)?;
        {
            // The writer is the only one who changes the state, so what it reads here stays as it is.
            let state = table.state.read();
            let target = Target { table: &table, state: &state, schema, options };
            // What was written since is newer.
            let kept: Vec<Coded> = kept.into_iter().filter(|row| !by_id.contains_key(&row.id)).collect();
            target.seal_kept(&kept, &mut update)?;
            if !rows.is_empty() {
                let head = Head { rows, superseded: in_chunks };
                head.write(target, mark, &mut update)?;
            }
            target.finish(&mut update)?;
        }
        Ok((table, update))
    }

    /// The update as far as it is about rows that are there: new symbols, segments that go, rows that are superseded.
    fn begin(self, schema: &Schema) -> Result<(Lease, Update), Error> {
        let Self { table, symbols, superseded_in_segments, removed, removing, .. } = self;
        let mut framer = Framer::new();
        let mut changes = Vec::new();
        let mut superseded = Vec::new();
        let manifest = {
            let state = table.state.read();
            let prefix = &table.source.prefix;
            for (dictionary, first, value) in symbols.values(&mut framer)? {
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
                let value = framer.frame(&serialize(&all), SUPERSEDED)?;
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
    rows: Vec<Coded>,
    superseded: BTreeSet<(u32, RowNumber)>,
}

impl Head {
    /// Makes a chunk of the rows; together with the chunks that are there, where those are many and small, or of what is
    /// left after sealing, where all are too many.
    fn write(self, target: Target<'_>, mark: u64, update: &mut Update) -> Result<(), Error> {
        let Target { table, state, schema, options } = target;
        let source = &table.source;
        let is_full = self.is_full(state, options, update);
        let merged = if is_full { state.chunks.clone() } else { small_chunks(state) };
        for chunk in &merged {
            let prefix = key(&source.prefix, Kind::Chunk, &[chunk.number()]);
            pieces::remove(&mut update.changes, &source.tree, &prefix)?;
        }
        let rows = self.gather(&merged, schema)?;
        if is_full {
            target.seal(rows, mark, update)?;
        } else {
            update.merged_chunks = merged.iter().map(Part::number).collect();
            let columns = Columns::new(schema, &rows)?;
            update.chunk = Some(Arc::new(Chunk::new(state.next_chunk, state.dictionaries.epochs().clone(), columns)));
        }
        if let Some(chunk) = &update.chunk {
            let value = chunk.encode(&mut Framer::new())?;
            pieces::put_chunk(&mut update.changes, &key(&source.prefix, Kind::Chunk, &[chunk.number]), &value);
        }
        Ok(())
    }

    fn is_full(&self, state: &State, options: &Options, update: &Update) -> bool {
        let committed = state.chunks.iter().map(Part::live).sum::<u64>().saturating_sub(self.superseded.len() as u64);
        let rows = usize::try_from(committed).unwrap_or(usize::MAX).saturating_add(self.rows.len());
        let in_chunks: usize = state.chunks.iter().filter_map(Part::chunk).map(|chunk| chunk.bytes).sum();
        let bytes = in_chunks + self.rows.iter().map(Coded::bytes).sum::<usize>();
        let symbols = state.dictionaries.sizes().chain(update.symbols.sizes()).map(|(_, bytes)| bytes).sum();
        options.is_full(rows, bytes.max(symbols))
    }

    /// The rows of chunks that are not superseded, with the new ones, in order.
    fn gather(self, chunks: &[Part], schema: &Schema) -> Result<Vec<Coded>, Error> {
        let Self { mut rows, superseded } = self;
        for chunk in chunks {
            let number = chunk.number();
            let of_chunk = superseded.range((number, RowNumber::FIRST)..=(number, RowNumber::LAST));
            let mut chunk = chunk.clone();
            Arc::make_mut(&mut chunk.superseded).extend(of_chunk.map(|(_, row)| row.bits()));
            rows.extend(chunk.coded(schema)?);
        }
        rows.sort_unstable_by(|one, other| one.order().cmp(&other.order()));
        Ok(rows)
    }
}

/// The last chunks, when they are small and there are many of them.
fn small_chunks(state: &State) -> Vec<Part> {
    let small = state.chunks.iter().rev().take_while(|chunk| chunk.len() < SMALL_CHUNK_ROWS).count();
    let first = state.chunks.len() - if small >= MAX_SMALL_CHUNKS { small } else { 0 };
    state.chunks[first..].to_vec()
}
