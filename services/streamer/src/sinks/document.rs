//! An event as JSON: NetBird's envelope, which receivers of its streaming know, and everything else next to it.

use model::time::Timestamp;
use model::traffic::{EventType, Report};
use serde::{Serialize, Serializer};
use serde_json::{Map, Value, json};

use super::fields::Fields;
use crate::sink::{Item, Kind};

/// What NetBird streams of an event, under the names it has in an object of S3, and more.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Document<'a> {
    /// With six digits, always: query engines take a column for times only when all are written alike.
    #[serde(rename = "timestamp", serialize_with = "six_digits")]
    pub(super) time: Timestamp,
    pub(super) message: &'a str,
    #[serde(flatten)]
    pub(super) details: Details<'a>,
}

/// All but when and what, which platforms have places of their own for.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Details<'a> {
    pub(super) id: &'a str,
    pub(super) initiator_id: &'a str,
    pub(super) target_id: &'a str,
    pub(super) meta: Map<String, Value>,
    pub(super) reference: &'a str,
    pub(super) account_id: &'a str,
    /// `audit` or `traffic`.
    pub(super) kind: &'static str,
    /// NetBird's `activity_code`, or what happened to the flow.
    pub(super) event_type: &'a str,
    /// Where it stands in the log, so that a receiver can see that nothing is missing.
    pub(super) position: String,
    pub(super) index: u32,
    /// Whatever else was published.
    pub(super) event: Fields<'a>,
}

/// What NetBird knows of an event.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Envelope<'a> {
    pub(super) timestamp: String,
    pub(super) message: &'a str,
    pub(super) id: &'a str,
    pub(super) initiator_id: &'a str,
    pub(super) target_id: &'a str,
    pub(super) meta: Map<String, Value>,
    pub(super) reference: &'a str,
}

impl<'a> Document<'a> {
    pub(super) fn new(item: &'a Item) -> Self {
        let Envelope { message, id, initiator_id, target_id, meta, reference, .. } = Envelope::new(item);
        let (event_type, event) = match &item.kind {
            Kind::Audit(event) => (event.event_type.as_str(), Fields::Audit(event)),
            Kind::Traffic(report) => (message, Fields::of_traffic(report)),
        };
        let details = Details {
            id,
            initiator_id,
            target_id,
            meta,
            reference,
            account_id: item.account.as_str(),
            kind: item.kind.name(),
            event_type,
            position: format!("{}:{}", item.stream, item.sequence),
            index: item.index,
            event,
        };
        Self { time: item.time, message, details }
    }

    pub(super) fn to_json(&self) -> Vec<u8> {
        json_bytes(self)
    }
}

/// What happened, in words; of a flow, NetBird's name for it.
pub(super) fn message(item: &Item) -> &str {
    match &item.kind {
        Kind::Audit(event) => event.activity(),
        Kind::Traffic(report) => type_name(report.data.event_type.unwrap_or_default()),
    }
}

/// The machine or program that saw it; platforms show it as the host.
pub(super) fn host(item: &Item) -> &str {
    match &item.kind {
        Kind::Audit(event) => event.given.node_ip.as_deref().unwrap_or(&event.source),
        Kind::Traffic(report) => report.data.reporter_id.as_deref().unwrap_or(&report.subject_reporter),
    }
}

impl<'a> Envelope<'a> {
    pub(super) fn new(item: &'a Item) -> Self {
        let (id, timestamp) = (item.id.as_str(), item.time.to_string());
        match &item.kind {
            Kind::Audit(event) => Self {
                timestamp,
                message: message(item),
                id,
                initiator_id: text(&event.given.actor_id),
                target_id: text(&event.given.resource_id),
                meta: event.meta_as_texts(),
                reference: text(&event.given.correlation_id),
            },
            Kind::Traffic(report) => {
                let data = &report.data;
                Self {
                    timestamp,
                    message: message(item),
                    id,
                    initiator_id: data.user.id.as_deref().unwrap_or_else(|| text(&data.source.id)),
                    target_id: text(&data.destination.id),
                    meta: traffic_meta(report),
                    reference: flow_id(report),
                }
            }
        }
    }
}

/// Of values that always can be written: maps with text keys, texts and numbers.
pub(super) fn json_bytes(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).unwrap_or_default()
}

fn six_digits<S: Serializer>(time: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&time.to_six_digits())
}

fn traffic_meta(report: &Report) -> Map<String, Value> {
    let data = &report.data;
    let meta = json!({
        "flow_id": flow_id(report),
        "direction": data.direction,
        "source_addr": text(&data.source.address),
        "source_name": text(&data.source.name),
        "source_type": data.source.endpoint_type.name(),
        "destination_addr": text(&data.destination.address),
        "destination_name": text(&data.destination.name),
        "destination_type": data.destination.endpoint_type.name(),
        "protocol": data.protocol.unwrap_or_default(),
        "tx_bytes": data.tx_bytes,
        "tx_packets": data.tx_packets,
        "rx_bytes": data.rx_bytes,
        "rx_packets": data.rx_packets,
        "policy_name": text(&data.policy.name),
        "reporter_id": data.reporter_id.as_deref().unwrap_or(&report.subject_reporter),
        "user_id": text(&data.user.id),
    });
    let mut meta = match meta {
        Value::Object(meta) => meta,
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => Map::new(),
    };
    // NetBird has no names for these; a report that sums up a window is little without them.
    let counts =
        [("num_of_starts", data.num_of_starts), ("num_of_ends", data.num_of_ends), ("num_of_drops", data.num_of_drops)];
    for (name, count) in counts.into_iter().filter(|(_, count)| *count > 0) {
        meta.insert(name.to_owned(), count.into());
    }
    for (name, time) in [("window_start", data.window_start), ("window_end", data.window_end)] {
        if let Some(time) = time {
            meta.insert(name.to_owned(), time.to_string().into());
        }
    }
    meta
}

fn flow_id(report: &Report) -> &str {
    report.data.flow_id.as_deref().unwrap_or(&report.id)
}

pub(super) fn type_name(event_type: EventType) -> &'static str {
    match event_type {
        EventType::Unknown => "TYPE_UNKNOWN",
        EventType::Start => "TYPE_START",
        EventType::End => "TYPE_END",
        EventType::Drop => "TYPE_DROP",
    }
}

fn text(value: &Option<String>) -> &str {
    value.as_deref().unwrap_or_default()
}
