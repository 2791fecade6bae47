//! What is asked of a few rows among many: each of them is asked, whatever is asked for, and no column is read for none.

use std::sync::Arc;

use proptest::prelude::*;
use segments::{Cache, Options, Page, Predicate, Store, TimeRange};

use crate::model::{Model, OPTIONS, Plain, SCHEMA, TABLE, compare, id, predicate, put, seeds};
use crate::simple::{commit, open_tree};

/// So many that a few of them are few.
const ROWS: u16 = 1500;
/// A symbol that next to no row has.
const RARE: u8 = 200;

/// Two segments and some rows besides.
fn filled(directory: &std::path::Path, cache: &Arc<Cache>) -> (sled::Db, Store, Model) {
    let tree = open_tree(directory);
    let options = Options { seal_rows: 640, keep_rows: 200, ..OPTIONS };
    let store = Store::new((*tree).clone(), cache.clone(), SCHEMA, options);
    let mut model = Model::new();
    for first in (0..ROWS).step_by(100) {
        let mut writer = store.writer();
        for number in first..first + 100 {
            let symbols = [if number % 171 == 3 { RARE } else { (number % 3) as u8 }, (number % 7) as u8, 0];
            let text = ["", "a", "ab", "ba"][usize::from(number % 4)].to_owned();
            let row = Plain { time: i64::from(number / 2), symbols, numbers: [3, 4], text, rest: number as u8 };
            put(&mut writer, TABLE, number, &row);
            model.insert(id(number), row);
        }
        commit(&tree, writer.prepare().unwrap());
    }
    (tree, store, model)
}

#[test]
fn a_few_rows_are_asked_each_and_all_that_is_asked() {
    let directory = tempfile::tempdir().unwrap();
    let (_tree, store, model) = filled(directory.path(), &Arc::new(Cache::new(1 << 20)));
    let text = || Predicate::Text { column: 0, needle: b"b".to_vec() };
    let not = |inner: Predicate| Predicate::Not(Box::new(inner));
    for more in [
        Predicate::is(1, [3]),
        text(),
        not(text()),
        Predicate::Any(vec![Predicate::is(1, [0]), text(), Predicate::is(1, [5])]),
        not(Predicate::Any(vec![Predicate::is(1, [0]), text()])),
        Predicate::All(vec![text(), not(Predicate::is(1, [4]))]),
    ] {
        let both = Predicate::All(vec![Predicate::is(0, [RARE]), more]);
        compare(&store, TABLE, &model, &both, TimeRange::ALL);
        compare(&store, TABLE, &model, &both, TimeRange { from: Some(40), to: Some(700) });
    }
}

#[test]
fn rows_that_are_left_out_are_counted_without_the_others() {
    let directory = tempfile::tempdir().unwrap();
    let (_tree, store, model) = filled(directory.path(), &Arc::new(Cache::new(1 << 20)));
    for left_out in [Predicate::is(0, [RARE]), Predicate::is(0, [1]), Predicate::is(1, [6]), Predicate::everything()] {
        let others = Predicate::Not(Box::new(left_out));
        compare(&store, TABLE, &model, &others, TimeRange::ALL);
        compare(&store, TABLE, &model, &others, TimeRange { from: Some(40), to: Some(700) });
    }
}

#[test]
fn no_column_is_read_for_what_is_left_out_of_all_rows_or_of_none() {
    let directory = tempfile::tempdir().unwrap();
    drop(filled(directory.path(), &Arc::new(Cache::new(1 << 20))));
    let cache = Arc::new(Cache::new(1 << 20));
    let tree = open_tree(directory.path());
    let options = Options { seal_rows: 640, keep_rows: 200, ..OPTIONS };
    let store = Store::new((*tree).clone(), cache.clone(), SCHEMA, options);
    let page = Page::newest(0);
    let total = |predicate: &Predicate| store.list(TABLE, predicate, TimeRange::ALL, &page).unwrap().total;
    let without = |symbol: u8| Predicate::Not(Box::new(Predicate::is(0, [symbol])));
    // From here on what dictionaries have of these symbols is in memory; single symbols are counted without a column.
    for (column, symbol) in [(0, 77), (0, RARE), (1, 77)] {
        total(&Predicate::is(column, [symbol]));
    }
    let dictionaries = cache.values_weight();
    assert_eq!(total(&without(77)), 1500, "no row has it");
    assert_eq!(total(&without(RARE)), 1491, "it is counted");
    // Nobody has the one, so nobody is asked about the other.
    let neither = Predicate::All(vec![Predicate::is(1, [77]), without(RARE)]);
    assert_eq!((total(&neither), cache.values_weight()), (0, dictionaries));
    total(&Predicate::All(vec![Predicate::is(1, [3]), without(RARE)]));
    assert!(cache.values_weight() > dictionaries, "of some rows columns are read");
}

proptest! {
    #![proptest_config(seeds(16))]

    #[test]
    fn few_rows_of_many_are_found_as_a_plain_list_would(predicates in prop::collection::vec(predicate(), 4)) {
        let directory = tempfile::tempdir().unwrap();
        let (_tree, store, model) = filled(directory.path(), &Arc::new(Cache::new(1 << 20)));
        for predicate in predicates {
            let both = Predicate::All(vec![Predicate::is(0, [RARE]), predicate]);
            compare(&store, TABLE, &model, &both, TimeRange::ALL);
        }
    }
}
