//! What is no longer used is gone from the disk.

use crate::simple::{Simple, open_tree, put};

#[test]
fn a_segment_without_rows_leaves_no_dictionary_behind() {
    const ROUNDS: u32 = 6;
    let directory = tempfile::tempdir().unwrap();
    let tree = open_tree(directory.path());
    // Few symbols are enough for the next epoch, and each round has its own.
    let options = segments::Options { epoch_symbols: 4, ..crate::simple::OPTIONS };
    let store = crate::simple::store_with(&tree, options, &std::sync::Arc::new(segments::Cache::new(1 << 20)));
    for round in 0..ROUNDS {
        let symbols: Vec<Vec<u8>> = (0..8_u8).map(|number| vec![u8::try_from(round).unwrap(), number]).collect();
        // All rows of the round before are amended, so that none of its segment is left.
        let rows: Vec<Simple<'_>> = (0..80)
            .map(|id| Simple { time: i64::from(round * 100 + id), id, symbol: &symbols[id as usize % 8], rest: b"" })
            .collect();
        put(&tree, &store, b"a", &rows);
    }
    let epochs: std::collections::BTreeSet<Vec<u8>> =
        tree.scan_prefix(b"ad").keys().map(|key| key.unwrap()[2..6].to_vec()).collect();
    let segments = tree.scan_prefix(b"am").count();
    assert!(epochs.len() <= segments + 1, "{} dictionaries of {segments} segments", epochs.len());
}
