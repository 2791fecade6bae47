//! Reading JSON that others wrote: bounded in depth, with errors that name the field.

use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

/// How many levels of objects and arrays a document may nest.
pub const MAX_DEPTH: usize = 64;

/// Why a JSON document was refused, in words for whoever wrote it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadJson {
    /// It nests too deep.
    #[error("more than {MAX_DEPTH} levels deep")]
    TooDeep,
    /// It is no JSON at all.
    #[error("not JSON: {0}")]
    NotJson(String),
    /// A field does not fit.
    #[error("{field}: {problem}")]
    Field {
        /// The path to it, such as `source.geo_location`.
        field: String,
        /// What is wrong with it.
        problem: String,
    },
}

/// Reads `text` as a `T`.
///
/// # Errors
/// When the text is no JSON, nests too deep, or a field does not fit.
pub fn read<'de, T: Deserialize<'de>>(text: &'de [u8]) -> Result<T, BadJson> {
    check_depth(text)?;
    read_part(text)
}

/// Reads `text`, a part of a document whose depth was checked as a whole.
///
/// The first pass is fast; only when it fails does a second one find out which field is to blame.
///
/// # Errors
/// When the text is no JSON or a field does not fit.
pub fn read_part<'de, T: Deserialize<'de>>(text: &'de [u8]) -> Result<T, BadJson> {
    // Checked as a whole, which is faster than text by text.
    let read = str::from_utf8(text).ok().and_then(|text| serde_json::from_str(text).ok());
    read.ok_or_else(|| explain::<T>(text))
}

fn explain<'de, T: Deserialize<'de>>(text: &'de [u8]) -> BadJson {
    let mut deserializer = serde_json::Deserializer::from_slice(text);
    let Err(error) = serde_path_to_error::deserialize::<_, T>(&mut deserializer) else {
        return BadJson::NotJson("more text after the end of the document".to_owned());
    };
    let field = error.path().to_string();
    let problem = plain_words(error.inner());
    if !error.inner().is_data() {
        BadJson::NotJson(problem)
    } else if field == "." {
        BadJson::Field { field: "document".to_owned(), problem }
    } else {
        BadJson::Field { field, problem }
    }
}

/// serde_json's message without its position, which is meaningless once a batch was split.
fn plain_words(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.rsplit_once(" at line ").map_or(text.as_str(), |(words, _)| words).to_owned()
}

/// Checks that no more than [`MAX_DEPTH`] objects and arrays are nested.
///
/// # Errors
/// When they are.
pub fn check_depth(text: &[u8]) -> Result<(), BadJson> {
    if is_deeper(text, MAX_DEPTH) { Err(BadJson::TooDeep) } else { Ok(()) }
}

/// Whether more than so many objects and arrays are nested.
pub(crate) fn is_deeper(text: &[u8], levels: usize) -> bool {
    if opening_brackets(text) <= levels {
        return false;
    }
    let mut depth = 0_usize;
    let mut rest = text;
    loop {
        // Most of a document is text between quotes, which is passed over by search.
        let quote = memchr::memchr(b'"', rest);
        for &byte in &rest[..quote.unwrap_or(rest.len())] {
            match byte {
                b'{' | b'[' => depth += 1,
                b'}' | b']' => depth = depth.saturating_sub(1),
                _ => {}
            }
            if depth > levels {
                return true;
            }
        }
        let Some(quote) = quote else { return false };
        rest = after_text(&rest[quote + 1..]);
    }
}

/// How many there are, also within texts. Counting them is many times as fast as following them, and most documents
/// have too few to be deep.
fn opening_brackets(text: &[u8]) -> usize {
    // So few bytes at a time that the count of each part fits into one, of which processors add many at once.
    let parts = text.chunks(usize::from(u8::MAX));
    parts.map(|part| usize::from(part.iter().map(|byte| u8::from(matches!(byte, b'{' | b'['))).sum::<u8>())).sum()
}

/// What comes behind the quote that ends a text.
fn after_text(mut text: &[u8]) -> &[u8] {
    while let Some(found) = memchr::memchr2(b'"', b'\\', text) {
        if text[found] == b'"' {
            return &text[found + 1..];
        }
        text = text.get(found + 2..).unwrap_or_default();
    }
    &[]
}

/// Any JSON value, held as its compact text with sorted keys: equal values are equal texts.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Json(Box<str>);

impl Json {
    /// The compact text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is an object without members.
    #[must_use]
    pub fn is_empty_object(&self) -> bool {
        self.as_str() == "{}"
    }

    /// The value itself.
    #[must_use]
    pub fn to_value(&self) -> Value {
        // Invariant: it was made from a value, so it reads back.
        serde_json::from_str(&self.0).unwrap_or(Value::Null)
    }
}

impl From<&Value> for Json {
    fn from(value: &Value) -> Self {
        Self(value.to_string().into_boxed_str())
    }
}

impl From<Map<String, Value>> for Json {
    fn from(members: Map<String, Value>) -> Self {
        Self::from(&Value::Object(members))
    }
}

impl fmt::Display for Json {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl Serialize for Json {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            // It is JSON already: a serializer of JSON takes it over as it stands.
            let raw: &RawValue = serde_json::from_str(&self.0).map_err(serde::ser::Error::custom)?;
            raw.serialize(serializer)
        } else {
            serializer.serialize_str(&self.0)
        }
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            Value::deserialize(deserializer).map(|value| Self::from(&value))
        } else {
            String::deserialize(deserializer).map(|text| Self(text.into_boxed_str()))
        }
    }
}

impl JsonSchema for Json {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Json".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!(true)
    }
}

/// Reads a text of which only a filled one counts: `""` and `null` are both nothing.
///
/// # Errors
/// When it is neither text nor null.
pub fn filled<'de, D: Deserializer<'de>, S: From<String>>(deserializer: D) -> Result<Option<S>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    Ok(text.filter(|text| !text.is_empty()).map(S::from))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize)]
    struct Outer {
        #[expect(dead_code, reason = "only its type matters here")]
        inner: Inner,
    }

    #[derive(Debug, Deserialize)]
    struct Inner {
        #[expect(dead_code, reason = "only its type matters here")]
        bytes: u64,
    }

    #[test]
    fn the_error_names_the_field() {
        let error = read::<Outer>(br#"{"inner":{"bytes":"many"}}"#).unwrap_err();
        assert_eq!(error.to_string(), "inner.bytes: invalid type: string \"many\", expected u64");
    }

    #[test]
    fn what_is_no_json_is_called_so() {
        assert!(matches!(read::<Outer>(b"{"), Err(BadJson::NotJson(_))));
        assert!(matches!(read::<Outer>(b"\xff\xfe"), Err(BadJson::NotJson(_))));
        assert!(matches!(read::<Outer>(br#"{"inner":{"bytes":1}} x"#), Err(BadJson::NotJson(_))));
    }

    #[test]
    fn depth_is_counted_outside_strings_only() {
        let nested = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        assert_eq!(check_depth(nested(64).as_bytes()), Ok(()));
        assert_eq!(check_depth(nested(65).as_bytes()), Err(BadJson::TooDeep));
        assert_eq!(check_depth(nested(3).repeat(300).as_bytes()), Ok(()));
        assert_eq!(check_depth(format!("\"\\\"{}\"", "[".repeat(99)).as_bytes()), Ok(()));
    }

    #[test]
    fn equal_values_are_equal_texts() {
        let one: Json = serde_json::from_str(r#"{"b": 1, "a": [true, null]}"#).unwrap();
        let other: Json = serde_json::from_str(r#"{"a":[true,null],"b":1}"#).unwrap();
        assert_eq!(one, other);
        assert_eq!(one.as_str(), r#"{"a":[true,null],"b":1}"#);
    }
}
