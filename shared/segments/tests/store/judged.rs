//! Lists whose rows are judged, compared with a plain list.

use std::cell::Cell;

use proptest::prelude::*;
use segments::{Bounds, Condition, Instead, Order, Page, Predicate, Row, SortKey, Start, Store, TimeRange};

use crate::model::{
    Model, ORDERS, Plain, TABLE, compare_counts, holds, id, matching, matching_in, open, period, plain, predicate, put,
    read, seeds, shown,
};
use crate::simple::commit;

/// What columns do not know.
fn is_wanted(rest: u8) -> bool {
    rest.is_multiple_of(3)
}

/// A list whose rows match where `least` holds, or else where `most` does and the rest of the row says so.
struct Judged<'a> {
    store: &'a Store,
    model: &'a Model,
    least: Predicate,
    most: Predicate,
    period: TimeRange,
    order: Order,
}

impl Judged<'_> {
    fn holds(&self, row: &Plain) -> bool {
        holds(&self.least, row) || (holds(&self.most, row) && is_wanted(row.rest))
    }

    /// How many rows columns leave open.
    fn open(&self) -> u64 {
        let open = |row: &Plain| holds(&self.most, row) && !holds(&self.least, row);
        matching(self.model, &Predicate::everything(), self.period).iter().filter(|(_, row)| open(row)).count() as u64
    }

    /// The rows that match, with their ids, in the order of the list.
    fn expected(&self) -> Vec<(&Vec<u8>, &Plain)> {
        let mut rows = matching_in(self.order, self.model, &Predicate::everything(), self.period);
        rows.retain(|(_, row)| self.holds(row));
        rows
    }

    fn list(&self, page: &Page, max_judged: usize) -> segments::JudgedRows {
        let judged = Cell::new(0);
        let judge = |rows: Vec<Row>| {
            judged.set(judged.get() + rows.len() as u64);
            Ok(rows.iter().map(|row| is_wanted(read(row).1)).collect())
        };
        let bounds = Bounds { least: &self.least, most: &self.most, judge: &judge, max_judged, instead: None };
        let listed = self.store.list_judged(TABLE, &bounds, self.period, page).unwrap();
        assert_eq!(listed.judged, judged.get());
        assert!(judged.get() <= max_judged as u64);
        listed
    }

    /// Compares counts: exact ones where all rows can be judged, else of those that are judged, the newest.
    fn compare_counts(&self, max_judged: usize) {
        let judge = |rows: Vec<Row>| Ok(rows.iter().map(|row| is_wanted(read(row).1)).collect());
        let (least, most) = (&self.least, &self.most);
        // Some rows count for other numbers than their own.
        let counted = |id: &Vec<u8>, row: &Plain| {
            let numbers = if row.rest.is_multiple_of(2) { row.numbers } else { [u64::from(row.rest), u64::MAX - 5] };
            (id.clone(), Plain { numbers, ..row.clone() })
        };
        let counted: Vec<(Vec<u8>, Plain)> = self.model.iter().map(|(id, row)| counted(id, row)).collect();
        let counted: Model = counted.into_iter().collect();
        let others = counted.iter().filter(|(id, row)| row.numbers != self.model[*id].numbers);
        let instead: Instead = others.map(|(id, row)| (id.clone(), row.numbers.into())).collect();
        let instead = Some(&instead);
        let bounds = Condition::Between(Bounds { least, most, judge: &judge, max_judged, instead });
        let mut left = max_judged;
        let mut expected = Vec::new();
        for (id, row) in matching(self.model, &Predicate::everything(), self.period) {
            let is_open = holds(most, row) && !holds(least, row);
            if is_open && left == 0 {
                continue;
            }
            left -= usize::from(is_open);
            if self.holds(row) {
                expected.push(&counted[id]);
            }
        }
        let compared = self.store.count(TABLE, &bounds, self.period, |rows| {
            assert_eq!(rows.judged(), self.open().min(max_judged as u64));
            assert_eq!(rows.is_complete(), self.open() <= max_judged as u64);
            compare_counts(rows, &expected);
            Ok(())
        });
        compared.unwrap();
    }

    /// Follows the list from page to page, and compares all of it.
    fn compare(&self, limit: usize, max_judged: usize) {
        self.compare_counts(max_judged);
        let expected = self.expected();
        let mut seen = Vec::new();
        let order = self.order;
        let mut start = Start::Offset(0);
        loop {
            let page = self.list(&Page { start, limit, order }, max_judged);
            assert_eq!(page.is_complete, self.open() <= max_judged as u64);
            if page.is_complete {
                assert_eq!((page.total, page.judged), (expected.len() as u64, self.open()));
            }
            assert!(page.total <= expected.len() as u64);
            seen.extend(page.rows.iter().map(read));
            let Some(last) = page.last else { break };
            let (id, row) = self.model.iter().find(|(_, row)| shown(row) == read(&last)).unwrap();
            start = Start::After(SortKey { time: row.time, id: id.clone() });
        }
        assert_eq!(seen, expected.iter().map(|(_, row)| shown(row)).collect::<Vec<_>>());
        for offset in [0, 2, 9] {
            let page = self.list(&Page { start: Start::Offset(offset), limit, order }, max_judged);
            let skip = usize::try_from(offset).unwrap();
            let rows: Vec<_> = expected.iter().skip(skip).take(limit).map(|(_, row)| shown(row)).collect();
            assert!(rows.starts_with(&page.rows.iter().map(read).collect::<Vec<_>>()));
            assert!(page.last.is_some() || page.rows.len() == rows.len());
        }
    }
}

proptest! {
    #![proptest_config(seeds(48))]

    #[test]
    fn rows_are_found_by_columns_and_by_judging(
        commits in prop::collection::vec(prop::collection::vec((0_u16..200, plain()), 0..30), 1..12),
        predicates in (predicate(), predicate()),
        period in period(),
        limit in 1_usize..12,
        max_judged in 1_usize..120,
    ) {
        let directory = tempfile::tempdir().unwrap();
        let (tree, store) = open(directory.path());
        let mut model = Model::new();
        for rows in commits {
            let mut writer = store.writer();
            for (number, row) in rows {
                // Each row shows a number of its own, by which it is found again.
                let [high, low] = number.to_be_bytes();
                let row = Plain { symbols: [row.symbols[0], row.symbols[1], high], rest: low, ..row };
                put(&mut writer, TABLE, number, &row);
                model.insert(id(number), row);
            }
            commit(&tree, writer.prepare().unwrap());
        }
        let (one, other) = predicates;
        let least = Predicate::All(vec![one.clone(), other.clone()]);
        let most = Predicate::Any(vec![one, other]);
        let (store, model) = (&store, &model);
        for order in ORDERS {
            for period in [period, TimeRange::ALL] {
                let judged = Judged { store, model, least: least.clone(), most: most.clone(), period, order };
                judged.compare(limit, max_judged);
            }
            let (least, most) = (Predicate::nothing(), Predicate::everything());
            Judged { store, model, least, most, period, order }.compare(limit, max_judged);
        }
    }
}

#[test]
fn a_page_that_is_full_judges_no_more_rows() {
    let directory = tempfile::tempdir().unwrap();
    let (tree, store) = open(directory.path());
    let mut model = Model::new();
    let mut writer = store.writer();
    for number in 0..3000_u16 {
        let row = Plain { time: number.into(), symbols: [0, 0, 0], numbers: [3, 4], text: String::new(), rest: 0 };
        put(&mut writer, TABLE, number, &row);
        model.insert(id(number), row);
    }
    commit(&tree, writer.prepare().unwrap());
    let (least, most) = (Predicate::nothing(), Predicate::everything());
    let (period, order) = (TimeRange::ALL, Order::NewestFirst);
    let judged = Judged { store: &store, model: &model, least, most, period, order };
    let page = judged.list(&Page::newest(10), 2000);
    assert_eq!((page.rows.len(), page.judged, page.is_complete), (10, 512, false));
    let all = judged.list(&Page::newest(10), 3000);
    assert_eq!((all.rows.len(), all.judged, all.total, all.is_complete), (10, 3000, 3000, true));
}
