//! Puts the streamer together: the service that answers questions, and the supervisor that delivers.

use bus::{Answering, Bus};
use feed::erasures::Erased;
use runtime::clock::Clock;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use vault::MasterKey;

use crate::error::Error;
use crate::guard::Guard;
use crate::live::LiveDeliveries;
use crate::metrics::DeliveryMetrics;
use crate::receiver::Receivers;
use crate::service;
use crate::settings::Settings;
use crate::supervisor::Supervisor;

/// Event streaming, ready to be run.
pub struct Streamer {
    answering: Answering,
    bus: Bus,
    erased: Erased,
    supervisor: Supervisor,
}

/// Begins to receive questions; [`Streamer::run`] answers them and delivers.
///
/// # Errors
/// When questions cannot be received, or the log cannot be read.
pub async fn start(
    bus: &Bus,
    master: MasterKey,
    guard: Guard,
    clock: Clock,
    settings: Settings,
) -> Result<Streamer, Error> {
    let erased = Erased::load(bus).await?;
    let receivers = Receivers { bus: bus.clone(), erased: erased.clone(), master, guard, clock };
    let live = LiveDeliveries::default();
    let answering = service::start(&receivers, &live).await?;
    settings.metrics.add(DeliveryMetrics::new(receivers.clone(), live.clone()));
    Ok(Streamer { answering, bus: bus.clone(), erased, supervisor: Supervisor::new(receivers, settings, live) })
}

impl Streamer {
    /// Delivers and answers until `stop`; then ends within a second, when the log can be reached.
    pub async fn run(self, stop: CancellationToken) {
        let mut tasks = JoinSet::new();
        tasks.spawn(self.answering.run(stop.clone()));
        let (erased, bus, stops) = (self.erased, self.bus, stop.clone());
        tasks.spawn(async move {
            stops.run_until_cancelled(erased.follow(bus)).await;
        });
        tasks.spawn(self.supervisor.run(stop));
        while tasks.join_next().await.is_some() {}
    }
}
