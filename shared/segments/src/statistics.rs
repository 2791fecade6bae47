//! Counts by value and by time.

use std::collections::{BTreeMap, HashMap};
use std::num::NonZeroU64;

use crate::Error;
use crate::predicate::Resolved;
use crate::row::{Schema, Symbol};
use crate::snapshot::{Query, stretches};
use crate::table::Table;

/// How many rows match for each value of a column, the most frequent first, equally frequent ones by value.
pub(crate) fn by_value(
    table: &Table,
    schema: &Schema,
    query: &Query<'_>,
    column: usize,
) -> Result<Vec<(Symbol, u64)>, Error> {
    let dictionary = usize::from(schema.symbols[column]);
    let mut by_epoch: HashMap<u32, Vec<u64>> = HashMap::new();
    for stretch in stretches(table, schema, query)? {
        let present = stretch.part.present(column);
        let counts = by_epoch.entry(stretch.part.epochs()[dictionary]).or_default();
        let longest = present.max().map_or(0, |code| code as usize + 1);
        if counts.len() < longest {
            counts.resize(longest, 0);
        }
        let known = stretch.counts(column);
        for (code, known) in present.iter().zip(known.unwrap_or_default()) {
            counts[code as usize] += u64::from(*known);
        }
        // Where all rows are counted already, only those that are left out are looked at.
        let (looked_at, is_left_out) = match &stretch.wanted {
            Resolved::Always if known.is_some() => continue,
            Resolved::Not(inner) if known.is_some() => (&**inner, true),
            wanted => (wanted, false),
        };
        let codes = stretch.part.codes(column)?;
        let mask = stretch.part.mask(looked_at, stretch.range.clone())?;
        for row in memchr::memchr_iter(1, &mask) {
            let count = &mut counts[codes.get(stretch.range.start + row) as usize];
            *count = if is_left_out { count.saturating_sub(1) } else { *count + 1 };
        }
    }
    // The same value has another code in each epoch.
    let mut by_symbol: HashMap<Symbol, u64> = HashMap::new();
    for (epoch, counts) in by_epoch {
        let found = (0_u32..).zip(counts).filter(|(_, count)| *count > 0);
        let (codes, counts): (Vec<u32>, Vec<u64>) = found.unzip();
        for (symbol, count) in table.symbols(schema, (dictionary, epoch), &codes)?.into_iter().zip(counts) {
            *by_symbol.entry(symbol).or_default() += count;
        }
    }
    let mut counts: Vec<(Symbol, u64)> = by_symbol.into_iter().collect();
    counts.sort_by(|(symbol, count), (other, others)| others.cmp(count).then_with(|| symbol.cmp(other)));
    Ok(counts)
}

/// How many rows match in each stretch of time, by its start.
pub(crate) fn by_time(
    table: &Table,
    schema: &Schema,
    query: &Query<'_>,
    width: NonZeroU64,
) -> Result<Vec<(i64, u64)>, Error> {
    // A longer stretch than there are times holds all after zero, as the longest does.
    let width = i64::try_from(width.get()).unwrap_or(i64::MAX);
    let mut counts: BTreeMap<i64, u64> = BTreeMap::new();
    for stretch in stretches(table, schema, query)? {
        let times = stretch.part.times()?;
        let mask = stretch.part.mask(&stretch.wanted, stretch.range.clone())?;
        for row in memchr::memchr_iter(1, &mask) {
            let time = times[stretch.range.start + row];
            *counts.entry(time.div_euclid(width).saturating_mul(width)).or_default() += 1;
        }
    }
    Ok(counts.into_iter().collect())
}
