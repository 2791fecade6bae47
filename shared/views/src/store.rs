//! The storage behind a view: one sled tree in a directory of its own, written in batches with their checkpoints.
//!
//! Lists of many rows stand in it in columns, everything else by key.

mod caches;
pub(crate) mod erasing;

use std::collections::{BTreeMap, HashMap};
use std::ops::{Bound, Deref};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use model::erasure::Erasures;
use model::log::{AccountId, Stream};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

pub(crate) use self::caches::Caches;
use crate::error::Error;
use crate::key;

/// Changes when what all views store changes its form: a view of another format is rebuilt. What one view stores has a
/// format of its own, [`Layout::format`].
const FORMAT: u32 = 12;
/// What stays free on the disk, for what sled writes in addition: with less, views stand still.
pub const RESERVED_BYTES: u64 = 64 << 20;
/// How often sled may write what it is given, before it has cleaned up.
const REWRITES: u64 = 4;
/// Keys that start with a zero byte belong to no account.
const FORMAT_KEY: &[u8] = b"\0format";
const CHECKPOINT_PREFIX: &[u8] = b"\0checkpoint/";
/// Behind it stand the accounts whose rows are to be gone through for those who are erased.
const ERASING: &[u8] = b"\0erasing/";

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

/// How many bytes are free on the disk that a folder is on.
///
/// # Errors
/// When the folder is not there, or the system does not say.
pub fn free_bytes(folder: &Path) -> std::io::Result<u64> {
    let disk = rustix::fs::statvfs(folder)?;
    Ok(disk.f_bavail.saturating_mul(disk.f_frsize))
}

/// How a view's rows are stored and how long they are kept.
#[derive(Debug)]
pub(crate) struct Layout {
    /// Gives another number where the view's rows are stored in another form: a view of another format is rebuilt.
    pub(crate) format: fn() -> u32,
    /// The columns of its rows, where it has any.
    pub(crate) schema: segments::Schema,
    /// The stream that it forgets with, after days: what came from it goes from the view as it goes from the log.
    pub(crate) forgets_with: Option<Stream>,
    /// Says of a row, by its id in the table, whether it is from another stream than the one that the view forgets
    /// with, and is kept for good; none where no row is.
    pub(crate) keeps_forever: Option<fn(&[u8]) -> bool>,
    /// Takes persons out of what it holds of an account; none where it names nobody, or those alone who may come in.
    pub(crate) erase: Option<Erase>,
}

/// Takes those who are erased out of what a store holds of an account.
pub(crate) type Erase = fn(&Store, &str, &Erasures) -> Result<(), Error>;

impl Layout {
    /// That of a view whose rows stand by key, and of which nothing is forgotten.
    pub(crate) const BY_KEY: Self = Self {
        format: || 0,
        schema: segments::Schema {
            symbols: &[],
            searched: &[],
            keys: &[],
            points: &[],
            filtered: &[],
            numbers: 0,
            texts: 0,
        },
        forgets_with: None,
        keeps_forever: None,
        erase: None,
    };

    fn stamp(&self) -> [u8; 8] {
        let mut stamp = [0; 8];
        stamp[..4].copy_from_slice(&FORMAT.to_be_bytes());
        stamp[4..].copy_from_slice(&(self.format)().to_be_bytes());
        stamp
    }
}

/// One generation of one view on disk.
#[derive(Debug)]
pub struct Store {
    layout: &'static Layout,
    tree: sled::Db,
    rows: segments::Store,
    directory: PathBuf,
    is_obsolete: AtomicBool,
    /// Whether there are accounts whose rows are to be gone through.
    has_to_erase: AtomicBool,
}

impl Store {
    /// Opens the store in `directory`, making it if need be.
    ///
    /// # Errors
    /// When it cannot be opened; [`sled::Error::Corruption`] when it is damaged or of another format.
    pub(crate) fn open(directory: &Path, layout: &'static Layout, caches: &Caches) -> Result<Self, Error> {
        let config = sled::Config::new()
            .path(directory)
            .cache_capacity(caches.tree_bytes)
            .mode(sled::Mode::HighThroughput)
            .flush_every_ms(Some(500));
        let tree = config.open()?;
        let rows = segments::Store::new(
            Deref::deref(&tree).clone(),
            caches.rows.clone(),
            layout.schema,
            segments::Options::default(),
        );
        let has_to_erase = AtomicBool::new(tree.scan_prefix(ERASING).next().is_some());
        let (directory, is_obsolete) = (directory.to_owned(), AtomicBool::new(false));
        let store = Self { layout, tree, rows, directory, is_obsolete, has_to_erase };
        match store.tree.get(FORMAT_KEY)? {
            Some(stamp) if *stamp == layout.stamp() => {}
            Some(_) => return Err(sled::Error::Corruption { at: None, bt: () }.into()),
            None => {
                store.tree.insert(FORMAT_KEY, &layout.stamp())?;
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

    /// Marks what a writer seals by how far the stream was read that the view forgets with.
    fn mark(&self, rows: &mut segments::Writer) -> Result<(), Error> {
        if let Some(marking) = self.layout.forgets_with {
            rows.mark(self.reached(marking)?);
        }
        Ok(())
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

    /// The first account after another that has anything in the store; every one comes after the empty text.
    pub(crate) fn next_account(&self, after: &str) -> Result<Option<String>, Error> {
        // An account's keys go on with a zero byte, so they all come before this one.
        let start = [after.as_bytes(), &[1]].concat();
        let first = self.range((Bound::Included(start), Bound::Unbounded)).next().transpose()?;
        Ok(first.and_then(|(key, _)| key::split(&key).map(|(account, _, _)| account.to_owned())))
    }

    /// Fails while the disk is too full to take a batch in. sled, once a write has failed, writes nothing until it is
    /// opened again; so the disk is never filled to its end.
    fn has_room_for(&self, bytes: u64) -> Result<(), Error> {
        let free = free_bytes(&self.directory)?;
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
    /// When the storage fails or the disk is full. Accounts that were looked at before have forgotten; the others do
    /// when it is called again.
    pub fn forget(&self, sequence: u64) -> Result<(), Error> {
        let mut account = self.next_account("")?;
        while let Some(known) = account {
            // One account at a time: those that are being written to stay in memory.
            let mut writer = self.rows.writer();
            writer.forget(&key::table_of(&known), sequence, self.layout.keeps_forever)?;
            let mut rows = writer.prepare()?;
            let changes: Vec<segments::Change> = rows.changes().collect();
            if !changes.is_empty() {
                self.write(changes.into_iter())?;
            }
            rows.publish();
            account = self.next_account(&known)?;
        }
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
    /// Who is erased, by the accounts that were asked about.
    erasures: HashMap<AccountId, Option<Arc<Erasures>>>,
    hears_erasure: bool,
}

impl Batch {
    /// An empty batch over `store`.
    #[must_use]
    pub fn new(store: Arc<Store>) -> Self {
        let rows = store.rows.writer();
        Self { store, rows, changes: BTreeMap::new(), erasures: HashMap::new(), hears_erasure: false }
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

    /// Whether the changes complete a segment: whatever is added to them is written apart from it in any case.
    #[must_use]
    pub fn fills_a_segment(&self) -> bool {
        self.rows.fills_a_segment()
    }

    /// Writes the changes together with how far the view has now read `stream`.
    ///
    /// # Errors
    /// When the storage fails or the disk is full; nothing is written then.
    pub fn commit(mut self, stream: Stream, checkpoint: &Checkpoint) -> Result<(), Error> {
        self.put(checkpoint_key(stream), checkpoint)?;
        if self.store.layout.forgets_with == Some(stream) {
            self.rows.mark(checkpoint.sequence);
        } else {
            self.store.mark(&mut self.rows)?;
        }
        let mut rows = self.rows.prepare()?;
        self.store.write(self.changes.into_iter().chain(rows.changes()))?;
        rows.publish();
        if self.hears_erasure {
            self.store.has_to_erase.store(true, Ordering::Relaxed);
        }
        if self.store.has_to_erase.load(Ordering::Relaxed) { self.store.finish_erasing() } else { Ok(()) }
    }
}
