//! What is no longer used is gone from the disk.

use crate::simple::{Simple, open_tree, put};

#[test]
fn a_segment_without_rows_leaves_no_dictionary_behind() {
    const ROUNDS: u32 = 6;
    let directory = tempfile::tempdir().unwrap();
    let tree = open_tree(directory.path());
    // Few symbols are enough for the next epoch, and each round has its own.
    let options = segments::Options { open_symbols: 4, ..crate::simple::OPTIONS };
    let store = crate::simple::store_with(&tree, options, &std::sync::Arc::new(segments::Cache::new(1 << 20)));
    for round in 0..ROUNDS {
        let symbols: Vec<Vec<u8>> = (0..8_u8).map(|number| vec![u8::try_from(round).unwrap(), number]).collect();
        // All rows of the round before are amended, so that none of its segment is left.
        let rows: Vec<Simple<'_>> = (0..80)
            .map(|id| Simple { time: i64::from(round * 100 + id), id, symbol: &symbols[id as usize % 8], rest: b"" })
            .collect();
        put(&tree, &store, b"a", &rows);
    }
    let closed = tree.scan_prefix(b"ae").count();
    let segments = tree.scan_prefix(b"am").count();
    assert!(closed <= segments, "{closed} closed dictionaries of {segments} segments");
    for kind in [b"ad", b"as", b"ak"] {
        // After the table, the kind and the dictionary.
        let epoch = |key: sled::Result<sled::IVec>| key.unwrap()[6..10].to_vec();
        let epochs: std::collections::BTreeSet<Vec<u8>> = tree.scan_prefix(kind).keys().map(epoch).collect();
        assert!(epochs.len() <= segments.max(1), "{} epochs of {segments} segments", epochs.len());
    }
}
