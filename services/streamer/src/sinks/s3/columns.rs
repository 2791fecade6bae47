//! The events of one kind as a table: which columns it has, of which type, and what stands in them.
//!
//! Invariants: the columns of a kind are always the same ones, whatever the events say, and no name stands for two types
//! in the two kinds. `event` holds everything that a line of JSON holds there, to the digit; the columns behind it
//! repeat what engines filter and sum up. Where a type cannot hold a value its column is null.

use std::convert::Infallible;

use archive::{Column, Values};
use model::audit::Event;
use model::audit::fields::{self as audit, Access, FIELDS};
use model::time::Timestamp;
use model::traffic::fields::{Field, Visit};
use model::traffic::{Cell, Report, Reported, Value};

use super::super::document::{Document, json_bytes};
use crate::sink::{Item, Kind};

/// The fields of an audit event that the envelope shows under other names, or that are JSON and stand in `event`.
const NO_COLUMN: [&str; 6] = ["activity", "actor_id", "resource_id", "correlation_id", "meta", "event_payload"];

/// The columns of some events, all of the kind of the first.
pub(super) fn columns(items: &[&Item]) -> Vec<Column> {
    let documents: Vec<Document<'_>> = items.iter().map(|item| Document::new(item)).collect();
    let mut columns = of_documents(&documents);
    if items.iter().any(|item| matches!(item.kind, Kind::Traffic(_))) {
        columns.extend(of_traffic(items));
    } else {
        columns.extend(of_audit(items));
    }
    columns
}

/// The members of a document.
fn of_documents(documents: &[Document<'_>]) -> Vec<Column> {
    let texts = |get: for<'a> fn(&'a Document<'_>) -> &'a str| {
        Values::Texts(documents.iter().map(|document| Some(get(document).as_bytes().to_vec())).collect())
    };
    let json = |get: fn(&Document<'_>) -> Vec<u8>| {
        Values::Json(documents.iter().map(|document| Some(get(document))).collect())
    };
    let times = documents.iter().map(|document| Some(document.time.micros())).collect();
    let indices = documents.iter().map(|document| Some(i64::from(document.details.index))).collect();
    let columns = [
        ("timestamp", Values::Times(times)),
        ("message", texts(|document| document.message)),
        ("id", texts(|document| document.details.id)),
        ("initiator_id", texts(|document| document.details.initiator_id)),
        ("target_id", texts(|document| document.details.target_id)),
        ("meta", json(|document| json_bytes(&document.details.meta))),
        ("reference", texts(|document| document.details.reference)),
        ("account_id", texts(|document| document.details.account_id)),
        ("kind", texts(|document| document.details.kind)),
        ("event_type", texts(|document| document.details.event_type)),
        ("position", texts(|document| &document.details.position)),
        ("index", Values::Integers(indices)),
        ("event", json(|document| document.details.event.to_json().into_bytes())),
    ];
    columns.map(|(name, values)| Column { name: name.to_owned(), values }).into()
}

/// What an audit event says beyond its envelope. A new field of the table is a new column by itself.
fn of_audit(items: &[&Item]) -> Vec<Column> {
    let events: Vec<Option<&Event>> = items.iter().map(|item| event(item)).collect();
    let source = events.iter().map(|event| Some(event.as_ref()?.source.clone().into_bytes())).collect();
    let source = Column { name: "source".to_owned(), values: Values::Texts(source) };
    let fields = FIELDS.iter().filter(|field| !NO_COLUMN.contains(&field.name));
    [source].into_iter().chain(fields.map(|field| of_field(field, &events))).collect()
}

fn of_field(field: &audit::Field, events: &[Option<&Event>]) -> Column {
    let given = events.iter().map(|event| field.get(&event.as_ref()?.given));
    let text = |value: audit::Value<'_>| match value {
        audit::Value::Text(text) => text.as_bytes().to_vec(),
        audit::Value::Json(json) => json.as_str().as_bytes().to_vec(),
        audit::Value::Integer(number) => number.to_string().into_bytes(),
        audit::Value::Decimal(number) => number.as_str().as_bytes().to_vec(),
    };
    let values = match field.access {
        Access::Text(..) => Values::Texts(given.map(|value| value.map(text)).collect()),
        Access::Json(..) | Access::Object(..) => Values::Json(given.map(|value| value.map(text)).collect()),
        Access::Integer(..) => Values::Integers(
            given
                .map(|value| match value {
                    Some(audit::Value::Integer(number)) => Some(number),
                    Some(audit::Value::Text(_) | audit::Value::Decimal(_) | audit::Value::Json(_)) | None => None,
                })
                .collect(),
        ),
        Access::Decimal(..) => Values::Decimals(
            given
                .map(|value| match value {
                    Some(audit::Value::Decimal(number)) => Some(number.to_f64()),
                    Some(audit::Value::Text(_) | audit::Value::Integer(_) | audit::Value::Json(_)) | None => None,
                })
                .collect(),
        ),
    };
    Column { name: field.name.to_owned(), values }
}

/// What a traffic report says beyond its envelope: texts, then numbers, then times. A new field of the table is a new
/// column by itself.
fn of_traffic(items: &[&Item]) -> Vec<Column> {
    let mut rows = Rows::default();
    for item in items {
        rows.add(report(item));
    }
    let texts = rows.texts.into_columns(Values::Texts);
    texts.chain(rows.numbers.into_columns(Values::Integers)).chain(rows.times.into_columns(Values::Times)).collect()
}

/// What some reports say, as columns that are filled row by row.
#[derive(Default)]
struct Rows {
    texts: Filling<Vec<u8>>,
    numbers: Filling<i64>,
    times: Filling<i64>,
    /// What the names of columns begin with.
    part: &'static str,
    /// Whether there is a report; where there is none all columns are null.
    is_given: bool,
}

/// Columns of one type.
#[derive(Default)]
struct Filling<T> {
    columns: Vec<(String, Vec<Option<T>>)>,
    /// Which of them takes the row's next value.
    next: usize,
}

impl<T> Filling<T> {
    fn put(&mut self, name: impl FnOnce() -> String, value: Option<T>) {
        if self.next == self.columns.len() {
            self.columns.push((name(), Vec::new()));
        }
        self.columns[self.next].1.push(value);
        self.next += 1;
    }

    fn into_columns(self, values: fn(Vec<Option<T>>) -> Values) -> impl Iterator<Item = Column> {
        self.columns.into_iter().map(move |(name, column)| Column { name, values: values(column) })
    }
}

impl Rows {
    fn add(&mut self, report: Option<&Report>) {
        (self.texts.next, self.numbers.next, self.times.next) = (0, 0, 0);
        self.is_given = report.is_some();
        let bytes = |text: &str| text.as_bytes().to_vec();
        let flow_id = |report: &Report| bytes(report.data.flow_id.as_deref().unwrap_or(&report.id));
        self.texts.put(|| "flow_id".to_owned(), report.map(flow_id));
        let reporter = |report: &Report| bytes(report.data.reporter_id.as_deref().unwrap_or(&report.subject_reporter));
        self.texts.put(|| "reporter_id".to_owned(), report.map(reporter));
        let start = report.and_then(|report| report.data.window_start);
        self.times.put(|| "window_start".to_owned(), start.map(Timestamp::micros));
        let silent = Reported::default();
        let Ok(()) = Reported::<()>::default().each(report.map_or(&silent, |report| &report.data), self);
    }
}

fn name_of(part: &str, field: &str, end: &str) -> String {
    match part {
        "" => [field, end].concat(),
        // An audit event's `user_id` is a number.
        "user" => ["flow_user_", field, end].concat(),
        part => [part, "_", field, end].concat(),
    }
}

impl<'a> Visit<'a, (), String> for Rows {
    type Error = Infallible;

    fn enter(&mut self, part: &'static str) {
        self.part = part;
    }

    fn text(&mut self, field: Field, _: &mut Option<()>, text: &'a Option<String>) -> Result<(), Infallible> {
        self.texts.put(|| name_of(self.part, field.name, ""), text.as_ref().map(|text| text.as_bytes().to_vec()));
        Ok(())
    }

    fn value<V: Value>(&mut self, field: Field, _: &mut V, value: &'a V) -> Result<(), Infallible> {
        let is_given = self.is_given;
        value.cells(&mut |end, cell| {
            let name = || name_of(self.part, field.name, end);
            match cell {
                Cell::Name(text) => {
                    self.texts.put(name, text.filter(|_| is_given).map(|text| text.as_bytes().to_vec()));
                }
                Cell::Number(number) => {
                    self.numbers.put(name, number.filter(|_| is_given).and_then(|number| i64::try_from(number).ok()));
                }
                Cell::Time(time) => self.times.put(name, time.filter(|_| is_given).map(Timestamp::micros)),
            }
        });
        Ok(())
    }
}

fn event(item: &Item) -> Option<&Event> {
    match &item.kind {
        Kind::Audit(event) => Some(event),
        Kind::Traffic(_) => None,
    }
}

fn report(item: &Item) -> Option<&Report> {
    match &item.kind {
        Kind::Traffic(report) => Some(report),
        Kind::Audit(_) => None,
    }
}

#[cfg(test)]
mod tests;
