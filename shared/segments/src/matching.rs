//! Counts of the rows that match: in all, by what they count as, and by time.
//!
//! Invariant: all counts of one answer are of the same rows, those of one moment, whatever is written meanwhile.

use crate::Error;
use crate::classes::{Classes, Facet};
use crate::judged::{self, Bounds, Found};
use crate::pairs::{PairCounts, Pairs};
use crate::predicate::Predicate;
use crate::row::Schema;
use crate::selected::Selected;
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
        let mut parts = Vec::with_capacity(stretches.len());
        for stretch in stretches {
            parts.extend(Selected::of(stretch)?);
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

    /// For each facet how many rows are of each class.
    ///
    /// # Errors
    /// When the storage fails or is damaged, or symbols cannot be classified.
    pub fn by_class(&self, facets: &[Facet<'_>]) -> Result<Vec<Vec<u64>>, Error> {
        let mut all: Vec<(Classes<'_>, Vec<u64>)> =
            facets.iter().map(|facet| (self.classes(*facet), Vec::new())).collect();
        for selected in &self.parts {
            let listed = selected.listed();
            for (classes, counts) in &mut all {
                classes.count(selected, &listed, &selected.range, counts)?;
            }
        }
        Ok(all.into_iter().map(|(_, counts)| counts).collect())
    }

    /// How many rows are of each pair of classes. None where that would be more pairs than `most`, for which there may be
    /// up to 34 bytes of memory for each; a few millions that a table has room for are never too many.
    ///
    /// # Errors
    /// When the storage fails or is damaged, or symbols cannot be classified.
    pub fn by_pair(&self, [one, other]: [Facet<'_>; 2], most: usize) -> Result<Option<Pairs>, Error> {
        let (mut ones, mut others) = (self.classes(one), self.classes(other));
        let mut counts = PairCounts::default();
        for selected in &self.parts {
            let listed = selected.listed();
            let rows = listed.within(&selected.range);
            counts.add(&ones.places(&selected.part, &rows)?, &others.places(&selected.part, &rows)?);
            if counts.len() > most {
                return Ok(None);
            }
        }
        Ok(Some(counts.pairs()))
    }

    /// How many rows are in each stretch of time.
    ///
    /// # Errors
    /// When the storage fails or is damaged.
    pub fn by_time(&self, times: &Times) -> Result<Vec<u64>, Error> {
        let mut counts = vec![0; times.count];
        for selected in &self.parts {
            for (place, rows) in times.cut(&selected.part, &selected.range)? {
                counts[place] += selected.count(&rows);
            }
        }
        Ok(counts)
    }

    /// How many rows of each class are in each stretch of time.
    ///
    /// # Errors
    /// When the storage fails or is damaged, or symbols cannot be classified.
    pub fn by_time_and_class(&self, times: &Times, facet: Facet<'_>) -> Result<Vec<Vec<u64>>, Error> {
        let mut classes = self.classes(facet);
        let mut counts = vec![Vec::new(); times.count];
        for selected in &self.parts {
            let listed = selected.listed();
            for (place, rows) in times.cut(&selected.part, &selected.range)? {
                classes.count(selected, &listed, &rows, &mut counts[place])?;
            }
        }
        Ok(counts)
    }

    fn classes<'f>(&'f self, facet: Facet<'f>) -> Classes<'f> {
        Classes::new(self.table, self.schema, facet)
    }
}
