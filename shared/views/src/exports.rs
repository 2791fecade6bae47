//! Exports that are under way, between two questions about each.
//!
//! Invariant: there is a bound on how many there are, and one that nobody goes on with is forgotten.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use model::log::AccountId;
use segments::Scan;

use crate::store::Store;

/// How many may be under way in a process.
const MAX_EXPORTS: usize = 256;

/// Of which list, of which account, and by which id.
pub(crate) type Key = (&'static str, AccountId, String);

/// The exports of a process.
#[derive(Debug, Default)]
pub(crate) struct Exports(Mutex<HashMap<Key, UnderWay>>);

/// One of them.
#[derive(Debug)]
pub(crate) struct UnderWay {
    pub(crate) scan: Scan,
    /// Whether there are rows of which columns do not know enough, so that each is judged.
    pub(crate) is_open: bool,
    /// Its files stay as long as this is there, also where the view is computed again meanwhile.
    #[expect(dead_code, reason = "it is there to be held")]
    pub(crate) store: Arc<Store>,
}

impl Exports {
    /// Whether another one may begin. Those that cannot go on are forgotten.
    pub(crate) fn has_room(&self) -> bool {
        let mut exports = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        exports.retain(|_, under_way| under_way.scan.is_held());
        exports.len() < MAX_EXPORTS
    }

    /// Takes one out, so that nobody else goes on with it.
    pub(crate) fn take(&self, key: &Key) -> Option<UnderWay> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(key)
    }

    /// Keeps one until it is taken.
    pub(crate) fn keep(&self, key: Key, under_way: UnderWay) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(key, under_way);
    }
}
