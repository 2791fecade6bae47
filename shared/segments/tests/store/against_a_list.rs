//! The store compared with a plain list in memory: whatever is put, replaced, sealed and read again, both answer the same.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use proptest::prelude::*;
use segments::{Cache, Page, Predicate, Start, Store, TimeRange};

use crate::model::{
    Model, OTHER, Plain, TABLE, compare, id, open, open_with, period, plain, predicate, put, read, seeds, shown,
};
use crate::simple::commit;

#[derive(Clone, Debug)]
enum Step {
    /// Rows of one commit: id and content.
    Commit(Vec<(u16, Plain)>),
    /// A commit that is prepared, but does not reach the disk.
    Lost(Vec<(u16, Plain)>),
    /// What was sealed by all but so many of the last commits is forgotten, but perhaps for the rows that stay.
    Forget(u64, bool),
    /// The process ends; everything is read from disk.
    Reopen,
}

fn step() -> impl Strategy<Value = Step> {
    let rows = || prop::collection::vec((0_u16..120, plain()), 0..30);
    prop_oneof![8 => rows().prop_map(Step::Commit), 1 => rows().prop_map(Step::Lost), 1 => Just(Step::Reopen), 1 => (0_u64..6, any::<bool>()).prop_map(|(kept, with)| Step::Forget(kept, with))]
}

/// From memory for all down to what makes each table displace the other.
fn budget() -> impl Strategy<Value = u64> {
    prop_oneof![2 => Just(1 << 20), 1 => Just(30_000), 1 => Just(1)]
}

proptest! {
    #![proptest_config(seeds(32))]

    #[test]
    fn the_store_answers_as_a_plain_list_would(
        steps in prop::collection::vec(step(), 1..25),
        predicates in prop::collection::vec(predicate(), 3),
        period in period(),
        budget in budget(),
    ) {
        let directory = tempfile::tempdir().unwrap();
        let cache = Arc::new(Cache::new(budget));
        let (mut tree, mut store) = open_with(directory.path(), &cache);
        let mut model = Model::new();
        let mut other = Model::new();
        // The commit that wrote each row of the first table last.
        let mut written: BTreeMap<Vec<u8>, u64> = BTreeMap::new();
        let mut commits = 0;
        for step in steps {
            match step {
                Step::Commit(rows) => {
                    let mut writer = store.writer();
                    commits += 1;
                    writer.mark(commits);
                    for (number, row) in rows {
                        let before = put(&mut writer, TABLE, number, &row);
                        let replaced = model.insert(id(number), row.clone());
                        written.insert(id(number), commits);
                        prop_assert_eq!(before.as_ref().map(read), replaced.as_ref().map(shown));
                        if number % 3 == 0 {
                            put(&mut writer, OTHER, number, &row);
                            other.insert(id(number), row);
                        }
                    }
                    commit(&tree, writer.prepare().unwrap());
                }
                Step::Lost(rows) => {
                    let mut writer = store.writer();
                    for (number, row) in rows {
                        put(&mut writer, TABLE, number, &row);
                    }
                    drop(writer.prepare().unwrap());
                }
                Step::Forget(kept, with_those_that_stay) => {
                    let first = commits.saturating_sub(kept);
                    let keeps_forever = with_those_that_stay.then_some(keeps_forever as fn(&[u8]) -> bool);
                    let mut writer = store.writer();
                    writer.forget(TABLE, first, keeps_forever).unwrap();
                    commit(&tree, writer.prepare().unwrap());
                    // Whole segments go, so what is left is known by looking; nothing that is younger may be gone, nor
                    // what stays.
                    let must_stay = |id: &[u8]| written[id] >= first || keeps_forever.is_some_and(|keeps| keeps(id));
                    model.retain(|id, _| must_stay(id) || store.by_id(TABLE, id).unwrap().is_some());
                }
                Step::Reopen => {
                    drop(store);
                    tree.flush().unwrap();
                    drop(tree);
                    (tree, store) = open_with(directory.path(), &cache);
                }
            }
            compare(&store, TABLE, &model, &predicates[0], period);
            compare(&store, OTHER, &other, &predicates[0], period);
            prop_assert!(budget > 1 || !store.is_in_memory(TABLE), "with the least memory, one table displaces another");
        }
        for predicate in predicates.iter().chain([&Predicate::everything(), &Predicate::Any(Vec::new())]) {
            compare(&store, TABLE, &model, predicate, TimeRange::ALL);
            compare(&store, TABLE, &model, predicate, period);
            compare(&store, OTHER, &other, predicate, period);
        }
        let ids: BTreeSet<u16> = (0..130).collect();
        for number in ids {
            let row = store.by_id(TABLE, &id(number)).unwrap();
            prop_assert_eq!(row.as_ref().map(read), model.get(&id(number)).map(shown));
        }
    }
}

#[test]
fn what_is_forgotten_leaves_nothing_on_disk() {
    let directory = tempfile::tempdir().unwrap();
    let (tree, store) = open(directory.path());
    let mut left = Vec::new();
    // Eight rows stay unsealed: the others are a segment, which the next round forgets.
    for (round, first) in (0..4).zip((8..).step_by(32)) {
        let ids = if round == 0 { 0..first } else { first - 32..first };
        let mut writer = store.writer();
        writer.mark(round);
        for number in ids {
            let row =
                Plain { time: number.into(), symbols: [1, 2, 0], numbers: [3, 4], text: "ab".to_owned(), rest: 0 };
            put(&mut writer, TABLE, number, &row);
        }
        commit(&tree, writer.prepare().unwrap());
        let mut writer = store.writer();
        writer.forget(TABLE, round + 1, None).unwrap();
        commit(&tree, writer.prepare().unwrap());
        left.push(tree.len());
        assert_eq!(total(&store, &Predicate::everything()), 8);
    }
    assert_eq!(left[1..], [left[1]; 3]);
}

#[test]
fn what_stays_of_forgotten_segments_lies_together() {
    let directory = tempfile::tempdir().unwrap();
    let (mut tree, mut store) = open(directory.path());
    for (round, first) in (0_u8..30).zip((8..).step_by(32)) {
        let ids = if round == 0 { 0..first } else { first - 32..first };
        let mut writer = store.writer();
        writer.mark(round.into());
        for number in ids {
            // New symbols each round, so that new dictionaries begin; those of what stays are few.
            let symbol = if keeps_forever(&id(number)) { 1 } else { 10 + round };
            let row =
                Plain { time: number.into(), symbols: [symbol, 2, 0], numbers: [3, 4], text: "ab".to_owned(), rest: 0 };
            put(&mut writer, TABLE, number, &row);
        }
        commit(&tree, writer.prepare().unwrap());
        let mut writer = store.writer();
        writer.forget(TABLE, u64::from(round) + 1, Some(keeps_forever)).unwrap();
        commit(&tree, writer.prepare().unwrap());
        // Eight rows are unsealed, and of each forgotten segment those stay whose number is a multiple of sixteen.
        let expected = (0..first - 8).step_by(16).count() as u64;
        let segments = tree.scan_prefix([TABLE, b"m"].concat()).count() as u64;
        assert_eq!(segments, expected.div_ceil(32), "round {round}");
        for _ in 0..2 {
            assert_eq!(total(&store, &Predicate::everything()), 8 + expected, "round {round}");
            for number in (0..first - 8).step_by(16) {
                assert!(store.by_id(TABLE, &id(number)).unwrap().is_some(), "{number}");
            }
            drop((tree, store));
            (tree, store) = open(directory.path());
        }
    }
}

fn keeps_forever(id: &[u8]) -> bool {
    id.last().is_some_and(|last| last % 16 == 0)
}

fn total(store: &Store, predicate: &Predicate) -> u64 {
    let page = Page::newest(0);
    store.list(TABLE, predicate, TimeRange::ALL, &page).unwrap().total
}

#[test]
fn a_page_of_rows_from_many_segments_is_read_as_a_whole() {
    let directory = tempfile::tempdir().unwrap();
    let (tree, store) = open(directory.path());
    let mut writer = store.writer();
    for number in 0..500 {
        let row =
            Plain { time: number.into(), symbols: [1, 2, 0], numbers: [3, 4], text: String::new(), rest: number as u8 };
        put(&mut writer, TABLE, number, &row);
    }
    commit(&tree, writer.prepare().unwrap());
    drop((tree, store));

    let (_tree, store) = open(directory.path());
    let page = Page { start: Start::Offset(3), ..Page::newest(450) };
    let listed = store.list(TABLE, &Predicate::everything(), TimeRange::ALL, &page).unwrap();
    let rests: Vec<u8> = listed.rows.iter().flat_map(|row| row.rest.clone()).collect();
    assert_eq!(rests, (47..497_u16).rev().map(|number| number as u8).collect::<Vec<_>>());
}

#[test]
fn columns_are_read_ahead_segment_by_segment_while_there_is_room() {
    let directory = tempfile::tempdir().unwrap();
    let (tree, store) = open(directory.path());
    let mut writer = store.writer();
    for number in 0..136 {
        let row = Plain {
            time: number.into(),
            symbols: [1, 2, number as u8 % 2],
            numbers: [3, 4],
            text: "ab".to_owned(),
            rest: 0,
        };
        put(&mut writer, TABLE, number, &row);
    }
    commit(&tree, writer.prepare().unwrap());
    drop((tree, store));

    let cache = Arc::new(Cache::new(1 << 20));
    let (tree, store) = open_with(directory.path(), &cache);
    assert!(!store.read_ahead(10).unwrap() && cache.values_weight() == 0 && !store.is_in_memory(TABLE));
    assert_eq!(total(&store, &Predicate::everything()), 136);
    assert!(store.is_in_memory(TABLE) && !store.is_in_memory(OTHER));
    // Now the table is known: four segments and eight rows besides.
    let mut cached = vec![cache.values_weight()];
    while store.read_ahead(1).unwrap() {
        cached.push(cache.values_weight());
    }
    cached.push(cache.values_weight());
    assert_eq!(cached.len(), 5);
    assert!(cached.is_sorted_by(|before, after| before < after), "{cached:?}");
    assert_eq!(total(&store, &Predicate::is(2, [1])), 68);
    assert_eq!(cache.values_weight(), cached[4]);

    // A store that shares the cache reads its own columns. They are there once they are sealed, and go with it.
    let elsewhere = tempfile::tempdir().unwrap();
    let (other_tree, other) = open_with(elsewhere.path(), &cache);
    let sealing = || {
        let mut writer = other.writer();
        for number in 0..136 {
            let row =
                Plain { time: number.into(), symbols: [1, 2, 1], numbers: [3, 4], text: "ab".to_owned(), rest: 0 };
            put(&mut writer, TABLE, number, &row);
        }
        writer.prepare().unwrap()
    };
    drop(sealing());
    assert_eq!(cache.values_weight(), cached[4], "nothing is kept of what was not written");
    commit(&other_tree, sealing());
    assert!(cache.values_weight() > cached[4]);
    assert_eq!(total(&other, &Predicate::is(2, [1])), 136);
    assert_eq!(total(&store, &Predicate::is(2, [1])), 68);
    drop((other_tree, other));
    assert_eq!(cache.values_weight(), cached[4]);
    drop((tree, store));
    assert_eq!(cache.weight(), 0);

    let budget = cached[1] * 2;
    let cache = Arc::new(Cache::new(budget));
    let (_tree, store) = open_with(directory.path(), &cache);
    assert_eq!(total(&store, &Predicate::everything()), 136);
    assert!(!store.read_ahead(10).unwrap());
    assert!((1..=budget).contains(&cache.values_weight()), "{}", cache.values_weight());
}
