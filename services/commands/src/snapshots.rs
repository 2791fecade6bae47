//! Integrations as they were when they were loaded last: the next command reads what has happened since.
//!
//! Invariant: a snapshot is the fold of the log up to its sequence. Where the log turns out to hold something else, it is
//! forgotten, and the next command reads everything.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use model::integration::Integration;
use model::log::Subject;

/// How many are kept. A configuration is at most 64 KiB as it is sent, so they are a few MB.
const KEPT: usize = 64;

/// An integration as the log tells it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Loaded {
    pub(crate) state: Integration,
    /// The sequence of its last event; 0: there is none.
    pub(crate) last: u64,
}

/// What was loaded last, by subject. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub(crate) struct Snapshots(Arc<Mutex<HashMap<String, Loaded>>>);

impl Snapshots {
    /// Takes one out: a load that fails half-way leaves none.
    pub(crate) fn take(&self, subject: &Subject) -> Option<Loaded> {
        self.lock().remove(&subject.to_string())
    }

    /// Keeps one; of too many, any other goes.
    pub(crate) fn keep(&self, subject: &Subject, loaded: Loaded) {
        let mut kept = self.lock();
        if kept.len() >= KEPT {
            let any = kept.keys().next().cloned();
            any.and_then(|any| kept.remove(&any));
        }
        kept.insert(subject.to_string(), loaded);
    }

    pub(crate) fn forget(&self, subject: &Subject) {
        self.lock().remove(&subject.to_string());
    }

    /// A map is whole after every step, whoever panicked in between.
    fn lock(&self) -> MutexGuard<'_, HashMap<String, Loaded>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
