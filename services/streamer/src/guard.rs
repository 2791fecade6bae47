//! The way out: HTTP clients that dial checked addresses only.
//!
//! Invariant: whatever a name resolves to is checked, and what is dialled is what was checked, not a second answer.

use std::error::Error;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use model::reach::{Reach, Target, Unreachable};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::{Client, redirect};
use rustls::{ClientConfig, RootCertStore};

use crate::opened::ConfigError;

/// What every sink reaches its receiver through. Cheap to clone.
#[derive(Clone)]
pub struct Guard {
    reach: Reach,
    tls: Arc<ClientConfig>,
    names: Arc<dyn Resolve>,
}

/// The guard cannot be made.
#[derive(Debug, thiserror::Error)]
#[error("TLS cannot be set up")]
pub struct NoTls(#[from] rustls::Error);

/// How long a connection may take to come about, names and TLS included.
pub(crate) const CONNECT_TIME: Duration = Duration::from_secs(10);

/// How long a request may take, from its first byte to the last of its answer.
pub(crate) const REQUEST_TIME: Duration = Duration::from_secs(30);

/// Shorter than servers keep connections, so that few requests meet one that was just closed.
const IDLE_TIME: Duration = Duration::from_secs(15);

impl Guard {
    /// Trusts the system's certificate authorities (or those that `SSL_CERT_FILE` names) and asks its resolver.
    ///
    /// # Errors
    /// When TLS cannot be set up.
    pub fn new(reach: Reach) -> Result<Self, NoTls> {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        Self::trusting(reach, roots)
    }

    /// Trusts `roots` alone.
    ///
    /// # Errors
    /// When TLS cannot be set up.
    pub fn trusting(reach: Reach, roots: RootCertStore) -> Result<Self, NoTls> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
        let tls = Arc::new(tls.with_root_certificates(roots).with_no_client_auth());
        Ok(Self { reach, tls, names: Arc::new(SystemNames) })
    }

    /// Asks `names` instead of the system's resolver.
    #[must_use]
    pub fn asking(self, names: Arc<dyn Resolve>) -> Self {
        Self { names, ..self }
    }

    /// A client for the web address that stands under `key`, and for nothing else.
    pub(crate) fn client(&self, key: &str, url: &str) -> Result<Client, ConfigError> {
        let target = self.reach.web(url).map_err(|refused| ConfigError::new(key, refused.to_string()))?;
        let names = Checked { guard: self.clone(), encrypted: target.encrypted };
        let client = Client::builder()
            .tls_backend_preconfigured(ClientConfig::clone(&self.tls))
            .dns_resolver(names)
            .redirect(redirect::Policy::none())
            .no_proxy()
            .referer(false)
            .connect_timeout(CONNECT_TIME)
            .timeout(REQUEST_TIME)
            .pool_idle_timeout(IDLE_TIME)
            .user_agent(concat!("flowtrail/", env!("CARGO_PKG_VERSION")))
            .build();
        client.map_err(|failure| ConfigError::new(key, format!("no client can be made for it: {failure}")))
    }

    /// Where a `host:port` that stands under `key` leads to.
    pub(crate) fn target(&self, key: &str, text: &str, encrypted: bool) -> Result<Target, ConfigError> {
        self.reach.tcp(text, encrypted).map_err(|refused| ConfigError::new(key, refused.to_string()))
    }

    /// How TLS is done.
    pub(crate) fn tls(&self) -> Arc<ClientConfig> {
        Arc::clone(&self.tls)
    }

    /// The addresses of a name, all checked; one that may not be reached rules them all out, as a name that mixes
    /// public and internal addresses is a known way past such checks.
    pub(crate) async fn addresses(&self, target: &Target) -> Result<Vec<SocketAddr>, Box<dyn Error + Send + Sync>> {
        if let Ok(address) = target.host.parse() {
            self.reach.check(address, target.encrypted)?;
            return Ok(vec![SocketAddr::new(address, target.port)]);
        }
        let found: Vec<SocketAddr> = self.names.resolve(target.host.parse()?).await?.collect();
        for address in &found {
            self.reach.check(address.ip().to_canonical(), target.encrypted)?;
            self.reach.check(address.ip(), target.encrypted)?;
        }
        Ok(found.into_iter().map(|address| SocketAddr::new(address.ip(), target.port)).collect())
    }
}

impl std::fmt::Debug for Guard {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_tuple("Guard").field(&self.reach).finish()
    }
}

/// Hands out checked addresses only.
struct Checked {
    guard: Guard,
    encrypted: bool,
}

impl Resolve for Checked {
    fn resolve(&self, name: Name) -> Resolving {
        let guard = self.guard.clone();
        // Port 0 stands for the URL's.
        let target = Target { host: name.as_str().to_owned(), port: 0, encrypted: self.encrypted };
        Box::pin(async move {
            let addresses = guard.addresses(&target).await?;
            Ok(Box::new(addresses.into_iter()) as Addrs)
        })
    }
}

/// The system's resolver.
struct SystemNames;

impl Resolve for SystemNames {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            Ok(Box::new(found.collect::<Vec<_>>().into_iter()) as Addrs)
        })
    }
}

/// Why the guard kept a connection from coming about; none: it was not the guard.
pub(crate) fn blocked_by<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a Unreachable> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(blocked) = error.downcast_ref() {
            return Some(blocked);
        }
        next = error.source();
    }
    None
}
