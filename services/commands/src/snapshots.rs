//! States as they were when they were loaded last: the next command reads what has happened since.
//!
//! Invariant: a snapshot is the fold of the log up to its sequence. Where the log turns out to hold something else, it is
//! forgotten, and the next command reads everything.

use std::collections::HashMap;
use std::fmt::Display;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// How many are kept. A configuration is at most 64 KiB as it is sent, and a roster of searches 100 KiB, so they are a few MB.
const KEPT: usize = 64;

/// A state as the log tells it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Loaded<S> {
    pub(crate) state: S,
    /// The sequence of its last event; 0: there is none.
    pub(crate) last: u64,
}

/// What was loaded last, by what it is of: a subject, or an account. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Snapshots<S>(Arc<Mutex<HashMap<String, Loaded<S>>>>);

impl<S> Default for Snapshots<S> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<S> Snapshots<S> {
    /// Takes one out: a load that fails half-way leaves none.
    pub(crate) fn take(&self, of: &impl Display) -> Option<Loaded<S>> {
        self.lock().remove(&of.to_string())
    }

    /// Keeps one; of too many, any other goes.
    pub(crate) fn keep(&self, of: &impl Display, loaded: Loaded<S>) {
        let mut kept = self.lock();
        if kept.len() >= KEPT {
            let any = kept.keys().next().cloned();
            any.and_then(|any| kept.remove(&any));
        }
        kept.insert(of.to_string(), loaded);
    }

    pub(crate) fn forget(&self, of: &impl Display) {
        self.lock().remove(&of.to_string());
    }

    /// A map is whole after every step, whoever panicked in between.
    fn lock(&self) -> MutexGuard<'_, HashMap<String, Loaded<S>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
