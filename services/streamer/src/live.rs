//! What the deliveries of this process do right now, for those who only look: the status and the metrics.
//!
//! A worker writes what it does into a watch channel and never waits for a reader.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use model::delivery::State;
use model::log::AccountId;
use prometheus_client::metrics::histogram::Histogram;
use tokio::sync::watch;
use vault::Owner;

use crate::desired::Desired;

/// Names an integration. An id alone does not: it is unique in its account only.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct IntegrationId {
    pub(crate) account: AccountId,
    pub(crate) id: u64,
}

/// What others see of a delivery while it runs.
#[derive(Clone, Debug, Default)]
pub(crate) struct LiveState {
    /// None: nothing was done yet.
    pub(crate) state: Option<State>,
    /// When the next attempt is made: microseconds since 1970.
    pub(crate) next_retry: Option<i64>,
}

/// What others see of a delivery, for as long as its integration is there.
#[derive(Clone)]
pub(crate) struct LiveDelivery {
    live: watch::Receiver<LiveState>,
    desired: watch::Receiver<Option<Desired>>,
    attempts: Histogram,
}

/// What others see of every delivery. Cheap to clone.
#[derive(Clone, Default)]
pub(crate) struct LiveDeliveries(Arc<Mutex<HashMap<IntegrationId, LiveDelivery>>>);

impl IntegrationId {
    /// The owner of its key.
    pub(crate) fn owner(&self) -> Owner<'_> {
        Owner { account: &self.account, id: self.id }
    }
}

impl LiveDelivery {
    pub(crate) fn new(
        live: watch::Receiver<LiveState>,
        desired: watch::Receiver<Option<Desired>>,
        attempts: Histogram,
    ) -> Self {
        Self { live, desired, attempts }
    }

    /// How it stands right now.
    pub(crate) fn state(&self) -> LiveState {
        self.live.borrow().clone()
    }

    /// What it is to do; none: its integration is being deleted.
    pub(crate) fn desired(&self) -> Option<Desired> {
        self.desired.borrow().clone()
    }

    /// How long its attempts took, in seconds.
    pub(crate) fn attempts(&self) -> Histogram {
        self.attempts.clone()
    }
}

impl LiveDeliveries {
    /// How a delivery stands right now; none: this process does not run it.
    pub(crate) fn of(&self, integration: &IntegrationId) -> Option<LiveState> {
        let deliveries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        deliveries.get(integration).map(LiveDelivery::state)
    }

    /// Every delivery.
    pub(crate) fn all(&self) -> Vec<(IntegrationId, LiveDelivery)> {
        let deliveries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        deliveries.iter().map(|(integration, delivery)| (integration.clone(), delivery.clone())).collect()
    }

    pub(crate) fn insert(&self, integration: IntegrationId, delivery: LiveDelivery) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(integration, delivery);
    }

    pub(crate) fn remove(&self, integration: &IntegrationId) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(integration);
    }
}
