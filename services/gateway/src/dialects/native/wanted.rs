//! What of an account's events someone wants who reads them out of the log.

use model::filter::Query;
use tracing::error;
use views::lists::List;

use crate::dialects::native::events::Listed;

/// What one who reads the log wants of it.
pub(super) struct Wanted<F: Listed> {
    pub(super) q: Option<Query<F::Language>>,
    pub(super) with_reads: bool,
}

impl<F: Listed> Wanted<F> {
    /// What a list would show of all times: records of reads as there, where they are asked for.
    pub(super) fn of(list: &List<F>) -> Self {
        let beside = |q: &Query<F::Language>| F::wants_reads(&F::beside(&list.filter, q.filter()));
        let with_reads = list.q.as_ref().map_or_else(|| F::wants_reads(&list.filter), beside);
        Self { q: list.q.clone(), with_reads }
    }

    /// Whether it is one of these.
    pub(super) fn has(&self, shown: &F::Shown) -> bool {
        if !self.with_reads && F::is_read(shown) {
            return false;
        }
        self.q.as_ref().is_none_or(|query| {
            F::wants(query.filter(), shown).unwrap_or_else(|error| {
                error!(%error, "an event of the log cannot be judged");
                false
            })
        })
    }
}
