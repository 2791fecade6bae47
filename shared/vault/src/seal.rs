//! Sealing: XChaCha20-Poly1305 with a random nonce, bound to whom and what the secret is for.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chacha20poly1305::aead::{Aead, Generate, Payload};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce};
use model::integration::Ciphertext;
use model::log::AccountId;
use model::secret::Secret;
use zeroize::Zeroizing;

const NONCE_BYTES: usize = 24;
const KEY_BYTES: usize = 32;

/// The integration that a key belongs to.
#[derive(Clone, Copy, Debug)]
pub struct Owner<'a> {
    /// Its account.
    pub account: &'a AccountId,
    /// Its id.
    pub id: u64,
}

/// What was sealed does not open: another key, another owner or field, or damage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the sealed value cannot be opened")]
pub struct Unopenable;

/// A value cannot be sealed: the system has no randomness to give.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a value cannot be sealed: the system gives no randomness")]
pub struct Unsealable;

/// The key of one integration.
pub struct DataKey(Zeroizing<[u8; KEY_BYTES]>);

impl DataKey {
    /// A new random key.
    ///
    /// # Errors
    /// When the system has no randomness to give.
    pub fn generate() -> Result<Self, Unsealable> {
        Ok(Self(Zeroizing::new(<[u8; KEY_BYTES]>::try_generate().map_err(|_| Unsealable)?)))
    }

    pub(crate) fn from_bytes(bytes: &[u8]) -> Result<Self, Unopenable> {
        Ok(Self(Zeroizing::new(bytes.try_into().map_err(|_| Unopenable)?)))
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        self.0.as_slice()
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new((&*self.0).into())
    }

    /// Seals a secret for one field of one integration.
    ///
    /// # Errors
    /// When the system has no randomness to give.
    pub fn seal(&self, owner: Owner<'_>, field: &str, secret: &Secret) -> Result<Ciphertext, Unsealable> {
        let sealed = encrypt(&self.cipher(), secret.reveal().as_bytes(), owner.context(field).as_bytes())?;
        Ok(Ciphertext(STANDARD.encode(sealed)))
    }

    /// Opens what was sealed for this field of this integration.
    ///
    /// # Errors
    /// When it was sealed for another one, or is damaged.
    pub fn open(&self, owner: Owner<'_>, field: &str, sealed: &Ciphertext) -> Result<Secret, Unopenable> {
        let bytes = STANDARD.decode(sealed.sealed()).map_err(|_| Unopenable)?;
        let mut plain = decrypt(&self.cipher(), &bytes, owner.context(field).as_bytes())?;
        let text = String::from_utf8(std::mem::take(&mut *plain)).map_err(|_| Unopenable)?;
        Ok(Secret::new(text))
    }
}

impl std::fmt::Debug for DataKey {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("DataKey")
    }
}

impl Owner<'_> {
    /// The name that its key is kept under. The number is the last part, so no two integrations share a name.
    #[must_use]
    pub fn key_name(self) -> String {
        format!("integration-{}-{}", self.account, self.id)
    }

    /// Whose key has a name that [`Owner::key_name`] has made; none: something else is kept under it.
    #[must_use]
    pub fn in_key_name(name: &str) -> Option<(AccountId, u64)> {
        let (account, id) = name.strip_prefix("integration-")?.rsplit_once('-')?;
        Some((AccountId::parse(account).ok()?, id.parse().ok()?))
    }

    /// What a sealed value is bound to. Account and id hold no slash, so no two contexts are equal.
    pub(crate) fn context(self, field: &str) -> String {
        format!("flowtrail/{}/{}/{field}", self.account, self.id)
    }
}

/// Nonce, then ciphertext.
pub(crate) fn encrypt(cipher: &XChaCha20Poly1305, plain: &[u8], context: &[u8]) -> Result<Vec<u8>, Unsealable> {
    // 24 random bytes are so many that no two values of a key ever share a nonce, without anyone having to count.
    let nonce = XNonce::try_generate().map_err(|_| Unsealable)?;
    // It takes up to 256 GiB, so it is the nonce alone that can be missing.
    let sealed = cipher.encrypt(&nonce, Payload { msg: plain, aad: context }).map_err(|_| Unsealable)?;
    Ok([nonce.as_slice(), &sealed].concat())
}

pub(crate) fn decrypt(
    cipher: &XChaCha20Poly1305,
    sealed: &[u8],
    context: &[u8],
) -> Result<Zeroizing<Vec<u8>>, Unopenable> {
    let (nonce, sealed) = sealed.split_at_checked(NONCE_BYTES).ok_or(Unopenable)?;
    let nonce = XNonce::try_from(nonce).map_err(|_| Unopenable)?;
    let plain = cipher.decrypt(&nonce, Payload { msg: sealed, aad: context }).map_err(|_| Unopenable)?;
    Ok(Zeroizing::new(plain))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MasterKey;

    fn secret() -> Secret {
        Secret::new("hunter2".to_owned())
    }

    #[test]
    fn a_sealed_value_opens_only_where_it_belongs() {
        let (main, other) = (AccountId::parse("main").unwrap(), AccountId::parse("other").unwrap());
        let owner = Owner { account: &main, id: 1 };
        let key = DataKey::generate().unwrap();
        let sealed = key.seal(owner, "api_key", &secret()).unwrap();
        assert_eq!(key.open(owner, "api_key", &sealed), Ok(secret()));
        assert_eq!(key.open(owner, "api_key", &Ciphertext(format!("Bearer {}", sealed.0))), Ok(secret()));
        assert_eq!(key.open(owner, "secret_key", &sealed), Err(Unopenable));
        assert_eq!(key.open(Owner { account: &main, id: 2 }, "api_key", &sealed), Err(Unopenable));
        assert_eq!(key.open(Owner { account: &other, id: 1 }, "api_key", &sealed), Err(Unopenable));
        assert_eq!(DataKey::generate().unwrap().open(owner, "api_key", &sealed), Err(Unopenable));
        assert_eq!(key.open(owner, "api_key", &Ciphertext("AAAA".into())), Err(Unopenable));
    }

    #[test]
    fn the_same_secret_never_looks_the_same_twice() {
        let main = AccountId::parse("main").unwrap();
        let owner = Owner { account: &main, id: 1 };
        let key = DataKey::generate().unwrap();
        assert_ne!(key.seal(owner, "f", &secret()).unwrap(), key.seal(owner, "f", &secret()).unwrap());
    }

    #[test]
    fn the_name_of_a_key_tells_its_owner() {
        let account = AccountId::parse("a-1").unwrap();
        let name = Owner { account: &account, id: 7 }.key_name();
        assert_eq!(Owner::in_key_name(&name), Some((account, 7)));
        for other in ["gateway-cursor", "integration-main", "integration-main-x", "integration--1"] {
            assert_eq!(Owner::in_key_name(other), None, "{other}");
        }
    }

    #[test]
    fn a_key_unwraps_by_its_master_key_after_a_restart() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("master.key");
        let main = AccountId::parse("main").unwrap();
        let owner = Owner { account: &main, id: 7 };
        let key = DataKey::generate().unwrap();
        let wrapped = MasterKey::load_or_create(&path).unwrap().wrap(&key, owner).unwrap();
        let again = MasterKey::load_or_create(&path).unwrap().unwrap(&wrapped, owner).unwrap();
        assert_eq!(again.bytes(), key.bytes());
        let foreign = MasterKey::load_or_create(&directory.path().join("other.key")).unwrap();
        assert!(foreign.unwrap(&wrapped, owner).is_err());
    }

    #[test]
    fn those_who_make_the_master_key_at_once_have_the_same_one() {
        for _ in 0..20 {
            let directory = tempfile::tempdir().unwrap();
            let path = directory.path().join("keys/master.key");
            let keys: Vec<String> = std::thread::scope(|scope| {
                let load = || MasterKey::load_or_create(&path).unwrap().transit().lock().to_string();
                let threads: Vec<_> = (0..8).map(|_| scope.spawn(load)).collect();
                threads.into_iter().map(|thread| thread.join().unwrap()).collect()
            });
            assert!(keys.iter().all(|key| *key == keys[0]), "{keys:?}");
            assert_eq!(std::fs::read_dir(path.parent().unwrap()).unwrap().count(), 1, "no draft is left");
        }
    }

    #[cfg(unix)]
    #[test]
    fn only_its_owner_may_read_the_master_key() {
        use std::os::unix::fs::PermissionsExt;
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("keys/master.key");
        MasterKey::load_or_create(&path).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
}
