//! What is counted of the log: how much each stream holds, and from when on.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::atomic::AtomicU64;
use std::sync::{Mutex, PoisonError};

use bus::{Bus, StreamState};
use model::log::Stream;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::{Registry, Unit};
use runtime::metrics::{Audience, Source};

/// What the streams hold, as the server says when it is asked.
pub(crate) struct StreamMetrics {
    bus: Bus,
    found: Mutex<BTreeMap<&'static str, StreamState>>,
}

/// Which stream.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Of {
    stream: &'static str,
}

impl StreamMetrics {
    pub(crate) fn new(bus: Bus) -> Self {
        Self { bus, found: Mutex::default() }
    }
}

impl Source for StreamMetrics {
    fn look(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(async {
            // What was found before says nothing of a server that is away now.
            self.found.lock().unwrap_or_else(PoisonError::into_inner).clear();
            for stream in Stream::ALL {
                if let Ok(state) = self.bus.state(stream).await {
                    self.found.lock().unwrap_or_else(PoisonError::into_inner).insert(stream.name(), state);
                }
            }
        })
    }

    fn add_to(&self, registry: &mut Registry, _: Audience<'_>) {
        let of_each = |number: fn(&StreamState) -> u64| {
            let family = Family::<Of, Gauge<u64, AtomicU64>>::default();
            for (stream, state) in &*self.found.lock().unwrap_or_else(PoisonError::into_inner) {
                family.get_or_create(&Of { stream }).set(number(state));
            }
            family
        };
        let (messages, bytes) = (of_each(|state| state.messages), of_each(|state| state.bytes));
        registry.register("stream_messages", "Messages that the stream holds", messages);
        registry.register_with_unit("stream", "What they take on the server's disk", Unit::Bytes, bytes);
        let limit = Family::<Of, Gauge<u64, AtomicU64>>::default();
        for (stream, state) in &*self.found.lock().unwrap_or_else(PoisonError::into_inner) {
            if let Some(bytes) = state.retention.bytes {
                limit.get_or_create(&Of { stream }).set(bytes.get());
            }
        }
        registry.register_with_unit("stream_limit", "What they may take, where that is limited", Unit::Bytes, limit);
        let (first, last) = (of_each(|state| state.first_sequence), of_each(|state| state.last_sequence));
        registry.register("stream_first_sequence", "The sequence of the first message that it holds", first);
        registry.register("stream_last_sequence", "The last sequence that was given out", last);
        let oldest = Family::<Of, Gauge<f64, AtomicU64>>::default();
        for (stream, state) in &*self.found.lock().unwrap_or_else(PoisonError::into_inner) {
            if state.messages > 0 {
                #[expect(
                    clippy::cast_precision_loss,
                    reason = "a metric is a float, and this century has 53 bits of microseconds"
                )]
                oldest.get_or_create(&Of { stream }).set(state.first_at as f64 / 1e6);
            }
        }
        let help = "When its first message was stored, since 1970";
        registry.register_with_unit("stream_oldest_timestamp", help, Unit::Seconds, oldest);
    }
}
