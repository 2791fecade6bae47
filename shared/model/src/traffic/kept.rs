//! A record as its JSON has it: what the reports say stands next to what the record says, by the names of the table.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{Error, IgnoredAny, MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::fields::{Field, Reported, Visit};
use super::record::Record;
use super::values::Value;

/// A value in the form that a record's JSON has it in.
struct Kept<V>(V);

impl<V: Value> Serialize for Kept<V> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.write_kept(serializer)
    }
}

impl<'de, V: Value> Deserialize<'de> for Kept<V> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        V::read_kept(deserializer).map(Self)
    }
}

impl<S: Serialize> Serialize for Record<S> {
    fn serialize<W: Serializer>(&self, serializer: W) -> Result<W::Ok, W::Error> {
        let Self { key, received_at, given, events } = self;
        let mut members = Members(serializer.serialize_map(None)?);
        members.0.serialize_entry("key", key)?;
        members.0.serialize_entry("received_at", received_at)?;
        members.0.serialize_entry("source", &given.source)?;
        members.0.serialize_entry("destination", &given.destination)?;
        members.0.serialize_entry("user", &given.user)?;
        members.0.serialize_entry("policy", &given.policy)?;
        Reported::<()>::default().each_own(given, &mut members)?;
        members.0.serialize_entry("events", events)?;
        members.0.end()
    }
}

/// Writes a member for each field.
struct Members<M>(M);

impl<'a, S: Serialize + 'a, M: SerializeMap> Visit<'a, (), S> for Members<M> {
    type Error = M::Error;

    #[inline]
    fn text(&mut self, field: Field, _: &mut Option<()>, text: &'a Option<S>) -> Result<(), M::Error> {
        self.0.serialize_entry(field.kept_as, text)
    }

    #[inline]
    fn value<V: Value>(&mut self, field: Field, _: &mut V, value: &'a V) -> Result<(), M::Error> {
        self.0.serialize_entry(field.kept_as, &Kept(*value))
    }
}

impl<'de, S: Deserialize<'de> + From<String> + Default> Deserialize<'de> for Record<S> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Reader(PhantomData))
    }
}

struct Reader<S>(PhantomData<S>);

impl<'de, S: Deserialize<'de> + From<String> + Default> Visitor<'de> for Reader<S> {
    type Value = Record<S>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a traffic record")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Record<S>, A::Error> {
        let (mut key, mut received_at, mut events) = (None, None, BTreeSet::new());
        let mut given = Reported::default();
        while let Some(Name(name)) = map.next_key()? {
            match &*name {
                "key" => key = Some(map.next_value()?),
                "received_at" => received_at = Some(map.next_value()?),
                "source" => given.source = map.next_value()?,
                "destination" => given.destination = map.next_value()?,
                "user" => given.user = map.next_value()?,
                "policy" => given.policy = map.next_value()?,
                "events" => events = map.next_value()?,
                name => {
                    let mut member = Member { name, map: &mut map, is_read: false, document: PhantomData };
                    given.each_own(&Reported::<()>::default(), &mut member)?;
                    if !member.is_read {
                        map.next_value::<IgnoredAny>()?;
                    }
                }
            }
        }
        let key = key.ok_or_else(|| A::Error::missing_field("key"))?;
        let received_at = received_at.ok_or_else(|| A::Error::missing_field("received_at"))?;
        Ok(Record { key, received_at, given, events })
    }
}

/// The name of a member, copied only where it has escapes.
#[derive(Deserialize)]
#[serde(transparent)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

/// Reads a member into the field that has its name.
struct Member<'m, 'de, A> {
    name: &'m str,
    map: &'m mut A,
    is_read: bool,
    /// What is read may be borrowed from the document.
    document: PhantomData<&'de ()>,
}

impl<'a, 'de, S: Deserialize<'de>, A: MapAccess<'de>> Visit<'a, S, ()> for Member<'_, 'de, A> {
    type Error = A::Error;

    #[inline]
    fn text(&mut self, field: Field, text: &mut Option<S>, _: &'a Option<()>) -> Result<(), A::Error> {
        if field.kept_as == self.name {
            *text = self.map.next_value()?;
            self.is_read = true;
        }
        Ok(())
    }

    #[inline]
    fn value<V: Value>(&mut self, field: Field, value: &mut V, _: &'a V) -> Result<(), A::Error> {
        if field.kept_as == self.name {
            *value = self.map.next_value::<Kept<V>>()?.0;
            self.is_read = true;
        }
        Ok(())
    }
}
