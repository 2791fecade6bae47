//! OTLP's `AnyValue` in JSON: each value says its type.
//!
//! Invariant: no number loses a digit. Integers of 64 bits are texts under `intValue`, as the protocol's JSON writes
//! them; fractions are copied as they are; an integer that neither an `int64` nor a double holds is a text.

use std::collections::BTreeMap;

use serde::ser::{Error, SerializeMap};
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

/// A value.
#[derive(Clone, Copy)]
pub(super) enum AnyValue<'a> {
    Text(&'a str),
    Integer(i64),
    /// Any JSON.
    Json(&'a str),
}

/// A name with its value.
#[derive(Serialize)]
pub(super) struct Attribute<'a> {
    pub(super) key: &'a str,
    pub(super) value: AnyValue<'a>,
}

#[derive(Serialize)]
struct Values<T> {
    values: Vec<T>,
}

impl Serialize for AnyValue<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match *self {
            Self::Text(text) => one(serializer, "stringValue", text),
            Self::Integer(integer) => one(serializer, "intValue", &integer.to_string()),
            Self::Json(json) => match json.as_bytes().first() {
                // No value is what stands for null.
                None | Some(b'n') => serializer.serialize_map(Some(0))?.end(),
                Some(b't' | b'f') => one(serializer, "boolValue", &(json == "true")),
                Some(b'"') => one(serializer, "stringValue", read::<&RawValue, S>(json)?),
                Some(b'[') => {
                    let values: Vec<&RawValue> = read::<_, S>(json)?;
                    let values = values.into_iter().map(|value| AnyValue::Json(value.get())).collect();
                    one(serializer, "arrayValue", &Values { values })
                }
                Some(b'{') => {
                    let members: BTreeMap<String, &RawValue> = read::<_, S>(json)?;
                    let attributes =
                        members.iter().map(|(key, value)| Attribute { key, value: AnyValue::Json(value.get()) });
                    let values = attributes.collect();
                    one(serializer, "kvlistValue", &Values { values })
                }
                Some(_) => number::<S>(serializer, json),
            },
        }
    }
}

fn one<S: Serializer, T: Serialize + ?Sized>(serializer: S, name: &str, value: &T) -> Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(Some(1))?;
    map.serialize_entry(name, value)?;
    map.end()
}

fn read<'a, T: serde::Deserialize<'a>, S: Serializer>(json: &'a str) -> Result<T, S::Error> {
    serde_json::from_str(json).map_err(S::Error::custom)
}

fn number<S: Serializer>(serializer: S, text: &str) -> Result<S::Ok, S::Error> {
    // There is no negative zero of integers.
    if let Ok(integer) = text.parse::<i64>()
        && text != "-0"
    {
        return one(serializer, "intValue", &integer.to_string());
    }
    let double: f64 = text.parse().map_err(S::Error::custom)?;
    let is_integer = !text.contains(['.', 'e', 'E']);
    if !double.is_finite() || (is_integer && format!("{double:.0}") != text) {
        return one(serializer, "stringValue", text);
    }
    one(serializer, "doubleValue", read::<&RawValue, S>(text)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(json: &str) -> String {
        serde_json::to_string(&AnyValue::Json(json)).unwrap()
    }

    #[test]
    fn every_number_keeps_its_digits() {
        for (json, expected) in [
            ("5", r#"{"intValue":"5"}"#),
            ("-9223372036854775808", r#"{"intValue":"-9223372036854775808"}"#),
            ("5.0", r#"{"doubleValue":5.0}"#),
            ("117.63331139400017", r#"{"doubleValue":117.63331139400017}"#),
            ("1e-7", r#"{"doubleValue":1e-7}"#),
            ("9223372036854775808", r#"{"doubleValue":9223372036854775808}"#),
            ("18446744073709551615", r#"{"stringValue":"18446744073709551615"}"#),
            ("123456789012345678901234567890", r#"{"stringValue":"123456789012345678901234567890"}"#),
            ("1e400", r#"{"stringValue":"1e400"}"#),
        ] {
            assert_eq!(shown(json), expected);
        }
    }

    #[test]
    fn null_and_what_is_empty_are_there() {
        let json = r#"{"a":null,"b":{},"c":[],"d":"","e":[null,true,{"é\n":false}]}"#;
        let list = |values: &str| format!(r#"{{"arrayValue":{{"values":[{values}]}}}}"#);
        let inner = r#"{"kvlistValue":{"values":[{"key":"é\n","value":{"boolValue":false}}]}}"#;
        let members = [
            ("a", "{}".to_owned()),
            ("b", r#"{"kvlistValue":{"values":[]}}"#.to_owned()),
            ("c", list("")),
            ("d", r#"{"stringValue":""}"#.to_owned()),
            ("e", list(&format!(r#"{{}},{{"boolValue":true}},{inner}"#))),
        ];
        let members = members.map(|(key, value)| format!(r#"{{"key":"{key}","value":{value}}}"#)).join(",");
        assert_eq!(shown(json), format!(r#"{{"kvlistValue":{{"values":[{members}]}}}}"#));
    }
}
