//! The store beside a plain list in memory: whatever is put, replaced, sealed and read again, both answer the same.
use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU64;
use std::sync::Arc;

use proptest::prelude::*;
use segments::{Cache, NewRow, Options, Page, Predicate, Row, Schema, SortKey, Start, Store, TimeRange};

const SCHEMA: Schema = Schema { symbols: &[0, 0, 1], searched: &[searched], filtered: &[0, 2], texts: 1 };

/// Two texts of a symbol.
fn searched(symbol: &[u8], text: &mut dyn FnMut(&[u8])) {
    for part in texts_of(symbol) {
        text(part.as_bytes());
    }
}

fn texts_of(symbol: &[u8]) -> [String; 2] {
    let number = symbol.first().copied().unwrap_or_default();
    ["x".repeat((number % 3).into()), format!("y{number}")]
}

const TABLE: &[u8] = b"a";
const OTHER: &[u8] = b"b";

#[derive(Clone, Debug, PartialEq, Eq)]
struct Plain {
    time: i64,
    symbols: [u8; 3],
    text: String,
    rest: u8,
}

/// What the store shall answer like.
type Model = BTreeMap<Vec<u8>, Plain>;

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

fn plain() -> impl Strategy<Value = Plain> {
    let time = prop_oneof![8 => 0_i64..40, 1 => -5_000_000_000..5_000_000_000_i64];
    (time, [0_u8..4, 0..9, 0..3], "[ab]{0,3}", any::<u8>()).prop_map(|(time, symbols, text, rest)| Plain {
        time,
        symbols,
        text,
        rest,
    })
}

fn step() -> impl Strategy<Value = Step> {
    let rows = || prop::collection::vec((0_u16..120, plain()), 0..30);
    prop_oneof![8 => rows().prop_map(Step::Commit), 1 => rows().prop_map(Step::Lost), 1 => Just(Step::Reopen), 1 => (0_u64..6, any::<bool>()).prop_map(|(kept, with)| Step::Forget(kept, with))]
}

fn period() -> impl Strategy<Value = TimeRange> {
    let end = || prop::option::of(-3_i64..45);
    (end(), end()).prop_map(|(from, to)| TimeRange { from, to })
}

fn predicate() -> impl Strategy<Value = Predicate> {
    let leaf = prop_oneof![
        (0_usize..3, 0_u8..10).prop_map(|(column, symbol)| Predicate::is(column, [symbol])),
        (0_usize..3, 0_u8..10)
            .prop_map(|(column, least)| Predicate::matching(column, move |symbol: &[u8]| symbol >= &[least])),
        (0_usize..2, "x{1,2}|y|[0-9]|xy|y[0-3]").prop_map(|(column, needle)| {
            Predicate::Symbol { column, wanted: segments::Wanted::Containing(needle.into_bytes()) }
        }),
        "[ab]{0,2}".prop_map(|needle| Predicate::Text { column: 0, needle: needle.into_bytes() }),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Predicate::All),
            prop::collection::vec(inner.clone(), 0..3).prop_map(Predicate::Any),
            inner.prop_map(|inner| Predicate::Not(Box::new(inner))),
        ]
    })
}

fn holds(predicate: &Predicate, row: &Plain) -> bool {
    match predicate {
        Predicate::Symbol { column, wanted } => {
            let symbol = [row.symbols[*column]];
            match wanted {
                segments::Wanted::Is(other) => *other == symbol,
                segments::Wanted::Containing(needle) => {
                    texts_of(&symbol).iter().any(|text| text.contains(std::str::from_utf8(needle).unwrap()))
                }
                segments::Wanted::Matching(wants) => wants(&symbol),
            }
        }
        Predicate::Text { needle, .. } => row.text.contains(std::str::from_utf8(needle).unwrap()),
        Predicate::All(parts) => parts.iter().all(|part| holds(part, row)),
        Predicate::Any(parts) => parts.iter().any(|part| holds(part, row)),
        Predicate::Not(inner) => !holds(inner, row),
    }
}

fn open(directory: &std::path::Path) -> (sled::Db, Store) {
    open_with(directory, &Arc::new(Cache::new(1 << 20)))
}

fn open_with(directory: &std::path::Path, cache: &Arc<Cache>) -> (sled::Db, Store) {
    let config = sled::Config::new().path(directory).flush_every_ms(None);
    // A background task of the tree that was just dropped may hold its lock for another moment.
    let tree = std::iter::repeat_with(|| config.open()).take(10_000).find_map(Result::ok).unwrap();
    let options = Options { seal_rows: 32, keep_rows: 8, epoch_symbols: 12, ..Options::default() };
    let store = Store::new(std::ops::Deref::deref(&tree).clone(), cache.clone(), SCHEMA, options);
    (tree, store)
}

fn id(number: u16) -> Vec<u8> {
    number.to_be_bytes().to_vec()
}

fn put(writer: &mut segments::Writer, table: &[u8], number: u16, row: &Plain) -> Option<Row> {
    let symbols = row.symbols.map(|symbol| [symbol]);
    let found = writer.find(table, &id(number)).unwrap();
    let new = NewRow {
        time: row.time,
        id: &id(number),
        symbols: &symbols.each_ref().map(<[u8; 1]>::as_slice),
        texts: &[row.text.as_bytes()],
        rest: &[row.rest],
    };
    writer.put(table, &found, new).unwrap();
    found.row
}

fn commit(tree: &sled::Db, mut prepared: segments::Prepared) {
    let mut batch = sled::Batch::default();
    for (key, value) in prepared.changes() {
        match value {
            Some(value) => batch.insert(key.as_slice(), value.as_slice()),
            None => batch.remove(key.as_slice()),
        }
    }
    tree.apply_batch(batch).unwrap();
    prepared.publish();
}

fn shown(row: &Plain) -> (Vec<u8>, u8) {
    (row.symbols.to_vec(), row.rest)
}

fn read(row: &Row) -> (Vec<u8>, u8) {
    (row.symbols.iter().map(|symbol| symbol[0]).collect(), row.rest[0])
}

/// The rows that match, newest first.
fn matching<'a>(
    model: &'a Model,
    predicate: &Predicate,
    TimeRange { from, to }: TimeRange,
) -> Vec<(&'a Vec<u8>, &'a Plain)> {
    let inside = |row: &Plain| from.is_none_or(|from| row.time >= from) && to.is_none_or(|to| row.time <= to);
    let mut rows: Vec<_> = model.iter().filter(|(_, row)| inside(row) && holds(predicate, row)).collect();
    rows.sort_by_key(|(id, row)| std::cmp::Reverse((row.time, *id)));
    rows
}

fn compare(store: &Store, table: &[u8], model: &Model, predicate: &Predicate, period: TimeRange) {
    let expected = matching(model, predicate, period);
    let list = |start: Start, limit: usize| store.list(table, predicate, period, &Page { start, limit }).unwrap();
    for (offset, limit) in [(0, 5), (3, 1), (7, 50), (expected.len() as u64, 4), (u64::MAX, 2), (0, 0)] {
        let page = list(Start::Offset(offset), limit);
        let skip = usize::try_from(offset).unwrap_or(usize::MAX);
        let rows: Vec<_> = expected.iter().skip(skip).take(limit).map(|(_, row)| shown(row)).collect();
        assert_eq!(page.rows.iter().map(read).collect::<Vec<_>>(), rows, "{offset} {limit} {predicate:?} {period:?}");
        assert_eq!(page.total, expected.len() as u64);
        assert_eq!(page.has_more, expected.len() > skip.saturating_add(limit));
    }
    // By position, from page to page.
    let mut seen = Vec::new();
    let mut start = Start::Offset(0);
    loop {
        let page = list(start, 6);
        assert_eq!(page.total, expected.len() as u64);
        seen.extend(page.rows.iter().map(read));
        if !page.has_more {
            break;
        }
        let (id, row) = expected[seen.len() - 1];
        start = Start::After(SortKey { time: row.time, id: id.clone() });
    }
    assert_eq!(seen, expected.iter().map(|(_, row)| shown(row)).collect::<Vec<_>>());

    // Of the columns some are counted when they are sealed.
    for column in 0..SCHEMA.symbols.len() {
        let mut by_value: BTreeMap<u8, u64> = BTreeMap::new();
        for (_, row) in &expected {
            *by_value.entry(row.symbols[column]).or_default() += 1;
        }
        let counts = store.count_by_value(table, predicate, period, column).unwrap();
        assert!(counts.is_sorted_by_key(|(_, count)| std::cmp::Reverse(*count)));
        assert_eq!(counts.into_iter().map(|(symbol, count)| (symbol[0], count)).collect::<BTreeMap<_, _>>(), by_value);
    }
    let mut by_time: BTreeMap<i64, u64> = BTreeMap::new();
    for (_, row) in &expected {
        *by_time.entry(row.time.div_euclid(7) * 7).or_default() += 1;
    }
    let counts = store.count_by_time(table, predicate, period, NonZeroU64::new(7).unwrap()).unwrap();
    assert_eq!(counts, by_time.into_iter().collect::<Vec<_>>());
}

proptest! {
    #[test]
    fn the_store_answers_as_a_plain_list_would(
        steps in prop::collection::vec(step(), 1..25),
        predicates in prop::collection::vec(predicate(), 3),
        period in period(),
    ) {
        let directory = tempfile::tempdir().unwrap();
        let (mut tree, mut store) = open(directory.path());
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
                    let stays = with_those_that_stay.then_some(stays as fn(&[u8]) -> bool);
                    let mut writer = store.writer();
                    writer.forget(TABLE, first, stays).unwrap();
                    commit(&tree, writer.prepare().unwrap());
                    // Whole segments go, so what is left is known by looking; nothing that is younger may be gone, nor
                    // what stays.
                    let must_stay = |id: &[u8]| written[id] >= first || stays.is_some_and(|stays| stays(id));
                    model.retain(|id, _| must_stay(id) || store.by_id(TABLE, id).unwrap().is_some());
                }
                Step::Reopen => {
                    drop(store);
                    tree.flush().unwrap();
                    drop(tree);
                    (tree, store) = open(directory.path());
                }
            }
            compare(&store, TABLE, &model, &predicates[0], period);
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
            let row = Plain { time: number.into(), symbols: [1, 2, 0], text: "ab".to_owned(), rest: 0 };
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
            // New symbols each round, so that the dictionaries begin anew; those of what stays are few.
            let symbol = if stays(&id(number)) { 1 } else { 10 + round };
            let row = Plain { time: number.into(), symbols: [symbol, 2, 0], text: "ab".to_owned(), rest: 0 };
            put(&mut writer, TABLE, number, &row);
        }
        commit(&tree, writer.prepare().unwrap());
        let mut writer = store.writer();
        writer.forget(TABLE, u64::from(round) + 1, Some(stays)).unwrap();
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

fn stays(id: &[u8]) -> bool {
    id.last().is_some_and(|last| last % 16 == 0)
}

fn total(store: &Store, predicate: &Predicate) -> u64 {
    let page = Page { start: Start::Offset(0), limit: 0 };
    store.list(TABLE, predicate, TimeRange::ALL, &page).unwrap().total
}

#[test]
fn a_page_of_rows_from_many_segments_is_read_as_a_whole() {
    let directory = tempfile::tempdir().unwrap();
    let (tree, store) = open(directory.path());
    let mut writer = store.writer();
    for number in 0..500 {
        let row = Plain { time: number.into(), symbols: [1, 2, 0], text: String::new(), rest: number as u8 };
        put(&mut writer, TABLE, number, &row);
    }
    commit(&tree, writer.prepare().unwrap());
    drop((tree, store));

    let (_tree, store) = open(directory.path());
    let page = Page { start: Start::Offset(3), limit: 450 };
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
        let row = Plain { time: number.into(), symbols: [1, 2, number as u8 % 2], text: "ab".to_owned(), rest: 0 };
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
            let row = Plain { time: number.into(), symbols: [1, 2, 1], text: "ab".to_owned(), rest: 0 };
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
