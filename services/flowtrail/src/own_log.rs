//! The log for a command that wants it for itself: nothing else of Flowtrail runs on it meanwhile.

use std::time::Duration;

use anyhow::{Context, bail};
use bus::{Access, AskError, Bus, Options};
use bytes::Bytes;
use runtime::settings::Settings;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::nats_server::NatsServer;
use crate::told_to_end::unless_told_to_end;
use crate::{client, data_folder};

/// The services of the roles that read and write the log.
const SERVICES: [&str; 3] = ["flowtrail-query", "flowtrail-command", "flowtrail-streamer"];
/// How long a service may take to say that it is there.
const PATIENCE: Duration = Duration::from_secs(5);

/// Works on the log of FLOWTRAIL_NATS_URL, else on that of the own nats-server, which runs for as long as that takes.
///
/// # Errors
/// When roles run on it, it cannot be had, or the work fails.
pub(crate) async fn alone<T>(
    settings: &Settings,
    work: impl AsyncFnOnce(&Bus) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    if settings.nats_url.is_some() {
        let bus = client::connect(settings).await?;
        check_that_nobody_runs(&bus).await?;
        return unless_told_to_end(work(&bus)).await;
    }
    let _lock = data_folder::lock(&settings.data_dir)?;
    on(NatsServer::start(settings).await?, work).await
}

/// Works on a server that was started for it, and ends it.
///
/// # Errors
/// When it cannot be connected to, or the work fails.
pub(crate) async fn on<T>(server: NatsServer, work: impl AsyncFnOnce(&Bus) -> anyhow::Result<T>) -> anyhow::Result<T> {
    let url = server.url();
    let stop = CancellationToken::new();
    let mut running = JoinSet::new();
    running.spawn(server.supervise(stop.clone()));
    let work = async {
        let options = Options { url, access: Access::default(), name: "operator".to_owned() };
        let bus = Bus::connect(&options).await.context("connect to the own nats-server")?;
        work(&bus).await
    };
    let outcome = unless_told_to_end(work).await;
    stop.cancel();
    while running.join_next().await.is_some() {}
    outcome
}

/// Roles that go on would take what is changed for what they know.
///
/// # Errors
/// When one answers.
pub(crate) async fn check_that_nobody_runs(bus: &Bus) -> anyhow::Result<()> {
    for service in SERVICES {
        match bus.ask(&format!("$SRV.PING.{service}"), Bytes::new(), PATIENCE).await {
            Err(AskError::NobodyAnswers { .. }) => {}
            Ok(_) => bail!("Flowtrail runs on this NATS server ({service} answers): stop all of it first"),
            Err(error) => return Err(error).with_context(|| format!("look whether {service} runs")),
        }
    }
    Ok(())
}
