//! Which records are of one flow, as several reporters saw it, and what they say of it together.
//!
//! Invariant: a flow has at most one record of each reporter, and which records are of one flow follows from nothing but
//! these records.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;

use super::fields::Endpoint;
use super::record::Record;
use super::values::{Direction, EventType};
use crate::address::{ip_of, split_port};

/// Records of one flow begin no further apart than this, in microseconds: as far as clocks of reporters are, and the
/// windows that they sum up by.
const APART: i64 = 60_000_000;

/// An address and a port. Who sums up connections tells no port that they came from.
type End = (IpAddr, Option<u16>);

/// The two ends and the protocol.
type FiveTuple = (End, End, u16);

/// What is looked at of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sighting {
    /// Microseconds since 1970.
    begins: i64,
    reporter_id: String,
    flow_id: String,
    five_tuple: Option<FiveTuple>,
}

/// Records of one flow, by their places.
struct Flow {
    begins: i64,
    records: Vec<usize>,
}

impl<S: AsRef<str>> From<&Record<S>> for Sighting {
    fn from(record: &Record<S>) -> Self {
        Self {
            begins: record.time().micros(),
            reporter_id: record.key.reporter_id.as_ref().to_owned(),
            flow_id: record.key.flow_id.as_ref().to_owned(),
            five_tuple: five_tuple(record),
        }
    }
}

/// None where a part is missing by which flows are told apart.
fn five_tuple<S: AsRef<str>>(record: &Record<S>) -> Option<FiveTuple> {
    /// ICMP, which has no ports, for both versions of IP.
    const WITHOUT_PORTS: [u16; 2] = [1, 58];
    let given = &record.given;
    let (source, destination, protocol) = (end(&given.source)?, end(&given.destination)?, given.protocol?);
    let is_told_apart = destination.1.is_some() || WITHOUT_PORTS.contains(&protocol);
    is_told_apart.then_some((source, destination, protocol))
}

fn end<S: AsRef<str>>(endpoint: &Endpoint<S>) -> Option<End> {
    let (host, port) = split_port(endpoint.address.as_ref()?.as_ref());
    Some((ip_of(host)?, port))
}

/// Puts together what is of one flow. The records come by time and id, the earliest first; so do the flows, and the records
/// of each, of which the first stands for it.
///
/// Those of one flow id belong together, and then those of the same ends, ports and protocol: of different reporters, and
/// begun within a minute.
#[must_use]
pub fn flows(sightings: &[Sighting]) -> Vec<Vec<usize>> {
    let alone = sightings.iter().enumerate();
    let alone = alone.map(|(place, sighting)| Flow { begins: sighting.begins, records: vec![place] }).collect();
    let by_id = joined(alone, sightings, |sighting| Some(sighting.flow_id.as_str()));
    let by_ends = joined(by_id, sightings, |sighting| sighting.five_tuple);
    by_ends.into_iter().map(|flow| flow.records).collect()
}

/// Joins flows whose first records have the same key: each to the earliest that it may belong to.
fn joined<'a, K: Hash + Eq>(
    flows: Vec<Flow>,
    sightings: &'a [Sighting],
    key: impl Fn(&'a Sighting) -> Option<K>,
) -> Vec<Flow> {
    let mut joined: Vec<Flow> = Vec::with_capacity(flows.len());
    let mut known: HashMap<K, Vec<usize>> = HashMap::new();
    for flow in flows {
        let Some(key) = flow.records.first().and_then(|first| key(&sightings[*first])) else {
            joined.push(flow);
            continue;
        };
        let same = known.entry(key).or_default();
        // Nothing that comes later can belong to what began too long ago.
        same.retain(|place| flow.begins.saturating_sub(joined[*place].begins) <= APART);
        let others = same.iter().find(|place| are_apart(&joined[**place].records, &flow.records, sightings));
        if let Some(place) = others {
            let records = &mut joined[*place].records;
            records.extend(flow.records);
            records.sort_unstable();
        } else {
            same.push(joined.len());
            joined.push(flow);
        }
    }
    joined
}

/// Whether no reporter has records among both.
fn are_apart(some: &[usize], others: &[usize], sightings: &[Sighting]) -> bool {
    let reporter = |place: &usize| &sightings[*place].reporter_id;
    !some.iter().any(|one| others.iter().any(|other| reporter(one) == reporter(other)))
}

impl<S> Record<S> {
    /// Takes in what another reporter counted of the same flow: of each number the greater. Both counted the same packets, so
    /// that a sum would have them twice, and what one of them missed the other may have.
    ///
    /// Received and sent are the reporter's own: seen from the other end, one is the other.
    pub fn take_in<T>(&mut self, other: &Record<T>) {
        let counts =
            [EventType::Start, EventType::End, EventType::Drop].map(|kind| self.count(kind).max(other.count(kind)));
        let is_other_end = matches!(
            (self.given.direction, other.given.direction),
            (Direction::Ingress, Direction::Egress) | (Direction::Egress, Direction::Ingress)
        );
        let theirs = &other.given;
        let received = (theirs.rx_bytes, theirs.rx_packets);
        let sent = (theirs.tx_bytes, theirs.tx_packets);
        let (received, sent) = if is_other_end { (sent, received) } else { (received, sent) };
        let mine = &mut self.given;
        [mine.num_of_starts, mine.num_of_ends, mine.num_of_drops] = counts;
        mine.rx_bytes = mine.rx_bytes.max(received.0);
        mine.rx_packets = mine.rx_packets.max(received.1);
        mine.tx_bytes = mine.tx_bytes.max(sent.0);
        mine.tx_packets = mine.tx_packets.max(sent.1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// When it begins in seconds, the reporter, the flow id, and the port that it came from, where there is one.
    fn sightings(records: &[(i64, &str, &str, Option<u16>)]) -> Vec<Sighting> {
        let sighting = |(second, reporter_id, flow_id, port): &(i64, &str, &str, Option<u16>)| Sighting {
            begins: second * 1_000_000,
            reporter_id: (*reporter_id).to_owned(),
            flow_id: (*flow_id).to_owned(),
            five_tuple: port.map(|port| {
                let end = |last, port| (IpAddr::from([10, 0, 0, last]), Some(port));
                (end(1, port), end(2, 53), 17)
            }),
        };
        records.iter().map(sighting).collect()
    }

    #[test]
    fn records_of_one_flow_id_and_different_reporters_are_one_flow() {
        let records = [(0, "a", "f", None), (1, "b", "f", None), (2, "b", "g", None), (3, "c", "f", None)];
        assert_eq!(flows(&sightings(&records)), [vec![0, 1, 3], vec![2]]);
    }

    #[test]
    fn without_a_common_id_the_ends_say_it() {
        let records =
            [(0, "a", "1", Some(5000)), (1, "b", "2", Some(5000)), (2, "b", "3", Some(5001)), (3, "c", "4", None)];
        assert_eq!(flows(&sightings(&records)), [vec![0, 1], vec![2], vec![3]]);
        // Whose id is known elsewhere, too.
        let records = [(0, "a", "f", Some(5000)), (1, "b", "f", Some(5000)), (2, "c", "g", Some(5000))];
        assert_eq!(flows(&sightings(&records)), [vec![0, 1, 2]]);
    }

    #[test]
    fn what_one_reporter_says_again_is_another_flow() {
        let records = [(0, "a", "f", None), (20, "b", "f", None), (30, "a", "f", None), (50, "b", "f", None)];
        assert_eq!(flows(&sightings(&records)), [vec![0, 1], vec![2, 3]], "windows, one after the other");
        let records = [(0, "a", "1", Some(5000)), (1, "a", "2", Some(5000)), (2, "b", "3", Some(5000))];
        assert_eq!(flows(&sightings(&records)), [vec![0, 2], vec![1]]);
    }

    #[test]
    fn what_begins_more_than_a_minute_later_is_another_flow() {
        let records = [(0, "a", "f", None), (60, "b", "f", None), (61, "c", "f", None), (62, "d", "f", None)];
        assert_eq!(flows(&sightings(&records)), [vec![0, 1], vec![2, 3]]);
    }
}
