//! How commands are sent: over the bus, to the service that carries them out.

use std::sync::Arc;
use std::time::Duration;

use axum::response::Response;
use bus::{AskError, Bus};
use model::command::{self, Accepted, ClearConfig, Command, SealedConfig, TellSealingKey};
use model::log::{AccountId, LogPosition};
use runtime::telemetry::chain;
use tracing::{error, warn};
use vault::{BadLock, TransitLock};
use views::Question;
use zeroize::Zeroizing;

use crate::http::freshness;
use crate::render::refusal::Refusal;
use crate::upstream::reader::Reader;

/// How long a command may take; the log acknowledges within 5 seconds, and a command may need several of them.
const ANSWERED_WITHIN: Duration = Duration::from_secs(20);

/// What the client is told while the log cannot be written.
pub(crate) const LOG_UNREACHABLE: Refusal = Refusal::Unavailable("the log cannot be reached, try again");

/// What the client is told while the log has as much as it may have.
pub(crate) const LOG_FULL: Refusal = Refusal::Unavailable("the log is full, try again once there is room");

/// What the client is told while secrets have no keys.
pub(crate) const KEYS_GONE: Refusal =
    Refusal::Unavailable("the keys of secrets are gone from the log, and its operator has to bring them back");

/// What the client is told while no streamer is there.
pub(crate) const NOBODY_DELIVERS: Refusal = Refusal::Unavailable("the streamer cannot be reached, try again");

/// The way to the service that carries out commands. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Commands {
    bus: Arc<Bus>,
    reader: Arc<Reader>,
}

impl Commands {
    pub(crate) fn new(bus: Arc<Bus>, reader: Arc<Reader>) -> Self {
        Self { bus, reader }
    }

    /// Sends a command and waits until it is carried out.
    ///
    /// # Errors
    /// When it is refused, in words for the client, or nobody can carry it out right now.
    pub(crate) async fn send<C: Command>(&self, command: &C) -> Result<Accepted<C::Done>, Refusal> {
        let subject = format!("flowtrail.command.{}", C::PATH);
        let request = serde_json::to_vec(command).map_err(|error| unreadable(&subject, &error))?;
        let answer = self.bus.ask(&subject, request.into(), ANSWERED_WITHIN).await.map_err(to_refusal)?;
        serde_json::from_slice(&answer).map_err(|error| unreadable(&subject, &error))
    }

    /// Seals a configuration, so that only the service that carries out commands can read it on its way.
    ///
    /// # Errors
    /// When nobody tells a key to do it with.
    pub(crate) async fn seal(&self, account: &AccountId, config: &ClearConfig) -> Result<SealedConfig, Refusal> {
        // Asked for each time, so that nothing is sealed for a key that is no more.
        let Accepted { done: key, .. } = self.send(&TellSealingKey {}).await?;
        let lock: TransitLock = key.parse().map_err(|bad: BadLock| unsealable(&bad))?;
        let clear = serde_json::to_vec(config).map(Zeroizing::new);
        let clear = clear.map_err(|error| unreadable(TellSealingKey::PATH, &error))?;
        lock.seal(account, &clear).map(SealedConfig).map_err(|failure| unsealable(&failure))
    }

    /// Waits until the view behind `question` has what a command wrote, so that the client's next read sees it even
    /// without `Flowtrail-At-Least`. See [`Reader::wait_for`].
    pub(crate) async fn wait_for<Q: Question>(&self, question: Q, position: LogPosition) {
        self.reader.wait_for(question, position).await;
    }

    /// Gives the answer to a write when the view behind `question` has it, so that the next read sees it. Without a
    /// position nothing was changed, and there is nothing to wait for.
    pub(crate) async fn written<Q: Question>(
        &self,
        position: Option<LogPosition>,
        question: Q,
        mut response: Response,
    ) -> Response {
        if let Some(position) = position {
            self.wait_for(question, position).await;
            freshness::add_position(response.headers_mut(), position);
        }
        response
    }
}

fn unsealable(failure: &dyn std::error::Error) -> Refusal {
    error!(error = %chain(failure), "a configuration cannot be sealed");
    Refusal::Internal
}

fn unreadable(subject: &str, error: &serde_json::Error) -> Refusal {
    // The error of a command names no value of it: it may hold secrets.
    error!(subject, category = ?error.classify(), "a command or its answer has not the form it must have");
    Refusal::Internal
}

fn to_refusal(error: AskError) -> Refusal {
    match error {
        AskError::Refused { code, message } => match command::Reason::from_code(code) {
            command::Reason::Invalid => Refusal::Invalid(message),
            command::Reason::Forbidden => Refusal::Forbidden(message.into()),
            command::Reason::NotFound => Refusal::NotFound(message),
            command::Reason::Conflict => Refusal::Conflict(message),
            command::Reason::ReceiverRefuses => Refusal::ReceiverRefuses(message),
            command::Reason::Unavailable => LOG_UNREACHABLE,
            command::Reason::NobodyDelivers => NOBODY_DELIVERS,
            command::Reason::LogFull => LOG_FULL,
            command::Reason::KeysGone => KEYS_GONE,
            command::Reason::Internal => {
                error!(code, message, "a command failed");
                Refusal::Internal
            }
        },
        AskError::NobodyAnswers { .. } | AskError::TimedOut { .. } | AskError::Disconnected => {
            warn!(%error, "a command cannot be carried out");
            LOG_UNREACHABLE
        }
        AskError::TooLarge { limit, .. } => Refusal::TooLarge { limit },
        AskError::Broken { .. } => {
            error!(error = %chain(&error), "a command's answer is broken");
            Refusal::Internal
        }
    }
}
