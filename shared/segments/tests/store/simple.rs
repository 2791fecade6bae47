//! The simplest table: one column, and ids that are numbers.

use std::ops::Deref;
use std::path::Path;
use std::sync::Arc;

use segments::{Cache, NewRow, Options, Page, Predicate, Prepared, Row, Schema, Store, TimeRange};

pub(crate) const SCHEMA: Schema =
    Schema { symbols: &[0], searched: &[], keys: &[], points: &[], filtered: &[0], numbers: 0, texts: 0 };
/// Small, so that a few hundred rows are many segments.
pub(crate) const OPTIONS: Options =
    Options { seal_rows: 64, keep_rows: 16, seal_bytes: 128 << 20, open_symbols: 1 << 18, block_symbols: 128 };

/// A row of a test.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Simple<'a> {
    pub(crate) time: i64,
    pub(crate) id: u32,
    pub(crate) symbol: &'a [u8],
    pub(crate) rest: &'a [u8],
}

pub(crate) fn open_tree(directory: &Path) -> sled::Db {
    let config = sled::Config::new().path(directory).flush_every_ms(None);
    // A background task of the tree that was just dropped may hold its lock for another moment.
    std::iter::repeat_with(|| config.open()).take(10_000).find_map(Result::ok).unwrap()
}

/// A store that has read nothing yet.
pub(crate) fn store(tree: &sled::Db) -> Store {
    store_with(tree, OPTIONS, &Arc::new(Cache::new(1 << 20)))
}

pub(crate) fn store_with(tree: &sled::Db, options: Options, cache: &Arc<Cache>) -> Store {
    Store::new(Deref::deref(tree).clone(), cache.clone(), SCHEMA, options)
}

/// Puts rows in one commit.
pub(crate) fn put(tree: &sled::Db, store: &Store, table: &[u8], rows: &[Simple<'_>]) {
    let mut writer = store.writer();
    for row in rows {
        let id = row.id.to_be_bytes();
        let found = writer.find(table, &id).unwrap();
        let new = NewRow { time: row.time, id: &id, symbols: &[row.symbol], numbers: &[], texts: &[], rest: row.rest };
        writer.put(table, &found, new).unwrap();
    }
    commit(tree, writer.prepare().unwrap());
}

/// Puts rows without content, whose time is `time` of their number.
pub(crate) fn put_numbers(
    tree: &sled::Db,
    store: &Store,
    numbers: impl Iterator<Item = u32>,
    time: impl Fn(u32) -> i64,
) {
    let rows: Vec<(i64, u32, [u8; 4])> = numbers.map(|number| (time(number), number, number.to_be_bytes())).collect();
    let rows = rows.iter().map(|(time, id, rest)| Simple { time: *time, id: *id, symbol: b"s", rest });
    put(tree, store, b"a", &rows.collect::<Vec<_>>());
}

pub(crate) fn commit(tree: &sled::Db, mut prepared: Prepared) {
    let mut batch = sled::Batch::default();
    for (key, value) in prepared.changes() {
        match value {
            Some(value) => batch.insert(key, value),
            None => batch.remove(key),
        }
    }
    tree.apply_batch(batch).unwrap();
    prepared.publish();
}

/// All rows of the table, newest first.
pub(crate) fn list(store: &Store) -> Result<Vec<u32>, segments::Error> {
    let page = Page::newest(100_000);
    let listed = store.list(b"a", &Predicate::everything(), TimeRange::ALL, &page)?;
    Ok(listed.rows.iter().map(number).collect())
}

pub(crate) fn number(row: &Row) -> u32 {
    u32::from_be_bytes(row.rest.as_slice().try_into().unwrap())
}
