//! Reading the `data` of an audit event: its fields under every name that a dialect shows them by, and whatever else
//! it says into `meta`, so that nothing vanishes.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::sync::LazyLock;

use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::fields::{Access, FIELDS, Fields, RESOLVED, Set};
use crate::address::canonical_ip;
use crate::json::{self, Json, Number, put_once};

/// Stands before the name of a member in `meta` where `meta` has another value under that name.
const PREFIX: &str = "data.";
/// The same for an attribute of the envelope.
const ATTRIBUTE_PREFIX: &str = "ce.";

impl Fields {
    /// Adds the attributes of the data's envelope that no field holds: `correlationid` where the data has no
    /// `correlation_id`, all others to `meta`.
    pub fn add_attributes<'a>(&mut self, attributes: impl Iterator<Item = (Cow<'a, str>, Json)>) {
        let mut others = Vec::new();
        for (name, value) in attributes {
            let text = json::as_text(value.as_str());
            if name != "correlationid" || text.is_empty() {
                others.push((name.into_owned(), value));
            } else if self.correlation_id.is_none() {
                self.correlation_id = Some(text.into_owned());
            } else if self.correlation_id.as_deref() != Some(&*text) {
                others.push((name.into_owned(), value));
            }
        }
        if !others.is_empty() {
            self.meta = Some(self.meta.take().unwrap_or_else(Json::empty).with(others, ATTRIBUTE_PREFIX));
        }
    }
}

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Members)
    }
}

/// The name of a member, copied only where it has escapes.
#[derive(Deserialize)]
#[serde(transparent)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

/// A text, of which an empty one is nothing.
#[derive(Deserialize)]
#[serde(transparent)]
struct Filled(#[serde(deserialize_with = "json::filled")] Option<String>);

#[derive(Deserialize)]
#[serde(transparent)]
struct Whole(#[serde(deserialize_with = "json::integer")] Option<i64>);

/// A number, or the text of one that no double holds: no client could read that as a number.
enum Decimal {
    Number(Number),
    Beyond(Json),
}

impl<'de> Deserialize<'de> for Decimal {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Json::deserialize(deserializer)?;
        match Number::parse(value.as_str()) {
            Some(number) => Ok(Self::Number(number)),
            None if json::is_beyond_double(&json::as_text(value.as_str())) => Ok(Self::Beyond(value)),
            None => Err(D::Error::custom(format_args!("must be a number, not {}", value.kind()))),
        }
    }
}

struct Object(Json);

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Json::deserialize(deserializer)?;
        if value.is_object() {
            Ok(Self(value))
        } else {
            Err(D::Error::custom(format_args!("must be an object, not {}", value.kind())))
        }
    }
}

struct Members;

impl<'de> Visitor<'de> for Members {
    type Value = Fields;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Fields, A::Error> {
        let mut data = Fields::default();
        let mut aliases = Vec::new();
        let mut others = Vec::new();
        while let Some(Name(name)) = members.next_key::<Name<'de>>()? {
            let access = match meant(&name) {
                Meant::Field(access) => access,
                Meant::Alias(set) => {
                    let Filled(text) = members.next_value()?;
                    aliases.extend(text.map(|text| (name.into_owned(), set, text)));
                    continue;
                }
                Meant::Nothing => {
                    let value = members.next_value::<Option<Json>>()?;
                    others.extend(value.map(|value| (name.into_owned(), value)));
                    continue;
                }
            };
            match access {
                Access::Text(_, set) => put_once(&name, set(&mut data), members.next_value::<Filled>()?.0)?,
                Access::Integer(_, set) => put_once(&name, set(&mut data), members.next_value::<Whole>()?.0)?,
                Access::Decimal(_, set) => match members.next_value()? {
                    Some(Decimal::Number(number)) => put_once(&name, set(&mut data), Some(number))?,
                    Some(Decimal::Beyond(text)) => others.push((name.into_owned(), text)),
                    None => {}
                },
                Access::Json(_, set) => put_once(&name, set(&mut data), members.next_value()?)?,
                Access::Object(_, set) => {
                    let object = members.next_value::<Option<Object>>()?.map(|object| object.0);
                    put_once(&name, set(&mut data), object)?;
                }
            }
        }
        finish(data, aliases, others)
    }
}

/// What the name of a member stands for.
#[derive(Clone, Copy)]
enum Meant {
    /// A field, under its own name.
    Field(Access),
    /// A field, under the name by which a dialect shows it.
    Alias(Set<String>),
    /// None of the fields.
    Nothing,
}

/// By name, as one is looked up for each member of each event.
static MEANT: LazyLock<HashMap<&str, Meant>> = LazyLock::new(|| {
    let own = FIELDS.iter().map(|field| (field.name, field.access)).chain(RESOLVED);
    let own = own.map(|(name, access)| (name, Meant::Field(access)));
    let others = FIELDS.iter().flat_map(|field| field.other_names.iter().map(|name| (*name, field.access)));
    let others = others.filter_map(|(name, access)| match access {
        Access::Text(_, set) => Some((name, Meant::Alias(set))),
        // Only texts have other names, which the table checks.
        Access::Integer(..) | Access::Decimal(..) | Access::Json(..) | Access::Object(..) => None,
    });
    own.chain(others).collect()
});

fn meant(name: &str) -> Meant {
    MEANT.get(name).copied().unwrap_or(Meant::Nothing)
}

/// What is known only when all members are: which of two names of a field stands, and what goes into `meta`.
fn finish<E: Error>(
    mut data: Fields,
    aliases: Vec<(String, Set<String>, String)>,
    mut others: Vec<(String, Json)>,
) -> Result<Fields, E> {
    for (name, set, text) in aliases {
        match set(&mut data) {
            field @ None => *field = Some(text),
            Some(given) if *given == text => {}
            Some(_) => others.push((name, Json::from(text.as_str()))),
        }
    }
    if data.event_type.is_some() && data.activity_code != data.event_type {
        let code = data.activity_code.take();
        others.extend(code.map(|code| ("activity_code".to_owned(), Json::from(code.as_str()))));
    }
    if !others.is_empty() {
        data.meta = Some(data.meta.unwrap_or_else(Json::empty).with(others, PREFIX));
    }
    for address in [&mut data.ip_address, &mut data.node_ip].into_iter().flatten() {
        if let Some(canonical) = canonical_ip(address) {
            *address = canonical;
        }
    }
    Ok(data)
}
