//! The one place where time and randomness come from.

use std::time::{SystemTime, UNIX_EPOCH};

use ulid::Ulid;

/// Microseconds since 1970.
#[must_use]
pub fn now_micros() -> i64 {
    #[expect(clippy::disallowed_methods, reason = "this is the clock")]
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since_1970.as_micros()).unwrap_or(i64::MAX)
}

/// A new id that sorts by the time it was made.
///
/// # Errors
/// When the system has no randomness to give.
pub fn new_ulid() -> Result<Ulid, NoRandomness> {
    let random = u128::from_be_bytes(random_bytes()?);
    let millis = u64::try_from(now_micros() / 1000).unwrap_or_default();
    Ok(Ulid::from_parts(millis, random & ((1 << Ulid::RAND_BITS) - 1)))
}

/// Random bytes from the system, good enough for keys.
///
/// # Errors
/// When the system has none to give.
pub fn random_bytes<const N: usize>() -> Result<[u8; N], NoRandomness> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(NoRandomness)?;
    Ok(bytes)
}

/// The system gives no randomness.
#[derive(Debug)]
pub struct NoRandomness(getrandom::Error);

impl std::fmt::Display for NoRandomness {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("the system gives no randomness")
    }
}

impl std::error::Error for NoRandomness {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.0)
    }
}
