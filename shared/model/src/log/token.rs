//! Subject tokens: what a part of a subject may look like, and how any text becomes one.

use sha2::{Digest, Sha256};

/// The most characters that a token may have.
const MAX_TOKEN_LENGTH: usize = 64;
const HASH_DIGITS: usize = 16;

/// Makes a subject token of any text, so that different texts have different tokens.
///
/// A text that is a token stands as it is. Of another one, the first 47 bytes stand with `_` for what a token may not
/// have, then `-` and the first 16 hexadecimal digits of the text's SHA-256.
#[must_use]
pub fn token(text: &str) -> String {
    if is_token(text) {
        return text.to_owned();
    }
    let safe = |byte: u8| if is_token_byte(byte) { char::from(byte) } else { '_' };
    let readable: String = text.bytes().take(MAX_TOKEN_LENGTH - 1 - HASH_DIGITS).map(safe).collect();
    let digest = Sha256::digest(text.as_bytes());
    let hash: String = digest.iter().take(HASH_DIGITS / 2).map(|byte| format!("{byte:02x}")).collect();
    format!("{readable}-{hash}")
}

/// Whether `text` matches `[A-Za-z0-9_-]{1,64}`.
pub(super) fn is_token(text: &str) -> bool {
    (1..=MAX_TOKEN_LENGTH).contains(&text.len()) && text.bytes().all(is_token_byte)
}

fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn different_texts_have_different_tokens_without_separators() {
        assert_eq!(token("peer-1"), "peer-1");
        assert_eq!(token("google-oauth2|1.*>"), "google-oauth2_1___-a53a35407719b3a5");
        let (long, longer) = ("x".repeat(65), "x".repeat(66));
        let tokens = ["", "a.b", "a_b", "a|b", &long, &longer].map(token);
        assert!(tokens.iter().all(|token| is_token(token)), "{tokens:?}");
        assert_eq!(tokens.iter().collect::<std::collections::HashSet<_>>().len(), tokens.len());
    }
}
