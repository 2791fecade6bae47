//! The parts that requests are answered with, put together.
//!
//! A handler takes the part it needs, as axum's `State`, and knows nothing of the others.

use std::sync::Arc;

use axum::extract::FromRef;
use bus::Bus;
use feed::erasures::Erased;
use runtime::metrics::Metrics;
use runtime::settings::LimitSettings;
use serde_json::Value;
use tokio_util::sync::CancellationToken;
use views::audit::Audit;
use views::traffic::Traffic;

use crate::access::auth::Access;
use crate::access::limits::Limits;
use crate::access::oidc::Provider;
use crate::access::sign_in::SignIn;
use crate::dialects;
use crate::dialects::native::description::Description;
use crate::dialects::native::export::Exports;
use crate::dialects::native::ingest::WayIn;
use crate::dialects::native::tail::Tails;
use crate::http::at_once::AtOnce;
use crate::http::budget::Budget;
use crate::http::frame::Frame;
use crate::http::metrics::HttpMetrics;
use crate::lists::ask::Lists;
use crate::lists::cursor::Key;
use crate::upstream::commands::Commands;
use crate::upstream::dead_letters::DeadLetters;
use crate::upstream::follow::Log;
use crate::upstream::publisher::Publisher;
use crate::upstream::reader::Reader;
use crate::upstream::readiness::Readiness;
use crate::upstream::streamer::Streamer;
use crate::witness::Witness;

/// What the parts are made of.
#[derive(Debug)]
pub(crate) struct Resources {
    /// Where the views are asked.
    pub(crate) reader: Reader,
    /// Where everything else goes.
    pub(crate) bus: Bus,
    /// Who is erased, for what is read out of the log.
    pub(crate) erased: Erased,
    /// The key that signs cursors.
    pub(crate) cursors: Key,
    /// Notes who reads and who is denied.
    pub(crate) witness: Witness,
    /// Whose tokens are as good as Flowtrail's own.
    pub(crate) provider: Option<Arc<Provider>>,
    pub(crate) limits: LimitSettings,
    /// What the process counts.
    pub(crate) metrics: Metrics,
    /// From when on it is not ready any more.
    pub(crate) leaving: CancellationToken,
    /// Ends the answers that would go on.
    pub(crate) stop: CancellationToken,
}

/// How much may be asked for. Cheap to clone; clones change together.
#[derive(Clone, Debug)]
pub(crate) struct Bounds {
    limits: Arc<Limits>,
    tails: AtOnce,
    exports: AtOnce,
}

impl Bounds {
    /// Changes that.
    pub(crate) fn set(&self, limits: &LimitSettings) {
        self.limits.set(limits);
        self.tails.set_most(limits.tails);
        self.exports.set_most(limits.exports);
    }
}

/// Everything that a request may need. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct App(Arc<Parts>);

#[derive(Debug)]
struct Parts {
    access: Arc<Access>,
    lists: Lists,
    log: Log,
    audit_tails: Tails<Audit>,
    traffic_tails: Tails<Traffic>,
    exports: Exports,
    commands: Commands,
    streamer: Streamer,
    dead_letters: DeadLetters,
    way_in: WayIn,
    sign_in: SignIn,
    readiness: Readiness,
    description: Arc<Description>,
    http_metrics: HttpMetrics,
    metrics: Metrics,
    bounds: Bounds,
}

impl App {
    /// `openapi` writes the description of the routes, which are not known here.
    pub(crate) fn new(resources: Resources, openapi: fn() -> Value) -> Self {
        let Resources { reader, bus, erased, cursors, witness, provider, limits, metrics, leaving, stop } = resources;
        let (reader, bus, witness) = (Arc::new(reader), Arc::new(bus), Arc::new(witness));
        let (tails, exports) = (AtOnce::new(limits.tails), AtOnce::new(limits.exports));
        let budget = Budget::of_mib(limits.ingest_mb);
        // A sign-in is counted by the limits that requests are, under a limit of its own.
        let limits = Arc::new(Limits::new(&limits));
        let bounds = Bounds { limits: limits.clone(), tails: tails.clone(), exports: exports.clone() };
        let http_metrics = HttpMetrics::default();
        metrics.add(Arc::new(http_metrics.clone()));
        metrics.add(Arc::new(budget.meter()));
        let publisher = Publisher::new(bus.clone(), reader.clone(), http_metrics.clone());
        Self(Arc::new(Parts {
            access: Arc::new(Access::new(reader.clone(), provider, limits.clone(), witness.clone())),
            lists: Lists::new(reader.clone(), Arc::new(cursors), witness),
            log: Log::new(bus.clone(), erased.clone()),
            audit_tails: Tails::new((bus.clone(), erased.clone()), tails.clone(), stop.clone()),
            traffic_tails: Tails::new((bus.clone(), erased), tails, stop),
            exports: Exports::new(exports),
            commands: Commands::new(bus.clone(), reader.clone()),
            streamer: Streamer::new(bus.clone()),
            dead_letters: DeadLetters::new(bus.clone()),
            way_in: WayIn { publisher, budget },
            sign_in: SignIn::new(bus.clone(), reader.clone(), limits),
            readiness: Readiness::new(bus, reader, leaving),
            description: Arc::new(Description::new(openapi)),
            http_metrics,
            metrics,
            bounds,
        }))
    }

    /// For the middleware that lets requests in.
    pub(crate) fn access(&self) -> Arc<Access> {
        self.0.access.clone()
    }

    /// For who changes them while requests are answered.
    pub(crate) fn bounds(&self) -> Bounds {
        self.0.bounds.clone()
    }

    /// For the middleware that completes answers.
    pub(crate) fn frame(&self) -> Frame {
        Frame { metrics: self.0.http_metrics.clone(), render: dialects::render }
    }
}

impl FromRef<App> for Arc<Access> {
    fn from_ref(App(parts): &App) -> Self {
        parts.access.clone()
    }
}

impl FromRef<App> for Lists {
    fn from_ref(App(parts): &App) -> Self {
        parts.lists.clone()
    }
}

impl FromRef<App> for Log {
    fn from_ref(App(parts): &App) -> Self {
        parts.log.clone()
    }
}

impl FromRef<App> for Tails<Audit> {
    fn from_ref(App(parts): &App) -> Self {
        parts.audit_tails.clone()
    }
}

impl FromRef<App> for Tails<Traffic> {
    fn from_ref(App(parts): &App) -> Self {
        parts.traffic_tails.clone()
    }
}

impl FromRef<App> for Exports {
    fn from_ref(App(parts): &App) -> Self {
        parts.exports.clone()
    }
}

impl FromRef<App> for Commands {
    fn from_ref(App(parts): &App) -> Self {
        parts.commands.clone()
    }
}

impl FromRef<App> for Streamer {
    fn from_ref(App(parts): &App) -> Self {
        parts.streamer.clone()
    }
}

impl FromRef<App> for DeadLetters {
    fn from_ref(App(parts): &App) -> Self {
        parts.dead_letters.clone()
    }
}

impl FromRef<App> for WayIn {
    fn from_ref(App(parts): &App) -> Self {
        parts.way_in.clone()
    }
}

impl FromRef<App> for SignIn {
    fn from_ref(App(parts): &App) -> Self {
        parts.sign_in.clone()
    }
}

impl FromRef<App> for Readiness {
    fn from_ref(App(parts): &App) -> Self {
        parts.readiness.clone()
    }
}

impl FromRef<App> for Arc<Description> {
    fn from_ref(App(parts): &App) -> Self {
        parts.description.clone()
    }
}

impl FromRef<App> for Metrics {
    fn from_ref(App(parts): &App) -> Self {
        parts.metrics.clone()
    }
}
