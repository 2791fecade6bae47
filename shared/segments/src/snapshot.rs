//! A table as it is at one moment, and what a question asks of it.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::ops::Range;

use crate::Error;
use crate::part::Part;
use crate::predicate::{Predicate, Resolved, Resolver};
use crate::row::Schema;
use crate::table::Table;
use crate::time_range::TimeRange;

/// What rows are asked for.
#[derive(Clone, Copy)]
pub(crate) struct Query<'a> {
    pub(crate) predicate: &'a Predicate,
    pub(crate) range: TimeRange,
}

/// A table as it is at one moment, and a predicate in the codes of its epochs.
struct Snapshot {
    parts: Vec<Part>,
    resolved: HashMap<u32, Resolved>,
}

/// What of a part is asked for.
pub(crate) struct Stretch {
    pub(crate) part: Part,
    pub(crate) wanted: Resolved,
    /// The rows in the range of time.
    pub(crate) range: Range<usize>,
}

/// What of each part is asked for, as the table is now; parts of which nothing is wanted are left out.
pub(crate) fn stretches(table: &Table, schema: &Schema, query: &Query<'_>) -> Result<Vec<Stretch>, Error> {
    Snapshot::of(table, schema, query.predicate)?.stretches(query.range)
}

impl Stretch {
    /// How many rows have each code of a column, where all rows are asked for and they were counted.
    pub(crate) fn counts(&self, column: usize) -> Option<&[u32]> {
        let is_all = matches!(self.wanted, Resolved::Always)
            && self.range.len() == self.part.len()
            && self.part.superseded.is_empty();
        self.part.segment().filter(|_| is_all)?.counts(column)
    }
}

impl Snapshot {
    fn of(table: &Table, schema: &Schema, predicate: &Predicate) -> Result<Self, Error> {
        let (parts, newest_epoch, newest) = {
            // Parts and codes are of the same commit. Parts never change, so what is read of them later is too.
            let state = table.state.read();
            let resolved = Resolver::new(schema, &state.dictionaries).resolve(predicate);
            (state.parts().cloned().collect::<Vec<_>>(), state.dictionaries.epoch, resolved)
        };
        let mut resolved = HashMap::from([(newest_epoch, newest)]);
        for part in &parts {
            if let Entry::Vacant(vacant) = resolved.entry(part.epoch()) {
                // Of an epoch that has ended, so nothing is added to them. They may be gone with their last segment, which
                // looks like damage until the table is read again.
                let dictionaries = table.old_dictionaries(schema, part.epoch())?;
                vacant.insert(Resolver::new(schema, &dictionaries).resolve(predicate));
            }
        }
        Ok(Self { parts, resolved })
    }

    fn stretches(self, time: TimeRange) -> Result<Vec<Stretch>, Error> {
        let mut stretches = Vec::new();
        for part in self.parts {
            let wanted = match self.resolved.get(&part.epoch()) {
                Some(resolved) => resolved.within(&part),
                None => Resolved::Never,
            };
            if matches!(wanted, Resolved::Never) {
                continue;
            }
            let range = part.range(time)?;
            if !range.is_empty() {
                stretches.push(Stretch { part, wanted, range });
            }
        }
        Ok(stretches)
    }
}
