//! Structured events: attributes and data in one JSON object.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use base64::Engine;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::data;
use super::parts::{CloudEvent, MAX_ID_LENGTH, Malformed, check_once, has_control};
use crate::json::{self, Json, put_once};
use crate::time::Timestamp;

/// The alphabet of `data_base64`; padding is not insisted on.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The members of a structured event; null is none.
pub(super) struct Structured<'a, D> {
    specversion: Option<Text<'a>>,
    id: Option<Text<'a>>,
    source: Option<Text<'a>>,
    kind: Option<Text<'a>>,
    time: Option<Timestamp>,
    content_type: Option<Text<'a>>,
    account: Option<Text<'a>>,
    subject: Option<Text<'a>>,
    data: Option<D>,
    encoded: Option<Text<'a>>,
    attributes: Vec<(Cow<'a, str>, Json)>,
}

#[derive(Deserialize)]
#[serde(transparent)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

impl<'de, D: Deserialize<'de>> Deserialize<'de> for Structured<'de, D> {
    fn deserialize<T: Deserializer<'de>>(deserializer: T) -> Result<Self, T::Error> {
        deserializer.deserialize_map(Members(PhantomData))
    }
}

struct Members<D>(PhantomData<D>);

impl<'de, D: Deserialize<'de>> Visitor<'de> for Members<D> {
    type Value = Structured<'de, D>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
        let mut event = Structured {
            specversion: None,
            id: None,
            source: None,
            kind: None,
            time: None,
            content_type: None,
            account: None,
            subject: None,
            data: None,
            encoded: None,
            attributes: Vec::new(),
        };
        while let Some(Text(name)) = members.next_key::<Text<'de>>()? {
            match &*name {
                "specversion" => put_once(&name, &mut event.specversion, members.next_value()?)?,
                "id" => put_once(&name, &mut event.id, members.next_value()?)?,
                "source" => put_once(&name, &mut event.source, members.next_value()?)?,
                "type" => put_once(&name, &mut event.kind, members.next_value()?)?,
                "time" => put_once(&name, &mut event.time, members.next_value()?)?,
                "datacontenttype" => put_once(&name, &mut event.content_type, members.next_value()?)?,
                "accountid" => put_once(&name, &mut event.account, members.next_value()?)?,
                "subject" => put_once(&name, &mut event.subject, members.next_value()?)?,
                // Read in its place: it is large, and moving it is not free.
                "data" if event.data.is_none() => event.data = members.next_value()?,
                "data" => put_once(&name, &mut event.data, members.next_value()?)?,
                "data_base64" => put_once(&name, &mut event.encoded, members.next_value()?)?,
                _ => {
                    if let Some(value) = members.next_value::<Option<Json>>()? {
                        event.attributes.push((name, value));
                    }
                }
            }
        }
        Ok(event)
    }
}

/// An event whose attributes are good, and whose data is still in one of two places.
struct Checked<'a, D> {
    event: CloudEvent<'a, Option<D>>,
    content_type: Option<Cow<'a, str>>,
    /// The data in base64.
    encoded: Option<Cow<'a, str>>,
}

impl<'a, D> Structured<'a, D> {
    fn checked(self) -> Result<Checked<'a, D>, Malformed> {
        let required = |text: Option<Text<'a>>, attribute| {
            text.map(|Text(text)| text).ok_or_else(|| Malformed::attribute(attribute, "is missing"))
        };
        if self.attributes.len() > 1 {
            check_once(self.attributes.iter().map(|(name, _)| &**name).collect())?;
        }
        let version = required(self.specversion, "specversion")?;
        let event = CloudEvent {
            id: required(self.id, "id")?,
            source: required(self.source, "source")?,
            kind: required(self.kind, "type")?,
            time: self.time,
            account: self.account.map(|Text(text)| text),
            subject: self.subject.map(|Text(text)| text),
            attributes: self.attributes,
            data: self.data,
        };
        let content_type = self.content_type.map(|Text(text)| text);
        let event = event.checked(&version, content_type.as_deref())?;
        Ok(Checked { event, content_type, encoded: self.encoded.map(|Text(text)| text) })
    }
}

/// Reads one structured event.
///
/// # Errors
/// When it is no JSON object with the attributes that CloudEvents requires.
pub fn open_structured(payload: &[u8]) -> Result<CloudEvent<'_>, Malformed> {
    let event: Structured<'_, &RawValue> = json::read_part(payload)?;
    let Checked { event, content_type, encoded } = event.checked()?;
    let data = match (event.data, encoded) {
        (Some(_), Some(_)) => return Err(Malformed::attribute("data_base64", "must not be there together with data")),
        (Some(data), None) => Cow::Borrowed(data.get().as_bytes()),
        (None, Some(encoded)) => {
            let bytes = BASE64.decode(encoded.as_bytes());
            let bytes = bytes.map_err(|_| Malformed::attribute("data_base64", "must be base64"))?;
            // Bytes of which nothing says what they are may be anything (CloudEvents, JSON format, 3.1.2); only of
            // Flowtrail's own events is it known.
            if content_type.is_none() && event.is_foreign() {
                Cow::Owned(data::as_string(&bytes).as_str().as_bytes().to_vec())
            } else {
                data::as_json(Cow::Owned(bytes), content_type.as_deref())
            }
        }
        (None, None) => Cow::Borrowed([].as_slice()),
    };
    data::complete(event.with_data(data), content_type)
}

/// Takes an event whose data is of a known type out of its envelope; None where anything is wrong or unusual.
pub(super) fn usual<D>(event: Structured<'_, D>) -> Option<CloudEvent<'_, D>> {
    let Checked { event, encoded, .. } = event.checked().ok()?;
    if encoded.is_some() || event.is_foreign() {
        return None;
    }
    let CloudEvent { id, source, kind, time, account, subject, attributes, data } = event;
    Some(CloudEvent { id, source, kind, time, account, subject, attributes, data: data? })
}

/// The id of an event that cannot be read, where that much of it can.
pub(super) fn id_in(payload: &[u8]) -> Option<String> {
    let mut found = None;
    // Whatever is wrong comes after the id or before it; what was found by then counts.
    serde_json::Deserializer::from_slice(payload).deserialize_map(FindId(&mut found)).ok();
    let id = Json::parse(found?.get())?;
    let id = json::as_text(id.as_str()).into_owned();
    (id != "null" && !id.is_empty() && id.len() <= MAX_ID_LENGTH && !has_control(&id)).then_some(id)
}

/// Whether the id holds no half of a surrogate pair, in whose place U+FFFD would make two ids one.
pub(super) fn has_whole_id(payload: &[u8]) -> bool {
    let mut found = None;
    serde_json::Deserializer::from_slice(payload).deserialize_map(FindId(&mut found)).ok();
    found.is_none_or(|id| serde_json::from_str::<String>(id.get()).is_ok())
}

struct FindId<'a>(&'a mut Option<Box<RawValue>>);

impl<'de> Visitor<'de> for FindId<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        while let Some(name) = members.next_key::<Json>()? {
            if name.as_str() == "\"id\"" {
                *self.0 = Some(members.next_value()?);
            } else {
                members.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }
}
