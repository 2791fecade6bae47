//! The storage behind a view: one sled tree in a directory of its own, written in batches with their checkpoints.
//!
//! Lists of many rows stand in it in columns, everything else by key.

use std::collections::BTreeMap;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use model::log::Stream;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::{Error, View, columns};

/// Changes when what is stored changes its form: a view of another format is rebuilt.
const FORMAT: u32 = 9;
/// What stays free on the disk, for what sled writes besides.
const RESERVED_BYTES: u64 = 64 << 20;
/// How often sled may write what it is given, before it has cleaned up.
const REWRITES: u64 = 4;
/// Keys that start with a zero byte belong to no account.
const FORMAT_KEY: &[u8] = b"\0format";
const CHECKPOINT_PREFIX: &[u8] = b"\0checkpoint/";

/// How far a view has read a stream.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkpoint {
    /// The last message taken in.
    pub sequence: u64,
    /// That message's fingerprint, by which a lost or rolled-back log is noticed.
    pub fingerprint: String,
    /// When the stream was created, in microseconds since 1970: another time is another stream.
    pub stream_created: i64,
}

/// Memory for what was read from disk, of all views together.
#[derive(Clone, Debug)]
pub(crate) struct Caches {
    /// Columns and rows of all lists, so that memory goes to those that are asked for.
    rows: Arc<segments::Cache>,
    /// For the tree of each view. Columns are cached as they are read, so the trees need little beside them.
    tree_bytes: u64,
}

impl Caches {
    /// Shares `bytes` of memory out.
    pub(crate) fn new(bytes: u64) -> Self {
        // What is left is for what the caches keep beside the bytes that they count.
        Self { rows: Arc::new(segments::Cache::new(bytes / 8 * 5)), tree_bytes: bytes / 16 }
    }
}

/// One generation of one view on disk.
#[derive(Debug)]
pub struct Store {
    view: View,
    tree: sled::Db,
    rows: segments::Store,
    directory: PathBuf,
    is_obsolete: AtomicBool,
}

impl Store {
    /// Opens the store in `directory`, making it if need be.
    ///
    /// # Errors
    /// When it cannot be opened; [`sled::Error::Corruption`] when it is damaged or of another format.
    pub(crate) fn open(directory: &Path, view: View, caches: &Caches) -> Result<Self, Error> {
        let config = sled::Config::new()
            .path(directory)
            .cache_capacity(caches.tree_bytes)
            .mode(sled::Mode::HighThroughput)
            .flush_every_ms(Some(500));
        let tree = config.open()?;
        let rows = segments::Store::new(
            Deref::deref(&tree).clone(),
            caches.rows.clone(),
            view.schema(),
            segments::Options::default(),
        );
        let store = Self { view, tree, rows, directory: directory.to_owned(), is_obsolete: AtomicBool::new(false) };
        match store.tree.get(FORMAT_KEY)? {
            Some(format) if *format == FORMAT.to_be_bytes() => {}
            Some(_) => return Err(sled::Error::Corruption { at: None, bt: () }.into()),
            None => {
                store.tree.insert(FORMAT_KEY, &FORMAT.to_be_bytes())?;
            }
        }
        Ok(store)
    }

    /// How far the view has read each stream.
    ///
    /// # Errors
    /// When the storage fails.
    pub fn checkpoints(&self) -> Result<BTreeMap<Stream, Checkpoint>, Error> {
        let mut checkpoints = BTreeMap::new();
        for entry in self.tree.scan_prefix(CHECKPOINT_PREFIX) {
            let (key, value) = entry?;
            let name = String::from_utf8_lossy(&key[CHECKPOINT_PREFIX.len()..]);
            if let Ok(stream) = name.parse() {
                checkpoints.insert(stream, postcard::from_bytes(&value)?);
            }
        }
        Ok(checkpoints)
    }

    /// The last message of a stream that the view has taken in; 0 before the first.
    fn reached(&self, stream: Stream) -> Result<u64, Error> {
        let checkpoint: Option<Checkpoint> = self.row(&checkpoint_key(stream))?;
        Ok(checkpoint.map_or(0, |checkpoint| checkpoint.sequence))
    }

    /// The rows that stand in columns.
    pub(crate) fn rows(&self) -> &segments::Store {
        &self.rows
    }

    /// The value under `key`.
    pub(crate) fn get(&self, key: &[u8]) -> Result<Option<sled::IVec>, Error> {
        Ok(self.tree.get(key)?)
    }

    /// The row under `key`.
    pub(crate) fn row<T: DeserializeOwned>(&self, key: &[u8]) -> Result<Option<T>, Error> {
        self.get(key)?.map(|value| Ok(postcard::from_bytes(&value)?)).transpose()
    }

    /// All that lies in a range of keys.
    pub(crate) fn range(&self, range: impl std::ops::RangeBounds<Vec<u8>>) -> sled::Iter {
        self.tree.range(range)
    }

    /// All that starts with `prefix`.
    pub(crate) fn scan(&self, prefix: &[u8]) -> sled::Iter {
        self.tree.scan_prefix(prefix)
    }

    /// Fails while the disk is too full to take a batch in. sled, once a write has failed, writes nothing until it is
    /// opened anew; so the disk is never filled to its end.
    fn has_room_for(&self, bytes: u64) -> Result<(), Error> {
        let disk = rustix::fs::statvfs(&self.directory).map_err(std::io::Error::from)?;
        let free = disk.f_bavail.saturating_mul(disk.f_frsize);
        if free < RESERVED_BYTES.saturating_add(bytes.saturating_mul(REWRITES)) {
            return Err(Error::Full { free });
        }
        Ok(())
    }

    /// Reads what is asked for most into free memory, for some milliseconds. To be called again and again while there is
    /// nothing else to do.
    ///
    /// # Errors
    /// When the storage fails.
    pub fn read_ahead(&self) -> Result<(), Error> {
        /// Their columns take about ten milliseconds.
        const SEGMENTS: usize = 4;
        self.rows.read_ahead(SEGMENTS)?;
        Ok(())
    }

    /// Whether something can be written.
    #[must_use]
    pub fn has_room(&self) -> bool {
        self.has_room_for(0).is_ok()
    }

    /// Bytes on disk.
    ///
    /// # Errors
    /// When the storage fails.
    pub fn size_on_disk(&self) -> Result<u64, Error> {
        Ok(self.tree.size_on_disk()?)
    }

    /// Forgets what was written last by messages before `sequence` of the stream that the view forgets with, as the log
    /// has forgotten them: as far as whole segments were written then, so of an account's rows the newest 81,920 stay
    /// in any case. What is from other streams stays.
    ///
    /// # Errors
    /// When the storage fails or the disk is full; nothing is forgotten then.
    pub fn forget(&self, sequence: u64) -> Result<(), Error> {
        let mut writer = self.rows.writer();
        let mut account = columns::next_account(self, "")?;
        while let Some(known) = account {
            writer.forget(&columns::table_of(&known), sequence, self.view.stays())?;
            account = columns::next_account(self, &known)?;
        }
        let mut rows = writer.prepare()?;
        self.write(rows.changes())?;
        rows.publish();
        Ok(())
    }

    /// Writes changes, all or none.
    fn write(&self, changes: impl Iterator<Item = segments::Change>) -> Result<(), Error> {
        let mut batch = sled::Batch::default();
        let mut bytes = 0;
        for (key, value) in changes {
            bytes += key.len() + value.as_ref().map_or(0, Vec::len);
            match value {
                Some(value) => batch.insert(key, value),
                None => batch.remove(key),
            }
        }
        self.has_room_for(bytes as u64)?;
        self.tree.apply_batch(batch)?;
        Ok(())
    }

    /// Writes everything to disk.
    ///
    /// # Errors
    /// When the storage fails.
    pub fn flush(&self) -> Result<(), Error> {
        self.tree.flush()?;
        Ok(())
    }

    /// Its directory is removed as soon as nobody reads it any more.
    pub fn retire(&self) {
        self.is_obsolete.store(true, Ordering::Relaxed);
    }
}

fn checkpoint_key(stream: Stream) -> Vec<u8> {
    [CHECKPOINT_PREFIX, stream.name().as_bytes()].concat()
}

impl Drop for Store {
    fn drop(&mut self) {
        if !self.is_obsolete.load(Ordering::Relaxed) {
            return;
        }
        if let Err(error) = std::fs::remove_dir_all(&self.directory) {
            tracing::warn!(directory = %self.directory.display(), %error, "an old generation of a view stays on disk");
        }
    }
}

/// Changes to a store that become visible and durable together. Reads through it see its own changes.
#[derive(Debug)]
pub struct Batch {
    store: Arc<Store>,
    rows: segments::Writer,
    /// In the order of keys, so that neighbours are written together.
    changes: BTreeMap<Vec<u8>, Option<Vec<u8>>>,
}

impl Batch {
    /// An empty batch over `store`.
    #[must_use]
    pub fn new(store: Arc<Store>) -> Self {
        let rows = store.rows.writer();
        Self { store, rows, changes: BTreeMap::new() }
    }

    /// The rows that stand in columns.
    pub(crate) fn rows(&mut self) -> &mut segments::Writer {
        &mut self.rows
    }

    /// The row under `key`, with the changes of this batch.
    pub(crate) fn row<T: DeserializeOwned>(&self, key: &[u8]) -> Result<Option<T>, Error> {
        match self.changes.get(key) {
            Some(Some(value)) => Ok(Some(postcard::from_bytes(value)?)),
            Some(None) => Ok(None),
            None => self.store.row(key),
        }
    }

    /// Writes a row.
    pub(crate) fn put<T: Serialize>(&mut self, key: Vec<u8>, row: &T) -> Result<(), Error> {
        self.changes.insert(key, Some(postcard::to_stdvec(row)?));
        Ok(())
    }

    /// Removes a row.
    pub(crate) fn remove(&mut self, key: Vec<u8>) {
        self.changes.insert(key, None);
    }

    /// Writes the changes together with how far the view has now read `stream`.
    ///
    /// # Errors
    /// When the storage fails or the disk is full; nothing is written then.
    pub fn commit(mut self, stream: Stream, checkpoint: &Checkpoint) -> Result<(), Error> {
        self.put(checkpoint_key(stream), checkpoint)?;
        if let Some(marking) = self.store.view.forgets_with() {
            let mark = if marking == stream { checkpoint.sequence } else { self.store.reached(marking)? };
            self.rows.mark(mark);
        }
        let mut rows = self.rows.prepare()?;
        self.store.write(self.changes.into_iter().chain(rows.changes()))?;
        rows.publish();
        Ok(())
    }
}
