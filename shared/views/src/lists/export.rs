//! All rows of a list as they were at one moment, some at a time: one question begins, further ones go on.
//!
//! Invariants: what is kept between two questions has a bound, whatever is asked for; an export that nobody goes on with is
//! forgotten.

use model::filter::Query;
use model::log::AccountId;
use segments::Row;
use serde::{Deserialize, Serialize};

use super::columns::Selected;
use super::family::Family;
use crate::error::Error;
use crate::exports::{Key, UnderWay};
use crate::question::{Question, Views};
use crate::view::View;
use crate::watch::Watch;

/// About how many bytes of rows are given at once; a block of rows more at most.
const GIVEN_BYTES: usize = 256 << 10;
/// How many rows are looked at for that, where few of them are wanted.
const LOOKED_AT_ROWS: usize = 16_384;

/// The next rows of an export, newest first. All of its questions are the same but for the step.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(bound = "")]
pub struct Export<F: Family> {
    /// From the token; never from a body or a parameter.
    pub account: AccountId,
    /// What it is known by, made up by who begins it; no other export's.
    pub id: String,
    /// Which of the account's rows.
    pub filter: F::Filter,
    /// What else they must be, in the language.
    pub q: Option<Query<F::Language>>,
    /// What to do.
    pub step: Step,
}

/// What is done about an export.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// It begins: the rows are those that there are now.
    Begin,
    /// It goes on.
    Next,
    /// It ends, before its last row or behind it.
    End,
}

/// Rows of an export.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Exported<S> {
    /// The next rows; there may be none though more follow.
    pub rows: Vec<S>,
    /// Whether these are the last ones.
    pub is_last: bool,
}

impl<F: Family> Question for Export<F> {
    /// None: there is no such export, or there are too many.
    type Answer = Option<Exported<F::Shown>>;
    const PATH: &'static str = F::EXPORT;
    // It takes many questions: who asks them records the reading.
    const WATCH: Option<Watch<Self, Self::Answer>> = None;

    fn view(&self) -> View {
        F::VIEW
    }

    fn account(&self) -> Option<&AccountId> {
        Some(&self.account)
    }

    fn answer(&self, views: &Views) -> Result<Self::Answer, Error> {
        let exports = views.exports();
        let under_way = match self.step {
            Step::Begin => exports.has_room().then(|| self.begin(views)).transpose()?,
            Step::Next => exports.take(&self.key()).filter(|under_way| under_way.scan.renew()),
            Step::End => {
                exports.take(&self.key());
                None
            }
        };
        let Some(mut under_way) = under_way else { return Ok(None) };
        let exported = self.next(views, &mut under_way)?;
        if !exported.is_last {
            exports.keep(self.key(), under_way);
        }
        Ok(Some(exported))
    }
}

impl<F: Family> Export<F> {
    fn key(&self) -> Key {
        (F::EXPORT, self.account.clone(), self.id.clone())
    }

    fn begin(&self, views: &Views) -> Result<UnderWay, Error> {
        let selected = Selected::asked::<F>(views, &self.account, &self.filter, self.q.as_ref())?;
        let is_open = selected.leaves_rows_open();
        let (store, scan) = selected.scan()?;
        Ok(UnderWay { store, scan, is_open })
    }

    fn next(&self, views: &Views, under_way: &mut UnderWay) -> Result<Exported<F::Shown>, Error> {
        let (mut wanted, mut bytes, mut looked_at) = (Vec::new(), 0, 0);
        let judging = self.q.as_ref().filter(|_| under_way.is_open);
        while bytes < GIVEN_BYTES && looked_at < LOOKED_AT_ROWS {
            let rows = under_way.scan.read()?;
            if rows.is_empty() {
                return Ok(Exported { rows: wanted, is_last: true });
            }
            looked_at += rows.len();
            let size: usize = rows.iter().map(length).sum();
            let (found, shown) = (rows.len(), F::show(views, &self.account, rows)?);
            let before = wanted.len();
            for row in shown {
                if judging.map_or(Ok(true), |query| F::wants(query.filter(), &row))? {
                    wanted.push(row);
                }
            }
            bytes += size / found * (wanted.len() - before);
        }
        Ok(Exported { rows: wanted, is_last: false })
    }
}

/// About how many bytes a row has.
fn length(row: &Row) -> usize {
    row.rest.len() + row.symbols.iter().map(|symbol| symbol.len()).sum::<usize>()
}
