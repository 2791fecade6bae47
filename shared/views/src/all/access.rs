//! The access view: accounts, users and tokens as they are now, and whom a token stands for.

use model::access::{Actor, Bearer, Event as Happened, Principal, Scope, Scopes, TokenHash, user_id};
use model::event::Event;
use model::json::Json;
use model::log::{AccountId, Stream};
use model::time::Timestamp;
use serde::{Deserialize, Serialize};

use crate::canonical::of_value;
use crate::error::Error;
use crate::key;
use crate::logged::Logged;
use crate::question::{Asked, Question, Views};
use crate::store::{Batch, Layout};
use crate::view::{DumpAs, Facts, Refused, View};
use crate::watch::Watch;

/// The view.
pub const VIEW: View = View::of(&Facts {
    name: "access",
    streams: &[Stream::Access],
    owns_dead_letters_of: &[Stream::Access],
    layout: Layout::BY_KEY,
    draft: None,
    project,
    dump: DumpAs::Keys(canonical),
});

pub(super) const QUESTIONS: &[Asked] = &[
    Asked::of::<ByToken>(),
    Asked::of::<AccountById>(),
    Asked::of::<Accounts>(),
    Asked::of::<Users>(),
    Asked::of::<Tokens>(),
    Asked::of::<UsersByEmail>(),
    Asked::of::<EndingTokens>(),
];

const ACCOUNT: u8 = b'a';
const USER: u8 = b'u';
const TOKEN: u8 = b't';
/// Leads from a token's hash to what was issued: a key that does not start with an account, because a request
/// with a token does not say which account it is of. It stays when the token is deleted, so that its use can be recorded.
const HASH: &[u8] = b"\0hash/";
/// Leads from a user's id to the accounts that have them, for the same reason: a sign-in names no account.
const USER_ACCOUNTS: &[u8] = b"\0user-accounts/";
/// Leads to a user's tokens that end, those that end first before the others.
const ENDING: u8 = b'e';

/// Applies an access event.
fn project(batch: &mut Batch, logged: Logged<'_>) -> Result<(), Refused> {
    let Event::Access(recorded) = logged.event else { return Ok(()) };
    let row = |kind| key::key(logged.account, kind, &[recorded.id.as_bytes()]);
    let created_at = recorded.time;
    match &recorded.event {
        Happened::AccountCreated(data) => {
            let account = Account { id: logged.account.clone(), name: data.name.clone(), created_at };
            batch.put(key::prefix(logged.account, ACCOUNT), &account)?;
        }
        Happened::UserCreated(data) => {
            let (email, name, password_hash) = (data.email.clone(), data.name.clone(), data.password_hash.clone());
            let everything = || [Scope::Admin].into_iter().collect();
            let scopes = data.scopes.clone().unwrap_or_else(everything);
            batch.put(user_account_key(&recorded.id, logged.account), logged.account)?;
            batch.put(row(USER), &User { id: recorded.id.clone(), email, name, password_hash, scopes, created_at })?;
        }
        Happened::UserChanged(data) => {
            if let Some(user) = batch.row::<User>(&row(USER))? {
                batch.put(row(USER), &User { scopes: data.scopes.clone(), ..user })?;
            }
        }
        Happened::UserDeleted(_) => {
            batch.remove(user_account_key(&recorded.id, logged.account));
            batch.remove(row(USER));
        }
        Happened::TokenCreated(data) => {
            let token = Token {
                id: recorded.id.clone(),
                name: data.name.clone(),
                hash: data.hash.clone(),
                scopes: data.scopes.clone(),
                user_id: data.user_id.clone(),
                expires_at: data.expires_at,
                created_at,
            };
            let (account, user_id) = (logged.account.clone(), token.user_id.clone());
            batch.put(hash_key(&token.hash), &Issued { account, id: token.id.clone(), user_id })?;
            if let Some(key) = ending_key(logged.account, &token) {
                batch.put(key, &token.id)?;
            }
            batch.put(row(TOKEN), &token)?;
        }
        // It names nobody who may come in, and nobody else stands here.
        Happened::PersonErased(_) => {}
        Happened::TokenDeleted(_) => {
            if let Some(token) = batch.row::<Token>(&row(TOKEN))? {
                if let Some(key) = ending_key(logged.account, &token) {
                    batch.remove(key);
                }
                batch.remove(row(TOKEN));
            }
        }
    }
    Ok(())
}

/// What a token's hash leads to.
#[derive(Serialize, Deserialize)]
struct Issued {
    account: AccountId,
    id: String,
    user_id: Option<String>,
}

fn hash_key(hash: &TokenHash) -> Vec<u8> {
    [HASH, hash.as_str().as_bytes()].concat()
}

fn user_account_key(user_id: &str, account: &AccountId) -> Vec<u8> {
    [&user_accounts(user_id), account.as_str().as_bytes()].concat()
}

/// User ids hold no zero byte, so it ends them.
fn user_accounts(user_id: &str) -> Vec<u8> {
    [USER_ACCOUNTS, user_id.as_bytes(), &[0]].concat()
}

fn ending_key(account: &AccountId, token: &Token) -> Option<Vec<u8>> {
    let (user_id, end) = (token.user_id.as_ref()?, token.expires_at?);
    Some([endings(account, user_id).as_slice(), &end.to_sortable(), token.id.as_bytes()].concat())
}

fn endings(account: &AccountId, user_id: &str) -> Vec<u8> {
    key::key(account, ENDING, &[user_id.as_bytes(), &[0]])
}

/// An account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// Its id.
    pub id: AccountId,
    /// Its name for people.
    pub name: String,
    /// When it was made.
    pub created_at: Timestamp,
}

/// A user.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    /// Their id.
    pub id: String,
    /// What they sign in with.
    pub email: String,
    /// Their name.
    pub name: String,
    /// The argon2id hash of their password, as a PHC string.
    pub password_hash: String,
    /// The most that they may do.
    pub scopes: Scopes,
    /// When they were made.
    pub created_at: Timestamp,
}

impl std::fmt::Debug for User {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("User").field("id", &self.id).field("email", &self.email).finish_non_exhaustive()
    }
}

/// A token, by what is kept of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Token {
    /// Its id.
    pub id: String,
    /// What it is for.
    pub name: String,
    /// Its SHA-256.
    pub hash: TokenHash,
    /// What it allows.
    pub scopes: Scopes,
    /// The user it belongs to.
    pub user_id: Option<String>,
    /// When it ends.
    pub expires_at: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
}

/// Whom a token stands for, also when its time is over, or stood for; none when it is unknown.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ByToken {
    /// The token's SHA-256.
    pub hash: TokenHash,
}

impl Question for ByToken {
    type Answer = Option<Bearer>;
    const PATH: &'static str = "access.by_token";
    const WATCH: Option<Watch<Self, Self::Answer>> = None;

    fn view(&self) -> View {
        VIEW
    }

    fn account(&self) -> Option<&AccountId> {
        None
    }

    fn answers_inline(&self, _: &Views) -> bool {
        true
    }

    fn answer(&self, views: &Views) -> Result<Option<Bearer>, Error> {
        let store = views.slot(VIEW).store();
        let Some(issued) = store.row::<Issued>(&hash_key(&self.hash))? else { return Ok(None) };
        let Issued { account, id, user_id } = issued;
        let token: Option<Token> = store.row(&key::key(&account, TOKEN, &[id.as_bytes()]))?;
        let user: Option<User> = match &user_id {
            Some(user_id) => store.row(&key::key(&account, USER, &[user_id.as_bytes()]))?,
            None => None,
        };
        // A user who is gone takes their tokens along.
        let is_orphan = user_id.is_some() && user.is_none();
        let most = user.as_ref().map(|user| user.scopes.clone());
        let actor = match (user, user_id) {
            (Some(user), _) => Actor { id: user.id, name: Some(user.name), email: Some(user.email) },
            (None, Some(user_id)) => Actor { id: user_id, name: None, email: None },
            (None, None) => {
                let name = token.as_ref().map(|token| token.name.clone());
                Actor { id: format!("token:{id}"), name, email: None }
            }
        };
        let Some(token) = token.filter(|_| !is_orphan) else {
            return Ok(Some(Bearer::Former { account, token_id: id, actor }));
        };
        let scopes = most.map_or_else(|| token.scopes.clone(), |most| token.scopes.within(&most));
        let (token_id, expires_at) = (Some(id), token.expires_at);
        Ok(Some(Bearer::Current(Principal { account, token_id, scopes, expires_at, actor })))
    }
}

/// An account; none when there is none of this id.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct AccountById {
    /// The account's id.
    pub account: AccountId,
}

impl Question for AccountById {
    type Answer = Option<Account>;
    const PATH: &'static str = "access.account";
    const WATCH: Option<Watch<Self, Self::Answer>> = None;

    fn view(&self) -> View {
        VIEW
    }

    fn account(&self) -> Option<&AccountId> {
        Some(&self.account)
    }

    fn answers_inline(&self, _: &Views) -> bool {
        true
    }

    fn answer(&self, views: &Views) -> Result<Option<Account>, Error> {
        views.slot(VIEW).store().row(&key::prefix(&self.account, ACCOUNT))
    }
}

/// Every account.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Accounts;

impl Question for Accounts {
    type Answer = Vec<Account>;
    const PATH: &'static str = "access.accounts";
    const WATCH: Option<Watch<Self, Self::Answer>> = None;

    fn view(&self) -> View {
        VIEW
    }

    fn account(&self) -> Option<&AccountId> {
        None
    }

    fn answer(&self, views: &Views) -> Result<Vec<Account>, Error> {
        let mut accounts = Vec::new();
        for entry in views.slot(VIEW).store().range(vec![1]..) {
            let (key, value) = entry?;
            if key::split(&key).is_some_and(|(_, kind, _)| kind == ACCOUNT) {
                accounts.push(postcard::from_bytes(&value)?);
            }
        }
        Ok(accounts)
    }
}

/// The users of an account.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Users {
    /// Which account.
    pub account: AccountId,
}

impl Question for Users {
    type Answer = Vec<User>;
    const PATH: &'static str = "access.users";
    const WATCH: Option<Watch<Self, Self::Answer>> = None;

    fn view(&self) -> View {
        VIEW
    }

    fn account(&self) -> Option<&AccountId> {
        Some(&self.account)
    }

    fn answer(&self, views: &Views) -> Result<Vec<User>, Error> {
        rows_below(views, &key::prefix(&self.account, USER))
    }
}

/// The tokens of an account.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Tokens {
    /// Which account.
    pub account: AccountId,
}

impl Question for Tokens {
    type Answer = Vec<Token>;
    const PATH: &'static str = "access.tokens";
    const WATCH: Option<Watch<Self, Self::Answer>> = None;

    fn view(&self) -> View {
        VIEW
    }

    fn account(&self) -> Option<&AccountId> {
        Some(&self.account)
    }

    fn answer(&self, views: &Views) -> Result<Vec<Token>, Error> {
        rows_below(views, &key::prefix(&self.account, TOKEN))
    }
}

/// A user with the account that has them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserOf {
    /// The account.
    pub account: AccountId,
    /// The user.
    pub user: User,
}

/// The users with an address, over all accounts: one in an account, in the order of the accounts' ids.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct UsersByEmail {
    /// The address, in any case.
    pub email: String,
}

impl Question for UsersByEmail {
    type Answer = Vec<UserOf>;
    const PATH: &'static str = "access.users_by_email";
    const WATCH: Option<Watch<Self, Self::Answer>> = None;

    fn view(&self) -> View {
        VIEW
    }

    fn account(&self) -> Option<&AccountId> {
        None
    }

    fn answer(&self, views: &Views) -> Result<Vec<UserOf>, Error> {
        let store = views.slot(VIEW).store();
        let id = user_id(&self.email);
        let mut users = Vec::new();
        for entry in store.scan(&user_accounts(&id)) {
            let account: AccountId = postcard::from_bytes(&entry?.1)?;
            if let Some(user) = store.row(&key::key(&account, USER, &[id.as_bytes()]))? {
                users.push(UserOf { account, user });
            }
        }
        Ok(users)
    }
}

/// The tokens of a user that end, and have not ended: those that end first before the others.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct EndingTokens {
    /// In which account.
    pub account: AccountId,
    /// The user's id.
    pub user_id: String,
    /// Those that end after this.
    pub after: Timestamp,
}

impl Question for EndingTokens {
    type Answer = Vec<Token>;
    const PATH: &'static str = "access.ending_tokens";
    const WATCH: Option<Watch<Self, Self::Answer>> = None;

    fn view(&self) -> View {
        VIEW
    }

    fn account(&self) -> Option<&AccountId> {
        Some(&self.account)
    }

    fn answer(&self, views: &Views) -> Result<Vec<Token>, Error> {
        let store = views.slot(VIEW).store();
        let prefix = endings(&self.account, &self.user_id);
        let after = u64::from_be_bytes(self.after.to_sortable()).saturating_add(1);
        let from = [prefix.as_slice(), &after.to_be_bytes()].concat();
        let mut tokens = Vec::new();
        for entry in store.range(from..key::end_of(&prefix)) {
            let id: String = postcard::from_bytes(&entry?.1)?;
            tokens.extend(store.row(&key::key(&self.account, TOKEN, &[id.as_bytes()]))?);
        }
        Ok(tokens)
    }
}

fn rows_below<T: serde::de::DeserializeOwned>(views: &Views, prefix: &[u8]) -> Result<Vec<T>, Error> {
    let store = views.slot(VIEW).store();
    store.scan(prefix).map(|entry| Ok(postcard::from_bytes(&entry?.1)?)).collect()
}

/// A row of this view as JSON, for its dump.
fn canonical(kind: u8, value: &[u8]) -> Result<Option<Json>, Error> {
    match kind {
        ACCOUNT => of_value::<Account>(value),
        USER => of_value::<User>(value),
        TOKEN => of_value::<Token>(value),
        _ => Ok(None),
    }
}
