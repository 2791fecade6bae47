//! Flows: records of several reporters as one.
//!
//! What is one flow is found when it is asked for, among the records that match, as they are at one moment. So nothing is
//! stored for it, and there is a bound on how many records may match.

use model::filter::{Query, Traffic as Language};
use model::log::AccountId;
use model::paging::{Order, Page, RowPosition, Rows, Start};
use model::traffic::Filter;
use segments::Row;
use serde::{Deserialize, Serialize};

use super::traffic::together::{Together, take_in, together};
use super::traffic::{Stored, Traffic, VIEW};
use crate::error::Error;
use crate::lists::columns::{self, Selected};
use crate::lists::{Family, Selection};
use crate::question::{Question, Views};
use crate::view::View;
use crate::watch::{Log, Seen, Watch, given};

/// Flows, one page of them. Of all records that match, those that different reporters have of one flow are one row, which
/// stands where the earliest of them would.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Flows {
    /// From the token; never from a body or a parameter.
    pub account: AccountId,
    /// Which of the account's records. A flow is made of those alone that match.
    pub filter: Filter,
    /// What else they must be, in the language.
    pub q: Option<Query<Language>>,
    /// Which part of them.
    pub page: Page,
}

/// A flow.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Flow {
    /// The earliest record of it, with what any reporter counted.
    pub record: Stored,
    /// Who reported it, in the order of their records: at least one.
    pub reporters: Vec<String>,
}

impl Question for Flows {
    /// None: more records match than are put together.
    type Answer = Option<Rows<Flow>>;
    const PATH: &'static str = "traffic.flows";
    const WATCH: Option<Watch<Self, Self::Answer>> = Some(Watch {
        log: Log::Traffic,
        filter: |question| given(&Selection::<Traffic>::new(&question.filter, question.q.as_ref())),
        seen: |answer| answer.as_ref().map_or(Seen::all(0), Seen::page),
    });

    fn view(&self) -> View {
        VIEW
    }

    fn account(&self) -> Option<&AccountId> {
        Some(&self.account)
    }

    fn answer(&self, views: &Views) -> Result<Self::Answer, Error> {
        let (account, q) = (&self.account, self.q.as_ref());
        let selected = Selected::asked::<Traffic>(views, account, &self.filter, q)?;
        let judge = |rows| columns::judge::<Traffic>(views, account, q, rows);
        let Some((mut rows, looked_at)) = selected.all(&judge)? else { return Ok(None) };
        rows.reverse();
        let Together { positions, flows } = together(rows.iter())?;
        let position = |flow: &Vec<usize>| &positions[flow[0]];
        let (page, has_more) = part(&flows, &self.page, position);
        let next = page.last().filter(|_| has_more).map(|last| position(last).clone());
        let shown = page.iter().map(|flow| shown(views, account, &rows, flow)).collect::<Result<_, _>>()?;
        let judged = columns::judged(looked_at, true);
        Ok(Some(Rows { rows: shown, total: flows.len() as u64, next, judged }))
    }
}

/// The flows of a page in its order, and whether more follow.
fn part<'a, 'p>(
    flows: &'a [Vec<usize>],
    Page { start, limit, order }: &Page,
    position: impl Fn(&Vec<usize>) -> &'p RowPosition,
) -> (Vec<&'a Vec<usize>>, bool) {
    let mut in_order: Vec<&Vec<usize>> = flows.iter().collect();
    if *order == Order::NewestFirst {
        in_order.reverse();
    }
    let skip = match start {
        Start::Offset(offset) => usize::try_from(*offset).unwrap_or(usize::MAX),
        Start::After(start) => in_order.partition_point(|flow| match order {
            Order::NewestFirst => position(flow) >= start,
            Order::OldestFirst => position(flow) <= start,
        }),
    };
    let has_more = in_order.len().saturating_sub(skip) > *limit;
    (in_order.into_iter().skip(skip).take(*limit).collect(), has_more)
}

/// A flow as it is shown.
fn shown(views: &Views, account: &AccountId, rows: &[Row], flow: &[usize]) -> Result<Flow, Error> {
    let (first, others) = flow.split_first().ok_or(Error::Damaged("a flow"))?;
    let stored = Traffic::show(views, account, vec![rows[*first].clone()])?.pop().ok_or(Error::Damaged("a flow"))?;
    let mut record = stored.record()?.owned();
    let reporters = take_in(&mut record, others.iter().map(|other| &rows[*other]))?;
    Ok(Flow { record: record.into(), reporters })
}
