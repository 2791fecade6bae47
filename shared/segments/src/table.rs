//! A table: what is committed, as readers see it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use parking_lot::RwLock;
use roaring::RoaringBitmap;

use crate::cache::{Key, Value};
use crate::chunk::Chunk;
use crate::dictionary::Dictionaries;
use crate::key::{Kind, key, numbers};
use crate::manifest::Manifest;
use crate::membership::Membership;
use crate::options::Options;
use crate::part::{Body, Part, RowReader};
use crate::row::{Row, Schema, Symbol};
use crate::segment::{Segment, Source, deserialize};
use crate::state::State;
use crate::update::{RowPlace, Update};
use crate::{Error, frame, part, pieces, row};

/// A table.
#[derive(Debug)]
pub(crate) struct Table {
    pub(crate) source: Source,
    pub(crate) state: RwLock<State>,
    /// Apart from the state, because to add a segment may take milliseconds, which lists do not wait for.
    membership: RwLock<Membership>,
    /// Rows of a full segment.
    full: usize,
    weight: AtomicUsize,
}

impl Table {
    /// Reads what is in memory of a table: all but its segments' columns and filters.
    pub(crate) fn load(source: Source, schema: &Schema, options: &Options) -> Result<Self, Error> {
        let (tree, prefix) = (&source.tree, &source.prefix);
        let manifest = Manifest::load(tree, prefix)?;
        let mut state = State::new(manifest, Dictionaries::load(tree, prefix, manifest.epoch, schema)?);
        for (found, value) in pieces::scan(tree, &key(prefix, Kind::Segment, &[]))? {
            let [number] = numbers(&found).ok_or(Error::Damaged("a key"))?;
            let segment = Segment::open(source.clone(), number, &value)?;
            let superseded = match tree.get(key(prefix, Kind::Superseded, &[number]))? {
                Some(value) => deserialize(&frame::open(&value, "a list of superseded rows")?)?,
                None => RoaringBitmap::new(),
            };
            state.segments.push(Part { body: Body::Segment(Arc::new(segment)), superseded: Arc::new(superseded) });
        }
        for (found, value) in pieces::scan(tree, &key(prefix, Kind::Chunk, &[]))? {
            let [number] = numbers(&found).ok_or(Error::Damaged("a key"))?;
            state.add_chunk(&Arc::new(Chunk::decode(number, &value, schema)?));
        }
        state.check()?;
        let unread = state.segments.iter().map(Part::number).collect();
        let membership = RwLock::new(Membership::new(options.seal_rows, unread));
        let weight = AtomicUsize::new(0);
        let table = Self { source, state: RwLock::new(state), membership, full: options.seal_rows, weight };
        table.weigh();
        Ok(table)
    }

    /// About how many bytes of memory it takes, the cached columns of its segments aside.
    pub(crate) fn weight(&self) -> usize {
        self.weight.load(Ordering::Relaxed)
    }

    fn weigh(&self) {
        let weight = size_of::<Self>() + self.state.read().weight() + self.membership.read().weight();
        self.weight.store(weight, Ordering::Relaxed);
    }

    /// An epoch's dictionaries, `state`'s own aside.
    pub(crate) fn old_dictionaries(&self, schema: &Schema, epoch: u32) -> Result<Arc<Dictionaries>, Error> {
        let load = || {
            let loaded = Dictionaries::load(&self.source.tree, &self.source.prefix, epoch, schema)?;
            // It goes with the last segment that uses it, which an earlier reader may still look for.
            if loaded.len() == 0 {
                return Err(Error::Damaged("a dictionary"));
            }
            Ok(Value::Dictionaries(Arc::new(loaded)))
        };
        match self.source.cache.get(self.dictionaries_key(epoch), load)? {
            Value::Dictionaries(dictionaries) => Ok(dictionaries),
            Value::Times(_) | Value::Codes(_) | Value::Slices(_) | Value::IdIndex(_) => {
                Err(Error::Damaged("a dictionary"))
            }
        }
    }

    fn dictionaries_key(&self, epoch: u32) -> Key {
        Key::new(self.source.table, Kind::Symbols, epoch, 0)
    }

    /// Where the row with this id is.
    pub(crate) fn place(&self, id: &[u8]) -> Result<Option<RowPlace>, Error> {
        let candidates = match self.candidates(id) {
            Candidates::Head(place) => return Ok(Some(place)),
            Candidates::Segments(candidates) => candidates,
        };
        for (part, by_filter) in candidates {
            let Some(segment) = part.segment() else { continue };
            if !by_filter && !self.read_filter(segment, id)? {
                continue;
            }
            let rows = segment.rows_with_id(id)?;
            if let Some(row) = rows.into_iter().find(|row| !part.is_superseded(row.index())) {
                return Ok(Some(RowPlace { part, row }));
            }
        }
        Ok(None)
    }

    /// Where the row with this id may be.
    fn candidates(&self, id: &[u8]) -> Candidates {
        // All of it under one lock: a row that moves from a segment into a chunk, or back, is in this one state exactly
        // once. The membership may know of segments that the state does not have yet or no longer has, but never lacks
        // one that the state has: see `publish`.
        let state = self.state.read();
        if let Some(place) = state.head_place(id) {
            return Candidates::Head(place);
        }
        if state.segments.is_empty() {
            return Candidates::Segments(Vec::new());
        }
        let named = self.membership.read().candidates(id);
        let part = |segment: u32| state.segment(segment).cloned();
        let parts = named.into_iter().filter_map(|named| Some((part(named.segment)?, named.by_filter)));
        Candidates::Segments(parts.collect())
    }

    /// Reads a segment's filter; says whether the segment may hold an id.
    fn read_filter(&self, segment: &Segment, id: &[u8]) -> Result<bool, Error> {
        let filter = segment.filter(self.full)?;
        let may_hold = filter.may_hold(id);
        self.membership.write().add_read(segment.number, filter);
        self.weigh();
        Ok(may_hold)
    }

    /// Whether the row with an id is found, or found to be missing, without reading from disk.
    pub(crate) fn is_ready_for_id(&self, id: &[u8]) -> bool {
        let candidates = match self.candidates(id) {
            Candidates::Head(_) => return true,
            Candidates::Segments(candidates) => candidates,
        };
        let newest_epoch = self.state.read().dictionaries.epoch;
        let has_dictionaries = |epoch| epoch == newest_epoch || self.source.cache.has(self.dictionaries_key(epoch));
        candidates.iter().all(|(part, by_filter)| {
            let is_ready = part.segment().is_some_and(|segment| segment.is_ready_for_id(id));
            *by_filter && is_ready && has_dictionaries(part.epoch())
        })
    }

    /// The row with this id.
    pub(crate) fn by_id(&self, schema: &Schema, id: &[u8]) -> Result<Option<Row>, Error> {
        self.place(id)?.map(|place| self.row(schema, &place)).transpose()
    }

    /// The row at a place.
    pub(crate) fn row(&self, schema: &Schema, place: &RowPlace) -> Result<Row, Error> {
        let rows = self.read(schema, &[(place.part.clone(), place.row.index())])?;
        rows.into_iter().next().ok_or(Error::Damaged("a row"))
    }

    /// Reads rows of parts.
    pub(crate) fn read(&self, schema: &Schema, places: &[(Part, usize)]) -> Result<Vec<Row>, Error> {
        /// Rows whose blocks are read before they are looked at: few enough for all to stay in memory meanwhile.
        const PREFETCHED_ROWS: usize = 1024;
        let columns = schema.symbols.len();
        // What may have to be read from disk comes first: nobody can write while the state is being read.
        let mut codes = vec![0; places.len() * columns];
        let mut rests = Vec::with_capacity(places.len());
        let mut reader = RowReader::default();
        for (places, codes) in places.chunks(PREFETCHED_ROWS).zip(codes.chunks_mut(PREFETCHED_ROWS * columns)) {
            part::prefetch_blocks(places);
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
    pub(crate) fn symbol(&self, schema: &Schema, epoch: u32, dictionary: usize, code: u32) -> Result<Symbol, Error> {
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
                membership.add(sealed.segment.number, sealed.take_filter());
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
        self.weigh();
    }
}

/// Where a row may be.
enum Candidates {
    /// It is there, among those that are not sealed.
    Head(RowPlace),
    /// In one of these at most, and whether it was the segment's filter that said so.
    Segments(Vec<(Part, bool)>),
}

fn symbols(schema: &Schema, codes: &[u32], dictionaries: &Dictionaries) -> Result<Vec<Arc<[u8]>>, Error> {
    let pairs = schema.symbols.iter().zip(codes);
    pairs.map(|(dictionary, code)| dictionaries.symbol(usize::from(*dictionary), *code)).collect()
}
