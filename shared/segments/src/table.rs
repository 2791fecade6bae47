//! A table: what is committed, as readers see it.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use parking_lot::RwLock;
use roaring::RoaringBitmap;

use crate::bitmap::deserialize;
use crate::chunk::Chunk;
use crate::closed::{Closed, ClosedKey, ClosedReader, Extent};
use crate::dictionary::{Dictionaries, Epochs};
use crate::key::{Kind, key, numbers};
use crate::manifest::Manifest;
use crate::membership::Membership;
use crate::options::Options;
use crate::part::{Body, Part, RowReader};
use crate::removal::Removal;
use crate::row::{Row, Schema, Symbol};
use crate::segment::{SUPERSEDED, Segment};
use crate::source::Source;
use crate::state::State;
use crate::update::{RowPlace, Update};
use crate::wanted::Wanted;
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
    pub(crate) removal: Removal,
}

impl Table {
    /// Reads what is in memory of a table: all but its segments' columns and filters.
    pub(crate) fn load(source: Source, schema: &Schema, options: &Options) -> Result<Self, Error> {
        let (tree, prefix) = (&source.tree, &source.prefix);
        let manifest = Manifest::load(tree, prefix)?;
        let dictionaries = Dictionaries::load(tree, prefix, manifest.epochs(schema.dictionaries())?, schema)?;
        let mut state = State::new(manifest, dictionaries, Extent::load_all(tree, prefix)?);
        for (found, value) in pieces::scan(tree, &key(prefix, Kind::Segment, &[]))? {
            let [number] = numbers(&found).ok_or(Error::Damaged("a key"))?;
            let segment = Segment::open(source.clone(), number, &value)?;
            let superseded = match tree.get(key(prefix, Kind::Superseded, &[number]))? {
                Some(value) => deserialize(&frame::open(&value, SUPERSEDED)?, SUPERSEDED)?,
                None => RoaringBitmap::new(),
            };
            state.segments.push(Part { body: Body::Segment(Arc::new(segment)), superseded: Arc::new(superseded) });
        }
        for (found, value) in pieces::scan(tree, &key(prefix, Kind::Chunk, &[]))? {
            let [number] = numbers(&found).ok_or(Error::Damaged("a key"))?;
            state.add_chunk(&Arc::new(Chunk::decode(number, &value, schema)?));
        }
        state.check(schema)?;
        let unread = state.segments.iter().map(Part::number).collect();
        let membership = RwLock::new(Membership::new(options.seal_rows, unread));
        let weight = AtomicUsize::new(0);
        let (full, removal) = (options.seal_rows, Removal::default());
        let table = Self { source, state: RwLock::new(state), membership, full, weight, removal };
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

    /// A closed dictionary.
    pub(crate) fn closed<'a>(&'a self, schema: &'a Schema, key: ClosedKey) -> Result<Closed<'a>, Error> {
        let extent = self.state.read().closed(key)?;
        Ok(Closed { source: &self.source, schema, key, extent })
    }

    /// The codes of the wanted symbols in an epoch of a dictionary.
    pub(crate) fn matching(&self, schema: &Schema, key: ClosedKey, wanted: &Wanted) -> Result<RoaringBitmap, Error> {
        let state = self.state.read();
        let (dictionary, epoch) = key;
        if state.dictionaries.epochs()[dictionary] == epoch {
            return Ok(state.dictionaries.matching(dictionary, wanted));
        }
        drop(state);
        self.closed(schema, key)?.matching(wanted)
    }

    /// The symbols of codes in an epoch of a dictionary.
    pub(crate) fn symbols(&self, schema: &Schema, key: ClosedKey, codes: &[u32]) -> Result<Vec<Symbol>, Error> {
        let state = self.state.read();
        let (dictionary, epoch) = key;
        if state.dictionaries.epochs()[dictionary] == epoch {
            return codes.iter().map(|code| state.dictionaries.symbol(dictionary, *code)).collect();
        }
        drop(state);
        let mut reader = self.closed(schema, key)?.reader();
        codes.iter().map(|code| Ok(reader.get(*code)?.into())).collect()
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
        let open = self.state.read().dictionaries.epochs().clone();
        candidates.iter().all(|(part, by_filter)| {
            let is_ready = part.segment().is_some_and(|segment| segment.is_ready_for_id(id));
            *by_filter && is_ready && *part.epochs() == open
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
        let epochs: Vec<&Epochs> = places.iter().map(|(part, _)| part.epochs()).collect();
        let mut symbols = Coded { schema, epochs, codes, symbols: vec![None; places.len() * columns] };
        let open = self.state.read().dictionaries.epochs().clone();
        self.read_closed(&mut symbols, &open)?;
        let open_now = {
            let state = self.state.read();
            symbols.fill(|key, code| {
                let is_open = state.dictionaries.epochs()[key.0] == key.1;
                is_open.then(|| state.dictionaries.symbol(key.0, code)).transpose()
            })?;
            state.dictionaries.epochs().clone()
        };
        if open_now != open {
            self.read_closed(&mut symbols, &open_now)?;
        }
        symbols.into_rows(rests)
    }

    /// Reads those symbols whose dictionary is none of the open ones.
    fn read_closed(&self, symbols: &mut Coded<'_>, open: &Epochs) -> Result<(), Error> {
        let schema = symbols.schema;
        let mut readers: HashMap<ClosedKey, ClosedReader<'_>> = HashMap::new();
        symbols.fill(|key, code| {
            if open[key.0] == key.1 {
                return Ok(None);
            }
            let reader = match readers.entry(key) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(vacant) => vacant.insert(self.closed(schema, key)?.reader()),
            };
            Ok(Some(reader.get(code)?.into()))
        })
    }

    /// Makes a commit visible, as a whole.
    ///
    /// A new segment is in the membership before it is in the state, and one that goes leaves the state first: so a
    /// look-up, which reads both while it holds the state, never misses a segment that the state has.
    pub(crate) fn publish(&self, mut update: Update) {
        // Until the end: only then may those who wait look again, and find the state that no longer has what they missed.
        let _removing = update.removing.take();
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

/// Codes of rows whose symbols are being read.
struct Coded<'a> {
    schema: &'a Schema,
    /// Of each row.
    epochs: Vec<&'a Epochs>,
    /// Of each row those of all columns.
    codes: Vec<u32>,
    /// As far as they were read.
    symbols: Vec<Option<Symbol>>,
}

impl Coded<'_> {
    /// Asks for the symbols that were not read yet.
    fn fill(&mut self, mut read: impl FnMut(ClosedKey, u32) -> Result<Option<Symbol>, Error>) -> Result<(), Error> {
        let columns = self.schema.symbols.len();
        let rows = self.codes.chunks(columns).zip(self.symbols.chunks_mut(columns));
        for (epochs, (codes, symbols)) in self.epochs.iter().zip(rows) {
            for ((dictionary, code), symbol) in self.schema.symbols.iter().zip(codes).zip(symbols) {
                let dictionary = usize::from(*dictionary);
                if symbol.is_none() {
                    *symbol = read((dictionary, epochs[dictionary]), *code)?;
                }
            }
        }
        Ok(())
    }

    fn into_rows(self, rests: Vec<Vec<u8>>) -> Result<Vec<Row>, Error> {
        let mut symbols = self.symbols.into_iter();
        let columns = self.schema.symbols.len();
        let row = |rest| {
            let symbols: Option<Vec<Symbol>> = symbols.by_ref().take(columns).collect();
            Ok(Row { symbols: symbols.ok_or(Error::Damaged("a row"))?, rest })
        };
        rests.into_iter().map(row).collect()
    }
}
