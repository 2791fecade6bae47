//! A filter over what a stream of events brings: audit events, traffic reports or both.

use super::audit::Audit;
use super::compile::{Filter, Node, node};
use super::expression::{Expression, Term};
use super::family::Family;
use super::mistake::{Mistake, Problem};
use super::traffic::Traffic;
use crate::audit;
use crate::traffic::Report;

/// What is wanted of a stream of events. It stands for long, so times in it are never relative to now.
#[derive(Clone, Debug, PartialEq)]
pub struct StreamFilter {
    audit: Filter<Audit>,
    traffic: Filter<Traffic>,
}

impl StreamFilter {
    /// What a text asks of a stream that brings these families. A term that only one of two families can be asked holds
    /// for no event of the other.
    ///
    /// # Errors
    /// When the text is no expression, or a term can be asked of neither.
    pub fn new(text: &str, has_audit: bool, has_traffic: bool) -> Result<Self, Mistake> {
        let expression: Expression = text.parse()?;
        Ok(Self {
            audit: one_of::<Audit, Traffic>(&expression, has_audit, has_traffic)?,
            traffic: one_of::<Traffic, Audit>(&expression, has_traffic, has_audit)?,
        })
    }

    /// Whether an audit event is wanted.
    #[must_use]
    pub fn matches_audit(&self, event: &audit::Event) -> bool {
        self.audit.matches(event)
    }

    /// Whether a traffic report is wanted.
    #[must_use]
    pub fn matches_traffic(&self, report: &Report) -> bool {
        self.traffic.matches_report(report)
    }
}

/// What is asked of one family, next to another one.
fn one_of<F: Family, Other: Family>(
    expression: &Expression,
    is_there: bool,
    is_other_there: bool,
) -> Result<Filter<F>, Mistake> {
    let nothing = || Node::Any(Vec::new());
    Filter::with(expression, &|term: &Term| {
        if !is_there {
            return Ok(nothing());
        }
        node::<F>(term, None).or_else(|mistake| match node::<Other>(term, None) {
            Ok(_) if is_other_there => Ok(nothing()),
            // The family that has the field, or one like it, knows better what is wrong.
            Err(other) if is_other_there && knows_more(&other.problem, &mistake.problem) => Err(other),
            Ok(_) | Err(_) => Err(mistake),
        })
    })
}

fn knows_more(one: &Problem, other: &Problem) -> bool {
    match (one, other) {
        (Problem::UnknownField { nearest, .. }, Problem::UnknownField { nearest: None, .. }) => nearest.is_some(),
        (Problem::UnknownField { .. }, _) => false,
        (_, other) => matches!(other, Problem::UnknownField { .. }),
    }
}
