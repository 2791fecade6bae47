//! Sealing: the oldest rows that are not sealed become segments, the rest one chunk.
//!
//! It happens in memory, apart from what readers see: they go on reading the chunks until the update is published, and who
//! began before that keeps the parts it has.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::Error;
use crate::chunk::{Chunk, Columns};
use crate::dictionary::{Dictionaries, NewSymbols};
use crate::frame::Framer;
use crate::head_index::{HeadIndex, HeadPlace};
use crate::key::{Kind, key};
use crate::options::Options;
use crate::part::Part;
use crate::pieces;
use crate::row::{Coded, RowNumber, Schema};
use crate::segment::{Content, Label, Segment};
use crate::state::State;
use crate::table::Table;
use crate::update::{Seal, Update};

/// The mark of segments whose rows stay forever.
pub(crate) const KEPT: u64 = u64::MAX;

/// Of which table something is written, and how.
#[derive(Clone, Copy)]
pub(crate) struct Target<'a> {
    pub(crate) table: &'a Table,
    pub(crate) state: &'a State,
    pub(crate) schema: &'a Schema,
    pub(crate) options: &'a Options,
}

impl Target<'_> {
    /// Seals rows, which are in order, as far as they are too many to stay unsealed. `mark` is for the new segments.
    pub(crate) fn seal(&self, mut rows: Vec<Coded>, mark: u64, update: &mut Update) -> Result<(), Error> {
        let Self { table, state, schema, options } = *self;
        let mut epoch = state.dictionaries.epoch;
        let is_crowded = state.dictionaries.bytes() + update.symbols.bytes() >= options.seal_bytes;
        let mut start = 0;
        let mut bytes: usize = rows.iter().map(Coded::bytes).sum();
        // A row that is older than these may still come: its chunk, and later its segment, overlaps them in time, and lists
        // merge what overlaps. So nothing has to be known of what is on its way.
        // The symbols of rows that stay would fill the next dictionaries as well: where they are too long, no row stays.
        while start < rows.len() && (is_crowded || options.is_full(rows.len() - start, bytes)) {
            let rows = &rows[start..start + next_segment(&rows[start..], options)];
            self.add(rows, Label { number: update.manifest.next_segment, epoch, mark }, update)?;
            start += rows.len();
            bytes -= rows.iter().map(Coded::bytes).sum::<usize>();
        }
        self.rewrite_most_superseded(update)?;

        let mut rest = rows.split_off(start);
        let mut dictionaries = None;
        let symbols = state.dictionaries.len() + update.symbols.len();
        // Only where a segment holds on to them do the old dictionaries go with one.
        if start > 0 && (is_crowded || symbols > options.epoch_symbols) {
            epoch += 1;
            let known = Known { committed: &state.dictionaries, new: &update.symbols };
            let (begun, values) = begin_epoch(schema, &known, epoch, &mut rest)?;
            for (dictionary, first, value) in values {
                let key = key(&table.source.prefix, Kind::Symbols, &[epoch, dictionary, first]);
                pieces::put(&mut update.changes, &key, &value);
            }
            dictionaries = Some(begun);
        }
        update.manifest.epoch = epoch;

        let chunk = Chunk::new(state.next_chunk, epoch, Columns::new(schema, &rest)?);
        update.seal = Some(Seal { by_id: index(&chunk), dictionaries });
        update.chunk = Some(Arc::new(chunk)).filter(|chunk| chunk.len() > 0);
        Ok(())
    }

    /// Seals rows that stay forever, in the newest codes.
    pub(crate) fn seal_kept(&self, mut rows: &[Coded], update: &mut Update) -> Result<(), Error> {
        while !rows.is_empty() {
            let (next, others) = rows.split_at(next_segment(rows, self.options));
            let epoch = self.state.dictionaries.epoch;
            self.add(next, Label { number: update.manifest.next_segment, epoch, mark: KEPT }, update)?;
            rows = others;
        }
        Ok(())
    }

    /// Makes a segment of rows that are in order, in the codes of the label's epoch.
    fn add(&self, rows: &[Coded], label: Label, update: &mut Update) -> Result<(), Error> {
        const TOO_MANY: Error = Error::TooLarge("a table");
        let columns = Columns::new(self.schema, rows)?;
        let content = Content { columns: &columns, schema: self.schema, full: self.options.seal_rows };
        let sealed = Segment::seal(self.table.source.clone(), label, content, &mut update.changes)?;
        update.manifest.next_segment = label.number.checked_add(1).ok_or(TOO_MANY)?;
        update.sealed.push(sealed);
        Ok(())
    }

    /// Writes the segment with the most superseded rows again without them, when they are more than half of it.
    fn rewrite_most_superseded(&self, update: &mut Update) -> Result<(), Error> {
        let Some(worn) = most_superseded(self.state, update) else { return Ok(()) };
        let Some(segment) = worn.segment() else { return Ok(()) };
        // In its own epoch, so that no symbol has to be looked up.
        let live = worn.coded(self.schema.symbols.len(), self.schema.texts)?;
        segment.remove(self.schema, &mut update.changes)?;
        if !live.is_empty() {
            let Segment { epoch, mark, .. } = *segment;
            self.add(&live, Label { number: update.manifest.next_segment, epoch, mark }, update)?;
        }
        update.removed.push(segment.number);
        Ok(())
    }

    /// Removes the dictionaries that nothing uses once an update is made, and brings the manifest up to date: both
    /// depend on all segments that went and came.
    pub(crate) fn finish(&self, update: &mut Update) -> Result<(), Error> {
        let source = &self.table.source;
        for epoch in unused_epochs(self.state, update) {
            let prefix = key(&source.prefix, Kind::Symbols, &[epoch]);
            pieces::remove(&mut update.changes, &source.tree, &prefix)?;
        }
        let left = left(self.state, update).filter_map(Part::segment).map(|segment| segment.mark);
        let marks = left.chain(update.sealed.iter().map(|sealed| sealed.segment.mark));
        update.manifest.lowest_mark = marks.min().unwrap_or(u64::MAX);
        if update.manifest != self.state.manifest {
            let value = update.manifest.encode(&mut Framer::new())?;
            update.changes.push((key(&source.prefix, Kind::Manifest, &[]), Some(value)));
        }
        Ok(())
    }
}

/// How many of the oldest rows one segment takes: at least one.
fn next_segment(rows: &[Coded], options: &Options) -> usize {
    let mut bytes = 0;
    let fits = |row: &&Coded| {
        bytes += row.bytes();
        bytes <= options.seal_bytes / 2
    };
    rows.iter().take(options.seal_rows).take_while(fits).count().max(1)
}

fn index(chunk: &Chunk) -> HeadIndex {
    let mut by_id = HeadIndex::default();
    let ids = &chunk.columns.ids;
    for (id, row) in ids.iter().zip(RowNumber::all()) {
        by_id.insert(id, HeadPlace { chunk: chunk.number, row }, |place| Some(ids.get(place.row.index())));
    }
    by_id.shrink();
    by_id
}

/// The segment with the most superseded rows, when they are more than half of it.
fn most_superseded(state: &State, update: &Update) -> Option<Part> {
    let as_of_now = |part: &Part| {
        let changed = update.superseded_in_segments.iter().find(|(number, _)| *number == part.number());
        let superseded = changed.map_or_else(|| part.superseded.clone(), |(_, superseded)| superseded.clone());
        Part { body: part.body.clone(), superseded }
    };
    let worn = left(state, update).map(as_of_now).max_by_key(|part| part.superseded.len())?;
    (worn.superseded.len() > worn.len() as u64 / 2).then_some(worn)
}

/// The segments that do not go.
fn left<'a>(state: &'a State, update: &'a Update) -> impl Iterator<Item = &'a Part> {
    state.segments.iter().filter(|part| !update.removed.contains(&part.number()))
}

/// The epochs whose dictionaries nothing uses once an update is made. A segment may go because it is forgotten, or
/// because it is written again without its superseded rows, of which none may be left.
fn unused_epochs(state: &State, update: &Update) -> Vec<u32> {
    let mut used = BTreeSet::from([state.dictionaries.epoch, update.manifest.epoch]);
    used.extend(update.sealed.iter().map(|sealed| sealed.segment.epoch));
    used.extend(left(state, update).map(Part::epoch));
    // Chunks need not be asked: they are in the newest epoch, always.
    let all: BTreeSet<u32> = state.segments.iter().map(Part::epoch).collect();
    all.difference(&used).copied().collect()
}

/// The symbols of the epoch that ends.
struct Known<'a> {
    committed: &'a Dictionaries,
    new: &'a NewSymbols,
}

/// An epoch's dictionaries, and the values that make them durable: dictionary, first code, value.
type Begun = (Dictionaries, Vec<(u32, u32, Vec<u8>)>);

/// Begins an epoch with the symbols of the rows that are left.
fn begin_epoch(schema: &Schema, known: &Known<'_>, epoch: u32, rows: &mut [Coded]) -> Result<Begun, Error> {
    let mut begun = Dictionaries::new(epoch, schema);
    let mut symbols = NewSymbols::beyond(&begun);
    for row in rows {
        for (dictionary, code) in schema.symbols.iter().zip(&mut row.codes) {
            let dictionary = usize::from(*dictionary);
            let new = known.new.symbol(dictionary, *code);
            let symbol = new.map_or_else(|| known.committed.symbol(dictionary, *code), Ok)?;
            *code = symbols.code(dictionary, &symbol)?;
        }
    }
    let values = symbols.values(&mut Framer::new())?;
    begun.extend(&symbols);
    Ok((begun, values))
}
