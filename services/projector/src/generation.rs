//! One generation of one view, and what it is being written for.

use std::collections::BTreeMap;
use std::sync::Arc;

use bus::Bus;
use model::log::Stream;
use views::store::Store;
use views::{Slot, View};

use crate::ignored::Named;
use crate::log_watch::LogWatch;
use crate::rebuild;
use crate::view_metrics::ViewMetrics;

/// One generation of one view.
pub(crate) struct Generation {
    pub(crate) view: View,
    pub(crate) store: Arc<Store>,
    pub(crate) bus: Bus,
    pub(crate) purpose: Purpose,
    pub(crate) view_metrics: ViewMetrics,
    /// Where it notes what it did not find in the log.
    pub(crate) log_watch: LogWatch,
    /// What was named already of what it does not keep.
    pub(crate) named: Named,
}

/// What a generation is being written for.
#[derive(Clone)]
pub(crate) enum Purpose {
    /// It is read now: what was done is observed, what cannot be read becomes a dead letter.
    Live(Slot),
    /// It is being rebuilt up to these sequences. Its dead letters were written when it was first projected.
    Rebuild(Sequences, rebuild::Watch),
}

/// A sequence for each stream.
pub(crate) type Sequences = BTreeMap<Stream, u64>;
