//! What the witness and the recorder have in common: what is only counted until the recorder sums it up.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use model::log::AccountId;

use super::repeats::Repeats;

#[derive(Debug, Default)]
pub(super) struct Shared {
    denials: Mutex<Repeats>,
    /// How many records of each account there was no room for.
    unrecorded: Mutex<BTreeMap<AccountId, u64>>,
}

impl Shared {
    pub(super) fn denials(&self) -> MutexGuard<'_, Repeats> {
        locked(&self.denials)
    }

    pub(super) fn unrecorded(&self) -> MutexGuard<'_, BTreeMap<AccountId, u64>> {
        locked(&self.unrecorded)
    }
}

/// What is guarded here is right after every single step, so a panic elsewhere does no harm to it.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
