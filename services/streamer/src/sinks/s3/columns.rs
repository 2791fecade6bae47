//! The events of one kind as a table: which columns it has, of which type, and what stands in them.
//!
//! Invariants: the columns of a kind are always the same ones, whatever the events say, and no name stands for two types
//! in the two kinds. `event` holds everything that a line of JSON holds there, to the digit; the columns behind it
//! repeat what engines filter and sum up. Where a type cannot hold a value its column is null.

use model::audit::Event;
use model::audit::fields::{Access, FIELDS, Field, Value};
use model::time::Timestamp;
use model::traffic::{Direction, Endpoint, Report};

use super::super::document::{Document, endpoint_type, json_bytes};
use crate::sink::{Item, Kind};

/// A column of a table.
#[derive(Debug)]
pub(super) struct Column {
    pub(super) name: String,
    pub(super) values: Values,
}

/// The values of a column, one for each row; none: null.
#[derive(Debug, PartialEq)]
pub(super) enum Values {
    /// Microseconds since 1970.
    Times(Vec<Option<i64>>),
    /// UTF-8.
    Texts(Vec<Option<Vec<u8>>>),
    /// Texts that are JSON.
    Json(Vec<Option<Vec<u8>>>),
    Integers(Vec<Option<i64>>),
    Decimals(Vec<Option<f64>>),
}

/// The fields of an audit event that the envelope shows under other names, or that are JSON and stand in `event`.
const NO_COLUMN: [&str; 6] = ["activity", "actor_id", "resource_id", "correlation_id", "meta", "event_payload"];

/// The columns of some events, all of the kind of the first.
pub(super) fn columns(items: &[&Item]) -> Vec<Column> {
    let documents: Vec<Document<'_>> = items.iter().map(|item| Document::new(item)).collect();
    let mut columns = of_documents(&documents);
    if items.iter().any(|item| matches!(item.kind, Kind::Traffic(_))) {
        columns.extend(of_traffic(items));
    } else {
        columns.extend(of_audit(items));
    }
    columns
}

/// The members of a document.
fn of_documents(documents: &[Document<'_>]) -> Vec<Column> {
    let texts = |get: for<'a> fn(&'a Document<'_>) -> &'a str| {
        Values::Texts(documents.iter().map(|document| Some(get(document).as_bytes().to_vec())).collect())
    };
    let json = |get: fn(&Document<'_>) -> Vec<u8>| {
        Values::Json(documents.iter().map(|document| Some(get(document))).collect())
    };
    let times = documents.iter().map(|document| Some(document.time.micros())).collect();
    let indices = documents.iter().map(|document| Some(i64::from(document.details.index))).collect();
    let columns = [
        ("timestamp", Values::Times(times)),
        ("message", texts(|document| document.message)),
        ("id", texts(|document| document.details.id)),
        ("initiator_id", texts(|document| document.details.initiator_id)),
        ("target_id", texts(|document| document.details.target_id)),
        ("meta", json(|document| json_bytes(&document.details.meta))),
        ("reference", texts(|document| document.details.reference)),
        ("account_id", texts(|document| document.details.account_id)),
        ("kind", texts(|document| document.details.kind)),
        ("event_type", texts(|document| document.details.event_type)),
        ("position", texts(|document| &document.details.position)),
        ("index", Values::Integers(indices)),
        ("event", json(|document| document.details.event.to_json().into_bytes())),
    ];
    columns.map(|(name, values)| Column { name: name.to_owned(), values }).into()
}

/// What an audit event says beyond its envelope. A new field of the table is a new column by itself.
fn of_audit(items: &[&Item]) -> Vec<Column> {
    let events: Vec<Option<&Event>> = items.iter().map(|item| audit(item)).collect();
    let source = events.iter().map(|event| Some(event.as_ref()?.source.clone().into_bytes())).collect();
    let source = Column { name: "source".to_owned(), values: Values::Texts(source) };
    let fields = FIELDS.iter().filter(|field| !NO_COLUMN.contains(&field.name));
    [source].into_iter().chain(fields.map(|field| of_field(field, &events))).collect()
}

fn of_field(field: &Field, events: &[Option<&Event>]) -> Column {
    let given = events.iter().map(|event| field.get(&event.as_ref()?.given));
    let text = |value: Value<'_>| match value {
        Value::Text(text) => text.as_bytes().to_vec(),
        Value::Json(json) => json.as_str().as_bytes().to_vec(),
        Value::Integer(number) => number.to_string().into_bytes(),
        Value::Decimal(number) => number.as_str().as_bytes().to_vec(),
    };
    let values = match field.access {
        Access::Text(..) => Values::Texts(given.map(|value| value.map(text)).collect()),
        Access::Json(..) | Access::Object(..) => Values::Json(given.map(|value| value.map(text)).collect()),
        Access::Integer(..) => Values::Integers(
            given
                .map(|value| match value {
                    Some(Value::Integer(number)) => Some(number),
                    Some(Value::Text(_) | Value::Decimal(_) | Value::Json(_)) | None => None,
                })
                .collect(),
        ),
        Access::Decimal(..) => Values::Decimals(
            given
                .map(|value| match value {
                    Some(Value::Decimal(number)) => Some(number.to_f64()),
                    Some(Value::Text(_) | Value::Integer(_) | Value::Json(_)) | None => None,
                })
                .collect(),
        ),
    };
    Column { name: field.name.to_owned(), values }
}

/// What a traffic report says beyond its envelope.
fn of_traffic(items: &[&Item]) -> Vec<Column> {
    let reports: Vec<Option<&Report>> = items.iter().map(|item| report(item)).collect();
    let mut columns = Vec::new();
    let mut put = |name: &str, values| columns.push(Column { name: name.to_owned(), values });
    for (name, get) in TEXTS {
        let text = |report: &Option<&Report>| get(report.as_ref()?).map(|text| text.as_bytes().to_vec());
        put(name, Values::Texts(reports.iter().map(text).collect()));
    }
    for (side, end) in ENDS {
        for (name, get) in ENDPOINT_TEXTS {
            let text = |report: &Option<&Report>| get(end(report.as_ref()?)).map(|text| text.as_bytes().to_vec());
            put(&format!("{side}_{name}"), Values::Texts(reports.iter().map(text).collect()));
        }
    }
    for (name, get) in COUNTS {
        let count = |report: &Option<&Report>| get(report.as_ref()?).and_then(|count| i64::try_from(count).ok());
        put(name, Values::Integers(reports.iter().map(count).collect()));
    }
    for (name, get) in TIMES {
        let time = |report: &Option<&Report>| get(report.as_ref()?).map(Timestamp::micros);
        put(name, Values::Times(reports.iter().map(time).collect()));
    }
    columns
}

type Text<T> = for<'a> fn(&'a T) -> Option<&'a str>;

const TEXTS: [(&str, Text<Report>); 8] = [
    ("flow_id", |report| Some(report.data.flow_id.as_deref().unwrap_or(&report.id))),
    ("reporter_id", |report| Some(report.data.reporter_id.as_deref().unwrap_or(&report.subject_reporter))),
    // An audit event's `user_id` is a number.
    ("flow_user_id", |report| report.data.user.id.as_deref()),
    ("flow_user_email", |report| report.data.user.email.as_deref()),
    ("flow_user_name", |report| report.data.user.name.as_deref()),
    ("policy_id", |report| report.data.policy.id.as_deref()),
    ("policy_name", |report| report.data.policy.name.as_deref()),
    ("direction", |report| match report.data.direction {
        Direction::Unknown => None,
        Direction::Ingress => Some("INGRESS"),
        Direction::Egress => Some("EGRESS"),
    }),
];

type End = fn(&Report) -> &Endpoint;

const ENDS: [(&str, End); 2] =
    [("source", |report| &report.data.source), ("destination", |report| &report.data.destination)];

const ENDPOINT_TEXTS: [(&str, Text<Endpoint>); 8] = [
    ("id", |end| end.id.as_deref()),
    ("type", |end| Some(endpoint_type(end.endpoint_type))),
    ("name", |end| end.name.as_deref()),
    ("address", |end| end.address.as_deref()),
    ("os", |end| end.os.as_deref()),
    ("dns_label", |end| end.dns_label.as_deref()),
    ("city_name", |end| end.geo_location.city_name.as_deref()),
    ("country_code", |end| end.geo_location.country_code.as_deref()),
];

type Count = fn(&Report) -> Option<u64>;

const COUNTS: [(&str, Count); 10] = [
    ("protocol", |report| report.data.protocol.map(u64::from)),
    ("icmp_type", |report| report.data.icmp.map(|icmp| icmp.icmp_type.into())),
    ("icmp_code", |report| report.data.icmp.map(|icmp| icmp.code.into())),
    ("rx_bytes", |report| Some(report.data.rx_bytes)),
    ("rx_packets", |report| Some(report.data.rx_packets)),
    ("tx_bytes", |report| Some(report.data.tx_bytes)),
    ("tx_packets", |report| Some(report.data.tx_packets)),
    ("num_of_starts", |report| Some(report.data.num_of_starts)),
    ("num_of_ends", |report| Some(report.data.num_of_ends)),
    ("num_of_drops", |report| Some(report.data.num_of_drops)),
];

type Time = fn(&Report) -> Option<Timestamp>;

const TIMES: [(&str, Time); 2] =
    [("window_start", |report| report.data.window_start), ("window_end", |report| report.data.window_end)];

fn audit(item: &Item) -> Option<&Event> {
    match &item.kind {
        Kind::Audit(event) => Some(event),
        Kind::Traffic(_) => None,
    }
}

fn report(item: &Item) -> Option<&Report> {
    match &item.kind {
        Kind::Traffic(report) => Some(report),
        Kind::Audit(_) => None,
    }
}
