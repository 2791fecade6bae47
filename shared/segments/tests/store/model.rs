//! A table as a plain list: what the store has to answer.

use std::collections::BTreeMap;
use std::num::NonZeroU64;
use std::ops::Deref;
use std::sync::Arc;

use proptest::prelude::*;
use segments::{
    Amount, Cache, Condition, Error, Facet, Matching, Measure, NewRow, Options, Order, Page, Predicate, Row, Schema,
    SortKey, Start, Store, TimeRange, Times, Wants,
};

use crate::simple::open_tree;

pub(crate) const SCHEMA: Schema = Schema {
    symbols: &[0, 0, 1],
    searched: &[Some(searched)],
    keys: &[Some(keys)],
    points: &[Some(points)],
    filtered: &[0, 2],
    numbers: 2,
    texts: 1,
};

/// What can be measured of rows.
const MEASURES: [Measure; 3] = [Measure(&[0]), Measure(&[1]), Measure(&[0, 1])];

/// One key of a symbol, which others have too.
fn keys(symbol: &[u8], key: &mut dyn FnMut(&[u8])) {
    key(&key_of(symbol));
}

fn key_of(symbol: &[u8]) -> [u8; 1] {
    symbol.first().map_or([0], |number| [number % 4])
}

/// Symbols stand at places of their own, in another order than theirs, and every third at another one as well.
fn points(symbol: &[u8], point: &mut dyn FnMut(u128)) {
    points_of(symbol[0]).for_each(point);
}

fn points_of(symbol: u8) -> impl Iterator<Item = u128> {
    let number = u128::from(symbol);
    [number * 7 % 10, u128::MAX - number].into_iter().take(if symbol.is_multiple_of(3) { 2 } else { 1 })
}

/// A symbol, twice, so that nothing may be found across the two.
fn searched(symbol: &[u8], text: &mut dyn FnMut(&[u8])) {
    text(symbol);
    text(symbol);
}

pub(crate) const TABLE: &[u8] = b"a";
pub(crate) const OTHER: &[u8] = b"b";

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Plain {
    pub(crate) time: i64,
    pub(crate) symbols: [u8; 3],
    pub(crate) numbers: [u64; 2],
    pub(crate) text: String,
    pub(crate) rest: u8,
}

/// What the store has to answer like.
pub(crate) type Model = BTreeMap<Vec<u8>, Plain>;

pub(crate) fn plain() -> impl Strategy<Value = Plain> {
    let time = prop_oneof![8 => 0_i64..40, 1 => -5_000_000_000..5_000_000_000_i64];
    let row = (time, [0_u8..4, 0..9, 0..3], [number(), number()], "[ab]{0,3}", any::<u8>());
    row.prop_map(|(time, symbols, numbers, text, rest)| Plain { time, symbols, numbers, text, rest })
}

/// A place on the line that symbols stand on.
fn place() -> impl Strategy<Value = u128> {
    prop_oneof![0_u128..11, u128::MAX - 10..=u128::MAX]
}

fn number() -> impl Strategy<Value = u64> {
    prop_oneof![8 => 0_u64..20, 1 => any::<u64>(), 1 => Just(u64::MAX)]
}

/// What a measure says of a row.
fn measured(measure: Measure, row: &Plain) -> u64 {
    measure.0.iter().fold(0, |sum, column| sum.saturating_add(row.numbers[*column]))
}

pub(crate) fn period() -> impl Strategy<Value = TimeRange> {
    let end = || prop::option::of(-3_i64..45);
    (end(), end()).prop_map(|(from, to)| TimeRange { from, to })
}

pub(crate) fn predicate() -> impl Strategy<Value = Predicate> {
    let leaf = prop_oneof![
        (0_usize..3, 0_u8..10).prop_map(|(column, symbol)| Predicate::is(column, [symbol])),
        (0_usize..3, 0_u8..10)
            .prop_map(|(column, least)| Predicate::matching(column, move |symbol: &[u8]| symbol >= &[least])),
        (0_usize..3, prop::collection::vec(0_u8..5, 0..3), 0_u8..10).prop_map(|(column, keys, least)| {
            let wanted = keys.clone();
            let has_key = move |symbol: &[u8]| wanted.contains(&key_of(symbol)[0]);
            let wants = move |symbol: &[u8]| has_key(symbol) && symbol >= &[least];
            Predicate::keyed_by_any(column, keys.into_iter().map(|key| [key]), wants)
        }),
        (0_usize..2, prop::collection::vec((place(), place()), 0..3), prop::option::of(0_u8..10)).prop_map(
            |(column, ends, least)| {
                let ranges = ends.into_iter().map(|(least, greatest)| least..=greatest).collect();
                let wants = least.map(|least| Arc::new(move |symbol: &[u8]| symbol >= &[least]) as Arc<Wants>);
                Predicate::Symbol { column, wanted: segments::Wanted::Within { ranges, wants } }
            }
        ),
        (0_usize..2, prop::collection::vec(0_u8..10, 0..3)).prop_map(|(column, needle)| {
            Predicate::Symbol { column, wanted: segments::Wanted::Containing(needle) }
        }),
        "[ab]{0,2}".prop_map(|needle| Predicate::Text { column: 0, needle: needle.into_bytes() }),
        (prop::sample::select(MEASURES.to_vec()), number(), number())
            .prop_map(|(measure, least, greatest)| Predicate::Number { measure, range: least..=greatest }),
        period().prop_map(Predicate::Time),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Predicate::All),
            prop::collection::vec(inner.clone(), 0..3).prop_map(Predicate::Any),
            inner.prop_map(|inner| Predicate::Not(Box::new(inner))),
        ]
    })
}

pub(crate) fn holds(predicate: &Predicate, row: &Plain) -> bool {
    match predicate {
        Predicate::Symbol { column, wanted } => {
            let symbol = [row.symbols[*column]];
            match wanted {
                segments::Wanted::Is(other) => *other == symbol,
                segments::Wanted::Containing(needle) => needle.is_empty() || *needle == symbol,
                segments::Wanted::Within { ranges, wants } => {
                    let is_within = points_of(symbol[0]).any(|point| ranges.iter().any(|range| range.contains(&point)));
                    is_within && wants.as_ref().is_none_or(|wants| wants(&symbol))
                }
                segments::Wanted::Keyed { wants, .. } | segments::Wanted::Matching(wants) => wants(&symbol),
            }
        }
        Predicate::Text { needle, .. } => row.text.contains(std::str::from_utf8(needle).unwrap()),
        Predicate::Number { measure, range } => range.contains(&measured(*measure, row)),
        Predicate::Time(range) => is_inside(*range, row),
        Predicate::All(parts) => parts.iter().all(|part| holds(part, row)),
        Predicate::Any(parts) => parts.iter().any(|part| holds(part, row)),
        Predicate::Not(inner) => !holds(inner, row),
    }
}

fn is_inside(TimeRange { from, to }: TimeRange, row: &Plain) -> bool {
    from.is_none_or(|from| row.time >= from) && to.is_none_or(|to| row.time <= to)
}

pub(crate) fn id(number: u16) -> Vec<u8> {
    number.to_be_bytes().to_vec()
}

pub(crate) fn put(writer: &mut segments::Writer, table: &[u8], number: u16, row: &Plain) -> Option<Row> {
    let symbols = row.symbols.map(|symbol| [symbol]);
    let found = writer.find(table, &id(number)).unwrap();
    let new = NewRow {
        time: row.time,
        id: &id(number),
        symbols: &symbols.each_ref().map(<[u8; 1]>::as_slice),
        numbers: &row.numbers,
        texts: &[row.text.as_bytes()],
        rest: &[row.rest],
    };
    writer.put(table, &found, new).unwrap();
    found.row
}

pub(crate) fn shown(row: &Plain) -> (Vec<u8>, u8) {
    (row.symbols.to_vec(), row.rest)
}

pub(crate) fn read(row: &Row) -> (Vec<u8>, u8) {
    (row.symbols.iter().map(|symbol| symbol[0]).collect(), row.rest[0])
}

/// The rows that match, newest first.
pub(crate) fn matching<'a>(model: &'a Model, predicate: &Predicate, range: TimeRange) -> Vec<(&'a Vec<u8>, &'a Plain)> {
    let mut rows: Vec<_> = model.iter().filter(|(_, row)| is_inside(range, row) && holds(predicate, row)).collect();
    rows.sort_by_key(|(id, row)| std::cmp::Reverse((row.time, *id)));
    rows
}

/// Both ways to list rows.
pub(crate) const ORDERS: [Order; 2] = [Order::NewestFirst, Order::OldestFirst];

/// The rows that match, in an order.
pub(crate) fn matching_in<'a>(
    order: Order,
    model: &'a Model,
    predicate: &Predicate,
    range: TimeRange,
) -> Vec<(&'a Vec<u8>, &'a Plain)> {
    let mut rows = matching(model, predicate, range);
    if order == Order::OldestFirst {
        rows.reverse();
    }
    rows
}

/// Small, so that a few rows are many segments, and a few symbols many dictionaries.
pub(crate) const OPTIONS: Options =
    Options { seal_rows: 32, keep_rows: 8, seal_bytes: 128 << 20, open_symbols: 6, block_symbols: 2 };

pub(crate) fn open(directory: &std::path::Path) -> (sled::Db, Store) {
    open_with(directory, &Arc::new(Cache::new(1 << 20)))
}

pub(crate) fn open_with(directory: &std::path::Path, cache: &Arc<Cache>) -> (sled::Db, Store) {
    let tree = open_tree(directory);
    let store = store(&tree, cache);
    (tree, store)
}

pub(crate) fn store(tree: &sled::Db, cache: &Arc<Cache>) -> Store {
    Store::new(Deref::deref(tree).clone(), cache.clone(), SCHEMA, OPTIONS)
}

/// How many cases a property is tried with: as many as `FLOWTRAIL_STORE_SEEDS` says, or as are quickly tried.
#[expect(clippy::disallowed_methods, reason = "it is a setting of the tests alone")]
pub(crate) fn seeds(usual: u32) -> ProptestConfig {
    let asked = std::env::var("FLOWTRAIL_STORE_SEEDS").ok();
    let cases = asked.map_or(usual, |cases| cases.parse().unwrap());
    ProptestConfig { cases, ..ProptestConfig::default() }
}

/// A question with one answer.
#[derive(Clone, Debug)]
pub(crate) enum Question {
    List { predicate: Predicate, range: TimeRange, page: Page },
    ById(u16),
    ByValue { predicate: Predicate, range: TimeRange, column: usize, measure: Option<Measure> },
    ByTime { predicate: Predicate, range: TimeRange, width: NonZeroU64 },
}

/// What rows show: their symbols and rest.
pub(crate) type Shown = (Vec<u8>, u8);

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    List { rows: Vec<Shown>, total: u64, has_more: bool },
    ById(Option<Shown>),
    ByValue(BTreeMap<usize, Amount>),
    ByTime(BTreeMap<usize, Amount>),
}

pub(crate) fn question() -> impl Strategy<Value = Question> {
    let key = (0_i64..40, 0_u16..130).prop_map(|(time, number)| SortKey { time, id: id(number) });
    let start = prop_oneof![(0_u64..60).prop_map(Start::Offset), key.prop_map(Start::After)];
    let order = prop::sample::select(ORDERS.to_vec());
    let page = (start, 0_usize..40, order).prop_map(|(start, limit, order)| Page { start, limit, order });
    let list = (predicate(), period(), page);
    let measure = prop::option::of(prop::sample::select(MEASURES.to_vec()));
    let by_value = (predicate(), period(), 0_usize..3, measure);
    let by_time = (predicate(), period(), 1_u64..20);
    prop_oneof![
        list.prop_map(|(predicate, range, page)| Question::List { predicate, range, page }),
        (0_u16..130).prop_map(Question::ById),
        by_value.prop_map(|(predicate, range, column, measure)| {
            Question::ByValue { predicate, range, column, measure }
        }),
        by_time.prop_map(|(predicate, range, width)| {
            Question::ByTime { predicate, range, width: NonZeroU64::new(width).unwrap() }
        }),
    ]
}

/// Whether a row comes after a position.
pub(crate) fn comes_after(order: Order, (id, row): &(&Vec<u8>, &Plain), key: &SortKey) -> bool {
    let (own, key) = ((row.time, *id), (key.time, &key.id));
    match order {
        Order::NewestFirst => own < key,
        Order::OldestFirst => own > key,
    }
}

impl Question {
    /// What the store answers.
    pub(crate) fn ask(&self, store: &Store, table: &[u8]) -> Result<Answer, Error> {
        match self {
            Self::List { predicate, range, page } => {
                let listed = store.list(table, predicate, *range, page)?;
                let rows = listed.rows.iter().map(read).collect();
                Ok(Answer::List { rows, total: listed.total, has_more: listed.has_more })
            }
            Self::ById(number) => Ok(Answer::ById(store.by_id(table, &id(*number))?.as_ref().map(read))),
            Self::ByValue { predicate, range, column, measure } => {
                let facets = [by_symbol(*column)];
                let counts = store
                    .count(table, &Condition::Exact(predicate), *range, |rows| rows.by_class(&facets, *measure))?;
                Ok(Answer::ByValue(not_zero(&counts[0])))
            }
            Self::ByTime { predicate, range, width } => {
                let times = Times { width: *width, ..TIMES };
                let counts =
                    store.count(table, &Condition::Exact(predicate), *range, |rows| rows.by_time(&times, None))?;
                Ok(Answer::ByTime(not_zero(&counts)))
            }
        }
    }

    /// What the list answers.
    pub(crate) fn expected(&self, model: &Model) -> Answer {
        match self {
            Self::List { predicate, range, page } => {
                let all = matching_in(page.order, model, predicate, *range);
                let skip = match &page.start {
                    Start::Offset(offset) => usize::try_from(*offset).unwrap(),
                    Start::After(key) => all.iter().take_while(|row| !comes_after(page.order, row, key)).count(),
                };
                let rows = all.iter().skip(skip).take(page.limit).map(|(_, row)| shown(row)).collect();
                Answer::List { rows, total: all.len() as u64, has_more: all.len() > skip + page.limit }
            }
            Self::ById(number) => Answer::ById(model.get(&id(*number)).map(shown)),
            Self::ByValue { predicate, range, column, measure } => {
                let rows = matching(model, predicate, *range);
                let rows = rows.iter().map(|(_, row)| (row.symbols[*column].into(), *row));
                Answer::ByValue(amounts_of(rows, *measure))
            }
            Self::ByTime { predicate, range, width } => {
                let times = Times { width: *width, ..TIMES };
                let rows = matching(model, predicate, *range);
                let rows = rows.iter().filter_map(|(_, row)| Some((stretch(&times, row.time)?, *row)));
                Answer::ByTime(amounts_of(rows, None))
            }
        }
    }
}

pub(crate) fn compare(store: &Store, table: &[u8], model: &Model, predicate: &Predicate, period: TimeRange) {
    for order in ORDERS {
        compare_pages(order, (store, table), model, (predicate, period));
    }
    let expected: Vec<&Plain> = matching(model, predicate, period).into_iter().map(|(_, row)| row).collect();
    let compared = store.count(table, &Condition::Exact(predicate), period, |rows| {
        compare_counts(rows, &expected);
        Ok(())
    });
    compared.unwrap();
}

/// Compares pages by offset, and all of the list from page to page.
fn compare_pages(
    order: Order,
    (store, table): (&Store, &[u8]),
    model: &Model,
    (predicate, period): (&Predicate, TimeRange),
) {
    let expected = matching_in(order, model, predicate, period);
    let list = |start, limit| store.list(table, predicate, period, &Page { start, limit, order }).unwrap();
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
}

/// Compares all counts of rows that match.
pub(crate) fn compare_counts(rows: &Matching<'_>, expected: &[&Plain]) {
    assert_eq!(rows.total(), expected.len() as u64);
    let times = || expected.iter().map(|row| row.time);
    assert_eq!(rows.span().unwrap(), times().min().zip(times().max()));

    for measure in MEASURES {
        let sum: u128 = expected.iter().map(|row| u128::from(measured(measure, row))).sum();
        assert_eq!(rows.sum(measure).unwrap(), sum);
    }
    for measure in [None].into_iter().chain(MEASURES.map(Some)) {
        compare_amounts(rows, expected, measure);
    }
}

fn compare_amounts(rows: &Matching<'_>, expected: &[&Plain], measure: Option<Measure>) {
    let amounts_by = |class: &dyn Fn(&Plain) -> Option<usize>| {
        amounts_of(expected.iter().filter_map(|row| Some((class(row)?, *row))), measure)
    };
    // Of the columns some are counted when they are sealed.
    let facets: Vec<Facet<'_>> = (0..SCHEMA.symbols.len()).map(by_symbol).collect();
    let amounts = rows.by_class(&facets, measure).unwrap();
    for (column, amounts) in amounts.iter().enumerate() {
        assert_eq!(not_zero(amounts), amounts_by(&|row| Some(row.symbols[column].into())));
    }
    // One class for several values, and values that are passed over.
    let every_third = |symbol: &[u8], _: &[u8]| Ok((!symbol[0].is_multiple_of(3)).then(|| (symbol[0] % 3).into()));
    let third = |row: &Plain| (!row.symbols[1].is_multiple_of(3)).then(|| usize::from(row.symbols[1] % 3));
    let thirds = Facet { column: 1, beside: None, classify: &every_third };
    let amounts = rows.by_class(&[thirds], measure).unwrap();
    assert_eq!(not_zero(&amounts[0]), amounts_by(&third));
    // Values of two columns as one.
    let both = |one: &[u8], other: &[u8]| Ok(Some(u32::from(one[0]) * 10 + u32::from(other[0])));
    let both = Facet { column: 0, beside: Some(1), classify: &both };
    let both_of = |row: &Plain| usize::from(row.symbols[0]) * 10 + usize::from(row.symbols[1]);
    let amounts = rows.by_class(&[both], measure).unwrap();
    assert_eq!(not_zero(&amounts[0]), amounts_by(&|row| Some(both_of(row))));

    let pairs = rows.by_pair([thirds, both], measure, 1000).unwrap().unwrap();
    let pairs: BTreeMap<(usize, usize), Amount> =
        pairs.iter().map(|((one, other), amount)| ((one as usize, other as usize), amount)).collect();
    let pair = |row: &Plain| Some((third(row)?, both_of(row)));
    assert_eq!(pairs, amounts_of(expected.iter().filter_map(|row| Some((pair(row)?, *row))), measure));

    let by_time = not_zero(&rows.by_time(&TIMES, measure).unwrap());
    assert_eq!(by_time, amounts_by(&|row| stretch(&TIMES, row.time)));
    for (facet, class) in [(by_symbol(2), None), (both, Some(both_of))] {
        let amounts = rows.by_time_and_class(&TIMES, facet, measure).unwrap();
        let amounts: BTreeMap<(usize, usize), Amount> = amounts
            .iter()
            .enumerate()
            .flat_map(|(place, amounts)| {
                not_zero(amounts).into_iter().map(move |(class, amount)| ((place, class), amount))
            })
            .collect();
        let class = |row: &Plain| class.map_or(row.symbols[2].into(), |class| class(row));
        let rows = expected.iter().filter_map(|row| Some(((stretch(&TIMES, row.time)?, class(row)), *row)));
        assert_eq!(amounts, amounts_of(rows, measure));
    }
}

/// Stretches of time that most rows are in.
const TIMES: Times = Times { first: -3, width: NonZeroU64::new(7).unwrap(), count: 6 };

/// The stretch that a time is in.
fn stretch(times: &Times, time: i64) -> Option<usize> {
    let since = time.checked_sub(times.first).filter(|since| *since >= 0)?;
    let place = usize::try_from(since.cast_unsigned() / times.width).unwrap();
    (place < times.count).then_some(place)
}

/// Counts a column's rows by the number that its symbols are.
fn by_symbol(column: usize) -> Facet<'static> {
    Facet { column, beside: None, classify: &|symbol, _| Ok(Some(symbol[0].into())) }
}

fn not_zero(amounts: &[Amount]) -> BTreeMap<usize, Amount> {
    amounts.iter().copied().enumerate().filter(|(_, amount)| amount.count > 0).collect()
}

/// How many rows are of each class, and how much they measure.
fn amounts_of<'a, T: Ord>(rows: impl Iterator<Item = (T, &'a Plain)>, measure: Option<Measure>) -> BTreeMap<T, Amount> {
    let mut amounts: BTreeMap<T, Amount> = BTreeMap::new();
    for (class, row) in rows {
        let amount = amounts.entry(class).or_default();
        amount.count += 1;
        amount.sum += measure.map_or(0, |measure| measured(measure, row).into());
    }
    amounts
}
