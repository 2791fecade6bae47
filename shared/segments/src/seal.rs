//! Sealing: the oldest rows that are not sealed become segments, the rest one chunk.

use std::sync::Arc;

use crate::chunk::{Chunk, Columns};
use crate::dictionary::{Dictionaries, NewSymbols};
use crate::frame::Framer;
use crate::key::{Kind, key};
use crate::part::Part;
use crate::row::Coded;
use crate::segment::{Made, Segment};
use crate::store::Store;
use crate::table::{ById, Seal, State, Table, Update};
use crate::writer::put;
use crate::{Error, Schema};

/// Seals as many full segments as `rows`, which are in order, give.
pub(crate) fn seal(
    store: &Store,
    table: &Table,
    (state, mark): (&State, u64),
    mut rows: Vec<Coded>,
    update: &mut Update,
) -> Result<(), Error> {
    let (schema, options) = (store.schema(), store.options());
    let prefix = &table.source.prefix;
    let mut epoch = state.dictionaries.epoch;
    let mut start = 0;
    while rows.len() - start >= options.seal_rows + options.keep_rows {
        add(store, table, (epoch, mark), &rows[start..start + options.seal_rows], update)?;
        start += options.seal_rows;
    }
    if let Some(worn) = worn_segment(state, update) {
        // Only in its own epoch can a segment be written again without looking its symbols up anew.
        let live = worn.coded(schema.symbols.len(), schema.texts)?;
        if let Some(segment) = worn.segment() {
            update.changes.extend(segment.keys(schema)?.into_iter().map(|key| (key, None)));
            if !live.is_empty() {
                add(store, table, (segment.epoch, segment.mark), &live, update)?;
            }
        }
        update.removed.push(worn.number());
    }

    let mut rest = rows.split_off(start);
    let mut dictionaries = None;
    let symbols = state.dictionaries.len() + update.symbols.len();
    if symbols > options.epoch_symbols {
        epoch += 1;
        let known = Known { committed: &state.dictionaries, new: &update.symbols };
        let (begun, values) = begin_epoch(schema, &known, epoch, &mut rest)?;
        for (dictionary, first, value) in values {
            put(&mut update.changes, &key(prefix, Kind::Symbols, &[epoch, dictionary, first]), &value);
        }
        dictionaries = Some(begun);
    }
    update.numbers.epoch = epoch;

    let number = state.next_chunk;
    let mut by_id = ById::default();
    for (row, coded) in (0_u32..).zip(&rest) {
        by_id.insert(coded.id.clone(), (number, row));
    }
    let columns = Columns::new(schema, &rest);
    update.chunk = Some(Arc::new(Chunk { number, epoch, columns }));
    update.seal = Some(Seal { by_id, dictionaries });
    Ok(())
}

/// Makes a segment of rows that are in order, in the codes of an epoch, with its mark.
pub(crate) fn add(
    store: &Store,
    table: &Table,
    (epoch, mark): (u32, u64),
    rows: &[Coded],
    update: &mut Update,
) -> Result<(), Error> {
    let (schema, full) = (store.schema(), store.options().seal_rows);
    let columns = Columns::new(schema, rows);
    let made = Made { number: update.numbers.next_segment, epoch, mark };
    let (sealed, values) = Segment::seal(table.source.clone(), made, &columns, schema, full)?;
    update.numbers.next_segment += 1;
    update.changes.extend(values.into_iter().map(|(key, value)| (key, Some(value))));
    update.sealed.push(sealed);
    Ok(())
}

/// The segment with the most superseded rows, when they are more than half of it.
fn worn_segment(state: &State, update: &Update) -> Option<Part> {
    let as_of_now = |part: &Part| {
        let changed = update.superseded_in_segments.iter().find(|(number, _)| *number == part.number());
        let superseded = changed.map_or_else(|| part.superseded.clone(), |(_, superseded)| superseded.clone());
        Part { body: part.body.clone(), superseded }
    };
    let stays = |part: &&Part| !update.removed.contains(&part.number());
    let worn = state.segments.iter().filter(stays).map(as_of_now).max_by_key(|part| part.superseded.len())?;
    (worn.superseded.len() > worn.len() as u64 / 2).then_some(worn)
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
            *code = symbols.code(dictionary, &symbol);
        }
    }
    let values = symbols.values(&mut Framer::new());
    begun.extend(&symbols);
    Ok((begun, values))
}
