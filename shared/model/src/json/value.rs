//! Any JSON value, as text.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de, ser};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::text::compact;

/// Any JSON value, held as its compact text with sorted keys: equal values are equal texts, and numbers keep the
/// digits they were written with.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Json(Box<str>);

impl Json {
    /// The value that a text is. None: it is no JSON, or more than 128 levels deep.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        compact(text).map(|text| Self(text.into_boxed_str()))
    }

    /// The text without white space between its tokens, its members in order.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The value itself, with numbers as near as a double or an integer of 64 bits gets to them.
    #[must_use]
    pub fn to_value(&self) -> Value {
        // Invariant: it is JSON, so it reads.
        serde_json::from_str(&self.0).unwrap_or(Value::Null)
    }

    /// Whether it is an object.
    #[must_use]
    pub fn is_object(&self) -> bool {
        self.0.starts_with('{')
    }

    /// Whether it is an object without members.
    #[must_use]
    pub fn is_empty_object(&self) -> bool {
        self.as_str() == "{}"
    }

    /// What kind of value it is, in words.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self.0.as_bytes().first() {
            Some(b'{') => "an object",
            Some(b'[') => "an array",
            Some(b'"') => "a string",
            Some(b't' | b'f') => "true or false",
            Some(b'n') => "null",
            Some(_) | None => "a number",
        }
    }

    /// The members of an object, each as its compact text; none where it is something else.
    #[must_use]
    pub fn members(&self) -> BTreeMap<String, &str> {
        let members: BTreeMap<String, &RawValue> = serde_json::from_str(&self.0).unwrap_or_default();
        members.into_iter().map(|(name, value)| (name, value.get())).collect()
    }

    /// The same object with more members. One whose name is taken by another value gets `prefix` before its name.
    #[must_use]
    pub fn with(self, more: impl IntoIterator<Item = (String, Self)>, prefix: &str) -> Self {
        let mut members: BTreeMap<String, Self> =
            self.members().into_iter().map(|(name, value)| (name, Self(value.into()))).collect();
        for (mut name, value) in more {
            while members.get(&name).is_some_and(|there| *there != value) {
                name.insert_str(0, prefix);
            }
            members.insert(name, value);
        }
        Self::object(&members)
    }

    /// An object without members.
    #[must_use]
    pub fn empty() -> Self {
        Self("{}".into())
    }

    /// An object of these members, each by its name.
    #[must_use]
    pub fn object(members: &BTreeMap<String, Self>) -> Self {
        let member = |(name, value): (&String, &Self)| format!("{}:{}", Self::from(name.as_str()).0, value.0);
        let members: Vec<String> = members.iter().map(member).collect();
        Self(format!("{{{}}}", members.join(",")).into_boxed_str())
    }
}

/// What the compact text of a value says as text: a text's content, and anything else as JSON.
#[must_use]
pub fn as_text(value: &str) -> Cow<'_, str> {
    let content = value.starts_with('"').then(|| serde_json::from_str::<String>(value).ok()).flatten();
    content.map_or(Cow::Borrowed(value), Cow::Owned)
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

impl From<&str> for Json {
    fn from(text: &str) -> Self {
        Self(Value::from(text).to_string().into_boxed_str())
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
            let raw: &RawValue = serde_json::from_str(&self.0).map_err(ser::Error::custom)?;
            raw.serialize(serializer)
        } else {
            serializer.serialize_str(&self.0)
        }
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            let raw = Box::<RawValue>::deserialize(deserializer)?;
            Self::parse(raw.get()).ok_or_else(|| de::Error::custom("must be JSON of at most 128 levels"))
        } else {
            String::deserialize(deserializer).map(|text| Self(text.into_boxed_str()))
        }
    }
}

impl JsonSchema for Json {
    fn schema_name() -> Cow<'static, str> {
        "Json".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!(true)
    }
}
