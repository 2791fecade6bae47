//! The elements of an array, one by one: an array of eight million bytes may have four million elements.

use std::fmt;

use serde::de::{SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

/// Gives each element to `take`; none where it is no array, which is known once `take` got what comes before.
pub(super) fn each<'de>(text: &'de [u8], take: impl FnMut(&'de RawValue)) -> Option<()> {
    // Checked as a whole, which is faster than text by text.
    let mut deserializer = serde_json::Deserializer::from_str(str::from_utf8(text).ok()?);
    deserializer.deserialize_seq(Elements(take)).and_then(|()| deserializer.end()).ok()
}

struct Elements<F>(F);

impl<'de, F: FnMut(&'de RawValue)> Visitor<'de> for Elements<F> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut elements: A) -> Result<(), A::Error> {
        while let Some(element) = elements.next_element()? {
            (self.0)(element);
        }
        Ok(())
    }
}

/// An element of which nothing is kept, so that any number of them takes no memory.
pub(super) struct Passed;

impl<'de> Deserialize<'de> for Passed {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        <&RawValue>::deserialize(deserializer).map(|_| Self)
    }
}
