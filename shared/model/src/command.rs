//! Commands as they are sent to the write side, and what it answers.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::access::{Actor, Scopes, TokenHash};
use crate::delivery::Guarantee;
use crate::erasure::Erasure;
use crate::integration::{Current, Order, Platform};
use crate::log::{AccountId, LogPosition};
use crate::secret::MASK;
use crate::time::Timestamp;

/// A command that someone sends.
pub trait Command: Serialize + DeserializeOwned + Send + 'static {
    /// What the sender is told, such as the id of what was made.
    type Done: Serialize + DeserializeOwned + Send + 'static;

    /// `<family>.<verb>`: behind `flowtrail.command.`, the subject it is sent on.
    const PATH: &'static str;
}

/// What a command led to.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Accepted<T> {
    /// Where its event stands in the log; none when nothing had to be changed.
    pub position: Option<LogPosition>,
    /// What the command says under "Done".
    pub done: T,
}

/// Why a command was not carried out, by what its sender can do about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// It breaks a rule, and is refused again as it is.
    Invalid,
    /// Whoever sent it may not do it.
    Forbidden,
    /// What it is about was never made in this account, or was deleted.
    NotFound,
    /// Someone else was faster: read again, then decide.
    Conflict,
    /// The receiver that it names does not take a test event.
    ReceiverRefuses,
    /// The log cannot be reached: send it again later.
    Unavailable,
    /// Nobody can try the receiver that it names: send it again later.
    NobodyDelivers,
    /// The log takes nothing new: send it again once there is room.
    LogFull,
    /// There is no bucket of keys to seal secrets with: its operator has to bring it back.
    KeysGone,
    /// A fault of Flowtrail itself; its log has the details.
    Internal,
}

impl Reason {
    /// Each with a code of its own.
    pub const ALL: [Self; 10] = [
        Self::Invalid,
        Self::Forbidden,
        Self::NotFound,
        Self::Conflict,
        Self::ReceiverRefuses,
        Self::Unavailable,
        Self::NobodyDelivers,
        Self::LogFull,
        Self::KeysGone,
        Self::Internal,
    ];

    /// Its number on the wire, after the HTTP status of the same meaning.
    #[must_use]
    pub const fn code(self) -> u16 {
        match self {
            Self::Invalid => 400,
            Self::Forbidden => 403,
            Self::NotFound => 404,
            Self::Conflict => 409,
            Self::ReceiverRefuses => 412,
            Self::Unavailable => 503,
            Self::NobodyDelivers => 504,
            Self::LogFull => 507,
            Self::KeysGone => 510,
            Self::Internal => 500,
        }
    }

    /// What a number on the wire means.
    #[must_use]
    pub fn from_code(code: u16) -> Self {
        Self::ALL.into_iter().find(|refusal| refusal.code() == code).unwrap_or(Self::Internal)
    }
}

/// Configuration values in clear, as a client sent them. They are sealed before they travel, and never stored or shown.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ClearConfig(pub BTreeMap<String, String>);

impl fmt::Debug for ClearConfig {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_map().entries(self.0.keys().map(|key| (key, MASK))).finish()
    }
}

/// A [`ClearConfig`] as JSON, sealed so that only the service that carries out commands can open it: base64.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SealedConfig(pub String);

/// Asks for the key that configurations are to be sealed with. Done: the key.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct TellSealingKey {}

/// Makes an integration. Done: its id and state, and what a test of it found.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CreateIntegration {
    /// From the token; never from a body or a parameter.
    pub account: AccountId,
    /// The actor of the audit event that follows from it.
    pub by: Actor,
    /// Where events are to go.
    pub platform: Platform,
    /// The platform's own settings, sealed for the role that carries out commands.
    pub config: SealedConfig,
    /// Whether they are sent from the start.
    pub enabled: bool,
}

/// Changes an integration. Done: its id and state.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct UpdateIntegration {
    /// From the token; never from a body or a parameter.
    pub account: AccountId,
    /// The actor of the audit event that follows from it.
    pub by: Actor,
    /// Unique in its account, never used again.
    pub id: u64,
    /// What to change; a masked value keeps what is stored.
    pub config: SealedConfig,
    /// Whether events are to be sent; none: as before.
    pub enabled: Option<bool>,
}

/// Removes an integration and destroys its key.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct DeleteIntegration {
    /// From the token; never from a body or a parameter.
    pub account: AccountId,
    /// The actor of the audit event that follows from it.
    pub by: Actor,
    /// Unique in its account, never used again.
    pub id: u64,
}

/// Steers the delivery of an integration.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SteerIntegration {
    /// From the token; never from a body or a parameter.
    pub account: AccountId,
    /// The actor of the audit event that follows from it.
    pub by: Actor,
    /// Unique in its account, never used again.
    pub id: u64,
    /// To pause what is paused is no event; every other order is one.
    pub order: Order,
}

/// An integration with its id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NumberedIntegration {
    /// Unique in its account, never used again.
    pub id: u64,
    /// How it is now.
    pub current: Current,
}

/// An integration that was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreatedIntegration {
    /// Its id, and how it is.
    pub integration: NumberedIntegration,
    /// What its receiver guarantees; none where it was not tried, as it is not enabled.
    pub guarantee: Option<Guarantee>,
}

impl Command for TellSealingKey {
    type Done = String;
    const PATH: &'static str = "integration.tell_sealing_key";
}

impl Command for CreateIntegration {
    type Done = CreatedIntegration;
    const PATH: &'static str = "integration.create";
}

impl Command for UpdateIntegration {
    type Done = NumberedIntegration;
    const PATH: &'static str = "integration.update";
}

impl Command for DeleteIntegration {
    type Done = ();
    const PATH: &'static str = "integration.delete";
}

impl Command for SteerIntegration {
    type Done = NumberedIntegration;
    const PATH: &'static str = "integration.steer";
}

/// Makes an account; refused where there is or was one of this id.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CreateAccount {
    /// The account's id, as it stands in subjects.
    pub account: AccountId,
    /// Its name for people.
    pub name: String,
    /// The actor of the audit event that follows from it.
    pub by: Actor,
}

/// Makes a user. Done: their id.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CreateUser {
    /// The account that it is done in; ids of users and tokens mean nothing outside of it.
    pub account: AccountId,
    /// What they sign in with.
    pub email: String,
    /// The name that is shown for them.
    pub name: String,
    /// The argon2id hash of their password: it is made where the password is known.
    pub password_hash: String,
    /// The most that they may do.
    pub scopes: Scopes,
    /// The actor of the audit event that follows from it.
    pub by: Actor,
}

/// Changes what a user may do, and with it what all their tokens may.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SetUserScopes {
    /// The account that it is done in; ids of users and tokens mean nothing outside of it.
    pub account: AccountId,
    /// Which, by what they sign in with.
    pub email: String,
    /// The most that they may do from now on.
    pub scopes: Scopes,
    /// The actor of the audit event that follows from it.
    pub by: Actor,
}

/// Removes a user. Their address is not free again: the id is made from it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct DeleteUser {
    /// The account that it is done in; ids of users and tokens mean nothing outside of it.
    pub account: AccountId,
    /// Which, by what they sign in with.
    pub email: String,
    /// The actor of the audit event that follows from it.
    pub by: Actor,
}

/// Makes a token. Done: its id. The token itself stays with the one who made it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CreateToken {
    /// The account that it is done in; ids of users and tokens mean nothing outside of it.
    pub account: AccountId,
    /// What it is for.
    pub name: String,
    /// All that is kept of it.
    pub hash: TokenHash,
    /// What it allows, as far as its user may do that too.
    pub scopes: Scopes,
    /// The user it belongs to.
    pub user_id: Option<String>,
    /// From then on it opens nothing; none: never.
    pub expires_at: Option<Timestamp>,
    /// The actor of the audit event that follows from it.
    pub by: Actor,
}

/// Removes a token, which opens nothing from then on.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct DeleteToken {
    /// The account that it is done in; ids of users and tokens mean nothing outside of it.
    pub account: AccountId,
    /// The token's id, not the token.
    pub id: String,
    /// The actor of the audit event that follows from it.
    pub by: Actor,
}

/// Erases a person from the views of an account. Done: the erasure's id.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ErasePerson {
    /// The account that it is done in.
    pub account: AccountId,
    /// What the person was known by, as it will stand in the log: the command names nobody either.
    pub person: Erasure,
    /// The actor of the audit event that follows from it.
    pub by: Actor,
}

impl Command for CreateAccount {
    type Done = ();
    const PATH: &'static str = "account.create";
}

impl Command for CreateUser {
    type Done = String;
    const PATH: &'static str = "user.create";
}

impl Command for SetUserScopes {
    type Done = ();
    const PATH: &'static str = "user.set_scopes";
}

impl Command for DeleteUser {
    type Done = ();
    const PATH: &'static str = "user.delete";
}

impl Command for CreateToken {
    type Done = String;
    const PATH: &'static str = "token.create";
}

impl Command for DeleteToken {
    type Done = ();
    const PATH: &'static str = "token.delete";
}

impl Command for ErasePerson {
    type Done = String;
    const PATH: &'static str = "person.erase";
}
