//! Counts: what columns say of the rows that match is what counting these one by one says.

use std::collections::BTreeMap;

use model::address::canonical_host;
use model::filter::{Family as Language, FieldValue, Kind, Query};
use model::time::Timestamp;
use views::Views;
use views::lists::{Counted, Facet, Facets, Family, Histogram, HistogramOf, Others, Pairs, Top};

use super::{account, answer};

/// A row with its values of every field, as lists show it.
#[derive(Clone)]
pub(super) struct Plain {
    time: Timestamp,
    values: BTreeMap<&'static str, Vec<String>>,
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

fn top_of(rows: &[Plain], fields: &[&str], told: usize) -> Top {
    let mut counts: BTreeMap<Vec<String>, u64> = BTreeMap::new();
    let mut top = Top::default();
    for row in rows {
        let combined = row.combined(fields);
        top.without += u64::from(combined.is_empty());
        for values in combined {
            *counts.entry(values).or_default() += 1;
        }
    }
    top.values = counts.into_iter().map(|(values, count)| Counted { values, count }).collect();
    // Of equal counts, the values stay in order.
    top.values.sort_by_key(|counted| std::cmp::Reverse(counted.count));
    let others = top.values.split_off(told.min(top.values.len()));
    top.others = Others { values: others.len() as u64, count: others.iter().map(|other| other.count).sum() };
    top
}

/// Asks for all counts, and compares them with those of the rows.
pub(super) fn compare<F: Family>(views: &Views, filter: &F::Filter, q: Option<&Query<F::Language>>, rows: &[Plain]) {
    let names = Facet::<F>::names();
    let fields: Vec<Facet<F>> = names.iter().map(|name| Facet::new(name).unwrap()).collect();
    let (filter, q) = (|| filter.clone(), || q.cloned());
    for top in [2, 1000] {
        let facets =
            Facets::<F> { account: account(), filter: filter(), q: q(), fields: fields.clone(), prefix: None, top };
        let found = answer(views, facets);
        assert_eq!(found.total, rows.len() as u64);
        assert!(found.judged.is_none_or(|judged| judged.complete));
        for (name, found) in names.iter().zip(found.tops) {
            assert_eq!(found, top_of(rows, &[*name], top), "{name} {top}");
        }
    }
    let last = names.len() - 1;
    for place in [0, 1, last / 2, last] {
        let name = names[place];
        let Some(frequent) = top_of(rows, &[name], 1).values.pop() else { continue };
        let prefix = frequent.values[0].chars().take(2).collect::<String>().to_uppercase();
        let rows: Vec<Plain> = rows.iter().map(|row| row.beginning_with(name, &prefix)).collect();
        let (fields, expected) = (vec![fields[place].clone()], top_of(&rows, &[name], 3));
        let asked = Facets::<F> { account: account(), filter: filter(), q: q(), fields, prefix: Some(prefix), top: 3 };
        assert_eq!(answer(views, asked).tops, [expected], "{name}");
    }
    for [one, other] in [[0, last], [last, 1], [last / 2, 0], [2, last / 3], [1, 1]] {
        let pair = [one, other].map(|place| fields[place].clone());
        let asked = Pairs::<F> { account: account(), filter: filter(), q: q(), fields: pair, top: 3 };
        let found = answer(views, asked);
        assert_eq!(found.top, top_of(rows, &[names[one], names[other]], 3), "{} {}", names[one], names[other]);
    }
    for (buckets, place) in [(2, 0), (4, last), (120, last / 2), (5, 1)] {
        let split = Some(fields[place].clone());
        let asked = Histogram::<F> { account: account(), filter: filter(), q: q(), buckets, split, top: 2 };
        let found = answer(views, asked);
        assert!(found.counts.len() <= buckets, "{buckets}: {found:?}");
        compare_histogram(&found, names[place], rows);
    }
}

fn compare_histogram(found: &HistogramOf, field: &str, rows: &[Plain]) {
    let split = found.split.as_ref().unwrap();
    assert_eq!(split.top, top_of(rows, &[field], 2), "{field}");
    assert_eq!(found.total, rows.len() as u64);
    let width = i64::try_from(found.width_ms * 1000).unwrap();
    let counted: u64 = found.counts.iter().map(|(_, count)| count).sum();
    assert_eq!(counted, found.total);
    for (place, (start, count)) in found.counts.iter().enumerate() {
        let start = start.micros();
        assert_eq!(start, found.counts[0].0.micros() + width * i64::try_from(place).unwrap());
        assert_eq!(start.rem_euclid(width), 0);
        let within: Vec<&Plain> =
            rows.iter().filter(|row| (start..start + width).contains(&row.time.micros())).collect();
        assert_eq!(*count, within.len() as u64);
        let of = |value: &String| within.iter().filter(|row| row.values[field].contains(value)).count() as u64;
        let mut told = 0;
        for (counted, counts) in split.top.values.iter().zip(&split.counts) {
            assert_eq!(counts[place], of(&counted.values[0]), "{field}");
            told += counts[place];
        }
        let all: usize = within.iter().map(|row| row.values[field].len()).sum();
        assert_eq!(split.others[place], all as u64 - told);
        assert_eq!(split.without[place], within.iter().filter(|row| row.values[field].is_empty()).count() as u64);
    }
}
