//! `flowtrail up` and `flowtrail run`: which roles run in this process, and how they are tied together.

use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::Context;
use bus::{Bus, Options};
use commands::Bootstrap;
use gateway::Reader;
use model::log::{Position, Stream};
use model::secret::Secret;
use runtime::settings::{ServerSettings, Settings};
use runtime::shutdown;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use vault::MasterKey;
use views::{View, Views};

use crate::cli::{Role, Run, Up};
use crate::nats_server::NatsServer;
use crate::samples;

/// Everything in this process.
pub(crate) async fn up(settings: &Settings, up: &Up) -> anyhow::Result<()> {
    let stop = CancellationToken::new();
    let server_stop = CancellationToken::new();
    let mut server = JoinSet::new();
    let (url, own_server) = match &settings.nats_url {
        Some(url) => (url.clone(), None),
        None => {
            let own = NatsServer::start(settings).await?;
            let pid = own.pid();
            server.spawn(own.supervise(server_stop.clone()));
            (settings.nats_url(), pid)
        }
    };
    let outcome = async {
        let roles = [Role::Projector, Role::Commands, Role::Gateway];
        let mut running = Running::start(settings, &up.server, &url, &roles, &stop).await?;
        running.wait_until_ready().await?;
        if up.demo {
            samples::import(&settings.data_dir, &running.bus).await.context("import the sample events")?;
        }
        greet(settings, &url, own_server, running.address);
        running.wait().await
    };
    let outcome = outcome.await;
    // The log goes last, so that everything before it can finish its writes.
    server_stop.cancel();
    while server.join_next().await.is_some() {}
    outcome
}

/// Some roles in this process, against a NATS server that is there.
pub(crate) async fn run(settings: &Settings, run: &Run) -> anyhow::Result<()> {
    let stop = CancellationToken::new();
    let mut running = Running::start(settings, &run.server, &settings.nats_url(), &run.roles, &stop).await?;
    running.wait_until_ready().await?;
    announce(running.address);
    running.wait().await
}

/// The roles of this process, at work.
struct Running {
    tasks: JoinSet<anyhow::Result<()>>,
    stop: CancellationToken,
    bus: Bus,
    views: Option<Views>,
    address: Option<SocketAddr>,
}

impl Running {
    async fn start(
        settings: &Settings,
        server: &ServerSettings,
        url: &str,
        roles: &[Role],
        stop: &CancellationToken,
    ) -> anyhow::Result<Self> {
        let connect = async || {
            let (url, credentials) = (url.to_owned(), settings.nats_creds.clone());
            Bus::connect(&Options { url, credentials, name: client_name(roles).to_owned() }).await
        };
        let mut tasks = JoinSet::new();
        tasks.spawn(shutdown::on_signal(stop.clone()));
        let bus = connect().await?;
        if roles.contains(&Role::Commands) || roles.contains(&Role::Projector) {
            bus.ensure_streams().await.context("prepare the log")?;
        }
        if roles.contains(&Role::Commands) {
            let master = MasterKey::load_or_create(&settings.master_key_file())?;
            let commands = commands::start(&connect().await?, master, &bootstrap(settings, server)).await?;
            let stop = stop.clone();
            tasks.spawn(async move {
                commands.run(stop).await;
                Ok(())
            });
        }
        let views = if roles.contains(&Role::Projector) {
            let directory = settings.data_dir.join("views");
            let opened = tokio::task::spawn_blocking({
                let (directory, cache_bytes) = (directory.clone(), server.cache_mb << 20);
                move || Views::open(&directory, cache_bytes)
            });
            let views = opened.await?.with_context(|| format!("open the views in {}", directory.display()))?;
            let projector = projector::run(views.clone(), connect().await?, stop.clone());
            tasks.spawn(async move { projector.await.context("project the log") });
            Some(views)
        } else {
            None
        };
        let address = if roles.contains(&Role::Gateway) {
            let bus = connect().await?;
            let reader = views.clone().map_or_else(|| Reader::Remote(bus.clone()), Reader::Local);
            let listener = TcpListener::bind(server.listen).await;
            let listener = listener
                .with_context(|| format!("listen on {}; FLOWTRAIL_LISTEN chooses another address", server.listen))?;
            let address = listener.local_addr().context("learn the address")?;
            let gateway = gateway::serve(listener, reader, bus, stop.clone());
            tasks.spawn(async move { gateway.await.context("serve HTTP") });
            Some(address)
        } else {
            None
        };
        Ok(Self { tasks, stop: stop.clone(), bus, views, address })
    }

    /// Waits until the views have everything that the log held when this was called.
    async fn wait_until_ready(&mut self) -> anyhow::Result<()> {
        let Some(views) = self.views.clone() else { return Ok(()) };
        let last = self.bus.state(Stream::Access).await?.last_sequence;
        let ready = async {
            views.slot(View::Access).reached(&[Position { stream: Stream::Access, sequence: last }]).await;
            for view in View::ALL {
                views.slot(view).caught_up().await;
            }
        };
        tokio::select! {
            () = ready => Ok(()),
            outcome = first_end(&mut self.tasks, &self.stop) => outcome,
        }
    }

    /// Waits for the end: a signal, or a role that can not go on.
    async fn wait(mut self) -> anyhow::Result<()> {
        let mut outcome = Ok(());
        while !self.tasks.is_empty() {
            outcome = outcome.and(first_end(&mut self.tasks, &self.stop).await);
        }
        outcome
    }
}

/// Waits until one task is over; whichever it is, the others are to stop.
async fn first_end(tasks: &mut JoinSet<anyhow::Result<()>>, stop: &CancellationToken) -> anyhow::Result<()> {
    let ended = tasks.join_next().await;
    stop.cancel();
    ended.unwrap_or(Ok(Ok(())))?
}

/// The client's name is the NATS user's that permissions are given to: see `nats/permissions.conf`.
fn client_name(roles: &[Role]) -> &'static str {
    match roles {
        [Role::Gateway] => "gateway",
        [Role::Projector] => "projector",
        [Role::Commands] => "commands",
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

/// One line when the roles of `run` are at work.
fn announce(address: Option<SocketAddr>) {
    match address {
        Some(address) => say(&format!("ready, the API is at http://{address}\n")),
        None => say("ready\n"),
    }
}

/// Prints to whoever started us. They may be gone, which is no reason to stop.
fn say(text: &str) {
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

/// What runs where, and what to try first.
fn greet(settings: &Settings, url: &str, own_server: Option<u32>, address: Option<SocketAddr>) {
    let address = address.map(|address| format!("http://{address}")).unwrap_or_default();
    let data = settings.data_dir.display();
    let token: PathBuf = settings.data_dir.join("admin.token");
    let token = token.display();
    let server = own_server.map(|pid| format!("(own server, pid {pid})")).unwrap_or_default();
    say(&format!(
        "
Flowtrail {version} is ready.

  API    {address}
  NATS   {url} {server}
  Data   {data}
  Token  {token}  (account main, all scopes)

Try:

  TOKEN=$(cat {token})
  curl -H \"Authorization: Token $TOKEN\" {address}/api/events/audit
  curl -H \"Authorization: Token $TOKEN\" {address}/api/events/network-traffic?page_size=5
  curl -H \"Authorization: Token $TOKEN\" {address}/api/events/audit \\
       -d '{{\"event_type\":\"door.open\",\"actor_id\":\"alice\",\"resource_id\":\"lab\"}}'

Ctrl-C stops everything.
",
        version = env!("CARGO_PKG_VERSION"),
    ));
}
