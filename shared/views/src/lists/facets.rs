//! Counts of rows by the values of fields, and sums of what they measure: of each field on its own, or of two together.

use model::filter::Query;
use model::log::AccountId;
use model::paging::Judged;
use segments::{Amount, Matching};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::columns::{self, Selected};
use super::facet::Facet;
use super::family::{Family, FieldOf};
use super::measure::Measure;
use super::page::Selection;
use super::top::Top;
use super::values::{self, Most};
use crate::error::Error;
use crate::question::{Question, Views};
use crate::view::View;
use crate::watch::{Seen, Watch, given};

/// Which values of some fields are the most frequent, or measure the most, among the rows that match. What has only values that do not count has
/// none.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(bound = "")]
pub struct Facets<F: Family> {
    /// From the token; never from a body or a parameter.
    pub account: AccountId,
    /// Which of the account's rows.
    pub filter: F::Filter,
    /// What else they must be, in the language.
    pub q: Option<Query<F::Language>>,
    /// What they are counted by, each on its own.
    pub fields: Vec<Facet<F>>,
    /// Only values that begin like this count, in any case.
    pub prefix: Option<String>,
    /// How many values are told of each.
    pub top: usize,
    /// What those measure the most of; none: they are the most frequent.
    pub by: Option<Measure<F>>,
    /// What several rows tell of counts once.
    #[serde(default)]
    pub once: bool,
}

/// The answer to [`Facets`].
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct FacetsOf {
    /// The rows that match.
    pub total: Amount,
    /// The values of each field, in the order in which they were asked for.
    pub tops: Vec<Top>,
    /// How rows were judged, where that had to be done one by one. Where not all were, counts are of those that are known
    /// to match.
    pub judged: Option<Judged>,
}

/// Which pairs of values of two fields are the most frequent, or measure the most, among the rows that match.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(bound = "")]
pub struct Pairs<F: Family> {
    /// From the token; never from a body or a parameter.
    pub account: AccountId,
    /// Which of the account's rows.
    pub filter: F::Filter,
    /// What else they must be, in the language.
    pub q: Option<Query<F::Language>>,
    /// What they are counted by, both together.
    pub fields: [Facet<F>; 2],
    /// How many pairs are told.
    pub top: usize,
    /// What those measure the most of; none: they are the most frequent.
    pub by: Option<Measure<F>>,
    /// What several rows tell of counts once.
    #[serde(default)]
    pub once: bool,
}

/// The answer to [`Pairs`].
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PairsOf {
    /// The rows that match.
    pub total: Amount,
    /// The pairs.
    pub top: Top,
    /// How rows were judged, see [`FacetsOf::judged`].
    pub judged: Option<Judged>,
}

/// What is recorded of counts.
#[derive(Serialize)]
#[serde(bound = "")]
struct CountedBy<'a, F: Family> {
    #[serde(flatten)]
    selection: Selection<'a, F>,
    by: Vec<&'a str>,
    /// What is summed up.
    sum: Option<&'a str>,
    /// What the values begin with.
    prefix: Option<&'a str>,
}

/// What counts by some fields are asked for, and sums of something, as it is recorded.
pub(crate) fn recorded<F: Family>(selection: Selection<'_, F>, by: &[Facet<F>], sum: Option<&Measure<F>>) -> Json {
    recorded_with(selection, by, sum, None)
}

fn recorded_with<F: Family>(
    selection: Selection<'_, F>,
    by: &[Facet<F>],
    sum: Option<&Measure<F>>,
    prefix: Option<&str>,
) -> Json {
    let (by, sum) = (by.iter().map(Facet::name).collect(), sum.map(Measure::name));
    given(&CountedBy::<F> { selection, by, sum, prefix })
}

impl<F: Family> Question for Facets<F> {
    type Answer = FacetsOf;
    const PATH: &'static str = F::FACETS;
    const WATCH: Option<Watch<Self, Self::Answer>> = Some(Watch {
        log: F::LOG,
        filter: |question| {
            let selection = Selection::new(&question.filter, question.q.as_ref());
            recorded_with(selection, &question.fields, question.by.as_ref(), question.prefix.as_deref())
        },
        seen: |answer| Seen { rows: answer.tops.iter().map(told).sum(), total: answer.total.count },
    });

    fn view(&self) -> View {
        F::VIEW
    }

    fn account(&self) -> Option<&AccountId> {
        Some(&self.account)
    }

    fn answer(&self, views: &Views) -> Result<FacetsOf, Error> {
        let (account, q) = (&self.account, self.q.as_ref());
        let fields: Vec<FieldOf<F>> = self.fields.iter().map(Facet::field).collect();
        let mut fields = F::valued(views, account, &fields)?;
        if let Some(prefix) = &self.prefix {
            fields = fields.into_iter().map(|field| field.beginning_with(prefix)).collect();
        }
        let selected = Selected::asked::<F>(views, account, &self.filter, q)?;
        let count = |rows: &Matching<'_>| {
            let most = Most::told(self.top, self.by.as_ref().map(Measure::numbers));
            let tops = values::of_each(rows, &fields, most)?;
            Ok(FacetsOf {
                total: values::of_all(rows, most.by)?,
                tops,
                judged: columns::judged(rows.judged(), rows.is_complete()),
            })
        };
        let judge = |rows| columns::judge::<F>(views, account, q, rows);
        if self.once { selected.count_once::<F, _>(&judge, count) } else { selected.count(&judge, count) }
    }
}

impl<F: Family> Question for Pairs<F> {
    type Answer = PairsOf;
    const PATH: &'static str = F::PAIRS;
    const WATCH: Option<Watch<Self, Self::Answer>> = Some(Watch {
        log: F::LOG,
        filter: |question| {
            let selection = Selection::new(&question.filter, question.q.as_ref());
            recorded(selection, &question.fields, question.by.as_ref())
        },
        seen: |answer| Seen { rows: told(&answer.top), total: answer.total.count },
    });

    fn view(&self) -> View {
        F::VIEW
    }

    fn account(&self) -> Option<&AccountId> {
        Some(&self.account)
    }

    fn answer(&self, views: &Views) -> Result<PairsOf, Error> {
        let (account, q) = (&self.account, self.q.as_ref());
        let fields = F::valued(views, account, &self.fields.each_ref().map(Facet::field))?;
        let [one, other] = fields.as_slice() else { return Err(Error::Damaged("a facet")) };
        let selected = Selected::asked::<F>(views, account, &self.filter, q)?;
        let count = |rows: &Matching<'_>| {
            let most = Most::told(self.top, self.by.as_ref().map(Measure::numbers));
            let top = values::of_pairs(rows, [one, other], most)?;
            Ok(PairsOf {
                total: values::of_all(rows, most.by)?,
                top,
                judged: columns::judged(rows.judged(), rows.is_complete()),
            })
        };
        let judge = |rows| columns::judge::<F>(views, account, q, rows);
        if self.once { selected.count_once::<F, _>(&judge, count) } else { selected.count(&judge, count) }
    }
}

/// How many values are told.
fn told(top: &Top) -> u64 {
    top.values.len() as u64
}
