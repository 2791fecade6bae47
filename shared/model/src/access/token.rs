//! Tokens: `ft_` + 160 random bits in base62 + a checksum, so that leaked ones can be recognised.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::secret::Secret;

const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// 160 bits need 27 digits to the base 62, a checksum of 32 bits needs 6.
const RANDOM_DIGITS: usize = 27;
const CHECKSUM_DIGITS: usize = 6;

/// The SHA-256 of a token, in hexadecimal: all that is kept of it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct TokenHash(String);

impl TokenHash {
    /// Plain SHA-256 without salt: a token is 160 random bits, which nobody guesses.
    #[must_use]
    pub fn of(token: &str) -> Self {
        Self(hexadecimal(&Sha256::digest(token.as_bytes())))
    }

    /// 64 hexadecimal digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Makes a token of 160 random bits.
#[must_use]
pub fn new_token(random: [u8; 20]) -> Secret {
    let body = base62(&random, RANDOM_DIGITS);
    let checksum = base62(&crc32fast::hash(body.as_bytes()).to_be_bytes(), CHECKSUM_DIGITS);
    Secret::new(format!("ft_{body}{checksum}"))
}

/// The first 128 bits of a SHA-256, in hexadecimal.
pub(super) fn fingerprint(bytes: &[u8]) -> String {
    hexadecimal(&Sha256::digest(bytes)[..16])
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Writes a big-endian number with exactly `digits` digits to the base 62.
fn base62(number: &[u8], digits: usize) -> String {
    let mut number = number.to_vec();
    let mut text = vec![b'0'; digits];
    for digit in text.iter_mut().rev() {
        let mut remainder = 0_usize;
        for byte in &mut number {
            let value = (remainder << 8) | usize::from(*byte);
            // Both fit: the remainder is below 62, so the quotient is below 256.
            *byte = u8::try_from(value / 62).unwrap_or(u8::MAX);
            remainder = value % 62;
        }
        *digit = ALPHABET[remainder];
    }
    text.into_iter().map(char::from).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base62_writes_known_numbers() {
        assert_eq!(base62(&[0], 2), "00");
        assert_eq!(base62(&[61], 2), "0z");
        assert_eq!(base62(&[1, 0], 2), "48");
        assert_eq!(base62(&u32::MAX.to_be_bytes(), 6), "4gfFC3");
    }

    #[test]
    fn a_token_has_its_form_and_its_checksum() {
        let token = new_token([0xff; 20]);
        let text = token.reveal();
        assert_eq!(text.len(), 3 + RANDOM_DIGITS + CHECKSUM_DIGITS);
        let (body, checksum) = text[3..].split_at(RANDOM_DIGITS);
        assert_eq!(checksum, base62(&crc32fast::hash(body.as_bytes()).to_be_bytes(), CHECKSUM_DIGITS));
        assert_ne!(new_token([0; 20]), token);
    }
}
