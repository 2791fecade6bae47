//! The one place where time and randomness come from.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::sync::watch;
use ulid::Ulid;

/// Where a program that waits for hours takes the time from, so that a test need not. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub enum Clock {
    /// The system's time.
    #[default]
    System,
    /// A time that stands still until it is moved.
    Simulated(Simulated),
}

/// The time of a test. Clones share it.
#[derive(Clone, Debug)]
pub struct Simulated(watch::Sender<i64>);

impl Clock {
    /// Microseconds since 1970.
    #[must_use]
    pub fn now_micros(&self) -> i64 {
        match self {
            Self::System => now_micros(),
            Self::Simulated(simulated) => *simulated.0.borrow(),
        }
    }

    /// Waits.
    pub async fn sleep(&self, duration: Duration) {
        match self {
            Self::System => tokio::time::sleep(duration).await,
            Self::Simulated(simulated) => simulated.sleep(duration).await,
        }
    }
}

impl Simulated {
    /// A clock that shows `micros` since 1970.
    #[must_use]
    pub fn at(micros: i64) -> Self {
        Self(watch::Sender::new(micros))
    }

    /// Moves the time on.
    pub fn advance(&self, duration: Duration) {
        self.0.send_modify(|now| *now = now.saturating_add(micros(duration)));
    }

    /// How many wait for the time to move on.
    #[must_use]
    pub fn sleepers(&self) -> usize {
        self.0.receiver_count()
    }

    async fn sleep(&self, duration: Duration) {
        let mut time = self.0.subscribe();
        let end = time.borrow_and_update().saturating_add(micros(duration));
        // It ends by an error when the sender is gone, which `self` is.
        let _ = time.wait_for(|now| *now >= end).await;
    }
}

fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

/// Microseconds since 1970.
#[must_use]
pub fn now_micros() -> i64 {
    #[expect(clippy::disallowed_methods, reason = "this is the clock")]
    // A clock that is set before 1970 shows 1970, and one past the year 294,000 stands still: neither is worth an error in
    // every caller.
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
