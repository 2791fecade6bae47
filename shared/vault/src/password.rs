//! Password hashes: argon2id with the library's recommended cost, as PHC strings.

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use model::secret::Secret;

/// A password cannot be hashed.
#[derive(Debug, thiserror::Error)]
#[error("hash the password: {0}")]
pub struct HashError(String);

/// Hashes a password with a random salt. Takes tens of milliseconds of processor time, on purpose.
///
/// # Errors
/// When the system has no randomness to give.
pub fn hash_password(password: &Secret) -> Result<String, HashError> {
    let hash = Argon2::default().hash_password(password.reveal().as_bytes());
    hash.map(|hash| hash.to_string()).map_err(|error| HashError(error.to_string()))
}

/// Whether a password is the one of a hash, which none is when the hash cannot be read. Takes as long as hashing.
#[must_use]
pub fn verify_password(password: &Secret, hash: &str) -> bool {
    let Ok(hash) = PasswordHash::new(hash) else { return false };
    Argon2::default().verify_password(password.reveal().as_bytes(), &hash).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_is_argon2id_and_verifies_its_password_only() {
        let hash = hash_password(&Secret::new("correct horse".to_owned())).unwrap();
        assert!(hash.starts_with("$argon2id$"), "{hash}");
        let verify = |password: &str, hash: &str| verify_password(&Secret::new(password.to_owned()), hash);
        assert!(verify("correct horse", &hash));
        assert!(!verify("wrong", &hash));
        assert!(!verify("", &hash));
        assert!(!verify("correct horse", "no hash"));
    }
}
