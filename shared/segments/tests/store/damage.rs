//! What is damaged is an error, never a wrong answer.

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;
use segments::{Cache, Error};

use crate::model::{self, Model, TABLE, id, open, plain, put, question, seeds};
use crate::simple::{commit, list, open_tree, put_numbers, store};

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
    assert!(matches!(list(&store(&tree)), Err(Error::Damaged("a column of ids"))));
}

#[test]
fn ids_that_are_gone_are_an_error_where_they_decide_the_order() {
    let directory = tempfile::tempdir().unwrap();
    let tree = open_tree(directory.path());
    interleaved(&tree);
    for key in tree.scan_prefix([b"ai".as_slice(), &1_u32.to_be_bytes()].concat()).keys() {
        tree.remove(key.unwrap()).unwrap();
    }
    assert!(matches!(list(&store(&tree)), Err(Error::Damaged("a column of ids"))));
}

/// How a stored value is damaged. `at` says where, in parts of 256 of it.
#[derive(Clone, Copy, Debug)]
enum Damage {
    Flipped { at: u8, bit: u8 },
    CutOff { at: u8 },
    Gone,
}

fn damage() -> impl Strategy<Value = Damage> {
    prop_oneof![
        4 => (any::<u8>(), 0_u8..8).prop_map(|(at, bit)| Damage::Flipped { at, bit }),
        1 => any::<u8>().prop_map(|at| Damage::CutOff { at }),
        1 => Just(Damage::Gone),
    ]
}

impl Damage {
    /// What becomes of a value; none where there is nothing to damage.
    fn of(self, kind: u8, value: &[u8]) -> Option<Option<Vec<u8>>> {
        let place = |at: u8| usize::from(at) * value.len() / 256;
        let mut damaged = value.to_vec();
        match self {
            Self::Flipped { at, bit } => *damaged.get_mut(place(at))? ^= 1 << bit,
            Self::CutOff { at } if !value.is_empty() => damaged.truncate(place(at)),
            Self::CutOff { .. } => return None,
            // That a part of a table, or what is superseded in it, was ever there is not written anywhere else.
            Self::Gone if b"hmx".contains(&kind) => return None,
            Self::Gone => return Some(None),
        }
        Some(Some(damaged))
    }
}

/// The keys of a table's values, by their kind.
fn by_kind(tree: &sled::Db) -> BTreeMap<u8, Vec<sled::IVec>> {
    let mut kinds: BTreeMap<u8, Vec<sled::IVec>> = BTreeMap::new();
    for key in tree.scan_prefix(TABLE).keys() {
        let key = key.unwrap();
        kinds.entry(key[TABLE.len()]).or_default().push(key);
    }
    kinds
}

proptest! {
    #![proptest_config(seeds(16))]

    #[test]
    fn whatever_value_is_damaged_the_answer_is_right_or_an_error(
        commits in prop::collection::vec(prop::collection::vec((0_u16..120, plain()), 10..40), 6..14),
        damages in prop::collection::vec((any::<prop::sample::Index>(), damage()), 12),
        questions in prop::collection::vec(question(), 16),
    ) {
        let directory = tempfile::tempdir().unwrap();
        let (tree, store) = open(directory.path());
        let mut model = Model::new();
        for rows in commits {
            let mut writer = store.writer();
            for (number, row) in rows {
                put(&mut writer, TABLE, number, &row);
                model.insert(id(number), row);
            }
            commit(&tree, writer.prepare().unwrap());
        }
        drop(store);
        let kinds = by_kind(&tree);
        // Everything that the store writes, but perhaps for what is superseded.
        prop_assert!(kinds.keys().copied().filter(|kind| *kind != b'x').eq(*b"abcdefghikmnprstw"));
        for (kind, keys) in kinds {
            for (index, damage) in &damages {
                let key = index.get(&keys);
                let value = tree.get(key).unwrap().unwrap();
                let Some(damaged) = damage.of(kind, &value) else { continue };
                match damaged {
                    Some(damaged) => tree.insert(key, damaged).unwrap(),
                    None => tree.remove(key).unwrap(),
                };
                let store = model::store(&tree, &Arc::new(Cache::new(1 << 20)));
                for question in &questions {
                    match question.ask(&store, TABLE) {
                        Ok(answer) => {
                            let expected = question.expected(&model);
                            prop_assert_eq!(answer, expected, "{:?} of {:?}: {:?}", damage, kind as char, question);
                        }
                        Err(Error::Damaged(_)) => {}
                        Err(error) => prop_assert!(false, "{}", error),
                    }
                }
                tree.insert(key, value).unwrap();
            }
        }
    }
}
