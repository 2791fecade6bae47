//! Values that are too many to be counted together.

use std::collections::BTreeMap;
use std::sync::Arc;

use segments::{Cache, Condition, NewRow, Options, Predicate, Schema, Store, TimeRange};

use super::*;
use crate::lists::top::Counted;
use crate::lists::valued::Take;

const SCHEMA: Schema =
    Schema { symbols: &[0, 1], searched: &[], keys: &[], points: &[], filtered: &[0], numbers: 1, texts: 0 };

/// Rows with the numbers of two symbols, of which the first is none for some, and one that is summed up.
fn rows() -> Vec<([u32; 2], u64)> {
    (0..600).map(|row: u32| ([row * row % 211, row % 37], u64::MAX / u64::from(row % 97 + 1))).collect()
}

fn filled(directory: &std::path::Path) -> (sled::Db, Store) {
    let tree = sled::open(directory).unwrap();
    let store = Store::new((*tree).clone(), Arc::new(Cache::new(1 << 20)), SCHEMA, Options::default());
    let mut writer = store.writer();
    for (time, (row, number)) in (0_i64..).zip(rows()) {
        let [one, other] = row.map(u32::to_be_bytes);
        let id = time.to_be_bytes();
        let found = writer.find(b"t", &id).unwrap();
        let symbols: &[&[u8]] = &[&one, &other];
        let row = NewRow { time, id: &id, symbols, numbers: &[number], texts: &[], rest: &[] };
        writer.put(b"t", &found, row).unwrap();
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

fn expected(rows: impl Iterator<Item = (Vec<u32>, u64)>, told: usize, by: Option<Measure>) -> Top {
    let mut amounts: BTreeMap<Vec<String>, Amount> = BTreeMap::new();
    let mut top = Top::default();
    for (values, number) in rows {
        let amount = if values.contains(&0) {
            &mut top.without
        } else {
            amounts.entry(values.iter().map(|value| format!("value {value}")).collect()).or_default()
        };
        *amount += Amount { count: 1, sum: by.map_or(0, |_| number.into()) };
    }
    top.values = amounts.into_iter().map(|(values, amount)| Counted { values, amount }).collect();
    let size = |amount: Amount| if by.is_some() { amount.sum } else { amount.count.into() };
    top.values.sort_by_key(|counted| std::cmp::Reverse(size(counted.amount)));
    let others = top.values.split_off(told.min(top.values.len()));
    top.others.values = others.len() as u64;
    for other in others {
        top.others.amount += other.amount;
    }
    top
}

#[test]
fn counts_in_shares_are_those_of_all_together() {
    let directory = tempfile::tempdir().unwrap();
    let (_tree, store) = filled(directory.path());
    let fields = [field(0), field(1)];
    for (held, by) in [1 << 20, 60, 20].into_iter().flat_map(|held| [(held, None), (held, Some(Measure(&[0])))]) {
        for told in [0, 1, 7, 1000] {
            let most = Most { told, held, by };
            let everything = Predicate::everything();
            let counted = store.count(b"t", &Condition::Exact(&everything), TimeRange::ALL, |rows| {
                Ok((of_each(rows, &fields, most)?, of_pairs(rows, fields.each_ref(), most)?))
            });
            let (tops, pairs) = counted.unwrap();
            let of_one = |column: usize| rows().into_iter().map(move |(row, number)| (vec![row[column]], number));
            let each = [0, 1].map(|column| expected(of_one(column), told, by));
            assert_eq!(tops, each, "{held} {told}");
            let both = rows().into_iter().map(|(row, number)| (Vec::from(row), number));
            assert_eq!(pairs, expected(both, told, by), "{held} {told}");
        }
    }
}
