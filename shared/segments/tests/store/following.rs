//! Lists that are followed from page to page while rows are written, replaced and forgotten.

use proptest::prelude::*;
use segments::{Order, Page, Predicate, SortKey, Start, Store, TimeRange};

use crate::model::{
    Model, ORDERS, Plain, TABLE, comes_after, id, matching_in, open, period, plain, predicate, put, read, seeds, shown,
};
use crate::simple::commit;

/// What happens between two pages.
#[derive(Clone, Debug)]
enum Step {
    /// Rows are written; some replace others, at other times.
    Write(Vec<(u16, Plain)>),
    /// What was sealed by all but so many of the last commits is forgotten.
    Forget(u64),
}

fn step() -> impl Strategy<Value = Step> {
    let rows = prop::collection::vec((0_u16..150, plain()), 0..25);
    prop_oneof![6 => rows.prop_map(Step::Write), 1 => (0_u64..4).prop_map(Step::Forget)]
}

/// A list that someone follows.
struct Follower {
    order: Order,
    start: Start,
    limit: usize,
    /// Where each row stood that was given.
    given: Vec<SortKey>,
}

impl Follower {
    /// Reads the next page, which is what a plain list has there now. Says whether that was the last one.
    fn read(&mut self, store: &Store, model: &Model, predicate: &Predicate, period: TimeRange) -> bool {
        let page = Page { start: self.start.clone(), limit: self.limit, order: self.order };
        let listed = store.list(TABLE, predicate, period, &page).unwrap();
        let mut expected = matching_in(self.order, model, predicate, period);
        assert_eq!(listed.total, expected.len() as u64);
        if let Start::After(key) = &self.start {
            expected.retain(|row| comes_after(self.order, row, key));
        }
        assert_eq!(listed.has_more, expected.len() > self.limit);
        expected.truncate(self.limit);
        let rows: Vec<_> = expected.iter().map(|(_, row)| shown(row)).collect();
        assert_eq!(listed.rows.iter().map(read).collect::<Vec<_>>(), rows);
        self.given.extend(expected.iter().map(|(id, row)| SortKey { time: row.time, id: (*id).clone() }));
        if let Some(last) = self.given.last() {
            self.start = Start::After(last.clone());
        }
        !listed.has_more
    }
}

proptest! {
    #![proptest_config(seeds(32))]

    #[test]
    fn a_list_is_followed_in_both_orders_while_rows_come_and_go(
        before in prop::collection::vec(prop::collection::vec((0_u16..150, plain()), 0..40), 1..6),
        steps in prop::collection::vec(step(), 0..30),
        predicate in predicate(),
        period in prop_oneof![Just(TimeRange::ALL), period()],
        limit in 1_usize..9,
    ) {
        let directory = tempfile::tempdir().unwrap();
        let (tree, store) = open(directory.path());
        let mut model = Model::new();
        let mut commits = 0;
        let write = |model: &mut Model, rows: &[(u16, Plain)], commits: u64| {
            let mut writer = store.writer();
            writer.mark(commits);
            for (number, row) in rows {
                put(&mut writer, TABLE, *number, row);
                model.insert(id(*number), row.clone());
            }
            commit(&tree, writer.prepare().unwrap());
        };
        for rows in &before {
            commits += 1;
            write(&mut model, rows, commits);
        }
        let follower = |order| Follower { order, start: Start::Offset(0), limit, given: Vec::new() };
        let mut followers = ORDERS.map(follower);
        for step in steps {
            for follower in &mut followers {
                follower.read(&store, &model, &predicate, period);
            }
            match step {
                Step::Write(rows) => {
                    commits += 1;
                    write(&mut model, &rows, commits);
                }
                Step::Forget(kept) => {
                    let mut writer = store.writer();
                    writer.forget(TABLE, commits.saturating_sub(kept), None).unwrap();
                    commit(&tree, writer.prepare().unwrap());
                    // Whole segments go, so what is left is known by looking.
                    model.retain(|id, _| store.by_id(TABLE, id).unwrap().is_some());
                }
            }
        }
        for follower in &mut followers {
            while !follower.read(&store, &model, &predicate, period) {}
            let is_in_order = |one: &SortKey, other: &SortKey| {
                let (one, other) = ((one.time, &one.id), (other.time, &other.id));
                if follower.order == Order::NewestFirst { one > other } else { one < other }
            };
            prop_assert!(follower.given.is_sorted_by(is_in_order), "none comes twice at one time");
        }
        // Nothing comes and goes any more: one order is the other one the other way round.
        let [newest, mut oldest] = ORDERS.map(|order| {
            let mut follower = follower(order);
            while !follower.read(&store, &model, &predicate, period) {}
            follower.given
        });
        oldest.reverse();
        prop_assert_eq!(newest, oldest);
    }
}
