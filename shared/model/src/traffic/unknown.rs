//! Members of reports that no field holds. Audit events keep such in their `meta`; reports have no place for them, so
//! they are told of.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde::de::value::Error;
use serde::de::{Deserializer, Error as _, Visitor};
use serde::forward_to_deserialize_any;
use serde_json::value::RawValue;

use super::fields::{Endpoint, Policy, Reported, User};
use super::values::{IcmpData, SubEvent};
use crate::endpoint::GeoLocation;
use crate::json;

/// How many are told of one report. They are texts of strangers.
const MOST: usize = 100;

/// The members of an object, each as its text: a tree of values would be many times as large.
type Members<'a> = BTreeMap<String, &'a RawValue>;

/// The paths of the members of a report that no field holds, such as `protcol` or `events[].rule`; a hundred at most. The
/// report is the text of its `data`.
#[must_use]
pub fn unknown_members(data: &[u8]) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    // What is no report has no members.
    let Ok(text) = str::from_utf8(data) else { return names };
    // Only escapes are ever mended here, and most reports have none.
    let text = if text.contains('\\') { json::mended(text) } else { Cow::Borrowed(text) };
    let Ok(report) = serde_json::from_str::<Members<'_>>(&text) else { return names };
    note::<Reported>(&report, "", &mut names);
    for (name, path) in [("source", "source."), ("destination", "destination.")] {
        let Some(end) = inside(&report, name) else { continue };
        note::<Endpoint>(&end, path, &mut names);
        if let Some(place) = inside(&end, "geo_location") {
            note::<GeoLocation>(&place, &format!("{path}geo_location."), &mut names);
        }
    }
    inside(&report, "user").iter().for_each(|user| note::<User>(user, "user.", &mut names));
    inside(&report, "policy").iter().for_each(|policy| note::<Policy>(policy, "policy.", &mut names));
    inside(&report, "icmp").iter().for_each(|icmp| note::<IcmpData>(icmp, "icmp.", &mut names));
    let events = report.get("events").and_then(|events| serde_json::from_str::<Vec<Members<'_>>>(events.get()).ok());
    events.iter().flatten().for_each(|event| note::<SubEvent>(event, "events[].", &mut names));
    names
}

/// The members of an object that is a member.
fn inside<'a>(members: &Members<'a>, name: &str) -> Option<Members<'a>> {
    serde_json::from_str(members.get(name)?.get()).ok()
}

fn note<T: for<'de> Deserialize<'de>>(members: &Members<'_>, path: &str, names: &mut BTreeSet<String>) {
    let fields = fields_of::<T>();
    let unknown = members.keys().filter(|name| !fields.contains(&name.as_str()));
    let left = MOST.saturating_sub(names.len());
    names.extend(unknown.take(left).map(|name| format!("{path}{name}")));
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
    fn every_member_that_no_field_holds_is_told() {
        let data = br#"{"flow_id":"f","reporter_id":"r","protcol":6,"icmp":{"type":8,"kind":1},
            "source":{"adress":"a","geo_location":{"city":"b"}},"user":{"mail":1},"policy":{"id":"p"},
            "events":[{"timestamp":"2024-01-01T00:00:00Z","type":"TYPE_END","rule":1}]}"#;
        let expected =
            ["events[].rule", "icmp.kind", "protcol", "source.adress", "source.geo_location.city", "user.mail"];
        assert_eq!(unknown_members(data).iter().map(String::as_str).collect::<Vec<_>>(), expected);
        let half = br#"{"flow_id":"f","user":{"\ud83d":1}}"#;
        assert_eq!(unknown_members(half).into_iter().collect::<Vec<_>>(), ["user.\u{fffd}"]);
    }
}
