//! Where the log is. The way to an own nats-server, with the password that it wants, stands in `<data>/nats.url`.
//!
//! Invariant: that file, which only its owner may read, is the one place where the password is in clear; the server's
//! configuration has a hash of it.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::Context;
use model::secret::Secret;
use runtime::clock::random_bytes;
use runtime::private_file;
use runtime::settings::Settings;

/// The one user of the own nats-server, who may do everything.
const USER: &str = "flowtrail";
/// As the password is random, nobody can try all that it might be, however fast one is tried: so the least work that
/// there is, which connections wait for.
const HASH_COST: u32 = 4;

/// Where the way to the own nats-server stands.
pub(crate) fn file(data_dir: &Path) -> PathBuf {
    data_dir.join("nats.url")
}

/// The NATS server that commands other than `up` talk to: the one that is set, else the own one of the data folder.
///
/// # Errors
/// When the folder is somebody else's.
pub(crate) fn of_log(settings: &Settings) -> anyhow::Result<String> {
    if let Some(url) = &settings.nats_url {
        return Ok(url.clone());
    }
    let path = file(&settings.data_dir);
    match fs::read_to_string(&path) {
        Ok(url) => Ok(url.trim().to_owned()),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(without_password(settings.nats_port)),
        Err(error) => Err(error).with_context(|| {
            format!(
                "read {}, which its owner alone may; FLOWTRAIL_NATS_URL names another way to the log",
                path.display()
            )
        }),
    }
}

/// The own nats-server's URL as it may be shown.
pub(crate) fn without_password(port: u16) -> String {
    format!("nats://127.0.0.1:{port}")
}

/// What the own nats-server asks of those who connect.
pub(crate) struct Credentials(Secret);

impl Credentials {
    /// Those of the data folder, and where it has none yet, new ones: they stay, so that publishers who were given the
    /// URL once can go on. The port in the file becomes the one of this start.
    ///
    /// # Errors
    /// When the file cannot be read or written.
    pub(crate) fn keep(data_dir: &Path, port: u16) -> anyhow::Result<Self> {
        let path = file(data_dir);
        let before = match fs::read_to_string(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                return Err(error).with_context(|| format!("read {}", path.display()));
            }
            read => read.unwrap_or_default(),
        };
        let credentials = Self(match password_in(before.trim()) {
            Some(password) => Secret::new(password.to_owned()),
            None => new_password()?,
        });
        let url = credentials.url(port);
        private_file::write(&path, &format!("{url}\n")).with_context(|| format!("write {}", path.display()))?;
        Ok(credentials)
    }

    /// The server's URL, for those who may use it.
    pub(crate) fn url(&self, port: u16) -> String {
        format!("nats://{USER}:{}@127.0.0.1:{port}", self.0.reveal())
    }

    /// What the server's configuration says of them.
    ///
    /// # Errors
    /// When the system has no randomness to give.
    pub(crate) fn configuration(&self) -> anyhow::Result<String> {
        let hash = bcrypt::hash_with_salt(self.0.reveal(), HASH_COST, random_bytes()?);
        let hash = hash.context("hash the password of the own nats-server")?;
        Ok(format!("authorization {{\n  user: {USER}\n  password: \"{hash}\"\n}}\n"))
    }
}

/// The password in a URL that [`Credentials::url`] has made.
fn password_in(url: &str) -> Option<&str> {
    let (user, _) = url.strip_prefix("nats://")?.split_once('@')?;
    let password = user.strip_prefix(USER)?.strip_prefix(':')?;
    let is_whole = !password.is_empty() && password.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_whole.then_some(password)
}

/// 160 random bits, in characters that stand in a URL as they are.
fn new_password() -> anyhow::Result<Secret> {
    let random: [u8; 20] = random_bytes()?;
    Ok(Secret::new(random.iter().map(|byte| format!("{byte:02x}")).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_keeps_its_password_and_tells_the_port_of_the_last_start() {
        let folder = tempfile::tempdir().unwrap();
        let first = Credentials::keep(folder.path(), 4222).unwrap().url(4222);
        let again = Credentials::keep(folder.path(), 5222).unwrap().url(5222);
        assert_eq!(again, first.replace(":4222", ":5222"));
        assert_eq!(fs::read_to_string(file(folder.path())).unwrap(), format!("{again}\n"));
        let other = tempfile::tempdir().unwrap();
        assert_ne!(Credentials::keep(other.path(), 4222).unwrap().url(4222), first);
    }

    #[test]
    fn what_is_no_url_of_ours_has_no_password() {
        for text in ["", "nats://127.0.0.1:4222", "nats://flowtrail:@127.0.0.1:4222", "nats://flowtrail:a$b@127.0.0.1"]
        {
            assert_eq!(password_in(text), None, "{text}");
        }
    }
}
