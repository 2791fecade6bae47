//! A number with the digits it was written with.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::value::RawValue;

use super::text::is_finite;

/// A JSON number, held as its text: a double would keep 17 of its digits.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Number(Box<str>);

impl Number {
    /// The number that a text is. None: it is no JSON number, or one that no double holds.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let is_number = text.starts_with(|first: char| first == '-' || first.is_ascii_digit())
            && serde_json::from_str::<&RawValue>(text).is_ok_and(|raw| raw.get() == text);
        (is_number && is_finite(text)).then(|| Self(text.into()))
    }

    /// As it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The nearest double; digits beyond its precision are lost.
    #[must_use]
    pub fn to_f64(&self) -> f64 {
        // Invariant: the text is a number.
        self.0.parse().unwrap_or_default()
    }
}

impl TryFrom<f64> for Number {
    type Error = NotFinite;

    fn try_from(number: f64) -> Result<Self, Self::Error> {
        let number = serde_json::Number::from_f64(number).ok_or(NotFinite)?;
        Ok(Self(number.to_string().into_boxed_str()))
    }
}

/// JSON has no infinity, and nothing that is no number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be finite")]
pub struct NotFinite;

impl Serialize for Number {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serde_json::from_str::<&RawValue>(&self.0).map_err(serde::ser::Error::custom)?.serialize(serializer)
        } else {
            serializer.serialize_str(&self.0)
        }
    }
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            let raw = Box::<RawValue>::deserialize(deserializer)?;
            Self::parse(raw.get()).ok_or_else(|| de::Error::custom("must be a number"))
        } else {
            String::deserialize(deserializer).map(|text| Self(text.into_boxed_str()))
        }
    }
}
