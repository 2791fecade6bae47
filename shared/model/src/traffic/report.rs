//! A traffic report as it is published.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::address::canonical_address;
use crate::endpoint::{EndpointType, GeoLocation};
use crate::json::{count, filled, integer, or_default};
use crate::time::Timestamp;

/// The CloudEvents type of [`Reported`].
pub const REPORTED: &str = "flowtrail.traffic.reported.v1";

/// What happened to a flow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[expect(missing_docs, reason = "the names say it")]
pub enum EventType {
    #[default]
    #[serde(rename = "TYPE_UNKNOWN")]
    Unknown,
    #[serde(rename = "TYPE_START")]
    Start,
    #[serde(rename = "TYPE_END")]
    End,
    #[serde(rename = "TYPE_DROP")]
    Drop,
}

/// Which way the traffic went, seen from the reporter. Unknown sorts first, so that folding prefers what is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Direction {
    #[default]
    #[serde(rename = "DIRECTION_UNKNOWN")]
    Unknown,
    #[serde(rename = "INGRESS")]
    Ingress,
    #[serde(rename = "EGRESS")]
    Egress,
}

/// One end of a flow.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, bound(deserialize = "S: From<String> + Default"))]
#[schemars(rename = "Endpoint", bound = "S: JsonSchema + Serialize + Default")]
pub struct Endpoint<S = String> {
    /// Peer or resource id.
    #[serde(deserialize_with = "filled")]
    pub id: Option<S>,
    /// What it is.
    #[serde(rename = "type", deserialize_with = "or_default")]
    pub endpoint_type: EndpointType,
    /// Its name; default: the directory's.
    #[serde(deserialize_with = "filled")]
    pub name: Option<S>,
    /// Where it is; default: the directory's.
    #[serde(deserialize_with = "or_default")]
    pub geo_location: GeoLocation<S>,
    /// Its operating system; default: the directory's.
    #[serde(deserialize_with = "filled")]
    pub os: Option<S>,
    /// `ip:port`, or `[ip]:port` for IPv6.
    #[serde(deserialize_with = "filled")]
    pub address: Option<S>,
    /// Its DNS name; default: the directory's.
    #[serde(deserialize_with = "filled")]
    pub dns_label: Option<S>,
}

/// The user behind a flow.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, bound(deserialize = "S: From<String> + Default"))]
#[schemars(rename = "User", bound = "S: JsonSchema + Serialize + Default")]
pub struct User<S = String> {
    /// Their id.
    #[serde(deserialize_with = "filled")]
    pub id: Option<S>,
    /// Their e-mail address; default: the directory's.
    #[serde(deserialize_with = "filled")]
    pub email: Option<S>,
    /// Their name; default: the directory's.
    #[serde(deserialize_with = "filled")]
    pub name: Option<S>,
}

/// The policy that allowed a flow.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, bound(deserialize = "S: From<String> + Default"))]
#[schemars(rename = "Policy", bound = "S: JsonSchema + Serialize + Default")]
pub struct Policy<S = String> {
    /// Its id.
    #[serde(deserialize_with = "filled")]
    pub id: Option<S>,
    /// Its name; default: the directory's.
    #[serde(deserialize_with = "filled")]
    pub name: Option<S>,
}

/// ICMP type and code of a report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct IcmpData {
    /// The type.
    #[serde(rename = "type", deserialize_with = "count")]
    pub icmp_type: u8,
    /// The code.
    #[serde(deserialize_with = "count")]
    pub code: u8,
}

/// Something that happened to a flow, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub struct SubEvent {
    /// When.
    pub timestamp: Timestamp,
    /// What.
    #[serde(rename = "type")]
    pub event_type: EventType,
}

/// The `data` of a traffic report, as publishers write it. All optional.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Reported {
    /// The flow; default: the event id, for a drop has a flow of its own.
    #[serde(deserialize_with = "filled", skip_serializing_if = "Option::is_none")]
    pub flow_id: Option<String>,
    /// What happened; it is one of `events`, at the CloudEvent's time.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub event_type: Option<EventType>,
    /// Who saw it; default: the last token of the subject.
    #[serde(deserialize_with = "filled", skip_serializing_if = "Option::is_none")]
    pub reporter_id: Option<String>,
    /// Where it came from.
    #[serde(deserialize_with = "or_default")]
    pub source: Endpoint,
    /// Where it went.
    #[serde(deserialize_with = "or_default")]
    pub destination: Endpoint,
    /// The user behind it.
    #[serde(deserialize_with = "or_default")]
    pub user: User,
    /// The policy that allowed it.
    #[serde(deserialize_with = "or_default")]
    pub policy: Policy,
    /// ICMP type and code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub icmp: Option<IcmpData>,
    /// IANA protocol number.
    #[serde(deserialize_with = "integer", skip_serializing_if = "Option::is_none")]
    pub protocol: Option<u16>,
    /// Which way it went.
    #[serde(deserialize_with = "or_default")]
    pub direction: Direction,
    /// Bytes received.
    #[serde(deserialize_with = "count")]
    pub rx_bytes: u64,
    /// Packets received.
    #[serde(deserialize_with = "count")]
    pub rx_packets: u64,
    /// Bytes sent.
    #[serde(deserialize_with = "count")]
    pub tx_bytes: u64,
    /// Packets sent.
    #[serde(deserialize_with = "count")]
    pub tx_packets: u64,
    /// How many connections started in the window.
    #[serde(deserialize_with = "count")]
    pub num_of_starts: u64,
    /// How many ended.
    #[serde(deserialize_with = "count")]
    pub num_of_ends: u64,
    /// How many were dropped.
    #[serde(deserialize_with = "count")]
    pub num_of_drops: u64,
    /// The start of the window that the report sums up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub window_start: Option<Timestamp>,
    /// Its end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub window_end: Option<Timestamp>,
    /// What happened, where several reports are folded already.
    #[serde(deserialize_with = "or_default", skip_serializing_if = "Vec::is_empty")]
    pub events: Vec<SubEvent>,
    /// When given, must be the account of the subject.
    #[serde(deserialize_with = "filled", skip_serializing_if = "Option::is_none")]
    pub account_id: Option<String>,
}

impl Reported {
    /// Brings its IPv6 addresses into the one spelling in which they are looked for.
    pub(crate) fn spell_addresses(&mut self) {
        for address in [&mut self.source.address, &mut self.destination.address].into_iter().flatten() {
            if let Some(canonical) = canonical_address(address) {
                *address = canonical;
            }
        }
    }
}

/// A report with what its envelope says: ready to be folded into its record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The event id.
    pub id: String,
    /// When it happened; else when the log received it.
    pub time: Timestamp,
    /// When the log received it.
    pub received_at: Timestamp,
    /// The reporter that the subject names.
    pub subject_reporter: String,
    /// The report itself.
    pub data: Reported,
}
