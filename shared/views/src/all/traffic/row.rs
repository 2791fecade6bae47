//! How a record stands in columns: what filters look at as symbols, everything else as the row's tail.
//!
//! An endpoint without its port is one symbol: there are few endpoints and many ports.

use std::borrow::Cow;
use std::collections::BTreeSet;

use model::address::{ip_of, place_of, split_port};
use model::directory::Names;
use model::time::Timestamp;
use model::traffic::fields::FieldPlace;
use model::traffic::{Connection, Direction, Endpoint, EventType, Policy, Record, RecordKey, Reported, SubEvent, User};
use segments::{NewRow, Row, Schema};
use serde::{Deserialize, Serialize};
use ulid::Ulid;
use uuid::Uuid;

use super::codec::{Reader, Writer};
use super::numbers::{self, NUMBERS};
use crate::error::Error;
use crate::lists::columns;

pub(crate) const REPORTER: usize = 0;
pub(crate) const SOURCE: usize = 1;
pub(crate) const DESTINATION: usize = 2;
pub(crate) const USER: usize = 3;
pub(crate) const POLICY: usize = 4;
const SOURCE_PORT: usize = 5;
const DESTINATION_PORT: usize = 6;
pub(crate) const PROTOCOL: usize = 7;
pub(crate) const TRAITS: usize = 8;
const COLUMNS: usize = 9;

/// An end's columns: host and port.
pub(crate) type End = (usize, usize);

pub(crate) const FROM: End = (SOURCE, SOURCE_PORT);
pub(crate) const TO: End = (DESTINATION, DESTINATION_PORT);

/// Endpoints share a dictionary, and so do ports.
pub(crate) const SCHEMA: Schema = Schema {
    symbols: &[0, 1, 1, 2, 3, 4, 4, 5, 6],
    searched: &[None, Some(names_of_host), Some(address_of_user)],
    keys: &[None, Some(id_of_host), Some(id_of_user)],
    points: &[None, Some(address_of_host)],
    filtered: &[REPORTER, SOURCE, DESTINATION, USER, PROTOCOL, TRAITS],
    numbers: NUMBERS,
    texts: 0,
};

/// An endpoint is found by its name and by its address.
fn names_of_host(symbol: &[u8], text: &mut dyn FnMut(&[u8])) {
    let Ok(Endpoint { name, address, .. }) = host(symbol) else { return };
    for own in [name, address].into_iter().flatten() {
        text(own.to_lowercase().as_bytes());
    }
}

/// An endpoint stands where its address does.
fn address_of_host(symbol: &[u8], point: &mut dyn FnMut(u128)) {
    if let Some(address) = host(symbol).ok().and_then(|host| ip_of(host.address?)) {
        point(place_of(address));
    }
}

/// An endpoint is looked up by its id.
fn id_of_host(symbol: &[u8], key: &mut dyn FnMut(&[u8])) {
    let Ok(Endpoint { id: Some(id), .. }) = host(symbol) else { return };
    key(id.as_bytes());
}

/// A user is looked up by their id.
fn id_of_user(symbol: &[u8], key: &mut dyn FnMut(&[u8])) {
    let Ok(User { id: Some(id), .. }) = user(symbol) else { return };
    key(id.as_bytes());
}

/// A user is found by their e-mail address.
fn address_of_user(symbol: &[u8], text: &mut dyn FnMut(&[u8])) {
    let Ok(User { email: Some(email), .. }) = user(symbol) else { return };
    text(email.to_lowercase().as_bytes());
}

/// What little there is to tell of most records, together.
#[derive(Serialize, Deserialize)]
pub(crate) struct Traits {
    pub(crate) direction: Direction,
    pub(crate) connection: Connection,
    /// Which types of events it has or counts, a bit each.
    types: u8,
}

/// What the tail begins with; behind it stand the fields of reports that have no column.
#[derive(Serialize, Deserialize)]
struct Tail<'a> {
    #[serde(borrow)]
    flow_id: FlowId<'a>,
    window_start: Option<Timestamp>,
    received_at: Timestamp,
    /// Each with the microseconds since the one before, or since the record was received.
    events: Vec<(i64, EventType)>,
}

/// Most flow ids are UUIDs in their usual form, which takes 36 characters to write 16 bytes.
#[derive(Serialize, Deserialize)]
enum FlowId<'a> {
    Uuid([u8; 16]),
    Text(&'a str),
}

impl Traits {
    pub(crate) fn has(&self, event_type: EventType) -> bool {
        self.types & bit(event_type) != 0
    }
}

pub(crate) const EVENT_TYPES: [EventType; 4] = [EventType::Unknown, EventType::Start, EventType::End, EventType::Drop];

fn bit(event_type: EventType) -> u8 {
    match event_type {
        EventType::Unknown => 1,
        EventType::Start => 2,
        EventType::End => 4,
        EventType::Drop => 8,
    }
}

/// A protocol's symbol.
pub(crate) fn protocol(protocol: Option<u16>) -> Vec<u8> {
    protocol.map_or_else(Vec::new, |protocol| protocol.to_be_bytes().to_vec())
}

/// A port's symbol, read.
pub(crate) fn port(symbol: &[u8]) -> Option<u16> {
    Some(u16::from_be_bytes(symbol.try_into().ok()?))
}

fn number(symbol: &[u8]) -> Result<Option<u16>, Error> {
    if symbol.is_empty() {
        return Ok(None);
    }
    port(symbol).map(Some).ok_or(Error::Row(postcard::Error::DeserializeUnexpectedEnd))
}

/// How an id stands in the table. None: no record has it, also where it is one in another spelling.
pub(crate) fn id_in_table(id: &str) -> Option<[u8; 16]> {
    let parsed = id.parse::<Ulid>().ok()?;
    (parsed.to_string() == id).then(|| parsed.to_bytes())
}

/// Makes a row of a record and gives it to `put`.
pub(crate) fn write<S: AsRef<str>, T>(
    record: &Record<S>,
    put: impl FnOnce(NewRow<'_>) -> Result<T, Error>,
) -> Result<T, Error> {
    let given = &record.given;
    let (source_host, source_port) = without_port(&given.source);
    let (destination_host, destination_port) = without_port(&given.destination);
    let (source_port, destination_port, protocol) =
        (protocol(source_port), protocol(destination_port), protocol(given.protocol));
    let had = EVENT_TYPES.into_iter().filter(|event_type| record.count(*event_type) > 0);
    let types = had.fold(0, |types, event_type| types | bit(event_type));
    let traits = Traits { direction: given.direction, connection: record.connection(), types };

    // One buffer for all symbols, and where each ends.
    let mut writer = Writer::new(FieldPlace::Column, Vec::with_capacity(512));
    Endpoint::<()>::default().each(&source_host, &mut writer)?;
    let source = writer.length();
    Endpoint::<()>::default().each(&destination_host, &mut writer)?;
    let destination = writer.length();
    User::<()>::default().each(&given.user, &mut writer)?;
    let user = writer.length();
    Policy::<()>::default().each(&given.policy, &mut writer)?;
    let policy = writer.length();
    let buffer = columns::write(&traits, writer.finish())?;
    let traits = buffer.len();
    let mut writer = Writer::new(FieldPlace::Tail, columns::write(&tail(record), buffer)?);
    Reported::<()>::default().each_own(given, &mut writer)?;
    let buffer = writer.finish();

    let id = record.key.id().to_bytes();
    let symbols: [&[u8]; COLUMNS] = [
        record.key.reporter_id.as_ref().as_bytes(),
        &buffer[..source],
        &buffer[source..destination],
        &buffer[destination..user],
        &buffer[user..policy],
        &source_port,
        &destination_port,
        &protocol,
        &buffer[policy..traits],
    ];
    let (time, numbers) = (record.time().micros(), numbers::of(record));
    put(NewRow { time, id: &id, symbols: &symbols, numbers: &numbers, texts: &[], rest: &buffer[traits..] })
}

/// An endpoint with the address up to the port, or the whole of it where it ends in none; and the port.
fn without_port<S: AsRef<str>>(endpoint: &Endpoint<S>) -> (Endpoint<&str>, Option<u16>) {
    let mut host = endpoint.with_texts(AsRef::as_ref);
    let Some((address, port)) = host.address.map(split_port) else { return (host, None) };
    host.address = Some(address);
    (host, port)
}

fn tail<S: AsRef<str>>(record: &Record<S>) -> Tail<'_> {
    let mut before = record.received_at.micros();
    let steps = record.events.iter().map(|event| {
        let step = event.timestamp.micros() - before;
        before = event.timestamp.micros();
        (step, event.event_type)
    });
    let text = record.key.flow_id.as_ref();
    let uuid = Uuid::try_parse(text).ok().filter(|uuid| {
        let mut usual = Uuid::encode_buffer();
        uuid.hyphenated().encode_lower(&mut usual) == text
    });
    Tail {
        events: steps.collect(),
        flow_id: uuid.map_or(FlowId::Text(text), |uuid| FlowId::Uuid(uuid.into_bytes())),
        window_start: record.key.window_start,
        received_at: record.received_at,
    }
}

/// A user, of their symbol.
pub(crate) fn user(symbol: &[u8]) -> Result<User<&str>, Error> {
    let mut user = User::default();
    user.each(&User::<()>::default(), &mut Reader::new(FieldPlace::Column, symbol))?;
    Ok(user)
}

/// An endpoint without its port, of its symbol.
pub(crate) fn host(symbol: &[u8]) -> Result<Endpoint<&str>, Error> {
    let mut host = Endpoint::default();
    host.each(&Endpoint::<()>::default(), &mut Reader::new(FieldPlace::Column, symbol))?;
    Ok(host)
}

/// A record that says nothing but what the symbol of a column does. Of the two ends, the reporter is the one that it
/// came from, where it is one.
pub(crate) fn part(column: usize, symbol: &[u8]) -> Result<Record<&str>, Error> {
    let key = RecordKey { reporter_id: "", flow_id: "", window_start: None };
    let mut record = Record { key, received_at: Timestamp::EPOCH, given: Reported::default(), events: BTreeSet::new() };
    let (given, nothing) = (&mut record.given, Reported::<()>::default());
    let mut reader = Reader::new(FieldPlace::Column, symbol);
    match column {
        SOURCE => given.source.each(&nothing.source, &mut reader)?,
        DESTINATION => given.destination.each(&nothing.destination, &mut reader)?,
        USER => given.user.each(&nothing.user, &mut reader)?,
        POLICY => given.policy.each(&nothing.policy, &mut reader)?,
        PROTOCOL => given.protocol = number(symbol)?,
        REPORTER => {
            record.key.reporter_id = str::from_utf8(symbol).map_err(|_| Error::Damaged("a row"))?;
        }
        TRAITS => {
            let traits: Traits = columns::read(symbol)?;
            given.direction = traits.direction;
            let timestamp = record.received_at;
            let had = EVENT_TYPES.into_iter().filter(|event_type| traits.has(*event_type));
            record.events = had.map(|event_type| SubEvent { timestamp, event_type }).collect();
            if traits.connection == Connection::PeerToPeer {
                given.source.id = Some(record.key.reporter_id);
            }
        }
        _ => return Err(Error::Damaged("a column")),
    }
    Ok(record)
}

/// A record with what a directory knows of it.
pub(crate) fn filled_in<'a>(record: &Record<&'a str>, names: &impl Names) -> Record<Cow<'a, str>> {
    let mut record = record.with_texts(|text| Cow::Borrowed(*text));
    record.fill_in(names);
    record
}

/// The record that [`write`] made a row of, with the row's own texts.
pub(crate) fn read(row: &Row) -> Result<Record<Cow<'_, str>>, Error> {
    let symbol = |column: usize| row.symbols.get(column).map(|symbol| &**symbol).unwrap_or_default();
    let traits: Traits = columns::read(symbol(TRAITS))?;
    let (tail, fields): (Tail<'_>, &[u8]) = postcard::take_from_bytes(&row.rest)?;
    let mut at = tail.received_at.micros();
    let mut events = BTreeSet::new();
    for (step, event_type) in tail.events {
        at += step;
        // It was a time when it was written.
        let timestamp = Timestamp::from_micros(at).unwrap_or(Timestamp::EPOCH);
        events.insert(SubEvent { timestamp, event_type });
    }
    let key = RecordKey {
        reporter_id: String::from_utf8_lossy(symbol(REPORTER)),
        flow_id: match tail.flow_id {
            FlowId::Uuid(bytes) => Cow::Owned(Uuid::from_bytes(bytes).hyphenated().to_string()),
            FlowId::Text(text) => Cow::Borrowed(text),
        },
        window_start: tail.window_start,
    };
    // Filled where it stands: it is large, and there are thousands on a page.
    let mut record = Record { key, received_at: tail.received_at, given: Reported::default(), events };
    let (given, nothing) = (&mut record.given, Reported::<()>::default());
    given.source.each(&nothing.source, &mut Reader::new(FieldPlace::Column, symbol(SOURCE)))?;
    given.destination.each(&nothing.destination, &mut Reader::new(FieldPlace::Column, symbol(DESTINATION)))?;
    given.user.each(&nothing.user, &mut Reader::new(FieldPlace::Column, symbol(USER)))?;
    given.policy.each(&nothing.policy, &mut Reader::new(FieldPlace::Column, symbol(POLICY)))?;
    given.each_own(&nothing, &mut Reader::new(FieldPlace::Tail, fields))?;
    add_port(&mut given.source, symbol(SOURCE_PORT))?;
    add_port(&mut given.destination, symbol(DESTINATION_PORT))?;
    given.protocol = number(symbol(PROTOCOL))?;
    given.direction = traits.direction;
    Ok(record)
}

fn add_port(host: &mut Endpoint<Cow<'_, str>>, port: &[u8]) -> Result<(), Error> {
    if let (Some(address), Some(port)) = (&mut host.address, number(port)?) {
        *address = Cow::Owned([address, ":", &port.to_string()].concat());
    }
    Ok(())
}
