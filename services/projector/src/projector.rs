//! The projector as a whole: a supervisor for each view, and the service that answers questions.

use std::collections::HashMap;
use std::sync::Arc;

use bus::Bus;
use runtime::metrics::Metrics;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use views::{View, Views};

use crate::error::Error;
use crate::log_watch::LogWatch;
use crate::rebuild;
use crate::service;
use crate::stream_metrics::StreamMetrics;
use crate::supervisor::Supervisor;
use crate::troubles::Troubles;
use crate::view_metrics::ViewMetrics;

/// Projects the log into `views` and answers questions about them, until `stop`. What it does is counted in `metrics`.
///
/// # Errors
/// When the log or the views' storage cannot be used at the start.
pub async fn run(views: Views, bus: Bus, metrics: Metrics, stop: CancellationToken) -> Result<(), Error> {
    let mut tasks = JoinSet::new();
    let mut rebuilds = HashMap::new();
    let view_metrics = ViewMetrics::new(views.clone());
    metrics.add(Arc::new(view_metrics.clone()));
    metrics.add(Arc::new(StreamMetrics::new(bus.clone())));
    let troubles = Troubles::default();
    metrics.add(Arc::new(troubles.clone()));
    let log_watch = LogWatch::new(bus.clone(), troubles.clone());
    for view in View::ALL {
        let (orders, inbox) = mpsc::channel(1);
        let progress = rebuild::Watch::default();
        rebuilds.insert(view, rebuild::Handle::new(orders, progress.subscribe()));
        let supervisor = Supervisor {
            slot: views.slot(view).clone(),
            bus: bus.clone(),
            progress,
            view_metrics: view_metrics.clone(),
            log_watch: log_watch.clone(),
        };
        tasks.spawn(supervisor.run(inbox, stop.child_token()));
    }
    let answering = service::start(&bus, &views, rebuilds, troubles).await?;
    let watch_stop = stop.child_token();
    tasks.spawn(async move {
        log_watch.run(watch_stop).await;
        Ok(())
    });
    let service_stop = stop.child_token();
    tasks.spawn(async move {
        answering.run(service_stop).await;
        Ok(())
    });
    while let Some(ended) = tasks.join_next().await {
        if let Err(error) = ended.map_err(Error::from).flatten() {
            stop.cancel();
            return Err(error);
        }
    }
    for view in View::ALL {
        views.slot(view).store().flush().map_err(|cause| Error::View { view, cause })?;
    }
    Ok(())
}
