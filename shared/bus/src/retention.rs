//! How long the log keeps the messages of a stream, and how many bytes of them: what its operator decides.
//!
//! Invariant: it stands with the stream, on the server, and nowhere else: all processes and the server agree on it.

use std::num::NonZeroU64;
use std::time::Duration;

use async_nats::jetstream::ErrorCode;
use model::log::Stream;
use serde_json::{Value, json};

use crate::{Bus, StreamError};

/// How long messages are kept, and how many bytes of them. None: without a limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Retention {
    /// For this long after they were stored.
    pub age: Option<Duration>,
    /// So many bytes of them.
    pub bytes: Option<NonZeroU64>,
}

impl Retention {
    /// As the server has it: 0 and what is below 0 are no limit.
    pub(crate) fn new(age: Duration, bytes: i64) -> Self {
        let bytes = u64::try_from(bytes).ok().and_then(NonZeroU64::new);
        Self { age: Some(age).filter(|age| !age.is_zero()), bytes }
    }

    /// Whether less is kept than with another.
    #[must_use]
    pub fn keeps_less_than(&self, other: &Self) -> bool {
        fn is_less<T: Ord>(one: Option<T>, other: Option<T>) -> bool {
            one.is_some_and(|limit| other.is_none_or(|others| limit < others))
        }
        is_less(self.age, other.age) || is_less(self.bytes, other.bytes)
    }

    fn read(config: &Value) -> Self {
        let age = Duration::from_nanos(config["max_age"].as_u64().unwrap_or_default());
        Self::new(age, config["max_bytes"].as_i64().unwrap_or_default())
    }

    /// Changes a stream's configuration, an object in the server's own terms.
    fn write(&self, config: &mut Value) {
        let age = self.age.map_or(0, |age| u64::try_from(age.as_nanos()).unwrap_or(u64::MAX));
        config["max_age"] = age.into();
        config["max_bytes"] = self.bytes.map_or(json!(-1), |bytes| bytes.get().into());
        // The server refuses to remember ids for longer than it keeps messages.
        if age > 0 && config["duplicate_window"].as_u64().is_some_and(|window| window > age) {
            config["duplicate_window"] = age.into();
        }
    }
}

impl Bus {
    /// How much a stream keeps.
    ///
    /// # Errors
    /// [`StreamError`], also when there is no such stream.
    pub async fn retention(&self, stream: Stream) -> Result<Retention, StreamError> {
        Ok(Retention::read(&self.configuration(stream).await?))
    }

    /// Sets how much a stream keeps. The server forgets at once what is more.
    ///
    /// # Errors
    /// [`StreamError`], also when the server then keeps something else.
    pub async fn set_retention(&self, stream: Stream, wanted: Retention) -> Result<(), StreamError> {
        let name = stream.name();
        let mut config = self.configuration(stream).await?;
        wanted.write(&mut config);
        let changed = self.jetstream_api(name, &format!("STREAM.UPDATE.{name}"), &config).await?;
        let changed = changed.map_err(|refusal| refused(stream, &refusal))?;
        let found = Retention::read(&changed["config"]);
        if found == wanted {
            // Where ids were remembered for as short as messages were kept, they are remembered for longer now.
            return self.ensure_streams().await;
        }
        let (found, wanted) = (format!("{found:?}"), format!("{wanted:?}"));
        Err(StreamError::Differs { stream: name.to_owned(), setting: "retention".to_owned(), found, wanted })
    }

    /// A stream's configuration, in the server's own terms.
    async fn configuration(&self, stream: Stream) -> Result<Value, StreamError> {
        let found = self.stream_info(stream.name()).await?;
        Ok(found.map_err(|refusal| refused(stream, &refusal))?["config"].take())
    }
}

fn refused(stream: Stream, refusal: &async_nats::jetstream::Error) -> StreamError {
    let reason = if refusal.error_code() == ErrorCode::STREAM_NOT_FOUND {
        "it was not made yet: `flowtrail up` or `flowtrail streams` makes it".to_owned()
    } else {
        refusal.to_string()
    };
    StreamError::Refused { stream: stream.name().to_owned(), reason }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn less_is_kept_where_a_limit_is_lower_or_new() {
        let limit = |age: Option<u64>, bytes: Option<u64>| Retention {
            age: age.map(Duration::from_secs),
            bytes: bytes.and_then(NonZeroU64::new),
        };
        let now = limit(Some(10), None);
        assert!(limit(Some(9), None).keeps_less_than(&now));
        assert!(limit(Some(20), Some(5)).keeps_less_than(&now));
        assert!(!limit(Some(10), None).keeps_less_than(&now));
        assert!(!limit(None, None).keeps_less_than(&now));
    }
}
