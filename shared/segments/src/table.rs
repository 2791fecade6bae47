//! A table: what is committed, as readers see it.

use std::collections::HashMap;
use std::sync::Arc;

use foldhash::fast::RandomState;
use parking_lot::RwLock;
use roaring::RoaringBitmap;
use serde::{Deserialize, Serialize};

use crate::cache::{Key, Value};
use crate::chunk::Chunk;
use crate::dictionary::{Dictionaries, NewSymbols};
use crate::frame;
use crate::key::{Kind, key, numbers};
use crate::membership::{Filter, Membership};
use crate::part::{Body, Part, RowReader};
use crate::segment::{Sealed, Segment, Source, deserialize};
use crate::store::Options;
use crate::writer::Change;
use crate::{Error, Row, Schema, part, pieces, row};

/// A table's numbers on disk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Numbers {
    /// The dictionaries that new rows use.
    pub(crate) epoch: u32,
    /// The next segment's number. Numbers are never used again, so nothing cached can be mistaken.
    pub(crate) next_segment: u32,
}

/// Where a row is. It holds its part, so that the row can be read even when it is sealed or replaced meanwhile.
#[derive(Clone, Debug)]
pub(crate) struct RowPlace {
    pub(crate) part: Part,
    pub(crate) row: u32,
}

/// Where the rows that are not sealed are, by their id.
pub(crate) type ById = HashMap<Box<[u8]>, (u32, u32), RandomState>;

/// A table.
#[derive(Debug)]
pub(crate) struct Table {
    pub(crate) source: Source,
    pub(crate) state: RwLock<State>,
    /// Apart from the state, because adding a segment takes milliseconds, which no reader shall wait.
    membership: RwLock<Membership>,
}

/// What is committed.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) dictionaries: Dictionaries,
    /// By number.
    pub(crate) chunks: Vec<Part>,
    /// By number.
    pub(crate) segments: Vec<Part>,
    pub(crate) by_id: ById,
    pub(crate) next_chunk: u32,
    pub(crate) next_segment: u32,
    /// How often segments went, whose columns an earlier reader may miss.
    pub(crate) removals: u64,
}

/// What a commit changes.
#[derive(Debug)]
pub(crate) struct Update {
    /// What is to be written first.
    pub(crate) changes: Vec<Change>,
    pub(crate) symbols: NewSymbols,
    /// Of a segment, all rows that are superseded now.
    pub(crate) superseded_in_segments: Vec<(u32, Arc<RoaringBitmap>)>,
    /// The segments that go.
    pub(crate) removed: Vec<u32>,
    /// The new segments.
    pub(crate) sealed: Vec<Sealed>,
    /// The table's numbers from now on.
    pub(crate) numbers: Numbers,
    /// The chunks that go: the new one has their rows.
    pub(crate) merged_chunks: Vec<u32>,
    pub(crate) chunk: Option<Arc<Chunk>>,
    /// Given where the oldest rows were sealed.
    pub(crate) seal: Option<Seal>,
}

/// What sealing the oldest rows changes: no chunk but the update's new one is left.
#[derive(Debug)]
pub(crate) struct Seal {
    /// The chunk's rows.
    pub(crate) by_id: ById,
    /// Given where a new epoch begins.
    pub(crate) dictionaries: Option<Dictionaries>,
}

impl Table {
    /// Reads what is in memory of a table: all but its segments' columns.
    pub(crate) fn load(source: Source, schema: &Schema, options: &Options) -> Result<Self, Error> {
        let (tree, prefix) = (&source.tree, &source.prefix);
        let stored = tree.get(key(prefix, Kind::Table, &[]))?;
        let known: Numbers = match stored {
            Some(value) => {
                postcard::from_bytes(&frame::open(&value, "a table")?).map_err(|_| Error::Damaged("a table"))?
            }
            None => Numbers::default(),
        };
        let dictionaries = Dictionaries::load(tree, prefix, known.epoch, schema)?;
        let mut state = State {
            dictionaries,
            chunks: Vec::new(),
            segments: Vec::new(),
            by_id: ById::default(),
            next_chunk: 0,
            next_segment: known.next_segment,
            removals: 0,
        };
        let mut membership = Membership::new(options.seal_rows);
        for (found, value) in pieces::scan(tree, &key(prefix, Kind::Segment, &[]))? {
            let [number] = numbers(&found).ok_or(Error::Damaged("a key"))?;
            let segment = Segment::open(source.clone(), number, &value)?;
            let filter = pieces::get(tree, &key(prefix, Kind::Members, &[number]))?;
            let filter = filter.ok_or(Error::Damaged("a membership filter"))?;
            membership.add(number, &Filter::decode(&filter, options.seal_rows)?);
            let superseded = match tree.get(key(prefix, Kind::Superseded, &[number]))? {
                Some(value) => deserialize(&frame::open(&value, "a list of superseded rows")?)?,
                None => RoaringBitmap::new(),
            };
            state.segments.push(Part { body: Body::Segment(Arc::new(segment)), superseded: Arc::new(superseded) });
        }
        for entry in tree.scan_prefix(key(prefix, Kind::Chunk, &[])) {
            let (found, value) = entry?;
            let [number] = numbers(&found).ok_or(Error::Damaged("a key"))?;
            state.add_chunk(Arc::new(Chunk::decode(number, &value, schema)?));
        }
        Ok(Self { source, state: RwLock::new(state), membership: RwLock::new(membership) })
    }

    /// An epoch's dictionaries, `state`'s own aside.
    pub(crate) fn old_dictionaries(&self, schema: &Schema, epoch: u32) -> Result<Arc<Dictionaries>, Error> {
        let cached = Key::new(self.source.table, Kind::Symbols, epoch, 0);
        let load = || {
            let loaded = Dictionaries::load(&self.source.tree, &self.source.prefix, epoch, schema)?;
            // It goes with the last segment that uses it, which an earlier reader may still look for.
            if loaded.len() == 0 {
                return Err(Error::Damaged("a dictionary"));
            }
            Ok(Value::Dictionaries(Arc::new(loaded)))
        };
        match self.source.cache.get(cached, load)? {
            Value::Dictionaries(dictionaries) => Ok(dictionaries),
            Value::Times(_) | Value::Codes(_) | Value::Slices(_) | Value::IdIndex(_) => {
                Err(Error::Damaged("a dictionary"))
            }
        }
    }

    /// Where the row with this id is.
    pub(crate) fn place(&self, id: &[u8]) -> Result<Option<RowPlace>, Error> {
        let candidates: Vec<Part> = {
            // All of it under one lock: a row that moves from a segment into a chunk, or back, is in this one state
            // exactly once. The membership may know of segments that the state does not have yet or no more, but never
            // lacks one that the state has: see `publish`.
            let state = self.state.read();
            if let Some((number, row)) = state.by_id.get(id) {
                let place = |part: &Part| RowPlace { part: part.clone(), row: *row };
                return Ok(Some(state.chunk(*number).map(place).ok_or(Error::Damaged("a chunk"))?));
            }
            if state.segments.is_empty() {
                return Ok(None);
            }
            let numbers = self.membership.read().candidates(id);
            numbers.into_iter().filter_map(|number| state.segment(number).cloned()).collect()
        };
        for part in candidates {
            let Some(segment) = part.segment() else { continue };
            let rows = segment.rows_with_id(id)?;
            if let Some(row) = rows.into_iter().find(|row| !part.is_superseded(*row as usize)) {
                return Ok(Some(RowPlace { part, row }));
            }
        }
        Ok(None)
    }

    /// The row with this id.
    pub(crate) fn by_id(&self, schema: &Schema, id: &[u8]) -> Result<Option<Row>, Error> {
        self.place(id)?.map(|place| self.row(schema, &place)).transpose()
    }

    /// The row at a place.
    pub(crate) fn row(&self, schema: &Schema, place: &RowPlace) -> Result<Row, Error> {
        let rows = self.read(schema, &[(place.part.clone(), place.row as usize)])?;
        rows.into_iter().next().ok_or(Error::Damaged("a row"))
    }

    /// Reads rows of parts.
    pub(crate) fn read(&self, schema: &Schema, places: &[(Part, usize)]) -> Result<Vec<Row>, Error> {
        /// Rows whose blocks are read before they are looked at: few enough for all to stay in memory meanwhile.
        const AHEAD: usize = 1024;
        let columns = schema.symbols.len();
        // What may have to be read from disk comes first: nobody can write while the state is being read.
        let mut codes = vec![0; places.len() * columns];
        let mut rests = Vec::with_capacity(places.len());
        let mut reader = RowReader::default();
        for (places, codes) in places.chunks(AHEAD).zip(codes.chunks_mut(AHEAD * columns)) {
            part::fetch(places);
            for ((part, index), codes) in places.iter().zip(codes.chunks_mut(columns)) {
                rests.push(row::decode(reader.row(part, *index)?, codes)?.to_vec());
            }
        }
        let mut rows = Vec::with_capacity(places.len());
        let mut coded = codes.chunks(columns).zip(rests);
        for stretch in places.chunk_by(|(one, _), (other, _)| one.epoch() == other.epoch()) {
            let Some(epoch) = stretch.first().map(|(part, _)| part.epoch()) else { continue };
            let mut read = |dictionaries: &Dictionaries| {
                for (codes, rest) in coded.by_ref().take(stretch.len()) {
                    rows.push(Row { symbols: symbols(schema, codes, dictionaries)?, rest });
                }
                Ok::<_, Error>(())
            };
            let state = self.state.read();
            if state.dictionaries.epoch == epoch {
                read(&state.dictionaries)?;
            } else {
                drop(state);
                read(&*self.old_dictionaries(schema, epoch)?)?;
            }
        }
        Ok(rows)
    }

    /// A symbol of an epoch.
    pub(crate) fn symbol(&self, schema: &Schema, epoch: u32, dictionary: usize, code: u32) -> Result<Arc<[u8]>, Error> {
        let state = self.state.read();
        if state.dictionaries.epoch == epoch {
            return state.dictionaries.symbol(dictionary, code);
        }
        drop(state);
        self.old_dictionaries(schema, epoch)?.symbol(dictionary, code)
    }

    /// Makes a commit visible, as a whole.
    ///
    /// A new segment is in the membership before it is in the state, and one that goes leaves the state first: so a
    /// look-up, which reads both while it holds the state, never misses a segment that the state has.
    pub(crate) fn publish(&self, mut update: Update) {
        if !update.sealed.is_empty() {
            let mut membership = self.membership.write();
            for sealed in &mut update.sealed {
                membership.add(sealed.segment.number, &sealed.filter);
                sealed.cache();
            }
        }
        let removed = {
            let mut state = self.state.write();
            state.apply(update)
        };
        if !removed.is_empty() {
            let mut membership = self.membership.write();
            for number in removed {
                membership.remove(number);
            }
        }
    }
}

fn symbols(schema: &Schema, codes: &[u32], dictionaries: &Dictionaries) -> Result<Vec<Arc<[u8]>>, Error> {
    let pairs = schema.symbols.iter().zip(codes);
    pairs.map(|(dictionary, code)| dictionaries.symbol(usize::from(*dictionary), *code)).collect()
}

impl State {
    pub(crate) fn chunk(&self, number: u32) -> Option<&Part> {
        let place = self.chunks.binary_search_by_key(&number, Part::number).ok()?;
        self.chunks.get(place)
    }

    pub(crate) fn segment(&self, number: u32) -> Option<&Part> {
        let place = self.segments.binary_search_by_key(&number, Part::number).ok()?;
        self.segments.get(place)
    }

    /// Every part.
    pub(crate) fn parts(&self) -> impl Iterator<Item = &Part> {
        self.chunks.iter().chain(&self.segments)
    }

    /// Adds a chunk; its rows replace those with the same ids in earlier chunks.
    fn add_chunk(&mut self, chunk: Arc<Chunk>) {
        self.next_chunk = chunk.number + 1;
        for row in 0..chunk.len() {
            let place = (chunk.number, u32::try_from(row).unwrap_or(u32::MAX));
            if let Some((earlier, row)) = self.by_id.insert(chunk.columns.ids.get(row).into(), place) {
                self.supersede_in_chunk(earlier, row);
            }
        }
        self.chunks.push(Part { body: Body::Chunk(chunk), superseded: Arc::default() });
    }

    fn supersede_in_chunk(&mut self, number: u32, row: u32) {
        if let Ok(place) = self.chunks.binary_search_by_key(&number, Part::number) {
            Arc::make_mut(&mut self.chunks[place].superseded).insert(row);
        }
    }

    /// Takes a commit in; gives the segments that are gone.
    fn apply(&mut self, update: Update) -> Vec<u32> {
        self.dictionaries.extend(&update.symbols);
        for (number, superseded) in update.superseded_in_segments {
            if let Ok(place) = self.segments.binary_search_by_key(&number, Part::number) {
                self.segments[place].superseded = superseded;
            }
        }
        self.segments.retain(|segment| !update.removed.contains(&segment.number()));
        self.removals += update.removed.len() as u64;
        let sealed = update.sealed.into_iter().map(|sealed| Body::Segment(sealed.segment));
        self.segments.extend(sealed.map(|body| Part { body, superseded: Arc::default() }));
        self.next_segment = update.numbers.next_segment;
        let Some(seal) = update.seal else {
            self.chunks.retain(|chunk| !update.merged_chunks.contains(&chunk.number()));
            if let Some(chunk) = update.chunk {
                self.add_chunk(chunk);
            }
            return update.removed;
        };
        self.chunks.clear();
        self.by_id = seal.by_id;
        if let Some(chunk) = update.chunk {
            self.next_chunk = chunk.number + 1;
            self.chunks.push(Part { body: Body::Chunk(chunk), superseded: Arc::default() });
        }
        if let Some(dictionaries) = seal.dictionaries {
            self.dictionaries = dictionaries;
        }
        update.removed
    }
}
