//! The first account: on an empty log, `main`, the user `admin@local` and an admin token are made.
//!
//! Every step is repeated at each start until it is in the log, and each is in the log at most once, so a crash
//! between two of them does no harm. Token and password are on disk before the log knows them.

use std::fs;
use std::path::{Path, PathBuf};

use bus::Bus;
use model::access::{Actor, Scope, TokenHash, new_token, user_id};
use model::command::{CreateAccount, CreateToken, CreateUser, Reason};
use model::log::{AccountId, Stream};
use model::secret::Secret;
use runtime::private_file;
use tracing::{info, warn};

use crate::access;
use crate::refusal::Refusal;

const ACCOUNT: &str = "main";
const ADMIN: &str = "admin@local";
/// The first token's id: as it is known beforehand, there can be only one.
const TOKEN_ID: &str = "first-admin";

/// What the first account is made with.
#[derive(Clone, Debug)]
pub struct Bootstrap {
    /// Where token and password are written.
    pub data_dir: PathBuf,
    /// The admin token; none: one is made.
    pub token: Option<Secret>,
    /// The password of `admin@local`; none: one is made.
    pub password: Option<Secret>,
}

/// Why the first account cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum BootstrapError {
    /// A file cannot be written or read.
    #[error("write {path}")]
    File {
        /// Where the token or the password was to stand.
        path: PathBuf,
        /// What the system said.
        #[source]
        cause: std::io::Error,
    },
    /// The given token cannot be sent in a header.
    #[error("FLOWTRAIL_BOOTSTRAP_TOKEN must be 8 or more visible ASCII characters without spaces")]
    BadToken,
    /// The log cannot be read.
    #[error("read the log")]
    Log(#[from] bus::LoadError),
    /// There is no randomness.
    #[error(transparent)]
    Randomness(#[from] runtime::clock::NoRandomness),
    /// The password cannot be hashed.
    #[error(transparent)]
    Password(#[from] vault::HashError),
    /// A command was refused.
    #[error("{0}")]
    Refused(String),
    /// A task failed.
    #[error("hash the password")]
    Task(#[from] tokio::task::JoinError),
}

/// Makes what is not in the log yet.
pub(crate) async fn ensure(bus: &Bus, first: &Bootstrap) -> Result<(), BootstrapError> {
    // An account's user and token subjects exist from the first start on, even when they were deleted since.
    let subjects = bus.subjects_below(Stream::Access, &format!("flowtrail.v1.access.{ACCOUNT}.>")).await?;
    let knows = |kind: &str, id: &str| subjects.contains(&format!("flowtrail.v1.access.{ACCOUNT}.{kind}.{id}"));
    let account = AccountId::escaped(ACCOUNT);
    let by = Actor::system();
    if !knows("account", ACCOUNT) {
        let name = "Main".to_owned();
        once(
            access::create_account(bus.clone(), CreateAccount { account: account.clone(), name, by: by.clone() }).await,
        )?;
    }
    let admin_id = user_id(ADMIN);
    let (token_file, password_file) = (first.data_dir.join("admin.token"), first.data_dir.join("admin.password"));
    if knows("user", &admin_id) {
        warn_if_late("FLOWTRAIL_BOOTSTRAP_PASSWORD", first.password.as_ref(), &password_file);
    } else {
        let password = match &first.password {
            Some(password) => password.clone(),
            None => new_token(runtime::clock::random_bytes()?),
        };
        // In the file first: a crash in between leaves a password that opens nothing, and the next start another. The
        // other way round it would leave a user whose password nobody has.
        let password = write_secret(&password_file, password)?;
        let password_hash = tokio::task::spawn_blocking(move || vault::hash_password(&password)).await??;
        let (email, name) = (ADMIN.to_owned(), "Administrator".to_owned());
        let scopes = [Scope::Admin].into_iter().collect();
        let command = CreateUser { account: account.clone(), email, name, password_hash, scopes, by: by.clone() };
        once(access::create_user(bus.clone(), command).await)?;
    }
    if knows("token", TOKEN_ID) {
        warn_if_late("FLOWTRAIL_BOOTSTRAP_TOKEN", first.token.as_ref(), &token_file);
    } else {
        let token = match &first.token {
            Some(token) => token.clone(),
            None => new_token(runtime::clock::random_bytes()?),
        };
        check_token(&token)?;
        let token = write_secret(&token_file, token)?;
        let command = CreateToken {
            account,
            name: "first admin token".to_owned(),
            hash: TokenHash::of(token.reveal()),
            scopes: [Scope::Admin].into_iter().collect(),
            user_id: Some(admin_id),
            expires_at: None,
            by,
        };
        once(access::create_token_as(bus, command, TOKEN_ID.to_owned()).await)?;
        info!(account = ACCOUNT, token_file = %token_file.display(), "made the first account, its user and its token");
    }
    Ok(())
}

/// Another process that starts on the same log may have been faster: then it is done.
fn once<T>(outcome: Result<T, Refusal>) -> Result<(), BootstrapError> {
    match outcome {
        Ok(_) => Ok(()),
        Err(Refusal { reason: Reason::Conflict, .. }) => Ok(()),
        Err(refusal) => Err(BootstrapError::Refused(refusal.message)),
    }
}

fn check_token(token: &Secret) -> Result<(), BootstrapError> {
    let text = token.reveal();
    if text.len() < 8 || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(BootstrapError::BadToken);
    }
    Ok(())
}

/// Says that a setting comes too late. One that still says what the first start was told stays there without harm.
fn warn_if_late(setting: &str, given: Option<&Secret>, file: &Path) {
    let Some(given) = given else { return };
    let is_first = fs::read_to_string(file).is_ok_and(|first| first.trim_end() == given.reveal());
    if !is_first {
        warn!(
            "{setting} changes nothing: the first account was made with another one; see `flowtrail token` and `flowtrail user`"
        );
    }
}

/// Writes a secret to a file that only its owner may read. The log does not know what stood there before.
fn write_secret(path: &Path, secret: Secret) -> Result<Secret, BootstrapError> {
    let failed = |cause| BootstrapError::File { path: path.to_owned(), cause };
    private_file::write(path, &format!("{}\n", secret.reveal())).map_err(failed)?;
    Ok(secret)
}
