//! The tables of a store: read when they are asked for, and in memory as long as there is room.

use std::sync::Arc;

use crate::Error;
use crate::manifest::Manifest;
use crate::memory::{Cache, Lease};
use crate::options::Options;
use crate::row::Schema;
use crate::source::Source;
use crate::table::Table;

/// The tables of a store.
#[derive(Debug)]
pub(crate) struct Tables {
    tree: sled::Tree,
    memory: Arc<Cache>,
    /// What tells it from other stores in the same memory.
    store: u64,
    pub(crate) schema: Schema,
    pub(crate) options: Options,
}

impl Drop for Tables {
    fn drop(&mut self) {
        self.memory.close(self.store);
    }
}

impl Tables {
    pub(crate) fn new(tree: sled::Tree, memory: Arc<Cache>, schema: Schema, options: Options) -> Self {
        let store = memory.next_store();
        Self { tree, memory, store, schema, options }
    }

    /// A table, read from disk where it is not in memory.
    pub(crate) fn get(&self, name: &[u8]) -> Result<Lease, Error> {
        self.memory.table(self.store, name, || {
            let values = self.memory.values();
            let source = Source {
                tree: self.tree.clone(),
                cache: values.clone(),
                table: values.next_table(self.store),
                prefix: name.into(),
            };
            Table::load(source, &self.schema, &self.options)
        })
    }

    /// A table, if it is in memory.
    pub(crate) fn in_memory(&self, name: &[u8]) -> Option<Lease> {
        self.memory.table_in_memory(self.store, name)
    }

    /// The tables that are in memory.
    pub(crate) fn all_in_memory(&self) -> Vec<Lease> {
        self.memory.tables_in_memory(self.store)
    }

    /// What a table says of itself on disk, without reading the rest of it.
    pub(crate) fn manifest(&self, name: &[u8]) -> Result<Manifest, Error> {
        Manifest::load(&self.tree, name)
    }

    /// Reads a table; once more when what was being read is gone because its segment was written again, or forgotten.
    ///
    /// The table is held meanwhile, so it is the one that the writer publishes to, and knows of each removal. Between
    /// the moment when values leave the tree and the one when the state says so, what is missing may be right: that is
    /// waited for. What is missing after that as well is damage.
    pub(crate) fn read<T>(&self, name: &[u8], mut read: impl FnMut(&Table) -> Result<T, Error>) -> Result<T, Error> {
        let table = self.get(name)?;
        loop {
            let before = table.state.read().removals;
            match read(&table) {
                Err(Error::Damaged(_)) if table.removal.wait() || table.state.read().removals != before => {}
                done => return done,
            }
        }
    }
}
