//! One page of a list, newest first.

use model::log::AccountId;
use model::paging::{Page, Rows};
use segments::Row;
use serde::{Deserialize, Serialize};

use super::columns::{self, Selected};
use super::family::Family;
use crate::error::Error;
use crate::question::{Question, Views};
use crate::view::View;
use crate::watch::{Seen, Watch, given};

/// Rows of a family, newest first.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(bound = "")]
pub struct List<F: Family> {
    /// From the token; never from a body or a parameter.
    pub account: AccountId,
    /// Which of the account's rows.
    pub filter: F::Filter,
    /// Which part of them.
    pub page: Page,
}

impl<F: Family> Question for List<F> {
    type Answer = Rows<F::Shown>;
    const PATH: &'static str = F::LIST;
    const WATCH: Option<Watch<Self, Self::Answer>> =
        Some(Watch { log: F::LOG, filter: |question| given(&question.filter), seen: Seen::page });

    fn view(&self) -> View {
        F::VIEW
    }

    fn account(&self) -> Option<&AccountId> {
        Some(&self.account)
    }

    fn answers_inline(&self, views: &Views) -> bool {
        columns::answers_inline::<F>(views, &self.account, &self.filter, &self.page)
    }

    fn answer(&self, views: &Views) -> Result<Self::Answer, Error> {
        let listed = Selected::of::<F>(views, &self.account, &self.filter)?.list(&self.page, F::id_in_table)?;
        let last: Option<&Row> = listed.rows.last().filter(|_| listed.has_more);
        // Before names are filled in, which may need other views: a position is the row's own.
        let next = last.map(F::position).transpose()?;
        Ok(Rows { rows: F::show(views, &self.account, listed.rows)?, total: listed.total, next })
    }
}
