//! So many rows that they are encoded on several cores, and when they are.

use std::sync::Arc;

use segments::{Cache, NewRow, Options};

use crate::simple::{OPTIONS, commit, list, open_tree, put_numbers, store_with};

const LARGE: Options = Options { seal_rows: 20_000, keep_rows: 10_000, ..OPTIONS };

#[test]
fn rows_of_large_segments_and_chunks_come_back_in_order() {
    let directory = tempfile::tempdir().unwrap();
    let tree = open_tree(directory.path());
    let store = store_with(&tree, LARGE, &Arc::new(Cache::new(64 << 20)));
    // A segment and a large chunk at once, then another of both, of which each is mixed of both commits.
    put_numbers(&tree, &store, (0..80_000).step_by(2), i64::from);
    put_numbers(&tree, &store, (1..80_000).step_by(2), i64::from);
    let newest_first: Vec<u32> = (0..80_000).rev().collect();
    assert_eq!(list(&store).unwrap(), newest_first);
    let read_again = store_with(&tree, LARGE, &Arc::new(Cache::new(64 << 20)));
    assert_eq!(list(&read_again).unwrap(), newest_first);
}

#[test]
fn a_writer_says_when_it_fills_a_segment() {
    let directory = tempfile::tempdir().unwrap();
    let tree = open_tree(directory.path());
    let store = store_with(&tree, OPTIONS, &Arc::new(Cache::new(1 << 20)));
    let mut writer = store.writer();
    let put = |writer: &mut segments::Writer, number: u32| {
        let id = number.to_be_bytes();
        let found = writer.find(b"a", &id).unwrap();
        let row = NewRow { time: 7, id: &id, symbols: &[b"s"], numbers: &[], texts: &[], rest: &id };
        writer.put(b"a", &found, row).unwrap();
    };
    let full = u32::try_from(OPTIONS.seal_rows + OPTIONS.keep_rows).unwrap();
    for number in 0..full {
        assert!(!writer.fills_a_segment(), "{number}");
        put(&mut writer, number);
        // A row that is replaced by another is no row more.
        put(&mut writer, number);
    }
    assert!(writer.fills_a_segment());
    commit(&tree, writer.prepare().unwrap());
    let kept = u32::try_from(OPTIONS.keep_rows).unwrap();
    let mut writer = store.writer();
    for number in 0..full - kept {
        assert!(!writer.fills_a_segment(), "{number} beside those that were kept");
        put(&mut writer, full + number);
    }
    assert!(writer.fills_a_segment());
    drop(writer);
    assert_eq!(list(&store).unwrap().len(), full as usize);
}
