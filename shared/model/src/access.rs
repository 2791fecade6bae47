//! Who may come in: accounts, users and tokens.
//!
//! All rules are in [`decide`], none in [`State::apply`].

mod scope;
mod token;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use scope::{Scope, Scopes, UnknownScope};
pub use token::{TokenHash, new_token};

use crate::log::AccountId;
use crate::time::Timestamp;

/// Who did something, as events remember it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Actor {
    /// The user's id, `token:<id>` for a token without a user, or `system`.
    pub id: String,
    /// Their name, where known.
    pub name: Option<String>,
    /// Their e-mail address, where known.
    pub email: Option<String>,
}

impl Actor {
    /// Flowtrail itself; `sys` is also what NetBird calls it.
    #[must_use]
    pub fn system() -> Self {
        Self { id: "sys".to_owned(), name: None, email: None }
    }
}

/// Whoever a valid token stands for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Principal {
    /// The only account they can see.
    pub account: AccountId,
    /// The token they came with, by its id; none: it was another issuer's.
    pub token_id: Option<String>,
    /// What they may do.
    pub scopes: Scopes,
    /// When the token ends.
    pub expires_at: Option<Timestamp>,
    /// As whom their deeds are recorded.
    pub actor: Actor,
}

/// Whom a token stands or stood for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Bearer {
    /// It is there. Whether its time is over is decided where the time is known.
    Current(Principal),
    /// It was deleted, or its user was.
    Former {
        /// The account it was of.
        account: AccountId,
        /// The id that the deleted token had.
        token_id: String,
        /// As whom its deeds were recorded, as far as that is still known.
        actor: Actor,
    },
}

/// What happened to an account, a user or a token.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is described at its data")]
pub enum Event {
    AccountCreated(AccountCreated),
    UserCreated(UserCreated),
    UserChanged(UserChanged),
    UserDeleted(UserDeleted),
    TokenCreated(TokenCreated),
    TokenDeleted(TokenDeleted),
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

/// The state of one account, user or token, as its events tell it.
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
            (
                Self::Present(_) | Self::Deleted,
                Command::CreateAccount { .. } | Command::CreateUser { .. } | Command::CreateToken { .. },
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
        }
    }

    /// The kind of thing it happened to: the token before the id in its subject.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::AccountCreated(_) => "account",
            Self::UserCreated(_) | Self::UserChanged(_) | Self::UserDeleted(_) => "user",
            Self::TokenCreated(_) | Self::TokenDeleted(_) => "token",
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
    /// The account's, user's or token's id.
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
