//! Reaching an integration's receiver: its secrets are opened here, at the moment of connecting, and nowhere else.

use std::time::Duration;

use bus::{Bus, KeyError};
use feed::erasures::Erased;
use model::delivery::{self, Tested};
use model::integration::{Config, Platform};
use model::time::Timestamp;
use runtime::clock::Clock;
use vault::{MasterKey, Owner, Unopenable};

use crate::guard::Guard;
use crate::opened::{ConfigError, Opened};
use crate::sink::Failure;
use crate::sinks::Sink;

/// How long a receiver may take for a test event.
const TEST_TIME: Duration = Duration::from_secs(10);

/// Why a delivery is suspended whose secrets are sealed with another master key. By this text the log tells that from other
/// reasons, also where an older version wrote it: it stays as it is.
pub(crate) const UNOPENABLE: &str =
    "the secrets cannot be opened: the master key is another one than they were sealed with";

/// What it takes to reach receivers. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Receivers {
    pub(crate) bus: Bus,
    /// Who is erased: nothing is sent of them.
    pub(crate) erased: Erased,
    pub(crate) master: MasterKey,
    pub(crate) guard: Guard,
    pub(crate) clock: Clock,
}

/// Why a receiver cannot be reached, before anything was sent.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConnectError {
    /// The key is gone, alone: the integration is being deleted.
    #[error("the integration's key is gone")]
    NoKey,
    /// The key cannot be read right now.
    #[error(transparent)]
    Keys(#[from] KeyError),
    /// The key was wrapped by another master key.
    #[error("{UNOPENABLE}")]
    Unopenable(#[from] Unopenable),
    /// The configuration is wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
}

impl Receivers {
    /// A sink for a configuration. Nothing is sent.
    ///
    /// # Errors
    /// [`ConnectError`].
    pub(crate) async fn connect(
        &self,
        owner: Owner<'_>,
        platform: Platform,
        config: &Config,
    ) -> Result<Sink, ConnectError> {
        let wrapped = self.bus.keys().get(&owner.key_name()).await?.ok_or(ConnectError::NoKey)?;
        let key = self.master.unwrap(&wrapped, owner)?;
        let opened = Opened::open(config, |field, sealed| key.open(owner, field, sealed))?;
        Ok(Sink::connect(platform, &opened, &self.guard)?)
    }

    /// Delivers a test event, and finds out what the receiver guarantees.
    ///
    /// # Errors
    /// When the key cannot be read right now.
    pub(crate) async fn test(
        &self,
        owner: Owner<'_>,
        platform: Platform,
        config: &Config,
    ) -> Result<Tested, ConnectError> {
        let sink = match self.connect(owner, platform, config).await {
            Ok(sink) => sink,
            Err(ConnectError::Config(error)) => return Ok(Tested::BadConfig(error.to_string())),
            Err(error @ ConnectError::Unopenable(_)) => {
                return Ok(Tested::Refused(self.failure(None, error.to_string())));
            }
            Err(error @ (ConnectError::NoKey | ConnectError::Keys(_))) => return Err(error),
        };
        let tried = tokio::time::timeout(TEST_TIME, sink.try_out(owner.account)).await;
        Ok(match tried {
            Ok(Ok(guarantee)) => Tested::Delivered(guarantee),
            Ok(Err(failure)) => Tested::Refused(self.describe(&failure)),
            Err(_) => {
                let reason = format!("the receiver did not answer within {} seconds", TEST_TIME.as_secs());
                Tested::Refused(self.failure(None, reason))
            }
        })
    }

    /// A sink's failure as it is recorded and shown.
    pub(crate) fn describe(&self, failure: &Failure) -> delivery::Failure {
        self.failure(failure.status(), failure.to_string())
    }

    /// A failure that happens now.
    pub(crate) fn failure(&self, status: Option<u16>, reason: String) -> delivery::Failure {
        let time = Timestamp::from_micros(self.clock.now_micros()).unwrap_or(Timestamp::EPOCH);
        delivery::Failure { time, status, reason }
    }
}
