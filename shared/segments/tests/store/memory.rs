//! What is in memory is within the budget, whatever is on disk.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use segments::{Cache, Options, Page, Predicate, Store, TimeRange};

use crate::simple::{OPTIONS, Simple, commit, number, open_tree, put, store_with};

/// Rows of one table, of `rest` bytes each.
fn put_rows(tree: &sled::Db, store: &Store, table: &[u8], ids: std::ops::Range<u32>, rest: &[u8]) {
    let symbol = [table, b"s"].concat();
    let rows = ids.map(|id| Simple { time: id.into(), id, symbol: &symbol, rest });
    put(tree, store, table, &rows.collect::<Vec<_>>());
}

fn total(store: &Store, table: &[u8]) -> u64 {
    let page = Page::newest(1);
    let symbol = [table, b"s"].concat();
    store.list(table, &Predicate::is(0, symbol), TimeRange::ALL, &page).unwrap().total
}

#[test]
fn many_tables_are_within_the_budget_while_they_are_written_and_read() {
    const BUDGET: u64 = 4 << 20;
    const TABLES: u32 = 1000;
    const ROWS: u32 = 500;
    let directory = tempfile::tempdir().unwrap();
    let tree = open_tree(directory.path());
    let cache = Arc::new(Cache::new(BUDGET));
    let store = store_with(&tree, Options::default(), &cache);
    let rest = [7; 40];
    put_rows(&tree, &store, &0_u32.to_be_bytes(), 0..ROWS, &rest);
    let mut largest = cache.weight();
    assert!(largest * u64::from(TABLES) > 8 * BUDGET, "all of them together would be within the budget");
    for table in 1..TABLES {
        put_rows(&tree, &store, &table.to_be_bytes(), 0..ROWS, &rest);
        largest = largest.max(cache.weight());
    }
    for table in (0..TABLES).rev() {
        let name = table.to_be_bytes();
        assert_eq!(total(&store, &name), ROWS.into());
        assert!(store.by_id(&name, &(table % ROWS).to_be_bytes()).unwrap().is_some());
        assert!(store.by_id(&name, b"none").unwrap().is_none());
        largest = largest.max(cache.weight());
    }
    assert!(largest <= BUDGET, "{largest} bytes of {BUDGET}");
    drop(store);
    assert_eq!(cache.weight(), 0);
}

#[test]
fn a_table_takes_little_more_memory_than_its_rows_have_bytes() {
    const ROWS: u32 = 500;
    let directory = tempfile::tempdir().unwrap();
    let tree = open_tree(directory.path());
    let cache = Arc::new(Cache::new(16 << 20));
    let store = store_with(&tree, Options::default(), &cache);
    // An empty table, to know what does not depend on the rows.
    assert_eq!(total(&store, b"b"), 0);
    let empty = cache.tables_weight();
    put_rows(&tree, &store, b"a", 0..ROWS, &[7; 400]);
    let bytes = u64::from(ROWS) * (400 + 4 + 8);
    let weight = cache.tables_weight() - empty;
    assert!((bytes..bytes * 5 / 4).contains(&weight), "{weight} bytes for {bytes}");
}

#[test]
fn filters_and_columns_of_sealed_rows_are_within_the_budget() {
    const BUDGET: u64 = 256 << 10;
    const TABLES: u32 = 40;
    let directory = tempfile::tempdir().unwrap();
    let tree = open_tree(directory.path());
    let cache = Arc::new(Cache::new(BUDGET));
    let options = Options { seal_rows: 1024, ..OPTIONS };
    let store = store_with(&tree, options, &cache);
    for round in 0..3 {
        for table in 0..TABLES {
            let name = table.to_be_bytes();
            put_rows(&tree, &store, &name, round * 1100..(round + 1) * 1100, b"rest");
            assert_eq!(total(&store, &name), u64::from((round + 1) * 1100));
            assert!(store.by_id(&name, &(round * 1100).to_be_bytes()).unwrap().is_some());
            assert!(cache.weight() <= BUDGET, "{} bytes", cache.weight());
        }
    }
}

#[test]
fn a_table_that_takes_more_than_the_budget_is_in_memory_while_it_is_asked_for() {
    let directory = tempfile::tempdir().unwrap();
    let tree = open_tree(directory.path());
    let cache = Arc::new(Cache::new(10_000));
    let store = store_with(&tree, Options::default(), &cache);
    put_rows(&tree, &store, b"small", 0..5, b"rest");
    put_rows(&tree, &store, b"large", 0..500, &[7; 100]);
    for _ in 0..3 {
        assert_eq!(total(&store, b"large"), 500);
        assert!(store.is_in_memory(b"large") && !store.is_in_memory(b"small"));
    }
    assert_eq!(total(&store, b"small"), 5);
    assert!(store.is_in_memory(b"small") && !store.is_in_memory(b"large"));
}

#[test]
fn a_table_with_pending_changes_stays_and_readers_see_what_is_published() {
    let directory = tempfile::tempdir().unwrap();
    let tree = open_tree(directory.path());
    let cache = Arc::new(Cache::new(1));
    let store = store_with(&tree, OPTIONS, &cache);
    put_rows(&tree, &store, b"a", 0..10, b"rest");
    assert_eq!(total(&store, b"b"), 0);
    assert!(!store.is_in_memory(b"a"));
    let mut writer = store.writer();
    let found = writer.find(b"a", &3_u32.to_be_bytes()).unwrap();
    let id = 3_u32.to_be_bytes();
    let new = segments::NewRow { time: 3, id: &id, symbols: &[b"as"], numbers: &[], texts: &[], rest: b"new" };
    writer.put(b"a", &found, new).unwrap();
    let rest = || store.by_id(b"a", &id).unwrap().unwrap().rest;
    for _ in 0..3 {
        assert_eq!(total(&store, b"b"), 0);
        assert!(store.is_in_memory(b"a"));
        assert_eq!(rest(), b"rest");
    }
    commit(&tree, writer.prepare().unwrap());
    assert_eq!(rest(), b"new");
    assert_eq!(total(&store, b"b"), 0);
    assert!(!store.is_in_memory(b"a"));
    assert_eq!(rest(), b"new");
}

#[test]
fn forgetting_reads_no_table_that_has_nothing_to_forget() {
    let directory = tempfile::tempdir().unwrap();
    let tree = open_tree(directory.path());
    let writing = store_with(&tree, OPTIONS, &Arc::new(Cache::new(1 << 20)));
    for (table, mark) in [(b"a", 5), (b"b", 7)] {
        let mut writer = writing.writer();
        writer.mark(mark);
        for number in 0..200_u32 {
            let id = number.to_be_bytes();
            let found = writer.find(table, &id).unwrap();
            let new = segments::NewRow { time: 0, id: &id, symbols: &[b"s"], numbers: &[], texts: &[], rest: b"" };
            writer.put(table, &found, new).unwrap();
        }
        commit(&tree, writer.prepare().unwrap());
    }
    put_rows(&tree, &writing, b"c", 0..10, b"rest");
    drop(writing);
    let store = store_with(&tree, OPTIONS, &Arc::new(Cache::new(1 << 20)));
    let forget = |mark| {
        let mut writer = store.writer();
        for table in [b"a", b"b", b"c"] {
            writer.forget(table, mark, None).unwrap();
        }
        commit(&tree, writer.prepare().unwrap());
        [b"a", b"b", b"c"].map(|table| store.is_in_memory(table))
    };
    assert_eq!(forget(5), [false, false, false]);
    assert_eq!(forget(6), [true, false, false]);
    let mut left = store.list(b"a", &Predicate::everything(), TimeRange::ALL, &Page::newest(1));
    assert!(left.as_mut().unwrap().total < 80);
    // What is forgotten is not looked for again.
    let again = store_with(&tree, OPTIONS, &Arc::new(Cache::new(1 << 20)));
    again.writer().forget(b"a", 7, None).unwrap();
    assert!(!again.is_in_memory(b"a"));
}

#[test]
fn readers_see_each_commit_while_tables_come_and_go() {
    const TABLES: u32 = 8;
    const ROUNDS: u32 = 300;
    let directory = tempfile::tempdir().unwrap();
    let tree = open_tree(directory.path());
    // Room for one table or two.
    let store = store_with(&tree, OPTIONS, &Arc::new(Cache::new(20_000)));
    let committed: [AtomicU32; TABLES as usize] = std::array::from_fn(|_| AtomicU32::new(0));
    let is_done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for start in 0..2 {
            let (committed, is_done, store) = (&committed, &is_done, &store);
            scope.spawn(move || {
                let mut table = start;
                while !is_done.load(Ordering::Relaxed) {
                    table = (table + 1) % TABLES;
                    let at_least = committed[table as usize].load(Ordering::Acquire);
                    let name = table.to_be_bytes();
                    let page = Page::newest(3);
                    let listed = store.list(&name, &Predicate::everything(), TimeRange::ALL, &page).unwrap();
                    assert!(listed.total >= at_least.into(), "{} rows of {at_least}", listed.total);
                    if at_least > 0 {
                        let row = store.by_id(&name, &(at_least - 1).to_be_bytes()).unwrap().unwrap();
                        assert_eq!(number(&row), at_least - 1);
                    }
                }
            });
        }
        for round in 0..ROUNDS {
            for table in 0..TABLES {
                let rest = round.to_be_bytes();
                put_rows(&tree, &store, &table.to_be_bytes(), round..round + 1, &rest);
                committed[table as usize].store(round + 1, Ordering::Release);
            }
        }
        is_done.store(true, Ordering::Relaxed);
    });
}
