//! Who may come in: accounts, users and tokens.
//!
//! All rules are in [`decide`], none in [`State::apply`].

mod principal;
mod scope;
mod token;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use principal::{Actor, Bearer, Principal};
pub use scope::{Scope, Scopes, UnknownScope};
pub use token::{TokenHash, new_token};

use crate::erasure::Erasure;
use crate::time::Timestamp;

/// What happened to an account, a user or a token, or to what is known of a person.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is described at its data")]
pub enum Event {
    AccountCreated(AccountCreated),
    UserCreated(UserCreated),
    UserChanged(UserChanged),
    UserDeleted(UserDeleted),
    TokenCreated(TokenCreated),
    TokenDeleted(TokenDeleted),
    PersonErased(PersonErased),
}

/// The `data` of `flowtrail.access.account.created.v1`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AccountCreated {
    /// Its name for people.
    pub name: String,
    /// The actor of the audit event that follows from it.
    pub by: Actor,
}

/// The `data` of `flowtrail.access.user.created.v1`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct UserCreated {
    /// What they sign in with; unique in the account.
    pub email: String,
    /// The name that is shown for them.
    pub name: String,
    /// The argon2id hash of their password, as a PHC string.
    pub password_hash: String,
    /// The most that they may do. Missing in events from before users had scopes: everything, as it was then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scopes: Option<Scopes>,
    /// The actor of the audit event that follows from it.
    pub by: Actor,
}

/// The `data` of `flowtrail.access.user.changed.v1`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct UserChanged {
    /// What they sign in with.
    pub email: String,
    /// The most that they may do from now on.
    pub scopes: Scopes,
    /// The actor of the audit event that follows from it.
    pub by: Actor,
}

/// The `data` of `flowtrail.access.user.deleted.v1`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct UserDeleted {
    /// What they signed in with.
    pub email: String,
    /// The actor of the audit event that follows from it.
    pub by: Actor,
}

/// The `data` of `flowtrail.access.token.created.v1`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TokenCreated {
    /// What it is for.
    pub name: String,
    /// The SHA-256 of the token; the token itself is nowhere.
    pub hash: TokenHash,
    /// What it allows, as far as its user may do that too.
    pub scopes: Scopes,
    /// The user it belongs to.
    pub user_id: Option<String>,
    /// When it ends; none: never.
    pub expires_at: Option<Timestamp>,
    /// The actor of the audit event that follows from it.
    pub by: Actor,
}

/// The `data` of `flowtrail.access.token.deleted.v1`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TokenDeleted {
    /// What it was for.
    pub name: String,
    /// The actor of the audit event that follows from it.
    pub by: Actor,
}

/// The `data` of `flowtrail.access.person.erased.v1`. It does not say who it was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PersonErased {
    /// What they were known by.
    pub person: Erasure,
    /// The actor of the audit event that follows from it.
    pub by: Actor,
}

/// What someone wants done.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are those of the events")]
pub enum Command {
    CreateAccount {
        name: String,
    },
    CreateUser {
        email: String,
        name: String,
        password_hash: String,
        scopes: Scopes,
    },
    SetUserScopes {
        scopes: Scopes,
    },
    DeleteUser,
    CreateToken {
        name: String,
        hash: TokenHash,
        scopes: Scopes,
        user_id: Option<String>,
        expires_at: Option<Timestamp>,
    },
    DeleteToken,
    ErasePerson {
        person: Erasure,
    },
}

/// Why a command is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Rejected {
    /// It is there already, or was.
    #[error("it exists already")]
    Exists,
    /// It is not there.
    #[error("there is no such thing")]
    NotFound,
    /// A value is wrong.
    #[error("{field}: {problem}")]
    Field {
        /// The field's name in the request.
        field: &'static str,
        /// What is wrong with it.
        problem: &'static str,
    },
}

/// The state of one account, user, token or erasure, as its events tell it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum State {
    /// The log has no event of it.
    #[default]
    Absent,
    /// It is there: what it is called.
    Present(String),
    /// It was deleted, and cannot be made a second time.
    Deleted,
}

impl State {
    /// The event that a command leads to.
    ///
    /// # Errors
    /// When a rule forbids it: nothing happens then.
    pub fn decide(&self, command: Command, by: Actor) -> Result<Event, Rejected> {
        match (self, command) {
            (Self::Absent, Command::CreateAccount { name }) => Ok(Event::AccountCreated(AccountCreated { name, by })),
            (Self::Absent, Command::CreateUser { email, name, password_hash, scopes }) => {
                let is_address = email.split_once('@').is_some_and(|(user, host)| !user.is_empty() && !host.is_empty());
                if !is_address
                    || email.len() > MAX_TEXT
                    || email.chars().any(|letter| letter.is_whitespace() || letter.is_control())
                {
                    return Err(Rejected::Field { field: "email", problem: "must look like name@host" });
                }
                let scopes = Some(at_least_one(scopes)?);
                Ok(Event::UserCreated(UserCreated { email, name, password_hash, scopes, by }))
            }
            (Self::Present(email), Command::SetUserScopes { scopes }) => {
                Ok(Event::UserChanged(UserChanged { email: email.clone(), scopes: at_least_one(scopes)?, by }))
            }
            (Self::Absent, Command::CreateToken { name, hash, scopes, user_id, expires_at }) => {
                if name.is_empty() || name.len() > MAX_TEXT {
                    return Err(Rejected::Field { field: "name", problem: "must have 1 to 256 bytes" });
                }
                let scopes = at_least_one(scopes)?;
                Ok(Event::TokenCreated(TokenCreated { name, hash, scopes, user_id, expires_at, by }))
            }
            (Self::Present(email), Command::DeleteUser) => {
                Ok(Event::UserDeleted(UserDeleted { email: email.clone(), by }))
            }
            (Self::Present(name), Command::DeleteToken) => {
                Ok(Event::TokenDeleted(TokenDeleted { name: name.clone(), by }))
            }
            (Self::Absent, Command::ErasePerson { person }) => match person.problem() {
                Some((field, problem)) => Err(Rejected::Field { field, problem }),
                None => Ok(Event::PersonErased(PersonErased { person, by })),
            },
            (
                Self::Present(_) | Self::Deleted,
                Command::CreateAccount { .. }
                | Command::CreateUser { .. }
                | Command::CreateToken { .. }
                | Command::ErasePerson { .. },
            ) => Err(Rejected::Exists),
            (
                Self::Absent | Self::Deleted,
                Command::SetUserScopes { .. } | Command::DeleteUser | Command::DeleteToken,
            ) => Err(Rejected::NotFound),
        }
    }

    /// The state after `event`.
    pub fn apply(&mut self, event: Event) {
        *self = match event {
            Event::AccountCreated(AccountCreated { name, .. })
            | Event::UserCreated(UserCreated { email: name, .. })
            | Event::UserChanged(UserChanged { email: name, .. })
            | Event::TokenCreated(TokenCreated { name, .. }) => Self::Present(name),
            Event::UserDeleted(_) | Event::TokenDeleted(_) => Self::Deleted,
            // There is nothing to call it by.
            Event::PersonErased(_) => Self::Present(String::new()),
        };
    }
}

const MAX_TEXT: usize = 256;

fn at_least_one(scopes: Scopes) -> Result<Scopes, Rejected> {
    if scopes.is_empty() {
        return Err(Rejected::Field { field: "scopes", problem: "must name at least one" });
    }
    Ok(scopes)
}

/// The CloudEvents type of [`AccountCreated`].
pub const ACCOUNT_CREATED: &str = "flowtrail.access.account.created.v1";
/// The CloudEvents type of [`UserCreated`].
pub const USER_CREATED: &str = "flowtrail.access.user.created.v1";
/// The CloudEvents type of [`UserChanged`].
pub const USER_CHANGED: &str = "flowtrail.access.user.changed.v1";
/// The CloudEvents type of [`UserDeleted`].
pub const USER_DELETED: &str = "flowtrail.access.user.deleted.v1";
/// The CloudEvents type of [`TokenCreated`].
pub const TOKEN_CREATED: &str = "flowtrail.access.token.created.v1";
/// The CloudEvents type of [`TokenDeleted`].
pub const TOKEN_DELETED: &str = "flowtrail.access.token.deleted.v1";
/// The CloudEvents type of [`PersonErased`].
pub const PERSON_ERASED: &str = "flowtrail.access.person.erased.v1";
/// The kind of erasures: the token before the id in their subjects.
pub const PERSON: &str = "person";

impl Event {
    /// The CloudEvents type.
    #[must_use]
    pub const fn event_type(&self) -> &'static str {
        match self {
            Self::AccountCreated(_) => ACCOUNT_CREATED,
            Self::UserCreated(_) => USER_CREATED,
            Self::UserChanged(_) => USER_CHANGED,
            Self::UserDeleted(_) => USER_DELETED,
            Self::TokenCreated(_) => TOKEN_CREATED,
            Self::TokenDeleted(_) => TOKEN_DELETED,
            Self::PersonErased(_) => PERSON_ERASED,
        }
    }

    /// The kind of thing it happened to: the token before the id in its subject.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::AccountCreated(_) => "account",
            Self::UserCreated(_) | Self::UserChanged(_) | Self::UserDeleted(_) => "user",
            Self::TokenCreated(_) | Self::TokenDeleted(_) => "token",
            Self::PersonErased(_) => PERSON,
        }
    }
}

impl Serialize for Event {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::AccountCreated(data) => data.serialize(serializer),
            Self::UserCreated(data) => data.serialize(serializer),
            Self::UserChanged(data) => data.serialize(serializer),
            Self::UserDeleted(data) => data.serialize(serializer),
            Self::TokenCreated(data) => data.serialize(serializer),
            Self::TokenDeleted(data) => data.serialize(serializer),
            Self::PersonErased(data) => data.serialize(serializer),
        }
    }
}

/// An access event with what its envelope and subject say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// The CloudEvent's id, which the audit event that follows from it has too.
    pub event_id: String,
    /// The CloudEvent's time, else when the log received it.
    pub time: Timestamp,
    /// The account's, user's, token's or erasure's id.
    pub id: String,
    /// Of the kind that the subject names.
    pub event: Event,
}

/// A user's id, made from their address, so that an address is used once in an account.
#[must_use]
pub fn user_id(email: &str) -> String {
    token::fingerprint(email.to_lowercase().as_bytes())
}

#[cfg(test)]
mod tests;
