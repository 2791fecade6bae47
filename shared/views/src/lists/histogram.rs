//! Counts of rows by time, and sums of what they measure, and in each stretch of it by the values of a field.

use std::cell::RefCell;
use std::collections::HashMap;

use model::filter::Query;
use model::log::AccountId;
use model::paging::Judged;
use model::time::Timestamp;
use segments::{Amount, Matching, TimeRange, Times};
use serde::{Deserialize, Serialize};

use super::buckets;
use super::columns::{self, Selected, unjudged};
use super::facet::Facet;
use super::facets::recorded;
use super::family::Family;
use super::measure::Measure;
use super::page::Selection;
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
    /// What is summed up; none: rows are counted alone.
    pub sum: Option<Measure<F>>,
    /// What several rows tell of counts once.
    #[serde(default)]
    pub once: bool,
}

/// The answer to [`Histogram`].
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct HistogramOf {
    /// The rows that match.
    pub total: Amount,
    /// How long each stretch is, in milliseconds; zero where there is none.
    pub width_ms: u64,
    /// When each begins, and the rows in it.
    pub amounts: Vec<(Timestamp, Amount)>,
    /// The same by values.
    pub split: Option<Split>,
    /// How rows were judged, see [`super::FacetsOf::judged`].
    pub judged: Option<Judged>,
}

/// The rows of each stretch of time by the values of a field.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Split {
    /// The values.
    pub top: Top,
    /// For each of them that is told the rows that have it in each stretch.
    pub amounts: Vec<Vec<Amount>>,
    /// Those that have other values.
    pub others: Vec<Amount>,
    /// Those that have none.
    pub without: Vec<Amount>,
}

impl<F: Family> Question for Histogram<F> {
    type Answer = HistogramOf;
    const PATH: &'static str = F::HISTOGRAM;
    const WATCH: Option<Watch<Self, Self::Answer>> = Some(Watch {
        log: F::LOG,
        filter: |question| {
            let selection = Selection::new(&question.filter, question.q.as_ref());
            recorded(selection, question.split.as_slice(), question.sum.as_ref())
        },
        seen: |answer| Seen { rows: answer.amounts.len() as u64, total: answer.total.count },
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
        let most = Most::told(self.top, self.sum.as_ref().map(Measure::numbers));
        let count = |rows: &Matching<'_>| {
            let times = match ends(rows, period)? {
                Some((from, to)) => buckets::cover(from, to, self.buckets),
                None => buckets::NOTHING,
            };
            Ok(HistogramOf {
                total: values::of_all(rows, most.by)?,
                width_ms: if times.count == 0 { 0 } else { buckets::millis(&times) },
                amounts: buckets::starts(&times).zip(rows.by_time(&times, most.by)?).collect(),
                split: split.map(|field| split_by(rows, &times, field, most)).transpose()?,
                judged: columns::judged(rows.judged(), rows.is_complete()),
            })
        };
        let judge = |rows| columns::judge::<F>(views, account, q, rows);
        if self.once { selected.count_once::<F, _>(&judge, count) } else { selected.count(&judge, count) }
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

fn split_by(rows: &Matching<'_>, times: &Times, field: &Valued<'_>, most: Most) -> Result<Split, segments::Error> {
    let top = values::of_each(rows, std::slice::from_ref(field), most)?.pop().unwrap_or_default();
    let (met, by_time) = by_series(rows, (times, most.by), field, &top)?;
    let nothing = || vec![Amount::default(); times.count];
    let (mut amounts, mut others, mut without) = (vec![nothing(); top.values.len()], nothing(), nothing());
    for (time, by_class) in by_time.into_iter().enumerate() {
        for (series, amount) in met.iter().zip(by_class) {
            for place in &series.told {
                amounts[*place][time] += amount;
            }
            for _ in 0..series.others {
                others[time] += amount;
            }
            if series.told.is_empty() && series.others == 0 {
                without[time] += amount;
            }
        }
    }
    Ok(Split { top, amounts, others, without })
}

/// All that rows are counted in, and the rows of each stretch of time that are counted in each.
fn by_series(
    rows: &Matching<'_>,
    (times, measure): (&Times, Option<segments::Measure>),
    field: &Valued<'_>,
    top: &Top,
) -> Result<(Vec<Series>, Vec<Vec<Amount>>), segments::Error> {
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
    let by_time = rows.by_time_and_class(times, facet, measure)?;
    Ok((met.into_inner(), by_time))
}
