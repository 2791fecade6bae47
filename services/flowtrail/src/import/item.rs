//! What the items of `traffic` and `audit` have in common: members that are moved, not re-written.

use std::collections::BTreeMap;

use model::json;
use serde_json::value::RawValue;

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
