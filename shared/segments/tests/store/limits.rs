//! Rows of any length: they are sealed before anything on disk becomes too long.

use std::sync::Arc;

use segments::{Cache, Options};

use crate::simple::{OPTIONS, Simple, list, open_tree, put, store_with};

#[test]
fn long_rows_are_sealed_by_their_bytes() {
    const SEAL_BYTES: usize = 32 << 10;
    let directory = tempfile::tempdir().unwrap();
    let tree = open_tree(directory.path());
    let options = Options { seal_rows: 128, keep_rows: 64, seal_bytes: SEAL_BYTES, ..OPTIONS };
    let cache = Arc::new(Cache::new(8 << 20));
    let store = store_with(&tree, options, &cache);
    let mut expected = Vec::new();
    for round in 0..30_u32 {
        let rests: Vec<Vec<u8>> = (0..10_u32)
            .map(|n| (round * 10 + n).to_be_bytes().into_iter().chain((0..1000).map(|_| 7)).collect())
            .collect();
        let rows = rests.iter().zip(round * 10..).map(|(rest, id)| Simple { time: id.into(), id, symbol: b"s", rest });
        put(&tree, &store, b"a", &rows.collect::<Vec<_>>());
        expected.extend(round * 10..(round + 1) * 10);
        let in_head = cache.tables_weight();
        assert!(in_head < 2 * SEAL_BYTES as u64, "{in_head} bytes of a table in memory");
    }
    expected.reverse();
    // What is read from disk is the same, in segments of half of that at most.
    let store = store_with(&tree, options, &Arc::new(Cache::new(8 << 20)));
    assert_eq!(list_long(&store), expected);
    let segments = tree.scan_prefix(b"am").count();
    assert!(segments >= 300 * 1000 / (SEAL_BYTES / 2) - 2, "{segments} segments");
}

fn list_long(store: &segments::Store) -> Vec<u32> {
    let page = segments::Page::newest(1000);
    let listed = store.list(b"a", &segments::Predicate::everything(), segments::TimeRange::ALL, &page).unwrap();
    listed.rows.iter().map(|row| u32::from_be_bytes(*row.rest.first_chunk().unwrap())).collect()
}

#[test]
fn a_row_that_is_longer_than_what_is_sealed_together_is_a_segment_of_its_own() {
    let directory = tempfile::tempdir().unwrap();
    let tree = open_tree(directory.path());
    let options = Options { seal_bytes: 8, ..OPTIONS };
    let store = store_with(&tree, options, &Arc::new(Cache::new(1 << 20)));
    for id in 0..20_u32 {
        put(&tree, &store, b"a", &[Simple { time: id.into(), id, symbol: b"s", rest: &id.to_be_bytes() }]);
    }
    assert_eq!(list(&store).unwrap(), (0..20).rev().collect::<Vec<_>>());
    assert_eq!(list(&store_with(&tree, options, &Arc::new(Cache::new(1 << 20)))).unwrap(), list(&store).unwrap());
}

#[test]
fn long_symbols_begin_new_dictionaries() {
    const SEAL_BYTES: usize = 8 << 10;
    let directory = tempfile::tempdir().unwrap();
    let tree = open_tree(directory.path());
    let options = Options { seal_bytes: SEAL_BYTES, ..OPTIONS };
    let cache = Arc::new(Cache::new(8 << 20));
    let store = store_with(&tree, options, &cache);
    for id in 0..60_u32 {
        let symbol = [id.to_be_bytes().as_slice(), &[7; 1000]].concat();
        put(&tree, &store, b"a", &[Simple { time: id.into(), id, symbol: &symbol, rest: &id.to_be_bytes() }]);
        let in_head = cache.tables_weight();
        assert!(in_head < 4 * SEAL_BYTES as u64, "{in_head} bytes of a table in memory");
    }
    let reopened = store_with(&tree, options, &Arc::new(Cache::new(8 << 20)));
    for store in [store, reopened] {
        assert_eq!(list(&store).unwrap(), (0..60).rev().collect::<Vec<_>>());
        let row = store.by_id(b"a", &7_u32.to_be_bytes()).unwrap().unwrap();
        assert_eq!(row.symbols[0][..4], 7_u32.to_be_bytes());
    }
}
