//! Values that are too many to be counted together.

use std::collections::BTreeMap;
use std::sync::Arc;

use segments::{Cache, Condition, NewRow, Options, Predicate, Schema, Store, TimeRange};

use super::*;
use crate::lists::top::{Counted, Others};
use crate::lists::valued::Take;

const SCHEMA: Schema = Schema { symbols: &[0, 1], searched: &[], keys: &[], filtered: &[0], texts: 0 };

/// Rows with two numbers, of which the first is none for some.
fn rows() -> Vec<[u32; 2]> {
    (0..600).map(|row: u32| [row * row % 211, row % 37]).collect()
}

fn filled(directory: &std::path::Path) -> (sled::Db, Store) {
    let tree = sled::open(directory).unwrap();
    let store = Store::new((*tree).clone(), Arc::new(Cache::new(1 << 20)), SCHEMA, Options::default());
    let mut writer = store.writer();
    for (time, row) in (0_i64..).zip(rows()) {
        let [one, other] = row.map(u32::to_be_bytes);
        let id = time.to_be_bytes();
        let found = writer.find(b"t", &id).unwrap();
        writer.put(b"t", &found, NewRow { time, id: &id, symbols: &[&one, &other], texts: &[], rest: &[] }).unwrap();
    }
    let mut prepared = writer.prepare().unwrap();
    let mut batch = sled::Batch::default();
    for (key, value) in prepared.changes() {
        match value {
            Some(value) => batch.insert(key, value),
            None => batch.remove(key),
        }
    }
    tree.apply_batch(batch).unwrap();
    prepared.publish();
    (tree, store)
}

/// A column's number, in words; zero is none.
fn field(column: usize) -> Valued<'static> {
    let values = |symbol: &[u8], _: &[u8], take: Take<'_>| {
        if let Some(number) = symbol.first_chunk().map(|bytes| u32::from_be_bytes(*bytes)).filter(|number| *number > 0)
        {
            take(&format!("value {number}"));
        }
        Ok(())
    };
    Valued { column, beside: None, values: Box::new(values) }
}

fn expected(rows: impl Iterator<Item = Vec<u32>>, told: usize) -> Top {
    let mut counts: BTreeMap<Vec<String>, u64> = BTreeMap::new();
    let mut top = Top::default();
    for values in rows {
        if values.contains(&0) {
            top.without += 1;
        } else {
            *counts.entry(values.iter().map(|value| format!("value {value}")).collect()).or_default() += 1;
        }
    }
    top.values = counts.into_iter().map(|(values, count)| Counted { values, count }).collect();
    top.values.sort_by_key(|counted| std::cmp::Reverse(counted.count));
    let others = top.values.split_off(told.min(top.values.len()));
    top.others = Others { values: others.len() as u64, count: others.iter().map(|other| other.count).sum() };
    top
}

#[test]
fn counts_in_shares_are_those_of_all_together() {
    let directory = tempfile::tempdir().unwrap();
    let (_tree, store) = filled(directory.path());
    let fields = [field(0), field(1)];
    for held in [1 << 20, 60, 20] {
        for told in [0, 1, 7, 1000] {
            let most = Most { told, held };
            let everything = Predicate::everything();
            let counted = store.count(b"t", &Condition::Exact(&everything), TimeRange::ALL, |rows| {
                Ok((of_each(rows, &fields, most)?, of_pairs(rows, fields.each_ref(), most)?))
            });
            let (tops, pairs) = counted.unwrap();
            let each = [0, 1].map(|column| expected(rows().into_iter().map(|row| vec![row[column]]), told));
            assert_eq!(tops, each, "{held} {told}");
            assert_eq!(pairs, expected(rows().into_iter().map(Vec::from), told), "{held} {told}");
        }
    }
}
