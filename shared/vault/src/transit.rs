//! Sealing for the way: what anybody may seal for the service that carries out commands, and only those who have the
//! master key can open. HPKE (RFC 9180) in its base mode, with X25519, HKDF-SHA256 and ChaCha20-Poly1305.
//!
//! Invariant: what was sealed for one account opens for no other.

use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hpke::aead::ChaCha20Poly1305;
use hpke::kdf::HkdfSha256;
use hpke::kem::X25519HkdfSha256;
use hpke::{Deserializable, Kem, OpModeR, OpModeS, Serializable};
use model::log::AccountId;
use zeroize::Zeroizing;

use crate::seal::{Unopenable, Unsealable};

type PrivateKey = <X25519HkdfSha256 as Kem>::PrivateKey;
type PublicKey = <X25519HkdfSha256 as Kem>::PublicKey;
type Encapsulated = <X25519HkdfSha256 as Kem>::EncappedKey;

/// What sealed values are for: nothing that is sealed for another purpose opens here.
const PURPOSE: &[u8] = b"flowtrail/commands/1";

/// What opens.
#[derive(Clone)]
pub struct TransitKey(PrivateKey);

/// What seals, as it is handed out: base64 of an X25519 public key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TransitLock(PublicKey);

/// The text is no key that something can be sealed with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the sealing key is not the base64 of an X25519 public key")]
pub struct BadLock;

impl TransitKey {
    /// The key that belongs to 32 secret bytes: all who have those have the same.
    #[must_use]
    pub fn derive(secret: &[u8]) -> Self {
        let secret = Zeroizing::new([PURPOSE, secret].concat());
        Self(X25519HkdfSha256::derive_keypair(&secret).0)
    }

    /// What seals for this key.
    #[must_use]
    pub fn lock(&self) -> TransitLock {
        TransitLock(X25519HkdfSha256::sk_to_pk(&self.0))
    }

    /// Opens what was sealed for this key and account.
    ///
    /// # Errors
    /// When it was sealed for another, or is damaged.
    pub fn open(&self, account: &AccountId, sealed: &str) -> Result<Zeroizing<Vec<u8>>, Unopenable> {
        let sealed = STANDARD.decode(sealed).map_err(|_| Unopenable)?;
        let (key, sealed) = sealed.split_at_checked(Encapsulated::size()).ok_or(Unopenable)?;
        let key = Encapsulated::from_bytes(key).map_err(|_| Unopenable)?;
        let opened = hpke::single_shot_open::<ChaCha20Poly1305, HkdfSha256, X25519HkdfSha256>(
            &OpModeR::Base,
            &self.0,
            &key,
            PURPOSE,
            sealed,
            account.as_str().as_bytes(),
        );
        opened.map(Zeroizing::new).map_err(|_| Unopenable)
    }
}

impl fmt::Debug for TransitKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("TransitKey")
    }
}

impl TransitLock {
    /// Seals for the key that this belongs to, and for an account: base64 of the encapsulated key and the ciphertext.
    ///
    /// # Errors
    /// When the key is one that nothing can be sealed with.
    pub fn seal(&self, account: &AccountId, plain: &[u8]) -> Result<String, Unsealable> {
        let sealed = hpke::single_shot_seal::<ChaCha20Poly1305, HkdfSha256, X25519HkdfSha256>(
            &OpModeS::Base,
            &self.0,
            PURPOSE,
            plain,
            account.as_str().as_bytes(),
        );
        let (key, sealed) = sealed.map_err(|_| Unsealable)?;
        Ok(STANDARD.encode([key.to_bytes().as_slice(), &sealed].concat()))
    }
}

impl fmt::Display for TransitLock {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&STANDARD.encode(self.0.to_bytes()))
    }
}

impl FromStr for TransitLock {
    type Err = BadLock;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bytes = STANDARD.decode(text).map_err(|_| BadLock)?;
        PublicKey::from_bytes(&bytes).map(Self).map_err(|_| BadLock)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(id: &str) -> AccountId {
        AccountId::parse(id).unwrap()
    }

    #[test]
    fn what_is_sealed_opens_for_its_key_and_account_only() {
        let (key, main) = (TransitKey::derive(&[7; 32]), account("main"));
        let lock: TransitLock = key.lock().to_string().parse().unwrap();
        let sealed = lock.seal(&main, b"hunter2").unwrap();
        assert_eq!(key.open(&main, &sealed).unwrap().as_slice(), b"hunter2");
        assert_eq!(TransitKey::derive(&[7; 32]).open(&main, &sealed).unwrap().as_slice(), b"hunter2");
        assert_eq!(key.open(&account("other"), &sealed), Err(Unopenable));
        assert_eq!(TransitKey::derive(&[8; 32]).open(&main, &sealed), Err(Unopenable));
        for broken in ["", "AAAA", "no base64", &sealed[..sealed.len() - 4], &format!("AAAA{sealed}")] {
            assert_eq!(key.open(&main, broken), Err(Unopenable), "{broken}");
        }
    }

    #[test]
    fn the_same_secret_never_looks_the_same_twice() {
        let lock = TransitKey::derive(&[7; 32]).lock();
        assert_ne!(lock.seal(&account("main"), b"x").unwrap(), lock.seal(&account("main"), b"x").unwrap());
    }

    #[test]
    fn what_is_no_key_seals_nothing() {
        for text in ["", "AAAA", "not base64", &format!("{}AAAA", TransitKey::derive(&[7; 32]).lock())] {
            assert_eq!(text.parse::<TransitLock>(), Err(BadLock), "{text}");
        }
        // A point that every key agrees on the same secret with.
        let weak: Result<TransitLock, _> = STANDARD.encode([0; 32]).parse();
        assert!(weak.is_err() || weak.unwrap().seal(&account("main"), b"x").is_err());
    }
}
