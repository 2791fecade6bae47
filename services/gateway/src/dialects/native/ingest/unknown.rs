//! Members of traffic reports that no field holds. Audit events keep such in their `meta`; reports have no place for
//! them, so their sender is told.

use std::collections::BTreeSet;

use model::traffic::{Endpoint, GeoLocation, IcmpData, Policy, Reported, SubEvent, User};
use serde::Deserialize;
use serde::de::value::Error;
use serde::de::{Deserializer, Error as _, Visitor};
use serde::forward_to_deserialize_any;
use serde_json::{Map, Value};

use super::family::Family;

/// How many names are told.
const MAX_NAMES: usize = 100;

/// The names of all members in reports that are no fields, each once.
pub(super) fn members(family: Family, events: &[String]) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    if family == Family::Audit {
        return names;
    }
    for event in events {
        // They were read before, so they read again; and none that is told of may be missed.
        let Ok(Value::Object(event)) = serde_json::from_str(event) else { continue };
        if let Some(Value::Object(data)) = event.get("data") {
            of_report(data, &mut names);
        }
        if names.len() >= MAX_NAMES {
            break;
        }
    }
    names
}

fn of_report(data: &Map<String, Value>, names: &mut BTreeSet<String>) {
    note::<Reported>(data, "", names);
    for endpoint in ["source", "destination"] {
        if let Some(Value::Object(value)) = data.get(endpoint) {
            note::<Endpoint>(value, &format!("{endpoint}."), names);
            if let Some(Value::Object(place)) = value.get("geo_location") {
                note::<GeoLocation>(place, &format!("{endpoint}.geo_location."), names);
            }
        }
    }
    let object = |name: &str| data.get(name).and_then(Value::as_object);
    object("user").into_iter().for_each(|user| note::<User>(user, "user.", names));
    object("policy").into_iter().for_each(|policy| note::<Policy>(policy, "policy.", names));
    object("icmp").into_iter().for_each(|icmp| note::<IcmpData>(icmp, "icmp.", names));
    let events = data.get("events").and_then(Value::as_array).into_iter().flatten();
    events.filter_map(Value::as_object).for_each(|event| note::<SubEvent>(event, "events[].", names));
}

fn note<T: for<'de> Deserialize<'de>>(members: &Map<String, Value>, path: &str, names: &mut BTreeSet<String>) {
    let fields = fields_of::<T>();
    let unknown = members.keys().filter(|name| !fields.contains(&name.as_str()));
    names.extend(unknown.map(|name| format!("{path}{name}")));
}

/// The names of the fields of a type.
fn fields_of<T: for<'de> Deserialize<'de>>() -> &'static [&'static str] {
    let mut fields: &'static [&'static str] = &[];
    // It gives no value, only its names.
    T::deserialize(Names(&mut fields)).map(drop).unwrap_or_default();
    fields
}

/// Learns the names of a type's fields when it is to be read.
struct Names<'a>(&'a mut &'static [&'static str]);

impl<'de> Deserializer<'de> for Names<'_> {
    type Error = Error;

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        *self.0 = fields;
        self.deserialize_any(visitor)
    }

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Error> {
        Err(Error::custom("nothing to read"))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_member_that_no_field_holds_is_told_once() {
        let event = r#"{"id":"1","data":{"flow_id":"f","reporter_id":"r","protcol":6,"icmp":{"type":8,"kind":1},
            "source":{"adress":"a","geo_location":{"city":"b"}},"user":{"mail":1},"policy":{"id":"p"},
            "events":[{"timestamp":"2024-01-01T00:00:00Z","type":"TYPE_END","rule":1}]}}"#;
        let told = members(Family::Traffic, &[event.to_owned(), event.to_owned()]);
        let expected =
            ["events[].rule", "icmp.kind", "protcol", "source.adress", "source.geo_location.city", "user.mail"];
        assert_eq!(told.iter().map(String::as_str).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn what_an_audit_event_says_is_kept_in_its_meta() {
        assert!(members(Family::Audit, &[r#"{"data":{"event_type":"a","more":1}}"#.to_owned()]).is_empty());
    }
}
