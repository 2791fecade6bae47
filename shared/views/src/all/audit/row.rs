//! How an event stands in columns: what filters look at as symbols, what a search reads through as text, everything
//! else as the row's tail. Which field stands where is said in one table, [`FIELDS`].
//!
//! A symbol, and the tail, is a list of fields: each one's number in the table, then its value. What an event does not
//! say takes no room.

use model::address::{canonical_host, ip_of, place_of, split_port};
use model::audit::Event;
use model::audit::fields::{self, Access, FIELDS, FieldPlace, Fields, Value, number_of};
use model::json::Json;
use model::paging::RowPosition;
use model::time::Timestamp;
use segments::{NewRow, Row, Schema, Texts};
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::lists::columns::write as write_value;

pub(crate) const ACTOR_ID: u8 = number_of("actor_id");
pub(crate) const RESOURCE_TYPE: u8 = number_of("resource_type");
pub(crate) const RESOURCE_ID: u8 = number_of("resource_id");
pub(crate) const IP_ADDRESS: u8 = number_of("ip_address");
pub(crate) const VM_ID: u8 = number_of("vm_id");
pub(crate) const SESSION_ID: u8 = number_of("session_id");

pub(crate) const ACTION: usize = FieldPlace::Action as usize;
pub(crate) const ACTOR: usize = FieldPlace::Actor as usize;
pub(crate) const RESOURCE: usize = FieldPlace::Resource as usize;
pub(crate) const ADDRESS: usize = FieldPlace::Address as usize;
pub(crate) const MACHINE: usize = FieldPlace::Machine as usize;
pub(crate) const SESSION: usize = FieldPlace::Session as usize;
/// Everything that is no column comes last.
const COLUMNS: usize = FieldPlace::Tail as usize;

// The tail is begun where its first field is.
const _: () = assert!(FIELDS[FIELDS.len() - 1].place as usize == COLUMNS);

/// The payload and the further data, in lower case.
pub(crate) const PAYLOAD: usize = 0;
/// Between the two; no text holds it, for it is not UTF-8.
const BETWEEN: u8 = 0xff;

/// Another number where columns are searched or looked up in another way: what for is stored with them.
const COLUMNS_FORMAT: u32 = 2;

/// A number that is another one where rows are stored in another form.
pub(crate) fn format() -> u32 {
    fields::fingerprint().wrapping_add(COLUMNS_FORMAT)
}

/// Each column has a dictionary of its own.
pub(crate) const SCHEMA: Schema = Schema {
    symbols: &[0, 1, 2, 3, 4, 5],
    searched: &[None, None, None, Some(address)],
    keys: &KEYS,
    points: &[None, None, None, Some(place_of_address)],
    filtered: &[ACTION, ACTOR, RESOURCE],
    numbers: 0,
    texts: 1,
};

/// By which of its fields a symbol is looked up.
const KEYS: [Option<Texts>; COLUMNS] = [
    Some(event_type),
    Some(keyed_by::<ACTOR_ID>),
    Some(keyed_by::<RESOURCE_ID>),
    Some(host),
    Some(keyed_by::<VM_ID>),
    Some(keyed_by::<SESSION_ID>),
];

/// What was done is looked up by its type.
fn event_type(action: &[u8], key: &mut dyn FnMut(&[u8])) {
    if let Ok((event_type, _)) = postcard::take_from_bytes::<&str>(action) {
        key(event_type.as_bytes());
    }
}

/// An address is looked up by its host: whatever its spelling, and whether it has a port.
fn host(address: &[u8], key: &mut dyn FnMut(&[u8])) {
    if let Ok(Some(own)) = text(address, IP_ADDRESS) {
        key(canonical_host(split_port(own).0).as_bytes());
    }
}

/// Where an address stands among all addresses, without its port.
fn place_of_address(address: &[u8], point: &mut dyn FnMut(u128)) {
    let own = text(address, IP_ADDRESS).ok().flatten();
    if let Some(address) = own.and_then(|own| ip_of(split_port(own).0)) {
        point(place_of(address));
    }
}

/// An address is found by any part of it.
fn address(address: &[u8], found: &mut dyn FnMut(&[u8])) {
    if let Ok(Some(own)) = text(address, IP_ADDRESS) {
        found(own.to_lowercase().as_bytes());
    }
}

fn keyed_by<const FIELD: u8>(symbol: &[u8], key: &mut dyn FnMut(&[u8])) {
    if let Ok(Some(own)) = text(symbol, FIELD) {
        key(own.as_bytes());
    }
}

/// What the tail begins with.
#[derive(Serialize, Deserialize)]
struct Tail<'a> {
    id: &'a str,
    /// What tells equal ids of different streams apart.
    origin: u8,
    time: Timestamp,
    time_given: bool,
    source: &'a str,
}

/// The origins of ids, in the order in which they are looked up.
pub(crate) const ORIGINS: [u8; 3] = [0, 1, 2];

/// How an id stands in the table. Ids hold no control characters, so the zero byte ends them and they sort as they are.
pub(crate) fn id_in_table(id: &str, origin: u8) -> Vec<u8> {
    [id.as_bytes(), &[0, origin]].concat()
}

/// Makes a row of an event and gives it to `put`.
pub(crate) fn write<T>(
    event: &Event,
    origin: u8,
    put: impl FnOnce(NewRow<'_>) -> Result<T, Error>,
) -> Result<T, Error> {
    // One buffer for all symbols and the tail, and where each symbol ends.
    let mut ends = [0; COLUMNS];
    let mut place = ACTION;
    let mut buffer = write_value(&event.event_type, Vec::with_capacity(512))?;
    for (number, field) in (0..).zip(&FIELDS) {
        // The table is in the order of the places. One of which the event says nothing is an empty symbol.
        while place < field.place as usize {
            ends[place] = buffer.len();
            place += 1;
            if place == COLUMNS {
                buffer = write_value(&tail(event, origin), buffer)?;
            }
        }
        if let Some(value) = field.get(&event.given) {
            buffer = write_field(number, value, buffer)?;
        }
    }
    let start = |column: usize| if column == 0 { 0 } else { ends[column - 1] };
    let symbols: [&[u8]; COLUMNS] = std::array::from_fn(|column| &buffer[start(column)..ends[column]]);
    let rest = &buffer[ends[COLUMNS - 1]..];
    let id = id_in_table(&event.id, origin);
    put(NewRow { time: event.time.micros(), id: &id, symbols: &symbols, numbers: &[], texts: &[&payload(event)], rest })
}

fn write_field(number: u8, value: Value<'_>, mut buffer: Vec<u8>) -> Result<Vec<u8>, Error> {
    buffer.push(number);
    match value {
        Value::Text(text) => write_value(text, buffer),
        Value::Integer(number) => write_value(&number, buffer),
        Value::Decimal(number) => write_value(number, buffer),
        Value::Json(json) => write_value(json, buffer),
    }
}

fn tail(event: &Event, origin: u8) -> Tail<'_> {
    Tail { id: &event.id, origin, time: event.time, time_given: event.time_given, source: &event.source }
}

/// What a search reads through beyond the symbols.
fn payload(event: &Event) -> Vec<u8> {
    let lower = |json: Option<&Json>| json.map(|json| json.as_str().to_lowercase()).unwrap_or_default();
    let mut text = lower(event.event_payload()).into_bytes();
    // Without a payload of its own the event's further data is its payload.
    if event.given.event_payload.is_some() {
        text.push(BETWEEN);
        text.extend_from_slice(lower(event.given.meta.as_ref()).as_bytes());
    }
    text
}

/// The event that [`write`] made a row of.
pub(crate) fn read(row: &Row) -> Result<Event, Error> {
    let symbol = |column: usize| row.symbols.get(column).map(|symbol| &**symbol).unwrap_or_default();
    let mut event = action(symbol(ACTION))?;
    for column in ACTOR..COLUMNS {
        read_fields(symbol(column), &mut event.given)?;
    }
    let (tail, fields) = read_tail(row)?;
    read_fields(fields, &mut event.given)?;
    Ok(Event {
        id: tail.id.to_owned(),
        time: tail.time,
        time_given: tail.time_given,
        source: tail.source.to_owned(),
        ..event
    })
}

/// What tells the row's id apart from equal ids of other streams.
pub(crate) fn origin(row: &Row) -> Result<u8, Error> {
    Ok(read_tail(row)?.0.origin)
}

/// Where the row stands in the list. Its id is the one in the table: without the origin, a page that ends between equal
/// ids of different streams would be followed by one that leaves the second of them out.
pub(crate) fn position(row: &Row) -> Result<RowPosition, Error> {
    let (tail, _) = read_tail(row)?;
    let id = String::from_utf8(id_in_table(tail.id, tail.origin)).map_err(|_| Error::Damaged("an id"))?;
    Ok(RowPosition { time: tail.time, id })
}

/// The id in the table of a position that [`position`] gave. One without an origin was given before origins were part
/// of it, and stands for the first of the streams.
pub(crate) fn id_of_position(id: &str) -> Vec<u8> {
    if id.contains('\0') { id.as_bytes().to_vec() } else { id_in_table(id, 0) }
}

/// An event that says nothing but what was done and how it ended.
pub(crate) fn action(symbol: &[u8]) -> Result<Event, Error> {
    let (event_type, fields): (&str, &[u8]) = postcard::take_from_bytes(symbol)?;
    let mut given = Fields::default();
    read_fields(fields, &mut given)?;
    Ok(Event {
        id: String::new(),
        time: Timestamp::EPOCH,
        time_given: false,
        event_type: event_type.to_owned(),
        source: String::new(),
        given: Box::new(given),
    })
}

/// An event that says nothing but what the symbol of a column does.
pub(crate) fn part(column: usize, symbol: &[u8]) -> Result<Event, Error> {
    if column == ACTION {
        return action(symbol);
    }
    let mut event = Event::nothing();
    read_fields(symbol, &mut event.given)?;
    Ok(event)
}

/// Who did it, and nothing else.
pub(crate) fn actor(symbol: &[u8]) -> Result<Fields, Error> {
    let mut given = Fields::default();
    read_fields(symbol, &mut given)?;
    Ok(given)
}

/// The text of one field of a symbol other than the action, by its number in the table.
pub(crate) fn text(symbol: &[u8], wanted: u8) -> Result<Option<&str>, Error> {
    let mut rest = symbol;
    while let Some((number, value)) = rest.split_first() {
        let (field, after) = match access(*number)? {
            Access::Text(..) => {
                let (text, after): (&str, &[u8]) = postcard::take_from_bytes(value)?;
                (Some(text), after)
            }
            Access::Integer(..) => (None, postcard::take_from_bytes::<i64>(value)?.1),
            // Both are stored as their text, to the digit.
            Access::Decimal(..) | Access::Json(..) | Access::Object(..) => {
                (None, postcard::take_from_bytes::<&str>(value)?.1)
            }
        };
        if *number == wanted {
            return Ok(field);
        }
        rest = after;
    }
    Ok(None)
}

fn read_fields(mut rest: &[u8], given: &mut Fields) -> Result<(), Error> {
    while let Some((number, value)) = rest.split_first() {
        rest = match access(*number)? {
            Access::Text(_, set) => take(value, set(given))?,
            Access::Integer(_, set) => take(value, set(given))?,
            Access::Decimal(_, set) => take(value, set(given))?,
            Access::Json(_, set) | Access::Object(_, set) => take(value, set(given))?,
        };
    }
    Ok(())
}

fn take<'a, T: Deserialize<'a>>(value: &'a [u8], field: &mut Option<T>) -> Result<&'a [u8], Error> {
    let (value, rest) = postcard::take_from_bytes(value)?;
    *field = Some(value);
    Ok(rest)
}

fn access(number: u8) -> Result<Access, Error> {
    let field = FIELDS.get(usize::from(number)).ok_or(Error::Damaged("a row"))?;
    Ok(field.access)
}

fn read_tail(row: &Row) -> Result<(Tail<'_>, &[u8]), Error> {
    Ok(postcard::take_from_bytes(&row.rest)?)
}
