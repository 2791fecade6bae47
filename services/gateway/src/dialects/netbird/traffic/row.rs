//! A traffic record as NetBird shows it: every member always, empty or 0 where nothing is known.

use std::collections::BTreeSet;
use std::io;

use model::time::Timestamp;
use model::traffic::{Direction, Endpoint, EndpointType, EventType, Record, SubEvent};
use schemars::JsonSchema;
use serde::Serialize;

/// One reporter's view of one flow.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "NetBirdTrafficRecord")]
pub(super) struct Row<'a> {
    id: String,
    receive_timestamp: Timestamp,
    flow_id: &'a str,
    /// The peer that saw it.
    reporter_id: &'a str,
    source: End<'a>,
    destination: End<'a>,
    user: User<'a>,
    policy: Policy<'a>,
    icmp: Icmp,
    /// The IP protocol's number.
    protocol: u16,
    direction: Direction,
    rx_bytes: u64,
    rx_packets: u64,
    tx_bytes: u64,
    tx_packets: u64,
    num_of_starts: u64,
    num_of_ends: u64,
    num_of_drops: u64,
    window_start: Timestamp,
    window_end: Timestamp,
    /// What happened to it, in order; never empty.
    #[schemars(with = "Vec<SubEvent>")]
    events: &'a BTreeSet<SubEvent>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "NetBirdTrafficEndpoint")]
struct End<'a> {
    id: &'a str,
    #[serde(rename = "type")]
    endpoint_type: EndpointType,
    name: &'a str,
    geo_location: GeoLocation<'a>,
    os: Option<&'a str>,
    /// `ip:port`.
    address: &'a str,
    dns_label: Option<&'a str>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "NetBirdGeoLocation")]
struct GeoLocation<'a> {
    city_name: &'a str,
    country_code: &'a str,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "NetBirdTrafficUser")]
struct User<'a> {
    id: &'a str,
    email: &'a str,
    name: &'a str,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "NetBirdTrafficPolicy")]
struct Policy<'a> {
    id: &'a str,
    name: &'a str,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "NetBirdTrafficIcmp")]
struct Icmp {
    #[serde(rename = "type")]
    icmp_type: u8,
    code: u8,
}

impl Row<'_> {
    /// Writes it as JSON, byte by byte as serde_json would, and in little more than half of its time: a page is mostly texts,
    /// of which this looks at many bytes at once. It knows nothing of JSON that is to stand as it is; no record has any.
    pub(super) fn write(&self, text: &mut Vec<u8>) -> io::Result<()> {
        sonic_rs::to_writer(text, self).map_err(io::Error::other)
    }
}

impl<'a, S: AsRef<str>> From<&'a Record<S>> for Row<'a> {
    fn from(record: &'a Record<S>) -> Self {
        let given = &record.given;
        Self {
            id: record.key.id().to_string(),
            receive_timestamp: record.received_at,
            flow_id: record.key.flow_id.as_ref(),
            reporter_id: record.key.reporter_id.as_ref(),
            source: (&given.source).into(),
            destination: (&given.destination).into(),
            user: User { id: text(&given.user.id), email: text(&given.user.email), name: text(&given.user.name) },
            policy: Policy { id: text(&given.policy.id), name: text(&given.policy.name) },
            icmp: Icmp {
                icmp_type: given.icmp.map_or(0, |icmp| icmp.icmp_type),
                code: given.icmp.map_or(0, |icmp| icmp.code),
            },
            protocol: given.protocol.unwrap_or_default(),
            direction: given.direction,
            rx_bytes: given.rx_bytes,
            rx_packets: given.rx_packets,
            tx_bytes: given.tx_bytes,
            tx_packets: given.tx_packets,
            num_of_starts: record.count(EventType::Start),
            num_of_ends: record.count(EventType::End),
            num_of_drops: record.count(EventType::Drop),
            window_start: record.window_start(),
            window_end: record.window_end(),
            events: &record.events,
        }
    }
}

impl<'a, S: AsRef<str>> From<&'a Endpoint<S>> for End<'a> {
    fn from(endpoint: &'a Endpoint<S>) -> Self {
        Self {
            id: text(&endpoint.id),
            endpoint_type: endpoint.endpoint_type,
            name: text(&endpoint.name),
            geo_location: GeoLocation {
                city_name: text(&endpoint.geo_location.city_name),
                country_code: text(&endpoint.geo_location.country_code),
            },
            os: endpoint.os.as_ref().map(AsRef::as_ref),
            address: text(&endpoint.address),
            dns_label: endpoint.dns_label.as_ref().map(AsRef::as_ref),
        }
    }
}

fn text<S: AsRef<str>>(value: &Option<S>) -> &str {
    value.as_ref().map(AsRef::as_ref).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_is_written_as_serde_json_writes_it() {
        let all: Vec<char> = (0..=0x10_ffff).filter_map(char::from_u32).collect();
        let time = Timestamp::parse("2026-01-31T12:00:00.000001Z").unwrap();
        let events = BTreeSet::from([SubEvent { timestamp: time, event_type: EventType::Drop }]);
        for some in all.chunks(997) {
            let text: String = some.iter().collect();
            let end = || End {
                id: &text,
                endpoint_type: EndpointType::Peer,
                name: "a \"name\"",
                geo_location: GeoLocation { city_name: "", country_code: "\\\u{7f}" },
                os: None,
                address: "[2001:db8::1]:443",
                dns_label: Some("\n\u{1f}"),
            };
            let row = Row {
                id: "1".to_owned(),
                receive_timestamp: time,
                flow_id: &text,
                reporter_id: "",
                source: end(),
                destination: end(),
                user: User { id: "u", email: "", name: &text },
                policy: Policy { id: "", name: "p" },
                icmp: Icmp { icmp_type: 0, code: u8::MAX },
                protocol: 6,
                direction: Direction::Egress,
                rx_bytes: u64::MAX,
                rx_packets: 0,
                tx_bytes: 1,
                tx_packets: 2,
                num_of_starts: 3,
                num_of_ends: 4,
                num_of_drops: 5,
                window_start: Timestamp::EPOCH,
                window_end: Timestamp::EPOCH,
                events: &events,
            };
            let mut written = Vec::new();
            row.write(&mut written).unwrap();
            assert!(written == serde_json::to_vec(&row).unwrap(), "{:?} and after", some[0]);
        }
    }
}
