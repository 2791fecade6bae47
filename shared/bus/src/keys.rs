//! The key-value bucket `FLOWTRAIL_KEYS`: keys that are made, read and erased for good.
//!
//! Invariant: a key is not overwritten by another one, because the server only forgets an overwritten value, while an erased
//! one has its bytes overwritten on disk. To change a key is to make one of another name and to erase the first. What is
//! replaced is how the same key is wrapped.

use async_nats::HeaderMap;
use async_nats::header;
use async_nats::jetstream::ErrorCode;
use async_nats::jetstream::context::GetStreamErrorKind;
use async_nats::jetstream::stream::{InfoError, LastRawMessageErrorKind, Stream};
use bytes::Bytes;
use futures_util::TryStreamExt;

use crate::erase::is_gone;
use crate::publish::Unacknowledged;
use crate::{Bus, PublishError};

/// The stream behind the bucket.
pub const KEYS_STREAM: &str = "KV_FLOWTRAIL_KEYS";
const BUCKET_SUBJECT: &str = "$KV.FLOWTRAIL_KEYS";

/// The bucket. Made by [`Bus::keys`]; cheap to clone.
#[derive(Clone, Debug)]
pub struct Keys(Bus);

/// Why a key could not be made, read or erased.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// There is a key of this name, with other bytes.
    #[error("there is already a key {name}")]
    Exists {
        /// The name that both have.
        name: String,
    },
    /// The name is not made of `A-Z a-z 0-9 _ -`.
    #[error("no name for a key: {name:?}")]
    BadName {
        /// As it was given.
        name: String,
    },
    /// There is no bucket (any more).
    #[error("the bucket of keys is gone from the log")]
    NoBucket,
    /// The bucket cannot be reached right now.
    #[error("the keys cannot be reached")]
    Unreachable(#[source] crate::Cause),
}

impl Bus {
    /// The keys that protect integration secrets.
    #[must_use]
    pub fn keys(&self) -> Keys {
        Keys(self.clone())
    }
}

impl Keys {
    /// Stores a new key. Doing so again with the same bytes changes nothing.
    ///
    /// # Errors
    /// [`KeyError`].
    pub async fn create(&self, name: &str, bytes: Bytes) -> Result<(), KeyError> {
        let mut headers = HeaderMap::new();
        headers.insert(header::NATS_EXPECTED_LAST_SUBJECT_SEQUENCE, "0");
        let sent = self.0.send_raw(self.put_subject(name)?, headers, bytes.clone()).await.map_err(unreachable)?;
        match self.0.acknowledged(sent).await {
            Ok(_) => Ok(()),
            Err(Unacknowledged::WrongLastSequence) if self.get(name).await? == Some(bytes) => Ok(()),
            Err(Unacknowledged::WrongLastSequence) => Err(KeyError::Exists { name: name.to_owned() }),
            Err(Unacknowledged::DuplicateInBatch) => Err(KeyError::Unreachable("duplicate".into())),
            // Nobody answers where there is no stream, as where its server is away for a moment.
            Err(Unacknowledged::Other(error)) => {
                Err(if self.is_gone().await { KeyError::NoBucket } else { unreachable(error) })
            }
        }
    }

    /// Puts other bytes in the place of those under a name.
    ///
    /// # Errors
    /// [`KeyError`]; `Exists` where somebody else was faster.
    pub async fn replace(&self, name: &str, bytes: Bytes) -> Result<(), KeyError> {
        let before = self.find(name).await?.map_or(0, |(sequence, _)| sequence);
        let mut headers = HeaderMap::new();
        headers.insert(header::NATS_EXPECTED_LAST_SUBJECT_SEQUENCE, before.to_string().as_str());
        let sent = self.0.send_raw(self.put_subject(name)?, headers, bytes).await.map_err(unreachable)?;
        match self.0.acknowledged(sent).await {
            Ok(_) => Ok(()),
            Err(Unacknowledged::WrongLastSequence) => Err(KeyError::Exists { name: name.to_owned() }),
            Err(Unacknowledged::DuplicateInBatch) => Err(KeyError::Unreachable("duplicate".into())),
            // Nobody answers where there is no stream, as where its server is away for a moment.
            Err(Unacknowledged::Other(error)) => {
                Err(if self.is_gone().await { KeyError::NoBucket } else { unreachable(error) })
            }
        }
    }

    /// Whether there is a bucket.
    ///
    /// # Errors
    /// [`KeyError`].
    pub async fn is_there(&self) -> Result<bool, KeyError> {
        self.0.reachable().await.map_err(unreachable)?;
        match self.0.jetstream.get_stream(KEYS_STREAM).await {
            Ok(_) => Ok(true),
            Err(error) if is_missing(&error.kind()) => Ok(false),
            Err(error) => Err(KeyError::Unreachable(error.into())),
        }
    }

    /// The key's bytes; `None` when there is none of this name (any more).
    ///
    /// # Errors
    /// [`KeyError`].
    pub async fn get(&self, name: &str) -> Result<Option<Bytes>, KeyError> {
        let found = self.find(name).await?;
        // What other clients of the bucket leave behind when they delete a key is an empty message.
        Ok(found.map(|(_, bytes)| bytes).filter(|bytes| !bytes.is_empty()))
    }

    /// Removes the key for good: its bytes are overwritten on disk. Without such a key nothing happens.
    ///
    /// # Errors
    /// [`KeyError`]; the key may then be there or not, so erase it again.
    pub async fn erase(&self, name: &str) -> Result<(), KeyError> {
        while let Some((sequence, _)) = self.find(name).await? {
            match self.stream().await?.delete_message(sequence).await {
                Ok(_) => {}
                Err(error) if is_gone(&error.kind()) => {}
                Err(error) => return Err(KeyError::Unreachable(error.into())),
            }
        }
        Ok(())
    }

    /// The names of all keys, in order. Other clients of the bucket leave some behind that have no key any more.
    ///
    /// # Errors
    /// [`KeyError`].
    pub async fn names(&self) -> Result<Vec<String>, KeyError> {
        let unreachable = |error: InfoError| KeyError::Unreachable(error.into());
        let filter = format!("{BUCKET_SUBJECT}.>");
        let found = self.stream().await?.info_with_subjects(filter).await.map_err(unreachable)?;
        let subjects: Vec<String> = found.map_ok(|(subject, _)| subject).try_collect().await.map_err(unreachable)?;
        let names = subjects.iter().filter_map(|subject| subject.strip_prefix(BUCKET_SUBJECT)?.strip_prefix('.'));
        let mut names: Vec<String> = names.map(str::to_owned).collect();
        names.sort_unstable();
        Ok(names)
    }

    /// What a key is published on. A leaf node keeps what is published on the bucket's own subjects to itself, as it may have
    /// such a bucket, too: nats-server 2.15.1, `findings/nats-leaf-domain-key-put.sh`.
    fn put_subject(&self, name: &str) -> Result<String, KeyError> {
        let subject = subject(name)?;
        Ok(if self.0.is_in_domain() { format!("{}.{subject}", self.0.api) } else { subject })
    }

    /// Asks the leader and no replica: an erased key must not be seen again, a new one must be.
    async fn find(&self, name: &str) -> Result<Option<(u64, Bytes)>, KeyError> {
        let found = self.stream().await?.get_last_raw_message_by_subject(&subject(name)?).await;
        match found {
            Ok(message) => Ok(Some((message.sequence, message.payload))),
            Err(error) if error.kind() == LastRawMessageErrorKind::NoMessageFound => Ok(None),
            Err(error) if is_no_stream(&error.kind()) => Err(KeyError::NoBucket),
            Err(error) => Err(KeyError::Unreachable(error.into())),
        }
    }

    /// Whether it is certain that there is no bucket.
    async fn is_gone(&self) -> bool {
        self.is_there().await.is_ok_and(|is_there| !is_there)
    }

    async fn stream(&self) -> Result<Stream<()>, KeyError> {
        self.0.reachable().await.map_err(unreachable)?;
        let stream = self.0.jetstream.get_stream_no_info(KEYS_STREAM).await;
        stream.map_err(|error| KeyError::Unreachable(error.into()))
    }
}

/// Whether the server knows no such stream.
fn is_missing(kind: &GetStreamErrorKind) -> bool {
    matches!(kind, GetStreamErrorKind::JetStream(refusal) if refusal.error_code() == ErrorCode::STREAM_NOT_FOUND)
}

/// The same of an answer to who asks for a message.
fn is_no_stream(kind: &LastRawMessageErrorKind) -> bool {
    matches!(kind, LastRawMessageErrorKind::JetStream(refusal) if refusal.error_code() == ErrorCode::STREAM_NOT_FOUND)
}

fn subject(name: &str) -> Result<String, KeyError> {
    let is_fit = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    if name.is_empty() || !name.bytes().all(is_fit) {
        return Err(KeyError::BadName { name: name.to_owned() });
    }
    Ok(format!("{BUCKET_SUBJECT}.{name}"))
}

fn unreachable(error: PublishError) -> KeyError {
    KeyError::Unreachable(error.into())
}
