//! What records are counted by: where the values of a field stand in columns, and how they are read there.

use std::rc::Rc;

use model::filter::{Family, FieldValue, Quantity, Traffic, TrafficField};

use super::row::{DESTINATION, End, FROM, POLICY, PROTOCOL, REPORTER, SOURCE, TO, TRAITS, USER, filled_in, part, port};
use crate::all::directory::Directory;
use crate::error::Error;
use crate::lists::valued::{Take, Valued, take_value, take_values};

/// The column that all values of a field stand in; none: they stand in several, or in none. Of a port, which the directory
/// knows of some ends, it is the one of those that records have.
pub(super) fn column(field: TrafficField) -> Option<usize> {
    if let Some((_, port)) = end_of_port(field) {
        return Some(port);
    }
    let name = Traffic::describe(field).name;
    Some(match name {
        "src" => SOURCE,
        "dst" => DESTINATION,
        "type" | "direction" | "connection" => TRAITS,
        "protocol" => PROTOCOL,
        "reporter" => REPORTER,
        _ => match name.split('.').next() {
            Some("source") => SOURCE,
            Some("destination") => DESTINATION,
            Some("user") => USER,
            Some("policy") => POLICY,
            Some(_) | None => return None,
        },
    })
}

/// The end whose port a field is.
fn end_of_port(field: TrafficField) -> Option<End> {
    match Traffic::describe(field).name {
        "sport" => Some(FROM),
        "dport" => Some(TO),
        _ => None,
    }
}

/// Where the values of a field stand, with the directory's names.
///
/// # Errors
/// When they stand in no column, or the storage fails.
pub(super) fn valued<'a>(field: TrafficField, directory: Rc<Directory<'a>>) -> Result<Valued<'a>, Error> {
    let column = column(field).ok_or(Error::Damaged("a facet"))?;
    let Some((end, _)) = end_of_port(field) else {
        let values =
            move |symbol: &[u8], _: &[u8], take: Take<'_>| values_of(field, (column, symbol), &directory, take);
        return Ok(Valued { column, beside: None, values: Box::new(values) });
    };
    let has_ports = directory.snapshot()?.is_some_and(|names| names.has_ports());
    let values = move |symbol: &[u8], beside: &[u8], take: Take<'_>| {
        match port(symbol) {
            Some(port) => take_value(FieldValue::Number(Quantity::from(u64::from(port))), take),
            None if has_ports => values_of(field, (end, beside), &directory, take)?,
            None => {}
        }
        Ok(())
    };
    Ok(Valued { column, beside: has_ports.then_some(end), values: Box::new(values) })
}

/// The values of a field that a column's symbol says, or the directory of its id.
fn values_of(
    field: TrafficField,
    (column, symbol): (usize, &[u8]),
    directory: &Directory<'_>,
    take: Take<'_>,
) -> Result<(), Error> {
    let own = part(column, symbol)?;
    // An address of its own stands in its column without the port: what is left of it is the host, whatever it looks like.
    let host = match column {
        SOURCE => own.given.source.address,
        DESTINATION => own.given.destination.address,
        _ => None,
    };
    let filled = (!directory.is_empty()).then(|| filled_in(&own, directory));
    let mut record = filled.as_ref().map_or(own, |filled| filled.with_texts(AsRef::as_ref));
    if host.is_some() {
        let end = if column == SOURCE { &mut record.given.source } else { &mut record.given.destination };
        end.address = None;
    }
    let mut is_taken = false;
    take_values::<Traffic>(field, &record, &mut |value| {
        is_taken = true;
        take(value);
    });
    if let Some(host) = host.filter(|_| !is_taken && has_address(field)) {
        take_value(FieldValue::Address(host, None), take);
    }
    Ok(())
}

/// Whether the address of an end is among the values of a field.
fn has_address(field: TrafficField) -> bool {
    ["src", "dst", "source", "destination"].contains(&Traffic::describe(field).name)
}
