//! The fields of an audit event, each in one table: its names, its type, and where it stands in a stored row.
//!
//! A new field is a member of [`Fields`] and a row of [`FIELDS`]. How what publishers write is read, what is stored, how
//! stored rows are read and what an event looks like as JSON follow from them.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value as Any};

use crate::json::{Json, Number};

/// The `data` of an audit event, as publishers write it. All optional but `event_type` or `activity_code`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, JsonSchema)]
#[schemars(rename = "Recorded", default)]
pub struct Fields {
    /// What happened: `<group>.<verb>`, such as `route.add`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event_type: Option<String>,
    /// The same as `event_type`, under NetBird's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub activity_code: Option<String>,
    /// What happened, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub activity: Option<String>,
    /// The group of `event_type`; default: up to its first dot.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event_group: Option<String>,
    /// How it ended: success failure error denied pending started.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// The program that saw it; default: the CloudEvent's source.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// `user` or `system` or another; default: `user` when there is an actor, else `system`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actor_type: Option<String>,
    /// Who did it, by the id that the directory knows them by.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actor_id: Option<String>,
    /// Their name; default: the directory's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actor_name: Option<String>,
    /// Their e-mail address; default: the directory's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actor_email: Option<String>,
    /// A number for the user, where the publisher has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_id: Option<i64>,
    /// What kind of thing it was done to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource_type: Option<String>,
    /// What it was done to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource_id: Option<String>,
    /// More about it, an object; what no field holds is added to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Map<String, Any>>")]
    pub meta: Option<Json>,
    /// The session it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_id: Option<String>,
    /// The virtual machine it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vm_id: Option<String>,
    /// The task it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub task_id: Option<i64>,
    /// The request that caused it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// What ties it to other events.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub correlation_id: Option<String>,
    /// The HTTP method of the request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub http_method: Option<String>,
    /// The path of the request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// The HTTP status of the answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub http_status: Option<i64>,
    /// How long it took, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<f64>")]
    pub latency_ms: Option<Number>,
    /// Where it came from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ip_address: Option<String>,
    /// The program it came from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_agent: Option<String>,
    /// The address of the node that handled it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub node_ip: Option<String>,
    /// The worker that handled it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub worker_id: Option<String>,
    /// Any JSON; default: `meta`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event_payload: Option<Json>,
    /// Why it failed, in the publisher's words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_message: Option<String>,
    /// The actor as vRNI shows it; default: the actor's e-mail address, name or id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_name: Option<String>,
    /// What was done, as vRNI shows it; default: the last part of `event_type` in upper case.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operation: Option<String>,
    /// How it ended, as vRNI shows it; default: SUCCESS or FAILURE, by `status`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response: Option<String>,
    /// A value, as vRNI shows it; default: `event_payload` as compact JSON.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// When given, must be the account of the subject.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account_id: Option<String>,
}

/// Where a field stands in a stored row. What is looked at together stands together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldPlace {
    /// What was done and how it ended, behind the event's type.
    Action,
    /// All that is said of who did it.
    Actor,
    /// What it was done to.
    Resource,
    /// Where it came from.
    Address,
    /// Which virtual machine it was in.
    Machine,
    /// The session in that machine.
    Session,
    /// No column: it is read only where the whole row is.
    Tail,
}

/// A row of the table.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// Its name in JSON.
    pub name: &'static str,
    /// The names by which dialects show it, where these are not Flowtrail's. Publishers may write them too.
    pub other_names: &'static [&'static str],
    /// Where it stands in a stored row.
    pub place: FieldPlace,
    /// Its type, and how its value is reached.
    pub access: Access,
}

/// How a field's value is read and set.
#[derive(Clone, Copy, Debug)]
#[expect(missing_docs, reason = "the types say it")]
pub enum Access {
    Text(Get<String>, Set<String>),
    Integer(Get<i64>, Set<i64>),
    Decimal(Get<Number>, Set<Number>),
    Json(Get<Json>, Set<Json>),
    Object(Get<Json>, Set<Json>),
}

/// Where a field's value is.
pub(super) type Get<T> = fn(&Fields) -> &Option<T>;
/// Where a field's value is put.
pub(super) type Set<T> = fn(&mut Fields) -> &mut Option<T>;

/// A field's value, as it was given: no default stands in for it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(untagged)]
#[expect(missing_docs, reason = "the types say it")]
pub enum Value<'a> {
    Text(&'a str),
    Integer(i64),
    Decimal(&'a Number),
    Json(&'a Json),
}

impl Value<'_> {
    /// Whether it is the null of JSON.
    #[must_use]
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Json(json) if json.as_str() == "null")
    }
}

use FieldPlace::{Action, Actor, Address, Machine, Resource, Session, Tail};

/// Every field that an event keeps as it was given, in the order of their places. The others are [`RESOLVED`].
pub const FIELDS: [Field; 30] = [
    text("activity", Action, |of| &of.activity, |of| &mut of.activity),
    text("event_group", Action, |of| &of.event_group, |of| &mut of.event_group),
    text("status", Action, |of| &of.status, |of| &mut of.status),
    text("operation", Action, |of| &of.operation, |of| &mut of.operation),
    text("response", Action, |of| &of.response, |of| &mut of.response),
    text("actor_type", Actor, |of| &of.actor_type, |of| &mut of.actor_type),
    text("actor_id", Actor, |of| &of.actor_id, |of| &mut of.actor_id).also_named(&["initiator_id"]),
    text("actor_name", Actor, |of| &of.actor_name, |of| &mut of.actor_name).also_named(&["initiator_name"]),
    text("actor_email", Actor, |of| &of.actor_email, |of| &mut of.actor_email).also_named(&["initiator_email"]),
    integer("user_id", Actor, |of| &of.user_id, |of| &mut of.user_id),
    text("user_name", Actor, |of| &of.user_name, |of| &mut of.user_name),
    text("resource_type", Resource, |of| &of.resource_type, |of| &mut of.resource_type).also_named(&["entity_type"]),
    text("resource_id", Resource, |of| &of.resource_id, |of| &mut of.resource_id)
        .also_named(&["target_id", "entity_id"]),
    text("ip_address", Address, |of| &of.ip_address, |of| &mut of.ip_address),
    text("vm_id", Machine, |of| &of.vm_id, |of| &mut of.vm_id),
    text("session_id", Session, |of| &of.session_id, |of| &mut of.session_id),
    object("meta", Tail, |of| &of.meta, |of| &mut of.meta),
    integer("task_id", Tail, |of| &of.task_id, |of| &mut of.task_id),
    text("request_id", Tail, |of| &of.request_id, |of| &mut of.request_id),
    text("correlation_id", Tail, |of| &of.correlation_id, |of| &mut of.correlation_id),
    text("http_method", Tail, |of| &of.http_method, |of| &mut of.http_method),
    text("path", Tail, |of| &of.path, |of| &mut of.path),
    integer("http_status", Tail, |of| &of.http_status, |of| &mut of.http_status),
    decimal("latency_ms", Tail, |of| &of.latency_ms, |of| &mut of.latency_ms),
    text("user_agent", Tail, |of| &of.user_agent, |of| &mut of.user_agent),
    text("node_ip", Tail, |of| &of.node_ip, |of| &mut of.node_ip),
    text("worker_id", Tail, |of| &of.worker_id, |of| &mut of.worker_id),
    json("event_payload", Tail, |of| &of.event_payload, |of| &mut of.event_payload),
    text("error_message", Tail, |of| &of.error_message, |of| &mut of.error_message),
    text("value", Tail, |of| &of.value, |of| &mut of.value),
];

/// The fields of which an event keeps what they say in another form, by their names in JSON.
pub(super) const RESOLVED: [(&str, Access); 4] = [
    ("event_type", Access::Text(|of| &of.event_type, |of| &mut of.event_type)),
    ("activity_code", Access::Text(|of| &of.activity_code, |of| &mut of.activity_code)),
    ("source", Access::Text(|of| &of.source, |of| &mut of.source)),
    ("account_id", Access::Text(|of| &of.account_id, |of| &mut of.account_id)),
];

// A place's fields stand behind one another, so that a row is written in one pass; and a field's number fits a byte.
const _: () = {
    let mut index = 1;
    while index < FIELDS.len() {
        assert!(FIELDS[index - 1].place as u8 <= FIELDS[index].place as u8, "the table is in the order of the places");
        index += 1;
    }
    assert!(FIELDS.len() <= u8::MAX as usize);
};

const fn text(name: &'static str, place: FieldPlace, get: Get<String>, set: Set<String>) -> Field {
    Field { name, other_names: &[], place, access: Access::Text(get, set) }
}

const fn integer(name: &'static str, place: FieldPlace, get: Get<i64>, set: Set<i64>) -> Field {
    Field { name, other_names: &[], place, access: Access::Integer(get, set) }
}

const fn decimal(name: &'static str, place: FieldPlace, get: Get<Number>, set: Set<Number>) -> Field {
    Field { name, other_names: &[], place, access: Access::Decimal(get, set) }
}

const fn object(name: &'static str, place: FieldPlace, get: Get<Json>, set: Set<Json>) -> Field {
    Field { name, other_names: &[], place, access: Access::Object(get, set) }
}

const fn json(name: &'static str, place: FieldPlace, get: Get<Json>, set: Set<Json>) -> Field {
    Field { name, other_names: &[], place, access: Access::Json(get, set) }
}

impl Field {
    const fn also_named(self, other_names: &'static [&'static str]) -> Self {
        assert!(matches!(self.access, Access::Text(..)), "what another name says is read as text");
        Self { other_names, ..self }
    }

    /// Its value, where it has one.
    #[must_use]
    pub fn get<'a>(&self, fields: &'a Fields) -> Option<Value<'a>> {
        self.access.get(fields)
    }
}

impl Access {
    fn get<'a>(&self, fields: &'a Fields) -> Option<Value<'a>> {
        match self {
            Self::Text(get, _) => get(fields).as_deref().map(Value::Text),
            Self::Integer(get, _) => get(fields).map(Value::Integer),
            Self::Decimal(get, _) => get(fields).as_ref().map(Value::Decimal),
            Self::Json(get, _) | Self::Object(get, _) => get(fields).as_ref().map(Value::Json),
        }
    }
}

/// The number of a field, which is its place in the table. In a constant, a name that is none does not compile.
///
/// # Panics
/// When no field has the name.
#[must_use]
#[expect(clippy::panic, reason = "in a constant it is an error of the compiler")]
pub const fn number_of(name: &str) -> u8 {
    let mut index = 0;
    while index < FIELDS.len() {
        if is_same(FIELDS[index].name, name) {
            #[expect(clippy::cast_possible_truncation, reason = "checked above")]
            return index as u8;
        }
        index += 1;
    }
    panic!("no field has this name");
}

const fn is_same(one: &str, other: &str) -> bool {
    let (one, other) = (one.as_bytes(), other.as_bytes());
    let mut index = 0;
    while index < one.len() && index < other.len() && one[index] == other[index] {
        index += 1;
    }
    index == one.len() && index == other.len()
}

/// A number that is another one when the table is: rows that were stored by another table cannot be read by this one.
#[must_use]
pub const fn fingerprint() -> u32 {
    // FNV-1a, which needs no more than this.
    let mut hash = 0x811c_9dc5_u32;
    let mut index = 0;
    while index < FIELDS.len() {
        let name = FIELDS[index].name.as_bytes();
        let mut at = 0;
        while at < name.len() {
            hash = (hash ^ name[at] as u32).wrapping_mul(0x0100_0193);
            at += 1;
        }
        let kind = match FIELDS[index].access {
            Access::Text(..) => 0x100,
            Access::Integer(..) => 0x200,
            Access::Decimal(..) => 0x500,
            Access::Json(..) | Access::Object(..) => 0x400,
        };
        hash = (hash ^ (kind | FIELDS[index].place as u32)).wrapping_mul(0x0100_0193);
        index += 1;
    }
    hash
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use schemars::schema_for;

    use super::*;

    #[test]
    fn every_member_is_in_the_table_or_resolved() {
        let schema = schema_for!(Fields);
        let members: BTreeSet<&str> =
            schema.get("properties").unwrap().as_object().unwrap().keys().map(String::as_str).collect();
        let resolved = RESOLVED.map(|(name, _)| name);
        let table = FIELDS.iter().map(|field| field.name);
        assert_eq!(members, table.clone().chain(resolved).collect());
        assert_eq!(FIELDS.len(), table.collect::<BTreeSet<_>>().len());
    }

    #[test]
    fn each_row_reads_and_sets_its_own_member() {
        let table = FIELDS.iter().map(|field| (field.name, field.access));
        for (name, access) in table.chain(RESOLVED) {
            let mut fields = Fields::default();
            match access {
                Access::Text(_, set) => *set(&mut fields) = Some("x".to_owned()),
                Access::Integer(_, set) => *set(&mut fields) = Some(7),
                Access::Decimal(_, set) => *set(&mut fields) = Number::parse("0.50"),
                Access::Json(_, set) | Access::Object(_, set) => *set(&mut fields) = Some(Json::empty()),
            }
            let members = serde_json::to_value(&fields).unwrap();
            assert_eq!(members.as_object().unwrap().keys().collect::<Vec<_>>(), [name]);
            let is_in_table = FIELDS.iter().any(|field| field.name == name);
            assert_eq!(FIELDS.iter().filter(|field| field.get(&fields).is_some()).count(), usize::from(is_in_table));
            assert!(access.get(&fields).is_some());
        }
    }

    #[test]
    fn no_two_members_share_a_name() {
        let names = FIELDS.iter().flat_map(|field| [field.name].into_iter().chain(field.other_names.iter().copied()));
        let names: Vec<&str> = names.chain(RESOLVED.map(|(name, _)| name)).collect();
        assert_eq!(names.len(), names.iter().collect::<BTreeSet<_>>().len());
    }
}
