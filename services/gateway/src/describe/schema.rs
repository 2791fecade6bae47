//! Schemas of parameters.

use std::ops::RangeInclusive;

use schemars::{Schema, json_schema};
use serde::Serialize;

/// Any text.
pub(crate) fn text() -> Schema {
    json_schema!({ "type": "string" })
}

/// Bytes that are no text.
pub(crate) fn bytes() -> Schema {
    json_schema!({ "type": "string", "format": "binary" })
}

/// Any number of texts, each given on its own.
pub(crate) fn texts() -> Schema {
    json_schema!({ "type": "array", "items": { "type": "string" } })
}

/// Any whole number.
pub(crate) fn integer() -> Schema {
    json_schema!({ "type": "integer" })
}

/// A whole number within bounds, and what is taken without one.
pub(crate) fn whole<T: Serialize>(bounds: RangeInclusive<T>, usual: T) -> Schema {
    json_schema!({ "type": "integer", "minimum": bounds.start(), "maximum": bounds.end(), "default": usual })
}

/// The number of something that is kept.
pub(crate) fn positive() -> Schema {
    json_schema!({ "type": "integer", "format": "int64", "minimum": 1 })
}

/// One of the names.
pub(crate) fn choice<T>(choices: &[(&str, T)]) -> Schema {
    json_schema!({ "type": "string", "enum": choices.iter().map(|(name, _)| *name).collect::<Vec<_>>() })
}

/// A time, as RFC 3339 writes it.
pub(crate) fn time() -> Schema {
    json_schema!({ "type": "string", "format": "date-time" })
}
