//! Counts of rows by time, and in each stretch of it by the values of a field.

use std::cell::RefCell;
use std::collections::HashMap;

use model::filter::Query;
use model::log::AccountId;
use model::paging::Judged;
use model::time::Timestamp;
use segments::{Matching, TimeRange, Times};
use serde::{Deserialize, Serialize};

use super::buckets;
use super::columns::{self, Selected, unjudged};
use super::facet::Facet;
use super::facets::recorded;
use super::family::Family;
use super::top::{Counted, Top};
use super::valued::Valued;
use super::values::{self, Most};
use crate::error::Error;
use crate::question::{Question, Views};
use crate::view::View;
use crate::watch::{Seen, Watch};

/// How many rows match in each of some equal stretches of time: those of a period, or as far as it is open of what matches.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(bound = "")]
pub struct Histogram<F: Family> {
    /// From the token; never from a body or a parameter.
    pub account: AccountId,
    /// Which of the account's rows.
    pub filter: F::Filter,
    /// What else they must be, in the language.
    pub q: Option<Query<F::Language>>,
    /// How many stretches there are at most; no fewer than [`super::MIN_BUCKETS`].
    pub buckets: usize,
    /// What else they are counted by.
    pub split: Option<Facet<F>>,
    /// How many values are told of that.
    pub top: usize,
}

/// The answer to [`Histogram`].
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct HistogramOf {
    /// How many rows match.
    pub total: u64,
    /// How long each stretch is, in milliseconds; zero where there is none.
    pub width_ms: u64,
    /// When each begins, and how many rows are in it.
    pub counts: Vec<(Timestamp, u64)>,
    /// The same by values.
    pub split: Option<Split>,
    /// How rows were judged, see [`super::FacetsOf::judged`].
    pub judged: Option<Judged>,
}

/// Counts of each stretch of time by the values of a field.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Split {
    /// The values.
    pub top: Top,
    /// For each of them that is told how many rows have it in each stretch.
    pub counts: Vec<Vec<u64>>,
    /// How many have other values.
    pub others: Vec<u64>,
    /// How many have none.
    pub without: Vec<u64>,
}

impl<F: Family> Question for Histogram<F> {
    type Answer = HistogramOf;
    const PATH: &'static str = F::HISTOGRAM;
    const WATCH: Option<Watch<Self, Self::Answer>> = Some(Watch {
        log: F::LOG,
        filter: |question| recorded(&question.filter, question.q.as_ref(), question.split.as_slice()),
        seen: |answer| Seen { rows: answer.counts.len() as u64, total: answer.total },
    });

    fn view(&self) -> View {
        F::VIEW
    }

    fn account(&self) -> Option<&AccountId> {
        Some(&self.account)
    }

    fn answer(&self, views: &Views) -> Result<HistogramOf, Error> {
        let (account, q) = (&self.account, self.q.as_ref());
        let split = self.split.as_ref().map(|facet| F::valued(views, account, &[facet.field()])).transpose()?;
        let split = split.as_ref().and_then(|fields| fields.first());
        let selected = Selected::asked::<F>(views, account, &self.filter, q)?;
        let period = selected.period();
        let count = |rows: &Matching<'_>| {
            let times = match ends(rows, period)? {
                Some((from, to)) => buckets::cover(from, to, self.buckets),
                None => buckets::NOTHING,
            };
            Ok(HistogramOf {
                total: rows.total(),
                width_ms: if times.count == 0 { 0 } else { buckets::millis(&times) },
                counts: buckets::starts(&times).zip(rows.by_time(&times)?).collect(),
                split: split.map(|field| split_by(rows, &times, field, self.top)).transpose()?,
                judged: columns::judged(rows.judged(), rows.is_complete()),
            })
        };
        selected.count(&|rows| columns::judge::<F>(views, account, q, rows), count)
    }
}

/// From when to when rows are counted; none: there is no such time.
fn ends(rows: &Matching<'_>, period: TimeRange) -> Result<Option<(Timestamp, Timestamp)>, segments::Error> {
    let (from, to) = match period {
        TimeRange { from: Some(from), to: Some(to) } => (from, to),
        TimeRange { from, to } => {
            let Some((earliest, latest)) = rows.span()? else { return Ok(None) };
            (from.unwrap_or(earliest), to.unwrap_or(latest))
        }
    };
    // Nothing is before or after all that can be written.
    let from = Timestamp::from_micros(from).unwrap_or(Timestamp::FIRST);
    let to = Timestamp::from_micros(to).unwrap_or(Timestamp::LAST);
    Ok((from <= to).then_some((from, to)))
}

/// What rows with some values are counted in: the places of values that are told, and how many of the values are others.
#[derive(PartialEq, Eq)]
struct Series {
    told: Vec<usize>,
    others: u64,
}

fn split_by(rows: &Matching<'_>, times: &Times, field: &Valued<'_>, top: usize) -> Result<Split, segments::Error> {
    let top = values::of_each(rows, std::slice::from_ref(field), Most::told(top))?.pop().unwrap_or_default();
    let (met, by_time) = by_series(rows, times, field, &top)?;
    let nothing = || vec![0_u64; times.count];
    let (mut counts, mut others, mut without) = (vec![nothing(); top.values.len()], nothing(), nothing());
    for (time, by_class) in by_time.into_iter().enumerate() {
        for (series, count) in met.iter().zip(by_class) {
            for place in &series.told {
                counts[*place][time] += count;
            }
            others[time] += series.others * count;
            if series.told.is_empty() && series.others == 0 {
                without[time] += count;
            }
        }
    }
    Ok(Split { top, counts, others, without })
}

/// All that rows are counted in, and how many rows of each stretch of time are counted in each.
fn by_series(
    rows: &Matching<'_>,
    times: &Times,
    field: &Valued<'_>,
    top: &Top,
) -> Result<(Vec<Series>, Vec<Vec<u64>>), segments::Error> {
    let value = |(place, counted): (usize, &'_ Counted)| Some((counted.values.first()?.clone(), place));
    let places: HashMap<String, usize> = top.values.iter().enumerate().filter_map(value).collect();
    let met: RefCell<Vec<Series>> = RefCell::default();
    let classify = |symbol: &[u8], beside: &[u8]| {
        let mut series = Series { told: Vec::new(), others: 0 };
        let read = (field.values)(symbol, beside, &mut |value| match places.get(value) {
            Some(place) => series.told.push(*place),
            None => series.others += 1,
        });
        read.map_err(unjudged)?;
        let mut met = met.borrow_mut();
        let class = met.iter().position(|known| *known == series).unwrap_or(met.len());
        if class == met.len() {
            met.push(series);
        }
        Ok(u32::try_from(class).ok())
    };
    let facet = segments::Facet { column: field.column, beside: field.beside, classify: &classify };
    let by_time = rows.by_time_and_class(times, facet)?;
    Ok((met.into_inner(), by_time))
}
