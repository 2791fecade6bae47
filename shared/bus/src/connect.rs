//! Connecting: the options, the [`Bus`] itself, and the check that the server is new enough.

use std::io;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use async_nats::jetstream::{self, context::ContextBuilder};
use async_nats::{Client, ConnectOptions, ServerAddr};
use percent_encoding::percent_decode_str;
use semver::Version;

use crate::link::{self, Link};

/// How long connecting may take in all.
const CONNECTS_WITHIN: Duration = Duration::from_secs(10);
/// How long an answer of JetStream may take. A syncing server under load takes a good part of a second.
pub(crate) const ANSWERS_WITHIN: Duration = Duration::from_secs(5);
/// How long a call waits for a lost connection to come back before it answers "unreachable".
pub(crate) const RECONNECTS_WITHIN: Duration = Duration::from_secs(2);
/// The longest pause between two attempts to reconnect.
const MAX_PAUSE: Duration = Duration::from_secs(2);
/// What the subjects of JetStream's API begin with, but in a domain.
const API: &str = "$JS.API";
/// Older servers accept stream settings silently and then do not honour them.
const OLDEST_SERVER: Version = Version::new(2, 14, 0);

/// How to reach NATS.
#[derive(Clone, Debug)]
pub struct Options {
    /// The server's URL, or several with commas between.
    pub url: String,
    /// What it takes beyond the URL.
    pub access: Access,
    /// The client's name. Also its inbox prefix, `_INBOX_<name>`, which permissions are given on; so a subject token.
    pub name: String,
}

/// What it takes to reach a server beyond its URL, in which user and password, or a token in the user's place, can stand.
#[derive(Clone, Debug, Default)]
pub struct Access {
    /// A credentials file (`.creds`), where the server wants one.
    pub credentials: Option<PathBuf>,
    /// A file with the seed of an nkey (`SU...`), where the server knows the user by that.
    pub nkey: Option<PathBuf>,
    /// The certificates, in PEM, that alone are trusted to have issued the server's. None: those that the system trusts.
    pub authority: Option<PathBuf>,
    /// The certificate that the server is shown, and its private key, in PEM.
    pub certificate: Option<(PathBuf, PathBuf)>,
    /// The JetStream domain that the log is in, where it is not that of the server that is connected to: behind a leaf node.
    pub domain: Option<String>,
}

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// A file of [`Access`] cannot be read, or is not what it is to be.
    #[error("read {what} in {path}")]
    File {
        /// What it is to be.
        what: &'static str,
        /// Where it is.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        cause: io::Error,
    },
    /// Nobody is there, or it refuses this client.
    #[error("connect to nats at {url}")]
    Unreachable {
        /// The URL without user and password.
        url: String,
        /// The server's or the system's words.
        #[source]
        cause: crate::Cause,
    },
    /// The server is too old.
    #[error("nats-server is {found}, flowtrail needs {OLDEST_SERVER} or newer")]
    TooOld {
        /// The version the server names.
        found: String,
    },
    /// The server has a version that says nothing.
    #[error("nats-server calls its version {found:?}, flowtrail needs {OLDEST_SERVER} or newer")]
    UnknownVersion {
        /// What it calls its version.
        found: String,
    },
}

/// The connection to NATS. Cheap to clone; all clones share the connection.
#[derive(Clone, Debug)]
pub struct Bus {
    pub(crate) client: Client,
    pub(crate) jetstream: jetstream::Context,
    /// What the subjects of JetStream's API begin with.
    pub(crate) api: Arc<str>,
    pub(crate) link: Link,
    pub(crate) name: String,
}

impl Bus {
    /// Connects within 10 seconds; from then on it reconnects as often as it must.
    ///
    /// # Errors
    /// When nobody is there, the credentials are not good, or the server is older than 2.14.
    pub async fn connect(options: &Options) -> Result<Self, ConnectError> {
        let (listener, link) = link::new();
        let mut settings = ConnectOptions::new()
            .name(&options.name)
            .custom_inbox_prefix(format!("_INBOX_{}", options.name))
            .ping_interval(Duration::from_secs(10))
            .request_timeout(Some(ANSWERS_WITHIN))
            .reconnect_delay_callback(pause_before)
            .event_callback(move |event| {
                listener.note(&event);
                std::future::ready(())
            });
        settings = options.access.add_to(settings).await?;
        let unreachable = |cause: crate::Cause| ConnectError::Unreachable { url: without_user(&options.url), cause };
        let (servers, user) = apart(&options.url).map_err(|error| unreachable(error.into()))?;
        settings = match user {
            Some(User::Named { name, password }) => settings.user_and_password(name, password),
            Some(User::Token(token)) => settings.token(token),
            None => settings,
        };
        let client = tokio::time::timeout(CONNECTS_WITHIN, settings.connect(servers))
            .await
            .map_err(|elapsed| unreachable(elapsed.into()))?
            .map_err(|error| unreachable(error.into()))?;
        check_version(&client.server_info().version)?;
        let api: Arc<str> = match &options.access.domain {
            Some(domain) => format!("$JS.{domain}.API").into(),
            None => API.into(),
        };
        let jetstream = ContextBuilder::new().api_prefix(&*api).timeout(ANSWERS_WITHIN).build(client.clone());
        Ok(Self { client, jetstream, api, link, name: options.name.clone() })
    }

    /// The version that the server names.
    #[must_use]
    pub fn server_version(&self) -> String {
        self.client.server_info().version
    }

    /// Whether there is a connection right now.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        self.link.is_up()
    }

    /// Whether the log is in another JetStream domain than that of the server.
    pub(crate) fn is_in_domain(&self) -> bool {
        *self.api != *API
    }

    /// The most bytes, headers included, that one message may have. The server says so.
    #[must_use]
    pub fn max_payload(&self) -> usize {
        self.client.max_payload()
    }

    /// An id that nobody else has: the end of a new inbox's name.
    pub(crate) fn unique_id(&self) -> String {
        let inbox = self.client.new_inbox();
        inbox.rsplit('.').next().unwrap_or(&inbox).to_owned()
    }
}

impl Access {
    /// Adds it to the settings of a connection.
    async fn add_to(&self, mut settings: ConnectOptions) -> Result<ConnectOptions, ConnectError> {
        if let Some(path) = &self.credentials {
            let unreadable = |cause| ConnectError::File { what: "the nats credentials", path: path.clone(), cause };
            settings = settings.credentials_file(path).await.map_err(unreadable)?;
        }
        if let Some(path) = &self.nkey {
            let text = read("the seed of the nkey", path)?;
            let seed = text.lines().map(str::trim).find(|line| line.starts_with("SU"));
            let none = || {
                io::Error::new(io::ErrorKind::InvalidData, "it has no line with a user's seed, which begins with SU")
            };
            let bad = |cause| ConnectError::File { what: "the seed of the nkey", path: path.clone(), cause };
            settings = settings.nkey(seed.ok_or_else(none).map_err(bad)?.to_owned());
        }
        // The library opens files when it connects, and then does not say which it cannot.
        if let Some(path) = &self.authority {
            read("the certificates that are trusted", path)?;
            settings = settings.add_root_certificates(path.clone()).require_tls(true);
        }
        if let Some((certificate, key)) = &self.certificate {
            read("the client's certificate", certificate)?;
            read("the key of the client's certificate", key)?;
            settings = settings.add_client_certificate(certificate.clone(), key.clone()).require_tls(true);
        }
        Ok(settings)
    }
}

fn read(what: &'static str, path: &Path) -> Result<String, ConnectError> {
    std::fs::read_to_string(path).map_err(|cause| ConnectError::File { what, path: path.to_owned(), cause })
}

/// Who the client is, as a URL says it.
#[derive(Debug, PartialEq, Eq)]
enum User {
    Named { name: String, password: String },
    Token(String),
}

/// The servers of a URL, and apart from them the first user that is named: the client library has another way for
/// that one to go, and addresses may be written into log lines.
///
/// # Errors
/// When one of the addresses is none.
fn apart(urls: &str) -> io::Result<(Vec<ServerAddr>, Option<User>)> {
    let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    let (mut servers, mut user) = (Vec::new(), None);
    for url in urls.split(',').map(str::trim) {
        let server = ServerAddr::from_str(url)?;
        user = user.or_else(|| match (server.username(), server.password()) {
            (Some(name), Some(password)) => Some(User::Named { name: decoded(name), password: decoded(password) }),
            (Some(token), None) => Some(User::Token(decoded(token))),
            (None, _) => None,
        });
        let mut address = server.into_inner();
        // Neither fails where there is a host, and without one nobody can be named.
        let _ = address.set_username("");
        let _ = address.set_password(None);
        servers.push(ServerAddr::from_url(address)?);
    }
    Ok((servers, user))
}

fn check_version(found: &str) -> Result<(), ConnectError> {
    let version = Version::parse(found).map_err(|_| ConnectError::UnknownVersion { found: found.to_owned() })?;
    // A release candidate of 2.14.0 comes before 2.14.0 in semver, but has what is needed.
    if (version.major, version.minor) < (OLDEST_SERVER.major, OLDEST_SERVER.minor) {
        return Err(ConnectError::TooOld { found: found.to_owned() });
    }
    Ok(())
}

/// 50 ms, doubled with every attempt that failed.
fn pause_before(attempt: usize) -> Duration {
    // More doublings are over the limit in any case.
    let doublings = attempt.saturating_sub(1).min(10);
    Duration::from_millis(50 << doublings).min(MAX_PAUSE)
}

/// The URL as it may stand in a log: what is before an `@` is secret.
fn without_user(url: &str) -> String {
    let one = |url: &str| match url.rsplit_once('@') {
        Some((_, host)) => host.to_owned(),
        None => url.to_owned(),
    };
    url.split(',').map(one).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests;
