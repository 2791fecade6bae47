//! Readers and a writer at once, over many tables, with memory for few of them: each answer is that of a state that was
//! committed as a whole, and no older than what was published when it was asked for.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use parking_lot::Mutex;
use proptest::prelude::*;
use segments::{Cache, Store};

use crate::model::{Model, Plain, Question, id, open_with, plain, put, question, seeds};
use crate::simple::commit;

const TABLES: u8 = 64;

/// What was committed to one table.
#[derive(Default)]
struct History {
    /// Each state, once it begins to be written; before the first it is empty.
    states: Mutex<Vec<Arc<Model>>>,
    /// How many of them are published.
    published: AtomicUsize,
}

impl History {
    /// Asks the store; the answer is that of a state from the one that was published before to the last that was begun.
    fn check(&self, store: &Store, table: &[u8], question: &Question) {
        let first = self.published.load(Ordering::Acquire);
        let answer = question.ask(store, table).unwrap();
        let states = self.states.lock().clone();
        let empty = Arc::new(Model::new());
        let mut possible = [&empty].into_iter().chain(&states).skip(first);
        assert!(possible.any(|model| question.expected(model) == answer), "{question:?}: {answer:?}");
    }
}

/// Rows of one commit, for one table: mostly one of two, so that much is amended, sealed and written again there.
fn change() -> impl Strategy<Value = (u8, Vec<(u16, Plain)>)> {
    let table = prop_oneof![8 => 0_u8..2, 1 => 0_u8..TABLES];
    (table, prop::collection::vec((0_u16..120, plain()), 1..12))
}

proptest! {
    // Not made smaller where it fails: threads never meet in the same way again.
    #![proptest_config(ProptestConfig { max_shrink_iters: 0, ..seeds(12) })]

    #[test]
    fn readers_see_whole_commits_and_none_that_is_older_than_what_was_published(
        changes in prop::collection::vec(change(), 60..120),
        questions in prop::collection::vec(question(), 24),
        budget in prop_oneof![Just(1_u64), Just(30_000), Just(1 << 20)],
    ) {
        let directory = tempfile::tempdir().unwrap();
        let (tree, store) = open_with(directory.path(), &Arc::new(Cache::new(budget)));
        let histories: Vec<History> = (0..TABLES).map(|_| History::default()).collect();
        let is_done = AtomicBool::new(false);
        // The last change's table and id, which is where a look-up finds most in motion.
        let newest = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for reader in 0..2 {
                let (store, histories, questions) = (&store, &histories, &questions);
                let (is_done, newest) = (&is_done, &newest);
                scope.spawn(move || {
                    for turn in (reader..).step_by(7) {
                        if is_done.load(Ordering::Relaxed) {
                            return;
                        }
                        let (table, number) = (newest.load(Ordering::Relaxed) >> 16, newest.load(Ordering::Relaxed) & 0xffff);
                        let by_id = Question::ById(number as u16);
                        histories[table].check(store, &[table as u8], &by_id);
                        let table = if turn % 4 == 0 { turn % usize::from(TABLES) } else { table };
                        histories[table].check(store, &[table as u8], &questions[turn % questions.len()]);
                    }
                });
            }
            let mut models = vec![Model::new(); TABLES.into()];
            for (table, rows) in &changes {
                let history = &histories[usize::from(*table)];
                let model = &mut models[usize::from(*table)];
                let mut writer = store.writer();
                for (number, row) in rows {
                    put(&mut writer, &[*table], *number, row);
                    model.insert(id(*number), row.clone());
                    newest.store(usize::from(*table) << 16 | usize::from(*number), Ordering::Relaxed);
                }
                let prepared = writer.prepare().unwrap();
                history.states.lock().push(Arc::new(model.clone()));
                commit(&tree, prepared);
                history.published.fetch_add(1, Ordering::Release);
            }
            is_done.store(true, Ordering::Relaxed);
        });
        for (table, history) in (0..TABLES).zip(&histories) {
            for question in &questions {
                history.check(&store, &[table], question);
            }
        }
    }
}
