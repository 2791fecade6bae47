//! One record of a conn.log, however it was written, and the report that it becomes.

use std::fmt;
use std::net::IpAddr;

use model::time::Timestamp;
use model::traffic::{Direction, Endpoint, EventType, IcmpData, Reported, SubEvent};
use serde::{Deserialize, Deserializer, de};

use super::super::addresses;
use super::super::draft::Rejected;
use super::super::times;

/// The reporter where neither the log nor the command line names one.
const REPORTER: &str = "zeek";

/// The fields that are read. Zeek leaves out of JSON what is not set.
#[derive(Default, Deserialize)]
pub(super) struct Connection {
    pub(super) ts: Option<Time>,
    pub(super) uid: Option<String>,
    #[serde(rename = "id.orig_h", alias = "id_orig_h")]
    pub(super) orig_h: Option<IpAddr>,
    #[serde(rename = "id.orig_p", alias = "id_orig_p")]
    pub(super) orig_p: Option<u16>,
    #[serde(rename = "id.resp_h", alias = "id_resp_h")]
    pub(super) resp_h: Option<IpAddr>,
    #[serde(rename = "id.resp_p", alias = "id_resp_p")]
    pub(super) resp_p: Option<u16>,
    /// The four above in an object of their own, as some shippers write them.
    pub(super) id: Option<Ends>,
    pub(super) proto: Option<Transport>,
    pub(super) ip_proto: Option<u8>,
    pub(super) duration: Option<f64>,
    pub(super) conn_state: Option<String>,
    pub(super) history: Option<de::IgnoredAny>,
    pub(super) orig_bytes: Option<u64>,
    pub(super) orig_ip_bytes: Option<u64>,
    pub(super) orig_pkts: Option<u64>,
    pub(super) resp_bytes: Option<u64>,
    pub(super) resp_ip_bytes: Option<u64>,
    pub(super) resp_pkts: Option<u64>,
    pub(super) local_orig: Option<bool>,
    pub(super) local_resp: Option<bool>,
    #[serde(rename = "@system")]
    pub(super) system: Option<String>,
    #[serde(rename = "_system_name")]
    pub(super) system_name: Option<String>,
    #[serde(rename = "_path")]
    path: Option<LogName>,
    #[serde(rename = "@stream")]
    stream: Option<LogName>,
    #[serde(rename = "@path")]
    at_path: Option<LogName>,
}

/// The log that a record says it is of. Those who write several logs into one stream name it.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct InLog {
    #[serde(rename = "_path")]
    path: Option<LogName>,
    #[serde(rename = "@stream")]
    stream: Option<LogName>,
    #[serde(rename = "@path")]
    at_path: Option<LogName>,
}

/// A log's name; that of most records is not copied.
pub(super) enum LogName {
    Conn,
    Other(String),
}

/// Both ends.
#[derive(Default, Deserialize)]
pub(super) struct Ends {
    orig_h: Option<IpAddr>,
    orig_p: Option<u16>,
    resp_h: Option<IpAddr>,
    resp_p: Option<u16>,
}

/// What Zeek calls a transport.
#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Transport {
    Tcp,
    Udp,
    Icmp,
    #[serde(rename = "unknown_transport")]
    Unknown,
}

/// A time in any of the forms that `LogAscii::json_timestamps` chooses from, and those of shippers.
#[derive(Clone, Copy)]
pub(super) struct Time(pub(super) Timestamp);

/// The log that is read.
pub(super) const CONN: &str = "conn";
/// Why a record is refused that no conn.log has.
pub(super) const NOT_CONN: &str =
    "has none of conn_state, orig_pkts and history, so this is another log of Zeek's; give conn.log";
pub(super) const WRONG_TIME: &str = "must be seconds since 1970 or an RFC 3339 time";

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct AnyForm;

        impl de::Visitor<'_> for AnyForm {
            type Value = Time;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("seconds since 1970 or an RFC 3339 time")
            }

            fn visit_f64<E: de::Error>(self, number: f64) -> Result<Time, E> {
                times::of_number(number).map(Time).map_err(E::custom)
            }

            #[expect(clippy::cast_precision_loss, reason = "exact for every time that can be written")]
            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Time, E> {
                self.visit_f64(number as f64)
            }

            #[expect(clippy::cast_precision_loss, reason = "exact for every time that can be written")]
            fn visit_i64<E: de::Error>(self, number: i64) -> Result<Time, E> {
                self.visit_f64(number as f64)
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Time, E> {
                times::of_text(text).map(Time).ok_or_else(|| E::custom(WRONG_TIME))
            }
        }

        deserializer.deserialize_any(AnyForm)
    }
}

impl<'de> Deserialize<'de> for LogName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Name;

        impl de::Visitor<'_> for Name {
            type Value = LogName;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("the name of a log")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<LogName, E> {
                Ok(if text == CONN { LogName::Conn } else { LogName::Other(text.to_owned()) })
            }
        }

        deserializer.deserialize_str(Name)
    }
}

impl LogName {
    /// The name, when it is that of another log than conn.log.
    pub(super) fn other(&self) -> Option<&str> {
        match self {
            Self::Conn => None,
            Self::Other(name) => Some(name),
        }
    }
}

impl InLog {
    /// The name, where a record has one.
    pub(super) fn name(&self) -> Option<&LogName> {
        self.path.as_ref().or(self.stream.as_ref()).or(self.at_path.as_ref())
    }
}

/// What a flow needs; everything else of a record may be missing.
struct Flow {
    start: Timestamp,
    orig_h: IpAddr,
    orig_p: u16,
    resp_h: IpAddr,
    resp_p: u16,
    proto: Transport,
}

impl Connection {
    /// The log that it says it is of.
    pub(super) fn log(&self) -> Option<&LogName> {
        self.path.as_ref().or(self.stream.as_ref()).or(self.at_path.as_ref())
    }

    /// Whether it has a field that every conn.log has and no other log of Zeek's.
    pub(super) fn is_of_conn_log(&self) -> bool {
        self.conn_state.is_some() || self.orig_pkts.is_some() || self.history.is_some()
    }

    /// The report and its time; `reporter` stands above what the log says.
    pub(super) fn report(&self, reporter: Option<&str>) -> Result<(Timestamp, Reported), Rejected> {
        let flow = self.flow()?;
        let in_log = self.system.as_deref().or(self.system_name.as_deref()).filter(|name| !name.is_empty());
        let data = Reported {
            flow_id: self.uid.clone().filter(|uid| !uid.is_empty()),
            reporter_id: Some(reporter.or(in_log).unwrap_or(REPORTER).to_owned()),
            source: flow.endpoint(flow.orig_h, flow.orig_p),
            destination: flow.endpoint(flow.resp_h, flow.resp_p),
            icmp: flow.icmp()?,
            protocol: Some(self.ip_proto.unwrap_or_else(|| flow.protocol()).into()),
            direction: self.direction(),
            tx_bytes: self.orig_bytes.or(self.orig_ip_bytes).unwrap_or_default(),
            tx_packets: self.orig_pkts.unwrap_or_default(),
            rx_bytes: self.resp_bytes.or(self.resp_ip_bytes).unwrap_or_default(),
            rx_packets: self.resp_pkts.unwrap_or_default(),
            events: self.events(flow.start)?,
            ..Reported::default()
        };
        Ok((flow.start, data))
    }

    fn flow(&self) -> Result<Flow, Rejected> {
        let (flat, nested) = (self, self.id.as_ref());
        let missing = Rejected::missing;
        Ok(Flow {
            start: self.ts.ok_or_else(|| missing("ts"))?.0,
            orig_h: flat.orig_h.or(nested.and_then(|id| id.orig_h)).ok_or_else(|| missing("id.orig_h"))?,
            orig_p: flat.orig_p.or(nested.and_then(|id| id.orig_p)).ok_or_else(|| missing("id.orig_p"))?,
            resp_h: flat.resp_h.or(nested.and_then(|id| id.resp_h)).ok_or_else(|| missing("id.resp_h"))?,
            resp_p: flat.resp_p.or(nested.and_then(|id| id.resp_p)).ok_or_else(|| missing("id.resp_p"))?,
            proto: self.proto.ok_or_else(|| missing("proto"))?,
        })
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

    fn direction(&self) -> Direction {
        match (self.local_orig, self.local_resp) {
            (Some(true), Some(false)) => Direction::Egress,
            (Some(false), Some(true)) => Direction::Ingress,
            (Some(true), Some(true) | None) | (Some(false), Some(false) | None) | (None, _) => Direction::Unknown,
        }
    }
}

impl Flow {
    fn endpoint(&self, ip: IpAddr, port: u16) -> Endpoint {
        let port = if self.proto == Transport::Icmp { 0 } else { port };
        Endpoint { address: Some(addresses::endpoint(ip, port)), ..Endpoint::default() }
    }

    fn protocol(&self) -> u8 {
        match self.proto {
            Transport::Tcp => 6,
            Transport::Udp => 17,
            Transport::Icmp if self.orig_h.is_ipv6() => 58,
            Transport::Icmp => 1,
            Transport::Unknown => 0,
        }
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
}

/// Whether this type of message comes in pairs of question and answer, as Zeek knows them.
fn is_answered(icmp_type: u8, ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(_) => matches!(icmp_type, 0 | 8..=10 | 13..=18),
        IpAddr::V6(_) => matches!(icmp_type, 128..=131 | 133..=136 | 139 | 140 | 144 | 145),
    }
}
