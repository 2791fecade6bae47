//! What all tables and columns take of memory, under one budget.
//!
//! A part of the budget, as large as they need but at most half of it, is for tables: their newest rows, dictionaries and
//! filters. The rest is for columns and rows that were read from segments. Of both, what was not asked for the longest
//! goes first.
//!
//! Invariants:
//! - There is one [`Table`] at most of each table: it goes only while nobody holds it, and nobody gets it but from here.
//!   So a writer publishes to the very table that readers get, and a reader sees its own writes.
//! - What is asked for now is held, however large it is: a table that takes more than the budget takes the place of all
//!   others, and is not read again for each question.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use parking_lot::{Mutex, RwLock};

use crate::Error;
use crate::cache::ValueCache;
use crate::table::Table;

/// The parts of the budget by which the share of the tables changes, so that it seldom does.
const STEPS: u64 = 16;

/// Memory for tables, columns and rows, which several stores may share.
pub struct Cache {
    budget: u64,
    values: Arc<ValueCache>,
    tables: Mutex<Tables>,
    /// How much of the budget the tables have.
    share: Mutex<u64>,
    /// What all tables take: a copy of what `tables` says.
    weight: AtomicU64,
    next_store: AtomicU64,
}

#[derive(Default)]
struct Tables {
    /// By store and name.
    by_name: HashMap<u64, HashMap<Box<[u8]>, Arc<Slot>>>,
    /// All of them, for the clock: the first is the next that may go.
    clock: VecDeque<Arc<Slot>>,
    weight: u64,
}

/// A table's place in memory. To read a table takes its lock, so that others who ask for it wait, and only for this one.
struct Slot {
    store: u64,
    name: Box<[u8]>,
    table: RwLock<Option<Arc<Table>>>,
    /// What it counts for in the weight of all tables.
    weight: AtomicU64,
    /// Whether it was asked for since the clock came by.
    is_used: AtomicBool,
    /// Its store is closed: it does not count any longer.
    is_closed: AtomicBool,
}

/// A table that stays in memory as long as this is held.
pub(crate) struct Lease {
    memory: Arc<Cache>,
    slot: Arc<Slot>,
    table: Arc<Table>,
}

impl fmt::Debug for Cache {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Cache({} of {} bytes)", self.weight(), self.budget)
    }
}

impl fmt::Debug for Lease {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.table.fmt(formatter)
    }
}

impl std::ops::Deref for Lease {
    type Target = Table;

    fn deref(&self) -> &Table {
        &self.table
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        // It may have grown, by what was published or by filters that were read.
        self.memory.settle(&self.slot, &self.table);
    }
}

impl Cache {
    /// Memory of `budget` bytes.
    #[must_use]
    pub fn new(budget: u64) -> Self {
        Self {
            budget,
            values: Arc::new(ValueCache::new(budget)),
            tables: Mutex::default(),
            share: Mutex::default(),
            weight: AtomicU64::new(0),
            next_store: AtomicU64::new(0),
        }
    }

    /// About how many bytes are in use.
    #[must_use]
    pub fn weight(&self) -> u64 {
        self.tables_weight() + self.values_weight()
    }

    /// About how many of them tables take: their newest rows, dictionaries and filters.
    #[must_use]
    pub fn tables_weight(&self) -> u64 {
        self.weight.load(Ordering::Relaxed)
    }

    /// About how many of them columns and rows of segments take.
    #[must_use]
    pub fn values_weight(&self) -> u64 {
        self.values.weight()
    }

    pub(crate) fn values(&self) -> &Arc<ValueCache> {
        &self.values
    }

    /// A number that tells a store from all others.
    pub(crate) fn next_store(&self) -> u64 {
        self.next_store.fetch_add(1, Ordering::Relaxed)
    }

    /// A table, read by `load` if need be. Of several who ask at once, one reads it.
    pub(crate) fn table(
        self: &Arc<Self>,
        store: u64,
        name: &[u8],
        load: impl FnOnce() -> Result<Table, Error>,
    ) -> Result<Lease, Error> {
        let slot = self.slot(store, name);
        // In an expression of its own, so that the lock is free again where the table has to be read.
        let known = slot.table.read().clone();
        if let Some(table) = known {
            return Ok(self.lease(slot, table));
        }
        let table = {
            let mut read = slot.table.write();
            match &*read {
                Some(table) => table.clone(),
                None => {
                    let table = Arc::new(load()?);
                    *read = Some(table.clone());
                    table
                }
            }
        };
        self.settle(&slot, &table);
        Ok(self.lease(slot, table))
    }

    /// A table, if it is in memory.
    pub(crate) fn table_in_memory(self: &Arc<Self>, store: u64, name: &[u8]) -> Option<Lease> {
        let slot = self.tables.lock().by_name.get(&store)?.get(name)?.clone();
        // Who reads it holds the lock, and is not waited for.
        let table = slot.table.try_read()?.clone()?;
        Some(self.lease(slot, table))
    }

    /// The tables of a store that are in memory. They are not asked for by this.
    pub(crate) fn tables_in_memory(self: &Arc<Self>, store: u64) -> Vec<Lease> {
        let slots: Vec<Arc<Slot>> = match self.tables.lock().by_name.get(&store) {
            Some(slots) => slots.values().cloned().collect(),
            None => Vec::new(),
        };
        let lease = |slot: Arc<Slot>| {
            let table = slot.table.try_read()?.clone()?;
            Some(Lease { memory: self.clone(), slot, table })
        };
        slots.into_iter().filter_map(lease).collect()
    }

    /// Lets go of a store's tables and of all that is cached of them.
    pub(crate) fn close(&self, store: u64) {
        let slots = {
            let mut tables = self.tables.lock();
            let slots = tables.by_name.remove(&store).unwrap_or_default();
            for slot in slots.values() {
                slot.is_closed.store(true, Ordering::Relaxed);
                tables.weight = tables.weight.saturating_sub(slot.weight.swap(0, Ordering::Relaxed));
            }
            tables.clock.retain(|slot| slot.store != store);
            self.weight.store(tables.weight, Ordering::Relaxed);
            slots
        };
        drop(slots);
        self.values.forget(store);
        self.share();
    }

    fn lease(self: &Arc<Self>, slot: Arc<Slot>, table: Arc<Table>) -> Lease {
        // Read first: it is set nearly always, and a line of memory that is only read is not passed between cores.
        if !slot.is_used.load(Ordering::Relaxed) {
            slot.is_used.store(true, Ordering::Relaxed);
        }
        Lease { memory: self.clone(), slot, table }
    }

    fn slot(&self, store: u64, name: &[u8]) -> Arc<Slot> {
        let mut tables = self.tables.lock();
        if let Some(slot) = tables.by_name.get(&store).and_then(|slots| slots.get(name)) {
            return slot.clone();
        }
        let slot = Arc::new(Slot {
            store,
            name: name.into(),
            table: RwLock::default(),
            weight: AtomicU64::new(0),
            is_used: AtomicBool::new(false),
            is_closed: AtomicBool::new(false),
        });
        tables.by_name.entry(store).or_default().insert(name.into(), slot.clone());
        tables.clock.push_back(slot.clone());
        slot
    }

    /// Counts a table with what it weighs now, and lets go of others where all together are too much.
    fn settle(&self, slot: &Slot, table: &Table) {
        /// Its slot, and the places of that in the map and on the clock.
        const SLOT_BYTES: usize = 256;
        let weight = || (table.weight() + SLOT_BYTES) as u64;
        let limit = self.budget / 2;
        if slot.weight.load(Ordering::Relaxed) == weight() && self.tables_weight() <= limit {
            return;
        }
        let gone = {
            let mut tables = self.tables.lock();
            if !slot.is_closed.load(Ordering::Relaxed) {
                // Looked at again, now that nobody else settles: what comes last is what counts.
                let weight = weight();
                let before = slot.weight.swap(weight, Ordering::Relaxed);
                tables.weight = (tables.weight + weight).saturating_sub(before);
            }
            let gone = tables.evict(limit);
            self.weight.store(tables.weight, Ordering::Relaxed);
            gone
        };
        // To free a large table takes milliseconds, which nobody waits for.
        drop(gone);
        self.share();
    }

    /// Gives the tables as much of the budget as they take, in steps, and the columns what is left: at least a quarter,
    /// where tables that are held take more than they should.
    fn share(&self) {
        let step = (self.budget / STEPS).max(1);
        let mut share = self.share.lock();
        let wanted = self.tables_weight().div_ceil(step) * step;
        // A step back only once it is two, so that a table that comes and goes does not move it each time.
        if wanted > *share || wanted + step < *share {
            *share = wanted;
            self.values.set_capacity(self.budget.saturating_sub(wanted).max(self.budget / 4));
        }
    }
}

impl Tables {
    /// Takes tables out that were not asked for lately, until the others are within the limit; gives them.
    ///
    /// This is safe while tables are read and written: one that anybody holds stays, and while the map is locked nobody
    /// can get hold of another. What is not held has no pending changes, so the tree has all of it.
    fn evict(&mut self, limit: u64) -> Vec<Arc<Slot>> {
        /// Those of the map and of the clock.
        const OWN_REFERENCES: usize = 2;
        let mut gone = Vec::new();
        // Each is looked at twice at most: it loses its mark, and then it goes.
        for _ in 0..2 * self.clock.len() {
            if self.weight <= limit {
                break;
            }
            let Some(slot) = self.clock.pop_front() else { break };
            if Arc::strong_count(&slot) > OWN_REFERENCES || slot.is_used.swap(false, Ordering::Relaxed) {
                self.clock.push_back(slot);
                continue;
            }
            if let Some(slots) = self.by_name.get_mut(&slot.store) {
                slots.remove(&slot.name);
            }
            self.weight = self.weight.saturating_sub(slot.weight.load(Ordering::Relaxed));
            gone.push(slot);
        }
        gone
    }
}
