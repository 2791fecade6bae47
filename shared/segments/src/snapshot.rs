//! A table as it is at one moment, and what a question asks of it.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::ops::Range;

use crate::Error;
use crate::dictionary::Epochs;
use crate::part::Part;
use crate::predicate::{Predicate, Resolved, Resolver};
use crate::row::Schema;
use crate::table::Table;
use crate::time_range::TimeRange;
use crate::wanted::Wanted;

/// What rows are asked for.
#[derive(Clone, Copy)]
pub(crate) struct Query<'a> {
    pub(crate) predicate: &'a Predicate,
    pub(crate) range: TimeRange,
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
    let parts = resolved_parts(table, schema, [query.predicate], query.range)?;
    Ok(parts.into_iter().map(|(part, [wanted], range)| Stretch { part, wanted, range }).collect())
}

/// A part, what each of several predicates wants of it, and the rows in the range of time.
pub(crate) type OfPart<const N: usize> = (Part, [Resolved; N], Range<usize>);

/// What each of several predicates wants of each part. It is of one moment for all of them; parts of which none wants
/// anything are left out.
pub(crate) fn resolved_parts<const N: usize>(
    table: &Table,
    schema: &Schema,
    predicates: [&Predicate; N],
    range: TimeRange,
) -> Result<Vec<OfPart<N>>, Error> {
    let reaches_in = |part: &&Part| {
        let (first, last) = part.span();
        range.overlaps(first, last)
    };
    // Parts never change, so what is read of them later is of this moment too. Codes are resolved later, in dictionaries
    // that may have grown: a code that came since is in none of these parts.
    let parts: Vec<Part> = table.state.read().parts().filter(reaches_in).cloned().collect();
    let look_up = |dictionary, epoch, wanted: &Wanted| table.matching(schema, (dictionary, epoch), wanted);
    let mut resolver = Resolver::new(schema, &look_up);
    let mut resolved: HashMap<Epochs, [Resolved; N]> = HashMap::new();
    let mut found = Vec::new();
    for part in parts {
        let resolved = match resolved.entry(part.epochs().clone()) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(vacant) => {
                let mut all = [const { Resolved::Never }; N];
                for (place, predicate) in all.iter_mut().zip(predicates) {
                    *place = resolver.resolve(predicate, part.epochs())?;
                }
                vacant.insert(all)
            }
        };
        let mut wanted = [const { Resolved::Never }; N];
        for (place, resolved) in wanted.iter_mut().zip(&*resolved) {
            *place = resolved.within(&part)?;
        }
        if wanted.iter().all(|wanted| matches!(wanted, Resolved::Never)) {
            continue;
        }
        let rows = part.range(range)?;
        if !rows.is_empty() {
            found.push((part, wanted, rows));
        }
    }
    Ok(found)
}
