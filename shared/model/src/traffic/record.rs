//! A traffic record: one reporter's view of one flow, folded from its reports.
//!
//! Invariant: [`Record::merge`] is commutative, associative and idempotent, so any order of the same reports,
//! and any repetition, gives the same record: of two values the known one stands, of two known the greater.
//!
//! What is folded has texts of its own. What is only shown borrows them from where it was read: a page of a list has
//! thousands.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use ulid::Ulid;

use super::report::{Direction, Endpoint, EventType, Policy, Report, SubEvent, User};
use crate::directory::{Kind, Names};
use crate::endpoint::{EndpointType, GeoLocation};
use crate::time::Timestamp;

/// What makes a record, inside its account: two reports with the same key are of the same record.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct RecordKey<S = String> {
    /// Who reports.
    pub reporter_id: S,
    /// The flow.
    pub flow_id: S,
    /// The window's start, where the reporter sums up by windows.
    pub window_start: Option<Timestamp>,
}

impl<S: AsRef<str>> RecordKey<S> {
    /// The record's id, made from the key so that it is the same after every replay.
    #[must_use]
    pub fn id(&self) -> Ulid {
        let mut hash = Sha256::new();
        for part in [self.reporter_id.as_ref(), self.flow_id.as_ref()] {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part.as_bytes());
        }
        hash.update(self.window_start.map_or([0; 8], Timestamp::to_sortable));
        let digest = hash.finalize();
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&digest[..16]);
        Ulid::from_bytes(bytes)
    }
}

/// ICMP type and code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Icmp {
    /// The type.
    pub icmp_type: u8,
    /// The code.
    pub code: u8,
}

/// One reporter's view of one flow; its texts are `S`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(bound(deserialize = "S: Deserialize<'de> + From<String> + Default"))]
#[expect(missing_docs, reason = "the fields of `Reported`, where they are described")]
pub struct Record<S = String> {
    pub key: RecordKey<S>,
    /// When the log first received a report of it.
    pub received_at: Timestamp,
    pub source: Endpoint<S>,
    pub destination: Endpoint<S>,
    pub user: User<S>,
    pub policy: Policy<S>,
    pub icmp: Option<Icmp>,
    pub protocol: Option<u16>,
    pub direction: Direction,
    pub rx_bytes: u64,
    pub rx_packets: u64,
    pub tx_bytes: u64,
    pub tx_packets: u64,
    pub given_starts: u64,
    pub given_ends: u64,
    pub given_drops: u64,
    pub given_window_end: Option<Timestamp>,
    /// What happened, ordered by time. Invariant: never empty.
    pub events: BTreeSet<SubEvent>,
}

impl From<Report> for Record {
    fn from(report: Report) -> Self {
        let data = report.data;
        let mut events: BTreeSet<SubEvent> = data.events.into_iter().collect();
        if data.event_type.is_some() || events.is_empty() {
            events.insert(SubEvent { timestamp: report.time, event_type: data.event_type.unwrap_or_default() });
        }
        Self {
            key: RecordKey {
                reporter_id: data.reporter_id.unwrap_or(report.subject_reporter),
                flow_id: data.flow_id.unwrap_or(report.id),
                window_start: data.window_start,
            },
            received_at: report.received_at,
            source: data.source,
            destination: data.destination,
            user: data.user,
            policy: data.policy,
            icmp: data.icmp.map(|icmp| Icmp { icmp_type: icmp.icmp_type, code: icmp.code }),
            protocol: data.protocol,
            direction: data.direction,
            rx_bytes: data.rx_bytes,
            rx_packets: data.rx_packets,
            tx_bytes: data.tx_bytes,
            tx_packets: data.tx_packets,
            given_starts: data.num_of_starts,
            given_ends: data.num_of_ends,
            given_drops: data.num_of_drops,
            given_window_end: data.window_end,
            events,
        }
    }
}

impl<S: Ord> Record<S> {
    /// Folds in another record with the same key.
    pub fn merge(&mut self, other: Self) {
        self.received_at = self.received_at.min(other.received_at);
        merge_endpoint(&mut self.source, other.source);
        merge_endpoint(&mut self.destination, other.destination);
        keep_greater(&mut self.user.id, other.user.id);
        keep_greater(&mut self.user.email, other.user.email);
        keep_greater(&mut self.user.name, other.user.name);
        keep_greater(&mut self.policy.id, other.policy.id);
        keep_greater(&mut self.policy.name, other.policy.name);
        keep_greater(&mut self.icmp, other.icmp);
        keep_greater(&mut self.protocol, other.protocol);
        keep_greater(&mut self.direction, other.direction);
        keep_greater(&mut self.rx_bytes, other.rx_bytes);
        keep_greater(&mut self.rx_packets, other.rx_packets);
        keep_greater(&mut self.tx_bytes, other.tx_bytes);
        keep_greater(&mut self.tx_packets, other.tx_packets);
        keep_greater(&mut self.given_starts, other.given_starts);
        keep_greater(&mut self.given_ends, other.given_ends);
        keep_greater(&mut self.given_drops, other.given_drops);
        keep_greater(&mut self.given_window_end, other.given_window_end);
        self.events.extend(other.events);
    }
}

impl<S> Record<S> {
    /// The same with other texts.
    pub fn with_texts<'a, T>(&'a self, text: impl Fn(&'a S) -> T + Copy) -> Record<T> {
        let of = move |value: &'a Option<S>| value.as_ref().map(text);
        let endpoint = move |endpoint: &'a Endpoint<S>| Endpoint {
            id: of(&endpoint.id),
            endpoint_type: endpoint.endpoint_type,
            name: of(&endpoint.name),
            geo_location: GeoLocation {
                city_name: of(&endpoint.geo_location.city_name),
                country_code: of(&endpoint.geo_location.country_code),
            },
            os: of(&endpoint.os),
            address: of(&endpoint.address),
            dns_label: of(&endpoint.dns_label),
        };
        Record {
            key: RecordKey {
                reporter_id: text(&self.key.reporter_id),
                flow_id: text(&self.key.flow_id),
                window_start: self.key.window_start,
            },
            received_at: self.received_at,
            source: endpoint(&self.source),
            destination: endpoint(&self.destination),
            user: User { id: of(&self.user.id), email: of(&self.user.email), name: of(&self.user.name) },
            policy: Policy { id: of(&self.policy.id), name: of(&self.policy.name) },
            icmp: self.icmp,
            protocol: self.protocol,
            direction: self.direction,
            rx_bytes: self.rx_bytes,
            rx_packets: self.rx_packets,
            tx_bytes: self.tx_bytes,
            tx_packets: self.tx_packets,
            given_starts: self.given_starts,
            given_ends: self.given_ends,
            given_drops: self.given_drops,
            given_window_end: self.given_window_end,
            events: self.events.clone(),
        }
    }

    /// The record's time, by which lists are ordered: its earliest event's.
    #[must_use]
    pub fn time(&self) -> Timestamp {
        self.events.first().map_or(self.received_at, |event| event.timestamp)
    }

    /// How many events of a type there were: as reported, or as many as are known, the greater.
    #[must_use]
    pub fn count(&self, event_type: EventType) -> u64 {
        let known = self.events.iter().filter(|event| event.event_type == event_type).count() as u64;
        let given = match event_type {
            EventType::Start => self.given_starts,
            EventType::End => self.given_ends,
            EventType::Drop => self.given_drops,
            EventType::Unknown => 0,
        };
        known.max(given)
    }

    /// The window's start; default: the earliest event's time.
    #[must_use]
    pub fn window_start(&self) -> Timestamp {
        self.key.window_start.unwrap_or_else(|| self.time())
    }

    /// The window's end; default: the latest event's time.
    #[must_use]
    pub fn window_end(&self) -> Timestamp {
        let latest = || self.events.last().map_or(self.received_at, |event| event.timestamp);
        self.given_window_end.unwrap_or_else(latest)
    }
}

impl<S: AsRef<str> + From<String>> Record<S> {
    /// Fills in what the directory knows and the reports left out.
    pub fn fill_in(&mut self, names: &impl Names) {
        fill_in_endpoint(&mut self.source, names);
        fill_in_endpoint(&mut self.destination, names);
        let user = self.user.id.as_ref().and_then(|id| names.entry(Kind::User, id.as_ref()));
        if let Some(known) = user {
            fill(&mut self.user.email, known.email);
            fill(&mut self.user.name, known.name);
        }
        let policy = self.policy.id.as_ref().and_then(|id| names.entry(Kind::Policy, id.as_ref()));
        if let Some(known) = policy {
            fill(&mut self.policy.name, known.name);
        }
    }
}

fn keep_greater<T: Ord>(mine: &mut T, other: T) {
    if other > *mine {
        *mine = other;
    }
}

fn merge_endpoint<S: Ord>(mine: &mut Endpoint<S>, other: Endpoint<S>) {
    let Endpoint {
        id,
        endpoint_type,
        name,
        geo_location: GeoLocation { city_name, country_code },
        os,
        address,
        dns_label,
    } = other;
    keep_greater(&mut mine.id, id);
    keep_greater(&mut mine.endpoint_type, endpoint_type);
    keep_greater(&mut mine.name, name);
    keep_greater(&mut mine.geo_location.city_name, city_name);
    keep_greater(&mut mine.geo_location.country_code, country_code);
    keep_greater(&mut mine.os, os);
    keep_greater(&mut mine.address, address);
    keep_greater(&mut mine.dns_label, dns_label);
}

fn fill<S: From<String>>(mine: &mut Option<S>, known: Option<String>) {
    if mine.is_none() {
        *mine = known.map(S::from);
    }
}

fn fill_in_endpoint<S: AsRef<str> + From<String>>(endpoint: &mut Endpoint<S>, names: &impl Names) {
    let Some(id) = endpoint.id.as_ref().map(AsRef::as_ref) else { return };
    let peer = names.entry(Kind::Peer, id).map(|entry| (entry, EndpointType::Peer));
    let known = peer.or_else(|| Some((names.entry(Kind::Resource, id)?, EndpointType::HostResource)));
    let Some((known, default_type)) = known else { return };
    fill(&mut endpoint.name, known.name);
    fill(&mut endpoint.os, known.os);
    fill(&mut endpoint.address, known.address);
    fill(&mut endpoint.dns_label, known.dns_label);
    fill(&mut endpoint.geo_location.city_name, known.geo_location.city_name);
    fill(&mut endpoint.geo_location.country_code, known.geo_location.country_code);
    if endpoint.endpoint_type == EndpointType::Unknown {
        endpoint.endpoint_type = known.endpoint_type.unwrap_or(default_type);
    }
}
