//! Sign-in: a name and a password are held against the users of all accounts, and the user whose they are gets a token.
//!
//! Invariants: a password is in no log line, answer or event; whether a name is somebody's cannot be told from how
//! it is refused, nor from how long that takes.

mod password_queue;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use bus::Bus;
use feed::write::Form;
use model::access::{Actor, TokenHash, new_token};
use model::audit::Fields;
use model::command::{Accepted, CreateToken, DeleteToken};
use model::json::Json;
use model::log::{AccountId, LogPosition};
use model::secret::Secret;
use model::time::Timestamp;
use runtime::clock;
use runtime::telemetry::chain;
use serde_json::json;
use tokio::time::{Instant, sleep_until};
use tracing::{error, warn};
use views::Ask;
use views::access::{ByToken, EndingTokens, UserOf, UsersByEmail};

use self::password_queue::PasswordQueue;
use crate::access::limits::{Delay, Limits};
use crate::render::refusal::Refusal;
use crate::upstream::commands::{Commands, LOG_UNREACHABLE};
use crate::upstream::reader::Reader;
use crate::witness::record::{message, sealed};

/// A refusal comes this long after the request. It is longer than what differs between a name that somebody has and
/// one that nobody has.
const REFUSED_AFTER: Duration = Duration::from_millis(500);
/// How long a token lasts, in microseconds.
const TOKEN_LASTS_MICROS: i64 = 5 * 60 * 60 * 1_000_000;
/// How many tokens of sign-ins a user may have at a time.
const MAX_TOKENS: usize = 100;
/// What these tokens are called.
const TOKEN_NAME: &str = "sign-in";

/// What someone signs in with, and from where.
#[derive(Debug)]
pub(crate) struct Attempt {
    /// An e-mail address, in any case.
    pub(crate) name: String,
    pub(crate) password: Secret,
    /// Where the connection comes from.
    pub(crate) address: Option<IpAddr>,
    /// The users must be as of these positions or later.
    pub(crate) at_least: Vec<LogPosition>,
}

/// What became of a sign-in.
#[derive(Clone, Copy, Debug)]
enum Outcome {
    Success,
    Denied,
    /// The next one with this name has to wait.
    Delayed(Delay),
}

/// A token that was made for a user.
#[derive(Debug)]
pub(crate) struct SignedIn {
    pub(crate) token: Secret,
    pub(crate) expires_at: Timestamp,
    /// Where its making stands in the log.
    pub(crate) position: Option<LogPosition>,
}

/// What it takes to sign a user in. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct SignIn {
    bus: Arc<Bus>,
    reader: Arc<Reader>,
    commands: Commands,
    limits: Arc<Limits>,
    passwords: Arc<PasswordQueue>,
}

impl SignIn {
    pub(crate) fn new(bus: Arc<Bus>, reader: Arc<Reader>, limits: Arc<Limits>) -> Self {
        let commands = Commands::new(bus.clone(), reader.clone());
        Self { bus, reader, commands, limits, passwords: Arc::default() }
    }

    /// Makes a token for the user with this name and password.
    ///
    /// # Errors
    /// [`Refusal::TooMany`], [`Refusal::WrongPassword`], and whatever keeps the token from being made.
    pub(crate) async fn sign_in(&self, attempt: Attempt) -> Result<SignedIn, Refusal> {
        let Attempt { name, password, address, at_least } = attempt;
        self.limits.sign_in(address, &name)?;
        let refused_at = Instant::now() + REFUSED_AFTER;
        let question = UsersByEmail { email: name.clone() };
        let users = self.reader.ask(Ask { at_least, question }).await?.answer;
        let delay = self.limits.password(&name)?;
        match self.passwords.in_turn(move || verified(&password, users)).await? {
            Ok(user) => {
                self.limits.password_is_right(&name);
                // First, because a sign-in that cannot be recorded does not take place.
                self.record(&user, Outcome::Success, address).await?;
                self.token_for(&user).await
            }
            Err(users) => {
                if users.is_empty() {
                    // There is no account to record it in. The name is not told: people mistake it for the password.
                    warn!(address = address.map(display), "someone signs in with a name that nobody has");
                }
                for user in users {
                    // It is refused all the same; what went wrong is in the log.
                    let _ = self.record(&user, Outcome::Denied, address).await;
                    if let Some(delay) = delay {
                        let _ = self.record(&user, Outcome::Delayed(delay), address).await;
                    }
                }
                // From the beginning of the request on, so that how many users have the name, and how long their
                // passwords took, does not show in when the answer comes.
                sleep_until(refused_at).await;
                Err(Refusal::WrongPassword)
            }
        }
    }

    /// Counts an attempt, however it is made.
    ///
    /// # Errors
    /// [`Refusal::TooMany`].
    pub(crate) fn count(&self, address: Option<IpAddr>) -> Result<(), Refusal> {
        self.limits.sign_in_from(address)
    }

    /// Makes a token, and ends the user's oldest ones when they have too many.
    async fn token_for(&self, user: &UserOf) -> Result<SignedIn, Refusal> {
        let token = new_token(clock::random_bytes().map_err(|_| Refusal::Internal)?);
        let expires_at = now().and_then(|now| Timestamp::from_micros(now.micros() + TOKEN_LASTS_MICROS).ok());
        let expires_at = expires_at.ok_or(Refusal::Internal)?;
        let hash = TokenHash::of(token.reveal());
        let create = CreateToken {
            account: user.account.clone(),
            name: TOKEN_NAME.to_owned(),
            hash: hash.clone(),
            scopes: user.user.scopes.clone(),
            user_id: Some(user.user.id.clone()),
            expires_at: Some(expires_at),
            by: actor(user),
        };
        let Accepted { position, done: _ } = self.commands.send(&create).await.map_err(|refusal| match refusal {
            // The user was deleted a moment ago.
            Refusal::NotFound(_) => Refusal::WrongPassword,
            other => other,
        })?;
        if let Some(position) = position {
            // The client uses the token at once, without a word of how fresh the view must be.
            self.commands.wait_for(ByToken { hash }, position).await;
            self.end_oldest(user, position).await?;
        }
        Ok(SignedIn { token, expires_at, position })
    }

    /// Every sign-in does this once its own token is known, so that there are too many at no answer's time.
    async fn end_oldest(&self, user: &UserOf, known: LogPosition) -> Result<(), Refusal> {
        let (account, user_id) = (user.account.clone(), user.user.id.clone());
        let question = EndingTokens { account, user_id, after: now().ok_or(Refusal::Internal)? };
        let mut tokens = self.reader.ask(Ask { at_least: vec![known], question }).await?.answer;
        tokens.retain(|token| token.name == TOKEN_NAME);
        // They all last equally long, so those that end first are the oldest.
        let too_many = tokens.len().saturating_sub(MAX_TOKENS);
        for token in tokens.into_iter().take(too_many) {
            match self.end_token(user.account.clone(), token.id, actor(user)).await {
                // Another sign-in was faster.
                Ok(_) | Err(Refusal::UnknownToken) => {}
                Err(refusal) => return Err(refusal),
            }
        }
        Ok(())
    }

    /// Ends a token, for every gateway that has heard of it.
    ///
    /// # Errors
    /// [`Refusal::UnknownToken`] when it has ended before; others when it cannot be ended right now.
    pub(crate) async fn end_token(
        &self,
        account: AccountId,
        id: String,
        by: Actor,
    ) -> Result<Option<LogPosition>, Refusal> {
        // Any question to this view waits for it; this one is cheap.
        let question = ByToken { hash: TokenHash::of(&id) };
        let ended = self.commands.send(&DeleteToken { account, id, by }).await;
        let Accepted { position, done: () } = ended.map_err(|refusal| match refusal {
            Refusal::NotFound(_) => Refusal::UnknownToken,
            other => other,
        })?;
        if let Some(position) = position {
            self.commands.wait_for(question, position).await;
        }
        Ok(position)
    }

    /// Publishes what became of a sign-in, as an audit event of the user's account.
    async fn record(&self, user: &UserOf, outcome: Outcome, address: Option<IpAddr>) -> Result<(), Refusal> {
        let by = actor(user);
        let (event_type, status, meta) = match outcome {
            Outcome::Success => ("user.login", "success", None),
            Outcome::Denied => ("user.login", "denied", None),
            Outcome::Delayed(Delay { wrong, lasts }) => {
                let meta = json!({ "wrong_passwords": wrong, "delay_seconds": lasts.as_secs() });
                ("user.login.delay", "denied", Some(Json::from(&meta)))
            }
        };
        let data = Fields {
            event_type: Some(event_type.to_owned()),
            status: Some(status.to_owned()),
            actor_id: Some(by.id.clone()),
            actor_name: by.name,
            actor_email: by.email,
            resource_type: Some("user".to_owned()),
            resource_id: Some(by.id),
            meta,
            ip_address: address.map(|address| address.to_string()),
            ..Fields::default()
        };
        let (id, event) = sealed(&data).ok_or(Refusal::Internal)?;
        let published = self.bus.publish(message(&user.account, &id, Form::Single, event)).await;
        published.map(|_| ()).map_err(|failure| {
            error!(error = %chain(&failure), account = %user.account, status, "a sign-in is not recorded");
            LOG_UNREACHABLE
        })
    }
}

/// The first user whose password it is; else all of them. Blocks for as long as one verification takes, also when
/// there is nobody to verify it for.
fn verified(password: &Secret, users: Vec<UserOf>) -> Result<UserOf, Vec<UserOf>> {
    if users.is_empty() {
        let _ = vault::hash_password(password);
    }
    let fits = |found: &UserOf| vault::verify_password(password, &found.user.password_hash);
    let verdict = users.iter().position(fits);
    let mut users = users;
    match verdict {
        Some(index) => Ok(users.swap_remove(index)),
        None => Err(users),
    }
}

fn actor(user: &UserOf) -> Actor {
    let user = &user.user;
    Actor { id: user.id.clone(), name: Some(user.name.clone()), email: Some(user.email.clone()) }
}

fn now() -> Option<Timestamp> {
    Timestamp::from_micros(clock::now_micros()).ok()
}
