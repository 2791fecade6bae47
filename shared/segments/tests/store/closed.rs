//! Closed dictionaries: of as many different values as there are rows, a question reads what it asks for.

use std::sync::Arc;

use segments::{Cache, Error, Options, Page, Predicate, Schema, Start, Store, TimeRange, Wanted};

use crate::simple::{OPTIONS, Simple, number, open_tree, put, store_with};

const ROWS: u32 = 2000;

/// Few symbols are enough to close a dictionary, and each has many blocks all the same.
const NARROW: Options = Options { open_symbols: 200, block_symbols: 8, ..OPTIONS };

fn symbol(id: u32) -> Vec<u8> {
    format!("symbol {id}").into_bytes()
}

/// As many symbols as rows.
fn filled(tree: &sled::Db) {
    fill(tree, &opened(tree), symbol);
}

fn fill(tree: &sled::Db, store: &Store, symbol: impl Fn(u32) -> Vec<u8>) {
    for ids in (0..ROWS).collect::<Vec<_>>().chunks(100) {
        let symbols: Vec<(u32, Vec<u8>, [u8; 4])> = ids.iter().map(|id| (*id, symbol(*id), id.to_be_bytes())).collect();
        let rows = symbols.iter().map(|(id, symbol, rest)| Simple { time: (*id).into(), id: *id, symbol, rest });
        put(tree, store, b"a", &rows.collect::<Vec<_>>());
    }
}

fn opened(tree: &sled::Db) -> Store {
    store_with(tree, NARROW, &Arc::new(Cache::new(1 << 20)))
}

fn list(store: &Store, predicate: &Predicate, offset: u64, limit: usize) -> Result<(Vec<u32>, u64), Error> {
    let page = Page { start: Start::Offset(offset), ..Page::newest(limit) };
    let listed = store.list(b"a", predicate, TimeRange::ALL, &page)?;
    Ok((listed.rows.iter().map(number).collect(), listed.total))
}

/// Removes the values of a kind but for those that are `kept`.
fn remove(tree: &sled::Db, kind: &[u8], kept: impl Fn(&[u8]) -> bool) -> usize {
    let entries: Vec<_> = tree.scan_prefix(kind).map(Result::unwrap).filter(|(key, _)| !kept(key)).collect();
    for (key, _) in &entries {
        tree.remove(key).unwrap();
    }
    entries.len()
}

#[test]
fn what_names_no_symbol_reads_no_closed_dictionary() {
    let directory = tempfile::tempdir().unwrap();
    let tree = open_tree(directory.path());
    filled(&tree);
    assert!(tree.scan_prefix(b"ae").count() >= 5, "many dictionaries were closed");
    assert!(remove(&tree, b"as", |_| false) > 100);
    assert!(remove(&tree, b"ak", |_| false) > 100);
    let store = opened(&tree);
    assert_eq!(list(&store, &Predicate::everything(), 0, 5).unwrap(), ((ROWS - 5..ROWS).rev().collect(), ROWS.into()));
    // Its old rows cannot be shown without their symbols.
    assert!(matches!(list(&store, &Predicate::everything(), 1500, 5), Err(Error::Damaged(_))));
}

#[test]
fn to_look_a_symbol_up_reads_a_bucket_and_its_block() {
    let directory = tempfile::tempdir().unwrap();
    let tree = open_tree(directory.path());
    filled(&tree);
    let wanted = Predicate::is(0, symbol(77));
    assert_eq!(list(&opened(&tree), &wanted, 0, 5).unwrap(), (vec![77], 1));
    // The codes of the first dictionary are in the order of the rows: after the table and the kind stand dictionary, epoch
    // and block.
    let of_row = |key: &[u8]| key[6..10] == 0_u32.to_be_bytes() && key[10..14] == (77_u32 / 8).to_be_bytes();
    assert!(remove(&tree, b"as", of_row) > 100);
    assert_eq!(list(&opened(&tree), &wanted, 0, 5).unwrap(), (vec![77], 1));
    assert_eq!(list(&opened(&tree), &Predicate::is(0, b"no such symbol".as_slice()), 0, 5).unwrap(), (vec![], 0));
    // A search asks about all of them.
    let searched = Predicate::matching(0, |symbol| symbol.ends_with(b"77"));
    assert!(matches!(list(&opened(&tree), &searched, 0, 5), Err(Error::Damaged(_))));
}

#[test]
fn a_range_reads_the_pieces_that_it_begins_and_ends_in_and_what_is_between() {
    fn at_its_number(symbol: &[u8], point: &mut dyn FnMut(u128)) {
        let number = std::str::from_utf8(symbol).unwrap().strip_prefix("symbol ").unwrap();
        // The other way round than codes.
        point(u128::MAX - number.parse::<u128>().unwrap());
    }
    const SCHEMA: Schema = Schema { points: &[Some(at_its_number)], ..crate::simple::SCHEMA };
    let directory = tempfile::tempdir().unwrap();
    let tree = open_tree(directory.path());
    let opened = || Store::new(std::ops::Deref::deref(&tree).clone(), Arc::new(Cache::new(1 << 20)), SCHEMA, NARROW);
    fill(&tree, &opened(), symbol);
    let wanted = |least: u128, greatest: u128| {
        let ranges = vec![u128::MAX - greatest..=u128::MAX - least];
        Predicate::Symbol { column: 0, wanted: Wanted::Within { ranges, wants: None } }
    };
    for (least, greatest) in [(77, 77), (70, 130), (0, 5000), (1990, 1999), (3000, 5000)] {
        let expected: Vec<u32> = (0..ROWS).rev().filter(|id| (least..=greatest).contains(&u128::from(*id))).collect();
        let found = list(&opened(), &wanted(least, greatest), 0, 5000).unwrap();
        assert_eq!(found, (expected.clone(), expected.len() as u64), "{least} {greatest}");
    }
    // Neither symbols nor their hashes are read, but of the rows that are shown.
    remove(&tree, b"ak", |_| false);
    let of_row = |key: &[u8]| key[6..10] == 0_u32.to_be_bytes() && key[10..14] == (77_u32 / 8).to_be_bytes();
    remove(&tree, b"as", of_row);
    assert_eq!(list(&opened(), &wanted(77, 77), 0, 5).unwrap(), (vec![77], 1));
    assert!(remove(&tree, b"ap", |_| false) > 20);
    assert!(matches!(list(&opened(), &wanted(77, 77), 0, 5), Err(Error::Damaged(_))));
}

#[test]
fn a_search_finds_texts_whatever_their_case() {
    fn lower(symbol: &[u8], text: &mut dyn FnMut(&[u8])) {
        // The first byte is none of its text.
        text(std::str::from_utf8(&symbol[1..]).unwrap().to_lowercase().as_bytes());
    }
    const SCHEMA: Schema = Schema { searched: &[Some(lower)], ..crate::simple::SCHEMA };
    let directory = tempfile::tempdir().unwrap();
    let tree = open_tree(directory.path());
    // A sign that ASCII does not know and whose lower case it does, and one in every other block.
    let text = |id: u32| match id % 16 {
        3 => format!("#HOST-{id}.\u{212a}elvin"),
        _ => format!("#HOST-{id}.kelvin"),
    };
    let store = Store::new(std::ops::Deref::deref(&tree).clone(), Arc::new(Cache::new(1 << 20)), SCHEMA, NARROW);
    fill(&tree, &store, |id| text(id).into_bytes());
    let search = |needle: &str| {
        let wanted = Predicate::Symbol { column: 0, wanted: Wanted::Containing(needle.as_bytes().to_vec()) };
        list(&store, &wanted, 0, 1 << 16).unwrap().0
    };
    let expected = |holds: fn(u32) -> bool| (0..ROWS).rev().filter(|id| holds(*id)).collect::<Vec<u32>>();
    assert_eq!(search("host-77."), [77]);
    assert_eq!(search("7.kelvin"), expected(|id| id % 10 == 7));
    assert_eq!(search("kelvin"), expected(|_| true));
    assert_eq!(search("elvinhost"), [0; 0]);
    assert_eq!(search("#host"), [0; 0]);
}

#[test]
fn every_symbol_is_found_in_whichever_dictionary_it_is() {
    let directory = tempfile::tempdir().unwrap();
    let tree = open_tree(directory.path());
    filled(&tree);
    let store = opened(&tree);
    for id in 0..ROWS {
        assert_eq!(list(&store, &Predicate::is(0, symbol(id)), 0, 5).unwrap(), (vec![id], 1));
        let row = store.by_id(b"a", &id.to_be_bytes()).unwrap().unwrap();
        assert_eq!(*row.symbols[0], *symbol(id));
    }
    let searched = Predicate::matching(0, |symbol| symbol.ends_with(b"77"));
    let expected: Vec<u32> = (0..ROWS).rev().filter(|id| id % 100 == 77).collect();
    assert_eq!(list(&store, &searched, 0, 100).unwrap(), (expected.clone(), expected.len() as u64));
}
