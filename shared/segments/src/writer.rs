//! Changes to tables: collected, prepared, written by the caller in one batch with whatever belongs to them, and
//! then published.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use foldhash::fast::RandomState;
use roaring::RoaringBitmap;

use crate::chunk::{Chunk, Columns};
use crate::dictionary::NewSymbols;
use crate::frame::Framer;
use crate::key::{Kind, key};
use crate::part::Body;
use crate::part::Part;
use crate::row::Coded;
use crate::segment::serialize;
use crate::store::Store;
use crate::table::{Numbers, RowPlace, State, Table, Update};
use crate::{Error, NewRow, Row, Schema, pieces, seal};

/// A chunk with fewer rows is small.
const SMALL: usize = 512;
/// So many small chunks become one.
const MANY: usize = 32;

/// The mark of segments whose rows stay for ever.
const KEPT: u64 = u64::MAX;

/// A change to the tree: a key, and its new value or none.
pub type Change = (Vec<u8>, Option<Vec<u8>>);

/// Collects changes. Reads through it see its own.
#[derive(Debug)]
pub struct Writer {
    store: Store,
    tables: BTreeMap<Vec<u8>, Pending>,
    mark: u64,
}

/// What a writer found under an id, and where: what [`Writer::put`] replaces.
#[derive(Debug)]
pub struct Found {
    /// The row, when there is one.
    pub row: Option<Row>,
    place: Option<Spot>,
}

#[derive(Clone, Debug)]
enum Spot {
    Pending(usize),
    Committed(RowPlace),
}

/// Changes that are on their way to disk.
#[derive(Debug, Default)]
pub struct Prepared {
    changes: Vec<Change>,
    updates: Vec<(Arc<Table>, Update)>,
}

/// The changes of one table.
#[derive(Debug)]
pub(crate) struct Pending {
    table: Arc<Table>,
    rows: Vec<Coded>,
    by_id: HashMap<Box<[u8]>, usize, RandomState>,
    symbols: NewSymbols,
    superseded_in_chunks: BTreeSet<(u32, u32)>,
    superseded_in_segments: BTreeMap<u32, RoaringBitmap>,
    /// Segments that go.
    removed: Vec<u32>,
    /// Those of their rows that stay.
    kept: Vec<Coded>,
}

impl Writer {
    pub(crate) fn new(store: Store) -> Self {
        Self { store, tables: BTreeMap::new(), mark: 0 }
    }

    /// Marks the segments that are sealed by this writer, by a number that never goes down from writer to writer: no
    /// row in them was written later. What is marked with less can be forgotten.
    pub fn mark(&mut self, mark: u64) {
        self.mark = mark;
    }

    /// Drops the rows of those segments of a table whose mark is below `mark`, but for those that `stays`, where it is
    /// given, says yes to by their ids: they are never asked about again. Rows that are not sealed stay.
    ///
    /// # Errors
    /// When the storage fails or is damaged.
    pub fn forget(&mut self, table: &[u8], mark: u64, stays: Option<fn(&[u8]) -> bool>) -> Result<(), Error> {
        let schema = *self.store.schema();
        let full = self.store.options().seal_rows as u64;
        self.pending(table)?.forget(&schema, full, mark, stays)
    }

    /// Looks an id up, among committed rows and the writer's own.
    ///
    /// # Errors
    /// When the storage fails or is damaged.
    pub fn find(&mut self, table: &[u8], id: &[u8]) -> Result<Found, Error> {
        let schema = *self.store.schema();
        let pending = self.pending(table)?;
        if let Some(index) = pending.by_id.get(id) {
            let row = pending.read(&schema, &pending.rows[*index])?;
            return Ok(Found { row: Some(row), place: Some(Spot::Pending(*index)) });
        }
        let Some(place) = pending.table.place(id)? else { return Ok(Found { row: None, place: None }) };
        let row = pending.table.row(&schema, &place)?;
        Ok(Found { row: Some(row), place: Some(Spot::Committed(place)) })
    }

    /// Writes a row in the place of what was found under its id.
    ///
    /// # Errors
    /// When the storage fails or is damaged.
    pub fn put(&mut self, table: &[u8], found: &Found, row: NewRow<'_>) -> Result<(), Error> {
        let schema = *self.store.schema();
        let pending = self.pending(table)?;
        let coded = pending.code(&schema, row);
        match &found.place {
            Some(Spot::Pending(index)) => {
                pending.rows[*index] = coded;
                return Ok(());
            }
            Some(Spot::Committed(RowPlace { part, row })) => match &part.body {
                Body::Chunk(chunk) => {
                    pending.superseded_in_chunks.insert((chunk.number, *row));
                }
                Body::Segment(segment) => {
                    pending.superseded_in_segments.entry(segment.number).or_default().insert(*row);
                }
            },
            None => {}
        }
        pending.by_id.insert(coded.id.clone(), pending.rows.len());
        pending.rows.push(coded);
        Ok(())
    }

    /// Makes the changes ready to be written.
    ///
    /// # Errors
    /// When the storage fails or is damaged.
    pub fn prepare(self) -> Result<Prepared, Error> {
        let mut prepared = Prepared::default();
        for pending in self.tables.into_values() {
            let table = pending.table.clone();
            let mut update = pending.prepare(&self.store, self.mark)?;
            prepared.changes.append(&mut update.changes);
            prepared.updates.push((table, update));
        }
        Ok(prepared)
    }

    fn pending(&mut self, table: &[u8]) -> Result<&mut Pending, Error> {
        if !self.tables.contains_key(table) {
            let pending = Pending::new(self.store.table(table)?);
            self.tables.insert(table.to_vec(), pending);
        }
        self.tables.get_mut(table).ok_or(Error::Damaged("a table"))
    }
}

impl Prepared {
    /// What is to be written to the tree. Given once.
    pub fn changes(&mut self) -> impl Iterator<Item = Change> {
        std::mem::take(&mut self.changes).into_iter()
    }

    /// Makes the changes visible. To be called once they are written, and only then.
    pub fn publish(self) {
        for (table, update) in self.updates {
            table.publish(update);
        }
    }
}

impl Pending {
    fn new(table: Arc<Table>) -> Self {
        let symbols = NewSymbols::beyond(&table.state.read().dictionaries);
        Self {
            table,
            rows: Vec::new(),
            by_id: HashMap::default(),
            symbols,
            superseded_in_chunks: BTreeSet::new(),
            superseded_in_segments: BTreeMap::new(),
            removed: Vec::new(),
            kept: Vec::new(),
        }
    }

    fn forget(&mut self, schema: &Schema, full: u64, mark: u64, stays: Option<fn(&[u8]) -> bool>) -> Result<(), Error> {
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
            if part.live() + self.kept.len() as u64 <= full {
                self.removed.push(part.number());
                self.keep(schema, part, |_| true)?;
            }
        }
        self.kept.sort_unstable_by(|one, other| one.order().cmp(&other.order()));
        Ok(())
    }

    /// Keeps the rows of a segment that stay, in the codes of the newest epoch.
    fn keep(&mut self, schema: &Schema, part: &Part, stays: fn(&[u8]) -> bool) -> Result<(), Error> {
        let ids = part.ids()?;
        if !ids.iter().any(stays) {
            return Ok(());
        }
        let mut rows = part.coded(schema.symbols.len(), schema.texts)?;
        rows.retain(|row| stays(&row.id));
        let table = self.table.clone();
        let state = table.state.read();
        if part.epoch() != state.dictionaries.epoch {
            let old = table.old_dictionaries(schema, part.epoch())?;
            for row in &mut rows {
                for (dictionary, code) in schema.symbols.iter().zip(&mut row.codes) {
                    let dictionary = usize::from(*dictionary);
                    let symbol = old.symbol(dictionary, *code)?;
                    let known = state.dictionaries.code(dictionary, &symbol);
                    *code = known.unwrap_or_else(|| self.symbols.code(dictionary, &symbol));
                }
            }
        }
        self.kept.append(&mut rows);
        Ok(())
    }

    fn code(&mut self, schema: &Schema, row: NewRow<'_>) -> Coded {
        let state = self.table.state.read();
        let pairs = schema.symbols.iter().zip(row.symbols);
        let code = |(dictionary, symbol): (&u8, &&[u8])| {
            let dictionary = usize::from(*dictionary);
            let known = state.dictionaries.code(dictionary, symbol);
            known.unwrap_or_else(|| self.symbols.code(dictionary, symbol))
        };
        Coded {
            time: row.time,
            id: row.id.into(),
            codes: pairs.map(code).collect(),
            texts: row.texts.iter().map(|text| text.to_vec()).collect(),
            rest: row.rest.into(),
        }
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

    fn prepare(mut self, store: &Store, mark: u64) -> Result<Update, Error> {
        let (schema, options) = (store.schema(), store.options());
        let mut framer = Framer::new();
        let table = self.table.clone();
        let prefix = &table.source.prefix;
        // The writer is the only one who changes the state, so what it reads here stays as it is.
        let state = table.state.read();
        let epoch = state.dictionaries.epoch;
        let mut changes = Vec::new();
        for (dictionary, first, value) in self.symbols.values(&mut framer) {
            put(&mut changes, &key(prefix, Kind::Symbols, &[epoch, dictionary, first]), &value);
        }
        let removed = std::mem::take(&mut self.removed);
        for number in &removed {
            if let Some(segment) = state.segment(*number).and_then(Part::segment) {
                changes.extend(segment.keys(schema)?.into_iter().map(|key| (key, None)));
            }
        }
        let mut superseded_in_segments = Vec::new();
        for (number, rows) in std::mem::take(&mut self.superseded_in_segments) {
            let Some(part) = state.segment(number).filter(|_| !removed.contains(&number)) else { continue };
            let all = &*part.superseded | rows;
            let value = framer.frame(&serialize(&all));
            changes.push((key(prefix, Kind::Superseded, &[number]), Some(value)));
            superseded_in_segments.push((number, Arc::new(all)));
        }

        let numbers = Numbers { epoch, next_segment: state.next_segment };
        let unsealed: u64 = state.chunks.iter().map(Part::live).sum::<u64>() + self.rows.len() as u64
            - self.superseded_in_chunks.len() as u64;
        let mut update = Update {
            changes,
            symbols: self.symbols,
            superseded_in_segments,
            removed,
            sealed: Vec::new(),
            numbers,
            merged_chunks: Vec::new(),
            chunk: None,
            seal: None,
        };
        // What was written since is newer.
        self.kept.retain(|row| !self.by_id.contains_key(&row.id));
        for rows in self.kept.chunks(options.seal_rows) {
            seal::add(store, &table, (epoch, KEPT), rows, &mut update)?;
        }
        let has_rows = !self.rows.is_empty();
        if has_rows && unsealed >= (options.seal_rows + options.keep_rows) as u64 {
            let chunks: Vec<Part> = state.chunks.clone();
            let rows = gather(&chunks, &self.superseded_in_chunks, self.rows, schema)?;
            update.changes.extend(chunks.iter().map(|chunk| (key(prefix, Kind::Chunk, &[chunk.number()]), None)));
            seal::seal(store, &table, (&state, mark), rows, &mut update)?;
        } else if has_rows {
            let merged = small_chunks(&state);
            update.changes.extend(merged.iter().map(|chunk| (key(prefix, Kind::Chunk, &[chunk.number()]), None)));
            update.merged_chunks = merged.iter().map(Part::number).collect();
            let rows = gather(&merged, &self.superseded_in_chunks, self.rows, schema)?;
            let columns = Columns::new(schema, &rows);
            update.chunk = Some(Arc::new(Chunk { number: state.next_chunk, epoch, columns }));
        }
        for epoch in unused_epochs(&state, &update) {
            let keys = pieces::keys(&table.source.tree, &key(prefix, Kind::Symbols, &[epoch]))?;
            update.changes.extend(keys.into_iter().map(|key| (key, None)));
        }
        if let Some(chunk) = &update.chunk {
            let value = chunk.encode(&mut framer);
            update.changes.push((key(prefix, Kind::Chunk, &[chunk.number]), Some(value)));
        }
        if update.numbers != numbers {
            let value = postcard::to_stdvec(&update.numbers).map_err(|_| Error::Damaged("a table"))?;
            update.changes.push((key(prefix, Kind::Table, &[]), Some(framer.frame(&value))));
        }
        Ok(update)
    }
}

/// Writes a value that is written once.
pub(crate) fn put(changes: &mut Vec<Change>, key: &[u8], value: &[u8]) {
    changes.extend(pieces::cut(key, value).map(|(key, piece)| (key, Some(piece))));
}

/// The epochs whose dictionaries nothing uses once an update is made. A segment may go because it is forgotten, or
/// because it is written again without its superseded rows, of which none may be left.
fn unused_epochs(state: &State, update: &Update) -> Vec<u32> {
    let mut used = BTreeSet::from([state.dictionaries.epoch, update.numbers.epoch]);
    used.extend(update.sealed.iter().map(|sealed| sealed.segment.epoch));
    let (gone, left): (Vec<&Part>, Vec<&Part>) =
        state.segments.iter().partition(|part| update.removed.contains(&part.number()));
    used.extend(left.into_iter().map(Part::epoch));
    let gone: BTreeSet<u32> = gone.into_iter().map(Part::epoch).collect();
    gone.difference(&used).copied().collect()
}

/// The last chunks, when they are small and there are many of them.
fn small_chunks(state: &State) -> Vec<Part> {
    let small = state.chunks.iter().rev().take_while(|chunk| chunk.len() < SMALL).count();
    let first = state.chunks.len() - if small >= MANY { small } else { 0 };
    state.chunks[first..].to_vec()
}

/// The rows of chunks that are not superseded, with new ones, in order.
fn gather(
    chunks: &[Part],
    superseded: &BTreeSet<(u32, u32)>,
    mut rows: Vec<Coded>,
    schema: &Schema,
) -> Result<Vec<Coded>, Error> {
    for chunk in chunks {
        let of_chunk = superseded.range((chunk.number(), 0)..=(chunk.number(), u32::MAX));
        let mut chunk = chunk.clone();
        Arc::make_mut(&mut chunk.superseded).extend(of_chunk.map(|(_, row)| *row));
        rows.extend(chunk.coded(schema.symbols.len(), schema.texts)?);
    }
    rows.sort_unstable_by(|one, other| one.order().cmp(&other.order()));
    Ok(rows)
}
