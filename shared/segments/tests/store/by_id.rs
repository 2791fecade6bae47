//! Look-ups by id while rows are amended.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use crate::simple::{open_tree, put_numbers, store};

#[test]
fn a_row_that_is_always_there_is_found_while_it_is_amended() {
    const ROWS: u32 = 2000;
    let directory = tempfile::tempdir().unwrap();
    let tree = open_tree(directory.path());
    let store = store(&tree);
    put_numbers(&tree, &store, 0..ROWS, i64::from);
    let amended = AtomicU32::new(0);
    let is_done = AtomicBool::new(false);
    let missed = std::thread::scope(|scope| {
        let read = || {
            let mut missed = 0;
            while !is_done.load(Ordering::Relaxed) {
                let number = amended.load(Ordering::Relaxed);
                missed += u32::from(store.by_id(b"a", &number.to_be_bytes()).unwrap().is_none());
            }
            missed
        };
        let readers = [scope.spawn(read), scope.spawn(read)];
        // One after the other, from a segment into a chunk and with it into a segment again.
        for number in 0..ROWS {
            amended.store(number, Ordering::Relaxed);
            put_numbers(&tree, &store, std::iter::once(number), i64::from);
        }
        is_done.store(true, Ordering::Relaxed);
        readers.map(|reader| reader.join().unwrap())
    });
    assert_eq!(missed, [0, 0]);
}
