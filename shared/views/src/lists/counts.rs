//! Counts of rows: by value and by time.

use std::num::NonZeroU32;

use model::log::AccountId;
use model::time::Timestamp;
use serde::{Deserialize, Serialize};

use super::columns::Selected;
use super::family::Family;
use crate::error::Error;
use crate::question::{Question, Views};
use crate::view::View;
use crate::watch::{Seen, Watch, given};

/// How many rows match, by value of a facet, the most frequent first. What has no value counts as the empty text.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(bound = "")]
pub struct CountByValue<F: Family> {
    /// From the token; never from a body or a parameter.
    pub account: AccountId,
    /// Which of the account's rows.
    pub filter: F::Filter,
    /// What they are counted by.
    pub facet: F::Facet,
}

impl<F: Family> Question for CountByValue<F> {
    type Answer = Vec<(String, u64)>;
    const PATH: &'static str = F::COUNT_BY_VALUE;
    const WATCH: Option<Watch<Self, Self::Answer>> =
        Some(Watch { log: F::LOG, filter: |question| given(&question.filter), seen: |counts| Seen::all(counts.len()) });

    fn view(&self) -> View {
        F::VIEW
    }

    fn account(&self) -> Option<&AccountId> {
        Some(&self.account)
    }

    fn answer(&self, views: &Views) -> Result<Self::Answer, Error> {
        let selected = Selected::of::<F>(views, &self.account, &self.filter)?;
        selected.count_by_value(F::column(self.facet), |symbol| F::value(self.facet, symbol))
    }
}

/// How many rows match in each stretch of time, in order; empty stretches are left out.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(bound = "")]
pub struct CountByTime<F: Family> {
    /// From the token; never from a body or a parameter.
    pub account: AccountId,
    /// Which of the account's rows.
    pub filter: F::Filter,
    /// The length of a stretch, in seconds. Stretches start at multiples of it since 1970.
    pub seconds: NonZeroU32,
}

impl<F: Family> Question for CountByTime<F> {
    type Answer = Vec<(Timestamp, u64)>;
    const PATH: &'static str = F::COUNT_BY_TIME;
    const WATCH: Option<Watch<Self, Self::Answer>> =
        Some(Watch { log: F::LOG, filter: |question| given(&question.filter), seen: |counts| Seen::all(counts.len()) });

    fn view(&self) -> View {
        F::VIEW
    }

    fn account(&self) -> Option<&AccountId> {
        Some(&self.account)
    }

    fn answer(&self, views: &Views) -> Result<Self::Answer, Error> {
        Selected::of::<F>(views, &self.account, &self.filter)?.count_by_time(self.seconds)
    }
}
