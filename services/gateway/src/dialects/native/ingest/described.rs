//! The forms of bodies with events, for the description of the API.

use std::collections::BTreeSet;

use axum::http::StatusCode;
use model::envelope::{BATCH, STRUCTURED};
use model::time::Timestamp;
use model::{audit, traffic};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Serialize;
use serde_json::{Value, json};

use crate::describe::{Header, Operation, SchemaOf, schema};

const LINES: &str = "application/x-ndjson";

/// Where the events stand in the log.
#[derive(Serialize, JsonSchema)]
pub(super) struct Ingested {
    /// How many events were published.
    pub(super) accepted: usize,
    /// The first position in their stream.
    pub(super) first: u64,
    /// The last position in their stream.
    pub(super) last: u64,
    /// Members that no field and no `meta` holds, and that are in the log only.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub(super) ignored: BTreeSet<String>,
}

/// An audit event: the `data` of a CloudEvent with `id` and `time` among its fields.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "it is described, not read")]
pub(super) struct PlainAuditEvent {
    /// The same id is always the same event; default: a new one.
    id: Option<String>,
    /// When it happened; default: now.
    time: Option<Timestamp>,
    #[serde(flatten)]
    data: audit::Fields,
}

/// A traffic report: the `data` of a CloudEvent with `id` and `time` among its fields.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "it is described, not read")]
pub(super) struct PlainTrafficReport {
    /// The same id is always the same report; default: a new one.
    id: Option<String>,
    /// When it happened; default: now.
    time: Option<Timestamp>,
    #[serde(flatten)]
    data: traffic::Reported,
}

/// What both families have in common. All or nothing: one event that cannot be read refuses all.
pub(super) fn described(title: &'static str, forms: [SchemaOf; 3]) -> Operation {
    let [plain, event, events] = forms;
    let text = "One event, an array of events, NDJSON or CloudEvents (structured, a batch, or binary with `ce-*` \
        headers), at most 8 MiB, plain, gzip or zstd. All of them are stored or none. An `id` makes a retry safe: the \
        same id is in a view only once, however late it comes again. Audit events may use the names that the lists \
        show fields by (`timestamp`, `created_at`, `initiator_id`, `target_id`, ...); what no field holds is kept in \
        their `meta`. A CloudEvent whose type does not begin with `flowtrail.` is an audit event too: its type is the \
        `event_type`, its subject the `resource_id`, its data the `event_payload`. What would be taken for \
        Flowtrail's own is refused by the member's name: the source `flowtrail`, records of reads, and what `sys` did to \
        tokens and integrations. The answer comes when the events can \
        be read.";
    Operation::new(title, text)
        .header("Content-Encoding", "How the body is compressed: gzip, zstd or identity.", schema::text())
        .body(plain)
        .form(LINES, lines)
        .form(STRUCTURED, event)
        .form(BATCH, events)
        .answers::<Ingested>(StatusCode::ACCEPTED, "All are in the log.")
        .with(&[Header::AsOf])
        .refuses(
            StatusCode::BAD_REQUEST,
            "An event cannot be read: the text names its index and the field. None is stored.",
        )
        .refuses(StatusCode::UNSUPPORTED_MEDIA_TYPE, "The body is compressed in a way that is not understood.")
}

/// As one event or many, as a CloudEvent, as a batch of them.
pub(super) fn audit_forms() -> [SchemaOf; 3] {
    [
        |schemas| one_or_many(&with_type(&schemas.subschema_for::<PlainAuditEvent>())),
        audit_event,
        |schemas| many(&audit_event(schemas)),
    ]
}

/// As one report or many, as a CloudEvent, as a batch of them.
pub(super) fn traffic_forms() -> [SchemaOf; 3] {
    [
        |schemas| one_or_many(&with_reporter(&schemas.subschema_for::<PlainTrafficReport>())),
        traffic_report,
        |schemas| many(&traffic_report(schemas)),
    ]
}

fn audit_event(schemas: &mut SchemaGenerator) -> Schema {
    cloud_event(audit::RECORDED, &with_type(&schemas.subschema_for::<audit::Fields>()))
}

fn traffic_report(schemas: &mut SchemaGenerator) -> Schema {
    cloud_event(traffic::REPORTED, &with_reporter(&schemas.subschema_for::<traffic::Reported>()))
}

/// An audit event must say what happened, under one name or the other.
fn with_type(event: &Schema) -> Schema {
    json_schema!({ "allOf": [event, { "anyOf": [filled("event_type"), filled("activity_code")] }] })
}

/// Over HTTP nothing else says who saw the flow.
fn with_reporter(report: &Schema) -> Schema {
    json_schema!({ "allOf": [report, filled("reporter_id")] })
}

fn filled(name: &str) -> Value {
    json!({ "type": "object", "required": [name], "properties": { name: { "type": "string", "minLength": 1 } } })
}

fn one_or_many(event: &Schema) -> Schema {
    json_schema!({ "anyOf": [event, many(event)] })
}

fn many(event: &Schema) -> Schema {
    json_schema!({ "type": "array", "minItems": 1, "items": event })
}

fn lines(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "string", "description": "An event as in `application/json` on each line." })
}

fn cloud_event(kind: &str, data: &Schema) -> Schema {
    let filled = json!({ "type": "string", "minLength": 1 });
    json_schema!({
        "type": "object",
        "required": ["specversion", "id", "source", "type", "data"],
        "properties": {
            "specversion": { "const": "1.0" },
            "id": filled,
            "source": filled,
            "type": { "const": kind },
            "time": { "type": ["string", "null"], "format": "date-time" },
            "datacontenttype": { "type": ["string", "null"] },
            "data": data,
        },
    })
}
