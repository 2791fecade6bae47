//! What is counted of the views: what is projected into each, and how far behind the log it is.

use std::sync::atomic::AtomicU64;
use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::{ConstGauge, Gauge};
use prometheus_client::registry::{Registry, Unit};
use runtime::metrics::{Audience, Source};
use views::{View, Views};

/// What is counted of the views. Cheap to clone.
#[derive(Clone)]
pub(crate) struct ViewMetrics {
    views: Views,
    projected: Family<Of, Counter>,
    dead_letters: Family<Of, Counter>,
    reports_with_ignored_members: Counter,
}

/// Which view.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Of {
    view: &'static str,
}

impl ViewMetrics {
    pub(crate) fn new(views: Views) -> Self {
        let (projected, dead_letters) = (Family::default(), Family::default());
        let metrics = Self { views, projected, dead_letters, reports_with_ignored_members: Counter::default() };
        for view in View::ALL {
            // Prometheus sees no increase in what begins above 0.
            metrics.projected(view, 0, 0);
        }
        metrics
    }

    /// Counts what a batch that is committed was made of.
    pub(crate) fn projected(&self, view: View, events: u64, letters: usize) {
        let of = Of { view: view.name() };
        self.projected.get_or_create(&of).inc_by(events);
        self.dead_letters.get_or_create(&of).inc_by(letters as u64);
    }

    /// Counts traffic reports that say more than is kept of them.
    pub(crate) fn ignored(&self, reports: u64) {
        self.reports_with_ignored_members.inc_by(reports);
    }
}

impl Source for ViewMetrics {
    fn add_to(&self, registry: &mut Registry, _: Audience<'_>) {
        let behind = Family::<Of, Gauge<f64, AtomicU64>>::default();
        let (messages, bytes) = (Family::<Of, Gauge<u64, AtomicU64>>::default(), Family::default());
        for view in View::ALL {
            let (of, slot) = (Of { view: view.name() }, self.views.slot(view));
            behind.get_or_create(&of).set(Duration::from_millis(slot.freshness().lag_ms).as_secs_f64());
            if let Ok(on_disk) = slot.store().size_on_disk() {
                Gauge::<u64, AtomicU64>::set(&bytes.get_or_create(&of), on_disk);
            }
            let pending: Option<u64> =
                slot.observed().values().map(|seen| (seen.pending != u64::MAX).then_some(seen.pending)).sum();
            if let Some(pending) = pending {
                messages.get_or_create(&of).set(pending);
            }
        }
        let beyond = views::audit::accounts_beyond(&self.views.slot(views::audit::VIEW).store()).unwrap_or_default();
        let beyond = ConstGauge::new(i64::try_from(beyond).unwrap_or(i64::MAX));
        let help = "Accounts with more types of events than the catalog names";
        registry.register("accounts_beyond_catalog", help, beyond);
        registry.register("projected_events", "Events that the view has taken in", self.projected.clone());
        let help = "Events that the view could not take in";
        registry.register("projection_dead_letters", help, self.dead_letters.clone());
        let help = "Traffic reports with members that no field holds; of a batch the first is looked at";
        let reports = self.reports_with_ignored_members.clone();
        registry.register("reports_with_ignored_members", help, reports);
        registry.register_with_unit("view_disk", "What the view takes on disk", Unit::Bytes, bytes);
        registry.register("view_lag_messages", "Messages of the log that wait", messages);
        let help = "For how long the view has not been even with the log";
        registry.register_with_unit("view_lag", help, Unit::Seconds, behind);
    }
}
