//! What was read from disk and decoded, kept within a budget of bytes.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use quick_cache::sync::Cache as QuickCache;
use quick_cache::{DefaultHashBuilder, OptionsBuilder, Weighter};

use crate::Error;
use crate::codes::Codes;
use crate::id_index::IdIndex;
use crate::key::Kind;
use crate::numbers::Numbers;
use crate::slices::Slices;
use crate::trigrams::Trigrams;

/// A table in the cache. A table that is read again has another number, and what was cached of it is displaced in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct TableNumber {
    store: u64,
    table: u64,
}

/// What is cached: of which table, which kind, which segment or epoch, which column or block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    table: TableNumber,
    kind: u8,
    number: u32,
    place: usize,
}

impl Key {
    pub(crate) fn new(table: TableNumber, kind: Kind, number: u32, place: usize) -> Self {
        Self { table, kind: kind as u8, number, place }
    }

    /// The index over a segment's ids, which has no value of its own on disk.
    pub(crate) fn id_index(table: TableNumber, number: u32) -> Self {
        Self { table, kind: 0, number, place: 0 }
    }
}

/// A decoded value.
#[derive(Clone, Debug)]
pub(crate) enum Value {
    Times(Arc<Vec<i64>>),
    Codes(Arc<Codes>),
    Numbers(Arc<Numbers>),
    Slices(Arc<Slices>),
    Trigrams(Arc<Trigrams>),
    IdIndex(Arc<IdIndex>),
    Bytes(Arc<[u8]>),
}

#[derive(Clone, Debug)]
struct Bytes;

impl Weighter<Key, Value> for Bytes {
    fn weight(&self, _: &Key, value: &Value) -> u64 {
        /// What the cache itself keeps for a value.
        const OVERHEAD: usize = 96;
        let bytes = match value {
            Value::Times(times) => 8 * times.len(),
            Value::Codes(codes) => codes.weight(),
            Value::Numbers(numbers) => numbers.weight(),
            Value::Slices(slices) => slices.weight(),
            Value::Trigrams(trigrams) => trigrams.weight(),
            Value::IdIndex(index) => index.weight(),
            Value::Bytes(bytes) => bytes.len(),
        };
        (bytes + OVERHEAD) as u64
    }
}

/// Columns and rows of all tables that share a memory.
pub(crate) struct ValueCache {
    values: QuickCache<Key, Value, Bytes>,
    next_table: AtomicU64,
}

impl fmt::Debug for ValueCache {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "ValueCache({} bytes)", self.weight())
    }
}

impl ValueCache {
    pub(crate) fn new(capacity: u64) -> Self {
        /// What a column takes on the average.
        const USUAL_BYTES: u64 = 64 << 10;
        /// Few, so that the budget of each holds a column of the largest kind.
        const SHARDS: usize = 4;
        let items = usize::try_from(capacity / USUAL_BYTES).unwrap_or(usize::MAX).max(16);
        let options =
            OptionsBuilder::new().estimated_items_capacity(items).weight_capacity(capacity).shards(SHARDS).build();
        let values = options
            .map(|options| QuickCache::with_options(options, Bytes, DefaultHashBuilder::default(), Default::default()));
        // The options are whole; a cache by default options would be as right and less tuned.
        let values = values.unwrap_or_else(|_| QuickCache::with_weighter(items, capacity, Bytes));
        Self { values, next_table: AtomicU64::new(0) }
    }

    /// Bytes in use.
    pub(crate) fn weight(&self) -> u64 {
        self.values.weight()
    }

    /// Changes how many bytes may be in use; what is too much goes at once.
    pub(crate) fn set_capacity(&self, capacity: u64) {
        self.values.set_capacity(capacity);
    }

    /// A number for a table of a store that tells it from all others, and from itself when it is read again.
    pub(crate) fn next_table(&self, store: u64) -> TableNumber {
        TableNumber { store, table: self.next_table.fetch_add(1, Ordering::Relaxed) }
    }

    /// Drops what is cached of a store's tables.
    pub(crate) fn forget(&self, store: u64) {
        self.values.retain(|key, _| key.table.store != store);
    }

    /// The value, loaded if need be. Of several who ask at once, one loads.
    pub(crate) fn get(&self, key: Key, load: impl FnOnce() -> Result<Value, Error>) -> Result<Value, Error> {
        self.values.get_or_insert_with(&key, load)
    }

    /// The value, if it is there.
    pub(crate) fn peek(&self, key: Key) -> Option<Value> {
        self.values.get(&key)
    }

    /// Puts a value that was made, not read.
    pub(crate) fn put(&self, key: Key, value: Value) {
        self.values.insert(key, value);
    }

    /// Whether the value is there.
    pub(crate) fn has(&self, key: Key) -> bool {
        self.values.contains_key(&key)
    }

    /// Whether there is room for more without the last quarter, which is for what is asked for.
    pub(crate) fn has_room(&self) -> bool {
        self.weight() < self.values.capacity() / 4 * 3
    }
}
