//! `flowtrail up` and `flowtrail run`: which roles run in this process, and how they are tied together.

use std::net::SocketAddr;

use anyhow::Context;
use bus::{Bus, Options};
use commands::Bootstrap;
use gateway::Reader;
use model::log::{LogPosition, Stream};
use model::reach::Reach;
use model::secret::Secret;
use runtime::clock::{Clock, now_micros};
use runtime::metrics::Metrics;
use runtime::settings::{ServerSettings, Settings};
use runtime::shutdown;
use streamer::guard::Guard;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use views::{View, Views};

use crate::bad_setting::BadSetting;
use crate::cli::{Role, Run, Up};
use crate::data_folder;
use crate::gateway_settings;
use crate::greeting::{announce, greet};
use crate::master_key;
use crate::nats_access;
use crate::nats_server::NatsServer;
use crate::nats_url;
use crate::reload::Reload;
use crate::samples;

/// Everything in this process.
pub(crate) async fn up(settings: &Settings, up: &Up, reload: Reload) -> anyhow::Result<()> {
    let _lock = data_folder::lock(&settings.data_dir)?;
    let plan =
        Plan::read((settings, &up.server), &[Role::Projector, Role::Streamer, Role::Commands, Role::Gateway], reload)
            .await?;
    let stop_server = CancellationToken::new();
    let mut server = JoinSet::new();
    let (url, own_server) = match &settings.nats_url {
        Some(url) => (url.clone(), None),
        None => {
            let own = NatsServer::start(settings).await?;
            let (url, pid) = (own.url(), own.pid());
            server.spawn(own.supervise(stop_server.clone()));
            (url, pid)
        }
    };
    let outcome = match Running::start(plan, &url).await {
        Ok(mut running) => {
            let outcome = serve(settings, up, &mut running, own_server).await;
            outcome.and(running.end().await)
        }
        Err(error) => Err(error),
    };
    // The log goes last, so that everything before it can finish its writes.
    stop_server.cancel();
    while server.join_next().await.is_some() {}
    outcome
}

async fn serve(settings: &Settings, up: &Up, running: &mut Running, own_server: Option<u32>) -> anyhow::Result<()> {
    running.wait_until_ready().await?;
    if up.demo {
        let imported = samples::import(&settings.data_dir, &running.bus, now_micros()).await;
        imported.context("import the sample events")?;
    }
    greet(settings, own_server, running.api.as_deref(), running.metrics_address);
    running.wait().await
}

/// Some roles in this process, against a NATS server that is there.
pub(crate) async fn run(settings: &Settings, run: &Run, reload: Reload) -> anyhow::Result<()> {
    // Not locked: roles in processes of their own share the master key in it.
    data_folder::prepare(&settings.data_dir)?;
    let plan = Plan::read((settings, &run.server), &run.roles, reload).await?;
    let mut running = Running::start(plan, &nats_url::of_log(settings)?).await?;
    let outcome = async {
        running.wait_until_ready().await?;
        announce(running.api.as_deref(), running.metrics_address);
        running.wait().await
    };
    let outcome = outcome.await;
    outcome.and(running.end().await)
}

/// What is to run in this process.
struct Plan<'a> {
    settings: &'a Settings,
    server: &'a ServerSettings,
    roles: &'a [Role],
    metrics: Metrics,
    /// How the gateway is to behave, where there is one.
    gateway: Option<gateway::Settings>,
    reload: Reload,
    /// Which receivers may be reached.
    reach: Reach,
}

impl<'a> Plan<'a> {
    async fn read(
        (settings, server): (&'a Settings, &'a ServerSettings),
        roles: &'a [Role],
        mut reload: Reload,
    ) -> anyhow::Result<Self> {
        let metrics = Metrics::default();
        let gateway = match roles.contains(&Role::Gateway) {
            true => Some(gateway_settings::read(server, metrics.clone(), reload.adjustable()).await?),
            false => None,
        };
        if let Some(tls) = gateway.as_ref().and_then(|gateway| gateway.tls.clone()) {
            reload.certificate(tls);
        }
        let reach = server.egress_allow.parse().context(BadSetting::of("FLOWTRAIL_EGRESS_ALLOW"))?;
        Ok(Self { settings, server, roles, metrics, gateway, reload, reach })
    }
}

/// The roles of this process, at work. At the end the gateway goes first, so that the requests it drains still find
/// what they need.
struct Running {
    /// The gateway, and the task that waits for a signal.
    front: JoinSet<anyhow::Result<()>>,
    stop_front: CancellationToken,
    /// The other roles.
    back: JoinSet<anyhow::Result<()>>,
    stop_back: CancellationToken,
    bus: Bus,
    views: Option<Views>,
    /// The URL of the API.
    api: Option<String>,
    metrics: Metrics,
    metrics_address: Option<SocketAddr>,
}

impl Running {
    async fn start(plan: Plan<'_>, url: &str) -> anyhow::Result<Self> {
        let Plan { settings, server, roles, metrics, gateway, reload, reach } = plan;
        let access = nats_access::of(settings)?;
        let connect = async || {
            let (url, access) = (url.to_owned(), access.clone());
            Bus::connect(&Options { url, access, name: client_name(roles).to_owned() }).await
        };
        let (stop_front, stop_back) = (CancellationToken::new(), CancellationToken::new());
        let mut front = JoinSet::new();
        front.spawn(shutdown::on_signal(stop_front.clone()));
        let reloading = reload.run(stop_front.clone());
        front.spawn(async move {
            reloading.await;
            Ok(())
        });
        let bus = connect().await?;
        if roles.iter().any(|role| *role != Role::Gateway) {
            bus.ensure_streams().await.context("prepare the log")?;
        }
        let mut running = Self {
            front,
            stop_front,
            back: JoinSet::new(),
            stop_back,
            bus,
            views: None,
            api: None,
            metrics,
            metrics_address: None,
        };
        if roles.contains(&Role::Streamer) {
            running.start_streamer(settings, server, reach.clone(), connect().await?).await?;
        }
        if roles.contains(&Role::Commands) {
            running.start_commands(settings, server, reach, connect().await?).await?;
        }
        if roles.contains(&Role::Projector) {
            running.start_projector(settings, server, connect().await?).await?;
        }
        if let Some(gateway) = gateway {
            running.start_gateway(server.listen, gateway, connect().await?).await?;
        }
        if let Some(listen) = server.metrics_listen {
            running.start_metrics(listen, server).await?;
        }
        Ok(running)
    }

    async fn start_commands(
        &mut self,
        settings: &Settings,
        server: &ServerSettings,
        reach: Reach,
        bus: Bus,
    ) -> anyhow::Result<()> {
        let master = master_key::load(settings, &bus).await?;
        master_key::make_known(settings, &master, &bus).await?;
        let commands = commands::start(&bus, master, reach, &bootstrap(settings, server)).await?;
        let stop = self.stop_back.clone();
        self.back.spawn(async move {
            commands.run(stop).await;
            Ok(())
        });
        Ok(())
    }

    async fn start_streamer(
        &mut self,
        settings: &Settings,
        server: &ServerSettings,
        reach: Reach,
        bus: Bus,
    ) -> anyhow::Result<()> {
        let master = master_key::load(settings, &bus).await?;
        let guard = Guard::new(reach).context("prepare TLS")?;
        let delivery = streamer::Settings { suspend_after: server.suspend_after, metrics: self.metrics.clone() };
        let streamer = streamer::start(&bus, master, guard, Clock::System, delivery).await?;
        let stop = self.stop_back.clone();
        self.back.spawn(async move {
            streamer.run(stop).await;
            Ok(())
        });
        Ok(())
    }

    async fn start_projector(&mut self, settings: &Settings, server: &ServerSettings, bus: Bus) -> anyhow::Result<()> {
        let directory = settings.data_dir.join("views");
        let cache_bytes = server.cache_mb << 20;
        let opened = tokio::task::spawn_blocking({
            let directory = directory.clone();
            move || Views::open(&directory, cache_bytes)
        });
        let views = opened.await?.with_context(|| format!("open the views in {}", directory.display()))?;
        let projector = projector::run(views.clone(), bus, self.metrics.clone(), self.stop_back.clone());
        self.back.spawn(async move { projector.await.context("project the log") });
        self.views = Some(views);
        Ok(())
    }

    async fn start_gateway(&mut self, listen: SocketAddr, settings: gateway::Settings, bus: Bus) -> anyhow::Result<()> {
        let reader = self.views.clone().map_or_else(|| Reader::Remote(bus.clone()), Reader::Local);
        let hint = || format!("listen on {listen}; FLOWTRAIL_LISTEN chooses another address");
        let listener = TcpListener::bind(listen).await.with_context(hint)?;
        let address = listener.local_addr().context("learn the address")?;
        let scheme = if settings.tls.is_some() { "https" } else { "http" };
        self.api = Some(format!("{scheme}://{address}"));
        let gateway = gateway::serve(listener, reader, bus, settings, self.stop_front.clone());
        self.front.spawn(async move { gateway.await.context("serve HTTP") });
        Ok(())
    }

    async fn start_metrics(&mut self, listen: SocketAddr, server: &ServerSettings) -> anyhow::Result<()> {
        let hint = || format!("listen on {listen}; FLOWTRAIL_METRICS_LISTEN chooses another address");
        let listener = TcpListener::bind(listen).await.with_context(hint)?;
        self.metrics_address = Some(listener.local_addr().context("learn the address")?);
        let serving = gateway::serve_metrics(listener, self.metrics.clone(), server.limits, self.stop_front.clone());
        self.front.spawn(async move {
            serving.await;
            Ok(())
        });
        Ok(())
    }

    /// Waits until the views have everything that the log held when this was called.
    async fn wait_until_ready(&mut self) -> anyhow::Result<()> {
        let Some(views) = self.views.clone() else { return Ok(()) };
        let last = self.bus.state(Stream::Access).await?.last_sequence;
        let ready = async {
            views.slot(views::access::VIEW).reached(&[LogPosition { stream: Stream::Access, sequence: last }]).await;
            for view in View::ALL {
                views.slot(view).caught_up().await;
            }
        };
        tokio::select! {
            () = ready => Ok(()),
            outcome = next_end(&mut self.front) => outcome,
            outcome = next_end(&mut self.back) => outcome,
        }
    }

    /// Waits for the end: a signal, or a role that cannot go on.
    async fn wait(&mut self) -> anyhow::Result<()> {
        tokio::select! {
            outcome = next_end(&mut self.front) => outcome,
            outcome = next_end(&mut self.back) => outcome,
        }
    }

    /// Ends all roles, each after it has finished what it had begun.
    async fn end(mut self) -> anyhow::Result<()> {
        let mut outcome = Ok(());
        self.stop_front.cancel();
        while !self.front.is_empty() {
            outcome = outcome.and(next_end(&mut self.front).await);
        }
        self.stop_back.cancel();
        while !self.back.is_empty() {
            outcome = outcome.and(next_end(&mut self.back).await);
        }
        outcome
    }
}

/// Waits until one of the tasks is over; forever when there is none.
async fn next_end(tasks: &mut JoinSet<anyhow::Result<()>>) -> anyhow::Result<()> {
    match tasks.join_next().await {
        Some(ended) => ended?,
        None => std::future::pending().await,
    }
}

/// The client's name is the NATS user's that permissions are given to: see `nats/permissions.conf`.
fn client_name(roles: &[Role]) -> &'static str {
    match roles {
        [Role::Gateway] => "gateway",
        [Role::Projector] => "projector",
        [Role::Commands] => "commands",
        [Role::Streamer] => "streamer",
        _ => "flowtrail",
    }
}

fn bootstrap(settings: &Settings, server: &ServerSettings) -> Bootstrap {
    Bootstrap {
        data_dir: settings.data_dir.clone(),
        token: server.bootstrap_token.clone().map(Secret::new),
        password: server.bootstrap_password.clone().map(Secret::new),
    }
}
