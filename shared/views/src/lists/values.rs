//! The most frequent values of fields among the rows that match, or those that measure the most.
//!
//! Counts are exact whatever there is, in bounded memory: where there are more values than that is for, rows are counted
//! in shares, one after the other. A value belongs to one share, by its hash.

use segments::{Amount, Matching, Measure};

use super::finding::Finding;
use super::numbers::{Numbers, Share};
use super::top::Top;
use super::valued::Valued;

/// Where there are too many values, they are counted in so many times as many shares.
const FINER: u64 = 4;

/// Which values are told, and how many there may be.
#[derive(Clone, Copy)]
pub(crate) struct Most {
    /// In the answer.
    pub(crate) told: usize,
    /// In memory together, of a field, and pairs of them beyond those that a table of 16 MiB has room for.
    pub(crate) held: usize,
    /// What those measure the most of that are told; none: they are the most frequent.
    pub(crate) by: Option<Measure>,
}

impl Most {
    /// So many in the answer, and in memory some dozens of megabytes.
    pub(crate) fn told(told: usize, by: Option<Measure>) -> Self {
        Self { told, held: 1 << 20, by }
    }

    fn finding(self) -> Finding {
        Finding::new(self.told, self.by.is_some())
    }
}

type Result<T> = std::result::Result<T, segments::Error>;

/// The top of each of some fields.
pub(crate) fn of_each(rows: &Matching<'_>, fields: &[Valued<'_>], most: Most) -> Result<Vec<Top>> {
    let numbers: Vec<Numbers<'_>> = fields.iter().map(|field| Numbers::new(field, Share::ALL, most.held)).collect();
    let facets: Vec<segments::Facet<'_>> = numbers.iter().map(Numbers::facet).collect();
    let mut tops = Vec::with_capacity(fields.len());
    for ((field, numbers), amounts) in fields.iter().zip(&numbers).zip(rows.by_class(&facets, most.by)?) {
        if numbers.is_full() {
            tops.push(in_shares(rows, field, most)?);
            continue;
        }
        let mut found = most.finding();
        found.add(numbers, &amounts);
        tops.push(found.top());
    }
    Ok(tops)
}

/// The top of a field that has more values than are in memory together.
fn in_shares(rows: &Matching<'_>, field: &Valued<'_>, most: Most) -> Result<Top> {
    let mut of = FINER;
    loop {
        if let Some(top) = in_shares_of(rows, field, most, of)? {
            return Ok(top);
        }
        of *= FINER;
    }
}

/// The same in so many shares; none where one of them is too large still.
fn in_shares_of(rows: &Matching<'_>, field: &Valued<'_>, most: Most, of: u64) -> Result<Option<Top>> {
    let mut found = most.finding();
    for number in 0..of {
        let numbers = Numbers::new(field, Share { number, of }, most.held);
        let amounts = rows.by_class(&[numbers.facet()], most.by)?;
        if numbers.is_full() {
            return Ok(None);
        }
        found.add(&numbers, amounts.first().map_or(&[], Vec::as_slice));
    }
    Ok(Some(found.top()))
}

/// All rows that match.
pub(crate) fn of_all(rows: &Matching<'_>, by: Option<Measure>) -> Result<Amount> {
    let sum = by.map(|measure| rows.sum(measure)).transpose()?;
    Ok(Amount { count: rows.total(), sum: sum.unwrap_or_default() })
}

/// The same of pairs of values of two fields.
pub(crate) fn of_pairs(rows: &Matching<'_>, fields: [&Valued<'_>; 2], most: Most) -> Result<Top> {
    let mut of = [1, 1];
    'shares: loop {
        let mut found = most.finding();
        for share in 0..of[0] * of[1] {
            let one = Numbers::new(fields[0], Share { number: share % of[0], of: of[0] }, most.held);
            let other = Numbers::new(fields[1], Share { number: share / of[0], of: of[1] }, most.held);
            let pairs = rows.by_pair([one.facet(), other.facet()], most.by, most.held)?;
            if other.is_full() {
                of[1] *= FINER;
                continue 'shares;
            }
            let Some(pairs) = pairs.filter(|_| !one.is_full()) else {
                of[0] *= FINER;
                continue 'shares;
            };
            found.add_pairs([&one, &other], &pairs);
        }
        return Ok(found.top_of(of_all(rows, most.by)?));
    }
}

#[cfg(test)]
mod tests;
