//! Counts: what columns say of the rows that match is what counting these one by one says.

use std::collections::BTreeMap;

use model::address::canonical_host;
use model::filter::{Family as Language, FieldValue, Kind, Query};
use model::time::Timestamp;
use views::Views;
use views::lists::{Amount, Counted, Facet, Facets, Family, Histogram, HistogramOf, Measure, Pairs, Top};

use super::{account, answer};

/// A row with its values of every field, as lists show it.
#[derive(Clone)]
pub(super) struct Plain {
    time: Timestamp,
    values: BTreeMap<&'static str, Vec<String>>,
}

/// How many rows there are, and how much they have of a field together.
fn amount_of<'a>(rows: impl IntoIterator<Item = &'a Plain>, measure: Option<&str>) -> Amount {
    let mut amount = Amount::default();
    for row in rows {
        let number = |name: &str| row.values[name][0].parse::<u128>().unwrap();
        amount += Amount { count: 1, sum: measure.map_or(0, number) };
    }
    amount
}

/// What a field is measured by: each, and none.
fn measures<F: Family>() -> Vec<Option<Measure<F>>> {
    [None].into_iter().chain(Measure::all().map(Some)).collect()
}

impl Plain {
    pub(super) fn of<L: Language>(time: Timestamp, event: &L::Event<'_>) -> Self {
        let values = |field| {
            let described = L::describe(field);
            let mut values = Vec::new();
            L::is_any_value(field, event, &mut |value| {
                values.push(written(value));
                false
            });
            // Of a field that stands for several the first is the one that counts.
            if !matches!(described.kind, Kind::Choice(_)) {
                values.truncate(1);
            }
            (described.name, values)
        };
        Self { time, values: L::fields().into_iter().map(values).collect() }
    }

    /// The same where it counts for the numbers of another.
    pub(super) fn measuring<F: Family>(mut self, mut other: Self) -> Self {
        for measure in Measure::<F>::all() {
            let (name, values) = other.values.remove_entry(measure.name()).unwrap();
            self.values.insert(name, values);
        }
        self
    }

    /// The same with those values of a field alone that begin like this, in any case.
    fn beginning_with(&self, field: &'static str, prefix: &str) -> Self {
        let mut plain = self.clone();
        let begins = |value: &String| value.to_lowercase().starts_with(&prefix.to_lowercase());
        plain.values.entry(field).or_default().retain(begins);
        plain
    }

    /// Each choice of a value of some fields.
    fn combined(&self, fields: &[&str]) -> Vec<Vec<String>> {
        let Some((first, others)) = fields.split_first() else { return vec![Vec::new()] };
        let others = self.combined(others);
        let with = |value: &String| {
            let value = value.clone();
            others
                .iter()
                .map(move |others| [std::slice::from_ref(&value), others.as_slice()].concat())
                .collect::<Vec<_>>()
        };
        self.values[first].iter().flat_map(with).collect()
    }
}

fn written(value: FieldValue<'_>) -> String {
    match value {
        FieldValue::Text(text) | FieldValue::Id(text) => text.to_owned(),
        FieldValue::Address(host, _) => canonical_host(host),
        FieldValue::Number(number) => number.to_string(),
        FieldValue::Time(time) => time.to_string(),
        FieldValue::Json(json) => json.as_str().to_owned(),
    }
}

fn top_of(rows: &[Plain], fields: &[&str], told: usize, measure: Option<&str>) -> Top {
    let mut amounts: BTreeMap<Vec<String>, Amount> = BTreeMap::new();
    let mut top = Top::default();
    for row in rows {
        let (combined, amount) = (row.combined(fields), amount_of([row], measure));
        if combined.is_empty() {
            top.without += amount;
        }
        for values in combined {
            *amounts.entry(values).or_default() += amount;
        }
    }
    top.values = amounts.into_iter().map(|(values, amount)| Counted { values, amount }).collect();
    // Of equal amounts, the values stay in order.
    let size = |amount: Amount| if measure.is_some() { amount.sum } else { amount.count.into() };
    top.values.sort_by_key(|counted| std::cmp::Reverse(size(counted.amount)));
    let others = top.values.split_off(told.min(top.values.len()));
    top.others.values = others.len() as u64;
    for other in others {
        top.others.amount += other.amount;
    }
    top
}

/// Asks for all counts and sums, and compares them with those of the rows.
pub(super) fn compare<F: Family>(views: &Views, filter: &F::Filter, q: Option<&Query<F::Language>>, rows: &[Plain]) {
    compare_with::<F>(views, filter, q, rows, false);
}

/// The same of what is counted once.
pub(super) fn compare_once<F: Family>(
    views: &Views,
    filter: &F::Filter,
    q: Option<&Query<F::Language>>,
    rows: &[Plain],
) {
    compare_with::<F>(views, filter, q, rows, true);
}

fn compare_with<F: Family>(
    views: &Views,
    filter: &F::Filter,
    q: Option<&Query<F::Language>>,
    rows: &[Plain],
    once: bool,
) {
    let names = Facet::<F>::names();
    let fields: Vec<Facet<F>> = names.iter().map(|name| Facet::new(name).unwrap()).collect();
    let (account, filter, q) = (account(), || filter.clone(), || q.cloned());
    let measures = measures::<F>();
    for (top, by) in [2, 1000].into_iter().zip(measures.iter().rev().cycle()).chain([(3, &None)]) {
        let measure = by.as_ref().map(Measure::name);
        let (account, fields, by) = (account.clone(), fields.clone(), by.clone());
        let found =
            answer(views, Facets::<F> { account, filter: filter(), q: q(), fields, prefix: None, top, by, once });
        assert_eq!(found.total, amount_of(rows, measure));
        assert!(found.judged.is_none_or(|judged| judged.complete));
        for (name, found) in names.iter().zip(found.tops) {
            assert_eq!(found, top_of(rows, &[*name], top, measure), "{name} {top} {measure:?}");
        }
    }
    let last = names.len() - 1;
    for place in [0, 1, last / 2, last] {
        let name = names[place];
        let Some(frequent) = top_of(rows, &[name], 1, None).values.pop() else { continue };
        let prefix = frequent.values[0].chars().take(2).collect::<String>().to_uppercase();
        let rows: Vec<Plain> = rows.iter().map(|row| row.beginning_with(name, &prefix)).collect();
        let (fields, expected) = (vec![fields[place].clone()], top_of(&rows, &[name], 3, None));
        let (account, prefix) = (account.clone(), Some(prefix));
        let asked = Facets::<F> { account, filter: filter(), q: q(), fields, prefix, top: 3, by: None, once };
        assert_eq!(answer(views, asked).tops, [expected], "{name}");
    }
    let pairs = [[0, last], [last, 1], [last / 2, 0], [2, last / 3], [1, 1]];
    for ([one, other], by) in pairs.into_iter().zip(measures.iter().cycle()) {
        let measure = by.as_ref().map(Measure::name);
        let pair = [one, other].map(|place| fields[place].clone());
        let (account, by) = (account.clone(), by.clone());
        let asked = Pairs::<F> { account, filter: filter(), q: q(), fields: pair, top: 3, by, once };
        let (found, names) = (answer(views, asked), [names[one], names[other]]);
        assert_eq!(found.total, amount_of(rows, measure));
        assert_eq!(found.top, top_of(rows, &names, 3, measure), "{names:?} {measure:?}");
    }
    let splits = [(2, 0), (4, last), (120, last / 2), (5, 1)];
    for ((buckets, place), sum) in splits.into_iter().zip(measures.iter().cycle()) {
        let measure = sum.as_ref().map(Measure::name);
        let (account, split, sum) = (account.clone(), Some(fields[place].clone()), sum.clone());
        let asked = Histogram::<F> { account, filter: filter(), q: q(), buckets, split, top: 2, sum, once };
        let found = answer(views, asked);
        assert!(found.amounts.len() <= buckets, "{buckets}: {found:?}");
        compare_histogram(&found, names[place], rows, measure);
    }
}

fn compare_histogram(found: &HistogramOf, field: &str, rows: &[Plain], measure: Option<&str>) {
    let split = found.split.as_ref().unwrap();
    assert_eq!(split.top, top_of(rows, &[field], 2, measure), "{field}");
    assert_eq!(found.total, amount_of(rows, measure));
    let width = i64::try_from(found.width_ms * 1000).unwrap();
    let counted: u64 = found.amounts.iter().map(|(_, amount)| amount.count).sum();
    assert_eq!(counted, found.total.count);
    for (place, (start, amount)) in found.amounts.iter().enumerate() {
        let start = start.micros();
        assert_eq!(start, found.amounts[0].0.micros() + width * i64::try_from(place).unwrap());
        assert_eq!(start.rem_euclid(width), 0);
        let within: Vec<Plain> =
            rows.iter().filter(|row| (start..start + width).contains(&row.time.micros())).cloned().collect();
        assert_eq!(*amount, amount_of(&within, measure));
        let mut others = Amount::default();
        for row in &within {
            for value in &row.values[field] {
                if !split.top.values.iter().any(|told| told.values[0] == *value) {
                    others += amount_of([row], measure);
                }
            }
        }
        for (told, amounts) in split.top.values.iter().zip(&split.amounts) {
            let having = within.iter().filter(|row| row.values[field].contains(&told.values[0]));
            assert_eq!(amounts[place], amount_of(having, measure), "{field}");
        }
        assert_eq!(split.others[place], others);
        let without = within.iter().filter(|row| row.values[field].is_empty());
        assert_eq!(split.without[place], amount_of(without, measure));
    }
}
