//! A JSON object of which members are taken, moved and renamed, and none is written again: numbers stay as they are.

use std::borrow::Cow;
use std::collections::BTreeMap;

use model::json;
use serde::Serialize;
use serde_json::value::RawValue;

use super::addresses;
use super::draft::{Rejected, to_text};

/// A JSON object whose values stay the text that they are.
pub(super) struct Item<'a>(BTreeMap<String, &'a RawValue>);

impl<'a> Item<'a> {
    pub(super) fn parse(text: &'a str) -> Result<Self, Rejected> {
        Ok(Self(json::read_part(text.as_bytes())?))
    }

    /// Takes a member out, if it says something: `null` and `""` do not.
    pub(super) fn take(&mut self, name: &str) -> Option<&'a RawValue> {
        self.0.remove(name).filter(|value| says_something(value))
    }

    /// Whether a member says something.
    pub(super) fn has(&self, name: &str) -> bool {
        self.0.get(name).is_some_and(|value| says_something(value))
    }

    /// A member as it stands, if it says something.
    pub(super) fn get(&self, name: &str) -> Option<&'a RawValue> {
        self.0.get(name).copied().filter(|value| says_something(value))
    }

    /// A member that is a text and is not empty.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        let value = self.get(name)?.get();
        if value.starts_with('"') { serde_json::from_str(value).ok() } else { None }
    }

    /// A member that is an object.
    pub(super) fn object(&self, name: &str) -> Option<Item<'a>> {
        let value = self.get(name)?.get();
        if value.starts_with('{') { serde_json::from_str(value).map(Self).ok() } else { None }
    }

    pub(super) fn put(&mut self, name: &str, value: &'a RawValue) {
        self.0.insert(name.to_owned(), value);
    }

    /// Gives a member a second name, which counts where the first says nothing.
    pub(super) fn rename(&mut self, from: &str, to: &str) {
        let other = self.take(from);
        let Some(value) = self.take(to).or(other) else { return };
        self.put(to, value);
    }

    pub(super) fn to_text(&self) -> Result<String, Rejected> {
        to_text(&self.0)
    }
}

/// A value as JSON text that a member can be set to.
pub(super) fn raw(value: &impl Serialize) -> Result<Box<RawValue>, Rejected> {
    serde_json::value::to_raw_value(value).map_err(|error| Rejected::field("document", error.to_string()))
}

/// The value of an IPv6 address that is spelled in another way than every other.
pub(super) fn respelled(address: &RawValue) -> Result<Option<Box<RawValue>>, Rejected> {
    let text: Option<Cow<'_, str>> = serde_json::from_str(address.get()).ok();
    text.and_then(|text| addresses::respelled(&text)).as_ref().map(raw).transpose()
}

fn says_something(value: &RawValue) -> bool {
    !matches!(value.get(), "null" | r#""""#)
}

/// An event id as it stands in the file: a text, or a number, which counts as its text.
pub(super) fn id_of(value: Option<&RawValue>) -> Result<Option<String>, Rejected> {
    let Some(value) = value.filter(|value| says_something(value)) else { return Ok(None) };
    let text = value.get();
    let id = match text.as_bytes().first() {
        Some(b'"') => serde_json::from_str(text).ok(),
        Some(b'-' | b'0'..=b'9') => Some(text.to_owned()),
        Some(_) | None => None,
    };
    id.map(Some).ok_or_else(|| Rejected::field("id", "must be a text or a number"))
}
