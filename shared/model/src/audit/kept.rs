//! An event's fields as its JSON has them: all of the table, also those that have no value.

use std::fmt;

use serde::de::{DeserializeSeed, IgnoredAny, MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserializer, Serializer};

use super::fields::{Access, FIELDS, Fields};

pub(super) fn serialize<S: Serializer>(fields: &Fields, serializer: S) -> Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(Some(FIELDS.len()))?;
    for field in &FIELDS {
        map.serialize_entry(field.name, &field.get(fields))?;
    }
    map.end()
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Box<Fields>, D::Error> {
    deserializer.deserialize_map(Reader).map(Box::new)
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Fields;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the fields of an audit event")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields, A::Error> {
        let mut fields = Fields::default();
        let mut likely = 0;
        while let Some(index) = map.next_key_seed(Name { likely })? {
            let Some(field) = FIELDS.get(index) else {
                map.next_value::<IgnoredAny>()?;
                continue;
            };
            match field.access {
                Access::Text(_, set) => *set(&mut fields) = map.next_value()?,
                Access::Integer(_, set) => *set(&mut fields) = map.next_value()?,
                Access::Decimal(_, set) => *set(&mut fields) = map.next_value()?,
                Access::Json(_, set) | Access::Object(_, set) => *set(&mut fields) = map.next_value()?,
            }
            likely = index + 1;
        }
        Ok(fields)
    }
}

/// Reads a name as the index of its field; that of none is beyond the table. They come in the order of the table,
/// so that the likely one is the one that follows.
struct Name {
    likely: usize,
}

impl<'de> DeserializeSeed<'de> for Name {
    type Value = usize;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<usize, D::Error> {
        deserializer.deserialize_identifier(self)
    }
}

impl Visitor<'_> for Name {
    type Value = usize;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the name of a field")
    }

    fn visit_str<E: serde::de::Error>(self, name: &str) -> Result<usize, E> {
        let count = FIELDS.len();
        let mut indexes = (self.likely..count).chain(0..self.likely.min(count));
        Ok(indexes.find(|index| FIELDS[*index].name == name).unwrap_or(count))
    }
}

#[cfg(test)]
mod tests {
    use serde::{Deserialize, Serialize};
    use serde_json::Value;

    use super::super::fields::Fields;
    use crate::json::{Json, Number};

    #[test]
    fn an_event_is_read_back_as_it_was_written() {
        #[derive(PartialEq, Debug, Serialize, Deserialize)]
        struct Kept(#[serde(with = "super")] Box<Fields>);
        let fields = Box::new(Fields {
            actor_id: Some(String::new()),
            user_id: Some(7),
            latency_ms: Number::parse("0.50"),
            event_payload: Some(Json::from(&Value::Null)),
            value: Some("x".to_owned()),
            ..Fields::default()
        });
        let text = serde_json::to_string(&Kept(fields.clone())).unwrap();
        assert!(text.contains(r#""activity":null"#), "{text}");
        let read = |text: &str| *serde_json::from_str::<Kept>(text).unwrap().0;
        assert_eq!(read(&text), Fields { event_payload: None, ..*fields.clone() });
        let other_order = r#"{"value":"x","later":[1],"user_id":7,"actor_id":"","latency_ms":0.50}"#;
        assert_eq!(read(other_order), Fields { event_payload: None, ..*fields });
    }
}
