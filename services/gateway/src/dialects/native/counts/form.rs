//! The answers of counts, as JSON.

use model::paging::Judged;
use model::time::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use views::lists::{Amount, Counted, Others, Split, Top};

/// The values of fields.
#[derive(Serialize, JsonSchema)]
pub(super) struct FacetsAnswer {
    #[serde(flatten)]
    pub(super) of: Total,
    /// In the order in which they were asked for.
    pub(super) facets: Vec<FacetAnswer>,
}

/// How many there are.
#[derive(Serialize, JsonSchema)]
pub(super) struct Total {
    /// How many match; where not all rows were judged that had to be, how many are known to.
    pub(super) total: u64,
    /// What they have together of what is summed up; absent where nothing is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) sum: Option<u128>,
    /// How many rows were read and judged one by one for `q`; absent where none was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) scanned: Option<u64>,
    /// Whether those were all that had to be; where not, counts are of the newest that were.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) complete: Option<bool>,
}

/// How many have it.
#[derive(Serialize, JsonSchema)]
pub(super) struct AmountAnswer {
    /// How many there are; who has two values is counted for both.
    pub(super) count: u64,
    /// What they have together of what is summed up; absent where nothing is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) sum: Option<u128>,
}

/// The greatest values of a field.
#[derive(Serialize, JsonSchema)]
pub(super) struct FacetAnswer {
    /// As it was asked for.
    pub(super) field: String,
    /// The greatest first: the most frequent, or those with the greatest sum.
    pub(super) values: Vec<ValueAnswer>,
    #[serde(flatten)]
    pub(super) rest: RestAnswer,
}

#[derive(Serialize, JsonSchema)]
pub(super) struct ValueAnswer {
    pub(super) value: String,
    #[serde(flatten)]
    pub(super) amount: AmountAnswer,
}

/// What is not told.
#[derive(Serialize, JsonSchema)]
pub(super) struct RestAnswer {
    pub(super) others: OthersAnswer,
    /// How many have no value, or lack one of the fields.
    pub(super) without: u64,
    /// What those have together of what is summed up; absent where nothing is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) without_sum: Option<u128>,
}

/// All values that are not told.
#[derive(Serialize, JsonSchema)]
pub(super) struct OthersAnswer {
    /// How many values there are.
    pub(super) values: u64,
    #[serde(flatten)]
    pub(super) amount: AmountAnswer,
}

/// The values of one field.
#[derive(Serialize, JsonSchema)]
pub(super) struct ValuesAnswer {
    #[serde(flatten)]
    pub(super) of: Total,
    /// As it was asked for.
    pub(super) field: String,
    /// The most frequent first.
    pub(super) values: Vec<ValueAnswer>,
    /// Those that begin in the same way and are not told.
    pub(super) others: OthersAnswer,
}

/// Counts by time.
#[derive(Serialize, JsonSchema)]
pub(super) struct HistogramAnswer {
    #[serde(flatten)]
    pub(super) of: Total,
    /// How long each bucket is, in milliseconds; zero where there is none.
    pub(super) width_ms: u64,
    /// One after the other, also those in which nothing is.
    pub(super) buckets: Vec<BucketAnswer>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) split: Option<SplitAnswer>,
}

#[derive(Serialize, JsonSchema)]
pub(super) struct BucketAnswer {
    /// When it begins.
    pub(super) time: Timestamp,
    #[serde(flatten)]
    pub(super) amount: AmountAnswer,
}

/// The same by the values of a field.
#[derive(Serialize, JsonSchema)]
pub(super) struct SplitAnswer {
    /// As it was asked for.
    pub(super) field: String,
    /// The greatest first: the most frequent, or those with the greatest sum.
    pub(super) values: Vec<SeriesAnswer<ValueAnswer>>,
    pub(super) others: SeriesAnswer<OthersAnswer>,
    /// What has no value.
    pub(super) without: SeriesAnswer<AmountAnswer>,
}

/// The same bucket by bucket.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "{T}Series")]
pub(super) struct SeriesAnswer<T> {
    #[serde(flatten)]
    pub(super) of: T,
    /// One for each bucket, in their order.
    pub(super) counts: Vec<u64>,
    /// The sums of what is summed up, likewise; absent where nothing is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) sums: Option<Vec<u128>>,
}

/// The greatest pairs.
#[derive(Serialize, JsonSchema)]
pub(super) struct TopAnswer {
    #[serde(flatten)]
    pub(super) of: Total,
    /// The two fields, as they were asked for.
    pub(super) by: Vec<String>,
    /// The greatest first: the most frequent, or those with the greatest sum.
    pub(super) pairs: Vec<PairAnswer>,
    #[serde(flatten)]
    pub(super) rest: RestAnswer,
}

#[derive(Serialize, JsonSchema)]
pub(super) struct PairAnswer {
    /// One of each field.
    pub(super) values: Vec<String>,
    #[serde(flatten)]
    pub(super) amount: AmountAnswer,
}

/// Writes answers: with sums, or of counts alone.
#[derive(Clone, Copy)]
pub(super) struct Form {
    pub(super) has_sums: bool,
}

impl Form {
    pub(super) fn total(self, total: Amount, judged: Option<Judged>) -> Total {
        let (scanned, complete) = (judged.map(|judged| judged.scanned), judged.map(|judged| judged.complete));
        Total { total: total.count, sum: self.sum(total), scanned, complete }
    }

    pub(super) fn facet(self, field: String, Top { values, others, without }: Top) -> FacetAnswer {
        FacetAnswer { field, values: self.values(values), rest: self.rest(others, without) }
    }

    pub(super) fn values(self, values: Vec<Counted>) -> Vec<ValueAnswer> {
        values.into_iter().map(|counted| self.value(counted)).collect()
    }

    pub(super) fn others(self, Others { values, amount }: Others) -> OthersAnswer {
        OthersAnswer { values, amount: self.amount(amount) }
    }

    pub(super) fn bucket(self, (time, amount): (Timestamp, Amount)) -> BucketAnswer {
        BucketAnswer { time, amount: self.amount(amount) }
    }

    pub(super) fn split(self, field: String, Split { top, amounts, others, without }: Split) -> SplitAnswer {
        let values = top.values.into_iter().zip(amounts);
        SplitAnswer {
            field,
            values: values.map(|(counted, amounts)| self.series(self.value(counted), &amounts)).collect(),
            others: self.series(self.others(top.others), &others),
            without: self.series(self.amount(top.without), &without),
        }
    }

    pub(super) fn top(self, of: Total, by: Vec<String>, Top { values, others, without }: Top) -> TopAnswer {
        let pair = |Counted { values, amount }| PairAnswer { values, amount: self.amount(amount) };
        TopAnswer { of, by, pairs: values.into_iter().map(pair).collect(), rest: self.rest(others, without) }
    }

    fn value(self, Counted { values, amount }: Counted) -> ValueAnswer {
        ValueAnswer { value: values.into_iter().next().unwrap_or_default(), amount: self.amount(amount) }
    }

    fn rest(self, others: Others, without: Amount) -> RestAnswer {
        RestAnswer { others: self.others(others), without: without.count, without_sum: self.sum(without) }
    }

    fn series<T>(self, of: T, amounts: &[Amount]) -> SeriesAnswer<T> {
        let sums = || amounts.iter().map(|amount| amount.sum).collect();
        SeriesAnswer { of, counts: amounts.iter().map(|amount| amount.count).collect(), sums: self.has_sums.then(sums) }
    }

    fn amount(self, amount: Amount) -> AmountAnswer {
        AmountAnswer { count: amount.count, sum: self.sum(amount) }
    }

    fn sum(self, amount: Amount) -> Option<u128> {
        self.has_sums.then_some(amount.sum)
    }
}
