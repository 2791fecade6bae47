//! The streams as `nats/streams.json` defines them: made where they are missing, changed where they differ.
//!
//! Invariant: a setting that the server does not echo as asked for is refused. Older servers take settings silently
//! and do not honour them. What the file does not name (replicas, placement, byte limits) is the operator's, and so is,
//! once a stream is made, how long it keeps its messages: to put that back would delete what was to be kept.

use async_nats::jetstream::ErrorCode;
use async_nats::jetstream::response::Response;
use model::log::Stream;
use model::time::Timestamp;
use serde_json::{Map, Value, json};
use tracing::info;

use crate::connect::RECONNECTS_WITHIN;
use crate::{Bus, restored};

/// In the server's own terms; durations are nanoseconds.
const DEFINITIONS: &str = include_str!("../../../nats/streams.json");

/// What the file says of a stream that is made, and its operator of one that is there.
const OPERATORS: [&str; 2] = ["description", "max_age"];

/// Why the log is not as it must be.
#[derive(Debug, thiserror::Error)]
pub enum StreamError {
    /// The server holds another setting than was asked for, and does not say no.
    #[error("stream {stream}: {setting} is {found}, but must be {wanted}")]
    Differs {
        /// The stream's name in `nats/streams.json`.
        stream: String,
        /// The setting's name in `nats/streams.json`.
        setting: String,
        /// What the server has.
        found: String,
        /// What the file asks for.
        wanted: String,
    },
    /// The server refuses the stream as it is defined.
    #[error("stream {stream}: the server refuses its definition: {reason}")]
    Refused {
        /// The stream's name in `nats/streams.json`.
        stream: String,
        /// The server's words.
        reason: String,
    },
    /// A backup was to be restored into it, and that broke off or is under way.
    #[error("stream {stream}: it is not whole, as a restore of it broke off: let `flowtrail restore` do it again")]
    Unfinished {
        /// The stream's name in `nats/streams.json`.
        stream: String,
    },
    /// JetStream does not answer: it is off, unreachable, or this user may not ask it.
    #[error("stream {stream}: jetstream does not answer")]
    Unreachable {
        /// The stream's name in `nats/streams.json`.
        stream: String,
        /// The server's words, or that there are none in time.
        #[source]
        cause: crate::Cause,
    },
    /// `nats/streams.json` is not as it must be.
    #[error("nats/streams.json cannot be read: {0}")]
    Definitions(String),
}

impl Bus {
    /// Makes every stream that is missing, the key-value bucket of the keys included, changes those that differ from
    /// `nats/streams.json`, and checks what the server then holds. Where all is as it must be, it only looks, so a role
    /// without the right to change streams can call it too.
    ///
    /// # Errors
    /// [`StreamError`].
    pub async fn ensure_streams(&self) -> Result<(), StreamError> {
        let mut looked_at = Vec::new();
        for wanted in definitions(DEFINITIONS)? {
            let found = self.stream_info(&wanted.name).await?;
            looked_at.push((wanted.check_whole(found)?, wanted));
        }
        // Only now, as what a restore has not written back yet must not be there, and empty.
        for (found, wanted) in looked_at {
            self.ensure_stream(&wanted, found).await?;
        }
        Ok(())
    }

    /// Compares every stream with `nats/streams.json` and changes nothing; gives what was looked at, by name.
    ///
    /// # Errors
    /// When JetStream does not answer.
    pub async fn compare_streams(&self) -> Result<Vec<(String, Result<(), StreamError>)>, StreamError> {
        let mut compared = Vec::new();
        for wanted in definitions(DEFINITIONS)? {
            let found = self.stream_info(&wanted.name).await?;
            let is_right = wanted
                .check_whole(found)
                .and_then(|found| found.map_err(|refusal| wanted.refused(&refusal)))
                .and_then(|found| wanted.of_existing(&found).check(&found));
            compared.push((wanted.name, is_right));
        }
        Ok(compared)
    }

    /// What the server's clock shows, in microseconds since 1970; none where it does not say.
    ///
    /// # Errors
    /// [`StreamError`], also when there is no stream of audit events, at which it is asked.
    pub async fn server_time(&self) -> Result<Option<i64>, StreamError> {
        let name = Stream::Audit.name();
        let told = self.stream_info(name).await?;
        let told =
            told.map_err(|refusal| StreamError::Refused { stream: name.to_owned(), reason: refusal.to_string() })?;
        Ok(told["ts"].as_str().and_then(|time| time.parse::<Timestamp>().ok()).map(Timestamp::micros))
    }

    async fn ensure_stream(&self, wanted: &Definition, found: Found) -> Result<(), StreamError> {
        let name = &wanted.name;
        let found = match found {
            Ok(found) => found,
            Err(refusal) if refusal.error_code() == ErrorCode::STREAM_NOT_FOUND => {
                info!(stream = %name, "making the stream");
                let asked = Value::Object(wanted.settings.clone());
                let made = self.jetstream_api(name, &format!("STREAM.CREATE.{name}"), &asked).await?;
                return wanted.check(&made.map_err(|refusal| wanted.refused(&refusal))?);
            }
            Err(refusal) => return Err(wanted.refused(&refusal)),
        };
        let wanted = wanted.of_existing(&found);
        let Err(difference) = wanted.check(&found) else { return Ok(()) };
        info!(stream = %name, %difference, "changing the stream");
        let asked = wanted.over(&found);
        let changed = self.jetstream_api(name, &format!("STREAM.UPDATE.{name}"), &asked).await?;
        wanted.check(&changed.map_err(|refusal| wanted.refused(&refusal))?)
    }

    /// What the server says of a stream.
    pub(crate) async fn stream_info(&self, name: &str) -> Result<Found, StreamError> {
        self.jetstream_api(name, &format!("STREAM.INFO.{name}"), &json!({})).await
    }

    /// Asks JetStream's API in its own words: settings that the client library does not know must not get lost.
    pub(crate) async fn jetstream_api(
        &self,
        stream: &str,
        subject: &str,
        request: &Value,
    ) -> Result<Found, StreamError> {
        let unreachable = |cause: crate::Cause| StreamError::Unreachable { stream: stream.to_owned(), cause };
        if !self.link.up_within(RECONNECTS_WITHIN).await {
            return Err(unreachable("not connected".into()));
        }
        let response = self.jetstream.request(subject.to_owned(), request).await;
        match response.map_err(|error| unreachable(error.into()))? {
            Response::Ok(answer) => Ok(Ok(answer)),
            Response::Err { error } => Ok(Err(error)),
        }
    }
}

/// What the server says of a stream, or why it does not.
type Found = Result<Value, async_nats::jetstream::Error>;

/// One stream of the file.
#[derive(Debug)]
struct Definition {
    name: String,
    settings: Map<String, Value>,
}

fn definitions(file: &str) -> Result<Vec<Definition>, StreamError> {
    let listed: Vec<Map<String, Value>> =
        serde_json::from_str(file).map_err(|error| StreamError::Definitions(error.to_string()))?;
    let named = |settings: Map<String, Value>| {
        let name = settings.get("name").and_then(Value::as_str).map(str::to_owned);
        let name = name.ok_or_else(|| StreamError::Definitions("a stream has no name".to_owned()))?;
        Ok(Definition { name, settings })
    };
    listed.into_iter().map(named).collect()
}

impl Definition {
    /// What must hold of a stream that is there, as `found`.
    fn of_existing(&self, found: &Value) -> Self {
        let mut settings = self.settings.clone();
        settings.retain(|setting, _| !OPERATORS.contains(&setting.as_str()));
        // The server refuses to remember ids for longer than it keeps messages.
        let kept = found["config"]["max_age"].as_u64().filter(|age| *age > 0);
        if let (Some(window), Some(kept)) = (settings.get_mut("duplicate_window"), kept)
            && window.as_u64().is_some_and(|window| window > kept)
        {
            *window = kept.into();
        }
        Self { name: self.name.clone(), settings }
    }

    /// Hands on what the server says of the stream, unless a restore of it is not over.
    fn check_whole(&self, found: Found) -> Result<Found, StreamError> {
        if let Ok(answer) = &found
            && restored::is_unfinished(&answer["config"])
        {
            return Err(StreamError::Unfinished { stream: self.name.clone() });
        }
        Ok(found)
    }

    /// Compares what the server answered, an object with `config` in it, with what the file asks for.
    fn check(&self, answer: &Value) -> Result<(), StreamError> {
        for (setting, wanted) in &self.settings {
            let found = answer["config"].get(setting).unwrap_or(&Value::Null);
            let same = found == wanted || (found.is_null() && is_default(wanted));
            if !same {
                return Err(StreamError::Differs {
                    stream: self.name.clone(),
                    setting: setting.clone(),
                    found: found.to_string(),
                    wanted: wanted.to_string(),
                });
            }
        }
        Ok(())
    }

    /// The server's configuration with this file's settings on top: an update replaces the whole.
    fn over(&self, found: &Value) -> Value {
        let mut settings = found["config"].as_object().cloned().unwrap_or_default();
        settings.extend(self.settings.clone());
        Value::Object(settings)
    }

    fn refused(&self, refusal: &async_nats::jetstream::Error) -> StreamError {
        StreamError::Refused { stream: self.name.clone(), reason: refusal.to_string() }
    }
}

/// Whether the server leaves the setting out of what it echoes.
fn is_default(wanted: &Value) -> bool {
    matches!(wanted, Value::Null | Value::Bool(false)) || wanted.as_u64() == Some(0)
}

#[cfg(test)]
mod tests;
