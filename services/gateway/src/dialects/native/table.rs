//! Items as rows of a table: which columns there are, and what stands in them.
//!
//! Invariant: the columns of a family are always the same ones, in the same order, whatever an item says.

use std::convert::Infallible;

use model::audit::Fields;
use model::audit::fields::{Access, FIELDS, Value as Given};
use model::json::Number;
use model::time::Timestamp;
use model::traffic::fields::{Field, Visit};
use model::traffic::{Cell as Part, Reported, Value};

/// What stands in a column; none: nothing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Cell<'a> {
    Text(Option<&'a str>),
    /// A text that is JSON.
    Json(Option<&'a str>),
    Time(Option<Timestamp>),
    Integer(Option<i64>),
    /// One that is never below zero.
    Count(Option<u64>),
    Decimal(Option<&'a Number>),
}

/// The name of a column: its parts run together.
pub(crate) type Name = [&'static str; 4];

/// What takes the columns of a row, one after the other.
pub(crate) type Put<'p> = &'p mut dyn FnMut(Name, Cell<'_>);

/// A row of a table.
pub(crate) trait Row {
    /// Gives all columns.
    fn columns(&self, put: Put<'_>);
}

/// The columns of an audit event, behind its id and time.
pub(crate) fn of_audit(data: &Fields, put: Put<'_>) {
    put(named("event_type"), Cell::Text(data.event_type.as_deref()));
    put(named("source"), Cell::Text(data.source.as_deref()));
    for field in &FIELDS {
        let given = field.get(data);
        let cell = match field.access {
            Access::Text(..) => Cell::Text(match given {
                Some(Given::Text(text)) => Some(text),
                Some(Given::Integer(_) | Given::Decimal(_) | Given::Json(_)) | None => None,
            }),
            Access::Integer(..) => Cell::Integer(match given {
                Some(Given::Integer(number)) => Some(number),
                Some(Given::Text(_) | Given::Decimal(_) | Given::Json(_)) | None => None,
            }),
            Access::Decimal(..) => Cell::Decimal(match given {
                Some(Given::Decimal(number)) => Some(number),
                Some(Given::Text(_) | Given::Integer(_) | Given::Json(_)) | None => None,
            }),
            Access::Json(..) | Access::Object(..) => Cell::Json(match given {
                Some(Given::Json(json)) => Some(json.as_str()),
                Some(Given::Text(_) | Given::Integer(_) | Given::Decimal(_)) | None => None,
            }),
        };
        put(named(field.name), cell);
    }
}

/// The columns of a traffic record, behind its id and times.
pub(crate) fn of_traffic<S: AsRef<str>>(data: &Reported<S>, put: Put<'_>) {
    put(named("flow_id"), Cell::Text(data.flow_id.as_ref().map(AsRef::as_ref)));
    put(named("reporter_id"), Cell::Text(data.reporter_id.as_ref().map(AsRef::as_ref)));
    put(named("window_start"), Cell::Time(data.window_start));
    let Ok(()) = Reported::<()>::default().each(data, &mut Walk { part: "", put });
}

/// A walk along the table of a report's fields.
struct Walk<'p> {
    /// What the names of columns begin with.
    part: &'static str,
    put: Put<'p>,
}

impl Walk<'_> {
    fn name(&self, field: Field, end: &'static str) -> Name {
        let between = if self.part.is_empty() { "" } else { "_" };
        [self.part, between, field.name, end]
    }
}

impl<'a, S: AsRef<str>> Visit<'a, (), S> for Walk<'_> {
    type Error = Infallible;

    fn enter(&mut self, part: &'static str) {
        self.part = part;
    }

    fn text(&mut self, field: Field, _: &mut Option<()>, text: &'a Option<S>) -> Result<(), Infallible> {
        let name = self.name(field, "");
        (self.put)(name, Cell::Text(text.as_ref().map(AsRef::as_ref)));
        Ok(())
    }

    fn value<V: Value>(&mut self, field: Field, _: &mut V, value: &'a V) -> Result<(), Infallible> {
        value.cells(&mut |end, cell| {
            let cell = match cell {
                Part::Name(name) => Cell::Text(name),
                Part::Number(number) => Cell::Count(number),
                Part::Time(time) => Cell::Time(time),
            };
            let name = self.name(field, end);
            (self.put)(name, cell);
        });
        Ok(())
    }
}

/// A name of one part.
pub(crate) const fn named(name: &'static str) -> Name {
    [name, "", "", ""]
}
