//! A gateway at work: from the settings to the end of the last connection.

use std::sync::Arc;
use std::time::Duration;

use bus::Bus;
use feed::erasures::Erased;
use runtime::metrics::Metrics;
use runtime::settings::LimitSettings;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tracing::error;

use crate::access::oidc::{self, KeysError, Provider};
use crate::app::{App, Resources};
use crate::dialects::native::metrics;
use crate::http::cors::{Cors, Origins};
use crate::http::proxies::Proxies;
use crate::http::server::{self, Ending, Entrance, Room};
use crate::http::tls::Tls;
use crate::lists::cursor::{self, LoadError};
use crate::router::{openapi, router};
use crate::upstream::reader::Reader;
use crate::witness::witness;

/// How long the last records of who read may take when the gateway stops.
const RECORDED_WITHIN: Duration = Duration::from_secs(5);

/// Why the gateway cannot start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The key that signs cursors cannot be read or made.
    #[error("get the key that signs cursors")]
    CursorKey(#[from] LoadError),
    /// It cannot be learnt who is erased.
    #[error("the log cannot be read")]
    Log(#[from] bus::LoadError),
    /// The keys of the OpenID provider cannot be had.
    #[error(transparent)]
    ProviderKeys(#[from] KeysError),
}

/// How a gateway behaves.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Whether reads of the log are recorded in it.
    pub records_reads: bool,
    /// Whose tokens are as good as Flowtrail's own.
    pub provider: Option<oidc::Settings>,
    /// What is shown to clients that want TLS, as they then must. None: it is spoken elsewhere, or nowhere.
    pub tls: Option<Tls>,
    /// What its process counts.
    pub metrics: Metrics,
    /// How long it says that it leaves, and answers on, before it takes nobody in any more.
    pub leaves_for: Duration,
    /// What holds from when it is sent.
    pub adjustable: watch::Receiver<Adjustable>,
}

/// What may change of that while a gateway answers.
#[derive(Clone, Debug)]
pub struct Adjustable {
    /// How many requests are answered, over how many connections.
    pub limits: LimitSettings,
    /// The origins whose pages may ask from a browser.
    pub origins: Origins,
    /// Who is believed about the addresses of clients.
    pub proxies: Proxies,
}

/// Answers HTTP on `listener` until `stop`, then ends: for [`Settings::leaves_for`] it is not ready, and every answer is the last of
/// its connection; then new connections are refused, connections that idle end, and requests under way do when they are
/// answered, or after 10 seconds.
///
/// # Errors
/// [`Error`], before anything is answered.
pub async fn serve(
    listener: TcpListener,
    reader: Reader,
    bus: Bus,
    settings: Settings,
    stop: CancellationToken,
) -> Result<(), Error> {
    let cursors = cursor::Key::load(&bus).await?;
    let (witness, recorder) = witness(bus.clone(), settings.records_reads);
    let mut recording = JoinSet::new();
    recording.spawn(recorder.run());
    let provider = match settings.provider {
        Some(provider) => Some(Arc::new(Provider::new(provider).await?)),
        None => None,
    };
    let erased = Erased::load(&bus).await?;
    // Ends with this function.
    let mut renewing = JoinSet::new();
    renewing.spawn(erased.clone().follow(bus.clone()));
    if let Some(provider) = provider.clone() {
        renewing.spawn(async move { provider.keep_fresh().await });
    }
    let mut adjustable = settings.adjustable;
    let Adjustable { limits, origins, proxies } = adjustable.borrow_and_update().clone();
    let (room, cors, metrics) = (Room::new(&limits), Cors::new(&origins), settings.metrics);
    let entrance = Entrance { listener, room: room.clone(), tls: settings.tls, proxies: proxies.clone() };
    let closing = CancellationToken::new();
    let ending = Ending::new(stop.clone(), closing.clone());
    let leaves = stop.clone();
    let closes = closing.clone();
    renewing.spawn(async move {
        leaves.cancelled().await;
        sleep(settings.leaves_for).await;
        closes.cancel();
    });
    let (leaving, stop) = (stop, closing);
    let resources = Resources { reader, bus, erased, cursors, witness, provider, limits, metrics, leaving, stop };
    let app = App::new(resources, openapi);
    let bounds = app.bounds();
    let router = router(app, cors.clone());
    let adjusting = async move {
        while adjustable.changed().await.is_ok() {
            let now = adjustable.borrow_and_update().clone();
            room.set(&now.limits);
            bounds.set(&now.limits);
            cors.allow(&now.origins);
            proxies.become_like(&now.proxies);
        }
    };
    renewing.spawn(adjusting);
    server::answer(entrance, router, ending).await;
    // With the last request's router the witness is gone, and the recorder ends when it has written what it has.
    if timeout(RECORDED_WITHIN, recording.join_next()).await.is_err() {
        error!("who read or was denied in the last moments is not recorded: the log does not answer");
    }
    Ok(())
}

/// Shows what a process counts, everybody's numbers to everybody, on `listener` until `stop`.
pub async fn serve_metrics(listener: TcpListener, shown: Metrics, limits: LimitSettings, stop: CancellationToken) {
    let entrance = Entrance { listener, room: Room::new(&limits), tls: None, proxies: Proxies::default() };
    server::answer(entrance, metrics::open(shown), Ending::new(stop.clone(), stop)).await;
}
