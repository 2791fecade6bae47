//! Sealing: the oldest rows that are not sealed become segments, the rest one chunk.
//!
//! It happens in memory, apart from what readers see: they go on reading the chunks until the update is published, and who
//! began before that keeps the parts it has.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::Error;
use crate::chunk::{Chunk, Columns};
use crate::closed::{Closed, ClosedKey, Closing};
use crate::coded::CodedRows;
use crate::dictionary::{Dictionary, NewDictionary, NewSymbols};
use crate::head_index::{HeadIndex, HeadPlace};
use crate::key::{Kind, key};
use crate::options::Options;
use crate::part::Part;
use crate::pieces;
use crate::row::{RowNumber, Schema};
use crate::segment::{Content, Label, Segment};
use crate::state::State;
use crate::table::Table;
use crate::update::{Rotated, Seal, Update};

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
    /// Seals rows, in an order, as far as they are too many to stay unsealed. `mark` is for the new segments.
    pub(crate) fn seal(
        &self,
        mut rows: CodedRows,
        order: &[RowNumber],
        mark: u64,
        update: &mut Update,
    ) -> Result<(), Error> {
        let Self { state, schema, options, .. } = *self;
        let sizes = Sizes::of(state, &update.symbols);
        let is_crowded = sizes.bytes() >= options.seal_bytes;
        let mut rest = order;
        let bytes_of = |order: &[RowNumber]| order.iter().map(|row| rows.bytes_of(*row)).sum::<usize>();
        let mut bytes = bytes_of(rest);
        // A row that is older than these may still come: its chunk, and later its segment, overlaps them in time, and lists
        // merge what overlaps. So nothing has to be known of what is on its way.
        // The symbols of rows that stay would fill the next dictionaries as well: where they are too long, no row stays.
        while !rest.is_empty() && (is_crowded || options.is_full(rest.len(), bytes)) {
            let (next, others) = rest.split_at(next_segment(&rows, rest, options));
            self.add(&rows, next, self.label(mark, update), update)?;
            bytes -= bytes_of(next);
            rest = others;
        }
        self.rewrite_most_superseded(update)?;

        let mut rotated = Vec::new();
        // Only where a segment holds on to them do closed dictionaries go with one.
        if rest.len() < order.len() {
            for dictionary in sizes.overgrown(options) {
                rotated.push(self.rotate(dictionary, &mut rows, rest, update)?);
            }
        }
        let epochs = update.manifest.epochs(schema.dictionaries())?;
        let chunk = Chunk::new(state.next_chunk, epochs, Columns::new(schema, &rows, rest)?);
        update.seal = Some(Seal { by_id: index(&chunk), rotated });
        update.chunk = Some(Arc::new(chunk)).filter(|chunk| chunk.len() > 0);
        Ok(())
    }

    /// Closes a dictionary, and begins its next epoch with the symbols of the rows that are left.
    fn rotate(
        &self,
        dictionary: usize,
        rows: &mut CodedRows,
        rest: &[RowNumber],
        update: &mut Update,
    ) -> Result<Rotated, Error> {
        const TOO_MANY: Error = Error::TooLarge("a table");
        let Self { table, state, schema, options } = *self;
        let source = &table.source;
        let number = u32::try_from(dictionary).map_err(|_| TOO_MANY)?;
        let epoch = state.dictionaries.epochs()[dictionary];
        // Also those that this very update was about to add.
        let own = key(&source.prefix, Kind::Symbols, &[number, epoch]);
        update.changes.retain(|(key, _)| !key.starts_with(&own));
        pieces::remove(&mut update.changes, &source.tree, &own)?;

        let closed = (dictionary, epoch);
        let (known, new) = (state.dictionaries.symbols(dictionary), update.symbols.symbols(dictionary));
        let closing = Closing { source, schema, key: closed, block_symbols: options.block_symbols };
        let extent = closing.write(known.iter().chain(new), &mut update.changes)?;

        let mut symbols = NewDictionary::default();
        for row in rest {
            let own = schema.symbols.iter().enumerate().filter(|(_, own)| usize::from(**own) == dictionary);
            for (column, _) in own {
                let code = rows.code_mut(*row, column);
                let symbol = known.get(*code as usize).or_else(|| new.get((*code as usize).checked_sub(known.len())?));
                *code = symbols.code(symbol.ok_or(Error::Damaged("a dictionary"))?)?;
            }
        }
        let next = epoch.checked_add(1).ok_or(TOO_MANY)?;
        if !symbols.is_empty() {
            let value = symbols.value()?;
            pieces::put(&mut update.changes, &key(&source.prefix, Kind::Symbols, &[number, next, 0]), &value);
        }
        let mut epochs = update.manifest.epochs(schema.dictionaries())?.to_vec();
        epochs[dictionary] = next;
        update.manifest.epochs = epochs;
        Ok(Rotated { closed, extent, begun: Dictionary::of(dictionary, schema, &symbols) })
    }

    /// What the next segment is told, in the codes of the dictionaries that are open.
    fn label(&self, mark: u64, update: &Update) -> Label {
        Label { number: update.manifest.next_segment, epochs: self.state.dictionaries.epochs().clone(), mark }
    }

    /// Seals rows, in an order, that stay forever, in the codes of the open dictionaries.
    pub(crate) fn seal_kept(
        &self,
        rows: &CodedRows,
        mut order: &[RowNumber],
        update: &mut Update,
    ) -> Result<(), Error> {
        while !order.is_empty() {
            let (next, others) = order.split_at(next_segment(rows, order, self.options));
            self.add(rows, next, self.label(KEPT, update), update)?;
            order = others;
        }
        Ok(())
    }

    /// Makes a segment of rows, in an order, in the codes of the label's epochs.
    fn add(&self, rows: &CodedRows, order: &[RowNumber], label: Label, update: &mut Update) -> Result<(), Error> {
        const TOO_MANY: Error = Error::TooLarge("a table");
        let columns = Columns::new(self.schema, rows, order)?;
        let content = Content { columns: &columns, schema: self.schema, full: self.options.seal_rows };
        update.manifest.next_segment = label.number.checked_add(1).ok_or(TOO_MANY)?;
        let sealed = Segment::seal(self.table.source.clone(), label, content, &mut update.changes)?;
        update.sealed.push(sealed);
        Ok(())
    }

    /// Writes the segment with the most superseded rows again without them, when they are more than half of it.
    fn rewrite_most_superseded(&self, update: &mut Update) -> Result<(), Error> {
        let Some(worn) = most_superseded(self.state, update) else { return Ok(()) };
        let Some(segment) = worn.segment() else { return Ok(()) };
        if update.removing.is_none() {
            // While somebody reads on, it stays; there is another time.
            let Some(removing) = self.table.removal.begin() else { return Ok(()) };
            update.removing = Some(removing);
        }
        // In its own epochs, so that no symbol has to be looked up.
        let mut live = CodedRows::new(self.schema);
        worn.take_apart(self.schema, |_| true, &mut live)?;
        segment.remove(self.schema, &mut update.changes)?;
        if live.len() > 0 {
            let (epochs, mark) = (segment.epochs.clone(), segment.mark);
            let order: Vec<RowNumber> = live.all().collect();
            self.add(&live, &order, Label { number: update.manifest.next_segment, epochs, mark }, update)?;
        }
        update.removed.push(segment.number);
        Ok(())
    }

    /// Removes the dictionaries that nothing uses once an update is made, and brings the manifest up to date: both
    /// depend on all segments that went and came.
    pub(crate) fn finish(&self, update: &mut Update) -> Result<(), Error> {
        let source = &self.table.source;
        update.forgotten = unused(self.state, update);
        for closed in &update.forgotten {
            Closed::remove(source, *closed, &mut update.changes)?;
        }
        let left = left(self.state, update).filter_map(Part::segment).map(|segment| segment.mark);
        let marks = left.chain(update.sealed.iter().map(|sealed| sealed.segment.mark));
        update.manifest.lowest_mark = marks.min().unwrap_or(u64::MAX);
        if update.manifest != self.state.manifest {
            let value = update.manifest.encode()?;
            update.changes.push((key(&source.prefix, Kind::Manifest, &[]), Some(value)));
        }
        Ok(())
    }
}

/// How many of the oldest rows one segment takes: at least one.
fn next_segment(rows: &CodedRows, order: &[RowNumber], options: &Options) -> usize {
    let mut bytes = 0;
    let fits = |row: &&RowNumber| {
        bytes += rows.bytes_of(**row);
        bytes <= options.seal_bytes / 2
    };
    order.iter().take(options.seal_rows).take_while(fits).count().max(1)
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

/// The closed dictionaries that nothing uses once an update is made. A segment may go because it is forgotten, or because
/// it is written again without its superseded rows, of which none may be left.
fn unused(state: &State, update: &Update) -> Vec<ClosedKey> {
    if update.removed.is_empty() {
        return Vec::new();
    }
    let sealed = update.sealed.iter().map(|sealed| &sealed.segment.epochs);
    let epochs = sealed.chain(left(state, update).map(Part::epochs));
    let used: BTreeSet<ClosedKey> = epochs.flat_map(|epochs| epochs.iter().copied().enumerate()).collect();
    state.closed_keys().filter(|key| !used.contains(key)).collect()
}

/// How many symbols each dictionary has, and how many bytes these, with those of an update.
struct Sizes(Vec<(usize, usize)>);

impl Sizes {
    fn of(state: &State, new: &NewSymbols) -> Self {
        let pairs = state.dictionaries.sizes().zip(new.sizes());
        Self(pairs.map(|((symbols, bytes), new)| (symbols + new.0, bytes + new.1)).collect())
    }

    fn symbols(&self) -> usize {
        self.0.iter().map(|(symbols, _)| symbols).sum()
    }

    fn bytes(&self) -> usize {
        self.0.iter().map(|(_, bytes)| bytes).sum()
    }

    /// The dictionaries to be closed: where all together are too large, those that have more than an equal share.
    fn overgrown(&self, options: &Options) -> Vec<usize> {
        let (too_many, too_long) = (self.symbols() > options.open_symbols, self.bytes() >= options.seal_bytes);
        let share = |whole: usize| whole / self.0.len().max(1);
        let is_overgrown = |(symbols, bytes): (usize, usize)| {
            (too_many && symbols > share(options.open_symbols)) || (too_long && bytes >= share(options.seal_bytes))
        };
        self.0.iter().enumerate().filter(|(_, sizes)| is_overgrown(**sizes)).map(|(number, _)| number).collect()
    }
}
