//! Reading the `data` of an audit event: its fields under every name that a dialect shows them by, and whatever else
//! it says into `meta`, so that nothing vanishes.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::Recorded;
use crate::address::canonical_ip;
use crate::json::{self, Json, Number, put_once};

/// Stands before the name of a member in `meta` where `meta` has another value under that name.
const PREFIX: &str = "data.";
/// The same for an attribute of the envelope.
const ATTRIBUTE_PREFIX: &str = "ce.";

impl Recorded {
    /// The same data with the attributes of its envelope that no field holds: `correlationid` where the data has no
    /// `correlation_id`, all others in `meta`.
    #[must_use]
    pub fn with_attributes<'a>(mut self, attributes: impl Iterator<Item = (Cow<'a, str>, Json)>) -> Self {
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
            self.meta = Some(self.meta.unwrap_or_else(Json::empty).with(others, ATTRIBUTE_PREFIX));
        }
        self
    }
}

impl<'de> Deserialize<'de> for Recorded {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Members)
    }
}

/// A name, or a text of which an empty one is nothing.
#[derive(Deserialize)]
#[serde(transparent)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

#[derive(Deserialize)]
#[serde(transparent)]
struct Filled(#[serde(deserialize_with = "json::filled")] Option<String>);

#[derive(Deserialize)]
#[serde(transparent)]
struct Whole(#[serde(deserialize_with = "json::integer")] Option<i64>);

/// A number, or the text of one that no double holds: no client could read that as a latency.
enum Latency {
    Number(Number),
    Beyond(Json),
}

impl<'de> Deserialize<'de> for Latency {
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
    type Value = Recorded;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Recorded, A::Error> {
        let mut data = Recorded::default();
        let mut aliases = Vec::new();
        let mut others = Vec::new();
        while let Some(Text(name)) = members.next_key::<Text<'de>>()? {
            if let Some(field) = text_field(&mut data, &name) {
                put_once(&name, field, members.next_value::<Filled>()?.0)?;
                continue;
            }
            match &*name {
                "user_id" => put_once(&name, &mut data.user_id, members.next_value::<Whole>()?.0)?,
                "task_id" => put_once(&name, &mut data.task_id, members.next_value::<Whole>()?.0)?,
                "http_status" => put_once(&name, &mut data.http_status, members.next_value::<Whole>()?.0)?,
                "latency_ms" => match members.next_value()? {
                    Some(Latency::Number(number)) => put_once(&name, &mut data.latency_ms, Some(number))?,
                    Some(Latency::Beyond(text)) => others.push((name.into_owned(), text)),
                    None => {}
                },
                "meta" => put_once(&name, &mut data.meta, members.next_value::<Option<Object>>()?.map(|meta| meta.0))?,
                "event_payload" => put_once(&name, &mut data.event_payload, members.next_value()?)?,
                _ => match canonical_name(&name) {
                    Some(canonical) => {
                        let Filled(text) = members.next_value()?;
                        aliases.extend(text.map(|text| (name.into_owned(), canonical, text)));
                    }
                    None => {
                        let value = members.next_value::<Option<Json>>()?;
                        others.extend(value.map(|value| (name.into_owned(), value)));
                    }
                },
            }
        }
        finish(data, aliases, others)
    }
}

/// What is known only when all members are: who of two names of a field stands, and what goes into `meta`.
fn finish<E: Error>(
    mut data: Recorded,
    aliases: Vec<(String, &'static str, String)>,
    mut others: Vec<(String, Json)>,
) -> Result<Recorded, E> {
    for (name, canonical, text) in aliases {
        match text_field(&mut data, canonical) {
            Some(field @ None) => *field = Some(text),
            Some(Some(given)) if *given == text => {}
            Some(Some(_)) | None => others.push((name, Json::from(text.as_str()))),
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

/// The names that the dialects show fields by, where these are not Flowtrail's.
fn canonical_name(name: &str) -> Option<&'static str> {
    Some(match name {
        "initiator_id" => "actor_id",
        "initiator_name" => "actor_name",
        "initiator_email" => "actor_email",
        "target_id" | "entity_id" => "resource_id",
        "entity_type" => "resource_type",
        _ => return None,
    })
}

fn text_field<'a>(data: &'a mut Recorded, name: &str) -> Option<&'a mut Option<String>> {
    Some(match name {
        "event_type" => &mut data.event_type,
        "activity_code" => &mut data.activity_code,
        "activity" => &mut data.activity,
        "event_group" => &mut data.event_group,
        "status" => &mut data.status,
        "source" => &mut data.source,
        "actor_type" => &mut data.actor_type,
        "actor_id" => &mut data.actor_id,
        "actor_name" => &mut data.actor_name,
        "actor_email" => &mut data.actor_email,
        "resource_type" => &mut data.resource_type,
        "resource_id" => &mut data.resource_id,
        "session_id" => &mut data.session_id,
        "vm_id" => &mut data.vm_id,
        "request_id" => &mut data.request_id,
        "correlation_id" => &mut data.correlation_id,
        "http_method" => &mut data.http_method,
        "path" => &mut data.path,
        "ip_address" => &mut data.ip_address,
        "user_agent" => &mut data.user_agent,
        "node_ip" => &mut data.node_ip,
        "worker_id" => &mut data.worker_id,
        "error_message" => &mut data.error_message,
        "user_name" => &mut data.user_name,
        "operation" => &mut data.operation,
        "response" => &mut data.response,
        "value" => &mut data.value,
        "account_id" => &mut data.account_id,
        _ => return None,
    })
}
