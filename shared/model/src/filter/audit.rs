//! The fields of audit events, as the language names them: those of the one table of fields, by all of their names, and
//! next to them what stands for several, what has a default, and short names.
//!
//! Invariant: a field has the value that lists show, also where that is a default.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use schemars::schema_for;

use super::family::{Described, Family, Kind, Take, Value, address, id, text};
use super::quantity::Quantity;
use crate::audit::Event;
use crate::audit::fields::{Access, FIELDS, Field as Given, Fields, Value as GivenValue};

/// Audit events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Audit;

/// A field of audit events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuditField {
    /// By its place in the language's own table.
    Own(usize),
    /// By its place in the table of what events keep.
    Given(usize),
}

/// A row of the language's own table.
struct Own {
    described: Described,
    values: fn(&Event, Take<'_>) -> bool,
}

const fn own(
    name: &'static str,
    other_names: &'static [&'static str],
    kind: Kind,
    about: &'static str,
    values: fn(&Event, Take<'_>) -> bool,
) -> Own {
    Own { described: Described { name, other_names, kind, about }, values }
}

/// What the table of fields does not have, or has without its default.
const OWN: [Own; 26] = [
    own("id", &[], Kind::Text, "the event's id", |event, take| id(Some(&event.id), take)),
    own("time", &["timestamp", "created_at"], Kind::Time, "when it happened", |event, take| {
        take(Value::Time(event.time))
    }),
    own("activity", &[], Kind::Text, "what happened: the code, or its text", |event, take| {
        text(Some(&event.event_type), take) || text(Some(event.activity()), take)
    }),
    own("event_type", &["activity_code", "type"], Kind::Text, "the code alone, such as `route.add`", |event, take| {
        text(Some(&event.event_type), take)
    }),
    own("event_group", &["group"], Kind::Text, "the group; default: the code up to its first dot", |event, take| {
        text(Some(event.event_group()), take)
    }),
    own("status", &[], Kind::Text, "how it ended; default: `success`", |event, take| text(Some(event.status()), take)),
    own("source", &[], Kind::Text, "the program that published it", |event, take| text(Some(&event.source), take)),
    own("actor", &["initiator", "user"], Kind::Text, "who did it: id, name or e-mail address", |event, take| {
        let given = &event.given;
        id(given.actor_id.as_deref(), take)
            || [&given.actor_name, &given.actor_email].into_iter().any(|own| text(own.as_deref(), take))
    }),
    own("actor_type", &[], Kind::Text, "default: `user` with an actor, else `system`", |event, take| {
        text(Some(event.actor_type()), take)
    }),
    own("name", &[], Kind::Text, "the actor's name or e-mail address", |event, take| {
        [&event.given.actor_name, &event.given.actor_email].into_iter().any(|own| text(own.as_deref(), take))
    }),
    own("email", &["mail"], Kind::Text, "the actor's e-mail address", |event, take| {
        text(event.given.actor_email.as_deref(), take)
    }),
    own("resource", &["target", "entity"], Kind::Text, "what it was done to: type or id", |event, take| {
        text(event.given.resource_type.as_deref(), take) || id(event.given.resource_id.as_deref(), take)
    }),
    own("ip", &[], Kind::Address, "any address: `ip_address` or `node_ip`", |event, take| {
        address(event.given.ip_address.as_deref(), take) || address(event.given.node_ip.as_deref(), take)
    }),
    own("ip_address", &[], Kind::Address, "where it came from", |event, take| {
        address(event.given.ip_address.as_deref(), take)
    }),
    own("node_ip", &[], Kind::Address, "the node that handled it", |event, take| {
        address(event.given.node_ip.as_deref(), take)
    }),
    own("payload", &["event_payload"], Kind::Json, "the payload; default: `meta`", |event, take| {
        event.event_payload().is_some_and(|json| take(Value::Json(json)))
    }),
    own("user_name", &["username"], Kind::Text, "the actor as vRNI shows it", |event, take| {
        text(Some(event.user_name()), take)
    }),
    own("operation", &[], Kind::Text, "default: the last part of the code", |event, take| {
        text(Some(&event.operation()), take)
    }),
    own("response", &[], Kind::Text, "default: `SUCCESS` or `FAILURE`, by `status`", |event, take| {
        text(Some(event.response()), take)
    }),
    own("value", &[], Kind::Text, "default: the payload as compact JSON", |event, take| {
        text(Some(event.value()), take)
    }),
    own("error", &["error_message"], Kind::Text, "why it failed", |event, take| {
        text(event.given.error_message.as_deref(), take)
    }),
    own("agent", &["user_agent"], Kind::Text, "the program it came from", |event, take| {
        text(event.given.user_agent.as_deref(), take)
    }),
    own("method", &["http_method"], Kind::Text, "the HTTP method of the request", |event, take| {
        text(event.given.http_method.as_deref(), take)
    }),
    own("correlation", &["correlation_id"], Kind::Text, "what ties it to other events", |event, take| {
        id(event.given.correlation_id.as_deref(), take)
    }),
    own("vm", &["vm_id"], Kind::Text, "the virtual machine", |event, take| id(event.given.vm_id.as_deref(), take)),
    own("session", &["session_id"], Kind::Text, "the session", |event, take| {
        id(event.given.session_id.as_deref(), take)
    }),
];

impl Family for Audit {
    type Event<'a> = Event;
    type Field = AuditField;

    fn field(name: &str) -> Option<AuditField> {
        let is_it = |described: Described| described.name == name || described.other_names.contains(&name);
        Self::fields().into_iter().find(|field| is_it(Self::describe(*field)))
    }

    fn fields() -> Vec<AuditField> {
        let is_own = |name: &str| {
            let mut own = OWN.iter().map(|own| own.described);
            own.any(|own| own.name == name || own.other_names.contains(&name))
        };
        let given = FIELDS.iter().enumerate().filter(|(_, field)| !is_own(field.name));
        (0..OWN.len()).map(AuditField::Own).chain(given.map(|(index, _)| AuditField::Given(index))).collect()
    }

    fn describe(field: AuditField) -> Described {
        match field {
            AuditField::Own(index) => OWN[index].described,
            AuditField::Given(index) => {
                let Given { name, other_names, access, .. } = FIELDS[index];
                let kind = match access {
                    Access::Text(..) => Kind::Text,
                    Access::Integer(..) | Access::Decimal(..) => Kind::Number,
                    Access::Json(..) | Access::Object(..) => Kind::Json,
                };
                Described { name, other_names, kind, about: "" }
            }
        }
    }

    fn about(field: AuditField) -> &'static str {
        let described = Self::describe(field);
        match field {
            AuditField::Own(_) => described.about,
            AuditField::Given(_) => IN_SCHEMA.get(described.name).map_or("", String::as_str),
        }
    }

    fn is_any_value(field: AuditField, event: &Event, take: Take<'_>) -> bool {
        let index = match field {
            AuditField::Own(index) => return (OWN[index].values)(event, take),
            AuditField::Given(index) => index,
        };
        match FIELDS[index].get(&event.given) {
            Some(GivenValue::Text(own)) if is_id(FIELDS[index].name) => id(Some(own), take),
            Some(GivenValue::Text(own)) => text(Some(own), take),
            Some(GivenValue::Integer(number)) => take(Value::Number(Quantity::from(number))),
            Some(GivenValue::Decimal(number)) => take(Value::Number(Quantity::of_number(number))),
            Some(GivenValue::Json(json)) => take(Value::Json(json)),
            None => false,
        }
    }

    fn is_any_text(event: &Event, take: &mut dyn FnMut(&str) -> bool) -> bool {
        let given = &event.given;
        let own = [&given.actor_id, &given.actor_name, &given.actor_email, &given.resource_id, &given.ip_address];
        let json = [event.event_payload(), given.meta.as_ref()];
        take(event.activity())
            || take(&event.event_type)
            || own.into_iter().flatten().any(|text| take(text))
            || json.into_iter().flatten().any(|json| take(json.as_str()))
    }
}

/// What the schema says of each member, as a part of a sentence.
static IN_SCHEMA: LazyLock<BTreeMap<String, String>> = LazyLock::new(|| {
    let schema = schema_for!(Fields);
    let members = schema.get("properties").and_then(serde_json::Value::as_object).into_iter().flatten();
    let about = |text: &str| {
        let (first, rest) = text.trim_end_matches('.').split_at(text.chars().next().map_or(0, char::len_utf8));
        first.to_lowercase() + rest
    };
    members.filter_map(|(name, member)| Some((name.clone(), about(member.get("description")?.as_str()?)))).collect()
});

/// What is the same only as it is written: ids, and paths.
fn is_id(name: &str) -> bool {
    name == "path" || name.ends_with("_id")
}
