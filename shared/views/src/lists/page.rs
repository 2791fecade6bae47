//! One page of a list.

use model::filter::Query;
use model::log::AccountId;
use model::paging::{Page, Rows};
use serde::{Deserialize, Serialize};

use super::columns::{self, Selected};
use super::family::Family;
use crate::error::Error;
use crate::question::{Question, Views};
use crate::view::View;
use crate::watch::{Seen, Watch, given};

/// Rows of a family, one page of them.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(bound = "")]
pub struct List<F: Family> {
    /// From the token; never from a body or a parameter.
    pub account: AccountId,
    /// Which of the account's rows.
    pub filter: F::Filter,
    /// What else they must be, in the language.
    pub q: Option<Query<F::Language>>,
    /// Which part of them.
    pub page: Page,
}

/// What a list is asked for, but for the page: what is recorded, and what a cursor is bound to.
#[derive(Debug, Serialize)]
#[serde(bound = "")]
pub struct Selection<'a, F: Family> {
    #[serde(flatten)]
    filter: &'a F::Filter,
    /// As it was written: times in it may be relative.
    #[serde(skip_serializing_if = "Option::is_none")]
    q: Option<&'a str>,
}

impl<'a, F: Family> Selection<'a, F> {
    pub(crate) fn new(filter: &'a F::Filter, q: Option<&'a Query<F::Language>>) -> Self {
        Self { filter, q: q.map(Query::text) }
    }
}

impl<F: Family> List<F> {
    /// What it is asked for, but for the page.
    #[must_use]
    pub fn selection(&self) -> Selection<'_, F> {
        Selection::new(&self.filter, self.q.as_ref())
    }
}

impl<F: Family> Question for List<F> {
    type Answer = Rows<F::Shown>;
    const PATH: &'static str = F::LIST;
    const WATCH: Option<Watch<Self, Self::Answer>> =
        Some(Watch { log: F::LOG, filter: |question| given(&question.selection()), seen: Seen::page });

    fn view(&self) -> View {
        F::VIEW
    }

    fn account(&self) -> Option<&AccountId> {
        Some(&self.account)
    }

    fn answers_inline(&self, views: &Views) -> bool {
        self.q.is_none() && columns::answers_inline::<F>(views, &self.account, &self.filter, &self.page)
    }

    fn answer(&self, views: &Views) -> Result<Self::Answer, Error> {
        let (account, q) = (&self.account, self.q.as_ref());
        let selected = Selected::asked::<F>(views, account, &self.filter, q)?;
        let listed = selected.list(&self.page, F::id_in_table, &|rows| columns::judge::<F>(views, account, q, rows))?;
        // Before names are filled in, which may need other views: a position is the row's own.
        let next = listed.last.as_ref().map(F::position).transpose()?;
        let rows = F::show(views, account, listed.rows)?;
        Ok(Rows { rows, total: listed.total, next, judged: listed.judged })
    }
}
