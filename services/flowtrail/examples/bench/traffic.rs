//! Traffic reports of about 1 kB each, in the shape of NetBird's list items: 30 days, some of them late.

use model::time::Timestamp;
use model::traffic::{Direction, Endpoint, EventType, IcmpData, Reported, SubEvent};

use crate::events::Event;
use crate::random::Random;
use crate::world::World;

/// 2025-05-01T00:00:00Z.
const FIRST_DAY: i64 = 1_746_057_600;
const DAY: i64 = 86_400;
/// How many days the reports of one stream are spread over.
const DAYS: i64 = 30;
const MICROS: i64 = 1_000_000;

const TCP: u16 = 6;
const UDP: u16 = 17;
const ICMP: u16 = 1;
const TCP_PORTS: [u64; 8] = [443, 443, 443, 80, 22, 5432, 6443, 8080];
const UDP_PORTS: [u64; 5] = [53, 53, 123, 443, 51820];

/// The reports of one company, without end: the first so many of them span 30 days, the rest goes on from there.
pub(crate) struct Reports<'a> {
    world: &'a World,
    random: Random,
    number: u64,
    step: f64,
}

impl<'a> Reports<'a> {
    pub(crate) fn new(world: &'a World, count: u64) -> Self {
        let step = (DAYS * DAY * MICROS) as f64 / count as f64;
        Self { world, random: Random::new(count), number: 0, step }
    }

    /// What is reported after the first so many reports.
    pub(crate) fn after(world: &'a World, count: u64) -> Self {
        Self { number: count, random: Random::new(count + 1), ..Self::new(world, count) }
    }

    fn time(&mut self) -> i64 {
        let even = (self.number as f64 * self.step) as i64;
        let late = if self.random.percent(2) { self.random.below(600) as i64 } else { 0 };
        (even + self.random.below(5_000_000) as i64 - late * MICROS).max(0)
    }

    fn report(&mut self, time: i64) -> Reported {
        let (world, random) = (self.world, &mut self.random);
        let peer = random.early_of(&world.peers, 2);
        let (is_routed, is_ingress) = (random.percent(55), random.percent(45));
        let destination = if is_routed {
            random.early_of(&world.destinations, 3)
        } else {
            &random.early_of(&world.peers, 2).endpoint
        };
        let reporter = match (is_ingress, is_routed) {
            (false, _) => &peer.endpoint.id,
            (true, false) => &destination.id,
            (true, true) => &Some(random.one_of(&world.gateways).clone()),
        };
        let protocol = match random.below(100) {
            0..70 => TCP,
            70..97 => UDP,
            _ => ICMP,
        };
        let port = match protocol {
            TCP => *random.one_of(&TCP_PORTS),
            UDP => *random.one_of(&UDP_PORTS),
            _ => 0,
        };
        let own_port = if protocol == ICMP { 0 } else { 32_768 + random.below(28_232) };
        let (received, sent) = (random.small(5000.0), random.small(5000.0));
        Reported {
            flow_id: Some(random.uuid()),
            reporter_id: reporter.clone(),
            source: with_port(&peer.endpoint, own_port),
            destination: with_port(destination, port),
            user: peer.user.clone(),
            policy: peer.policy.clone(),
            icmp: Some(IcmpData { icmp_type: if protocol == ICMP { 8 } else { 0 }, code: 0 }),
            protocol: Some(protocol),
            direction: if is_ingress { Direction::Ingress } else { Direction::Egress },
            rx_bytes: received * (60 + random.below(1024)),
            rx_packets: received,
            tx_bytes: sent * (60 + random.below(1024)),
            tx_packets: sent,
            events: happened(time, random),
            ..Reported::default()
        }
    }
}

impl Iterator for Reports<'_> {
    type Item = Event<Reported>;

    fn next(&mut self) -> Option<Self::Item> {
        let time = self.time();
        let data = self.report(time);
        let id = format!("report-{}", self.number);
        self.number += 1;
        Some(Event { id, time: at(time), data })
    }
}

/// The start of a day, or of an hour in it, from the first report on.
pub(crate) fn hour(day: u32, hour: u32) -> Timestamp {
    at((i64::from(day) * DAY + i64::from(hour) * 3600) * MICROS)
}

fn at(since_first_day: i64) -> Timestamp {
    let time = Timestamp::from_micros(FIRST_DAY * MICROS + since_first_day);
    // Only with more reports than fit on any disk.
    time.unwrap_or(Timestamp::EPOCH)
}

fn with_port(endpoint: &Endpoint, port: u64) -> Endpoint {
    let address = endpoint.address.as_deref().map(|address| format!("{address}:{port}"));
    Endpoint { address, ..endpoint.clone() }
}

/// Nine in ten flows started and ended; one in twenty was dropped.
fn happened(time: i64, random: &mut Random) -> Vec<SubEvent> {
    let event = |event_type, time| SubEvent { timestamp: at(time), event_type };
    match random.below(100) {
        0..5 => vec![event(EventType::Drop, time)],
        5..10 => vec![event(EventType::Start, time)],
        _ => {
            let ended = time + (random.unit().powi(4) * 3e8) as i64 + 1000;
            vec![event(EventType::Start, time), event(EventType::End, ended)]
        }
    }
}
