//! Zeek's connection log (`conn.log`) as JSON: one object a line, as `LogAscii::use_json=T` or a shipper writes it.
//!
//! | Zeek | Flowtrail |
//! |---|---|
//! | `uid` | `flow_id`; with `zeek:` before it the event id. Without one: a hash of the line |
//! | `@system`, `_system_name` | `reporter_id`; else `zeek`, because a file's name changes when it is rotated or copied |
//! | `ts` (seconds or RFC 3339) | the event's time, and that of `TYPE_START` |
//! | `ts` + `duration` | the time of `TYPE_END`; none without a duration |
//! | `conn_state` `REJ` | `TYPE_DROP` at `ts`, in place of both: no connection came about |
//! | `id.orig_h`, `id.orig_p` | `source.address`; also written `id_orig_h`, `id_orig_p` |
//! | `id.resp_h`, `id.resp_p` | `destination.address`; likewise |
//! | `proto`; `ip_proto` where given | `protocol`: tcp 6, udp 17, icmp 1 or over IPv6 58, unknown_transport 0 |
//! | both ports, of ICMP | `icmp`; the addresses then have port 0 |
//! | `orig_bytes`, else `orig_ip_bytes` | `tx_bytes`: payload, where Zeek saw it, else with headers |
//! | `resp_bytes`, else `resp_ip_bytes` | `rx_bytes` |
//! | `orig_pkts`, `resp_pkts` | `tx_packets`, `rx_packets` |
//! | `local_orig`, `local_resp` | `direction`: `EGRESS` when only the first is true, `INGRESS` when only the second, else unknown |
//!
//! All other states than `REJ` are a start and, with a duration, an end: for one-way traffic such as a UDP broadcast
//! `S0` (no answer seen) is nothing bad.

use std::borrow::Cow;
use std::net::IpAddr;

use model::json;
use model::time::Timestamp;
use model::traffic::{Direction, Endpoint, EventType, IcmpData, Reported, SubEvent};
use serde::Deserialize;

use super::draft::{Draft, Rejected, address, id_of_text, to_text};

/// The reporter where neither the log nor the command line names one.
const REPORTER: &str = "zeek";

#[derive(Deserialize)]
struct Connection {
    ts: Time,
    uid: Option<String>,
    #[serde(rename = "id.orig_h", alias = "id_orig_h")]
    orig_h: IpAddr,
    #[serde(rename = "id.orig_p", alias = "id_orig_p")]
    orig_p: u16,
    #[serde(rename = "id.resp_h", alias = "id_resp_h")]
    resp_h: IpAddr,
    #[serde(rename = "id.resp_p", alias = "id_resp_p")]
    resp_p: u16,
    proto: Transport,
    ip_proto: Option<u8>,
    duration: Option<f64>,
    conn_state: Option<String>,
    orig_bytes: Option<u64>,
    orig_ip_bytes: Option<u64>,
    orig_pkts: Option<u64>,
    resp_bytes: Option<u64>,
    resp_ip_bytes: Option<u64>,
    resp_pkts: Option<u64>,
    local_orig: Option<bool>,
    local_resp: Option<bool>,
    #[serde(rename = "@system")]
    system: Option<String>,
    #[serde(rename = "_system_name")]
    system_name: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Transport {
    Tcp,
    Udp,
    Icmp,
    #[serde(rename = "unknown_transport")]
    Unknown,
}

/// Seconds since 1970, or a text when `LogAscii::json_timestamps` says so.
#[derive(Deserialize)]
#[serde(untagged, expecting = "must be seconds since 1970 or an RFC 3339 time")]
enum Time {
    Seconds(f64),
    Text(Timestamp),
}

/// Maps one line; `reporter` stands above what the log says.
pub(super) fn map(text: &str, reporter: Option<&str>) -> Result<Draft<'static>, Rejected> {
    let connection: Connection = json::read_part(text.as_bytes())?;
    let uid = connection.uid.as_deref().filter(|uid| !uid.is_empty());
    let id = uid.map_or_else(|| id_of_text("zeek-conn", text), |uid| format!("zeek:{uid}"));
    let time = connection.time()?;
    let in_log = connection.system.as_deref().or(connection.system_name.as_deref()).filter(|name| !name.is_empty());
    let data = Reported {
        flow_id: uid.map(str::to_owned),
        reporter_id: Some(reporter.or(in_log).unwrap_or(REPORTER).to_owned()),
        source: connection.endpoint(connection.orig_h, connection.orig_p),
        destination: connection.endpoint(connection.resp_h, connection.resp_p),
        icmp: connection.icmp()?,
        protocol: Some(connection.protocol().into()),
        direction: connection.direction(),
        tx_bytes: connection.orig_bytes.or(connection.orig_ip_bytes).unwrap_or_default(),
        tx_packets: connection.orig_pkts.unwrap_or_default(),
        rx_bytes: connection.resp_bytes.or(connection.resp_ip_bytes).unwrap_or_default(),
        rx_packets: connection.resp_pkts.unwrap_or_default(),
        events: connection.events(time)?,
        ..Reported::default()
    };
    Ok(Draft { id, time: Some(time), data: Cow::Owned(to_text(&data)?) })
}

impl Connection {
    fn time(&self) -> Result<Timestamp, Rejected> {
        match self.ts {
            Time::Text(time) => Ok(time),
            Time::Seconds(seconds) => {
                Timestamp::from_seconds(seconds).map_err(|error| Rejected::field("ts", error.to_string()))
            }
        }
    }

    fn events(&self, start: Timestamp) -> Result<Vec<SubEvent>, Rejected> {
        if self.conn_state.as_deref() == Some("REJ") {
            return Ok(vec![SubEvent { timestamp: start, event_type: EventType::Drop }]);
        }
        let mut events = vec![SubEvent { timestamp: start, event_type: EventType::Start }];
        if let Some(duration) = self.duration {
            let wrong = |_| Rejected::field("duration", "must be a number of seconds");
            let length = Timestamp::from_seconds(duration).map_err(wrong)?.micros();
            let end = Timestamp::from_micros(start.micros().saturating_add(length)).map_err(wrong)?;
            events.push(SubEvent { timestamp: end, event_type: EventType::End });
        }
        Ok(events)
    }

    fn endpoint(&self, ip: IpAddr, port: u16) -> Endpoint {
        let port = if self.proto == Transport::Icmp { 0 } else { port };
        Endpoint { address: address(ip, port), ..Endpoint::default() }
    }

    fn protocol(&self) -> u8 {
        self.ip_proto.unwrap_or(match self.proto {
            Transport::Tcp => 6,
            Transport::Udp => 17,
            Transport::Icmp if self.orig_h.is_ipv6() => 58,
            Transport::Icmp => 1,
            Transport::Unknown => 0,
        })
    }

    /// Zeek puts the type where the source's port stands. Where the destination's stands, it puts the type of the
    /// answer when there is one, and such messages have code 0; else the code.
    fn icmp(&self) -> Result<Option<IcmpData>, Rejected> {
        if self.proto != Transport::Icmp {
            return Ok(None);
        }
        let byte = |field: &str, port: u16| {
            u8::try_from(port).map_err(|_| Rejected::field(field, "must be at most 255, as proto is icmp"))
        };
        let icmp_type = byte("id.orig_p", self.orig_p)?;
        let code = if is_answered(icmp_type, self.orig_h) { 0 } else { byte("id.resp_p", self.resp_p)? };
        Ok(Some(IcmpData { icmp_type, code }))
    }

    fn direction(&self) -> Direction {
        match (self.local_orig, self.local_resp) {
            (Some(true), Some(false)) => Direction::Egress,
            (Some(false), Some(true)) => Direction::Ingress,
            (Some(true), Some(true) | None) | (Some(false), Some(false) | None) | (None, _) => Direction::Unknown,
        }
    }
}

/// Whether this type of message comes in pairs of question and answer, as Zeek knows them.
fn is_answered(icmp_type: u8, ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(_) => matches!(icmp_type, 0 | 8..=10 | 13..=18),
        IpAddr::V6(_) => matches!(icmp_type, 128..=131 | 133..=136 | 139 | 140 | 144 | 145),
    }
}

#[cfg(test)]
mod tests;
