//! Counts of the rows that match, and sums of what they measure: in all, by what they count as, and by time.
//!
//! Invariant: all counts of one answer are of the same rows, those of one moment, whatever is written meanwhile.

use std::ops::Range;

use crate::Error;
use crate::amount::Amount;
use crate::classes::{Classes, Facet};
use crate::judged::{self, Bounds, Found};
use crate::numbers::Measure;
use crate::pairs::{PairCounts, Pairs};
use crate::predicate::Predicate;
use crate::row::Schema;
use crate::selected::{Listed, Selected};
use crate::snapshot::{Query, stretches};
use crate::table::Table;
use crate::time_range::TimeRange;
use crate::times::Times;

/// Which rows are counted.
#[derive(Clone, Copy)]
pub enum Condition<'a> {
    /// Those that match this.
    Exact(&'a Predicate),
    /// Those that surely match, and those that are judged to.
    Between(Bounds<'a>),
}

/// The rows of a table that match.
pub struct Matching<'a> {
    table: &'a Table,
    schema: &'a Schema,
    parts: Vec<Selected>,
    judged: u64,
    is_complete: bool,
}

impl<'a> Matching<'a> {
    pub(crate) fn of(
        table: &'a Table,
        schema: &'a Schema,
        condition: &Condition<'_>,
        range: TimeRange,
    ) -> Result<Self, Error> {
        let Found { stretches, judged, is_complete } = match condition {
            Condition::Exact(predicate) => {
                let stretches = stretches(table, schema, &Query { predicate, range })?;
                Found { stretches, judged: 0, is_complete: true }
            }
            Condition::Between(bounds) => judged::find(table, schema, range, bounds)?,
        };
        let instead = match condition {
            Condition::Exact(_) => None,
            Condition::Between(bounds) => bounds.instead,
        };
        let mut parts = Vec::with_capacity(stretches.len());
        for stretch in stretches {
            let Some(mut selected) = Selected::of(stretch)? else { continue };
            if let Some(instead) = instead {
                selected.count_for(instead)?;
            }
            parts.push(selected);
        }
        Ok(Self { table, schema, parts, judged, is_complete })
    }

    /// How many rows were judged.
    #[must_use]
    pub fn judged(&self) -> u64 {
        self.judged
    }

    /// Whether all rows were judged that had to be; where not, the rows that match are those that are known to.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.is_complete
    }

    /// How many rows match.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.parts.iter().map(Selected::len).sum()
    }

    /// The earliest and the latest time of a row that matches; none where none does.
    ///
    /// # Errors
    /// When the storage fails or is damaged.
    pub fn span(&self) -> Result<Option<(i64, i64)>, Error> {
        let mut span: Option<(i64, i64)> = None;
        for selected in &self.parts {
            let (first, last) = selected.ends();
            let ends = if (first, last) == (0, selected.part.len() - 1) {
                selected.part.span()
            } else {
                let times = selected.part.times()?;
                (times[first], times[last])
            };
            span = Some(span.map_or(ends, |known| (known.0.min(ends.0), known.1.max(ends.1))));
        }
        Ok(span)
    }

    /// How much all of them measure together.
    ///
    /// # Errors
    /// When the storage fails or is damaged.
    pub fn sum(&self, measure: Measure) -> Result<u128, Error> {
        let mut all = Amount::default();
        for selected in &self.parts {
            all += amount(selected, &selected.listed(), &selected.range, measure)?;
        }
        Ok(all.sum)
    }

    /// For each facet how many rows are of each class, and how much they measure, where that is asked for.
    ///
    /// # Errors
    /// When the storage fails or is damaged, or symbols cannot be classified.
    pub fn by_class(&self, facets: &[Facet<'_>], measure: Option<Measure>) -> Result<Vec<Vec<Amount>>, Error> {
        // Those of the same columns are counted together; they are told in the order in which they were asked for.
        let mut order: Vec<usize> = (0..facets.len()).collect();
        order.sort_by_key(|place| facets[*place].columns());
        let mut together: Vec<_> = order
            .chunk_by(|one, other| facets[*one].columns() == facets[*other].columns())
            .map(|places| {
                let facets: Vec<Facet<'_>> = places.iter().map(|place| facets[*place]).collect();
                (places, self.classes(&facets), vec![Vec::new(); places.len()])
            })
            .collect();
        for selected in &self.parts {
            let listed = selected.listed();
            let piece = selected.piece(&listed, &selected.range, measure)?;
            for (_, classes, amounts) in &mut together {
                classes.count(&piece, amounts)?;
            }
        }
        let mut all = vec![Vec::new(); facets.len()];
        for (places, _, amounts) in together {
            for (place, amounts) in places.iter().zip(amounts) {
                all[*place] = amounts;
            }
        }
        Ok(all)
    }

    /// How many rows are of each pair of classes, and how much they measure, where that is asked for. None where that would
    /// be more pairs than `most`, for which there may be up to 48 bytes of memory for each, or 96 where they are measured; as
    /// many as a table has room for, or are of a million rows, are never too many.
    ///
    /// # Errors
    /// When the storage fails or is damaged, or symbols cannot be classified.
    pub fn by_pair(
        &self,
        [one, other]: [Facet<'_>; 2],
        measure: Option<Measure>,
        most: usize,
    ) -> Result<Option<Pairs>, Error> {
        let (mut ones, mut others) = (self.classes(&[one]), self.classes(&[other]));
        let mut counts = PairCounts::default();
        for selected in &self.parts {
            let listed = selected.listed();
            let piece = selected.piece(&listed, &selected.range, measure)?;
            let places = (ones.places(&selected.part, &piece.rows)?, others.places(&selected.part, &piece.rows)?);
            for (ones, others) in places.0.iter().zip(&places.1) {
                counts.add(ones, others, piece.values.as_deref());
            }
            if counts.len() > most {
                return Ok(None);
            }
        }
        Ok(Some(counts.pairs()))
    }

    /// How many rows are in each stretch of time, and how much they measure, where that is asked for.
    ///
    /// # Errors
    /// When the storage fails or is damaged.
    pub fn by_time(&self, times: &Times, measure: Option<Measure>) -> Result<Vec<Amount>, Error> {
        let mut amounts = vec![Amount::default(); times.count];
        for selected in &self.parts {
            let listed = selected.listed();
            for (place, rows) in times.cut(&selected.part, &selected.range)? {
                amounts[place] += match measure {
                    Some(measure) => amount(selected, &listed, &rows, measure)?,
                    None => Amount::of(selected.count(&rows)),
                };
            }
        }
        Ok(amounts)
    }

    /// How many rows of each class are in each stretch of time, and how much they measure, where that is asked for.
    ///
    /// # Errors
    /// When the storage fails or is damaged, or symbols cannot be classified.
    pub fn by_time_and_class(
        &self,
        times: &Times,
        facet: Facet<'_>,
        measure: Option<Measure>,
    ) -> Result<Vec<Vec<Amount>>, Error> {
        let mut classes = self.classes(&[facet]);
        let mut amounts = vec![[Vec::new()]; times.count];
        for selected in &self.parts {
            let listed = selected.listed();
            for (place, rows) in times.cut(&selected.part, &selected.range)? {
                classes.count(&selected.piece(&listed, &rows, measure)?, &mut amounts[place])?;
            }
        }
        Ok(amounts.into_iter().map(|[amounts]| amounts).collect())
    }

    fn classes<'f>(&'f self, facets: &[Facet<'f>]) -> Classes<'f> {
        Classes::new(self.table, self.schema, facets)
    }
}

/// How many rows there are in a part of a range, and how much they measure.
fn amount(selected: &Selected, listed: &Listed<'_>, range: &Range<usize>, measure: Measure) -> Result<Amount, Error> {
    Ok(Amount::measured(&selected.values(&listed.within(range), measure)?))
}
