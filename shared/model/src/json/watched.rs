//! Whether reading a value passed over members that it has no field for.
//!
//! Invariant: what is read is what would be read without watching; nothing is copied to find out.

use std::cell::Cell;
use std::fmt;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, EnumAccess, Error, MapAccess, SeqAccess, Visitor};

/// A value, and whether there was more in its text than it holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Watched<T> {
    /// What was read.
    pub(crate) value: T,
    /// Whether a member of it, at any depth, has no field.
    pub(crate) has_more: bool,
}

/// One that was read without watching, of which nothing more is known.
impl<T> From<T> for Watched<T> {
    fn from(value: T) -> Self {
        Self { value, has_more: false }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Watched<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let passed_over = Cell::new(false);
        let value = T::deserialize(Watching { inner: deserializer, passed_over: &passed_over })?;
        Ok(Self { value, has_more: passed_over.get() })
    }
}

/// Anything that takes part in reading, with a mark that is set where a value is passed over.
struct Watching<'w, X> {
    inner: X,
    passed_over: &'w Cell<bool>,
}

impl<'w, X> Watching<'w, X> {
    /// The same mark around another part.
    fn around<Y>(&self, inner: Y) -> Watching<'w, Y> {
        Watching { inner, passed_over: self.passed_over }
    }
}

/// Reads as the deserializer within does. Of the many kinds of values, those that a text of JSON can have inside of
/// which there are others are watched; a derived type asks for the others by the kind that it wants.
impl<'de, D: Deserializer<'de>> Deserializer<'de> for Watching<'_, D> {
    type Error = D::Error;

    fn is_human_readable(&self) -> bool {
        self.inner.is_human_readable()
    }

    /// What a derived type reads members with that it has no field for.
    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.passed_over.set(true);
        self.inner.deserialize_ignored_any(visitor)
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        let visitor = self.around(visitor);
        self.inner.deserialize_any(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        let visitor = self.around(visitor);
        self.inner.deserialize_option(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, name: &'static str, visitor: V) -> Result<V::Value, D::Error> {
        let visitor = self.around(visitor);
        self.inner.deserialize_newtype_struct(name, visitor)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        let visitor = self.around(visitor);
        self.inner.deserialize_seq(visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        let visitor = self.around(visitor);
        self.inner.deserialize_map(visitor)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        let visitor = self.around(visitor);
        self.inner.deserialize_struct(name, fields, visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.inner.deserialize_enum(name, variants, visitor)
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.inner.deserialize_str(visitor)
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.inner.deserialize_string(visitor)
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.inner.deserialize_identifier(visitor)
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char bytes byte_buf unit unit_struct tuple tuple_struct
    }
}

/// Takes what the visitor within takes.
impl<'de, V: Visitor<'de>> Visitor<'de> for Watching<'_, V> {
    type Value = V::Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.expecting(formatter)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<V::Value, E> {
        self.inner.visit_bool(value)
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<V::Value, E> {
        self.inner.visit_i64(value)
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<V::Value, E> {
        self.inner.visit_u64(value)
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<V::Value, E> {
        self.inner.visit_f64(value)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<V::Value, E> {
        self.inner.visit_str(text)
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<V::Value, E> {
        self.inner.visit_borrowed_str(text)
    }

    fn visit_string<E: Error>(self, text: String) -> Result<V::Value, E> {
        self.inner.visit_string(text)
    }

    fn visit_none<E: Error>(self) -> Result<V::Value, E> {
        self.inner.visit_none()
    }

    fn visit_unit<E: Error>(self) -> Result<V::Value, E> {
        self.inner.visit_unit()
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<V::Value, D::Error> {
        let deserializer = self.around(deserializer);
        self.inner.visit_some(deserializer)
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<V::Value, D::Error> {
        let deserializer = self.around(deserializer);
        self.inner.visit_newtype_struct(deserializer)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, elements: A) -> Result<V::Value, A::Error> {
        let elements = self.around(elements);
        self.inner.visit_seq(elements)
    }

    fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<V::Value, A::Error> {
        let members = self.around(members);
        self.inner.visit_map(members)
    }

    fn visit_enum<A: EnumAccess<'de>>(self, variant: A) -> Result<V::Value, A::Error> {
        self.inner.visit_enum(variant)
    }
}

impl<'de, A: SeqAccess<'de>> SeqAccess<'de> for Watching<'_, A> {
    type Error = A::Error;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, A::Error> {
        let seed = self.around(seed);
        self.inner.next_element_seed(seed)
    }

    fn size_hint(&self) -> Option<usize> {
        self.inner.size_hint()
    }
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Watching<'_, A> {
    type Error = A::Error;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, A::Error> {
        self.inner.next_key_seed(seed)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, A::Error> {
        let seed = self.around(seed);
        self.inner.next_value_seed(seed)
    }

    fn size_hint(&self) -> Option<usize> {
        self.inner.size_hint()
    }
}

impl<'de, S: DeserializeSeed<'de>> DeserializeSeed<'de> for Watching<'_, S> {
    type Value = S::Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<S::Value, D::Error> {
        let deserializer = self.around(deserializer);
        self.inner.deserialize(deserializer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json;
    use crate::traffic::Reported;

    fn read(text: &str) -> Watched<Reported> {
        json::read(text.as_bytes()).unwrap()
    }

    #[test]
    fn a_member_without_a_field_is_noticed_at_any_depth() {
        for text in [
            r#"{"protcol":6}"#,
            r#"{"protcol":null}"#,
            r#"{"flow_id":"f","source":{"adress":{}}}"#,
            r#"{"source":{"geo_location":{"city":"b"}}}"#,
            r#"{"icmp":{"type":8,"kind":1}}"#,
            r#"{"user":{"mail":1}}"#,
            r#"{"events":[{"timestamp":"2024-01-01T00:00:00Z","type":"TYPE_END"},{"timestamp":"2024-01-01T00:00:00Z","type":"TYPE_END","rule":[]}]}"#,
        ] {
            assert!(read(text).has_more, "{text}");
        }
    }

    #[test]
    fn what_is_read_is_what_is_read_without_watching() {
        let whole = r#"{"flow_id":"f\u0031","type":"TYPE_DROP","reporter_id":"r","source":{"id":"p","type":"PEER","name":null,
            "geo_location":{"city_name":"B","country_code":"DE"},"os":"","address":"10.0.0.1:1","dns_label":"d"},
            "destination":null,"user":{"id":"u","email":"e","name":"n"},"policy":{"id":"p","name":"n"},
            "icmp":{"type":8,"code":0.0},"protocol":6.0,"direction":"EGRESS","rx_bytes":18446744073709551615,"rx_packets":null,
            "tx_bytes":1,"tx_packets":2,"num_of_starts":3,"num_of_ends":4,"num_of_drops":5,
            "window_start":"2024-01-01T00:00:00Z","window_end":null,
            "events":[{"type":"TYPE_START","timestamp":"2024-01-01T00:00:00.5Z"}],"account_id":"main"}"#;
        for text in [whole, "{}", &whole.replacen('{', r#"{"more":[{"deep":1}],"#, 1)] {
            let plain: Reported = json::read(text.as_bytes()).unwrap();
            assert_eq!(read(text), Watched { value: plain, has_more: text.contains("more") });
        }
        for text in [r#"{"protocol":-1}"#, r#"{"events":{}}"#, "[1]", "7", r#"{"source":7}"#, r#"{"type":"TYPE_X"}"#] {
            let plain = json::read::<Reported>(text.as_bytes()).unwrap_err();
            assert_eq!(json::read::<Watched<Reported>>(text.as_bytes()).unwrap_err(), plain, "{text}");
        }
    }
}
