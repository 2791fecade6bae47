//! The master key: 32 random bytes in a file that only its owner may read. It wraps every other key.

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chacha20poly1305::aead::Generate;
use chacha20poly1305::{Key, KeyInit, XChaCha20Poly1305};
use zeroize::Zeroizing;

use crate::seal::{self, DataKey, Owner, Unopenable, Unsealable};
use crate::transit::TransitKey;

/// The key that wraps the keys of integrations, and that configurations are sealed for on their way.
#[derive(Clone)]
pub struct MasterKey {
    wraps: XChaCha20Poly1305,
    transit: TransitKey,
}

/// Why there is no master key.
#[derive(Debug, thiserror::Error)]
pub enum MasterKeyError {
    /// The file cannot be read or written.
    #[error("read or make the master key file {path}")]
    File {
        /// The path that was given.
        path: PathBuf,
        /// What the system said.
        #[source]
        cause: std::io::Error,
    },
    /// The file holds something else.
    #[error("the master key file {path} must hold 32 bytes in base64")]
    Malformed {
        /// The path that was given.
        path: PathBuf,
    },
}

impl MasterKey {
    /// Reads the key in `path`; makes it, readable by its owner only, when there is no such file.
    ///
    /// # Errors
    /// When the file cannot be read or made, or holds no key.
    pub fn load_or_create(path: &Path) -> Result<Self, MasterKeyError> {
        let failed = |cause| MasterKeyError::File { path: path.to_owned(), cause };
        match create(path) {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(failed(error)),
        }
        let text = Zeroizing::new(fs::read_to_string(path).map_err(failed)?);
        let malformed = || MasterKeyError::Malformed { path: path.to_owned() };
        let bytes = Zeroizing::new(STANDARD.decode(text.trim()).map_err(|_| malformed())?);
        let cipher = XChaCha20Poly1305::new_from_slice(&bytes).map_err(|_| malformed())?;
        Ok(Self { wraps: cipher, transit: TransitKey::derive(&bytes) })
    }

    /// The key that opens what was sealed for the service that carries out commands.
    #[must_use]
    pub fn transit(&self) -> &TransitKey {
        &self.transit
    }

    /// Encrypts a data key, to be stored. It opens for `owner` only.
    ///
    /// # Errors
    /// When the system has no randomness to give.
    pub fn wrap(&self, key: &DataKey, owner: Owner<'_>) -> Result<Vec<u8>, Unsealable> {
        seal::encrypt(&self.wraps, key.bytes(), owner.context("key").as_bytes())
    }

    /// Decrypts a stored data key.
    ///
    /// # Errors
    /// When it was not wrapped by this master key for this owner.
    pub fn unwrap(&self, wrapped: &[u8], owner: Owner<'_>) -> Result<DataKey, Unopenable> {
        DataKey::from_bytes(&seal::decrypt(&self.wraps, wrapped, owner.context("key").as_bytes())?)
    }
}

impl std::fmt::Debug for MasterKey {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("MasterKey")
    }
}

/// How many drafts this process has begun.
static DRAFTS: AtomicU64 = AtomicU64::new(0);

/// Makes the file whole or not at all: a crash must not leave half a key.
fn create(path: &Path) -> std::io::Result<()> {
    if path.exists() {
        return Err(ErrorKind::AlreadyExists.into());
    }
    if let Some(directory) = path.parent() {
        fs::create_dir_all(directory)?;
    }
    let key = Key::try_generate().map_err(std::io::Error::other)?;
    // Of its own, as another process, or thread, may be doing the same.
    let draft = path.with_extension(format!("new-{}-{}", std::process::id(), DRAFTS.fetch_add(1, Ordering::Relaxed)));
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&draft)?;
    file.write_all(Zeroizing::new(STANDARD.encode(key)).as_bytes())?;
    file.write_all(b"\n")?;
    file.sync_all()?;
    // Unlike a rename, a link does not replace a key that another process made in the meantime.
    let linked = fs::hard_link(&draft, path);
    fs::remove_file(&draft)?;
    linked
}
