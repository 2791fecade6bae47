//! How a record stands in columns: what filters look at as symbols, everything else as the row's tail.
//!
//! An endpoint without its port is one symbol: there are few endpoints and many ports.

use std::borrow::Cow;
use std::collections::BTreeSet;

use model::time::Timestamp;
use model::traffic::{
    Connection, Direction, Endpoint, EndpointType, EventType, GeoLocation, Icmp, Policy, Record, RecordKey, SubEvent,
    User,
};
use segments::{NewRow, Row, Schema};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::error::Error;
use crate::lists::columns;

pub(crate) const REPORTER: usize = 0;
pub(crate) const SOURCE: usize = 1;
pub(crate) const DESTINATION: usize = 2;
pub(crate) const USER: usize = 3;
const POLICY: usize = 4;
pub(crate) const SOURCE_PORT: usize = 5;
pub(crate) const DESTINATION_PORT: usize = 6;
pub(crate) const PROTOCOL: usize = 7;
pub(crate) const TRAITS: usize = 8;
const COLUMNS: usize = 9;

/// Endpoints share a dictionary, and so do ports.
pub(crate) const SCHEMA: Schema = Schema {
    symbols: &[0, 1, 1, 2, 3, 4, 4, 5, 6],
    searched: &[None, Some(names_of_host), Some(address_of_user)],
    keys: &[None, Some(id_of_host), Some(id_of_user)],
    filtered: &[REPORTER, SOURCE, DESTINATION, USER, PROTOCOL, TRAITS],
    texts: 0,
};

/// An endpoint is found by its name and by its address.
fn names_of_host(symbol: &[u8], text: &mut dyn FnMut(&[u8])) {
    let Ok(host) = columns::read::<Host<'_>>(symbol) else { return };
    for own in [host.name, host.host].into_iter().flatten() {
        text(own.to_lowercase().as_bytes());
    }
}

/// An endpoint is looked up by its id.
fn id_of_host(symbol: &[u8], key: &mut dyn FnMut(&[u8])) {
    let Ok(Host { id: Some(id), .. }) = columns::read(symbol) else { return };
    key(id.as_bytes());
}

/// A user is looked up by their id.
fn id_of_user(symbol: &[u8], key: &mut dyn FnMut(&[u8])) {
    let Ok(Named { id: Some(id), .. }) = columns::read(symbol) else { return };
    key(id.as_bytes());
}

/// A user is found by their e-mail address.
fn address_of_user(symbol: &[u8], text: &mut dyn FnMut(&[u8])) {
    let Ok(Named { email: Some(email), .. }) = columns::read(symbol) else { return };
    text(email.to_lowercase().as_bytes());
}

/// An endpoint without its port.
#[derive(Serialize, Deserialize)]
pub(crate) struct Host<'a> {
    pub(crate) id: Option<&'a str>,
    endpoint_type: EndpointType,
    pub(crate) name: Option<&'a str>,
    city_name: Option<&'a str>,
    country_code: Option<&'a str>,
    os: Option<&'a str>,
    /// The address up to the port, or the whole of it where it ends in none.
    pub(crate) host: Option<&'a str>,
    dns_label: Option<&'a str>,
}

/// A user, and a policy without the address.
#[derive(Serialize, Deserialize)]
pub(crate) struct Named<'a> {
    pub(crate) id: Option<&'a str>,
    pub(crate) email: Option<&'a str>,
    name: Option<&'a str>,
}

/// What little there is to tell of most records, together.
#[derive(Serialize, Deserialize)]
pub(crate) struct Traits {
    pub(crate) direction: Direction,
    pub(crate) connection: Connection,
    /// Which types of events it has, a bit each.
    types: u8,
}

#[derive(Serialize, Deserialize)]
struct Tail<'a> {
    #[serde(borrow)]
    flow_id: FlowId<'a>,
    window_start: Option<Timestamp>,
    given_window_end: Option<Timestamp>,
    received_at: Timestamp,
    icmp: Option<Icmp>,
    rx_bytes: u64,
    rx_packets: u64,
    tx_bytes: u64,
    tx_packets: u64,
    given_starts: u64,
    given_ends: u64,
    given_drops: u64,
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

fn bit(event_type: EventType) -> u8 {
    match event_type {
        EventType::Unknown => 1,
        EventType::Start => 2,
        EventType::End => 4,
        EventType::Drop => 8,
    }
}

/// Splits `host:port`; a text that ends in no port is all host.
fn split_address(address: &str) -> (&str, Option<u16>) {
    let split = address.rsplit_once(':').and_then(|(host, text)| {
        let port: u16 = text.parse().ok()?;
        // Only what is written back the same is a port: not `:080`, not `:+80`.
        (port.to_string() == text).then_some((host, port))
    });
    split.map_or((address, None), |(host, port)| (host, Some(port)))
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

/// Makes a row of a record and gives it to `put`.
pub(crate) fn write<T>(record: &Record, put: impl FnOnce(NewRow<'_>) -> Result<T, Error>) -> Result<T, Error> {
    let (source_host, source_port) = split(record.source.address.as_deref());
    let (destination_host, destination_port) = split(record.destination.address.as_deref());
    let (source_port, destination_port, protocol) =
        (protocol(source_port), protocol(destination_port), protocol(record.protocol));
    let user = &record.user;
    let policy = &record.policy;
    let types = record.events.iter().fold(0, |types, event| types | bit(event.event_type));
    let traits = Traits { direction: record.direction, connection: connection(record), types };

    // One buffer for all symbols, and where each ends.
    let buffer = columns::write(&host(&record.source, source_host), Vec::with_capacity(512))?;
    let source = buffer.len();
    let buffer = columns::write(&host(&record.destination, destination_host), buffer)?;
    let destination = buffer.len();
    let named = Named { id: user.id.as_deref(), email: user.email.as_deref(), name: user.name.as_deref() };
    let buffer = columns::write(&named, buffer)?;
    let user = buffer.len();
    let named = Named { id: policy.id.as_deref(), email: None, name: policy.name.as_deref() };
    let buffer = columns::write(&named, buffer)?;
    let policy = buffer.len();
    let buffer = columns::write(&traits, buffer)?;
    let traits = buffer.len();
    let buffer = columns::write(&tail(record), buffer)?;

    let id = record.key.id().to_bytes();
    let symbols: [&[u8]; COLUMNS] = [
        record.key.reporter_id.as_bytes(),
        &buffer[..source],
        &buffer[source..destination],
        &buffer[destination..user],
        &buffer[user..policy],
        &source_port,
        &destination_port,
        &protocol,
        &buffer[policy..traits],
    ];
    put(NewRow { time: record.time().micros(), id: &id, symbols: &symbols, texts: &[], rest: &buffer[traits..] })
}

fn split(address: Option<&str>) -> (Option<&str>, Option<u16>) {
    match address.map(split_address) {
        Some((host, port)) => (Some(host), port),
        None => (None, None),
    }
}

fn host<'a>(endpoint: &'a Endpoint, host: Option<&'a str>) -> Host<'a> {
    Host {
        id: endpoint.id.as_deref(),
        endpoint_type: endpoint.endpoint_type,
        name: endpoint.name.as_deref(),
        city_name: endpoint.geo_location.city_name.as_deref(),
        country_code: endpoint.geo_location.country_code.as_deref(),
        os: endpoint.os.as_deref(),
        host,
        dns_label: endpoint.dns_label.as_deref(),
    }
}

/// The reporter is one of the two endpoints, or neither.
fn connection(record: &Record) -> Connection {
    let reporter = Some(record.key.reporter_id.as_str());
    if record.source.id.as_deref() == reporter || record.destination.id.as_deref() == reporter {
        Connection::PeerToPeer
    } else {
        Connection::Routed
    }
}

fn tail(record: &Record) -> Tail<'_> {
    let mut before = record.received_at.micros();
    let steps = record.events.iter().map(|event| {
        let step = event.timestamp.micros() - before;
        before = event.timestamp.micros();
        (step, event.event_type)
    });
    let text = record.key.flow_id.as_str();
    let uuid = Uuid::try_parse(text).ok().filter(|uuid| {
        let mut usual = Uuid::encode_buffer();
        uuid.hyphenated().encode_lower(&mut usual) == text
    });
    Tail {
        events: steps.collect(),
        flow_id: uuid.map_or(FlowId::Text(text), |uuid| FlowId::Uuid(uuid.into_bytes())),
        window_start: record.key.window_start,
        given_window_end: record.given_window_end,
        received_at: record.received_at,
        icmp: record.icmp,
        rx_bytes: record.rx_bytes,
        rx_packets: record.rx_packets,
        tx_bytes: record.tx_bytes,
        tx_packets: record.tx_packets,
        given_starts: record.given_starts,
        given_ends: record.given_ends,
        given_drops: record.given_drops,
    }
}

/// The record that [`write`] made a row of, with the row's own texts.
pub(crate) fn read(row: &Row) -> Result<Record<Cow<'_, str>>, Error> {
    let symbol = |column: usize| row.symbols.get(column).map(|symbol| &**symbol).unwrap_or_default();
    let user: Named<'_> = columns::read(symbol(USER))?;
    let policy: Named<'_> = columns::read(symbol(POLICY))?;
    let traits: Traits = columns::read(symbol(TRAITS))?;
    let tail: Tail<'_> = columns::read(&row.rest)?;
    let mut at = tail.received_at.micros();
    let mut events = BTreeSet::new();
    for (step, event_type) in tail.events {
        at += step;
        // It was a time when it was written.
        let timestamp = Timestamp::from_micros(at).unwrap_or(Timestamp::EPOCH);
        events.insert(SubEvent { timestamp, event_type });
    }
    Ok(Record {
        events,
        key: RecordKey {
            reporter_id: String::from_utf8_lossy(symbol(REPORTER)),
            flow_id: match tail.flow_id {
                FlowId::Uuid(bytes) => Cow::Owned(Uuid::from_bytes(bytes).hyphenated().to_string()),
                FlowId::Text(text) => Cow::Borrowed(text),
            },
            window_start: tail.window_start,
        },
        received_at: tail.received_at,
        source: endpoint(symbol(SOURCE), symbol(SOURCE_PORT))?,
        destination: endpoint(symbol(DESTINATION), symbol(DESTINATION_PORT))?,
        user: User { id: text(user.id), email: text(user.email), name: text(user.name) },
        policy: Policy { id: text(policy.id), name: text(policy.name) },
        icmp: tail.icmp,
        protocol: number(symbol(PROTOCOL))?,
        direction: traits.direction,
        rx_bytes: tail.rx_bytes,
        rx_packets: tail.rx_packets,
        tx_bytes: tail.tx_bytes,
        tx_packets: tail.tx_packets,
        given_starts: tail.given_starts,
        given_ends: tail.given_ends,
        given_drops: tail.given_drops,
        given_window_end: tail.given_window_end,
    })
}

fn endpoint<'a>(symbol: &'a [u8], port: &[u8]) -> Result<Endpoint<Cow<'a, str>>, Error> {
    let host: Host<'_> = columns::read(symbol)?;
    let address = match (host.host, number(port)?) {
        (Some(host), Some(port)) => Some(Cow::Owned([host, ":", &port.to_string()].concat())),
        (host, _) => text(host),
    };
    Ok(Endpoint {
        id: text(host.id),
        endpoint_type: host.endpoint_type,
        name: text(host.name),
        geo_location: GeoLocation { city_name: text(host.city_name), country_code: text(host.country_code) },
        os: text(host.os),
        address,
        dns_label: text(host.dns_label),
    })
}

fn text(text: Option<&str>) -> Option<Cow<'_, str>> {
    text.map(Cow::Borrowed)
}
