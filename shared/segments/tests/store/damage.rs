//! What is damaged is an error, never a wrong answer.

use crate::simple::{list, open_tree, put_numbers, store};

/// Two halves of the same rows, all of one time, so that ids alone say how they are merged.
fn interleaved(tree: &sled::Db) {
    let writing = store(tree);
    put_numbers(tree, &writing, (0..160).step_by(2), |_| 0);
    put_numbers(tree, &writing, (1..320).step_by(2), |_| 0);
    let mut expected: Vec<u32> = (0..160).step_by(2).chain((1..320).step_by(2)).collect();
    expected.sort_unstable_by(|one, other| other.cmp(one));
    assert_eq!(list(&store(tree)).unwrap(), expected);
}

#[test]
fn damaged_ids_are_an_error_where_they_decide_the_order() {
    let directory = tempfile::tempdir().unwrap();
    let tree = open_tree(directory.path());
    interleaved(&tree);
    for entry in tree.scan_prefix([b"ai".as_slice(), &0_u32.to_be_bytes()].concat()) {
        let (key, mut value) = entry.unwrap();
        value[0] ^= 1;
        tree.insert(key, value).unwrap();
    }
    assert!(matches!(list(&store(&tree)), Err(segments::Error::Damaged("a column of ids"))));
}

#[test]
fn ids_that_are_gone_are_an_error_where_they_decide_the_order() {
    let directory = tempfile::tempdir().unwrap();
    let tree = open_tree(directory.path());
    interleaved(&tree);
    for key in tree.scan_prefix([b"ai".as_slice(), &1_u32.to_be_bytes()].concat()).keys() {
        tree.remove(key.unwrap()).unwrap();
    }
    assert!(matches!(list(&store(&tree)), Err(segments::Error::Damaged("a column of ids"))));
}
