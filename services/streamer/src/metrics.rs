//! What Prometheus is shown of deliveries: how each stands and what it did, for as long as its integration is there.
//!
//! Invariant: what a worker knows is shown as it is at that moment; how far behind it is has to be asked of the log, so
//! that is looked for at most every few seconds, and shown only while it is fresh.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bus::LoadError;
use futures_util::{StreamExt, stream};
use model::delivery::{Shown, State};
use model::log::Stream;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};
use runtime::metrics::{Audience, Source};
use tokio::time::Instant;
use tracing::debug;

use crate::desired::Desired;
use crate::live::{IntegrationId, LiveDeliveries, LiveDelivery};
use crate::receiver::Receivers;
use crate::{journal, status};

/// The log is not asked again within this time.
const LOOKS_EVERY: Duration = Duration::from_secs(5);
/// What was found is not shown for longer.
const FRESH_FOR: Duration = Duration::from_secs(60);
/// How many deliveries are looked at side by side.
const AT_ONCE: usize = 8;

/// The metrics of all deliveries of this process.
pub(crate) struct DeliveryMetrics {
    receivers: Receivers,
    live: LiveDeliveries,
    found: Mutex<HashMap<IntegrationId, Found>>,
    /// When all were looked at last. Held while looking, so that two do not look at once.
    looked_at: tokio::sync::Mutex<Option<Instant>>,
}

/// What the log says of a delivery.
#[derive(Clone, Debug)]
struct Found {
    at: Instant,
    state: State,
    lag_events: u64,
    lag_seconds: u64,
}

impl DeliveryMetrics {
    pub(crate) fn new(receivers: Receivers, live: LiveDeliveries) -> Arc<Self> {
        Arc::new(Self { receivers, live, found: Mutex::default(), looked_at: tokio::sync::Mutex::default() })
    }

    async fn look_at_all(&self) {
        let mut looked_at = self.looked_at.lock().await;
        if looked_at.is_some_and(|at| at.elapsed() < LOOKS_EVERY) {
            return;
        }
        let all = self.live.all();
        self.found
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .retain(|key, _| all.iter().any(|(kept, _)| kept == key));
        let mut ends = BTreeMap::new();
        for delivered in [Stream::Audit, Stream::Integration, Stream::Access, Stream::Traffic] {
            match self.receivers.bus.state(delivered).await {
                Ok(state) => ends.insert(delivered, state.last_sequence),
                Err(failure) => return debug!(%failure, "how far behind deliveries are is not known"),
            };
        }
        let ends = &ends;
        let looks = stream::iter(all).map(|(integration, delivery)| async move {
            match self.find(&integration, &delivery, ends).await {
                Ok(Some(found)) => {
                    self.found.lock().unwrap_or_else(PoisonError::into_inner).insert(integration, found);
                }
                Ok(None) => {}
                Err(failure) => debug!(%failure, "how far behind a delivery is is not known"),
            }
        });
        looks.buffer_unordered(AT_ONCE).collect::<Vec<()>>().await;
        *looked_at = Some(Instant::now());
    }

    async fn find(
        &self,
        integration: &IntegrationId,
        delivery: &LiveDelivery,
        ends: &BTreeMap<Stream, u64>,
    ) -> Result<Option<Found>, LoadError> {
        let Some(desired) = delivery.desired() else { return Ok(None) };
        let (IntegrationId { account, id }, receivers) = (integration, &self.receivers);
        let mut state = match delivery.state().state {
            Some(state) => state,
            None => journal::last_state(&receivers.bus, account, *id).await?.unwrap_or_default(),
        };
        let whole = state.clone();
        // Nothing has to be asked about a stream that it has read to its end.
        state.next.retain(|stream, next| ends.get(stream).is_some_and(|end| *end >= next.sequence));
        let now = receivers.clock.now_micros();
        let behind = status::positions(&receivers.bus, account, &desired, &state, now).await?;
        Ok(Some(Found {
            at: Instant::now(),
            state: whole,
            lag_events: behind.values().map(|position| position.lag_events).sum(),
            lag_seconds: behind.values().map(|position| position.lag_seconds).max().unwrap_or_default(),
        }))
    }

    fn rows(&self, audience: Audience<'_>) -> Vec<Row> {
        let found = self.found.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let all =
            self.live.all().into_iter().filter(|(integration, _)| audience.includes(integration.account.as_str()));
        let row = |(integration, delivery): (IntegrationId, LiveDelivery)| {
            Row::new(&integration, &delivery, &delivery.desired()?, found.get(&integration))
        };
        let mut rows: Vec<Row> = all.filter_map(row).collect();
        rows.sort_by(|one, other| {
            (&one.labels.account, one.labels.integration).cmp(&(&other.labels.account, other.labels.integration))
        });
        rows
    }
}

impl Source for DeliveryMetrics {
    fn look(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(self.look_at_all())
    }

    fn add_to(&self, registry: &mut Registry, audience: Audience<'_>) {
        registry.register_collector(Box::new(Rows(self.rows(audience))));
    }
}

/// What is shown of every delivery.
#[derive(Debug)]
struct Rows(Vec<Row>);

/// What is shown of one delivery.
#[derive(Debug)]
struct Row {
    labels: Labels,
    shown: Shown,
    delivered: u64,
    passed_over: u64,
    failed: u64,
    dead_lettered: u64,
    /// Seconds since 1970.
    last_success: Option<f64>,
    lag: Option<(u64, u64)>,
    attempts: Histogram,
}

#[derive(Clone, Debug, EncodeLabelSet)]
struct Labels {
    account: String,
    integration: u64,
    platform: &'static str,
}

#[derive(Clone, Debug, EncodeLabelSet)]
struct InState {
    account: String,
    integration: u64,
    platform: &'static str,
    state: &'static str,
}

impl Row {
    /// None: nothing is known of it yet.
    fn new(
        integration: &IntegrationId,
        delivery: &LiveDelivery,
        desired: &Desired,
        found: Option<&Found>,
    ) -> Option<Self> {
        let IntegrationId { account, id } = integration;
        let state = delivery.state().state.or_else(|| found.map(|found| found.state.clone()))?;
        let found = found.filter(|found| found.at.elapsed() < FRESH_FOR);
        let platform = desired.current.platform.name();
        Some(Self {
            labels: Labels { account: account.as_str().to_owned(), integration: *id, platform },
            shown: status::shown(desired, &state).0,
            delivered: state.delivered,
            passed_over: state.passed_over,
            failed: state.failed,
            dead_lettered: state.dead_lettered,
            last_success: state.last_success.map(|time| time.micros() as f64 / 1e6),
            lag: found.map(|found| (found.lag_events, found.lag_seconds)),
            attempts: delivery.attempts(),
        })
    }
}

impl Collector for Rows {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let out = &mut encoder;
        let counter = |number: u64| Some(ConstCounter::new(number));
        let gauge = |number: u64| ConstGauge::new(i64::try_from(number).unwrap_or(i64::MAX));
        self.write(out, ("delivery_events", "Events that the receiver took", None), |row| counter(row.delivered))?;
        let help = "Events that were not wanted: by the filter, or because they record reads";
        self.write(out, ("delivery_events_passed_over", help, None), |row| counter(row.passed_over))?;
        self.write(out, ("delivery_failed_attempts", "Attempts that failed", None), |row| counter(row.failed))?;
        let help = "Events that the receiver refused for good";
        self.write(out, ("delivery_dead_letters", help, None), |row| counter(row.dead_lettered))?;
        let help = "Messages of the log that wait; one can hold many events";
        self.write(out, ("delivery_lag_messages", help, None), |row| row.lag.map(|(messages, _)| gauge(messages)))?;
        let (help, seconds) = ("How long the oldest message that waits has waited", Some(&Unit::Seconds));
        self.write(out, ("delivery_lag", help, seconds), |row| row.lag.map(|(_, seconds)| gauge(seconds)))?;
        let help = "When the receiver last took something, since 1970";
        let name = ("delivery_last_success_timestamp", help, seconds);
        self.write(out, name, |row| row.last_success.map(ConstGauge::new))?;
        let help = "How long attempts took; one can be several requests";
        self.write(out, ("delivery_attempt_duration", help, seconds), |row| Some(row.attempts.clone()))?;
        self.write_states(out)
    }
}

impl Rows {
    /// Writes one metric of every row that has it.
    fn write<M: EncodeMetric>(
        &self,
        encoder: &mut DescriptorEncoder<'_>,
        (name, help, unit): (&str, &str, Option<&Unit>),
        of: impl Fn(&Row) -> Option<M>,
    ) -> fmt::Result {
        let values: Vec<(&Labels, M)> = self.0.iter().filter_map(|row| Some((&row.labels, of(row)?))).collect();
        let Some((_, first)) = values.first() else { return Ok(()) };
        let mut metric = encoder.encode_descriptor(name, &format!("{help}."), unit, first.metric_type())?;
        for (labels, value) in &values {
            value.encode(metric.encode_family(*labels)?)?;
        }
        Ok(())
    }

    /// 1 for the state that a delivery is in, 0 for the others.
    fn write_states(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return Ok(());
        }
        let mut metric =
            encoder.encode_descriptor("delivery_state", "1 for the state it is in.", None, MetricType::Gauge)?;
        for row in &self.0 {
            for state in [Shown::Active, Shown::Paused, Shown::Failing, Shown::Suspended] {
                let Labels { account, integration, platform } = row.labels.clone();
                let labels = InState { account, integration, platform, state: state.name() };
                ConstGauge::new(i64::from(row.shown == state)).encode(metric.encode_family(&labels)?)?;
            }
        }
        Ok(())
    }
}
