//! All rows, as they were at one moment, whatever is written and forgotten meanwhile.

use proptest::prelude::*;
use segments::{Predicate, Row, Scan, TimeRange};

use crate::model::{self, Model, TABLE, matching, open, period, plain, predicate, read, seeds, shown};
use crate::simple::{self, commit, number, open_tree, put_numbers};

/// What is left of a scan.
fn rest(mut scan: Scan) -> Vec<Row> {
    let mut rows = Vec::new();
    loop {
        assert!(scan.renew());
        let next = scan.read().unwrap();
        if next.is_empty() {
            return rows;
        }
        rows.extend(next);
    }
}

#[test]
fn what_is_replaced_sealed_and_forgotten_meanwhile_is_still_read() {
    let directory = tempfile::tempdir().unwrap();
    let tree = open_tree(directory.path());
    // Nothing is cached, so that all is read from disk when its turn comes.
    let store = simple::store_with(&tree, simple::OPTIONS, &std::sync::Arc::new(segments::Cache::new(0)));
    let all = || store.scan(b"a", &Predicate::everything(), TimeRange::ALL).unwrap();
    put_numbers(&tree, &store, 0..2000, i64::from);
    let mut scan = all();
    let mut seen: Vec<u32> = scan.read().unwrap().iter().map(number).collect();
    assert!(seen.len() < 2000);
    for round in 0..3 {
        // Each replaces all rows, at other times; what is worn would be written again.
        put_numbers(&tree, &store, 0..2000, |number| i64::from(number) + 10_000 * (round + 1));
    }
    let forget = || {
        let mut writer = store.writer();
        writer.forget(b"a", 1, None).unwrap();
        commit(&tree, writer.prepare().unwrap());
    };
    forget();
    seen.extend(rest(scan).iter().map(number));
    assert_eq!(seen, (0..2000).rev().collect::<Vec<u32>>());
    assert_eq!(simple::list(&store).unwrap().len(), 2000, "nothing is forgotten while somebody holds on to it");
    forget();
    let left = simple::list(&store).unwrap().len();
    assert!(left < 2000, "{left}");
    assert_eq!(rest(all()).len(), left);
}

proptest! {
    #![proptest_config(seeds(24))]

    #[test]
    fn a_scan_has_what_a_list_would_have_had_when_it_began(
        before in prop::collection::vec(prop::collection::vec((0_u16..130, plain()), 1..60), 1..6),
        after in prop::collection::vec(prop::collection::vec((0_u16..130, plain()), 1..60), 0..6),
        predicate in predicate(),
        period in period(),
    ) {
        let directory = tempfile::tempdir().unwrap();
        let (tree, store) = open(directory.path());
        let mut model = Model::new();
        let write = |batch: &[(u16, model::Plain)]| {
            let mut writer = store.writer();
            for (number, row) in batch {
                model::put(&mut writer, TABLE, *number, row);
            }
            commit(&tree, writer.prepare().unwrap());
        };
        for batch in &before {
            write(batch);
            model.extend(batch.iter().map(|(number, row)| (model::id(*number), row.clone())));
        }
        let scan = store.scan(TABLE, &predicate, period).unwrap();
        for batch in &after {
            write(batch);
        }
        let found: Vec<_> = rest(scan).iter().map(read).collect();
        let expected: Vec<_> = matching(&model, &predicate, period).iter().map(|(_, row)| shown(row)).collect();
        prop_assert_eq!(found, expected);
    }
}
