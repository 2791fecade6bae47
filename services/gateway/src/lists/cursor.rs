//! Cursors: a place in a list that a client gets and sends back, and can neither read nor change.
//!
//! Invariant: a cursor is good for the list, account and filter it was made for, and for nothing else.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use bus::{Bus, KeyError};
use hmac::{Hmac, KeyInit, Mac};
use model::log::AccountId;
use model::paging::RowPosition;
use model::time::Timestamp;
use runtime::clock;
use serde::Serialize;
use sha2::Sha256;

use crate::render::refusal::Refusal;

/// The name of the key in the bucket of keys. Every gateway finds it there, so a cursor is good at each of them.
const KEY_NAME: &str = "gateway-cursor";
const KEY_LENGTH: usize = 32;
const VERSION: u8 = 1;
const TIME_LENGTH: usize = 8;
const TAG_LENGTH: usize = 16;

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The bucket of keys cannot be reached.
    #[error("reach the bucket of keys")]
    Keys(#[from] KeyError),
    /// What is there is no key: somebody else wrote it.
    #[error("the key {KEY_NAME} in the bucket of keys is damaged: delete it, and the next start makes another one")]
    Damaged,
    /// The system gives no randomness to make one of.
    #[error("make a key")]
    NoRandomness(#[from] clock::NoRandomness),
}

/// The key that signs cursors.
pub struct Key([u8; KEY_LENGTH]);

impl std::fmt::Debug for Key {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Key(****)")
    }
}

/// What a cursor is bound to.
pub(crate) struct Binding {
    /// Everything, each part behind its length.
    bytes: Vec<u8>,
}

impl Binding {
    /// A list of an account under a filter.
    ///
    /// # Errors
    /// [`Refusal::Internal`] when the filter cannot be written.
    pub(crate) fn new<F: Serialize>(list: &str, account: &AccountId, filter: &F) -> Result<Self, Refusal> {
        let filter = serde_json::to_vec(filter).map_err(|_| Refusal::Internal)?;
        // The lengths keep apart what would be the same run together: `ab` and `c`, `a` and `bc`.
        let mut bytes = Vec::new();
        for part in [list.as_bytes(), account.as_str().as_bytes(), &filter] {
            bytes.extend_from_slice(&(part.len() as u64).to_be_bytes());
            bytes.extend_from_slice(part);
        }
        Ok(Self { bytes })
    }
}

impl Key {
    /// A key of these bytes.
    #[must_use]
    pub fn new(bytes: [u8; KEY_LENGTH]) -> Self {
        Self(bytes)
    }

    /// The key that all gateways share; made by the first of them.
    ///
    /// # Errors
    /// When the keys cannot be reached.
    pub(crate) async fn load(bus: &Bus) -> Result<Self, LoadError> {
        let keys = bus.keys();
        loop {
            if let Some(bytes) = keys.get(KEY_NAME).await? {
                return bytes.as_ref().try_into().map(Self).map_err(|_| LoadError::Damaged);
            }
            let bytes: [u8; KEY_LENGTH] = clock::random_bytes()?;
            match keys.create(KEY_NAME, bytes.to_vec().into()).await {
                Ok(()) => return Ok(Self(bytes)),
                // Another gateway was faster: its key is the one.
                Err(KeyError::Exists { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// The cursor that stands for a place in the list.
    pub(crate) fn seal(&self, binding: &Binding, position: &RowPosition) -> String {
        let time = position.time.to_sortable();
        let tag = self.mac(binding, time, &position.id).finalize().into_bytes();
        let parts = [&[VERSION], time.as_slice(), &tag[..TAG_LENGTH], position.id.as_bytes()];
        BASE64_URL_SAFE_NO_PAD.encode(parts.concat())
    }

    /// The place that a cursor stands for.
    ///
    /// # Errors
    /// When it was not made with this key for this list, account and filter.
    pub(crate) fn open(&self, binding: &Binding, cursor: &str) -> Result<RowPosition, Refusal> {
        self.opened(binding, cursor).ok_or_else(|| {
            Refusal::field("cursor", "must be one that was given for this list, with the same filter and account")
        })
    }

    fn opened(&self, binding: &Binding, cursor: &str) -> Option<RowPosition> {
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(cursor).ok()?;
        let (version, rest) = bytes.split_first()?;
        let (time, rest) = rest.split_first_chunk::<TIME_LENGTH>()?;
        let (tag, id) = rest.split_first_chunk::<TAG_LENGTH>()?;
        let id = std::str::from_utf8(id).ok()?;
        // In constant time, so that a tag cannot be guessed byte by byte.
        self.mac(binding, *time, id).verify_truncated_left(tag).ok()?;
        (*version == VERSION).then(|| RowPosition { time: Timestamp::from_sortable(*time), id: id.to_owned() })
    }

    fn mac(&self, binding: &Binding, time: [u8; TIME_LENGTH], id: &str) -> Hmac<Sha256> {
        // HMAC fills a key that is shorter than a block up with zeros; so long it is taken without a check.
        let mut block = [0; 64];
        block[..KEY_LENGTH].copy_from_slice(&self.0);
        let mut mac = Hmac::<Sha256>::new(&block.into());
        mac.update(&binding.bytes);
        mac.update(&time);
        mac.update(id.as_bytes());
        mac
    }
}

#[cfg(test)]
mod tests;
