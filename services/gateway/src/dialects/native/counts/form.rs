//! The answers of counts, as JSON.

use model::paging::Judged;
use model::time::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use views::lists::{Counted, Others, Split};

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
    /// How many rows were read and judged one by one for `q`; absent where none was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) scanned: Option<u64>,
    /// Whether those were all that had to be; where not, counts are of the newest that were.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) complete: Option<bool>,
}

/// The most frequent values of a field.
#[derive(Serialize, JsonSchema)]
pub(super) struct FacetAnswer {
    /// As it was asked for.
    pub(super) field: String,
    /// The most frequent first.
    pub(super) values: Vec<ValueAnswer>,
    pub(super) others: OthersAnswer,
    /// How many have no value.
    pub(super) without: u64,
}

#[derive(Serialize, JsonSchema)]
pub(super) struct ValueAnswer {
    pub(super) value: String,
    /// How many have it.
    pub(super) count: u64,
}

/// All values that are not told.
#[derive(Serialize, JsonSchema)]
pub(super) struct OthersAnswer {
    /// How many values there are.
    pub(super) values: u64,
    /// How many have one of them; who has two is counted twice.
    pub(super) count: u64,
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
    pub(super) count: u64,
}

/// The same by the values of a field. There is a count for each bucket, in their order.
#[derive(Serialize, JsonSchema)]
pub(super) struct SplitAnswer {
    /// As it was asked for.
    pub(super) field: String,
    /// The most frequent first.
    pub(super) values: Vec<SeriesAnswer>,
    pub(super) others: OtherSeriesAnswer,
    pub(super) without: WithoutAnswer,
}

#[derive(Serialize, JsonSchema)]
pub(super) struct SeriesAnswer {
    #[serde(flatten)]
    pub(super) of: ValueAnswer,
    pub(super) counts: Vec<u64>,
}

#[derive(Serialize, JsonSchema)]
pub(super) struct OtherSeriesAnswer {
    #[serde(flatten)]
    pub(super) of: OthersAnswer,
    pub(super) counts: Vec<u64>,
}

/// What has no value.
#[derive(Serialize, JsonSchema)]
pub(super) struct WithoutAnswer {
    pub(super) count: u64,
    pub(super) counts: Vec<u64>,
}

/// The most frequent pairs.
#[derive(Serialize, JsonSchema)]
pub(super) struct TopAnswer {
    #[serde(flatten)]
    pub(super) of: Total,
    /// The two fields, as they were asked for.
    pub(super) by: Vec<String>,
    /// The most frequent first.
    pub(super) pairs: Vec<PairAnswer>,
    pub(super) others: OthersAnswer,
    /// How many lack a value of one of the fields.
    pub(super) without: u64,
}

#[derive(Serialize, JsonSchema)]
pub(super) struct PairAnswer {
    /// One of each field.
    pub(super) values: Vec<String>,
    /// How many have both.
    pub(super) count: u64,
}

pub(super) fn total_of(total: u64, judged: Option<Judged>) -> Total {
    Total { total, scanned: judged.map(|judged| judged.scanned), complete: judged.map(|judged| judged.complete) }
}

pub(super) fn value(counted: Counted) -> ValueAnswer {
    ValueAnswer { value: counted.values.into_iter().next().unwrap_or_default(), count: counted.count }
}

pub(super) fn others(Others { values, count }: Others) -> OthersAnswer {
    OthersAnswer { values, count }
}

pub(super) fn series(field: String, Split { top, counts, others: other_counts, without }: Split) -> SplitAnswer {
    let values = top.values.into_iter().zip(counts);
    SplitAnswer {
        field,
        values: values.map(|(counted, counts)| SeriesAnswer { of: value(counted), counts }).collect(),
        others: OtherSeriesAnswer { of: others(top.others), counts: other_counts },
        without: WithoutAnswer { count: top.without, counts: without },
    }
}
