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

#[test]
fn a_look_up_is_ready_once_nothing_has_to_be_read_for_it() {
    let directory = tempfile::tempdir().unwrap();
    let tree = open_tree(directory.path());
    // Sealed: 0..256. Not sealed: 256..272.
    put_numbers(&tree, &store(&tree), 0..272, i64::from);
    let store = store(&tree);
    let (sealed, newest, none) = (5_u32.to_be_bytes(), 260_u32.to_be_bytes(), 1000_u32.to_be_bytes());
    let ready = || [sealed, newest, none].map(|id| store.is_ready_for_id(b"a", &id));
    assert_eq!(ready(), [false, false, false]);
    assert!(!store.is_in_memory(b"a"), "to ask whether it is ready reads nothing");
    assert!(store.by_id(b"a", &newest).unwrap().is_some());
    assert_eq!(ready(), [false, true, false]);
    assert!(store.by_id(b"a", &none).unwrap().is_none());
    // All filters were read: no segment has it.
    assert_eq!(ready(), [false, true, true]);
    assert!(store.by_id(b"a", &sealed).unwrap().is_some());
    assert_eq!(ready(), [true, true, true]);
}

#[test]
fn the_first_look_at_an_id_reads_the_filters_of_newer_segments_alone() {
    let directory = tempfile::tempdir().unwrap();
    let tree = open_tree(directory.path());
    put_numbers(&tree, &store(&tree), 0..1104, i64::from);
    // The filter of the oldest segment is damaged, which a look-up of a newer row does not meet.
    for entry in tree.scan_prefix([b"ab".as_slice(), &0_u32.to_be_bytes()].concat()) {
        let (key, mut value) = entry.unwrap();
        value[0] ^= 1;
        tree.insert(key, value).unwrap();
    }
    let store = store(&tree);
    assert!(store.by_id(b"a", &1050_u32.to_be_bytes()).unwrap().is_some());
    assert!(matches!(store.by_id(b"a", &5_u32.to_be_bytes()), Err(segments::Error::Damaged("a membership filter"))));
}
