//! The fields of traffic records, as the language names them.

use super::family::{self, Described, Family, Kind, Take, Value, id, text};
use super::quantity::Quantity;
use crate::address::split_port;
use crate::time::Timestamp;
use crate::traffic::{Connection, Direction, Endpoint, EventType, Record};

/// Traffic records, and reports as the records that they alone would make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Traffic;

/// A field of traffic records, by its place in the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TrafficField(usize);

/// A row of the table.
struct Row {
    described: Described,
    values: fn(&Record<&str>, Take<'_>) -> bool,
}

const fn row(
    name: &'static str,
    other_names: &'static [&'static str],
    kind: Kind,
    about: &'static str,
    values: fn(&Record<&str>, Take<'_>) -> bool,
) -> Row {
    Row { described: Described { name, other_names, kind, about }, values }
}

const TYPES: [(&str, EventType); 4] = [
    ("TYPE_START", EventType::Start),
    ("TYPE_END", EventType::End),
    ("TYPE_DROP", EventType::Drop),
    ("TYPE_UNKNOWN", EventType::Unknown),
];
const TYPE_NAMES: [&str; 4] = [TYPES[0].0, TYPES[1].0, TYPES[2].0, TYPES[3].0];
const DIRECTIONS: [&str; 3] = ["INGRESS", "EGRESS", "DIRECTION_UNKNOWN"];
const CONNECTIONS: [&str; 2] = ["P2P", "ROUTED"];
const ENDPOINTS: [&str; 6] = ["PEER", "HOST_RESOURCE", "SUBNET_RESOURCE", "DOMAIN_RESOURCE", "ROUTE", "UNKNOWN"];

use Kind::{Address, Choice, Number, Protocol, Text, Time};

/// Every field.
const TABLE: [Row; 53] = [
    row("id", &[], Text, "the record's id", |record, take| id(Some(&record.key.id().to_string()), take)),
    row("time", &["timestamp"], Time, "when its first event was", |record, take| time(record.time(), take)),
    row("received", &["receive_timestamp", "received_at"], Time, "when the log received it first", |record, take| {
        time(record.received_at, take)
    }),
    row("window_start", &[], Time, "default: the time of its first event", |record, take| {
        time(record.window_start(), take)
    }),
    row("window_end", &[], Time, "default: the time of its last event", |record, take| time(record.window_end(), take)),
    row("flow", &["flow_id"], Text, "the flow's id", |record, take| id(Some(record.key.flow_id), take)),
    row("reporter", &["reporter_id"], Text, "who saw it, by id", |record, take| id(Some(record.key.reporter_id), take)),
    row(
        "type",
        &["event_type", "activity"],
        Choice(&TYPE_NAMES),
        "what happened; `drop` is `TYPE_DROP`",
        |record, take| {
            let mut had = TYPES.iter().filter(|(_, event_type)| has(record, *event_type));
            had.any(|(name, _)| take(Value::Id(name)))
        },
    ),
    row("direction", &[], Choice(&DIRECTIONS), "seen from the reporter", |record, take| {
        let [ingress, egress, unknown] = DIRECTIONS;
        take(Value::Id(match record.given.direction {
            Direction::Ingress => ingress,
            Direction::Egress => egress,
            Direction::Unknown => unknown,
        }))
    }),
    row("connection", &["connection_type"], Choice(&CONNECTIONS), "`P2P`: the reporter is an end", |record, take| {
        let [peer_to_peer, routed] = CONNECTIONS;
        take(Value::Id(match record.connection() {
            Connection::PeerToPeer => peer_to_peer,
            Connection::Routed => routed,
        }))
    }),
    row("protocol", &["proto"], Protocol, "the IP protocol, where it is known", |record, take| {
        record.given.protocol.is_some_and(|protocol| number(protocol.into(), take))
    }),
    row("icmp_type", &["icmp.type"], Number, "the ICMP type", |record, take| {
        record.given.icmp.is_some_and(|icmp| number(icmp.icmp_type.into(), take))
    }),
    row("icmp_code", &["icmp.code"], Number, "the ICMP code", |record, take| {
        record.given.icmp.is_some_and(|icmp| number(icmp.code.into(), take))
    }),
    row("ip", &["address"], Address, "the address of either end", |record, take| {
        address(&record.given.source, take) || address(&record.given.destination, take)
    }),
    row("src", &["source.address", "src.address"], Address, "the address that it came from", |record, take| {
        address(&record.given.source, take)
    }),
    row("dst", &["destination.address", "dst.address"], Address, "the address that it went to", |record, take| {
        address(&record.given.destination, take)
    }),
    row("port", &[], Number, "the port of either end", |record, take| {
        port(&record.given.source, take) || port(&record.given.destination, take)
    }),
    row("sport", &["source.port", "src.port"], Number, "the port that it came from", |record, take| {
        port(&record.given.source, take)
    }),
    row("dport", &["destination.port", "dst.port"], Number, "the port that it went to", |record, take| {
        port(&record.given.destination, take)
    }),
    row("source", &[], Address, "where it came from: id, name, DNS name or address", |record, take| {
        end(&record.given.source, take)
    }),
    row("destination", &[], Address, "where it went to: id, name, DNS name or address", |record, take| {
        end(&record.given.destination, take)
    }),
    row("source.id", &["source_id", "src.id"], Text, "the id of where it came from", |record, take| {
        id(record.given.source.id, take)
    }),
    row("destination.id", &["destination_id", "dst.id"], Text, "the id of where it went to", |record, take| {
        id(record.given.destination.id, take)
    }),
    row("source.name", &["src.name"], Text, "the name of where it came from", |record, take| {
        text(record.given.source.name, take)
    }),
    row("destination.name", &["dst.name"], Text, "the name of where it went to", |record, take| {
        text(record.given.destination.name, take)
    }),
    row("source.type", &["src.type"], Choice(&ENDPOINTS), "what kind of thing it came from", |record, take| {
        take(Value::Id(record.given.source.endpoint_type.name()))
    }),
    row("destination.type", &["dst.type"], Choice(&ENDPOINTS), "what kind of thing it went to", |record, take| {
        take(Value::Id(record.given.destination.endpoint_type.name()))
    }),
    row("source.os", &["src.os"], Text, "the operating system that it came from", |record, take| {
        text(record.given.source.os, take)
    }),
    row("destination.os", &["dst.os"], Text, "the operating system that it went to", |record, take| {
        text(record.given.destination.os, take)
    }),
    row("source.dns_label", &["src.dns_label"], Text, "the DNS name of where it came from", |record, take| {
        text(record.given.source.dns_label, take)
    }),
    row("destination.dns_label", &["dst.dns_label"], Text, "the DNS name of where it went to", |record, take| {
        text(record.given.destination.dns_label, take)
    }),
    row(
        "source.city",
        &["source.geo_location.city_name", "src.city"],
        Text,
        "the city it came from",
        |record, take| text(record.given.source.geo_location.city_name, take),
    ),
    row(
        "destination.city",
        &["destination.geo_location.city_name", "dst.city"],
        Text,
        "the city it went to",
        |record, take| text(record.given.destination.geo_location.city_name, take),
    ),
    row(
        "source.country",
        &["source.geo_location.country_code", "src.country"],
        Text,
        "the country it came from, by its ISO code",
        |record, take| text(record.given.source.geo_location.country_code, take),
    ),
    row(
        "destination.country",
        &["destination.geo_location.country_code", "dst.country"],
        Text,
        "the country it went to, by its ISO code",
        |record, take| text(record.given.destination.geo_location.country_code, take),
    ),
    row("country", &[], Text, "the country of either end", |record, take| {
        [&record.given.source, &record.given.destination]
            .into_iter()
            .any(|end| text(end.geo_location.country_code, take))
    }),
    row("name", &[], Text, "any name: of an end, the user or the policy", |record, take| {
        let given = &record.given;
        let names = [given.source.name, given.destination.name, given.user.name, given.policy.name];
        names.into_iter().any(|name| text(name, take))
    }),
    row("user", &["actor"], Text, "the user behind it: id, name or e-mail address", |record, take| {
        let user = &record.given.user;
        id(user.id, take) || text(user.name, take) || text(user.email, take)
    }),
    row("user.id", &["user_id"], Text, "the user's id", |record, take| id(record.given.user.id, take)),
    row("user.name", &["user_name"], Text, "the user's name", |record, take| text(record.given.user.name, take)),
    row("user.email", &["email", "mail"], Text, "the user's e-mail address", |record, take| {
        text(record.given.user.email, take)
    }),
    row("policy", &[], Text, "the policy that allowed it: id or name", |record, take| {
        id(record.given.policy.id, take) || text(record.given.policy.name, take)
    }),
    row("policy.id", &["policy_id"], Text, "the policy's id", |record, take| id(record.given.policy.id, take)),
    row("policy.name", &["policy_name"], Text, "the policy's name", |record, take| {
        text(record.given.policy.name, take)
    }),
    row("bytes", &[], Number, "received and sent", |record, take| {
        number(record.given.rx_bytes.saturating_add(record.given.tx_bytes), take)
    }),
    row("rx_bytes", &[], Number, "bytes received", |record, take| number(record.given.rx_bytes, take)),
    row("tx_bytes", &[], Number, "bytes sent", |record, take| number(record.given.tx_bytes, take)),
    row("packets", &[], Number, "received and sent", |record, take| {
        number(record.given.rx_packets.saturating_add(record.given.tx_packets), take)
    }),
    row("rx_packets", &[], Number, "packets received", |record, take| number(record.given.rx_packets, take)),
    row("tx_packets", &[], Number, "packets sent", |record, take| number(record.given.tx_packets, take)),
    row("starts", &["num_of_starts"], Number, "connections that started", |record, take| {
        number(record.count(EventType::Start), take)
    }),
    row("ends", &["num_of_ends"], Number, "connections that ended", |record, take| {
        number(record.count(EventType::End), take)
    }),
    row("drops", &["num_of_drops"], Number, "connections that were dropped", |record, take| {
        number(record.count(EventType::Drop), take)
    }),
];

impl Family for Traffic {
    type Event<'a> = Record<&'a str>;
    type Field = TrafficField;

    fn field(name: &str) -> Option<TrafficField> {
        let is_it = |row: &Row| row.described.name == name || row.described.other_names.contains(&name);
        TABLE.iter().position(is_it).map(TrafficField)
    }

    fn fields() -> Vec<TrafficField> {
        (0..TABLE.len()).map(TrafficField).collect()
    }

    fn describe(TrafficField(index): TrafficField) -> Described {
        TABLE[index].described
    }

    fn is_any_value(TrafficField(index): TrafficField, record: &Record<&str>, take: Take<'_>) -> bool {
        (TABLE[index].values)(record, take)
    }

    fn is_any_text(record: &Record<&str>, take: &mut dyn FnMut(&str) -> bool) -> bool {
        let given = &record.given;
        let ends = [&given.source, &given.destination];
        let texts = ends.into_iter().flat_map(|end| [end.name, end.address]).chain([given.user.email]);
        texts.flatten().any(take)
    }
}

/// Newer reporters send counters only: a counter that is not zero says that there was one.
fn has(record: &Record<&str>, event_type: EventType) -> bool {
    record.count(event_type) > 0
}

fn end(end: &Endpoint<&str>, take: Take<'_>) -> bool {
    id(end.id, take) || text(end.name, take) || text(end.dns_label, take) || address(end, take)
}

fn address(end: &Endpoint<&str>, take: Take<'_>) -> bool {
    family::address(end.address, take)
}

fn port(end: &Endpoint<&str>, take: Take<'_>) -> bool {
    end.address.and_then(|address| split_port(address).1).is_some_and(|port| number(port.into(), take))
}

fn number(number: u64, take: Take<'_>) -> bool {
    take(Value::Number(Quantity::from(number)))
}

fn time(time: Timestamp, take: Take<'_>) -> bool {
    take(Value::Time(time))
}
